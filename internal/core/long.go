package core

import "slices"

// The policies for texts with more tokens than the model takes at once.
const (
	LongChunk    = "chunk"    // cut them into passages, each with a vector
	LongTruncate = "truncate" // leave out what is too much
	LongError    = "error"    // refuse them
)

// CheckLong checks a policy for long texts; "" is that of the collection. The
// error is an *InputError.
func CheckLong(policy string) error {
	if !slices.Contains([]string{"", LongChunk, LongTruncate, LongError}, policy) {
		return Invalid("", "use chunk, truncate or error", "unknown policy for long texts %.40q", policy)
	}
	return nil
}
