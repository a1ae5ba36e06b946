package core

import (
	"errors"
	"fmt"
	"strings"
)

// Sentinel errors of every layer, to be tested with errors.Is. The root
// package exports them again under the same names.
var (
	ErrNotFound  = errors.New("not found")
	ErrExists    = errors.New("already exists")
	ErrInvalid   = errors.New("invalid input")
	ErrDimension = errors.New("vector has the wrong dimension")
	ErrLocked    = errors.New("directory is in use by another process")
	ErrReadOnly  = errors.New("storage is read-only")
	ErrFull      = errors.New("disk is full")
	ErrMemory    = errors.New("not enough memory")
	ErrTooLarge  = errors.New("too large")
	ErrCorrupt   = errors.New("stored data is corrupt")
	ErrClosed    = errors.New("closed")
	ErrPending   = errors.New("model is not chosen yet")
	ErrNoModel   = errors.New("model is not available")
	ErrNoRuntime = errors.New("no runtime for the model")
)

// InputError tells which part of an input is wrong, why, and what to do about
// it. It matches ErrInvalid, and Cause where one is set, with errors.Is.
type InputError struct {
	// Pointer is the RFC 6901 JSON pointer of the bad part, relative to the
	// input that the called function was given; "" is the input itself.
	Pointer string
	// Detail says what is wrong, in one clause without a full stop.
	Detail string
	// Hint names the next thing to do; it may be empty.
	Hint string
	// Cause is a more precise sentinel, for instance ErrDimension; it may be nil.
	Cause error
}

// Error returns the detail, the place and the hint on one line.
func (e *InputError) Error() string {
	s := e.Detail
	if e.Pointer != "" {
		s = e.Pointer + ": " + s
	}
	if e.Hint != "" {
		s += " (" + e.Hint + ")"
	}
	return s
}

// Unwrap makes errors.Is see ErrInvalid and the cause.
func (e *InputError) Unwrap() []error {
	if e.Cause != nil {
		return []error{ErrInvalid, e.Cause}
	}
	return []error{ErrInvalid}
}

// Invalid returns an InputError at pointer with a formatted detail.
func Invalid(pointer, hint, format string, args ...any) *InputError {
	return &InputError{Pointer: pointer, Hint: hint, Detail: fmt.Sprintf(format, args...)}
}

// At returns err with prefix put before its pointer when it is an InputError,
// and err unchanged otherwise. Callers use it to turn a pointer relative to a
// part into one relative to the whole.
func At(prefix string, err error) error {
	var in *InputError
	if errors.As(err, &in) {
		moved := *in
		moved.Pointer = prefix + in.Pointer
		return &moved
	}
	return err
}

// UnknownMember tells whether err is that of encoding/json about a member that is
// not known, and then its name in quotes and the pointer to it.
func UnknownMember(err error) (name, pointer string, ok bool) {
	if err == nil {
		return "", "", false
	}
	name, ok = strings.CutPrefix(err.Error(), "json: unknown field ")
	return name, "/" + EscapePointer(strings.Trim(name, `"`)), ok
}
