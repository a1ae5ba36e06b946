package embedder_test

import (
	"hash/fnv"
	"math"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/vecdb/vecdb/embedder"
	"github.com/vecdb/vecdb/internal/core"
)

// The ids of the fake tokenizer's special tokens, and the width of the fake
// model.
const (
	idFirst int32 = 1
	idLast  int32 = 2
	dim           = 32
)

// wordID returns the id of a word.
func wordID(word string) int32 {
	h := fnv.New32a()
	_, _ = h.Write([]byte(word)) // never fails
	return int32(h.Sum32()>>2) + 3
}

// words is a tokenizer that makes each word a token. It refuses the word
// "refused".
type words struct{}

func (words) Encode(dst []int32, text string, limit int) ([]int32, int, error) {
	all := strings.Fields(text)
	if slices.Contains(all, "refused") {
		return dst, 0, core.Invalid("", "", "a word is refused")
	}
	dst = append(dst, idFirst)
	for _, w := range all[:min(len(all), limit-2)] {
		dst = append(dst, wordID(w))
	}
	return append(dst, idLast), len(all) + 2, nil
}

// tokenizerFunc is a tokenizer.
type tokenizerFunc func(dst []int32, text string, limit int) ([]int32, int, error)

func (f tokenizerFunc) Encode(dst []int32, text string, limit int) ([]int32, int, error) {
	return f(dst, text, limit)
}

// state is the fake model's vector of a token: pseudo-random signs.
func state(id int32) []float32 {
	v := make([]float32, dim)
	x := uint64(id)*0x9e3779b97f4a7c15 + 1
	for d := range v {
		x = x*6364136223846793005 + 1442695040888963407
		v[d] = float32(int(x>>62&2) - 1)
	}
	return v
}

// vectorOf is what an encoder must return for the given tokens: the mean of
// their states, or the first of them, in unit length.
func vectorOf(ids []int32, p embedder.Pooling) []float32 {
	if p == embedder.PoolCLS {
		ids = ids[:1]
	}
	sum := make([]float64, dim)
	square := 0.0
	for d := range sum {
		for _, id := range ids {
			sum[d] += float64(state(id)[d])
		}
		square += sum[d] * sum[d]
	}
	out := make([]float32, dim)
	for d, x := range sum {
		out[d] = float32(x / math.Sqrt(square))
	}
	return out
}

// model is a fake runtime. It pads like a real one, with numbers that must
// not be read, and overwrites its last result at each run.
type model struct {
	width    int           // of its vectors; 0 is dim
	gate     chan struct{} // when not nil, each run waits until it can receive
	hook     func(embedder.Batch) error
	closeErr error

	mu      sync.Mutex // guards the rest
	batches []embedder.Batch
	closed  int
	buf     []float32
}

func (m *model) Run(b embedder.Batch) (embedder.Hidden, error) {
	m.mu.Lock()
	m.batches = append(m.batches, embedder.Batch{IDs: slices.Clone(b.IDs), Lengths: slices.Clone(b.Lengths)})
	m.mu.Unlock()
	if m.gate != nil {
		<-m.gate
	}
	if m.hook != nil {
		if err := m.hook(b); err != nil {
			return embedder.Hidden{}, err
		}
	}
	return m.hidden(b), nil
}

func (m *model) hidden(b embedder.Batch) embedder.Hidden {
	width := slices.Max(b.Lengths)
	n := len(b.Lengths) * width * dim
	m.buf = slices.Grow(m.buf[:0], n)[:n]
	for i := range m.buf {
		m.buf[i] = 1e9
	}
	h := embedder.Hidden{Data: m.buf, Dim: dim}
	at := 0
	for row, length := range b.Lengths {
		for t, id := range b.IDs[at : at+length] {
			copy(m.buf[(row*width+t)*dim:], state(id))
		}
		h.Offsets = append(h.Offsets, row*width)
		at += length
	}
	if m.width != 0 {
		h.Dim = m.width
	}
	return h
}

func (m *model) Close() error {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.closed++
	return m.closeErr
}

// ran returns the batches that the model was given.
func (m *model) ran() []embedder.Batch {
	m.mu.Lock()
	defer m.mu.Unlock()
	return slices.Clone(m.batches)
}

// newEncoder returns an encoder over the fakes, closed at the end of the test.
// change may alter its configuration.
func newEncoder(t *testing.T, change func(*embedder.EncoderConfig), models ...*model) *embedder.Encoder {
	t.Helper()
	cfg := embedder.EncoderConfig{Tokenizer: words{}, Dim: dim, MaxTokens: 64, Pooling: embedder.PoolMean}
	for _, m := range models {
		cfg.Runtimes = append(cfg.Runtimes, m)
	}
	if change != nil {
		change(&cfg)
	}
	e, err := embedder.NewEncoder(cfg)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := e.Close(); err != nil {
			t.Error(err)
		}
	})
	return e
}
