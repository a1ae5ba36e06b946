package vecdb

import (
	"bytes"
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"

	"github.com/vecdb/vecdb/index/snapshot"
	"github.com/vecdb/vecdb/internal/core"
	"github.com/vecdb/vecdb/train"
)

// headsForm is the file that keeps the heads of a collection. Its body holds for
// each head the lengths of its keptHead as JSON and of the head itself (uint32,
// little-endian) with both.
var headsForm = keptForm{suffix: ".heads", magic: "vecdb heads 1\n", what: "heads"}

// keptHead is what the file tells about a head beside itself.
type keptHead struct {
	Field   string        `json:"field"`
	Version int           `json:"version"`
	State   uint64        `json:"state"`
	Mark    snapshot.Mark `json:"mark"`
	Why     string        `json:"why,omitempty"`
}

// save writes all heads for the next start.
func (t *trainer) save() error {
	if !t.c.db.snapshots.keeps() {
		return nil
	}
	body, err := t.encode()
	if err != nil {
		return err
	}
	return t.c.db.snapshots.keep(t.c.stored.Number(), headsForm, body)
}

func (t *trainer) encode() ([]byte, error) {
	t.mu.RLock()
	defer t.mu.RUnlock()
	var out bytes.Buffer
	for field, have := range t.heads {
		about, err := json.Marshal(keptHead{field, have.version, have.state, have.mark, have.why})
		if err != nil {
			return nil, err
		}
		var head bytes.Buffer
		if have.head != nil {
			if _, err := have.head.WriteTo(&head); err != nil {
				return nil, err
			}
		}
		for _, part := range []any{uint32(len(about)), uint32(head.Len()), about, head.Bytes()} {
			if err := binary.Write(&out, binary.LittleEndian, part); err != nil {
				return nil, err
			}
		}
	}
	return out.Bytes(), nil
}

// restore brings back the heads of an earlier run. What cannot be used is
// trained again.
func (t *trainer) restore() {
	heads, err := t.load()
	switch {
	case errors.Is(err, fs.ErrNotExist):
	case err != nil:
		t.logger.Warn("the kept heads cannot be used, they will be trained again", "error", err)
	default:
		t.heads = heads
	}
}

// load reads the file and checks that it belongs to the collection.
func (t *trainer) load() (map[string]trained, error) {
	body, err := t.c.db.snapshots.kept(t.c.stored.Number(), headsForm)
	if err != nil {
		return nil, err
	}
	heads, err := decodeHeads(body)
	if err != nil {
		return nil, err
	}
	for field, have := range heads {
		want, err := markOf(t.c.stored, have.mark.Seq)
		if err != nil || want != have.mark {
			return nil, fmt.Errorf("the head of %s belongs to another history of the collection: %w", field, core.ErrCorrupt)
		}
	}
	return heads, nil
}

func decodeHeads(body []byte) (map[string]trained, error) {
	heads := make(map[string]trained)
	for len(body) > 0 {
		if len(body) < 8 {
			return nil, fmt.Errorf("the file of heads is cut short: %w", core.ErrCorrupt)
		}
		about, head := uint64(binary.LittleEndian.Uint32(body)), uint64(binary.LittleEndian.Uint32(body[4:]))
		body = body[8:]
		if about+head > uint64(len(body)) {
			return nil, fmt.Errorf("the file of heads is cut short: %w", core.ErrCorrupt)
		}
		var k keptHead
		if err := json.Unmarshal(body[:about], &k); err != nil {
			return nil, fmt.Errorf("the file of heads: %w: %w", err, core.ErrCorrupt)
		}
		have := trained{version: k.Version, state: k.State, mark: k.Mark, why: k.Why}
		if head > 0 {
			var err error
			if have.head, err = train.Read(body[about : about+head]); err != nil {
				return nil, err
			}
		}
		heads[k.Field], body = have, body[about+head:]
	}
	return heads, nil
}

// verify reports a file of heads that cannot be used.
func (t *trainer) verify(report func(string)) {
	if _, err := t.load(); err != nil && !errors.Is(err, fs.ErrNotExist) {
		report(fmt.Sprintf("collection %s: %v; the heads are trained again at the next change of labels, or with: vecdb train", t.c.Name(), err))
	}
}
