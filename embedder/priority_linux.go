package embedder

import (
	"runtime"

	"golang.org/x/sys/unix"
)

// niceness is how far the threads of passages step back: beside a thread of
// the usual priority they get a quarter of a core.
const niceness = 5

// giveWay lowers the priority of the calling goroutine's thread, which stays
// its own and ends with it.
func giveWay() {
	runtime.LockOSThread()
	// Where the system refuses, all go on as equals.
	_ = unix.Setpriority(unix.PRIO_PROCESS, unix.Gettid(), niceness)
}
