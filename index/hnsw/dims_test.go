package hnsw

import (
	"fmt"
	"testing"

	"github.com/vecdb/vecdb/index"
	"github.com/vecdb/vecdb/index/indextest"
)

func TestEveryDimensionAndMetric(t *testing.T) {
	aboutRecall(t)
	const queries = 40
	for _, dim := range []int{2, 3, 5, 7, 17, 100, 383, 384, 768, 1000, 1536, 4096} {
		for _, metric := range []index.Metric{index.Cosine, index.Dot, index.L2} {
			for name, o := range modes() {
				if o.Disk && (dim <= exactUpTo || dim > 1000) {
					continue // as compact, or as smaller ones
				}
				t.Run(fmt.Sprintf("%d %s %s", dim, metric, name), func(t *testing.T) {
					o.ScanBelow, o.EfConstruction = -1, 64
					n := min(800, 800_000/dim)
					vectors := indextest.Vectors(newRand(t), n+queries, dim)
					p := newPair(t, index.Config{Dim: dim, Metric: metric}, o)
					p.insert(t, numbered(0, vectors[:n])...)
					least := 0.97
					if o.Compact {
						least = 0.92
					}
					atLeast(t, "all", p.recall(t, vectors[n:], index.Options{K: 10, Ef: 200}), least)
					p.delete(p.ords()[:n/3]...)
					atLeast(t, "after deletes", p.recall(t, vectors[n:], index.Options{K: 10, Ef: 200}), least)
					p.clean(t)
				})
			}
		}
	}
}
