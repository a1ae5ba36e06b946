package native_test

import (
	"fmt"
	"runtime"
	"strings"
	"testing"
	"time"

	"github.com/vecdb/vecdb/embedder"
	"github.com/vecdb/vecdb/embedder/embedtest"
)

// BenchmarkQuery measures queries that come 7 ms apart. GOMAXPROCS=3 on two cores
// is how the server runs.
func BenchmarkQuery(b *testing.B) {
	e := encoder(b, "all-MiniLM-L6-v2", embedder.Int8, runtime.NumCPU())
	texts := make([]string, 64)
	for i := range texts {
		texts[i] = strings.Repeat("city council ", 5+i) + fmt.Sprint(i)
	}
	embedtest.BenchmarkQuery(b, e, texts, 7*time.Millisecond)
}
