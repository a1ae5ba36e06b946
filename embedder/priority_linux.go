package embedder

import (
	"runtime"

	"golang.org/x/sys/unix"
)

// niceness is how far the threads of passages step back: beside a thread of
// the process's own priority they get a quarter of a core.
const niceness = 5

// giveWay lowers the priority of the calling goroutine's thread, which stays
// its own and ends with it.
func giveWay() {
	runtime.LockOSThread()
	// Where the system refuses, all go on as equals.
	raw, err := unix.Getpriority(unix.PRIO_PROCESS, unix.Gettid())
	if own := 20 - raw; err == nil { // The system call cannot return what is below 0.
		_ = unix.Setpriority(unix.PRIO_PROCESS, unix.Gettid(), min(own+niceness, 19))
	}
}
