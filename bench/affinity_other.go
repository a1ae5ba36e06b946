//go:build !linux

package bench

import "errors"

// bind has no way to bind threads here.
func bind([]int) (restore func(), err error) {
	return nil, errors.New("threads can be bound to processors on Linux only")
}
