package main

import (
	"errors"
	"fmt"
)

// atK is how many neighbours are asked for.
const atK = 10

var errUnsupported = errors.New("unsupported")

// setting is what a sweep changes.
type setting struct {
	Ef int `json:"ef,omitempty"`
}

// index is one library. Vectors have unit length; their row numbers are ids.
type index interface {
	about() (version string, build map[string]any, settings []setting)
	add(id int, vector []float32) error
	prepare(setting) error
	search(query []float32, allowed *filter) ([]int64, error)
}

// filter is a set of ids, once as flags and once as a list.
type filter struct {
	flags []bool
	list  []uint64
	// made is what the library has made of the list.
	made any
}

func newFilter(flags []bool) *filter {
	f := &filter{flags: flags}
	for id, ok := range flags {
		if ok {
			f.list = append(f.list, uint64(id))
		}
	}
	return f
}

func newIndex(rival string, base [][]float32) (index, error) {
	switch rival {
	case "weaviate":
		return newWeaviate(base)
	case "chromem":
		return newChromem()
	}
	return nil, fmt.Errorf("there is no rival %q", rival)
}
