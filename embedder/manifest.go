package embedder

import (
	"bytes"
	_ "embed" // for models.json
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"path/filepath"
	"slices"
	"strings"
	"unicode"

	"github.com/vecdb/vecdb/internal/core"
)

//go:embed models.json
var manifestJSON []byte

// Precision is the arithmetic that a model's weights are stored for.
type Precision string

// The precisions. Int8 is several times as fast as FP32 and changes the vectors
// a little (cosine to FP32 about 0.99 with ONNX Runtime and 0.998 with vecdb's own
// runtime). BF16 is computed from the files of FP32, by vecdb's own runtime
// alone; its vectors are FP32's but for the fourth digit.
const (
	Int8 Precision = "int8"
	BF16 Precision = "bf16"
	FP32 Precision = "fp32"
)

// tokenizerFile names the tokenizer among the files of a model.
const tokenizerFile = "tokenizer"

// Manifest names the models and runtimes that vecdb knows where to get.
type Manifest struct {
	Models   []Model      `json:"models"`
	Runtimes []RuntimeLib `json:"runtimes"`
}

// Model describes a model.
type Model struct {
	Name        string  `json:"name"`
	Language    string  `json:"language"` // "en" or "zh"
	Description string  `json:"description"`
	Licence     string  `json:"license"` // SPDX identifier
	Home        string  `json:"home"`    // the model's public home
	Dim         int     `json:"dimension"`
	Layers      int     `json:"layers"`
	Pooling     Pooling `json:"pooling"`
	QueryPrefix string  `json:"query_prefix"`
	// PassagePrefix is put before texts that are stored.
	PassagePrefix string `json:"passage_prefix"`
	MaxTokens     int    `json:"max_tokens"` // special tokens included
	// Lowercase overrides the tokenizer file where that is wrong.
	Lowercase *bool `json:"lowercase"`
	// Shorter are the numbers that vectors can be cut to, for Matryoshka models
	// (arXiv 2205.13147).
	Shorter []int `json:"shorter,omitempty"`
	// Added marks a model that the user brought.
	Added bool `json:"added,omitempty"`
	// Notes tell what is worth knowing.
	Notes string `json:"notes"`
	// Files holds the model in each precision, and the tokenizer.
	Files map[string]File `json:"files"`
}

// RuntimeLib describes the shared library of ONNX Runtime for one platform.
type RuntimeLib struct {
	OS       string `json:"os"`
	Arch     string `json:"arch"`
	FileName string `json:"file"`
	File
}

// File is a file with the places it can be had from.
type File struct {
	SizeBytes int64    `json:"size"`
	SHA256    string   `json:"sha256"` // hexadecimal
	Sources   []Source `json:"sources"`
}

// The kinds of a Source.
const (
	SourceHTTPS = "https" // a URL
	SourceMaven = "maven" // a package, by the client mvn
	SourcePip   = "pip"   // a package, by the client pip
	SourceNpm   = "npm"   // a package, by the client npm
)

// Source is one place that a file can be had from.
type Source struct {
	Kind    string `json:"kind"`
	URL     string `json:"url,omitempty"`
	Package string `json:"package,omitempty"` // in the client's own notation
	// Path is the file within the archive that the source gives; "" when it
	// gives the file itself.
	Path string `json:"path,omitempty"`
	// Python and Platform tell pip which wheel is meant.
	Python   string `json:"python,omitempty"`
	Platform string `json:"platform,omitempty"`
	// SizeBytes and SHA256 hold where the source has another build of the file.
	SizeBytes int64  `json:"size,omitempty"`
	SHA256    string `json:"sha256,omitempty"`
}

// DefaultManifest returns the manifest that vecdb was built with.
func DefaultManifest() (*Manifest, error) { return ParseManifest(manifestJSON) }

// ParseManifest reads and checks a manifest.
func ParseManifest(data []byte) (*Manifest, error) {
	dec := json.NewDecoder(bytes.NewReader(data))
	dec.DisallowUnknownFields()
	m := new(Manifest)
	if err := dec.Decode(m); err != nil {
		return nil, fmt.Errorf("manifest of models: %w", err)
	}
	if _, err := dec.Token(); !errors.Is(err, io.EOF) {
		return nil, fmt.Errorf("manifest of models: %w", core.Invalid("", "", "something follows after its end"))
	}
	for _, model := range m.Models {
		if err := model.check(); err != nil {
			return nil, fmt.Errorf("manifest of models: %s: %w", model.Name, err)
		}
	}
	for _, r := range m.Runtimes {
		if err := r.check(); err != nil {
			return nil, fmt.Errorf("manifest of models: runtime for %s/%s: %w", r.OS, r.Arch, err)
		}
	}
	return m, nil
}

func (m Model) check() error {
	if m.Name == "" || m.Dim < 1 || m.Dim > core.MaxDim || m.MaxTokens < 3 || m.Licence == "" {
		return core.Invalid("", "", "the name, dimension, max_tokens or license is missing or out of range")
	}
	if err := CheckName(m.Name); err != nil {
		return err
	}
	if !m.Pooling.valid() {
		return core.Invalid("/pooling", poolings, "unknown pooling %q", m.Pooling)
	}
	if _, there := m.Files[tokenizerFile]; !there || len(m.Files) < 2 {
		return core.Invalid("/files", "", "a model needs a tokenizer and at least one precision")
	}
	for name, f := range m.Files {
		if name != tokenizerFile && name != string(Int8) && name != string(FP32) {
			return core.Invalid("/files", "use int8, fp32 and tokenizer", "unknown file %q", name)
		}
		if err := f.check(!m.Added); err != nil {
			return err
		}
	}
	return nil
}

// CheckName tells whether name can be that of a model, which has a folder of
// that name: letters, digits and signs, no path, at most 100 bytes.
func CheckName(name string) error {
	if name == "" || len(name) > 100 || strings.HasPrefix(name, ".") || strings.ContainsFunc(name, func(r rune) bool {
		return strings.ContainsRune(`/\:*?"<>|@`, r) || !unicode.IsPrint(r)
	}) {
		return core.Invalid("/name", "use letters, digits, dots and dashes", "%.120q cannot be the name of a folder", name)
	}
	return nil
}

// With returns a manifest that has the models that the user brought, too.
func (m *Manifest) With(added []Model) (*Manifest, error) {
	out := &Manifest{Models: slices.Clone(m.Models), Runtimes: m.Runtimes}
	for _, model := range added {
		model.Added = true
		if err := model.check(); err != nil {
			return nil, fmt.Errorf("added model %s: %w", model.Name, err)
		}
		if _, err := out.Model(model.Name); err == nil {
			return nil, fmt.Errorf("added model %s: %w", model.Name, core.ErrExists)
		}
		out.Models = append(out.Models, model)
	}
	return out, nil
}

func (r RuntimeLib) check() error {
	if r.OS == "" || r.Arch == "" || r.FileName == "" || r.FileName != filepath.Base(r.FileName) {
		return core.Invalid("", "", "the os, the arch or the name of the file is missing or wrong")
	}
	return r.File.check(true)
}

func (f File) check(public bool) error {
	if f.SizeBytes < 1 || len(f.SHA256) != 64 || public && len(f.Sources) == 0 {
		return core.Invalid("", "", "a file lacks its size, checksum or sources")
	}
	return nil
}

// Model returns the model of that name, in any case of letters. The error
// matches core.ErrNotFound and lists the models there are.
func (m *Manifest) Model(name string) (Model, error) {
	var known []string
	for _, model := range m.Models {
		if strings.EqualFold(model.Name, name) {
			return model, nil
		}
		known = append(known, model.Name)
	}
	return Model{}, fmt.Errorf("model %.80q: %w (there are %s)", name, core.ErrNotFound, strings.Join(known, ", "))
}

// ForLanguage returns the default model for "en" or "zh".
func (m *Manifest) ForLanguage(language string) (Model, error) {
	for _, model := range m.Models {
		if model.Language == language {
			return model, nil
		}
	}
	return Model{}, fmt.Errorf("model for language %.20q: %w", language, core.ErrNotFound)
}

// Runtime returns the library for a platform in Go's names. The error matches
// core.ErrNoRuntime when there is no build for it.
func (m *Manifest) Runtime(goos, goarch string) (RuntimeLib, error) {
	var known []string
	for _, r := range m.Runtimes {
		if r.OS == goos && r.Arch == goarch {
			return r, nil
		}
		known = append(known, r.OS+"/"+r.Arch)
	}
	return RuntimeLib{}, fmt.Errorf("%w: ONNX Runtime has no build for %s/%s here (there are %s); collections without a model work",
		core.ErrNoRuntime, goos, goarch, strings.Join(known, ", "))
}

// Precision returns the precision of that name. "" is Int8, or FP32 where the
// model has no file for it. Int8 and BF16 can be computed from the file of FP32
// too.
func (m Model) Precision(name string) (Precision, error) {
	if name == "" {
		if _, there := m.Files[string(Int8)]; there {
			return Int8, nil
		}
		return FP32, nil
	}
	if p := Precision(name); slices.Contains(m.choices(), p) {
		return p, nil
	}
	hint := "use one of"
	for _, p := range m.choices() {
		hint += " " + string(p)
	}
	return "", core.Invalid("/precision", hint, "model %s has no precision %q", m.Name, name)
}

// choices are the precisions that the model can be computed in.
func (m Model) choices() []Precision {
	if _, there := m.Files[string(FP32)]; there {
		return []Precision{Int8, BF16, FP32}
	}
	return []Precision{Int8}
}

// Source returns the precision of the file that vecdb's own runtime packs the
// model from: FP32, or Int8 where that is all there is.
func (m Model) Source() Precision {
	if _, there := m.Files[string(FP32)]; there {
		return FP32
	}
	return Int8
}

// Precisions lists the precisions that the model has files of, the default first.
func (m Model) Precisions() []string {
	var out []string
	for _, p := range []Precision{Int8, FP32} {
		if _, there := m.Files[string(p)]; there {
			out = append(out, string(p))
		}
	}
	return out
}

// Tokenizer returns the tokenizer's file.
func (m Model) Tokenizer() File { return m.Files[tokenizerFile] }
