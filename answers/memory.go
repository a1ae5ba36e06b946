package answers

import (
	"cmp"
	"math"
	"slices"
	"sync"

	"github.com/vecdb/vecdb/internal/core"
	"github.com/vecdb/vecdb/internal/simd"
)

// Memory holds the feedback of a collection: one entry a question and answer,
// however often it was given. It is safe for concurrent use.
type Memory struct {
	mu      sync.RWMutex // guards the rest
	entries map[pair]*Entry
	version uint64
}

type pair struct{ question, answer string }

// Entry is what feedback says of an answer to a question.
type Entry struct {
	Question string
	Answer   string // id of the document
	// Votes is how often it was right less how often it was wrong.
	Votes int
	// Vector is that of the question, of unit length. The caller leaves it
	// unchanged.
	Vector []float32
}

// Near is an entry with the cosine of its question to another one.
type Near struct {
	Entry
	Cosine float64
}

// NewMemory returns an empty Memory.
func NewMemory() *Memory { return &Memory{entries: make(map[pair]*Entry)} }

// Add takes feedback with the vector of its question, which it keeps.
func (m *Memory) Add(f core.Feedback, vector []float32) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.version++
	key := pair{f.Question, f.Answer}
	e := m.entries[key]
	if e == nil {
		e = &Entry{Question: f.Question, Answer: f.Answer, Vector: unit(vector)}
		m.entries[key] = e
	}
	if f.Right {
		e.Votes++
	} else {
		e.Votes--
	}
}

// Forget drops the entries of an answer, all with "".
func (m *Memory) Forget(answer string) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.version++
	for key := range m.entries {
		if answer == "" || key.answer == answer {
			delete(m.entries, key)
		}
	}
}

// Len returns the number of entries.
func (m *Memory) Len() int {
	m.mu.RLock()
	defer m.mu.RUnlock()
	return len(m.entries)
}

// Version grows with each change.
func (m *Memory) Version() uint64 {
	m.mu.RLock()
	defer m.mu.RUnlock()
	return m.version
}

// Entries returns all entries that say something, in the order of their
// questions and answers.
func (m *Memory) Entries() []Entry {
	m.mu.RLock()
	defer m.mu.RUnlock()
	var out []Entry
	for _, e := range m.entries {
		if e.Votes != 0 {
			out = append(out, *e)
		}
	}
	slices.SortFunc(out, func(a, b Entry) int {
		return cmp.Or(cmp.Compare(a.Question, b.Question), cmp.Compare(a.Answer, b.Answer))
	})
	return out
}

// Nearest returns the n entries that say something and whose questions are most
// similar to a vector, those of the question except left out; nearest first.
func (m *Memory) Nearest(vector []float32, n int, except string) []Near {
	v := unit(vector)
	m.mu.RLock()
	defer m.mu.RUnlock()
	var out []Near
	for key, e := range m.entries {
		if e.Votes == 0 || len(e.Vector) != len(v) || except != "" && key.question == except {
			continue
		}
		out = append(out, Near{*e, min(1, float64(simd.Dot(v, e.Vector)))})
		if len(out) >= 4*n {
			out = nearest(out, n)
		}
	}
	return nearest(out, n)
}

func nearest(list []Near, n int) []Near {
	slices.SortFunc(list, func(a, b Near) int {
		return cmp.Or(cmp.Compare(b.Cosine, a.Cosine), cmp.Compare(a.Question, b.Question), cmp.Compare(a.Answer, b.Answer))
	})
	return list[:min(n, len(list))]
}

// What feedback does to scores. An answer that was wrong loses up to wrongCost
// at the very question, and nothing from a cosine of wrongReach down. Each
// doubling of the votes for a right one adds rightGain.
const (
	wrongReach = 0.75
	wrongCost  = 1.0
	rightGain  = 0.01
	mostGain   = 0.05
)

// Adds returns what the entry adds to the score of its answer: as a variant of
// it when the votes are for it, else to all of its variants.
func (n Near) Adds() float64 {
	if n.Votes > 0 {
		return min(mostGain, rightGain*math.Log2(float64(n.Votes)))
	}
	return -wrongCost * max(0, (n.Cosine-wrongReach)/(1-wrongReach))
}

// unit returns v scaled to unit length.
func unit(v []float32) []float32 {
	var sum float64
	for _, x := range v {
		sum += float64(x) * float64(x)
	}
	out := make([]float32, len(v))
	if sum == 0 {
		return out
	}
	for i, x := range v {
		out[i] = float32(float64(x) / math.Sqrt(sum))
	}
	return out
}
