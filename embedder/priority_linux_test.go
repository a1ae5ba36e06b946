package embedder

import (
	"runtime"
	"testing"

	"golang.org/x/sys/unix"
)

func TestThreadsOfPassagesStepBackFromWhereTheyAre(t *testing.T) {
	done := make(chan struct{})
	var before, after int
	go func() {
		defer close(done)
		runtime.LockOSThread() // The thread ends with the goroutine.
		nice := func() int {
			raw, err := unix.Getpriority(unix.PRIO_PROCESS, unix.Gettid())
			if err != nil {
				t.Error(err)
			}
			return 20 - raw
		}
		if err := unix.Setpriority(unix.PRIO_PROCESS, unix.Gettid(), min(nice()+3, 19)); err != nil {
			t.Error(err)
		}
		before = nice()
		giveWay()
		after = nice()
	}()
	<-done
	if want := min(before+niceness, 19); after != want {
		t.Errorf("a thread of nice %d went to %d, want %d", before, after, want)
	}
}
