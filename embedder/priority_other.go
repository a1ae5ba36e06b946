//go:build !linux

package embedder

// giveWay does nothing: the system has priorities for processes alone.
func giveWay() {}
