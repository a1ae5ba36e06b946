package hnsw

import (
	"fmt"
	"math"
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/vecdb/vecdb/index"
	"github.com/vecdb/vecdb/index/indextest"
	"github.com/vecdb/vecdb/internal/core"
)

// direction returns a vector of length 1.
func direction(rng *rand.Rand, dim int) []float32 {
	v := make([]float32, dim)
	for i := range v {
		v[i] = float32(rng.NormFloat64())
	}
	return index.Normalize(v)
}

func TestManyDuplicates(t *testing.T) {
	rng := newRand(t)
	p := newPair(t, index.Config{Dim: 48}, Options{})
	same := direction(rng, 48)
	var copies [][]float32
	for range 20_000 {
		copies = append(copies, same)
	}
	others := around(rng, 1500, same, 0.3)
	p.insert(t, itemsOf(0, copies[:10_000])...)
	p.insert(t, itemsOf(50_000, others)...)
	p.insert(t, itemsOf(10_000, copies[10_000:])...)
	atLeast(t, "the duplicates", p.recall(t, [][]float32{same}, index.Options{K: 10}), 1)
	atLeast(t, "vectors near them", p.recall(t, others[:100], index.Options{K: 1}), 0.9)
	allow := core.NewSet()
	for i := range others {
		allow.Add(core.Ord(50_000 + i))
	}
	atLeast(t, "vectors near them, allowed", p.recall(t, others[:100], index.Options{K: 10, Allow: allow}), 0.8)
	if n := p.x.state.Load().graph.vertices(); n > 1600 {
		t.Errorf("20,000 copies of a vector and 1,500 more take %d vertices", n)
	}
	p.clean(t)
	for i := range 20_000 {
		p.delete(core.Ord(i))
	}
	atLeast(t, "without the duplicates", p.recall(t, others[:50], index.Options{K: 10, Ef: 200}), 0.85)
	p.clean(t)
}

// clumps returns vectors that hardly differ, size of them around each of the
// centers, with noise of the given lengths.
func clumps(rng *rand.Rand, centers [][]float32, size int, noise ...float64) (out [][]float32) {
	for i, c := range centers {
		out = append(out, around(rng, size, c, noise[i%len(noise)])...)
	}
	return out
}

// TestNearDuplicates has clumps of vectors that differ by less than the codes
// tell apart, with others around them that must be found none the less.
func TestNearDuplicates(t *testing.T) {
	aboutRecall(t)
	const size = 600
	forAll(t, func(t *testing.T, m index.Metric, o Options) {
		for _, dim := range []int{exactUpTo - 1, 80} {
			if o.Disk && dim <= exactUpTo {
				continue // as compact
			}
			rng := newRand(t)
			p := newPair(t, index.Config{Dim: dim, Metric: m}, o)
			switch {
			case o.Compact: // as accurate as scores are
				p.ties = 2e-3
			case dim > exactUpTo:
				p.ties = 1e-4
			}
			plain := indextest.Vectors(rng, 640, dim)
			for i := range plain {
				plain[i] = index.Normalize(plain[i])
			}
			near := clumps(rng, plain[:4], size, 1e-3, 1e-4, 1e-5, 1e-6)
			beside := clumps(rng, plain[:4], 100, 0.2)
			all := slices.Concat(near, beside, plain[40:])
			rng.Shuffle(len(all), func(i, j int) { all[i], all[j] = all[j], all[i] })
			p.insert(t, itemsOf(0, all)...)
			p.nearClumps(t, near, beside, plain)
			gone := p.ords()
			rng.Shuffle(len(gone), func(i, j int) { gone[i], gone[j] = gone[j], gone[i] })
			p.delete(gone[:len(gone)/2]...)
			for _, ord := range gone[:len(gone)/4] {
				p.insert(t, index.Item{Ord: ord, Vector: all[ord]})
			}
			p.nearClumps(t, near, beside, plain)
		}
	})
}

// nearClumps looks for what is in clumps, beside them, and elsewhere, where the
// recall of 10 is 0.954 in the worst case, with a standard deviation of 0.006 among
// graphs of the same vectors.
func (p *pair) nearClumps(t *testing.T, near, beside, plain [][]float32) {
	t.Helper()
	some := func(list [][]float32) (out [][]float32) {
		for i := 0; i < len(list); i += max(1, len(list)/100) {
			out = append(out, list[i])
		}
		return out
	}
	for _, k := range []int{1, 10} {
		atLeast(t, fmt.Sprintf("%d in clumps", k), p.recall(t, some(near), index.Options{K: k}), 0.95)
		atLeast(t, fmt.Sprintf("%d beside clumps", k), p.recall(t, some(beside), index.Options{K: k}), 0.95)
		atLeast(t, fmt.Sprintf("%d elsewhere", k), p.recall(t, some(plain), index.Options{K: k}), 0.92)
	}
	p.clean(t)
}

func TestClustersFarApart(t *testing.T) {
	aboutRecall(t)
	forAll(t, func(t *testing.T, m index.Metric, o Options) {
		rng := newRand(t)
		p := newPair(t, index.Config{Dim: 80, Metric: m}, o)
		least := 0.88
		var all [][]float32
		for range 30 { // in the order of clusters
			all = append(all, around(rng, 100, direction(rng, 80), 0.05)...)
		}
		p.insert(t, itemsOf(0, all)...)
		switch {
		case o.Compact:
			least = 0.7 // near vectors are told apart by 8 bits only
		case o.Disk:
			least = 0.75 // and by two where they are looked for
		}
		atLeast(t, "each vector", p.recall(t, all[:1500], index.Options{K: 1}), least)
		p.clean(t)
	})
}

func TestDimensions(t *testing.T) {
	aboutRecall(t)
	for _, dim := range []int{1, 2, core.MaxDim} {
		forAll(t, func(t *testing.T, m index.Metric, o Options) {
			if o.Disk && dim <= exactUpTo {
				t.Skip("as compact")
			}
			rng := newRand(t)
			n := 1500
			if dim > 1000 {
				n = 150
			}
			p := newPair(t, index.Config{Dim: dim, Metric: m}, o)
			all := indextest.Vectors(rng, n+20, dim)
			p.insert(t, itemsOf(0, all[20:])...)
			for _, opt := range []index.Options{{K: 10}, {K: n + 7}, {K: 20, Ef: 1}, {K: math.MaxInt, Ef: math.MaxInt}} {
				atLeast(t, fmt.Sprintf("dimension %d, k %d", dim, opt.K), p.recall(t, all[:20], opt), 0.6)
			}
			p.clean(t)
		})
	}
}

func TestEmptiedAndFilledAgain(t *testing.T) {
	rng := newRand(t)
	p := newPair(t, index.Config{Dim: 24}, Options{ScanBelow: -1})
	all := indextest.Vectors(rng, 3000, 24)
	for round := range 40 { // few, so that nothing is mended
		p.insert(t, index.Item{Ord: core.Ord(round), Vector: all[round]})
		p.delete(core.Ord(round))
	}
	p.insert(t, itemsOf(100, all)...)
	p.clean(t)
	p.delete(p.ords()...)
	if got, err := p.x.Search(t.Context(), all[0], index.Options{K: 5}); err != nil || len(got) != 0 {
		t.Errorf("an emptied index returns %v, %v", got, err)
	}
	p.insert(t, itemsOf(0, all)...)
	atLeast(t, "filled again", p.recall(t, all[:100], index.Options{K: 10}), 0.92)
	p.clean(t)
}

func TestEntryIsDeleted(t *testing.T) {
	rng := newRand(t)
	p := newPair(t, index.Config{Dim: 24}, Options{ScanBelow: -1})
	all := indextest.Vectors(rng, 2000, 24)
	p.insert(t, itemsOf(0, all)...)
	g := p.x.state.Load().graph
	for range 300 {
		i, _, _ := g.entry.get()
		ord := g.slab.ord(g.upper.node(i).slot)
		if ord == noOrd {
			ord = uint32(p.ords()[rng.IntN(len(p.vectors))])
		}
		p.delete(core.Ord(ord))
		p.insert(t, index.Item{Ord: core.Ord(ord) + 5000, Vector: all[rng.IntN(len(all))]})
	}
	atLeast(t, "after deleting the entry again and again", p.recall(t, all[:100], index.Options{K: 10}), 0.92)
	p.clean(t)
}

// TestVectorsGrowLonger has later vectors 400 times as long as the first, or the
// first as long as that.
func TestVectorsGrowLonger(t *testing.T) {
	aboutRecall(t)
	for _, m := range []index.Metric{index.Dot, index.L2} {
		for _, times := range []float64{1.003, 1 / 1.003} {
			rng := newRand(t)
			p := newPair(t, index.Config{Dim: 72, Metric: m}, Options{ScanBelow: 200})
			p.slack = 0.02
			all := indextest.Vectors(rng, 2000, 72)
			for i, v := range all {
				for j := range v {
					v[j] *= float32(math.Pow(times, float64(i)))
				}
			}
			for i := range 20 {
				p.insert(t, itemsOf(core.Ord(100*i), all[100*i:][:100])...)
			}
			atLeast(t, fmt.Sprintf("%s, lengths grow by %g", m, times), p.recall(t, all[900:1100], index.Options{K: 10}), 0.95)
			if n := p.x.state.Load().flat.Len(); n > 1000 {
				t.Errorf("%s: %d vectors are kept apart", m, n)
			}
			p.clean(t)
		}
	}
}

// TestOutliers checks that a few vectors of another length spoil no others.
func TestOutliers(t *testing.T) {
	aboutRecall(t)
	for _, m := range []index.Metric{index.Cosine, index.Dot, index.L2} {
		for _, at := range []int{0, 150, 1500} {
			t.Run(fmt.Sprintf("%s/%d", m, at), func(t *testing.T) {
				rng := newRand(t)
				p := newPair(t, index.Config{Dim: 40, Metric: m}, Options{ScanBelow: 200})
				all := indextest.Vectors(rng, 2000, 40)
				for i := range 3 {
					for j := range all[at+i] {
						all[at+i][j] *= 1e7
					}
				}
				p.insert(t, itemsOf(0, all[:1000])...)
				p.insert(t, itemsOf(1000, all[1000:])...)
				allow := core.NewSet()
				for i := range all {
					if i < at || i > at+2 {
						allow.Add(core.Ord(i))
					}
				}
				atLeast(t, "the outliers", p.recall(t, all[at:at+3], index.Options{K: 1}), 1)
				atLeast(t, "the others", p.recall(t, all[300:400], index.Options{K: 10, Allow: allow}), 0.9)
				atLeast(t, "all", p.recall(t, all[300:400], index.Options{K: 10}), 0.9)
				p.clean(t)
			})
		}
	}
}

func TestLongListsAreTheNearest(t *testing.T) {
	rng := newRand(t)
	var long, short top
	long.reset(bulk)
	short.reset(bulk)
	for range 5000 {
		k := makeKey(float32(rng.IntN(900)), uint32(rng.IntN(3)))
		long.gather(k)
		short.insert(k)
	}
	long.settle()
	if !slices.Equal(long.keys, short.keys) {
		t.Errorf("%d gathered keys differ from %d inserted", len(long.keys), len(short.keys))
	}
}
