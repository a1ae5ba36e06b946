package storage

import (
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"hash/crc32"
	"math"
	"time"

	"github.com/vecdb/vecdb/internal/core"
)

// Every record begins with a header of six bytes: the version of its layout,
// its kind, and a CRC-32C (Castagnoli, RFC 3720 B.4) over its key, the first
// two bytes and the body, little-endian. The key is part of the checksum so
// that a record that turns up under another key is found out.
const (
	recordVersion = 1
	headerBytes   = 6
)

var castagnoli = crc32.MakeTable(crc32.Castagnoli)

func checksum(key, head, body []byte) uint32 {
	sum := crc32.Update(0, castagnoli, key)
	sum = crc32.Update(sum, castagnoli, head)
	return crc32.Update(sum, castagnoli, body)
}

// seal returns body with its header. It works on a buffer that newRecord made
// and body was appended to.
func seal(key, record []byte) []byte {
	sum := checksum(key, record[:2], record[headerBytes:])
	binary.LittleEndian.PutUint32(record[2:], sum)
	return record
}

func newRecord(kind byte, capacity int) []byte {
	return append(make([]byte, 0, headerBytes+capacity), recordVersion, kind, 0, 0, 0, 0)
}

// open checks the header of a record and returns its body.
func open(kind byte, key, record []byte) ([]byte, error) {
	if len(record) < headerBytes {
		return nil, corrupt(key, "the record is cut short")
	}
	if record[0] != recordVersion {
		return nil, corrupt(key, fmt.Sprintf("the record has the unknown version %d", record[0]))
	}
	body := record[headerBytes:]
	if binary.LittleEndian.Uint32(record[2:]) != checksum(key, record[:2], body) {
		return nil, corrupt(key, "the checksum does not hold")
	}
	if record[1] != kind {
		return nil, corrupt(key, "the record is of another kind")
	}
	return body, nil
}

func corrupt(key []byte, what string) error {
	return fmt.Errorf("record %q: %s: %w", key, what, core.ErrCorrupt)
}

// encodeDocument writes id, text and fields; the vector has a record of its
// own.
func encodeDocument(key []byte, doc *core.Document) ([]byte, error) {
	fields := []byte("{}")
	if len(doc.Fields) > 0 {
		var err error
		if fields, err = json.Marshal(doc.Fields); err != nil {
			return nil, fmt.Errorf("encode fields of document %.80q: %w", doc.ID, err)
		}
	}
	r := newRecord(kindDocument, len(doc.ID)+len(doc.Text)+len(fields)+12)
	for _, part := range [][]byte{[]byte(doc.ID), []byte(doc.Text), fields} {
		r = binary.AppendUvarint(r, uint64(len(part)))
		r = append(r, part...)
	}
	return seal(key, r), nil
}

func decodeDocument(key, record []byte) (*core.Document, error) {
	body, err := open(kindDocument, key, record)
	if err != nil {
		return nil, err
	}
	var parts [3][]byte
	for i := range parts {
		n, used := binary.Uvarint(body)
		if used <= 0 || n > uint64(len(body)-used) {
			return nil, corrupt(key, "a length does not fit")
		}
		parts[i], body = body[used:used+int(n)], body[used+int(n):]
	}
	doc := &core.Document{ID: string(parts[0]), Text: string(parts[1])}
	if string(parts[2]) == "{}" {
		return doc, nil
	}
	fields, err := core.PlainJSON(parts[2])
	if err != nil {
		return nil, corrupt(key, "the fields are not JSON")
	}
	object, ok := fields.(map[string]any)
	if !ok {
		return nil, corrupt(key, "the fields are no JSON object")
	}
	doc.Fields = object
	return doc, nil
}

// encodeVector writes 32-bit floats, little-endian.
func encodeVector(kind byte, key []byte, v []float32) []byte {
	r := newRecord(kind, 4*len(v))
	for _, x := range v {
		r = binary.LittleEndian.AppendUint32(r, math.Float32bits(x))
	}
	return seal(key, r)
}

func decodeVector(kind byte, key, record []byte, dim int) ([]float32, error) {
	body, err := open(kind, key, record)
	if err != nil {
		return nil, err
	}
	if len(body) != 4*dim {
		return nil, corrupt(key, fmt.Sprintf("the vector has %d bytes, not %d", len(body), 4*dim))
	}
	v := make([]float32, dim)
	for i := range v {
		v[i] = math.Float32frombits(binary.LittleEndian.Uint32(body[4*i:]))
	}
	return v, nil
}

func encodeID(key []byte, ord core.Ord) []byte {
	return seal(key, binary.LittleEndian.AppendUint32(newRecord(kindID, 4), uint32(ord)))
}

func decodeID(key, record []byte) (core.Ord, error) {
	body, err := open(kindID, key, record)
	if err != nil {
		return core.NoOrd, err
	}
	if len(body) != 4 {
		return core.NoOrd, corrupt(key, "the ordinal has another length")
	}
	return core.Ord(binary.LittleEndian.Uint32(body)), nil
}

// withPassages marks the operation of a change that tells about passages.
const withPassages = 0x80

func encodeChange(key []byte, ch core.Change) []byte {
	r := append(newRecord(kindLog, 9+len(ch.ID)), byte(ch.Op))
	r = binary.LittleEndian.AppendUint32(r, uint32(ch.Ord))
	r = binary.LittleEndian.AppendUint32(r, uint32(ch.Old))
	if ch.Passages != 0 || ch.OldPassages != 0 {
		r[headerBytes] |= withPassages
		r = binary.LittleEndian.AppendUint32(r, uint32(ch.Passages))
		r = binary.LittleEndian.AppendUint32(r, uint32(ch.OldPassages))
	}
	return seal(key, append(r, ch.ID...))
}

func decodeChange(key, record []byte) (core.Change, error) {
	body, err := open(kindLog, key, record)
	if err != nil {
		return core.Change{}, err
	}
	if len(body) < 9 || len(key) < 8 {
		return core.Change{}, corrupt(key, "the change is cut short")
	}
	ch := core.Change{
		Seq: binary.BigEndian.Uint64(key[len(key)-8:]), Op: core.Op(body[0] &^ withPassages),
		Ord: core.Ord(binary.LittleEndian.Uint32(body[1:])), Old: core.Ord(binary.LittleEndian.Uint32(body[5:])),
	}
	rest := body[9:]
	if body[0]&withPassages != 0 {
		if len(rest) < 8 {
			return core.Change{}, corrupt(key, "the change is cut short")
		}
		ch.Passages, ch.OldPassages = int(binary.LittleEndian.Uint32(rest)), int(binary.LittleEndian.Uint32(rest[4:]))
		rest = rest[8:]
	}
	ch.ID = string(rest)
	return ch, nil
}

// encodeGenerations writes where the cache stands.
func encodeGenerations(key []byte, g generations) []byte {
	r := binary.LittleEndian.AppendUint32(newRecord(areaCache, 20), g.number)
	r = binary.LittleEndian.AppendUint64(r, uint64(g.bytes))
	return seal(key, binary.LittleEndian.AppendUint64(r, uint64(g.former)))
}

func decodeGenerations(key, record []byte) (generations, error) {
	body, err := open(areaCache, key, record)
	if err != nil {
		return generations{}, err
	}
	if len(body) != 20 {
		return generations{}, corrupt(key, "the numbers of the cache have another length")
	}
	return generations{number: binary.LittleEndian.Uint32(body), bytes: int64(binary.LittleEndian.Uint64(body[4:])), former: int64(binary.LittleEndian.Uint64(body[12:]))}, nil
}

// encodeJSON and decodeJSON hold the few records that are not on a hot path.
func encodeJSON(kind byte, key []byte, v any) ([]byte, error) {
	data, err := json.Marshal(v)
	if err != nil {
		return nil, err
	}
	return seal(key, append(newRecord(kind, len(data)), data...)), nil
}

func decodeJSON(kind byte, key, record []byte, v any) error {
	body, err := open(kind, key, record)
	if err != nil {
		return err
	}
	if err := json.Unmarshal(body, v); err != nil {
		return corrupt(key, "the settings are not JSON")
	}
	return nil
}

// storeMeta is the record about the whole store.
type storeMeta struct {
	Format  int       `json:"format"`
	Created time.Time `json:"created"`
}

// collectionMeta is the record about one collection.
type collectionMeta struct {
	Config
	Dropped bool `json:"dropped,omitempty"` // its records are being deleted
}

func isNotFound(err error) bool { return errors.Is(err, core.ErrNotFound) }
