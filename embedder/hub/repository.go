package hub

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"strings"

	"github.com/vecdb/vecdb/internal/core"
)

// EnvEndpoint names another server with public models than the usual one, as
// for the tools of that hub.
const EnvEndpoint = "HF_ENDPOINT"

const defaultEndpoint = "https://huggingface.co"

var repositoryName = regexp.MustCompile(`^[A-Za-z0-9][\w.-]*/[A-Za-z0-9][\w.-]*$`)

// IsRepository tells whether name is that of a public model: owner/name.
func IsRepository(name string) bool { return repositoryName.MatchString(name) }

// weightFiles are the usual places of weights; of each row one is fetched, and
// of the first there must be one.
var weightFiles = [][]string{
	{"onnx/model.onnx", "model.onnx"},
	{"onnx/model_quantized.onnx", "onnx/model_int8.onnx", "model_quantized.onnx"},
}

// FetchRepository brings the files of a public model to a folder of home and
// returns the folder. What was fetched before stays, also when the fetch is
// broken off. configs are the files that are fetched where they are there.
func FetchRepository(ctx context.Context, home, name string, configs []string, progress Progress) (string, error) {
	if os.Getenv(EnvOffline) != "" {
		return "", fmt.Errorf("%w: %s forbids fetching %s (give a folder)", core.ErrNoModel, EnvOffline, name)
	}
	base := os.Getenv(EnvEndpoint)
	if base == "" {
		base = defaultEndpoint
	}
	if progress == nil {
		progress = func(Event) {}
	}
	r := repository{url: strings.TrimSuffix(base, "/") + "/" + name + "/resolve/main/", progress: progress,
		dir: filepath.Join(home, "models", ".fetched-"+strings.ReplaceAll(name, "/", "+"))}
	if err := r.first(ctx, "tokenizer.json"); err != nil {
		return "", err
	}
	for _, file := range configs {
		if err := r.first(ctx, file); err != nil && !errors.Is(err, errAbsent) {
			return "", err
		}
	}
	for i, files := range weightFiles {
		if err := r.first(ctx, files...); err != nil && (i == 0 || !errors.Is(err, errAbsent)) {
			return "", err
		}
	}
	return r.dir, nil
}

// errAbsent says that a server has no such file.
var errAbsent = fmt.Errorf("the server has no such file: %w", core.ErrNoModel)

type repository struct {
	url, dir string
	progress Progress
}

// first fetches the first of the files that is there.
func (r repository) first(ctx context.Context, files ...string) error {
	for _, file := range files {
		if err := r.fetch(ctx, file); !errors.Is(err, errAbsent) {
			return err
		}
	}
	return fmt.Errorf("%s: %w", r.url+files[0], errAbsent)
}

func (r repository) fetch(ctx context.Context, file string) error {
	to := filepath.Join(r.dir, filepath.FromSlash(file))
	if _, err := os.Stat(to); !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	if err := os.MkdirAll(filepath.Dir(to), 0o755); err != nil {
		return fmt.Errorf("make folder for %s: %w (set %s to a folder that can be written)", file, err, EnvHome)
	}
	part := to + ".part"
	tell := func(done, total int64) {
		r.progress(Event{File: file, Source: r.url, Done: done, Total: total})
	}
	if err := download(ctx, r.url+file, part, tell); err != nil {
		return fmt.Errorf("fetch %s: %w", r.url+file, err)
	}
	return os.Rename(part, to)
}
