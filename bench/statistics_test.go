package bench_test

import (
	"math"
	"testing"
	"time"

	"github.com/vecdb/vecdb/bench"
)

func TestPercentilesAreNearestRanks(t *testing.T) {
	var times []time.Duration
	for i := 200; i > 0; i-- {
		times = append(times, time.Duration(i)*time.Microsecond)
	}
	if got := bench.Percentiles(times); got != [4]float64{100, 190, 198, 200} {
		t.Errorf("percentiles of 1 to 200 µs: %v", got)
	}
	if got := bench.Percentiles([]time.Duration{3 * time.Microsecond}); got != [4]float64{3, 3, 3, 3} {
		t.Errorf("percentiles of one time: %v", got)
	}
	if got := bench.Percentiles(nil); got != [4]float64{} {
		t.Errorf("percentiles of nothing: %v", got)
	}
}

func TestMedian(t *testing.T) {
	if a, b, c := bench.Median(9, 1, 2), bench.Median(4, 1, 2, 100), bench.Median(); a != 2 || b != 3 || c != 0 {
		t.Errorf("medians %v, %v, %v", a, b, c)
	}
}

func TestRatesAreReadFromTheCurve(t *testing.T) {
	point := func(recall, qps float64) bench.Point { return bench.Point{Recall: recall, QPS: qps} }
	// The second point is beaten by the third in both.
	points := []bench.Point{point(0.8, 1000), point(0.85, 300), point(0.9, 400), point(1, 100)}
	for recall, want := range map[float64]float64{0.5: 1000, 0.8: 1000, 0.9: 400, 0.95: 200, 1: 100} {
		if got, reached := bench.RateAt(points, recall); !reached || math.Abs(got-want) > 1e-6 {
			t.Errorf("at a recall of %v the rate is %v, want %v", recall, got, want)
		}
	}
	if _, reached := bench.RateAt(points[:3], 0.95); reached {
		t.Error("a recall that was not reached has a rate")
	}
	sums := bench.Summarize([]bench.Point{
		{Index: "a", Mode: bench.ModeSearch, Threads: 1, Recall: 0.96, QPS: 7}, {Index: "a", Mode: bench.ModeMixed, Threads: 1, Recall: 1, QPS: 9},
		{Index: "a", Mode: bench.ModeFiltered, Filter: "random", Selectivity: 0.1, Threads: 1, Recall: 0.5, QPS: 8},
		{Index: "a", Mode: bench.ModeFiltered, Filter: "near", Selectivity: 0.1, Threads: 1, Recall: 0.5, QPS: 8},
		{Index: "a", Mode: bench.ModeSearch, Threads: 2, Recall: 0.99, QPS: 11},
	})
	if len(sums) != 4 || len(sums[0].At) != 2 || sums[0].At[1] != (bench.Rate{Recall: 0.95, QPS: 7}) || len(sums[1].At) != 0 || len(sums[3].At) != 4 {
		t.Errorf("summaries %+v", sums)
	}
}
