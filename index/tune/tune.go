// Package tune finds how broad a graph search must be to reach a recall. It
// searches a graph for sample queries with one breadth after the other and
// compares the answers with the true ones; what came out is a Plan, which turns
// a wanted recall into a breadth.
//
// The samples are stored vectors, each asked for as if it were not stored, and
// queries that were really asked. As these may lie elsewhere than the stored
// vectors, the worse of the two counts.
package tune

import (
	"context"
	"math"
	"slices"
	"time"

	"github.com/vecdb/vecdb/index"
	"github.com/vecdb/vecdb/internal/core"
)

// Probe is a sample query.
type Probe struct {
	Vector []float32
	// Without is the ordinal that the vector is stored under, which is not
	// looked at; core.NoOrd when there is none.
	Without core.Ord
}

// Graph is what is measured.
type Graph interface {
	// Probes returns up to n of the stored vectors, chosen by seed.
	Probes(n int, seed uint64) []Probe
	// Ask searches like index.Index.Search, but as if the probe's own vector,
	// and others equal to it, were not there.
	Ask(ctx context.Context, p Probe, o index.Options) ([]index.Neighbor, error)
	// Scan compares the probe with every vector but its own and returns at
	// least the k nearest, best first, by the numbers that the index keeps.
	Scan(ctx context.Context, p Probe, k int) ([]index.Neighbor, error)
	// Len returns the number of vectors present.
	Len() int
}

// Options of Measure. The zero value is ready to use.
type Options struct {
	// Asked are queries that were asked of late.
	Asked [][]float32
	// Metric compares vectors; "" is index.Cosine.
	Metric index.Metric
	// Vectors returns the vectors under ordinals as they were given, nil for
	// those that are gone. The truth is by them; without the function it is by
	// what the index keeps, which passes over what rounding costs.
	Vectors func(ords []core.Ord) ([][]float32, error)
	// Rest is called after pieces of work of a few milliseconds with the time
	// that one took, for instance to leave the processor to others; it may be
	// nil. An error ends the measurement.
	Rest func(ctx context.Context, worked time.Duration) error
	// Few takes the fewest samples, for when there is no time for more.
	Few bool
	// Seed picks the samples.
	Seed uint64
}

const (
	mostProbes  = 256         // of a kind
	leastProbes = 64          // of a kind
	scanBudget  = 200_000_000 // comparisons for the truth of a kind, as far as leastProbes allow

	// AskedFrom is how many queries must have been asked for them to count.
	AskedFrom = 32

	firstEf  = 10
	lastEf   = 2048
	enough   = 0.995 // a curve ends where it is sure to be above
	oneSided = 1.28  // standard errors below the mean that 9 of 10 means are above
)

// Measure measures g. It takes a second or so of processor time for 200,000
// vectors.
func Measure(ctx context.Context, g Graph, o Options) (*Plan, error) {
	if o.Rest == nil {
		o.Rest = func(ctx context.Context, _ time.Duration) error { return ctx.Err() }
	}
	n := g.Len()
	m := measurement{graph: g, o: o}
	size := min(mostProbes, max(leastProbes, scanBudget/max(1, n)))
	if o.Few {
		size = leastProbes
	}
	stored, err := m.cases(ctx, g.Probes(size, o.Seed))
	if err != nil || len(stored) == 0 {
		return nil, err
	}
	samples := [][]*question{stored}
	if len(o.Asked) >= AskedFrom {
		var probes []Probe
		for _, q := range o.Asked[:min(size, len(o.Asked))] {
			probes = append(probes, Probe{q, core.NoOrd})
		}
		asked, err := m.cases(ctx, probes)
		if err != nil {
			return nil, err
		}
		samples = append(samples, asked)
	}
	p := &Plan{Vectors: n, Stored: len(stored)}
	if len(samples) > 1 {
		p.Asked = len(samples[1])
	}
	for _, k := range classes() {
		if c, err := m.curve(ctx, samples, k); err != nil {
			return nil, err
		} else if len(c.Points) > 0 {
			p.Curves = append(p.Curves, c)
		}
	}
	return p, nil
}

// classes are the numbers of neighbors that are measured: those that are asked for
// most, as what lies between is guessed.
func classes() []int { return []int{1, 10, 20, 50, 100} }

// measurement is a graph on its way to a plan.
type measurement struct {
	graph Graph
	o     Options
}

// question is a probe with its true neighbors.
type question struct {
	Probe
	truth  []float32            // true scores, best first
	scores map[core.Ord]float32 // those that are known
}

// cases finds the truth of probes.
func (m *measurement) cases(ctx context.Context, probes []Probe) ([]*question, error) {
	most := slices.Max(classes())
	var out []*question
	for _, p := range probes {
		begin := time.Now()
		near, err := m.graph.Scan(ctx, p, most)
		if err != nil {
			return nil, err
		}
		q := &question{Probe: p, scores: make(map[core.Ord]float32, len(near))}
		if err := m.learn(q, near); err != nil {
			return nil, err
		}
		for _, s := range q.scores {
			q.truth = append(q.truth, s)
		}
		slices.SortFunc(q.truth, func(a, b float32) int { return compare(b, a) })
		q.truth = q.truth[:min(most, len(q.truth))]
		out = append(out, q)
		if err := m.o.Rest(ctx, time.Since(begin)); err != nil {
			return nil, err
		}
	}
	return out, nil
}

func compare(a, b float32) int {
	switch {
	case a < b:
		return -1
	case a > b:
		return 1
	}
	return 0
}

// learn adds the true scores of neighbors to those that are known.
func (m *measurement) learn(q *question, list []index.Neighbor) error {
	if m.o.Vectors == nil {
		for _, n := range list {
			q.scores[n.Ord] = n.Score
		}
		return nil
	}
	ords := make([]core.Ord, len(list))
	for i, n := range list {
		ords[i] = n.Ord
	}
	vectors, err := m.o.Vectors(ords)
	if err != nil {
		return err
	}
	for i, v := range vectors {
		if v != nil {
			q.scores[ords[i]] = m.o.Metric.Score(q.Vector, v)
		}
	}
	return nil
}

// curve measures rising breadths for k neighbors.
func (m *measurement) curve(ctx context.Context, samples [][]*question, k int) (Curve, error) {
	c := Curve{K: k}
	for ef := float64(max(firstEf, k)); ef < 1.01*lastEf; ef *= math.Sqrt2 {
		p := Point{Ef: int(math.Round(ef))}
		if last := len(c.Points) - 1; last >= 0 && c.Points[last].Recall == 1 {
			// What has found all finds all with a larger breadth too.
			p.Recall, p.Low = 1, c.Points[last].Low
		} else if err := m.point(ctx, samples, k, &p); err != nil {
			return c, err
		}
		c.Points = append(c.Points, p)
		if p.Low >= enough || c.flat() {
			break
		}
	}
	return c, nil
}

// point measures the recall of a breadth, the least of all samples.
func (m *measurement) point(ctx context.Context, samples [][]*question, k int, p *Point) error {
	p.Recall, p.Low = 1, 1
	for _, questions := range samples {
		recalls, err := m.recalls(ctx, questions, k, p.Ef)
		if err != nil {
			return err
		}
		if len(recalls) > 0 {
			mean, low := bound(recalls, k)
			p.Recall, p.Low = min(p.Recall, mean), min(p.Low, low)
		}
	}
	return nil
}

// flat reports whether a breadth of four times as much has gained nothing: what
// is missed then is missed by rounding.
func (c Curve) flat() bool {
	last := len(c.Points) - 1
	return last >= 4 && c.Points[last].Low-c.Points[last-4].Low < 0.001
}

// recalls asks each question for k neighbors.
func (m *measurement) recalls(ctx context.Context, questions []*question, k, ef int) ([]float64, error) {
	var out []float64
	begin := time.Now()
	for _, q := range questions {
		if len(q.truth) < k {
			continue
		}
		found, err := m.graph.Ask(ctx, q.Probe, index.Options{K: k, Ef: ef})
		if err != nil {
			return nil, err
		}
		r, err := m.share(q, found, k)
		if err != nil {
			return nil, err
		}
		out = append(out, r)
		if worked := time.Since(begin); worked > 5*time.Millisecond {
			if err := m.o.Rest(ctx, worked); err != nil {
				return nil, err
			}
			begin = time.Now()
		}
	}
	return out, nil
}

// share is the share of the k nearest that were found. Whatever is as near as
// the last of them counts.
func (m *measurement) share(q *question, found []index.Neighbor, k int) (float64, error) {
	var unknown []index.Neighbor
	for _, n := range found {
		if _, known := q.scores[n.Ord]; !known {
			unknown = append(unknown, n)
		}
	}
	if len(unknown) > 0 {
		if err := m.learn(q, unknown); err != nil {
			return 0, err
		}
	}
	last := q.truth[k-1]
	last -= 1e-6 * float32(math.Abs(float64(last)))
	hits := 0
	for _, n := range found {
		if s, known := q.scores[n.Ord]; known && s >= last {
			hits++
		}
	}
	return float64(min(hits, k)) / float64(k), nil
}

// bound returns the mean of recalls and what it is hardly below.
func bound(recalls []float64, k int) (mean, low float64) {
	n := float64(len(recalls))
	for _, r := range recalls {
		mean += r / n
	}
	sum := 0.0
	for _, r := range recalls {
		sum += (r - mean) * (r - mean)
	}
	low = mean - oneSided*math.Sqrt(sum/n/n)
	return mean, max(0, min(low, 1-1/(n*float64(k))))
}
