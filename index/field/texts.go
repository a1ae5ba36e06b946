package field

import (
	"hash/maphash"

	"github.com/vecdb/vecdb/internal/core"
)

// hashes is the name of the column of hashes of texts, which no field can have.
const hashes = ""

// KnowTexts makes the index know the texts of its documents by their hashes
// from now on. each yields the texts of the documents that are stored; those
// that are inserted meanwhile are known by themselves. Further calls do nothing.
func (x *Index) KnowTexts(each func(yield func(core.Ord, string)) error) error {
	x.mu.Lock()
	known := x.hashing
	x.hashing = true
	x.mu.Unlock()
	if known {
		return nil
	}
	err := each(func(ord core.Ord, text string) {
		x.mu.Lock()
		defer x.mu.Unlock()
		if e, there := x.docs[ord]; there {
			x.postings -= int64(len(e.values))
			x.addHash(ord, text, &e)
			x.postings += int64(len(e.values))
			x.docs[ord] = e
		}
	})
	if err != nil {
		x.mu.Lock()
		x.hashing = false
		x.mu.Unlock()
	}
	return err
}

// addHash puts ord under the hash of its text, unless it is there.
func (x *Index) addHash(ord core.Ord, text string, e *entry) {
	if text == "" {
		return
	}
	c := x.column(hashes)
	c.ords.Add(ord)
	if v := c.add(hashKey(text, x.seed), ord); v != nil {
		e.values = append(e.values, posting{c, v})
	}
}

// SameText returns the ordinals whose text may be this one: it has the same
// hash. It knows what KnowTexts was told and what came since; the caller owns
// the set.
func (x *Index) SameText(text string) *core.Set {
	x.mu.RLock()
	defer x.mu.RUnlock()
	out := core.NewSet()
	if c := x.fields[hashes]; c != nil {
		if v := c.values[hashKey(text, x.seed)]; v != nil {
			v.addTo(out)
		}
	}
	return out
}

func hashKey(text string, seed maphash.Seed) key {
	return key{kind: isHash, bits: maphash.String(seed, text)}
}
