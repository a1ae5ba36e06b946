//go:build unix

package hnsw

import (
	"fmt"
	"os"
	"os/exec"
	"testing"

	"github.com/vecdb/vecdb/index"
	"github.com/vecdb/vecdb/index/indextest"
)

// TestFewAddresses runs itself again in a process that may have few addresses,
// and makes several indexes there.
func TestFewAddresses(t *testing.T) {
	const inside = "VECDB_TEST_FEW_ADDRESSES"
	if os.Getenv(inside) == "" {
		if raceEnabled {
			t.Skip("the race detector needs more addresses than that")
		}
		for _, limit := range []int{1_000_000, 4_000_000} {
			cmd := exec.Command("sh", "-c", fmt.Sprintf(`ulimit -v %d && exec "$0" -test.run '^TestFewAddresses$'`, limit), os.Args[0])
			cmd.Env = append(os.Environ(), inside+"=1")
			if out, err := cmd.CombinedOutput(); err != nil {
				t.Errorf("with %d kB of addresses: %v\n%s", limit, err, out)
			}
		}
		return
	}
	for range 3 {
		p := newPair(t, index.Config{Dim: 128}, Options{ScanBelow: -1, EfConstruction: 32})
		all := indextest.Vectors(newRand(t), 1000, 128)
		p.insert(t, itemsOf(0, all)...)
		atLeast(t, "with few addresses", p.recall(t, all[:50], index.Options{K: 10}), 0.9)
		p.clean(t)
	}
}

func TestArenaOpensWholeHugePages(t *testing.T) {
	a, err := newArena(1<<30, 1<<20)
	if err != nil {
		t.Fatal(err)
	}
	defer a.close()
	for n := 1000; n < a.cap()/2; n += n / 3 {
		if err := a.use(n); err != nil {
			t.Fatal(err)
		}
		a.mem[n-1] = 1
		if end := uintptr(a.base()) + uintptr(a.open); a.open < n || n >= hugeFrom && end%hugePage != 0 {
			t.Errorf("for %d bytes those up to %#x are open, which is %d more", n, end, a.open-n)
		}
	}
}
