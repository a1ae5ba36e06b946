package core

// Op is the kind of a change.
type Op uint8

// The kinds of a change. Their numbers are part of the file format.
const (
	OpPut    Op = 1 // a document was created or replaced
	OpDelete Op = 2 // a document was deleted
)

// NoOrd is the ordinal of nothing: the Old of a change that replaced nothing,
// the Ord of a deletion.
const NoOrd = ^Ord(0)

// Change is one entry of a collection's change log. Entries are numbered from
// 1 without gaps.
type Change struct {
	Seq uint64 // sequence number, from 1
	Op  Op
	ID  string
	Ord Ord // the new ordinal of an OpPut, NoOrd for an OpDelete
	Old Ord // the ordinal that this change took out of use, or NoOrd
	// Passages is how many ordinals behind Ord belong to the passages of its
	// document, OldPassages the same of Old; 0 where the document is one.
	Passages, OldPassages int
}
