package bench_test

import (
	"strings"
	"testing"

	"golang.org/x/sys/unix"

	"github.com/vecdb/vecdb/bench"
)

func TestThreadsAreBoundWhileIndexesAreMeasured(t *testing.T) {
	var before, during, after unix.CPUSet
	if err := unix.SchedGetaffinity(0, &before); err != nil {
		t.Fatal(err)
	}
	cpu := 0
	for !before.IsSet(cpu) {
		cpu++
	}
	cfg := bench.Config{Indexes: []string{"flat"}, CPUs: []int{cpu}, Repeat: 1, Seconds: 0.001, Measured: func(bench.Point) error {
		return unix.SchedGetaffinity(0, &during)
	}}
	if _, err := bench.Run(t.Context(), collection(t, 200), cfg); err != nil {
		t.Fatal(err)
	}
	if during.Count() != 1 || !during.IsSet(cpu) {
		t.Errorf("bound to %d processors", during.Count())
	}
	if err := unix.SchedGetaffinity(0, &after); err != nil || after != before {
		t.Errorf("%d processors before, %d afterwards, %v", before.Count(), after.Count(), err)
	}
	cfg.CPUs = []int{1 << 20}
	if _, err := bench.Run(t.Context(), collection(t, 200), cfg); err == nil || !strings.Contains(err.Error(), "1048576") {
		t.Errorf("a processor that is not there gives %v", err)
	}
}
