package hnsw

import (
	"math"
	"slices"

	"github.com/vecdb/vecdb/internal/simd"
)

// key is a vertex with its distance as one number, so that keys sort by
// distance, then by vertex. The lowest bit is set when the vertex has been
// expanded. Distances are not negative.
type key uint64

func makeKey(dist float32, v uint32) key {
	return key(math.Float32bits(dist))<<32 | key(v)<<1
}

func (k key) vertex() uint32 { return uint32(k) >> 1 }
func (k key) dist() float32  { return math.Float32frombits(uint32(k >> 32)) }

const expanded key = 1

// pool is a sorted list of the nearest candidates: the queue of a beam search.
type pool struct {
	keys []key // ascending
	max  int
	next int // none before it waits to be expanded
}

func (p *pool) reset(size int) {
	p.keys = slices.Grow(p.keys[:0], min(size, 4096))
	p.max, p.next = size, 0
}

// limit is the distance below which a candidate gets in.
func (p *pool) limit() float32 { return p.worst(p.max) }

// worst is the distance of the i-th nearest, +Inf when there are fewer.
func (p *pool) worst(i int) float32 {
	if len(p.keys) < i {
		return float32(math.Inf(1))
	}
	return p.keys[i-1].dist()
}

// insert puts k in its place; the last one falls out of a full pool.
func (p *pool) insert(k key) {
	n := len(p.keys)
	if n == p.max {
		if n--; k >= p.keys[n] {
			return
		}
	} else {
		p.keys = append(p.keys, 0)
	}
	p.next = min(p.next, simd.InsertSorted((*uint64)(&p.keys[0]), n, uint64(k)))
}

// cut drops the candidates that are farther away than limit.
func (p *pool) cut(limit float32) {
	n := len(p.keys)
	for n > 0 && p.keys[n-1].dist() > limit {
		n--
	}
	p.keys = p.keys[:n]
	p.next = min(p.next, n)
}

// pop returns the nearest candidate that was not expanded, and marks it.
func (p *pool) pop() (key, bool) {
	keys := p.keys
	for i := p.next; i < len(keys); i++ {
		if keys[i]&expanded == 0 {
			keys[i] |= expanded
			p.next = i + 1
			return keys[i] &^ expanded, true
		}
	}
	p.next = len(keys)
	return 0, false
}

// push gives back k, which was popped but not expanded.
func (p *pool) push(k key) {
	if i, there := slices.BinarySearch(p.keys, k|expanded); there {
		p.keys[i] = k
		p.next = min(p.next, i)
	}
}

// top is a sorted list of the nearest vertices found.
type top struct {
	keys  []key
	max   int
	loose bool // whether a walk may leave the order to settle
}

func (t *top) reset(size int) {
	t.keys = slices.Grow(t.keys[:0], min(size, 4096))
	t.max, t.loose = size, false
}

// insert takes k when it belongs to the nearest and is not there yet.
func (t *top) insert(k key) {
	n := len(t.keys)
	if n == t.max && (n == 0 || k >= t.keys[n-1]) {
		return
	}
	i := n
	for i > 0 && t.keys[i-1] > k {
		i--
	}
	if i > 0 && t.keys[i-1] == k {
		return
	}
	if n < t.max {
		t.keys = append(t.keys, 0)
	}
	copy(t.keys[i+1:], t.keys[i:])
	t.keys[i] = k
}

// bulk is the size from which a list is sorted now and then instead of always.
const bulk = 512

// gather is insert for long lists and loose ones: they are in order after settle
// only.
func (t *top) gather(k key) {
	if t.max < bulk && !t.loose {
		t.insert(k)
		return
	}
	if t.keys = append(t.keys, k); len(t.keys)/2 >= t.max {
		t.settle()
	}
}

// settle sorts what was gathered and keeps the nearest.
func (t *top) settle() {
	if t.max >= bulk || t.loose {
		slices.Sort(t.keys)
		t.keys = slices.Compact(t.keys)
		t.keys = t.keys[:min(t.max, len(t.keys))]
	}
}

// visited is a set of vertices that is emptied by its members.
type visited struct {
	words   []uint64
	touched []uint32
}

// reset empties the set and makes room for vertices below n.
func (s *visited) reset(n int) {
	if len(s.words)*64 < n {
		s.words = make([]uint64, (n+n/4+63)/64+64)
	} else {
		for _, w := range s.touched {
			s.words[w] = 0
		}
	}
	s.touched = s.touched[:0]
}

// add returns whether v was not in the set. v is below the n of reset.
func (s *visited) add(v uint32) bool {
	w := &s.words[v>>6]
	bit := uint64(1) << (v & 63)
	if *w&bit != 0 {
		return false
	}
	if *w == 0 {
		s.touched = append(s.touched, v>>6)
	}
	*w |= bit
	return true
}
