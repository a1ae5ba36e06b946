package vecdb

import "github.com/vecdb/vecdb/internal/core"

// Errors that callers test for with errors.Is. Errors about an input are
// *InputError besides and match ErrInvalid.
var (
	ErrNotFound  = core.ErrNotFound  // no such collection or document
	ErrExists    = core.ErrExists    // a collection of that name with other settings
	ErrInvalid   = core.ErrInvalid   // the caller's input is at fault
	ErrDimension = core.ErrDimension // a vector of the wrong length
	ErrLocked    = core.ErrLocked    // another process has the directory open
	ErrReadOnly  = core.ErrReadOnly  // the directory cannot be written
	ErrFull      = core.ErrFull      // too little free space to write
	ErrMemory    = core.ErrMemory    // the index would not fit into memory
	ErrTooLarge  = core.ErrTooLarge  // a document over the limits
	ErrCorrupt   = core.ErrCorrupt   // stored data fails its checksum
	ErrClosed    = core.ErrClosed    // the DB was closed
	ErrPending   = core.ErrPending   // the model is needed, and no text has chosen it yet
	ErrNoModel   = core.ErrNoModel   // the model's files are not on this machine
	ErrNoRuntime = core.ErrNoRuntime // nothing on this machine can run the model
)

// InputError tells which part of an input is wrong, why, and what to do.
type InputError = core.InputError
