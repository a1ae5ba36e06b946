package bench

import (
	"errors"
	"fmt"
	"os"
	"strconv"

	"golang.org/x/sys/unix"
)

// bind keeps all threads of the process, and those that they start, on the
// given processors until restore is called.
func bind(cpus []int) (restore func(), err error) {
	var before, wanted unix.CPUSet
	if err := unix.SchedGetaffinity(0, &before); err != nil {
		return nil, fmt.Errorf("ask for the processors of the process: %w", err)
	}
	for _, cpu := range cpus {
		wanted.Set(cpu)
		if !wanted.IsSet(cpu) || !before.IsSet(cpu) {
			return nil, fmt.Errorf("processor %d is not among those of the process", cpu)
		}
	}
	restore = func() { _ = bindAll(&before) } // they were allowed before
	if err := bindAll(&wanted); err != nil {
		restore()
		return nil, err
	}
	return restore, nil
}

// bindAll binds all threads there are. Ones that start meanwhile inherit the
// processors of those that start them.
func bindAll(set *unix.CPUSet) error {
	threads, err := os.ReadDir("/proc/self/task")
	if err != nil {
		return fmt.Errorf("list the threads of the process: %w", err)
	}
	for _, t := range threads {
		id, err := strconv.Atoi(t.Name())
		if err != nil {
			continue
		}
		if err := unix.SchedSetaffinity(id, set); err != nil && !errors.Is(err, unix.ESRCH) {
			return fmt.Errorf("bind thread %d to processors: %w", id, err)
		}
	}
	return nil
}
