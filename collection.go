package vecdb

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/vecdb/vecdb/index"
	"github.com/vecdb/vecdb/index/field"
	"github.com/vecdb/vecdb/index/hnsw"
	"github.com/vecdb/vecdb/internal/core"
	"github.com/vecdb/vecdb/query"
	"github.com/vecdb/vecdb/storage"
)

// Document is what a collection stores; see core.Document for its JSON form.
type Document = core.Document

// The query object and its answers, which package query describes.
type (
	// Request is the one query object.
	Request = query.Request
	// Example is a liked or disliked thing of a Request.
	Example = query.Example
	// Params tunes the search in the index.
	Params = query.Params
	// Filter is a tree of conditions on fields.
	Filter = query.Filter
	// Response holds the hits of a search or a recommendation.
	Response = query.Response
	// Hit is one found document.
	Hit = query.Hit
	// ClassifyRequest is a Request plus what classification needs.
	ClassifyRequest = query.ClassifyRequest
	// ClassifyResponse holds one Classification a text.
	ClassifyResponse = query.ClassifyResponse
	// Classification is the label of one text with its reasons.
	Classification = query.Classification
)

// CollectionInfo holds the settings of a collection.
type CollectionInfo = storage.Config

// Collection holds documents and searches them. It is safe for concurrent use.
// After its DB is closed or it is dropped, its methods return errors that
// match ErrClosed or ErrNotFound.
type Collection struct {
	db       *DB
	stored   *storage.Collection
	life     *lifetime
	fields   *field.Index
	applier  *applier
	trainer  *trainer
	checking turn // of the call that looks for duplicates
	settling turn // of the call whose texts choose the model
	advisor  *advisor
	answerer *answerer
}

// newCollection makes the indexes of a stored collection, fills them and
// starts following the change log.
func newCollection(db *DB, stored *storage.Collection) (*Collection, error) {
	info := stored.Config()
	c := &Collection{db: db, stored: stored, life: newLifetime(), checking: newTurn(), settling: newTurn()}
	maker := indexMaker{kind: kindOf(db.options.Index), cfg: index.Config{Dim: info.Dim, Metric: index.Metric(info.Metric)},
		snapshots: db.snapshots, number: stored.Number()}
	var err error
	c.applier, err = startApplier(stored, maker, db.options.Logger)
	if err != nil {
		return nil, fmt.Errorf("open collection %s: %w", info.Name, err)
	}
	c.fields = c.applier.fields
	c.trainer = startTrainer(c)
	if c.advisor, err = startAdvisor(c); err != nil {
		c.life.close(ErrClosed)
		c.trainer.close()
		c.applier.close()
		return nil, fmt.Errorf("open collection %s: %w", info.Name, err)
	}
	if c.answerer, err = startAnswerer(c); err != nil {
		c.close(ErrClosed)
		return nil, fmt.Errorf("open collection %s: %w", info.Name, err)
	}
	return c, nil
}

// Name returns the collection's name.
func (c *Collection) Name() string { return c.Info().Name }

// Info returns the collection's settings. They do not change, except that a
// pending collection gets its model with its first texts.
func (c *Collection) Info() CollectionInfo { return c.stored.Config() }

// engine answers queries by the present settings. While the model is pending its
// vectors have no numbers.
func (c *Collection) engine() *query.Engine {
	info := c.Info()
	return query.New(source{c}, index.Metric(info.Metric), info.Dim)
}

// Len returns the number of documents.
func (c *Collection) Len() int { return c.stored.Len() }

// Passages returns the number of parts of documents that have vectors of their
// own, one where a document was not cut.
func (c *Collection) Passages() int { return c.stored.Vectors() }

// Get returns the document with its vector, or an error that matches
// ErrNotFound.
func (c *Collection) Get(ctx context.Context, id string) (*Document, error) {
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	doc, _, err := c.stored.Get(id)
	return doc, err
}

// identity returns what no other collection has, not even one of the same name
// that is made later.
func (c *Collection) identity() string {
	return c.Info().Name + "\x00" + c.Info().Created.UTC().Format(time.RFC3339Nano)
}

// ListBy returns a page of the documents that satisfy a filter in the order of
// their fields, without vectors unless asked for, as far as the index has come.
func (c *Collection) ListBy(ctx context.Context, r query.ListRequest) (query.ListResponse, error) {
	return c.engine().List(ctx, r)
}

// IDCursor returns the cursor that continues List behind an id, "" for "".
func (c *Collection) IDCursor(id string) string { return query.IDCursor(c.identity(), id) }

// ParseIDCursor returns the id in a cursor of List, "" for "". It refuses what
// is damaged or belongs to another list.
func (c *Collection) ParseIDCursor(cursor string) (string, error) {
	return query.ParseIDCursor(c.identity(), cursor)
}

// Reading tells what the model read of a document and into which passages it was
// cut, without their vectors; one that was not cut is one passage. The tokens are
// 0 where the collection has no model, or none that can count them. The error
// matches ErrNotFound when there is no such document.
func (c *Collection) Reading(ctx context.Context, id string) (Reading, *Document, error) {
	doc, ord, err := c.stored.Get(id)
	if err != nil {
		return Reading{}, nil, err
	}
	readings, err := c.stored.Readings([]core.Ord{ord})
	if err != nil {
		return Reading{}, nil, err
	}
	var x Reading
	if readings[0] != nil {
		x = *readings[0]
	} else if x, err = c.readWhole(ctx, doc.Text); err != nil {
		return Reading{}, nil, err
	}
	if len(x.Passages) == 0 {
		x.Passages = []Passage{{End: len(doc.Text), Tokens: x.TokensUsed}}
	}
	return x, doc, nil
}

// List returns up to limit documents without vectors in the order of their
// ids, beginning behind the id after ("" begins at the first). next is the
// after of the following page, "" on the last one.
func (c *Collection) List(ctx context.Context, after string, limit int) (docs []*Document, next string, err error) {
	if err := ctx.Err(); err != nil {
		return nil, "", err
	}
	if limit < 1 || limit > query.MaxLimit {
		return nil, "", core.Invalid("/limit", "", "the limit must be from 1 to %d", query.MaxLimit)
	}
	return c.stored.List(after, limit)
}

// Each calls fn for every document, with its vector, in the order of their
// ordinals. All come from one state of the collection, whatever is written
// meanwhile. It ends early with fn's or ctx's error.
func (c *Collection) Each(ctx context.Context, fn func(*Document) error) error {
	return c.stored.Snapshot(func(s storage.Snapshot) error {
		return s.Documents(true, func(_ core.Ord, doc *core.Document) error {
			if err := ctx.Err(); err != nil {
				return err
			}
			return fn(doc)
		})
	})
}

// Search returns the documents nearest to what the request asks for.
func (c *Collection) Search(ctx context.Context, r Request) (Response, error) {
	return c.engine().Search(ctx, r)
}

// Recommend returns the documents that go best with what a user does, a session
// or the liked examples.
func (c *Collection) Recommend(ctx context.Context, r Request) (Response, error) {
	return c.engine().Recommend(ctx, r)
}

// Count counts the documents that satisfy a filter, as far as the index has
// come.
func (c *Collection) Count(ctx context.Context, r query.CountRequest) (query.CountResponse, error) {
	return c.engine().Count(ctx, r)
}

// Facet counts the documents of each value of a field.
func (c *Collection) Facet(ctx context.Context, r query.FacetRequest) (query.FacetResponse, error) {
	return c.engine().Facet(ctx, r)
}

// Classify labels texts by what was learnt from the labels of documents, or by
// those of their nearest neighbors.
func (c *Collection) Classify(ctx context.Context, r ClassifyRequest) (ClassifyResponse, error) {
	return c.engine().Classify(ctx, r)
}

// Stats describes a collection at one moment.
type Stats struct {
	Documents int
	Passages  int // parts of documents that have vectors of their own, one where a document was not cut
	Dim       int
	Index     IndexStats
	LastSeq   uint64 // number of the last committed change
	Heads     []HeadStats
	Behavior  BehaviorStats
	Answers   AnswerStats
}

// IndexStats describes a collection's vector index.
type IndexStats struct {
	Kind    string // one of IndexKinds
	Vectors int
	Bytes   int64  // memory, in bytes, the indexes of fields and words included
	Pending uint64 // committed changes that searches do not see yet
	// BytesPerVector predicts the memory of a further document, its fields
	// included, in bytes: the mean of the next hundred thousand.
	BytesPerVector int64
	// DiskBytes and DiskBytesPerVector are the same of what an index keeps in a
	// file rather than in memory, 0 where there is none.
	DiskBytes, DiskBytesPerVector int64
	// Recall is nil where every answer is exact.
	Recall *RecallStats
}

// Stats returns the collection's figures. Telling whether labels have changed
// goes through all that there are, so that callers who ask often take IndexStats
// or BehaviorStats.
func (c *Collection) Stats() Stats {
	return Stats{
		Documents: c.stored.Len(), Passages: c.stored.Vectors(), Dim: c.Info().Dim, LastSeq: c.stored.LastSeq(),
		Index: c.IndexStats(), Heads: c.trainer.stats(), Behavior: c.BehaviorStats(), Answers: c.answerer.stats(),
	}
}

// IndexStats returns the figures of the index.
func (c *Collection) IndexStats() IndexStats {
	applied := c.applier.position()
	last := c.stored.LastSeq()
	idx := c.index()
	return IndexStats{
		Kind: c.db.options.Index, Vectors: idx.Len(),
		Bytes: idx.SizeBytes() + c.fields.SizeBytes() + c.applier.words.SizeBytes() + c.applier.parts.SizeBytes(), Pending: last - min(applied, last), Recall: recallStats(idx),
		BytesPerVector: c.memoryFor(memoryAhead) / memoryAhead,
		DiskBytes:      diskBytes(idx), DiskBytesPerVector: c.diskFor(memoryAhead) / memoryAhead,
	}
}

// checker is an index that can look for contradictions in itself.
type checker interface {
	Check(ctx context.Context, report func(problem string)) error
}

// verifyIndex reports documents that the index does not hold and contradictions
// in the index.
func (c *Collection) verifyIndex(ctx context.Context, report func(string)) error {
	if err := c.wait(ctx, c.stored.LastSeq()); err != nil {
		return err
	}
	if err := c.verifyWords(ctx, report); err != nil {
		return err
	}
	c.trainer.verify(report)
	c.advisor.verify(report)
	c.answerer.verify(report)
	idx := c.index()
	if graph, ok := idx.(*hnsw.Index); ok {
		if err := graph.Verify(ctx); errors.Is(err, core.ErrCorrupt) {
			report(fmt.Sprintf("collection %s: %v; the index is made anew", c.Name(), err))
		} else if err != nil {
			return err
		}
	}
	if have, want := idx.Len(), c.stored.Vectors(); have != want {
		report(fmt.Sprintf("collection %s: the index holds %d vectors, the store %d; restart to rebuild the index", c.Name(), have, want))
	}
	if x, ok := idx.(checker); ok {
		return x.Check(ctx, func(problem string) { report("collection " + c.Name() + ": " + problem) })
	}
	return nil
}

// verifyWords reports documents whose words are not those of their texts.
func (c *Collection) verifyWords(ctx context.Context, report func(string)) error {
	words := c.applier.words
	bad, last := 0, c.applier.position()
	err := c.stored.Snapshot(func(s storage.Snapshot) error {
		if s.Seq() != last { // what was written meanwhile may not be in the index yet
			return nil
		}
		return s.Documents(false, func(ord core.Ord, doc *core.Document) error {
			if !words.Holds(ord, doc.Text) && c.applier.position() == last {
				bad++
			}
			return ctx.Err()
		})
	})
	if bad > 0 {
		report(fmt.Sprintf("collection %s: the index of words does not agree with the texts of %d documents; remove index/%d%s and restart to make it anew",
			c.Name(), bad, c.stored.Number(), wordsSuffix))
	}
	return err
}

// index returns the index of vectors.
func (c *Collection) index() index.Index { return *c.applier.index.Load() }

// wait returns when the index has taken the changes up to seq.
func (c *Collection) wait(ctx context.Context, seq uint64) error {
	return c.life.tell(ctx, c.applier.wait(ctx, seq))
}

// close ends learning, for the given reason, stops following the change log, and
// saves the index.
func (c *Collection) close(why error) {
	c.life.close(why)
	release, err := c.settling.take(context.Background())
	if err == nil { // it has no end
		defer release()
	}
	c.answerer.close()
	c.advisor.close()
	c.trainer.close()
	c.applier.close()
}
