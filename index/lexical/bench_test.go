package lexical

import (
	"bufio"
	"context"
	"math/rand/v2"
	"os"
	"runtime"
	"slices"
	"testing"
	"time"

	"github.com/vecdb/vecdb/index"
	"github.com/vecdb/vecdb/internal/core"
)

// lines reads the texts of the benchmark, one a line, from the file that
// VECDB_BENCH_TEXTS names.
func lines(b *testing.B) (out []string) {
	b.Helper()
	path := os.Getenv("VECDB_BENCH_TEXTS")
	if path == "" {
		b.Skip("VECDB_BENCH_TEXTS names no file of texts, one a line")
	}
	f, err := os.Open(path)
	if err != nil {
		b.Fatal(err)
	}
	defer f.Close()
	s := bufio.NewScanner(f)
	s.Buffer(nil, 1<<24)
	for s.Scan() {
		out = append(out, s.Text())
	}
	if s.Err() != nil {
		b.Fatal(s.Err())
	}
	return out
}

// fill makes an index of all texts but every hundredth, which become queries.
func fill(b *testing.B, texts []string) (x *Index, queries []string) {
	b.Helper()
	x = New()
	var items []Item
	for i, text := range texts {
		if i%100 == 0 {
			queries = append(queries, text)
			continue
		}
		if items = append(items, Item{Ord: core.Ord(i), Text: text}); len(items) == 1024 {
			if err := x.Insert(context.Background(), items); err != nil {
				b.Fatal(err)
			}
			items = items[:0]
		}
	}
	return x, queries
}

func BenchmarkInsert(b *testing.B) {
	texts := lines(b)
	for range b.N {
		start := time.Now()
		x, _ := fill(b, texts)
		b.ReportMetric(float64(x.Len())/time.Since(start).Seconds(), "docs/s")
		b.ReportMetric(float64(x.SizeBytes())/float64(x.Len()), "bytes/doc")
		b.ReportMetric(float64(len(x.dict)), "terms")
		runtime.GC()
		var m runtime.MemStats
		runtime.ReadMemStats(&m)
		b.ReportMetric(float64(m.HeapAlloc)/float64(x.Len()), "heap/doc")
		runtime.KeepAlive(x)
	}
}

func BenchmarkSearch(b *testing.B) {
	x, queries := fill(b, lines(b))
	rng := rand.New(rand.NewPCG(1, 1))
	for _, share := range []float64{0, 1, 0.1, 0.01, 0.001} {
		o := index.Options{K: 10}
		name := "all"
		if share > 0 {
			name = "filter-" + map[float64]string{1: "100%", 0.1: "10%", 0.01: "1%", 0.001: "0.1%"}[share]
			o.Allow = core.NewSet()
			for ord := range core.Ord(len(queries) * 100) {
				if rng.Float64() < share {
					o.Allow.Add(ord)
				}
			}
		}
		b.Run(name, func(b *testing.B) {
			var took []time.Duration
			for i := range b.N {
				start := time.Now()
				if _, err := x.Prepare(queries[i%len(queries)]).Search(context.Background(), o); err != nil {
					b.Fatal(err)
				}
				took = append(took, time.Since(start))
			}
			slices.Sort(took)
			b.ReportMetric(float64(took[len(took)/2].Microseconds()), "p50-µs")
			b.ReportMetric(float64(took[len(took)*95/100].Microseconds()), "p95-µs")
		})
	}
}
