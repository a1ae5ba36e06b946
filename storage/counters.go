package storage

import "encoding/binary"

// counters are a collection's running numbers; they are written with every
// group of changes.
type counters struct {
	seq      uint64 // number of the last change
	next     uint32 // next free ordinal
	count    uint32 // documents present
	readings uint32 // those of them that have a reading
	passages uint32 // vectors of passages
	cut      uint32 // documents that were cut into them
}

// vectors is how many vectors a search compares with.
func (c counters) vectors() int { return int(c.count - c.cut + c.passages) }

// plainCounters and longCounters are the lengths of the counters without and
// with what is about long documents.
const (
	plainCounters = 16
	longCounters  = 28
)

func encodeCounters(key []byte, c counters) []byte {
	r := binary.LittleEndian.AppendUint64(newRecord(kindCounters, longCounters), c.seq)
	r = binary.LittleEndian.AppendUint32(r, c.next)
	r = binary.LittleEndian.AppendUint32(r, c.count)
	if c.readings > 0 {
		for _, n := range []uint32{c.readings, c.passages, c.cut} {
			r = binary.LittleEndian.AppendUint32(r, n)
		}
	}
	return seal(key, r)
}

func decodeCounters(key, record []byte) (counters, error) {
	body, err := open(kindCounters, key, record)
	if err != nil {
		return counters{}, err
	}
	if len(body) != plainCounters && len(body) != longCounters {
		return counters{}, corrupt(key, "the counters have another length")
	}
	c := counters{seq: binary.LittleEndian.Uint64(body), next: binary.LittleEndian.Uint32(body[8:]), count: binary.LittleEndian.Uint32(body[12:])}
	if len(body) == longCounters {
		c.readings, c.passages, c.cut = binary.LittleEndian.Uint32(body[16:]), binary.LittleEndian.Uint32(body[20:]), binary.LittleEndian.Uint32(body[24:])
	}
	return c, nil
}
