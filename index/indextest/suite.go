// Package indextest holds the suite that every index passes: what it may and
// may not do with good and bad input, deletes, filters and concurrent use, and
// its recall against a truth computed in 64 bits. A test of an implementation
// is one call of Run.
package indextest

import (
	"os"
	"strconv"
	"testing"

	"github.com/vecdb/vecdb/index"
)

// Suite says what is tested.
type Suite struct {
	// New makes an empty index.
	New func(index.Config) (index.Index, error)
	// Recall is the least recall@10 that the index must reach on 2,000
	// clustered vectors, from 0 to 1. At 1 the answers must be exact and
	// complete, and the same at every run.
	Recall float64
	// Tolerance is how far a score may be from the true one, as a share of
	// 1+|q||v|; 0 asks for 32-bit accuracy. Indexes that keep rounded vectors
	// set it.
	Tolerance float64
	// Seed is the seed of the random vectors; 0 is the value of the
	// environment variable VECDB_TEST_SEED and, without that, a fixed one.
	Seed uint64
}

// defaultSeed is used when neither the suite nor the environment names one.
const defaultSeed = 20_240_817

// Run runs the suite as subtests of t and logs the seed and the recalls.
func Run(t *testing.T, s Suite) {
	t.Helper()
	if s.Seed == 0 {
		s.Seed = seed(t)
	}
	t.Logf("seed %d", s.Seed)
	for _, c := range []struct {
		name string
		test func(*testing.T, Suite)
	}{
		{"recall", testRecall},
		{"filters", testFilters},
		{"equal scores", testTies},
		{"small and empty", testSmall},
		{"scores", testScores},
		{"deletes", testDeletes},
		{"churn", testChurn},
		{"replace", testReplace},
		{"concurrent use", testConcurrent},
		{"bad input", testBadInput},
		{"extreme input", testExtremes},
		{"input is left alone", testInputKept},
		{"cancelled context", testCancel},
	} {
		t.Run(c.name, func(t *testing.T) { c.test(t, s) })
	}
	if s.exact() {
		t.Run("same answers again", func(t *testing.T) { testSame(t, s) })
	}
}

func seed(t *testing.T) uint64 {
	t.Helper()
	text := os.Getenv("VECDB_TEST_SEED")
	if text == "" {
		return defaultSeed
	}
	n, err := strconv.ParseUint(text, 10, 64)
	if err != nil {
		t.Fatalf("VECDB_TEST_SEED: %v", err)
	}
	return n
}

func (s Suite) exact() bool { return s.Recall == 1 }
