package tune

import (
	"context"
	"math"
	"testing"

	"github.com/vecdb/vecdb/index"
	"github.com/vecdb/vecdb/internal/core"
)

// clusters is a graph whose searches find a share of the neighbors that follows
// from the breadth that the number of neighbors wants for a recall of .9, as in
// clusters of so many vectors: from nearly as many neighbors on a search goes to
// the end of the cluster.
type clusters struct{ size, vectors int }

func (c clusters) wants(k int) float64 {
	if float64(k) > 0.7*float64(c.size) {
		return float64(k) + 2
	}
	return 8 * math.Sqrt(float64(k))
}

func (c clusters) recall(k, ef int) float64 {
	return 1 - 0.1*math.Pow(c.wants(k)/float64(ef), 1.5)
}

func (c clusters) Len() int { return c.vectors }

func (c clusters) Probes(n int, _ uint64) []Probe {
	out := make([]Probe, n)
	for i := range out {
		out[i] = Probe{Vector: []float32{float32(i)}, Without: core.NoOrd}
	}
	return out
}

func (c clusters) Scan(_ context.Context, _ Probe, k int) ([]index.Neighbor, error) {
	out := make([]index.Neighbor, k)
	for i := range out {
		out[i] = index.Neighbor{Ord: core.Ord(i), Score: 1 / float32(i+1)}
	}
	return out, nil
}

// Ask misses more neighbors of some probes than of others, so that the mean is as
// it should be.
func (c clusters) Ask(ctx context.Context, p Probe, o index.Options) ([]index.Neighbor, error) {
	all, err := c.Scan(ctx, p, o.K)
	even := (p.Vector[0] + 0.5) / mostProbes
	return all[:int(float64(o.K)*max(0, c.recall(o.K, o.Ef))+float64(even))], err
}

func TestBreadthsReachTheRecallForAnyNumberOfNeighbors(t *testing.T) {
	for size, ks := range map[int][]int{1000: {1, 5, 10, 15, 20, 25, 50, 75, 100}, 39: {1, 5, 10, 15, 20, 25, 50, 100}, 25: {1, 10, 20, 50, 100}} {
		c := clusters{size: size, vectors: 1500}
		plan, err := Measure(t.Context(), c, Options{})
		if err != nil {
			t.Fatal(err)
		}
		for _, k := range ks {
			for _, want := range []float64{0.9, 0.95, 0.99} {
				ef := plan.Ef(want, k, c.vectors)
				if got := c.recall(k, ef); got < want-0.001 {
					t.Errorf("clusters of %d: %.4f of %d neighbors at breadth %d, want %g", size, got, k, ef, want)
				}
			}
		}
	}
}

// A plan of fewer vectors, whose clusters were smaller, fits the more that lie
// together now.
func TestBreadthsOfFewerVectorsReachTheRecall(t *testing.T) {
	for _, size := range []int{25, 60} {
		before, now := clusters{size, 1500}, clusters{size + size/3, 2000}
		plan, err := Measure(t.Context(), before, Options{})
		if err != nil {
			t.Fatal(err)
		}
		for _, k := range []int{1, 10, 15, 20, 50} {
			ef := plan.Ef(0.9, k, now.vectors)
			if got := now.recall(k, ef); got < 0.9-0.001 {
				t.Errorf("clusters of %d: %.4f of %d neighbors at breadth %d, want .9", now.size, got, k, ef)
			}
		}
	}
}

// tallied counts searches.
type tallied struct {
	clusters
	asked map[int]int // by breadth
}

func (c tallied) Ask(ctx context.Context, p Probe, o index.Options) ([]index.Neighbor, error) {
	c.asked[o.Ef]++
	return c.Scan(ctx, p, o.K)
}

// So few samples leave a doubt, whatever they find, and more breadths cannot lift it.
func TestLargerBreadthsThanOneThatFindsAllAreNotTried(t *testing.T) {
	c := tallied{clusters{1000, 1500}, make(map[int]int)}
	plan, err := Measure(t.Context(), c, Options{Few: true})
	if err != nil {
		t.Fatal(err)
	}
	for _, ef := range []int{firstEf, 20, 50, 100} {
		delete(c.asked, ef)
	}
	if len(c.asked) > 0 {
		t.Errorf("searches by breadth, for what smaller ones have found: %v", c.asked)
	}
	one := plan.Curves[0]
	if !one.flat() || one.Points[0].Low >= enough {
		t.Errorf("the curve of one neighbor does not end because it is flat: %+v", one)
	}
	if ef := plan.Ef(0.999, 1, c.vectors); ef != one.Points[len(one.Points)-1].Ef {
		t.Errorf("a recall that cannot be told gets breadth %d of the curve %+v", ef, one)
	}
}
