//go:build cgo && !noort && !purego

package ort_test

import (
	"errors"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/vecdb/vecdb/embedder"
	"github.com/vecdb/vecdb/embedder/hub"
	"github.com/vecdb/vecdb/embedder/ort"
	"github.com/vecdb/vecdb/internal/core"
)

func TestMissingModels(t *testing.T) {
	lib := library(t)
	for name, path := range map[string]string{"no file": filepath.Join(t.TempDir(), "nothing.onnx"), "no path": ""} {
		s, err := lib.NewSessions(path, 1, ort.Options{})
		if s != nil || !errors.Is(err, core.ErrNoModel) {
			t.Fatalf("%s: got %v, want ErrNoModel", name, err)
		}
		if !strings.Contains(err.Error(), path) || !strings.Contains(err.Error(), "vecdb model pull") {
			t.Errorf("%s: %q lacks the path or what to do", name, err)
		}
	}
}

func TestBadModelsAreRefused(t *testing.T) {
	lib := library(t)
	whole := tinyModel(typeInt64, true, "input_ids", "attention_mask")
	for _, tc := range []struct {
		name      string
		data      []byte
		complaint string
	}{
		{"empty", nil, "vecdb model pull"},
		{"garbage", []byte(strings.Repeat("<html>not found</html>", 100)), "vecdb model pull"},
		{"zeros", make([]byte, 4096), "vecdb model pull"},
		{"cut in half", whole[:len(whole)/2], "vecdb model pull"},
		{"cut at its end", whole[:len(whole)-1], "vecdb model pull"},
		{"unknown input", tinyModel(typeInt64, true, "input_ids", "pixels"), `"pixels"`},
		{"ids of floats", tinyModel(typeFloat, true, "input_ids"), "64-bit integers"},
		{"no inputs", tinyModel(typeInt64, true), "vecdb model pull"},
		{"no vectors", tinyModel(typeInt64, false, "input_ids"), "one vector of floats a token"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			path := write(t, tc.data)
			s, err := lib.NewSessions(path, 1, ort.Options{})
			if s != nil || !errors.Is(err, core.ErrCorrupt) {
				t.Fatalf("got %v, want ErrCorrupt", err)
			}
			if !strings.Contains(err.Error(), path) || !strings.Contains(err.Error(), tc.complaint) {
				t.Errorf("%q lacks the path or %q", err, tc.complaint)
			}
		})
	}
	if _, err := lib.NewSessions(t.TempDir(), 1, ort.Options{}); !errors.Is(err, core.ErrCorrupt) {
		t.Errorf("a folder gives %v, want ErrCorrupt", err)
	}
}

func TestCutCopyOfARealModelIsRefused(t *testing.T) {
	lib := library(t)
	data := realModel(t)
	for name, n := range map[string]int{"first kilobyte": 1 << 10, "half": len(data) / 2, "all but the last byte": len(data) - 1} {
		if _, err := lib.NewSessions(write(t, data[:n]), 1, ort.Options{}); !errors.Is(err, core.ErrCorrupt) {
			t.Errorf("%s: got %v, want ErrCorrupt", name, err)
		}
	}
}

// tinySession opens a session of the tiny model, whose output is the input
// that is named first.
func tinySession(t *testing.T, threads int, inputs ...string) embedder.Runtime {
	t.Helper()
	return tinySessions(t, 1, threads, inputs...)[0]
}

// tinySessions opens n sessions of one tiny model.
func tinySessions(t *testing.T, n, threads int, inputs ...string) []embedder.Runtime {
	t.Helper()
	sessions, err := library(t).NewSessions(write(t, tinyModel(typeInt64, true, inputs...)), n, ort.Options{Threads: threads})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		for _, s := range sessions {
			if err := s.Close(); err != nil {
				t.Error(err)
			}
		}
	})
	return sessions
}

func TestSessionsOfOneModelRunAtOnce(t *testing.T) {
	sessions := tinySessions(t, 4, 1, "input_ids", "attention_mask")
	var wg sync.WaitGroup
	for i, s := range sessions {
		wg.Go(func() {
			// The first closes early; the others must not notice.
			for range 200 * (i + 1) {
				b := embedder.Batch{IDs: []int32{int32(i), 7, int32(100 * i)}, Lengths: []int{1, 2}}
				h, err := s.Run(b)
				if err != nil || h.Data[0] != float32(i) || h.Data[h.Offsets[1]+1] != float32(100*i) {
					t.Errorf("session %d gives %v, %v", i, h.Data, err)
					return
				}
			}
			if err := s.Close(); err != nil {
				t.Errorf("session %d: %v", i, err)
			}
		})
	}
	wg.Wait()
}

func TestRunPadsAndKeepsSequencesApart(t *testing.T) {
	s := tinySession(t, 2, "input_ids", "attention_mask", "token_type_ids")
	for _, lengths := range shapes() {
		b := batchOf(lengths)
		h, err := s.Run(b)
		if err != nil {
			t.Fatal(err)
		}
		if h.Dim != 1 || len(h.Offsets) != len(lengths) {
			t.Fatalf("%v: %d numbers a vector and %d offsets", lengths, h.Dim, len(h.Offsets))
		}
		next := 0
		for i, n := range lengths {
			for tok := range n {
				if got, want := h.Data[h.Offsets[i]+tok], float32(b.IDs[next]); got != want {
					t.Errorf("%v: token %d of sequence %d gives %v, want %v", lengths, tok, i, got, want)
				}
				next++
			}
		}
	}
}

func TestMaskCoversTheTokensAlone(t *testing.T) {
	mask := tinySession(t, 1, "attention_mask", "input_ids")
	types := tinySession(t, 1, "token_type_ids", "input_ids", "attention_mask")
	for _, lengths := range shapes() {
		var want []float32
		for _, n := range lengths {
			row := make([]float32, slices.Max(lengths))
			for tok := range n {
				row[tok] = 1
			}
			want = append(want, row...)
		}
		if h, err := mask.Run(batchOf(lengths)); err != nil || !slices.Equal(h.Data, want) {
			t.Errorf("%v: the mask is %v, want %v (%v)", lengths, h.Data, want, err)
		}
		if h, err := types.Run(batchOf(lengths)); err != nil || !slices.Equal(h.Data, make([]float32, len(want))) {
			t.Errorf("%v: the types are %v, want zeros (%v)", lengths, h.Data, err)
		}
	}
}

// shapes returns the lengths of batches that shrink and grow, so that
// leftovers of one would show in the next.
func shapes() [][]int { return [][]int{{2, 5, 3}, {1}, {4, 2}, {1, 0, 7, 2}, {3}, {1, 3}} }

// batchOf returns a batch of the given lengths; no id comes twice.
func batchOf(lengths []int) embedder.Batch {
	b := embedder.Batch{Lengths: lengths}
	for _, n := range lengths {
		for range n {
			b.IDs = append(b.IDs, int32(100+len(b.IDs)))
		}
	}
	return b
}

func TestRunOfNothing(t *testing.T) {
	s := tinySession(t, 0, "input_ids")
	for _, lengths := range [][]int{nil, {0}, {0, 0}} {
		h, err := s.Run(embedder.Batch{Lengths: lengths})
		if err != nil || len(h.Data) != 0 || len(h.Offsets) != len(lengths) || h.Dim != 1 {
			t.Errorf("%v: got %+v, %v", lengths, h, err)
		}
	}
}

func TestClosedSession(t *testing.T) {
	s := tinySession(t, 0, "input_ids")
	for range 2 {
		if err := s.Close(); err != nil {
			t.Errorf("close: %v", err)
		}
	}
	if _, err := s.Run(embedder.Batch{IDs: []int32{1}, Lengths: []int{1}}); !errors.Is(err, core.ErrClosed) {
		t.Errorf("a closed session gives %v, want ErrClosed", err)
	}
}

func TestBadBatchIsAnError(t *testing.T) {
	s := tinySession(t, 0, "input_ids")
	if _, err := s.Run(embedder.Batch{IDs: []int32{1, 2}, Lengths: []int{5}}); err == nil {
		t.Error("a batch with fewer ids than its lengths say is run")
	}
	if _, err := s.Run(embedder.Batch{IDs: []int32{1}, Lengths: []int{1}}); err != nil {
		t.Errorf("the next batch gives %v", err)
	}
}

// realModel returns the smallest model of the cache.
func realModel(t *testing.T) []byte {
	t.Helper()
	manifest, err := embedder.DefaultManifest()
	if err != nil {
		t.Fatal(err)
	}
	files, err := hub.New(hub.DefaultHome(), manifest).Locate("all-MiniLM-L6-v2", embedder.Int8)
	if err != nil {
		missing(t, err)
	}
	data, err := os.ReadFile(files.Model)
	if err != nil {
		t.Fatal(err)
	}
	return data
}
