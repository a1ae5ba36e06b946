package hnsw

import (
	"context"
	"runtime"
	"slices"
	"sync"
	"sync/atomic"

	"github.com/vecdb/vecdb/index"
	"github.com/vecdb/vecdb/index/flat"
	"github.com/vecdb/vecdb/index/tune"
	"github.com/vecdb/vecdb/internal/core"
)

// Index implements index.Index. While it holds fewer vectors than
// Options.ScanBelow, it is a flat index; then their statistics are known, and a
// graph is made.
type Index struct {
	cfg   index.Config
	opt   Options
	gate  sync.RWMutex // held shared to change vectors, alone to change state
	state atomic.Pointer[state]
	plan  atomic.Pointer[tune.Plan] // nil is a preset

	ords stripes // held to move an ordinal between graph and flat index

	unverified unverified
	guard      *guard // of the snapshot that the index came from, nil for none
}

// state is where the vectors are. The flat index holds all vectors as long as
// there is no graph, and later those that do not fit into one.
type state struct {
	flat  *flat.Index
	graph *graph
	apart int // vectors in the flat index when the graph was made
}

// widenFrom and widenShare say when the graph is made anew in a wider space:
// when so many vectors more than before, and more than one in widenShare, do
// not fit.
const (
	widenFrom  = 256
	widenShare = 16
)

// widenDue reports whether too many vectors are in the flat index.
func (st *state) widenDue() bool {
	return st.flat.Len() > 2*st.apart+max(widenFrom, int(st.graph.slots.count.Load())/widenShare)
}

// flatVectors returns copies of what is in the flat index.
func (st *state) flatVectors() (ords []core.Ord, vectors [][]float32) {
	st.flat.Each(func(ord core.Ord, v []float32) {
		ords, vectors = append(ords, ord), append(vectors, slices.Clone(v))
	})
	return ords, vectors
}

var _ index.Index = (*Index)(nil)

// New returns an empty index.
func New(cfg index.Config, o Options) (*Index, error) {
	cfg, err := cfg.Check()
	if err != nil {
		return nil, err
	}
	if o, err = o.withDefaults(); err != nil {
		return nil, err
	}
	x := &Index{cfg: cfg, opt: o}
	if o.Disk {
		x.guard = newGuard()
	}
	f, err := flat.New(cfg)
	if err != nil {
		return nil, err
	}
	x.state.Store(&state{flat: f})
	return x, nil
}

// Len implements index.Index.
func (x *Index) Len() int {
	st := x.state.Load()
	n := st.flat.Len()
	if st.graph != nil {
		n += int(st.graph.slots.count.Load())
	}
	return n
}

// SizeBytes implements index.Index.
func (x *Index) SizeBytes() int64 {
	st := x.state.Load()
	n := st.flat.SizeBytes()
	if st.graph != nil {
		n += st.graph.bytes()
	}
	return n
}

// sampleMost is how many vectors the statistics are taken of.
const sampleMost = 1000

// Insert implements index.Index. It works on all processors at once.
func (x *Index) Insert(ctx context.Context, items []index.Item) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	if err := index.Check(items, x.cfg.Dim); err != nil {
		return err
	}
	items = lastOfEach(items)
	for len(items) > 0 {
		x.gate.RLock()
		st := x.state.Load()
		if st.graph != nil {
			err := x.insertGraph(ctx, st, items)
			x.gate.RUnlock()
			if err != nil {
				return err
			}
			if st.graph.mendDue() {
				st.graph.mend()
			}
			if st.widenDue() {
				return x.widen(ctx)
			}
			return nil
		}
		m := min(len(items), sampleMost)
		err := st.flat.Insert(ctx, items[:m])
		x.gate.RUnlock()
		if err != nil {
			return err
		}
		items = items[m:]
		if st.flat.Len() >= max(1, x.opt.ScanBelow) {
			if err := x.grow(ctx); err != nil {
				return err
			}
		}
	}
	return nil
}

// lastOfEach returns items without those whose ordinal comes again later.
func lastOfEach(items []index.Item) []index.Item {
	if len(items) < 2 {
		return items
	}
	last := make(map[core.Ord]int, len(items))
	for i, it := range items {
		last[it.Ord] = i
	}
	if len(last) == len(items) {
		return items
	}
	var out []index.Item
	for i, it := range items {
		if last[it.Ord] == i {
			out = append(out, it)
		}
	}
	return out
}

// insertGraph inserts into the graph what fits there and the rest into the flat
// index. Changes of the same ordinal at the same time, one of which fits and one
// does not, take turns, so that each vector is in one place.
func (x *Index) insertGraph(ctx context.Context, st *state, items []index.Item) error {
	g := st.graph
	return g.parallel(ctx, runtime.GOMAXPROCS(0), len(items), func(s *scratch, i int) error {
		it := items[i]
		lock := x.ords.of(uint32(it.Ord))
		lock.Lock()
		defer lock.Unlock()
		if !g.space.fits(it.Vector) {
			if err := st.flat.Insert(ctx, items[i:i+1]); err != nil {
				return err
			}
			g.delete([]core.Ord{it.Ord})
			return nil
		}
		err := g.insert(s, it.Ord, it.Vector)
		if err == nil && st.flat.Len() > 0 {
			st.flat.Delete(it.Ord)
		}
		return err
	})
}

// grow makes a graph of the vectors in the flat index.
func (x *Index) grow(ctx context.Context) error {
	x.gate.Lock()
	defer x.gate.Unlock()
	st := x.state.Load()
	if st.graph != nil {
		return nil
	}
	ords, vectors := st.flatVectors()
	return x.rebuild(ctx, newSpace(x.cfg.Metric, x.cfg.Dim, x.opt.Seed, vectors), ords, vectors)
}

// widen makes the graph anew in a space that fits for the vectors there are
// now.
func (x *Index) widen(ctx context.Context) error {
	x.gate.Lock()
	defer x.gate.Unlock()
	st := x.state.Load()
	if !st.widenDue() {
		return nil
	}
	var ords []core.Ord
	var vectors [][]float32
	err := st.graph.guard.run(func() error {
		st.graph.each(func(some []core.Ord, v []float32) bool {
			for _, ord := range some {
				ords, vectors = append(ords, ord), append(vectors, v)
			}
			return ctx.Err() == nil
		})
		return ctx.Err()
	})
	if err != nil {
		return err
	}
	flatOrds, flatVectors := st.flatVectors()
	ords, vectors = append(ords, flatOrds...), append(vectors, flatVectors...)
	var sample [][]float32
	for i := 0; i < len(vectors); i += 1 + len(vectors)/(4*sampleMost) {
		sample = append(sample, vectors[i])
	}
	sp := newSpace(x.cfg.Metric, x.cfg.Dim, x.opt.Seed, sample)
	sp.grow(1.5) // so that it does not happen often
	return x.rebuild(ctx, sp, ords, vectors)
}

// rebuild makes a new state of vectors. The caller holds the gate alone.
func (x *Index) rebuild(ctx context.Context, sp *space, ords []core.Ord, vectors [][]float32) error {
	f, err := flat.New(x.cfg)
	if err != nil {
		return err
	}
	g, err := newGraph(sp, x.opt)
	if err != nil {
		return err
	}
	if x.opt.Disk {
		g.guard = x.guard
	}
	var fit []int
	for i, v := range vectors {
		if sp.fits(v) {
			fit = append(fit, i)
		} else if err := f.Insert(ctx, []index.Item{{Ord: ords[i], Vector: v}}); err != nil {
			return err
		}
	}
	err = g.parallel(ctx, runtime.GOMAXPROCS(0), len(fit), func(s *scratch, i int) error { return g.insert(s, ords[fit[i]], vectors[fit[i]]) })
	if err != nil {
		return err
	}
	x.state.Store(&state{flat: f, graph: g, apart: f.Len()})
	return nil
}

// Delete implements index.Index.
func (x *Index) Delete(ords ...core.Ord) {
	x.gate.RLock()
	st := x.state.Load()
	st.flat.Delete(ords...)
	if st.graph != nil {
		st.graph.delete(ords)
	}
	x.gate.RUnlock()
	if st.graph != nil && st.graph.mendDue() {
		st.graph.mend()
	}
}

// Search implements index.Index. It never waits for changes.
func (x *Index) Search(ctx context.Context, q []float32, o index.Options) ([]index.Neighbor, error) {
	if err := index.CheckQuery(q, x.cfg.Dim, o); err != nil {
		return nil, err
	}
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	st := x.state.Load()
	if st.graph == nil {
		return st.flat.Search(ctx, q, o)
	}
	if o.Ef <= 0 && o.Recall > 0 {
		o.Ef = x.breadth(o)
	}
	found, err := st.graph.guarded(ctx, q, o)
	if err != nil || st.flat.Len() == 0 {
		return found, err
	}
	far, err := st.flat.Search(ctx, q, o)
	if err != nil {
		return nil, err
	}
	return merge(found, far, o.K), nil
}

// merge returns the k best of two lists, of an ordinal in both the first.
func merge(a, b []index.Neighbor, k int) []index.Neighbor {
	there := make(map[core.Ord]bool, len(a))
	for _, n := range a {
		there[n.Ord] = true
	}
	for _, n := range b {
		if !there[n.Ord] {
			a = append(a, n)
		}
	}
	slices.SortFunc(a, index.Compare)
	return a[:min(k, len(a))]
}
