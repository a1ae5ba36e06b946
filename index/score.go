package index

import (
	"cmp"
	"fmt"
	"math"
	"slices"
	"strconv"

	"github.com/vecdb/vecdb/internal/core"
)

// Compare orders neighbors best first: by falling score, equal scores by
// rising ordinal.
func Compare(a, b Neighbor) int {
	if c := cmp.Compare(b.Score, a.Score); c != 0 {
		return c
	}
	return cmp.Compare(a.Ord, b.Ord)
}

// before reports whether Compare puts a first; all but equal scores take no
// call.
func before(a, b Neighbor) bool {
	return a.Score > b.Score || !(a.Score < b.Score) && Compare(a, b) < 0
}

// Sort puts neighbors into the order of Compare. It sorts numbers that have that
// order, which takes no calls.
func Sort(list []Neighbor) {
	var room [128]uint64
	keys := room[:0]
	for _, n := range list {
		bits := math.Float32bits(n.Score)
		switch {
		case n.Score != n.Score || bits == signBit: // not a number, or a second zero
			slices.SortFunc(list, Compare)
			return
		case bits < signBit:
			bits = ^bits &^ signBit // the greatest first, before all below 0
		}
		keys = append(keys, uint64(bits)<<32|uint64(n.Ord))
	}
	slices.Sort(keys)
	for i, k := range keys {
		bits := uint32(k >> 32)
		if bits < signBit {
			bits = ^bits &^ signBit
		}
		list[i] = Neighbor{Ord: core.Ord(uint32(k)), Score: math.Float32frombits(bits)}
	}
}

const signBit = 1 << 31 // of a float32

// topCapacity is for how many neighbors a Top makes room before there are so many.
const topCapacity = 128

// Top collects the best K neighbors of those it is offered. It is not safe for
// concurrent use.
type Top struct {
	K    int        // how many to keep; nothing is kept when below 1
	heap []Neighbor // the worst on top
}

// Offer takes n when it belongs to the best K so far.
func (t *Top) Offer(n Neighbor) {
	switch {
	case t.K < 1:
	case len(t.heap) < t.K:
		if t.heap == nil {
			t.heap = make([]Neighbor, 0, min(t.K, topCapacity))
		}
		t.heap = append(t.heap, n)
		t.up(len(t.heap) - 1)
	case before(n, t.heap[0]):
		t.heap[0] = n
		t.down(0)
	}
}

// Worst returns the score below which nothing is taken any more; -Inf while
// fewer than K are held.
func (t *Top) Worst() float32 {
	if len(t.heap) == 0 || len(t.heap) < t.K {
		return float32(math.Inf(-1))
	}
	return t.heap[0].Score
}

// Sorted returns what was collected, best first, and leaves t empty.
func (t *Top) Sorted() []Neighbor {
	out := t.heap
	t.heap = nil
	Sort(out)
	return out
}

func (t *Top) up(i int) {
	for i > 0 {
		parent := (i - 1) / 2
		if !before(t.heap[parent], t.heap[i]) {
			return
		}
		t.heap[parent], t.heap[i] = t.heap[i], t.heap[parent]
		i = parent
	}
}

func (t *Top) down(i int) {
	for child := 2*i + 1; child < len(t.heap); child = 2*i + 1 {
		if child+1 < len(t.heap) && before(t.heap[child], t.heap[child+1]) {
			child++
		}
		if !before(t.heap[i], t.heap[child]) {
			return
		}
		t.heap[i], t.heap[child] = t.heap[child], t.heap[i]
		i = child
	}
}

// Normalize returns v scaled to unit length, computed in 64 bits. v is not
// zero; the result is a new slice.
func Normalize(v []float32) []float32 {
	var sum float64
	for _, x := range v {
		sum += float64(x) * float64(x)
	}
	scale := 1 / math.Sqrt(sum)
	out := make([]float32, len(v))
	for i, x := range v {
		out[i] = float32(float64(x) * scale)
	}
	return out
}

// Check returns an error unless every item has a vector of dim finite numbers
// that are not all zero. The pointer of the error begins with the number of
// the bad item. Implementations call it before they insert.
func Check(items []Item, dim int) error {
	for i, it := range items {
		if err := core.CheckVector("/"+strconv.Itoa(i), it.Vector, dim); err != nil {
			return fmt.Errorf("insert ordinal %d: %w", it.Ord, err)
		}
	}
	return nil
}

// Score compares two vectors of equal length in 64 bits and returns a finite
// score, the largest or smallest float32 where the true one lies beyond. It is
// what implementations fall back on when their 32-bit arithmetic overflows,
// which takes numbers beyond 1e17.
func (m Metric) Score(a, b []float32) float32 {
	var dot, aa, bb, l2 float64
	for i, x := range a {
		x, y := float64(x), float64(b[i])
		dot, aa, bb, l2 = dot+x*y, aa+x*x, bb+y*y, l2+(x-y)*(x-y)
	}
	switch m {
	case Dot:
	case L2:
		dot = -l2
	default:
		dot /= math.Sqrt(aa) * math.Sqrt(bb)
	}
	return float32(max(-math.MaxFloat32, min(math.MaxFloat32, dot)))
}
