//go:build cgo && !noort && !purego

package ort_test

import (
	"fmt"
	"math/rand/v2"
	"runtime"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"github.com/vecdb/vecdb/embedder"
	"github.com/vecdb/vecdb/embedder/embedtest"
)

// mixed returns n texts of 5 to 250 words, most of them short; no two are
// equal.
func mixed(rng *rand.Rand, n int) []string {
	words := strings.Fields("the city council met on friday to discuss plans for a new railway station and its cost")
	out := make([]string, n)
	for i := range out {
		length := 5 + int(245*rng.Float64()*rng.Float64()*rng.Float64())
		var b strings.Builder
		for range length {
			b.WriteString(words[rng.IntN(len(words))])
			b.WriteByte(' ')
		}
		out[i] = b.String() + fmt.Sprint(i)
	}
	return out
}

func BenchmarkMixedLengths(b *testing.B) {
	e := open(b, "all-MiniLM-L6-v2", embedder.Int8, runtime.GOMAXPROCS(0))
	texts := mixed(rand.New(rand.NewPCG(1, 2)), 1024)
	for _, clients := range []int{1, 16} {
		b.Run(fmt.Sprintf("%d clients", clients), func(b *testing.B) {
			before := cpuTime(b)
			for b.Loop() {
				var wg sync.WaitGroup
				for c := range clients {
					wg.Go(func() {
						// One client brings all at once, many bring four at a time.
						mine := texts[c*len(texts)/clients : (c+1)*len(texts)/clients]
						size := len(mine)
						if clients > 1 {
							size = 4
						}
						for part := range slices.Chunk(mine, size) {
							if _, err := e.Embed(b.Context(), embedder.Passage, part); err != nil {
								b.Error(err)
							}
						}
					})
				}
				wg.Wait()
			}
			b.ReportMetric(float64(b.N*len(texts))/b.Elapsed().Seconds(), "texts/s")
			b.ReportMetric(float64(b.N*len(texts))/(cpuTime(b)-before).Seconds(), "texts/cpu-s")
		})
	}
}

// cpuTime returns what the process has used.
func cpuTime(b *testing.B) time.Duration {
	b.Helper()
	var u unix.Rusage
	if err := unix.Getrusage(unix.RUSAGE_SELF, &u); err != nil {
		b.Fatal(err)
	}
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}

// BenchmarkQuery measures queries that come one after the other.
func BenchmarkQuery(b *testing.B) {
	e := open(b, "all-MiniLM-L6-v2", embedder.Int8, runtime.GOMAXPROCS(0))
	embedtest.BenchmarkQuery(b, e, mixed(rand.New(rand.NewPCG(3, 4)), 1024), 0)
}
