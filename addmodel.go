package vecdb

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/vecdb/vecdb/embedder"
	"github.com/vecdb/vecdb/embedder/folder"
	"github.com/vecdb/vecdb/embedder/hub"
	"github.com/vecdb/vecdb/internal/core"
)

// NewModel says which model AddModel takes.
type NewModel struct {
	// Source is a folder with ONNX weights, tokenizer.json and config.json, or
	// the owner/name of a public model.
	Source string
	// Name that the model gets. Default: that of the folder.
	Name string
	// Language is "en" or "zh". Default: the first in which the test passes.
	Language string
	// Home is the folder of models and runtimes. Default: $VECDB_HOME, else
	// vecdb in the user's cache directory.
	Home string
	// Progress is told how a fetch goes on. It may be nil.
	Progress hub.Progress
}

// AddModel brings a model of the user's own to the folder of models: it reads
// pooling, prefixes and lengths from the model's files, tries each of its
// precisions (see folder.Check), copies the files and writes them down in
// added.json. It returns the model and notes on what was assumed. Programs that
// have the folder open see it when they open it anew.
//
// The error matches ErrInvalid, ErrCorrupt or ErrDimension for a model that
// cannot be used, ErrExists for a name that is taken, and ErrNoRuntime where
// nothing can compute it.
func AddModel(ctx context.Context, o NewModel) (embedder.Model, []string, error) {
	o.Home = cmp.Or(o.Home, hub.DefaultHome())
	dir, err := o.fetch(ctx)
	if err != nil {
		return embedder.Model{}, nil, err
	}
	d, err := folder.Describe(dir)
	if err != nil {
		return embedder.Model{}, nil, err
	}
	model := d.Model
	if model.Name, err = o.name(dir); err != nil {
		return embedder.Model{}, nil, err
	}
	if err := embedder.CheckName(model.Name); err != nil {
		return embedder.Model{}, nil, err
	}
	model.Home, model.Notes = o.Source, strings.Join(d.Notes, "; ")
	if dir == o.Source {
		if model.Home, err = filepath.Abs(dir); err != nil {
			return embedder.Model{}, nil, err
		}
	}
	model.Description = "added from " + model.Home
	options, err := Options{Home: o.Home, Threads: 1}.withDefaults()
	if err != nil {
		return embedder.Model{}, nil, err
	}
	models, err := newModels(options, nil)
	if err != nil {
		return embedder.Model{}, nil, err
	}
	if _, err := models.manifest.Model(model.Name); err == nil {
		return embedder.Model{}, nil, fmt.Errorf("model %s: %w (choose another name, or remove it first)", model.Name, ErrExists)
	}
	if model.Language, err = models.try(ctx, model, d); err != nil {
		return embedder.Model{}, nil, err
	}
	model.Language = cmp.Or(o.Language, model.Language)
	model, err = hub.Add(ctx, o.Home, model, d.Weights, d.Tokenizer)
	if err == nil && dir != o.Source {
		err = os.RemoveAll(dir) // what was fetched has been copied
	}
	return model, d.Notes, err
}

// RemoveModel removes a model that AddModel added, with its files. Collections
// that were made with it keep their vectors and take no more texts.
func RemoveModel(home, name string) error { return hub.Remove(cmp.Or(home, hub.DefaultHome()), name) }

// fetch returns the folder of the model.
func (o NewModel) fetch(ctx context.Context) (string, error) {
	if o.Language != "" && o.Language != "en" && o.Language != "zh" {
		return "", core.Invalid("/language", "use en or zh", "unknown language %q", o.Language)
	}
	if _, err := os.Stat(o.Source); err != nil && hub.IsRepository(o.Source) {
		return hub.FetchRepository(ctx, o.Home, o.Source, folder.Configs(), o.Progress)
	}
	return o.Source, nil
}

func (o NewModel) name(dir string) (string, error) {
	if o.Name != "" {
		return o.Name, nil
	}
	if dir != o.Source {
		return o.Source[strings.LastIndexByte(o.Source, '/')+1:], nil
	}
	path, err := filepath.Abs(dir)
	return filepath.Base(path), err
}

// try tests the model in each precision and returns its language.
func (m *models) try(ctx context.Context, model embedder.Model, d *folder.Description) (language string, err error) {
	precisions := make([]embedder.Precision, 0, len(d.Weights))
	for p := range d.Weights {
		precisions = append(precisions, p)
	}
	slices.Sort(precisions) // fp32 first
	for _, p := range precisions {
		source, own := d.Weights[embedder.FP32]
		if !own {
			source = d.Weights[embedder.Int8]
		}
		emb, err := m.openAt(model, p, sources{
			native: hub.NativeFiles{Weights: source, Tokenizer: d.Tokenizer}, nativeErr: errNotNative(p),
			onnx: hub.Files{Model: d.Weights[p], Tokenizer: d.Tokenizer}, onnxErr: errNotONNX(p),
		})
		if err != nil {
			return "", fmt.Errorf("open the model (%s): %w", p, err)
		}
		found, err := folder.Check(ctx, emb)
		if err := errors.Join(err, emb.Close()); err != nil {
			return "", fmt.Errorf("%s: %w", p, err)
		}
		language = cmp.Or(language, found)
	}
	return language, nil
}
