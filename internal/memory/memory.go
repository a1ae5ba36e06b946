// Package memory tells how much memory this process can still take: what the
// machine has left, and what the container that it runs in may have.
package memory

import (
	"errors"
	"os"
	"path/filepath"
	"strconv"
	"strings"
)

// ErrUnknown is returned where the system does not tell.
var ErrUnknown = errors.New("the system does not tell how much memory is available")

// Available returns the bytes of memory that can be taken before the machine
// swaps or the container is over its limit. Memory that holds copies of files
// only counts as free. The error is ErrUnknown where there is no /proc.
func Available() (int64, error) { return available("/") }

// available does the same for the system files below root.
func available(root string) (int64, error) {
	least, err := machine(root)
	if err != nil {
		return 0, err
	}
	for _, left := range groups(root) {
		least = min(least, max(0, left))
	}
	return least, nil
}

// machine is what the machine has left.
func machine(root string) (int64, error) {
	n, ok := field(filepath.Join(root, "proc/meminfo"), "MemAvailable:")
	if !ok {
		return 0, ErrUnknown
	}
	return n << 10, nil
}

// groups is what the control groups that hold the process have left: those of
// version 2 and of version 1 at the place that the process sees them, and all
// above it, whose limits hold too.
func groups(root string) (left []int64) {
	data, err := os.ReadFile(filepath.Join(root, "proc/self/cgroup"))
	if err != nil {
		return nil
	}
	for line := range strings.Lines(string(data)) {
		parts := strings.SplitN(strings.TrimSpace(line), ":", 3)
		if len(parts) != 3 {
			continue
		}
		switch {
		case parts[1] == "":
			left = append(left, upwards(root, "sys/fs/cgroup", parts[2], "memory.max", "memory.current", "inactive_file")...)
		case strings.Contains(","+parts[1]+",", ",memory,"):
			left = append(left, upwards(root, "sys/fs/cgroup/memory", parts[2], "memory.limit_in_bytes", "memory.usage_in_bytes", "total_inactive_file")...)
		}
	}
	return left
}

// upwards looks at a group and those above it. A process in a container is told
// a path that is not there; then the mount's root is its own group.
func upwards(root, mount, path, limit, usage, files string) (left []int64) {
	for at := filepath.Clean("/" + path); ; at = filepath.Dir(at) {
		dir := filepath.Join(root, mount, at)
		most, limited := number(filepath.Join(dir, limit))
		used, known := number(filepath.Join(dir, usage))
		if limited && known {
			cached, _ := field(filepath.Join(dir, "memory.stat"), files)
			left = append(left, most-(used-min(used, cached)))
		}
		if at == "/" {
			return left
		}
	}
}

// number reads a file of one number; "max" is none.
func number(path string) (int64, bool) {
	data, err := os.ReadFile(path)
	if err != nil {
		return 0, false
	}
	n, err := strconv.ParseInt(strings.TrimSpace(string(data)), 10, 64)
	return n, err == nil
}

// field reads the number behind a name at the beginning of a line.
func field(path, name string) (int64, bool) {
	data, err := os.ReadFile(path)
	if err != nil {
		return 0, false
	}
	for line := range strings.Lines(string(data)) {
		words := strings.Fields(line)
		if len(words) >= 2 && words[0] == name {
			n, err := strconv.ParseInt(words[1], 10, 64)
			return n, err == nil
		}
	}
	return 0, false
}
