package core

import "slices"

// The policies of Duplicates.
const (
	DuplicatesKeep    = "keep"    // store it all the same, without looking
	DuplicatesSkip    = "skip"    // do not store it
	DuplicatesReplace = "replace" // store it and delete the one that was there
	DuplicatesLink    = "link"    // store it with the id of the first in the field duplicate_of
)

// Duplicates says what becomes of a new document that is there already, under
// another id: with the same text or, given a threshold, nearly the same vector.
type Duplicates struct {
	// Policy is DuplicatesKeep when empty.
	Policy string `json:"policy"`
	// Threshold is the least cosine of near duplicates, above 0 and up to 1; 0
	// finds equal texts only.
	Threshold float32 `json:"threshold,omitempty"`
}

// Looks reports whether documents are looked at for duplicates.
func (d Duplicates) Looks() bool { return d.Policy != "" && d.Policy != DuplicatesKeep }

// Validate checks the policy. Errors are *InputError.
func (d Duplicates) Validate() error {
	switch {
	case !slices.Contains([]string{"", DuplicatesKeep, DuplicatesSkip, DuplicatesReplace, DuplicatesLink}, d.Policy):
		return Invalid("/policy", "use keep, skip, replace or link", "unknown policy of duplicates %.40q", d.Policy)
	case !(d.Threshold >= 0 && d.Threshold <= 1):
		return Invalid("/threshold", "use a cosine such as 0.95", "the threshold of duplicates is %v", d.Threshold)
	case d.Threshold > 0 && !d.Looks():
		return Invalid("/policy", "use skip, replace or link", "the threshold of duplicates needs a policy")
	}
	return nil
}
