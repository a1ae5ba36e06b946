// Package folder reads what a folder says about the text model in it: weights
// as ONNX, tokenizer.json, and the configuration files that come with models
// of the sentence-transformers family.
package folder

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"

	"github.com/vecdb/vecdb/embedder"
	"github.com/vecdb/vecdb/internal/core"
)

// Description is what a folder holds.
type Description struct {
	// Model has everything but the name, the language and the files.
	Model embedder.Model
	// Weights are the paths of the weights in each precision.
	Weights map[embedder.Precision]string
	// Tokenizer is the path of the tokenizer.json.
	Tokenizer string
	// Notes tell what was assumed where the files say nothing.
	Notes []string
}

// Configs are the configuration files that Describe reads where they are
// there, by their paths in the folder. The first is necessary.
func Configs() []string {
	return []string{"config.json", "tokenizer_config.json", "sentence_bert_config.json", "config_sentence_transformers.json", "modules.json", "1_Pooling/config.json"}
}

// maxConfig bounds the bytes of a configuration file, maxTokenizer those of a
// tokenizer.json.
const (
	maxConfig    = 1 << 20
	maxTokenizer = 256 << 20
)

// Describe reads a folder. What is missing or cannot be computed is an error
// that matches core.ErrInvalid, what is damaged one that matches
// core.ErrCorrupt; both name the file.
func Describe(dir string) (*Description, error) {
	st, err := os.Stat(dir)
	if err != nil || !st.IsDir() {
		return nil, core.Invalid("", "give a folder with config.json, tokenizer.json and model.onnx", "there is no folder %s", dir)
	}
	d := &Description{Model: embedder.Model{Pooling: embedder.PoolMean, Licence: "unknown"}}
	for _, step := range []func(string) error{d.findFiles, d.readConfig, d.readModules, d.readLimits, d.readPrompts, d.readTokenizer} {
		if err := step(dir); err != nil {
			return nil, err
		}
	}
	return d, nil
}

func (d *Description) note(format string, args ...any) {
	d.Notes = append(d.Notes, fmt.Sprintf(format, args...))
}

// read decodes a file of JSON into v and tells whether it is there.
func read(path string, limit int64, v any) (bool, error) {
	f, err := os.Open(path)
	if errors.Is(err, fs.ErrNotExist) {
		return false, nil
	}
	if err != nil {
		return false, err
	}
	defer f.Close()
	data, err := io.ReadAll(io.LimitReader(f, limit+1))
	if err != nil {
		return false, fmt.Errorf("read %s: %w", path, err)
	}
	if int64(len(data)) > limit {
		return false, fmt.Errorf("%s has more than %d bytes: %w", path, limit, core.ErrCorrupt)
	}
	if err := json.Unmarshal(data, v); err != nil {
		return false, fmt.Errorf("%s is not what it should be: %w: %w", path, core.ErrCorrupt, err)
	}
	return true, nil
}

// small matches the names of files with weights in eight bits.
var small = regexp.MustCompile(`(?i)(int8|uint8|quant|[-_]q8?\.onnx$)`)

// other matches those in arithmetic that vecdb does not offer.
var other = regexp.MustCompile(`(?i)(fp16|float16|bf16|q4|bnb4|4bit|_o[1-4]\.onnx$)`)

func (d *Description) findFiles(dir string) error {
	d.Weights = make(map[embedder.Precision]string)
	var found []string
	for _, pattern := range []string{"*.onnx", "onnx/*.onnx"} {
		paths, err := filepath.Glob(filepath.Join(escaped(dir), pattern))
		if err != nil {
			return err
		}
		found = append(found, paths...)
	}
	// The shortest names are the plainest: model.onnx before model_O2.onnx.
	slices.SortStableFunc(found, func(a, b string) int { return len(filepath.Base(a)) - len(filepath.Base(b)) })
	for _, path := range found {
		name := filepath.Base(path)
		p := embedder.FP32
		if small.MatchString(name) {
			p = embedder.Int8
		}
		if _, there := d.Weights[p]; !there && !other.MatchString(name) {
			d.Weights[p] = path
		}
	}
	if len(d.Weights) == 0 {
		return core.Invalid("", "export the model to ONNX, as model.onnx in 32 bits or model_quantized.onnx in 8", "folder %s has no weights: no .onnx file that fits", dir)
	}
	for _, path := range d.Weights {
		if data, err := filepath.Glob(escaped(path) + "[_.]data"); err == nil && len(data) > 0 {
			return core.Invalid("", "save the model as one file", "the weights %s lie in a second file, %s", path, filepath.Base(data[0]))
		}
	}
	for _, pattern := range []string{"tokenizer.json", "onnx/tokenizer.json", "*tokenizer.json"} {
		if paths, err := filepath.Glob(filepath.Join(escaped(dir), pattern)); err == nil && len(paths) > 0 {
			d.Tokenizer = paths[0]
			return nil
		}
	}
	return core.Invalid("", "save it with AutoTokenizer.from_pretrained(…).save_pretrained(…)", "folder %s has no tokenizer.json", dir)
}

// escaped makes a path a pattern that matches it alone.
func escaped(path string) string {
	return strings.NewReplacer(`\`, `\\`, "*", `\*`, "?", `\?`, "[", `\[`).Replace(path)
}
