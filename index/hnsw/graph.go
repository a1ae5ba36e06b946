package hnsw

import (
	"math"
	"math/rand/v2"
	"runtime"
	"slices"
	"sync"
	"sync/atomic"

	"github.com/vecdb/vecdb/internal/core"
)

// graph is the index proper. Its vertices live in slots; slots tells which slot
// holds an ordinal. Equal vectors share a vertex.
type graph struct {
	opt       Options
	space     *space
	slab      *slab
	upper     *upper
	readers   readers
	slots     slotMap
	n         atomic.Int64 // slots in use, dead and free ones included
	entry     entry
	pivots    atomic.Pointer[pivots]
	drawing   sync.Mutex // held by the one who draws them
	sketches  atomic.Pointer[sketches]
	sketching sync.Mutex   // held by the one who draws those
	wanting   atomic.Int64 // insertions that had use for them since
	rows      atomic.Pointer[rows]
	rowing    sync.Mutex // held by the one who draws those
	locks     stripes    // of the lists of neighbors
	scratch   sync.Pool
	guard     *guard       // nil unless parts are mapped
	cold      atomic.Int32 // how many reads of records are to come that tell the system before

	mu      sync.RWMutex // guards the rest
	free    []uint32     // slots to be used again
	dead    []uint32     // deleted, and still in lists of neighbors
	hidden  atomic.Int64 // slots that are dead or free
	dying   atomic.Int64 // those that are dead
	rng     *rand.Rand
	shared  map[uint32]*core.Set // the further ordinals of vertices that have some
	sharing atomic.Int64         // how many there are, to look without the lock
	sharers suspects             // the vertices that may be among them
	crowds  map[uint32]*core.Set // the ordinals of the members of crowds, by leader
	crowded atomic.Int64         // how many there are, to look without the lock
	mending sync.Mutex           // held by the one who mends
	first   sync.Mutex           // held by the one who inserts into an empty graph
}

func newGraph(sp *space, o Options) (*graph, error) {
	s, err := newSlab(newLayout(sp.padded, o), o.Folder)
	if err != nil {
		return nil, err
	}
	u, err := newUpper(s.max)
	if err != nil {
		s.close()
		return nil, err
	}
	g := &graph{opt: o, space: sp, slab: s, upper: u, rng: rand.New(rand.NewPCG(o.Seed, 7)), shared: map[uint32]*core.Set{}, crowds: map[uint32]*core.Set{}}
	g.scratch.New = func() any { return newScratch(s.layout) }
	// The memory goes when the graph can no longer be reached.
	runtime.AddCleanup(g, func(s *slab) { s.close() }, s)
	runtime.AddCleanup(g, func(u *upper) { u.close() }, u)
	return g, nil
}

// stripes are locks that many vertices share.
type stripes [1024]sync.Mutex

func (s *stripes) of(v uint32) *sync.Mutex { return &s[v%uint32(len(s))] }

// entry is the node at which searches start, with its level.
type entry struct{ word atomic.Uint64 }

// get returns whether there is one.
func (e *entry) get() (node uint32, level int, ok bool) {
	w := e.word.Load()
	return uint32(w), int(w>>32) - 1, w != 0
}

func (e *entry) clear() { e.word.Store(0) }

func (e *entry) set(node uint32, level int) { e.word.Store(uint64(level+1)<<32 | uint64(node)) }

// scratch is what one search or insertion needs.
type scratch struct {
	q      *query
	pool   pool
	top    top
	near   nearby  // the vertices whose sketches look nearest
	base   float32 // squared distance of the query from the center of sketches
	beam   int     // how many of the nearest in the pool a walk expands
	reach  reach
	rank   int  // of the k-th nearest allowed among all, by what a walk has seen
	taken  int  // how many of the vertices that a walk has expanded are allowed
	lost   bool // whether it has not kept enough of what it has seen
	seen   visited
	scores bool    // whether a walk scores the allowed among all that it has seen
	asked  visited // the vertices that the filter was asked for, if so
	est    [degree]float32
	dots   [2 * degree]int32
	many   [scanBatch]int32 // dots of a scan
	list   [2 * degree]uint32
	bits   []uint8
	signed []int8
	cands  []edge
	kept   []edge
	open   []int // numbers of the candidates that choose has not decided on
	own    []edge
	batch  []uint32
	scan   int       // what comparing the query with all that are allowed costs
	most   int       // what a walk may have before it rather than end in that
	rows   *rows     // by which that is done, nil for by 8-bit codes alone
	copy   *rowCopy  // of those of all that are allowed, nil where there is none
	ests   []float32 // estimates by rows
	hidden uint32    // a vertex that a walk passes over, or nobody

	starts  [starts]key // where a walk begins
	started int         // how many of them there are

	touched int // keeps reads for their effect on the cache alive
}

func newScratch(l layout) *scratch {
	return &scratch{q: newQuery(l.dim), bits: aligned[uint8](l.dim / 8), signed: aligned[int8](l.dim), hidden: nobody, ests: make([]float32, scanBatch)}
}

func (g *graph) get() *scratch  { return g.scratch.Get().(*scratch) }
func (g *graph) put(s *scratch) { g.scratch.Put(s) }

// level draws the level of a new vertex: l with the probability 16^-l.
func (g *graph) level() int {
	return min(maxLevel, int(-math.Log(1-g.rng.Float64())/math.Log(upperDegree)))
}

// vertices returns how many vertices are there to be found.
func (g *graph) vertices() int { return int(g.n.Load() - g.hidden.Load()) }

func (g *graph) bytes() int64 {
	return g.slab.bytes() + g.upper.bytes() + g.slots.bytes() + g.pivots.Load().bytes() + g.sketches.Load().bytes() + g.rows.Load().bytes()
}

// allowed reports whether vertex v holds an ordinal that may be returned; allow
// is nil when all may.
func (g *graph) allowed(v uint32, allow *core.Set) bool {
	ord := g.slab.ord(v)
	if ord == noOrd && !g.slab.leads(v) {
		return false
	}
	if allow == nil || allow.Contains(core.Ord(ord)) {
		return true
	}
	return g.sharing.Load() > 0 && g.sharers.may(v) && len(g.others(v, allow, 1)) > 0 ||
		g.slab.leads(v) && len(g.crowd(v, allow, 1)) > 0
}

// others returns up to limit of the further allowed ordinals of vertex v.
func (g *graph) others(v uint32, allow *core.Set, limit int) []core.Ord {
	g.mu.RLock()
	defer g.mu.RUnlock()
	return some(g.shared[v], allow, limit)
}

// suspects is a set of vertices that takes little memory: who is not in it was
// never added, who is may not have been either.
type suspects [1024]atomic.Uint64

func (s *suspects) add(v uint32)      { s[v>>6%uint32(len(s))].Or(1 << (v & 63)) }
func (s *suspects) may(v uint32) bool { return s[v>>6%uint32(len(s))].Load()>>(v&63)&1 != 0 }

// anyShared reports whether a vertex of keys holds more than one ordinal.
func (g *graph) anyShared(keys []key) bool {
	if g.sharing.Load() == 0 {
		return false
	}
	g.mu.RLock()
	defer g.mu.RUnlock()
	return slices.ContainsFunc(keys, func(c key) bool { return g.shared[c.vertex()] != nil })
}

// some returns up to limit of the allowed ordinals of a set, which may be nil.
func some(set, allow *core.Set, limit int) []core.Ord {
	if set == nil {
		return nil
	}
	var out []core.Ord
	for ord := range set.All() {
		if allow == nil || allow.Contains(ord) {
			if out = append(out, ord); len(out) == limit {
				break
			}
		}
	}
	return out
}

// share adds ord to the ordinals of vertex v; it returns false when the vertex
// is deleted.
func (g *graph) share(v uint32, ord core.Ord) bool {
	g.mu.Lock()
	defer g.mu.Unlock()
	switch g.slab.ord(v) {
	case noOrd:
		return false
	case uint32(ord):
		return true // it is there already
	}
	g.addShared(v, ord)
	return true
}

// addShared adds ord to the further ordinals of vertex v. The caller holds g.mu or
// is alone.
func (g *graph) addShared(v uint32, ord core.Ord) {
	if g.shared[v] == nil {
		g.shared[v] = core.NewSet()
		g.sharing.Add(1)
		g.sharers.add(v)
	}
	g.shared[v].Add(ord)
}

// forget takes ord, which the map of slots no longer has there, from vertex v.
// A vertex without ordinals is dead, unless it leads a crowd.
func (g *graph) forget(v uint32, ord core.Ord) {
	g.mu.Lock()
	defer g.mu.Unlock()
	if g.slab.member(v) {
		g.leave(v, ord)
	}
	set := g.shared[v]
	if g.slab.ord(v) != uint32(ord) {
		if set != nil {
			set.Remove(ord)
		}
	} else if set == nil {
		g.slab.setOrd(v, noOrd)
		if !g.slab.leads(v) {
			g.bury(v)
		}
	} else {
		for next := range set.All() {
			g.slab.setOrd(v, uint32(next))
			set.Remove(next)
			break
		}
	}
	if set != nil && set.Len() == 0 {
		delete(g.shared, v)
		g.sharing.Add(-1)
	}
}

// bury counts v, which holds nothing any more, among the dead. The caller holds
// the lock.
func (g *graph) bury(v uint32) {
	g.dead = append(g.dead, v)
	g.dying.Add(1)
	g.hidden.Add(1)
}

// newSlot returns a slot for a new vertex and its level.
func (g *graph) newSlot() (v uint32, level int, err error) {
	g.mu.Lock()
	defer g.mu.Unlock()
	level = g.level()
	if last := len(g.free) - 1; last >= 0 {
		v = g.free[last]
		g.free = g.free[:last]
		g.hidden.Add(-1)
		return v, level, nil
	}
	n := int(g.n.Load())
	if err := g.slab.use(n + 1); err != nil {
		return 0, 0, err
	}
	v = uint32(n)
	g.slab.setOrd(v, noOrd)
	g.n.Store(int64(n) + 1)
	return v, level, nil
}

// each calls fn with the ordinals and the vectors of the graph until fn returns
// false. Nothing may be inserted or deleted meanwhile.
func (g *graph) each(fn func(ords []core.Ord, v []float32) bool) {
	for v := range uint32(g.n.Load()) {
		ord := g.slab.ord(v)
		if ord == noOrd {
			continue
		}
		ords := append([]core.Ord{core.Ord(ord)}, g.others(v, nil, math.MaxInt)...)
		slices.Sort(ords)
		if !fn(ords, g.space.restore(g.slab.decode(v))) {
			return
		}
	}
}
