package query

import (
	"encoding/base64"
	"encoding/binary"
	"encoding/json"
	"fmt"
	"hash/crc32"
	"hash/fnv"
	"math"
	"slices"
	"time"

	"github.com/vecdb/vecdb/internal/core"
)

// MaxDepth is how many hits, or groups, the pages of one search can have
// together.
const MaxDepth = MaxLimit

// A cursor is the base64 of cursorVersion, what kind of query it continues, a
// hash of that query, where to go on, and the CRC-32C of all that.
const cursorVersion = 1

// The kinds of cursors.
const (
	cursorSeen   = 's' // a search: the documents of the pages before
	cursorRest   = 'r' // a search in the order of fields: the documents of the pages to come
	cursorGroups = 'g' // a search in groups: the groups of the pages before
	cursorPlace  = 'p' // a list: the last document with the values that order it
	cursorID     = 'i' // a list in the order of ids: the last id
)

// cursor says where a query goes on.
type cursor struct {
	kind   byte
	query  uint64     // hash of the query that it belongs to
	ords   []core.Ord // rising
	values []any
}

var castagnoli = crc32.MakeTable(crc32.Castagnoli)

// text returns the cursor as it is told to callers.
func (c cursor) text() string {
	b := binary.LittleEndian.AppendUint64([]byte{cursorVersion, c.kind}, c.query)
	b = binary.AppendUvarint(b, uint64(len(c.ords)))
	last := core.Ord(0)
	for _, ord := range c.ords {
		b = binary.AppendUvarint(b, uint64(ord-last))
		last = ord
	}
	b = binary.AppendUvarint(b, uint64(len(c.values)))
	for _, v := range c.values {
		b = appendValue(b, v)
	}
	b = binary.LittleEndian.AppendUint32(b, crc32.Checksum(b, castagnoli))
	return base64.RawURLEncoding.EncodeToString(b)
}

// appendValue appends a kind and a value.
func appendValue(b []byte, v any) []byte {
	switch v := v.(type) {
	case bool:
		return append(b, 'b', byte(truth(v)))
	case int64:
		return binary.LittleEndian.AppendUint64(append(b, 'n'), uint64(v))
	case float64:
		return binary.LittleEndian.AppendUint64(append(b, 'f'), math.Float64bits(v))
	case string:
		return append(binary.AppendUvarint(append(b, 's'), uint64(len(v))), v...)
	case time.Time:
		return binary.LittleEndian.AppendUint32(binary.LittleEndian.AppendUint64(append(b, 't'), uint64(v.Unix())), uint32(v.Nanosecond()))
	}
	return append(b, '0')
}

// parseCursor reads what text has written. It refuses what is damaged, and what
// belongs to another query; kinds are those that continue the query.
func parseCursor(text string, query uint64, kinds ...byte) (cursor, error) {
	const hint = "use the cursor of the page before, unchanged, or leave it out to begin at the first page"
	b, err := base64.RawURLEncoding.DecodeString(text)
	if err != nil || len(b) < 14 {
		return cursor{}, core.Invalid("/cursor", hint, "the cursor is damaged, or none of ours")
	}
	body, sum := b[:len(b)-4], binary.LittleEndian.Uint32(b[len(b)-4:])
	if crc32.Checksum(body, castagnoli) != sum {
		return cursor{}, core.Invalid("/cursor", hint, "the cursor is damaged, or none of ours")
	}
	c := cursor{kind: body[1], query: binary.LittleEndian.Uint64(body[2:])}
	switch {
	case body[0] != cursorVersion:
		return cursor{}, core.Invalid("/cursor", "begin at the first page", "the cursor is of another version of vecdb")
	case c.query != query || !slices.Contains(kinds, c.kind):
		return cursor{}, core.Invalid("/cursor", "send the query of the page before, in which the limit alone may change", "the cursor belongs to another query")
	}
	if c.ords, c.values, err = readPlaces(body[10:]); err != nil {
		return cursor{}, core.Invalid("/cursor", hint, "the cursor is damaged: %v", err)
	}
	return c, nil
}

// readPlaces reads ordinals and values.
func readPlaces(b []byte) (ords []core.Ord, values []any, err error) {
	r := cursorReader{rest: b}
	last := core.Ord(0)
	for range r.uvarint() {
		if last += core.Ord(r.uvarint()); r.short {
			break
		}
		ords = append(ords, last)
	}
	for range r.uvarint() {
		if values = append(values, r.value()); r.short {
			break
		}
	}
	if r.short || len(r.rest) > 0 {
		return nil, nil, fmt.Errorf("it has the wrong length")
	}
	return ords, values, nil
}

// cursorReader reads numbers and values until there are no more.
type cursorReader struct {
	rest  []byte
	short bool // something was not there
}

func (r *cursorReader) bytes(n uint64) []byte {
	if r.short || n > uint64(len(r.rest)) {
		r.short = true
		return make([]byte, min(n, 16))
	}
	b := r.rest[:n]
	r.rest = r.rest[n:]
	return b
}

func (r *cursorReader) uvarint() uint64 {
	v, n := binary.Uvarint(r.rest)
	if r.short || n <= 0 {
		r.short = true
		return 0
	}
	r.rest = r.rest[n:]
	return v
}

func (r *cursorReader) value() any {
	switch r.bytes(1)[0] {
	case 'b':
		return r.bytes(1)[0] == 1
	case 'n':
		return int64(binary.LittleEndian.Uint64(r.bytes(8)))
	case 'f':
		return math.Float64frombits(binary.LittleEndian.Uint64(r.bytes(8)))
	case 's':
		return string(r.bytes(r.uvarint()))
	case 't':
		second := int64(binary.LittleEndian.Uint64(r.bytes(8)))
		return time.Unix(second, int64(binary.LittleEndian.Uint32(r.bytes(4)))).UTC()
	}
	return nil
}

// hashQuery returns the hash of a query that its cursors carry. Vectors go
// beside the rest, which is quicker than as JSON.
func (e *Engine) hashQuery(kind string, rest any, vector []float32) (uint64, error) {
	data, err := json.Marshal(rest)
	if err != nil {
		return 0, fmt.Errorf("hash a query: %w", err)
	}
	sum := fnv.New64a()
	for _, v := range vector {
		data = binary.LittleEndian.AppendUint32(data, math.Float32bits(v))
	}
	_, _ = fmt.Fprintf(sum, "%s\x00%s\x00", kind, e.source.Identity()) // it takes everything
	_, _ = sum.Write(data)
	return sum.Sum64(), nil
}

// hash returns the hash of what a request looks for: of all but the page, and
// how it is shown.
func (e *Engine) hash(kind string, r Request) (uint64, error) {
	vector := r.Vector
	r.Vector, r.Limit, r.Cursor, r.Fields, r.WithVector, r.Explain, r.Highlight, r.Facets = nil, 0, "", nil, false, false, "", nil
	return e.hashQuery(kind, r, vector)
}

// IDCursor returns the cursor of a list in the order of ids that goes on behind
// an id; identity tells the collection from others. It is "" for "".
func IDCursor(identity, id string) string {
	if id == "" {
		return ""
	}
	return cursor{kind: cursorID, query: hashIdentity(identity), values: []any{id}}.text()
}

// ParseIDCursor returns the id of an IDCursor, "" for "". Errors are
// *core.InputError with the pointer "/cursor".
func ParseIDCursor(identity, text string) (string, error) {
	if text == "" {
		return "", nil
	}
	c, err := parseCursor(text, hashIdentity(identity), cursorID)
	if err != nil {
		return "", err
	}
	if len(c.values) != 1 {
		return "", core.Invalid("/cursor", "begin at the first page", "the cursor is damaged")
	}
	id, _ := c.values[0].(string)
	return id, nil
}

func hashIdentity(identity string) uint64 {
	sum := fnv.New64a()
	_, _ = sum.Write([]byte(identity)) // it takes everything
	return sum.Sum64()
}
