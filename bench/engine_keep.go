package bench

import (
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
)

// keptName is the file beside a kept database that tells of what it is.
const keptName = "bench-engine.json"

// keptEngine is what a kept database was made of.
type keptEngine struct {
	Documents     int     `json:"documents"`
	Events        int     `json:"events"`
	Seed          uint64  `json:"seed"`
	IngestSeconds float64 `json:"ingest_seconds"`
}

// kept reports whether the database that c asks for is there. A directory with
// anything else in it is an error.
func (r *EngineReport) kept(c EngineConfig) (bool, error) {
	data, err := os.ReadFile(filepath.Join(c.Keep, keptName))
	if errors.Is(err, fs.ErrNotExist) {
		list, err := os.ReadDir(c.Keep)
		if len(list) > 0 {
			return false, fmt.Errorf("directory %s has files, but none of a finished run: give an empty or a new one", c.Keep)
		}
		if errors.Is(err, fs.ErrNotExist) {
			err = nil
		}
		return false, err
	}
	if err != nil {
		return false, err
	}
	var k keptEngine
	if err := json.Unmarshal(data, &k); err != nil {
		return false, fmt.Errorf("read %s: %w", filepath.Join(c.Keep, keptName), err)
	}
	if k.Documents != c.Documents || k.Events != c.Events || k.Seed != c.Seed {
		return false, fmt.Errorf("the database in %s has %d documents and %d events of seed %d: ask for the same, or give another directory", c.Keep, k.Documents, k.Events, k.Seed)
	}
	r.IngestSeconds = k.IngestSeconds
	return true, nil
}

// keep notes what the database in c.Keep was made of.
func (r *EngineReport) keep(c EngineConfig) error {
	data, err := json.Marshal(keptEngine{c.Documents, c.Events, c.Seed, r.IngestSeconds})
	if err != nil {
		return err
	}
	return os.WriteFile(filepath.Join(c.Keep, keptName), append(data, '\n'), 0o600)
}
