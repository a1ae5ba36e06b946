//go:build !purego

package matrix

import "syscall"

// tilesPermitted asks the kernel to let this process use the data of AMX tiles;
// all its threads may then. Asking twice does no harm.
func tilesPermitted() bool {
	const (
		requestPermission = 0x1023 // ARCH_REQ_XCOMP_PERM
		tileData          = 18     // XFEATURE_XTILEDATA
	)
	_, _, errno := syscall.RawSyscall(syscall.SYS_ARCH_PRCTL, requestPermission, tileData, 0)
	return errno == 0
}
