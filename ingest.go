package vecdb

import (
	"cmp"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"strings"
	"unicode/utf8"

	"github.com/vecdb/vecdb/internal/core"
	"github.com/vecdb/vecdb/recommender"
	"github.com/vecdb/vecdb/storage"
)

// embedChunk is how many documents are embedded and committed at a time, and
// embedBytes how many bytes of text: many enough to fill batches of texts of like
// length, few enough that memory stays bounded and a long call makes steady
// progress.
const (
	embedChunk = 1024
	embedBytes = 8 << 20
)

// The statuses of an ItemResult.
const (
	StatusCreated = "created"
	StatusUpdated = "updated"
	StatusSkipped = "skipped" // as a duplicate
	StatusError   = "error"
)

// ItemResult tells what became of one document of an Upsert.
type ItemResult struct {
	ID     string // the document's id, or the one that it was given
	Status string // StatusCreated, StatusUpdated, StatusSkipped or StatusError
	Err    error  // why, with StatusError; often an *InputError
	// TokensTotal counts the tokens of the text, TokensUsed those that the
	// model read. Both are 0 when the vector was given.
	TokensTotal, TokensUsed int
	Passages                int // vectors stored for the document
	// DuplicateOf is the id of the document that was there already, where the
	// policy looks for duplicates.
	DuplicateOf string
}

// Upsert stores documents, each new or in place of the one with its id, and
// returns one result a document, in their order. A document that is refused
// does not stop the others. A document without an id gets one made from its
// content. Each document is stored as a whole or not at all; later ones with
// the same id replace earlier ones. The error is for what stops everything:
// ctx, a missing model, the disk, too little memory; results of documents stored before it are
// returned with it.
func (c *Collection) Upsert(ctx context.Context, docs []Document, w Wait) ([]ItemResult, error) {
	return c.UpsertWith(ctx, docs, UpsertOptions{Wait: w})
}

// UpsertWith is Upsert with options. Documents of one call are looked at in
// their order: a later one can be a duplicate of an earlier one. Calls that look
// for duplicates are stored one after the other.
func (c *Collection) UpsertWith(ctx context.Context, docs []Document, o UpsertOptions) ([]ItemResult, error) {
	policy := c.Info().Duplicates
	if o.Duplicates != nil {
		policy = *o.Duplicates
	}
	if err := checkDuplicates(policy, c.Info().Metric); err != nil {
		return nil, core.At("/duplicates", err)
	}
	if err := core.CheckLong(o.Long); err != nil {
		return nil, core.At("/long", err)
	}
	if err := c.settle(ctx, docs); err != nil {
		return nil, err
	}
	if err := c.checkMemory(len(docs)); err != nil {
		return nil, err
	}
	defer c.applier.tuner.importing()()
	results := make([]ItemResult, len(docs))
	var last uint64
	for start := 0; start < len(docs); {
		end := start + chunkOf(docs[start:])
		a := &arrivals{docs: make([]Document, end-start), readings: make([]*core.Reading, end-start), results: results[start:end],
			long: cmp.Or(o.Long, c.Info().Long, LongTruncate), asked: o.Long != ""}
		seq, err := c.upsertChunk(ctx, policy, docs[start:end], a)
		if err != nil {
			return results[:start], err
		}
		start, last = end, max(last, seq)
	}
	return results, c.waitFor(ctx, last, o.Wait)
}

// chunkOf returns how many of docs are embedded and committed together.
func chunkOf(docs []Document) int {
	bytes := 0
	for n := range docs {
		if bytes += len(docs[n].Text); n == embedChunk || n > 0 && bytes > embedBytes {
			return n
		}
	}
	return len(docs)
}

// upsertChunk checks, embeds and commits docs and returns the sequence number
// of the last change.
func (c *Collection) upsertChunk(ctx context.Context, policy Duplicates, docs []Document, a *arrivals) (uint64, error) {
	good := make([]int, 0, len(docs)) // positions of the documents to store
	for i := range docs {
		doc, err := c.prepare(docs[i])
		a.results[i] = ItemResult{ID: doc.ID, Status: StatusError, Err: err}
		if err == nil {
			a.docs[i] = doc
			good = append(good, i)
		}
	}
	if len(good) == 0 {
		return 0, nil
	}
	if policy.Looks() {
		return c.upsertChecked(ctx, policy, a, good)
	}
	good, err := c.fillVectors(ctx, a, good)
	if err != nil {
		return 0, err
	}
	return c.commit(ctx, a, good, make([]string, len(docs)))
}

// commit stores the documents at the given positions, each after the deletion
// of the one that it replaces, and returns the sequence number of the last
// change.
func (c *Collection) commit(ctx context.Context, a *arrivals, good []int, deletes []string) (uint64, error) {
	var mutations []storage.Mutation
	places := make([]int, len(good)) // of the documents among the mutations
	for j, i := range good {
		if deletes[i] != "" {
			mutations = append(mutations, storage.Mutation{Op: core.OpDelete, ID: deletes[i]})
		}
		places[j] = len(mutations)
		mutations = append(mutations, storage.Mutation{Op: core.OpPut, Doc: &a.docs[i], Reading: a.readings[i]})
	}
	if len(mutations) == 0 {
		return 0, nil
	}
	outcomes, seq, err := c.stored.Commit(ctx, mutations)
	if err != nil {
		return 0, fmt.Errorf("store documents in %s: %w", c.Name(), err)
	}
	for j, i := range good {
		r := &a.results[i]
		r.Err, r.Passages, r.Status = nil, 1, StatusCreated
		if x := a.readings[i]; x != nil {
			r.Passages = max(1, len(x.Passages))
		}
		if outcomes[places[j]].Status == storage.Updated {
			r.Status = StatusUpdated
		}
	}
	return seq, nil
}

// prepare checks a document and gives it an id when it has none.
func (c *Collection) prepare(doc Document) (Document, error) {
	if doc.ID == "" {
		doc.ID = ContentID(doc)
	}
	if err := checkID(doc.ID); err != nil {
		return doc, err
	}
	if err := c.checkText(doc); err != nil {
		return doc, err
	}
	info := c.Info()
	if doc.Vector != nil {
		if info.Pending() {
			return doc, c.errPending("/vector")
		}
		if err := core.CheckVector("/vector", doc.Vector, info.Dim); err != nil {
			return doc, err
		}
	}
	return doc, checkFields(doc.Fields, info.Fields)
}

func checkID(id string) error {
	switch {
	case id == "":
		return core.Invalid("/id", "give a non-empty string", "the id is empty")
	case len(id) > core.MaxIDBytes:
		return core.Invalid("/id", "shorten it, for instance to a hash", "the id has %d bytes, %d are allowed", len(id), core.MaxIDBytes)
	case !utf8.ValidString(id):
		return core.Invalid("/id", "send UTF-8", "the id is not valid UTF-8")
	}
	return nil
}

func (c *Collection) checkText(doc Document) error {
	if err := core.CheckText("/text", doc.Text, "cut it into several documents"); err != nil {
		return err
	}
	switch {
	case doc.Vector != nil:
		return nil
	case c.vectorsOnly():
		return core.Invalid("/vector", "give each document a vector", "collection %s takes vectors only", c.Name())
	case strings.TrimSpace(doc.Text) == "":
		return core.Invalid("/text", "give a text or a vector", "the text is empty")
	}
	return nil
}

// ContentID returns the id that a document without one gets: 32 hexadecimal
// digits that depend on its text, vector and fields alone, so that adding the
// same document again replaces it.
func ContentID(doc Document) string {
	doc.ID = ""
	h := sha256.New()
	// Map keys are written in order, so equal documents have equal bytes. A
	// value that JSON cannot hold is refused later, by checkFields.
	_ = json.NewEncoder(h).Encode(doc)
	return hex.EncodeToString(h.Sum(nil)[:16])
}

// Delete deletes documents by id and returns how many there were; unknown ids
// are no error.
func (c *Collection) Delete(ctx context.Context, ids []string, w Wait) (int, error) {
	deleted, last := 0, uint64(0)
	for start := 0; start < len(ids); start += embedChunk {
		n, seq, err := c.deleteChunk(ctx, ids[start:min(start+embedChunk, len(ids))])
		if err != nil {
			return deleted, err
		}
		deleted, last = deleted+n, max(last, seq)
	}
	return deleted, c.waitFor(ctx, last, w)
}

func (c *Collection) deleteChunk(ctx context.Context, ids []string) (int, uint64, error) {
	mutations := make([]storage.Mutation, len(ids))
	for i, id := range ids {
		mutations[i] = storage.Mutation{Op: core.OpDelete, ID: id}
	}
	outcomes, seq, err := c.stored.Commit(ctx, mutations)
	if err != nil {
		return 0, 0, fmt.Errorf("delete documents from %s: %w", c.Name(), err)
	}
	n := 0
	for _, o := range outcomes {
		if o.Status == storage.Deleted {
			n++
		}
	}
	return n, seq, nil
}

// DeleteWhere deletes the documents that satisfy f and returns how many there
// were. A nil filter is refused, so that nobody empties a collection by
// leaving the filter out.
func (c *Collection) DeleteWhere(ctx context.Context, f *Filter, w Wait) (int, error) {
	if f == nil {
		return 0, core.Invalid("/filter", "give a filter, or drop the collection", "there is no filter")
	}
	if err := c.wait(ctx, c.stored.LastSeq()); err != nil {
		return 0, err
	}
	set, err := c.engine().Matching(ctx, f)
	if err != nil {
		return 0, err
	}
	ords := make([]core.Ord, 0, set.Len())
	for o := range set.All() {
		ords = append(ords, o)
	}
	docs, err := c.stored.Documents(ords, false)
	if err != nil {
		return 0, err
	}
	var ids []string
	for _, d := range docs {
		if d != nil {
			ids = append(ids, d.ID)
		}
	}
	return c.Delete(ctx, ids, w)
}

// waitFor waits as far as w asks. The documents are stored whatever it
// returns.
func (c *Collection) waitFor(ctx context.Context, seq uint64, w Wait) error {
	if w != WaitIndexed && w != WaitTrained {
		return nil
	}
	if err := c.wait(ctx, seq); err != nil || w == WaitIndexed {
		return err
	}
	return c.life.during(ctx, func(ctx context.Context) error {
		if err := c.trainer.catchUp(ctx, always, 0); err != nil {
			return err
		}
		return c.advisor.catchUp(ctx, c.advisor.hasUnlearnt, recommender.Options{})
	})
}
