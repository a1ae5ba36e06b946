package vecdb

import (
	"context"
	"fmt"
	"maps"
	"math"
	"slices"

	"github.com/vecdb/vecdb/index"
	"github.com/vecdb/vecdb/index/flat"
	"github.com/vecdb/vecdb/internal/core"
	"github.com/vecdb/vecdb/internal/simd"
	"github.com/vecdb/vecdb/storage"
)

// Duplicates says what becomes of a new document that is stored under another
// id already. Updates, documents whose id is stored, are not looked at.
type Duplicates = core.Duplicates

// The policies of Duplicates.
const (
	DuplicatesKeep    = core.DuplicatesKeep
	DuplicatesSkip    = core.DuplicatesSkip
	DuplicatesReplace = core.DuplicatesReplace
	DuplicatesLink    = core.DuplicatesLink
)

// DuplicateField is the field that links a duplicate to the id of the document
// that was there first.
const DuplicateField = "duplicate_of"

// UpsertOptions tell how Upsert stores documents.
type UpsertOptions struct {
	// Wait is WaitDurable when empty.
	Wait Wait
	// Duplicates is the policy of the call; nil is that of the collection.
	Duplicates *Duplicates
	// Long is what becomes of texts with more tokens than the model takes at once:
	// LongChunk, LongTruncate or LongError; "" is the policy of the collection.
	Long string
}

// nearest many neighbors are looked at for one that is near enough: the first
// may be the document itself, in its former state, or be replaced by now.
const duplicateBreadth = 8

// checkDuplicates checks a policy for this collection.
func checkDuplicates(d Duplicates, metric string) error {
	if err := d.Validate(); err != nil {
		return err
	}
	if d.Threshold > 0 && metric != string(index.Cosine) {
		return core.Invalid("/threshold", "leave it out to find equal texts", "near duplicates are told by their cosine, the metric is %s", metric)
	}
	return nil
}

// sieve finds the duplicates among the documents of one chunk. While it is held
// no other checked chunk of the collection is stored.
type sieve struct {
	c      *Collection
	policy Duplicates
	docs   []Document
	all    *arrivals
	of     []string       // ids of what the documents are duplicates of, "" for none
	texts  map[string]int // the last position of each text that stays
	gone   []bool         // documents that a later one of the chunk replaces
	first  map[string]int // the first and the last position of each id that stays
	last   map[string]int
	known  []bool // documents that are updates

	replaced map[string]bool // ids
}

// knowTexts makes the index of fields know all texts. It is called by one at a
// time, so that nobody asks for texts while they are being read.
func (c *Collection) knowTexts(ctx context.Context) error {
	release, err := c.checking.take(ctx)
	if err != nil {
		return err
	}
	defer release()
	return c.fields.KnowTexts(func(yield func(core.Ord, string)) error {
		return c.stored.Snapshot(func(s storage.Snapshot) error {
			return s.Documents(false, func(ord core.Ord, doc *core.Document) error {
				yield(ord, doc.Text)
				return ctx.Err()
			})
		})
	})
}

// upsertChecked is upsertChunk for a policy that looks for duplicates. What is
// skipped for its text is not embedded.
func (c *Collection) upsertChecked(ctx context.Context, policy Duplicates, a *arrivals, good []int) (uint64, error) {
	if err := c.knowTexts(ctx); err != nil {
		return 0, err
	}
	if policy.Policy == DuplicatesSkip {
		s, err := c.newSieve(ctx, policy, a)
		if err != nil {
			return 0, err
		}
		rest, err := s.byText(good)
		if err != nil {
			return 0, err
		}
		s.tell(good, a.results)
		good = rest
	}
	good, err := c.fillVectors(ctx, a, good)
	if err != nil {
		return 0, err
	}
	release, err := c.checking.take(ctx)
	if err != nil {
		return 0, err
	}
	defer release()
	s, err := c.newSieve(ctx, policy, a)
	if err != nil {
		return 0, err
	}
	rest, err := s.byText(good)
	if err != nil {
		return 0, err
	}
	if rest, err = s.byVector(ctx, rest); err != nil {
		return 0, err
	}
	seq, err := c.commit(ctx, a, rest, s.deletes())
	if err == nil {
		s.tell(good, a.results)
	}
	return seq, err
}

// newSieve waits until searches see all that is stored.
func (c *Collection) newSieve(ctx context.Context, policy Duplicates, a *arrivals) (*sieve, error) {
	if err := c.wait(ctx, c.stored.LastSeq()); err != nil {
		return nil, err
	}
	docs := a.docs
	s := &sieve{c: c, policy: policy, docs: docs, all: a, of: make([]string, len(docs)), texts: make(map[string]int), gone: make([]bool, len(docs)),
		first: make(map[string]int), last: make(map[string]int), known: make([]bool, len(docs)), replaced: make(map[string]bool)}
	ids := make([]string, len(docs))
	for i, doc := range docs {
		ids[i] = doc.ID
	}
	ords, err := c.stored.Ords(ids)
	for i, ord := range ords {
		s.known[i] = ord != core.NoOrd
	}
	return s, err
}

// byText looks for documents with the same text and returns the positions that
// remain to be stored.
func (s *sieve) byText(positions []int) ([]int, error) {
	var rest []int
	for _, i := range positions {
		id := ""
		if _, again := s.last[s.docs[i].ID]; !again && !s.known[i] {
			var err error
			if id, err = s.sameText(i); err != nil {
				return nil, err
			}
		}
		if s.settle(i, id) {
			rest = append(rest, i)
			id := s.docs[i].ID
			if j, again := s.last[id]; again {
				s.gone[j], s.known[i] = true, true
			} else {
				s.first[id] = i
			}
			s.last[id] = i
			if text := s.docs[i].Text; text != "" {
				s.texts[text] = i
			}
		}
	}
	return rest, nil
}

// sameText returns the id of another document with the text of the i-th.
func (s *sieve) sameText(i int) (string, error) {
	doc := s.docs[i]
	if doc.Text == "" {
		return "", nil
	}
	if j, there := s.texts[doc.Text]; there && !s.gone[j] && s.docs[j].ID != doc.ID {
		return s.docs[j].ID, nil
	}
	var ords []core.Ord
	for ord := range s.c.fields.SameText(doc.Text).All() {
		ords = append(ords, ord)
	}
	return s.among(ords, i, false, func(_ core.Ord, other *core.Document) bool { return other.Text == doc.Text })
}

// among returns the id of the first of the documents under ords that is alike and
// counts for the i-th.
func (s *sieve) among(ords []core.Ord, i int, withVectors bool, alike func(core.Ord, *core.Document) bool) (string, error) {
	found, err := s.c.stored.Documents(ords, withVectors)
	if err != nil {
		return "", err
	}
	for j, other := range found {
		if other != nil && alike(ords[j], other) && s.counts(other.ID, i) {
			return s.root(other), nil
		}
	}
	return "", nil
}

// counts reports whether a stored document is another one than the i-th, and
// stays as it is until that comes.
func (s *sieve) counts(stored string, i int) bool {
	at, again := s.first[stored]
	changed := again && at < i
	return stored != s.docs[i].ID && !changed && !s.replaced[stored]
}

// deletes returns, for each position, the id that its document replaces.
func (s *sieve) deletes() []string {
	if s.policy.Policy != DuplicatesReplace {
		return make([]string, len(s.docs))
	}
	return s.of
}

// tell notes in the results what the documents are duplicates of: what is
// stored, where that was skipped itself.
func (s *sieve) tell(positions []int, results []ItemResult) {
	skipped := make(map[string]string)
	for _, i := range positions {
		if s.of[i] == "" {
			continue
		}
		if first, ok := skipped[s.of[i]]; ok {
			s.of[i] = first
		}
		results[i].DuplicateOf = s.of[i]
		if s.policy.Policy == DuplicatesSkip {
			results[i].Status, results[i].Err = StatusSkipped, nil
			skipped[s.docs[i].ID] = s.of[i]
		}
	}
}

// root returns the id that a link to doc leads to.
func (s *sieve) root(doc *core.Document) string {
	if first, ok := doc.Fields[DuplicateField].(string); ok && s.policy.Policy == DuplicatesLink {
		return first
	}
	return doc.ID
}

// byVector looks for near duplicates, where they are asked for, among documents
// that have their vectors by now.
func (s *sieve) byVector(ctx context.Context, positions []int) ([]int, error) {
	if s.policy.Threshold == 0 {
		return positions, nil
	}
	chunk, err := flat.New(index.Config{Dim: s.c.Info().Dim, Metric: index.Cosine})
	if err != nil {
		return nil, err
	}
	var rest []int
	for _, i := range positions {
		id := s.of[i]
		if id == "" && !s.known[i] {
			if id, err = s.nearest(ctx, chunk, i); err != nil {
				return nil, err
			}
		}
		if s.settle(i, id) {
			rest = append(rest, i)
			if err := chunk.Insert(ctx, []index.Item{{Ord: core.Ord(i), Vector: s.docs[i].Vector}}); err != nil {
				return nil, err
			}
		}
	}
	return rest, nil
}

// nearest returns the id of another document, of the chunk or stored, whose
// vector is near enough to that of the i-th.
func (s *sieve) nearest(ctx context.Context, chunk index.Index, i int) (string, error) {
	doc := s.docs[i]
	list, err := chunk.Search(ctx, doc.Vector, index.Options{K: duplicateBreadth})
	if err != nil {
		return "", fmt.Errorf("look for duplicates: %w", err)
	}
	for _, n := range list {
		if n.Score >= s.policy.Threshold && !s.gone[n.Ord] && s.docs[n.Ord].ID != doc.ID {
			return s.docs[n.Ord].ID, nil
		}
	}
	var ords []core.Ord
	for _, v := range s.probes(i) {
		list, err := source{s.c}.nearest(ctx, v, index.Options{K: duplicateBreadth}, s.c.index())
		if err != nil {
			return "", fmt.Errorf("look for duplicates: %w", err)
		}
		for _, n := range list {
			if n.Score >= s.policy.Threshold && !slices.Contains(ords, n.Ord) {
				ords = append(ords, n.Ord)
			}
		}
	}
	// Documents that were cut are compared as wholes.
	parts, cut := s.c.applier.parts, s.all.cut(i)
	return s.among(ords, i, cut || parts.Len() > 0, func(ord core.Ord, other *core.Document) bool {
		return !cut && parts.Count(ord) == 0 || cosine(other.Vector, doc.Vector) >= s.policy.Threshold
	})
}

// duplicateProbes is how many passages of a document are looked for in others.
const duplicateProbes = 4

// probes are the vectors that what is near to the i-th document has some near to.
func (s *sieve) probes(i int) [][]float32 {
	if !s.all.cut(i) {
		return [][]float32{s.docs[i].Vector}
	}
	x := s.all.readings[i]
	var out [][]float32
	for _, p := range x.Passages[:min(duplicateProbes, len(x.Passages))] {
		out = append(out, p.Vector)
	}
	return out
}

// cosine returns the cosine of the angle between two vectors that have one.
func cosine(a, b []float32) float32 {
	lengths := math.Sqrt(float64(simd.Dot(a, a))) * math.Sqrt(float64(simd.Dot(b, b)))
	return float32(float64(simd.Dot(a, b)) / lengths)
}

// settle notes what the i-th document is a duplicate of, "" for nothing, and
// reports whether it is to be stored.
func (s *sieve) settle(i int, id string) bool {
	if id == "" || id == s.of[i] {
		return true
	}
	s.of[i] = id
	switch s.policy.Policy {
	case DuplicatesSkip:
		return false
	case DuplicatesReplace:
		s.replaced[id] = true
		for j := range i {
			s.gone[j] = s.gone[j] || s.docs[j].ID == id
		}
	case DuplicatesLink:
		fields := maps.Clone(s.docs[i].Fields)
		if fields == nil {
			fields = make(map[string]any, 1)
		}
		fields[DuplicateField] = id
		s.docs[i].Fields = fields
	}
	return true
}
