package tune

import (
	"fmt"
	"math"
	"slices"
)

// Plan is what Measure has found.
type Plan struct {
	Vectors int     `json:"vectors"` // in the index when it was measured
	Stored  int     `json:"stored"`  // stored vectors that were asked for
	Asked   int     `json:"asked"`   // real queries that were
	Curves  []Curve `json:"curves"`  // by rising K
}

// Curve tells the recall of searches for K neighbors by their breadth.
type Curve struct {
	K      int     `json:"k"`
	Points []Point `json:"points"` // by rising Ef
}

// Point is a breadth with the recall that was measured.
type Point struct {
	Ef     int     `json:"ef"`
	Recall float64 `json:"recall"`
	Low    float64 `json:"low"` // what the recall is above with some certainty
}

// Check returns an error unless the numbers of p, which may come from a file,
// can be worked with.
func (p *Plan) Check() error {
	if p.Vectors < 1 || len(p.Curves) == 0 {
		return fmt.Errorf("a plan of %d vectors with %d curves", p.Vectors, len(p.Curves))
	}
	k := 0
	for _, c := range p.Curves {
		if c.K <= k || len(c.Points) == 0 {
			return fmt.Errorf("a curve for %d neighbors with %d points", c.K, len(c.Points))
		}
		k = c.K
		ef := 0
		for _, at := range c.Points {
			if at.Ef <= ef || at.Ef > maxEf || !(at.Low >= 0 && at.Low <= 1) || !(at.Recall >= 0 && at.Recall <= 1) {
				return fmt.Errorf("a point at breadth %d with recall %v, at least %v", at.Ef, at.Recall, at.Low)
			}
			ef = at.Ef
		}
	}
	return nil
}

// Preset returns a plan to use as long as nothing was measured. It asks for
// about twice what sentence vectors of 384 numbers need.
func Preset() *Plan {
	curve := func(k int, efs ...int) Curve {
		c := Curve{K: k}
		for i, r := range []float64{0.8, 0.9, 0.95, 0.98, 0.99, 0.995} {
			c.Points = append(c.Points, Point{efs[i], r, r})
		}
		return c
	}
	return &Plan{Vectors: 100_000, Curves: []Curve{
		curve(1, 32, 64, 100, 200, 320, 500),
		curve(10, 40, 80, 128, 256, 400, 640),
		curve(100, 150, 220, 320, 520, 800, 1200),
	}}
}

// growth is the power of the number of vectors that the breadth is taken to
// grow with until it is measured again. In texts it is about 0.3; in clusters
// far from each other, which grow with the whole, up to 1.
const growth = 0.6

// leastRise is the power of the number of neighbors with which the breadth rises at
// least between two numbers that were measured. It may fall from one to the other,
// as a search for more neighbors than lie together goes far in any case; then
// nobody knows from how many on. Once there are more vectors, more may lie together,
// so that it is taken to rise up to the second of them, too.
const leastRise = 0.2

// maxEf is the greatest breadth that a plan asks for.
const maxEf = 1 << 14

// Ef returns the breadth at which a search for k neighbors among so many
// vectors finds the wanted share of them, 0 < recall < 1.
func (p *Plan) Ef(recall float64, k, vectors int) int {
	at := slices.IndexFunc(p.Curves, func(c Curve) bool { return c.K >= k })
	var ef float64
	switch {
	case at < 0: // more than were measured
		last := p.Curves[len(p.Curves)-1]
		ef = last.ef(recall) * float64(k) / float64(last.K)
	case at == 0:
		ef = p.Curves[0].ef(recall)
	default:
		a, b := p.Curves[at-1], p.Curves[at]
		share := math.Log(float64(k)/float64(a.K)) / math.Log(float64(b.K)/float64(a.K))
		// The breadths of few neighbors rise faster than those of many.
		ef = between(a.ef(recall), b.ef(recall), math.Pow(share, 0.8))
		if k < b.K || vectors > p.Vectors {
			ef = max(ef, a.ef(recall)*math.Pow(float64(k)/float64(a.K), leastRise))
		}
	}
	if vectors > p.Vectors {
		ef *= math.Pow(float64(vectors)/float64(p.Vectors), growth)
	}
	return int(math.Ceil(min(maxEf, max(ef, float64(k)))))
}

// ef returns the breadth that reaches the recall on a curve.
func (c Curve) ef(recall float64) float64 {
	at := slices.IndexFunc(c.Points, func(p Point) bool { return p.Low >= recall })
	switch {
	case at < 0:
		last := c.Points[len(c.Points)-1]
		if c.flat() {
			return float64(last.Ef)
		}
		// What is missed shrinks at least as the breadth grows.
		return float64(last.Ef) * min(4, (1-last.Low)/(1-recall))
	case at == 0:
		return float64(c.Points[0].Ef)
	}
	a, b := c.Points[at-1], c.Points[at]
	return between(float64(a.Ef), float64(b.Ef), (recall-a.Low)/(b.Low-a.Low))
}

// between is the number at a share of the way from a to b, by their ratio.
func between(a, b, share float64) float64 { return a * math.Pow(b/a, share) }

// Expected returns the recall that a search of breadth ef for k neighbors had
// in the measurement, by the nearest numbers that were measured.
func (p *Plan) Expected(k, ef int) float64 {
	at := slices.IndexFunc(p.Curves, func(c Curve) bool { return c.K >= k })
	if at < 0 {
		at = len(p.Curves) - 1
	}
	points := p.Curves[at].Points
	next := slices.IndexFunc(points, func(q Point) bool { return q.Ef >= ef })
	switch {
	case next < 0:
		return points[len(points)-1].Recall
	case next == 0:
		return points[0].Recall
	}
	a, b := points[next-1], points[next]
	share := math.Log(float64(ef)/float64(a.Ef)) / math.Log(float64(b.Ef)/float64(a.Ef))
	return a.Recall + share*(b.Recall-a.Recall)
}

// Due reports whether an index of so many vectors, which has queries that were
// asked of it, is to be measured again: it has grown by half, has lost half, or
// so many of its vectors have changed since, or real queries have come.
func (p *Plan) Due(vectors int, changes int64, asked int) bool {
	return vectors >= p.Vectors+p.Vectors/2 || vectors <= p.Vectors/2 || changes >= int64(p.Vectors) ||
		p.Asked == 0 && asked >= 2*AskedFrom
}
