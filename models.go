package vecdb

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"sync"

	"github.com/vecdb/vecdb/embedder"
	"github.com/vecdb/vecdb/embedder/hub"
	"github.com/vecdb/vecdb/internal/core"
	"github.com/vecdb/vecdb/storage"
)

// ModelStatus is a model of the manifest and whether it can be used here.
type ModelStatus struct {
	embedder.Model
	Ready bool // the files of its default precision are on this machine
}

// models opens each model once, when it is first needed, and shares it among
// collections.
type models struct {
	options  Options
	manifest *embedder.Manifest
	hub      *hub.Hub
	cache    embedder.Cache // of vectors, nil for none

	mu     sync.Mutex // guards the rest
	open   map[string]*modelSlot
	closed bool
}

// modelSlot is one model with one precision. Its mutex is held while the model
// is being opened, so that a second caller waits for the first.
type modelSlot struct {
	mu  sync.Mutex
	emb embedder.Embedder
}

func newModels(o Options, cache *storage.Cache) (*models, error) {
	manifest, err := hub.Manifest(o.Home)
	if err != nil {
		return nil, err
	}
	m := &models{options: o, manifest: manifest, hub: hub.New(o.Home, manifest), open: make(map[string]*modelSlot)}
	if cache != nil {
		m.cache = cache
	}
	return m, nil
}

// complete fills cfg from the model that o asks for.
func (m *models) complete(cfg storage.Config, o CollectionOptions) (storage.Config, error) {
	name := o.Model
	if name == "" {
		model, err := m.manifest.ForLanguage(cmp.Or(o.Language, "en"))
		if err != nil {
			return cfg, core.Invalid("/language", "use en, zh or auto, or name a model", "no default model for language %q", o.Language)
		}
		name = model.Name
	}
	name, precision, err := m.resolve(name, o.Precision)
	if err != nil {
		return cfg, err
	}
	model, err := m.manifest.Model(name)
	if err != nil {
		return cfg, err
	}
	if o.Dim < 0 || o.Dim > model.Dim {
		return cfg, &core.InputError{Pointer: "/dimension", Cause: ErrDimension,
			Detail: fmt.Sprintf("model %s has vectors of %d numbers, not %d", name, model.Dim, o.Dim),
			Hint:   "leave the dimension out, or cut the vectors with a smaller one"}
	}
	cfg.Model, cfg.Precision, cfg.Dim = name, precision, cmp.Or(o.Dim, model.Dim)
	cfg.Language = cmp.Or(o.Language, model.Language)
	return cfg, nil
}

// resolve returns the full name and the precision of a model, with defaults
// for empty ones.
func (m *models) resolve(name, precision string) (model, prec string, err error) {
	var found embedder.Model
	if name == "" {
		found, err = m.manifest.ForLanguage("en")
	} else {
		found, err = m.manifest.Model(name)
	}
	if err != nil {
		return "", "", &core.InputError{Pointer: "/model", Cause: ErrNotFound, Detail: err.Error(), Hint: "vecdb model list"}
	}
	p, err := found.Precision(precision)
	if err != nil {
		return "", "", err
	}
	return found.Name, string(p), nil
}

// get returns the open model, opening it first when needed.
func (m *models) get(ctx context.Context, name, precision string) (embedder.Embedder, error) {
	m.mu.Lock()
	if m.closed {
		m.mu.Unlock()
		return nil, ErrClosed
	}
	key := name + "@" + precision
	slot := m.open[key]
	if slot == nil {
		slot = &modelSlot{}
		m.open[key] = slot
	}
	m.mu.Unlock()

	slot.mu.Lock()
	defer slot.mu.Unlock()
	if slot.emb != nil {
		return slot.emb, nil
	}
	openModel := m.openFiles
	if m.options.OpenModel != nil {
		openModel = m.options.OpenModel
	}
	emb, err := openModel(ctx, name, precision)
	if err != nil {
		return nil, fmt.Errorf("open model %s (%s): %w", name, precision, err)
	}
	slot.emb = emb
	return emb, nil
}

// openFiles opens a model from the files under Options.Home.
func (m *models) openFiles(_ context.Context, name, precision string) (embedder.Embedder, error) {
	model, err := m.manifest.Model(name)
	if err != nil {
		return nil, err
	}
	p := embedder.Precision(precision)
	return m.openAt(model, p, m.locate(name, p))
}

// openAt opens the files of a model.
func (m *models) openAt(model embedder.Model, p embedder.Precision, s sources) (embedder.Embedder, error) {
	o, err := m.openSessions(model, p, s)
	if err != nil {
		return nil, err
	}
	emb, err := model.Encoder(o.tokens, o.sessions)
	if err != nil {
		return nil, errors.Join(err, closeAll(o.sessions))
	}
	emb.By = o.runtime
	if m.cache != nil {
		emb.UseCache(m.cache, spaceOf(model, o.by))
	}
	return emb, nil
}

// vectorsRevision is part of what vectors are kept under. It is raised whenever
// a change of the tokenizers, of vecdb's own runtime or of the pooling gives the
// same text another vector.
const vectorsRevision = 1

// spaceOf names all that the vectors of a model depend on and its encoder does not
// know.
func spaceOf(model embedder.Model, by string) string {
	lowercase := "as the file says"
	if model.Lowercase != nil {
		lowercase = fmt.Sprint(*model.Lowercase)
	}
	return fmt.Sprintf("%d %q, %s, tokenizer %s, lowercase %s", vectorsRevision, model.Name, by, model.Tokenizer().SHA256, lowercase)
}

func closeAll(sessions []embedder.Runtime) error {
	var errs []error
	for _, s := range sessions {
		errs = append(errs, s.Close())
	}
	return errors.Join(errs...)
}

// OpenModel is a model in memory with what it has done since it was opened.
type OpenModel struct {
	Name, Precision string
	embedder.Stats
}

// OpenModels returns the models that have been needed so far, by name. Those of
// Options.OpenModel are not among them unless they are encoders.
func (db *DB) OpenModels() []OpenModel {
	m := db.models
	m.mu.Lock()
	slots := maps.Clone(m.open)
	m.mu.Unlock()
	var out []OpenModel
	for _, key := range slices.Sorted(maps.Keys(slots)) {
		slot := slots[key]
		if !slot.mu.TryLock() {
			continue // it is being opened
		}
		emb, ok := slot.emb.(*embedder.Encoder)
		slot.mu.Unlock()
		if ok {
			name, precision, _ := strings.Cut(key, "@")
			out = append(out, OpenModel{name, precision, emb.Stats()})
		}
	}
	return out
}

func (m *models) list() []ModelStatus {
	var out []ModelStatus
	for _, model := range m.manifest.Models {
		p, err := model.Precision("")
		s := m.locate(model.Name, p)
		out = append(out, ModelStatus{Model: model, Ready: err == nil && (s.nativeErr == nil || s.onnxErr == nil)})
	}
	return out
}

func (m *models) close() error {
	m.mu.Lock()
	m.closed = true
	m.mu.Unlock()
	var errs []error
	for _, slot := range m.open {
		slot.mu.Lock()
		if slot.emb != nil {
			errs = append(errs, slot.emb.Close())
		}
		slot.mu.Unlock()
	}
	return errors.Join(errs...)
}
