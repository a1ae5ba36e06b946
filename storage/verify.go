package storage

import (
	"context"
	"errors"
	"fmt"

	"github.com/vecdb/vecdb/internal/core"
)

// verify checks every record of the collection and that they agree: each id
// leads to a document of that id with a vector, the log has no gap, and the
// counters count what is there.
func (c *Collection) verify(ctx context.Context, report func(string)) error {
	v := verifier{c: c, ctx: ctx, report: func(format string, args ...any) {
		report("collection " + c.Config().Name + ": " + fmt.Sprintf(format, args...))
	}}
	return c.Snapshot(func(s Snapshot) error {
		v.s = s
		for _, check := range []func() error{v.ids, v.vectors, v.documents, v.passages, v.log, v.events, v.feedback} {
			if err := check(); err != nil {
				return err
			}
		}
		return nil
	})
}

type verifier struct {
	c      *Collection
	s      Snapshot
	ctx    context.Context // ends the reading early; it lives as long as one call of verify
	report func(format string, args ...any)
}

// scan calls fn for the records of one kind, and reports what fn returns when
// it is about damage.
func (v *verifier) scan(kind byte, fn func(key, value []byte) error) (n uint64, err error) {
	prefix := kindPrefix(v.c.number, kind)
	err = v.s.r.Scan(prefix, prefixEnd(prefix), func(key, value []byte) error {
		if err := v.ctx.Err(); err != nil {
			return err
		}
		n++
		err := fn(key, value)
		if errors.Is(err, core.ErrCorrupt) {
			v.report("%v", err)
			return nil
		}
		return err
	})
	return n, err
}

func (v *verifier) ids() error {
	prefix := len(kindPrefix(v.c.number, kindID))
	n, err := v.scan(kindID, func(key, value []byte) error {
		id := string(key[prefix:])
		ord, err := decodeID(key, value)
		if err != nil {
			return err
		}
		doc, err := v.c.document(v.s.r, ord, true)
		switch {
		case isNotFound(err):
			v.report("id %.80q leads to ordinal %d, which has no document", id, ord)
		case err != nil:
			return err
		case doc.ID != id:
			v.report("id %.80q leads to the document of id %.80q", id, doc.ID)
		}
		return nil
	})
	if err == nil && n != uint64(v.s.Len()) {
		v.report("there are %d ids, %d documents are counted", n, v.s.Len())
	}
	return err
}

func (v *verifier) documents() error {
	_, err := v.scan(kindDocument, func(key, value []byte) error {
		doc, err := decodeDocument(key, value)
		if err != nil {
			return err
		}
		ord, err := v.c.ord(v.s.r, doc.ID)
		if err == nil && ord != ordOf(key) {
			v.report("the document of id %.80q at ordinal %d is not the one that the id leads to", doc.ID, ordOf(key))
		}
		return err
	})
	return err
}

func (v *verifier) vectors() error {
	n, err := v.scan(kindVector, func(key, value []byte) error {
		_, err := decodeVector(kindVector, key, value, v.c.Config().Dim)
		return err
	})
	if err == nil && n != uint64(v.s.Len()) {
		v.report("there are %d vectors, %d documents are counted", n, v.s.Len())
	}
	return err
}

// passages checks that each reading belongs to a document and has the vectors of
// its passages, and that there are no others.
func (v *verifier) passages() error {
	expected, cut := 0, 0
	readings, err := v.scan(kindReading, func(key, value []byte) error {
		x, err := decodeReading(key, value)
		if err != nil {
			return err
		}
		ord := ordOf(key)
		if _, err := v.s.r.Get(documentKey(v.c.number, ord)); err != nil {
			v.report("there is a reading at ordinal %d, which has no document", ord)
		}
		n := len(x.Passages)
		if n == 0 {
			return nil
		}
		expected, cut = expected+n, cut+1
		vectors, err := v.s.PassageVectors(ord, n)
		if err == nil && vectors == nil {
			v.report("the document at ordinal %d has none of its %d passages", ord, n)
		}
		return err
	})
	if err != nil {
		return err
	}
	have, err := v.scan(kindPassage, func(key, value []byte) error {
		_, err := decodeVector(kindPassage, key, value, v.c.Config().Dim)
		return err
	})
	if n := v.s.n; err == nil && (int(have) != expected || int(n.passages) != expected || uint64(n.readings) != readings || int(n.cut) != cut) {
		v.report("there are %d vectors of passages for %d passages of %d documents, %d readings; %d, %d and %d are counted", have, expected, cut, readings, n.passages, n.cut, n.readings)
	}
	return err
}

func (v *verifier) log() error {
	next := uint64(1)
	_, err := v.scan(kindLog, func(key, value []byte) error {
		ch, err := decodeChange(key, value)
		if err != nil {
			next++
			return err
		}
		if ch.Seq != next {
			v.report("the change log goes from %d to %d", next-1, ch.Seq)
		}
		next = ch.Seq + 1
		return nil
	})
	if err == nil && next != v.s.Seq()+1 {
		v.report("the change log ends at %d, the last change is %d", next-1, v.s.Seq())
	}
	return err
}
