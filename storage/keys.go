package storage

import (
	"encoding/binary"

	"github.com/vecdb/vecdb/internal/core"
)

// All keys begin with one byte that tells their area. Keys of a collection
// continue with its number (big-endian uint32), never its name, and a byte
// for the kind of record; numbers are big-endian so that keys sort by them.
// docs/file-format.md lists the records.
const (
	areaMeta       = 'm' // one record about the whole store
	areaCollection = 'c' // collection numbers and settings, by number
	areaData       = 'd' // everything inside collections
	areaCache      = 'k' // values that can be computed again
)

// The kinds of a collection's records.
const (
	kindCounters = 'a'
	kindCached   = 'k' // of the cache, not of a collection
	kindDocument = 'd'
	kindEvent    = 'e'
	kindFeedback = 'f'
	kindID       = 'i'
	kindLog      = 'l'
	kindReading  = 'p'
	kindPassage  = 'q'
	kindTally    = 't'
	kindVector   = 'v'
)

func metaKey() []byte { return []byte{areaMeta} }

func collectionKey(number uint32) []byte {
	return binary.BigEndian.AppendUint32([]byte{areaCollection}, number)
}

// cacheStateKey is where the cache notes its generations; it comes before all of
// their keys.
func cacheStateKey() []byte { return []byte{areaCache} }

// generationPrefix begins the keys of one generation of the cache.
func generationPrefix(generation uint32) []byte {
	return binary.BigEndian.AppendUint32([]byte{areaCache}, generation)
}

func cacheKey(generation uint32, hash *CacheKey) []byte {
	key := binary.BigEndian.AppendUint32(append(make([]byte, 0, 5+len(hash)), areaCache), generation)
	return append(key, hash[:]...)
}

// dataPrefix begins all keys of the records of one collection.
func dataPrefix(number uint32) []byte {
	return binary.BigEndian.AppendUint32([]byte{areaData}, number)
}

func kindPrefix(number uint32, kind byte) []byte { return append(dataPrefix(number), kind) }

func countersKey(number uint32) []byte { return kindPrefix(number, kindCounters) }

func documentKey(number uint32, ord core.Ord) []byte {
	return binary.BigEndian.AppendUint32(kindPrefix(number, kindDocument), uint32(ord))
}

func vectorKey(number uint32, ord core.Ord) []byte {
	return binary.BigEndian.AppendUint32(kindPrefix(number, kindVector), uint32(ord))
}

// readingKey is where it stands what was read of a long document.
func readingKey(number uint32, ord core.Ord) []byte {
	return binary.BigEndian.AppendUint32(kindPrefix(number, kindReading), uint32(ord))
}

// passageKey is where the vector of a passage is.
func passageKey(number uint32, ord core.Ord) []byte {
	return binary.BigEndian.AppendUint32(kindPrefix(number, kindPassage), uint32(ord))
}

func idKey(number uint32, id string) []byte { return append(kindPrefix(number, kindID), id...) }

func logKey(number uint32, seq uint64) []byte {
	return binary.BigEndian.AppendUint64(kindPrefix(number, kindLog), seq)
}

// tallyKey is where the running numbers of events are.
func tallyKey(number uint32) []byte { return kindPrefix(number, kindTally) }

// eventPrefix begins the keys of the events of one user.
func eventPrefix(number uint32, user string) []byte {
	return appendPart(kindPrefix(number, kindEvent), user)
}

// eventKey holds all that tells one event from another, so that events of one
// user lie together and the same event is stored once.
func eventKey(number uint32, e *core.Event) []byte {
	key := appendPart(appendPart(eventPrefix(number, e.User), e.Item), e.Action)
	return binary.BigEndian.AppendUint64(key, uint64(e.Time.UnixMicro()))
}

// feedbackPrefix begins the keys of the feedback on one answer.
func feedbackPrefix(number uint32, answer string) []byte {
	return appendPart(kindPrefix(number, kindFeedback), answer)
}

// feedbackKey holds all that tells one feedback from another.
func feedbackKey(number uint32, f *core.Feedback) []byte {
	key := appendPart(feedbackPrefix(number, f.Answer), f.Question)
	right := byte(0)
	if f.Right {
		right = 1
	}
	return binary.BigEndian.AppendUint64(append(key, right), uint64(f.Time.UnixMicro()))
}

// appendPart appends a string of at most 64 KiB with its length before it.
func appendPart(key []byte, part string) []byte {
	return append(binary.BigEndian.AppendUint16(key, uint16(len(part))), part...)
}

// cutPart reads what appendPart wrote at the beginning of rest, a part of key.
func cutPart(key, rest []byte) (part string, behind []byte, err error) {
	if len(rest) < 2 || len(rest)-2 < int(binary.BigEndian.Uint16(rest)) {
		return "", nil, corrupt(key, "a length does not fit")
	}
	n := 2 + int(binary.BigEndian.Uint16(rest))
	return string(rest[2:n]), rest[n:], nil
}

// ordOf reads the ordinal at the end of a document's or vector's key.
func ordOf(key []byte) core.Ord { return core.Ord(binary.BigEndian.Uint32(key[len(key)-4:])) }

// prefixEnd returns the first key behind all that begin with prefix.
func prefixEnd(prefix []byte) []byte {
	end := append([]byte(nil), prefix...)
	for i := len(end) - 1; i >= 0; i-- {
		if end[i] < 0xff {
			end[i]++
			return end[:i+1]
		}
	}
	return nil
}
