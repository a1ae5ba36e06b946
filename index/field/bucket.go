package field

import (
	"slices"

	"github.com/vecdb/vecdb/internal/core"
)

// Buckets counts the documents within, nil for all, in the buckets of their
// values of a field. of appends the buckets of a value to a list; it is called
// once for each, with a time.Time for a string that is a time. A document counts
// once in each bucket, however many of its values are there.
func (x *Index) Buckets(field string, within *core.Set, of func(v any, list []int64) []int64) map[int64]int {
	x.mu.RLock()
	defer x.mu.RUnlock()
	counts := make(map[int64]int)
	c := x.fields[field]
	if c == nil || field == hashes {
		return counts
	}
	buckets := make([][]int64, len(c.codes.values))
	var held []int64
	for code, v := range c.codes.values {
		if v == nil {
			continue
		}
		from := len(held)
		held = of(moment(v.key), held)
		buckets[code] = held[from:len(held):len(held)]
	}
	if within == nil && len(c.codes.more) == 0 {
		spread(counts, buckets, c.codes.sizes)
		return counts
	}
	singles := make([]uint32, len(buckets))
	var all []int64
	c.codes.walk(within, func(code uint32) { singles[code]++ }, func(list []uint32) {
		all = all[:0]
		for _, code := range list {
			all = append(all, buckets[code]...)
		}
		slices.Sort(all)
		for _, b := range slices.Compact(all) {
			counts[b]++
		}
	})
	spread(counts, buckets, singles)
	return counts
}

// spread adds the numbers of documents of all values to their buckets.
func spread(counts map[int64]int, buckets [][]int64, sizes []uint32) {
	for code, n := range sizes {
		if n > 0 {
			for _, b := range buckets[code] {
				counts[b] += int(n)
			}
		}
	}
}

// moment returns the value of k, the moment of a text that is a time.
func moment(k key) any {
	if k.kind == isText {
		if t, ok := core.ParseTime(k.text); ok {
			return t.UTC()
		}
	}
	return k.plain()
}
