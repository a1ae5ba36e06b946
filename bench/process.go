package bench

import (
	"os"
	"runtime"
	"runtime/debug"
	"strconv"
	"strings"
)

// memory is what the process holds.
type memory struct {
	rss  int64 // 0 where the system does not tell
	heap int64 // live in the Go heap
}

// settled returns the memory that is held after all garbage has gone back to
// the system.
func settled() memory {
	runtime.GC() // a second one below also frees what finalizers and pools held
	debug.FreeOSMemory()
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return memory{rss: statusBytes("VmRSS:"), heap: int64(m.HeapAlloc)}
}

// peakRSS returns the most memory that the process has held, in bytes, 0 where
// the system does not tell.
func peakRSS() int64 { return statusBytes("VmHWM:") }

// statusBytes returns a size that Linux tells about the process.
func statusBytes(field string) int64 {
	status, err := os.ReadFile("/proc/self/status")
	if err != nil {
		return 0
	}
	for line := range strings.Lines(string(status)) {
		if rest, found := strings.CutPrefix(line, field); found {
			kib, err := strconv.ParseInt(strings.TrimSpace(strings.TrimSuffix(strings.TrimSpace(rest), "kB")), 10, 64)
			if err != nil {
				return 0
			}
			return kib << 10
		}
	}
	return 0
}

// loadAverage returns how many threads of the machine have wanted to run in
// the last minute, 0 where the system does not tell.
func loadAverage() float64 {
	text, err := os.ReadFile("/proc/loadavg")
	if err != nil {
		return 0
	}
	first, _, _ := strings.Cut(string(text), " ")
	load, err := strconv.ParseFloat(first, 64)
	if err != nil {
		return 0
	}
	return load
}
