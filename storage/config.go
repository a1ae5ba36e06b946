package storage

import (
	"time"

	"github.com/vecdb/vecdb/internal/core"
)

// Config describes a collection; it is stored with it and does not change while
// the collection lives, except that a pending one is settled once. The root
// package fills and checks it.
type Config struct {
	Name      string `json:"name"`
	Language  string `json:"language,omitempty"`  // "en" or "zh", "auto" while pending; empty without a model
	Model     string `json:"model,omitempty"`     // empty: the collection takes vectors only
	Precision string `json:"precision,omitempty"` // "int8" or "fp32"
	Dim       int    `json:"dimension"`           // numbers a vector
	Metric    string `json:"metric"`              // "cosine", "dot" or "l2"
	// Auto is whether the first texts choose language, model and dimension.
	Auto bool `json:"auto,omitempty"`
	// Fields holds the declared types of fields by name: keyword, text,
	// integer, float or bool.
	Fields map[string]string `json:"fields,omitempty"`
	// Duplicates is what becomes of documents that are there already.
	Duplicates core.Duplicates `json:"duplicates,omitzero"`
	// Long is what becomes of texts with more tokens than the model takes at once;
	// "" is core.LongTruncate.
	Long    string    `json:"long,omitempty"`
	Created time.Time `json:"created"`
}

// Pending reports whether the first texts have yet to choose the model. There is
// no document then, and the dimension is 0.
func (c Config) Pending() bool { return c.Auto && c.Model == "" }
