package badger

import (
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"strings"
	"syscall"

	"github.com/dgraph-io/badger/v4"

	"github.com/vecdb/vecdb/internal/core"
)

// translate puts the sentinel that fits before an error of Badger or of the
// operating system. It returns nil for nil.
func translate(err error) error {
	sentinel := sentinelOf(err)
	if err == nil || sentinel == nil {
		return err
	}
	return fmt.Errorf("%w: %w", sentinel, err)
}

func sentinelOf(err error) error {
	switch {
	case err == nil:
		return nil
	case errors.Is(err, badger.ErrKeyNotFound):
		return core.ErrNotFound
	case errors.Is(err, badger.ErrTxnTooBig):
		return core.ErrTooLarge
	case errors.Is(err, badger.ErrDBClosed), errors.Is(err, badger.ErrBlockedWrites):
		return core.ErrClosed
	case is(err, syscall.ENOSPC), is(err, syscall.EDQUOT):
		return core.ErrFull
	case errors.Is(err, fs.ErrPermission), is(err, syscall.EACCES), is(err, syscall.EROFS):
		return core.ErrReadOnly
	}
	return nil
}

// is looks for an error of the operating system in the words too, because
// Badger's wrapping cannot be undone.
func is(err error, number syscall.Errno) bool {
	return errors.Is(err, number) || strings.Contains(err.Error(), number.Error())
}

// openError explains why a directory could not be opened. Badger tells a held
// lock, and what a killed process has left, only in words.
func openError(dir string, err error) error {
	if strings.Contains(err.Error(), "Another process is using this Badger database") {
		return fmt.Errorf("%w: %s (stop the other vecdb, or talk to its server with --url)", core.ErrLocked, dir)
	}
	if strings.Contains(err.Error(), badger.ErrTruncateNeeded.Error()) { // only where it may not be truncated
		return fmt.Errorf("%w: %s was not closed, and is put in order when it is opened for writing (do that once, where it can be written)", core.ErrReadOnly, dir)
	}
	if sentinelOf(err) == nil && !errors.Is(err, core.ErrCorrupt) {
		return fmt.Errorf("open database directory %s: %w: %w", dir, core.ErrCorrupt, err)
	}
	return fmt.Errorf("open database directory %s: %w", dir, translate(err))
}

// recoverAs turns a panic into an error that matches sentinel.
func recoverAs(err *error, sentinel error) {
	if p := recover(); p != nil {
		*err = fmt.Errorf("%w: badger panicked: %v", sentinel, p)
	}
}

// logAdapter hands Badger's warnings and errors to slog and drops its chatter.
type logAdapter struct{ to *slog.Logger }

func (l logAdapter) Errorf(format string, args ...any) { l.to.Error(line(format, args)) }
func (l logAdapter) Warningf(format string, args ...any) {
	l.to.Warn(line(format, args))
}
func (l logAdapter) Infof(format string, args ...any)  { l.to.Debug(line(format, args)) }
func (l logAdapter) Debugf(format string, args ...any) {}

func line(format string, args []any) string {
	return "badger: " + strings.TrimSpace(fmt.Sprintf(format, args...))
}
