package bench

import (
	"cmp"
	"math"
	"slices"
)

// SummaryRecalls are the recalls that a summary tells the rates at.
func SummaryRecalls() []float64 { return []float64{0.90, 0.95, 0.98, 0.99, 0.999} }

// Summary tells how many queries a second a back end answers at given recalls.
type Summary struct {
	Index       string  `json:"index"`
	Threads     int     `json:"threads"`
	Mode        string  `json:"mode"`
	Selectivity float64 `json:"selectivity,omitempty"`
	Filter      string  `json:"filter,omitempty"`
	// At holds one rate for each of SummaryRecalls that is reached.
	At []Rate `json:"at"`
}

// Rate is a speed at a recall.
type Rate struct {
	Recall float64 `json:"recall"`
	QPS    float64 `json:"qps"`
}

// Rate returns the rate at one of SummaryRecalls, if it is reached.
func (s Summary) Rate(recall float64) (qps float64, reached bool) {
	for _, r := range s.At {
		if r.Recall == recall {
			return r.QPS, true
		}
	}
	return 0, false
}

// Summarize summarises the points of searches and of filtered searches, one
// summary for each back end, number of threads and filter, in the order of the
// points.
func Summarize(points []Point) []Summary {
	var out []Summary
	curves := make(map[curve][]Point)
	for _, p := range points {
		if p.Mode != ModeSearch && p.Mode != ModeFiltered {
			continue
		}
		c := curveOf(p)
		if curves[c] == nil {
			out = append(out, Summary{Index: p.Index, Threads: p.Threads, Mode: p.Mode, Selectivity: p.Selectivity, Filter: p.Filter})
		}
		curves[c] = append(curves[c], p)
	}
	for i, s := range out {
		front := frontier(curves[curve{s.Index, s.Threads, s.Mode, s.Selectivity, s.Filter}])
		for _, recall := range SummaryRecalls() {
			if qps, reached := rateAt(front, recall); reached {
				out[i].At = append(out[i].At, Rate{recall, qps})
			}
		}
	}
	return out
}

// curve is what points have in common that differ in recall and rate only.
type curve struct {
	index       string
	threads     int
	mode        string
	selectivity float64
	filter      string
}

func curveOf(p Point) curve { return curve{p.Index, p.Threads, p.Mode, p.Selectivity, p.Filter} }

// frontier returns the points that no other one beats in both recall and rate
// (the Pareto front), by rising recall and falling rate.
func frontier(points []Point) (front []Point) {
	sorted := slices.SortedFunc(slices.Values(points), func(a, b Point) int {
		return cmp.Or(cmp.Compare(b.Recall, a.Recall), cmp.Compare(b.QPS, a.QPS))
	})
	for _, p := range sorted {
		if len(front) == 0 || p.QPS > front[len(front)-1].QPS {
			front = append(front, p)
		}
	}
	slices.Reverse(front)
	return front
}

// rateAt interpolates the logarithm of the rate along a front. Where the whole
// front lies above the recall, the rate is that of its first point, which
// fulfils it.
func rateAt(front []Point, recall float64) (qps float64, reached bool) {
	i := slices.IndexFunc(front, func(p Point) bool { return p.Recall >= recall })
	switch {
	case i < 0:
		return 0, false
	case i == 0 || front[i].Recall == recall:
		return front[i].QPS, true
	}
	a, b := front[i-1], front[i]
	share := (recall - a.Recall) / (b.Recall - a.Recall)
	return math.Exp(math.Log(a.QPS) + share*(math.Log(b.QPS)-math.Log(a.QPS))), true
}
