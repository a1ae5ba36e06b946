package bench

import (
	"math"
	"slices"
	"time"
)

// latency holds percentiles of single queries, in microseconds.
type latency struct{ p50, p95, p99, max float64 }

// percentiles returns the percentiles of times (the nearest rank). It sorts
// times.
func percentiles(times []time.Duration) latency {
	slices.Sort(times)
	at := func(p float64) float64 {
		if len(times) == 0 {
			return 0
		}
		i := int(math.Ceil(p*float64(len(times)))) - 1
		return float64(times[max(0, i)].Nanoseconds()) / 1000
	}
	return latency{at(0.50), at(0.95), at(0.99), at(1)}
}

// medians returns the median of each percentile.
func medians(rounds []latency) latency {
	of := func(get func(latency) float64) float64 {
		var all []float64
		for _, l := range rounds {
			all = append(all, get(l))
		}
		return median(all)
	}
	return latency{
		of(func(l latency) float64 { return l.p50 }), of(func(l latency) float64 { return l.p95 }),
		of(func(l latency) float64 { return l.p99 }), of(func(l latency) float64 { return l.max }),
	}
}

// median returns the middle of some numbers, the mean of the two in the middle
// of an even count, 0 of none.
func median(of []float64) float64 {
	if len(of) == 0 {
		return 0
	}
	sorted := slices.Sorted(slices.Values(of))
	return (sorted[len(of)/2] + sorted[(len(of)-1)/2]) / 2
}

// per returns a rate, 0 where the time is not known.
func per(n int, d time.Duration) float64 {
	if d <= 0 {
		return 0
	}
	return float64(n) / d.Seconds()
}
