package embedder

import (
	"crypto/sha256"
	"encoding/binary"
	"fmt"
	"math"
)

// CacheKey is a SHA-256 over all that a vector depends on.
type CacheKey = [sha256.Size]byte

// Cache keeps what an Encoder has computed. It may forget anything at any time,
// and must not return a value that was not put under the key. It is safe for
// concurrent use.
type Cache interface {
	// Get returns the values under keys in their order, nil where there is none.
	Get(keys []CacheKey) [][]byte
	// Put keeps values, which the caller does not change afterwards.
	Put(keys []CacheKey, values [][]byte)
}

// UseCache makes the encoder look passages up in a cache before it computes them.
// The space names what the encoder does not know itself: model files, runtime and
// what else its vectors depend on. It is called before the first Embed. Queries
// are not kept: they are short, and seldom come again by the thousand.
func (e *Encoder) UseCache(c Cache, space string) {
	e.cache = c
	e.space = sha256.Sum256(fmt.Appendf(nil, "%q %d %d %q %q %q", space, e.cfg.Dim, e.cfg.MaxTokens, e.cfg.Pooling, e.cfg.QueryPrefix, e.cfg.PassagePrefix))
}

// kept is what a cache has of some texts. The zero value stands for texts that
// are not looked up.
type kept struct {
	keys    []CacheKey
	vectors [][]float32 // nil where there is none
	usage   []Usage
}

// lookUp asks the cache for distinct texts. It returns what that has, and the
// places of the texts that are to be embedded.
func (e *Encoder) lookUp(kind Kind, texts []string) (k kept, missing []int) {
	if e.cache != nil && kind == Passage {
		k = kept{keys: e.keys(kind, texts), vectors: make([][]float32, len(texts)), usage: make([]Usage, len(texts))}
		for i, value := range e.cache.Get(k.keys) {
			k.vectors[i], k.usage[i] = decodeCached(value, e.cfg.Dim)
		}
	}
	missing = make([]int, 0, len(texts))
	for i := range texts {
		if k.keys == nil || k.vectors[i] == nil {
			missing = append(missing, i)
		}
	}
	return k, missing
}

// keys hashes the space, the kind and each text.
func (e *Encoder) keys(kind Kind, texts []string) []CacheKey {
	keys := make([]CacheKey, len(texts))
	var b []byte
	for i, text := range texts {
		b = append(append(append(b[:0], e.space[:]...), byte(kind)), text...)
		keys[i] = sha256.Sum256(b)
	}
	return keys
}

// keep puts the vectors of texts that were missing into the cache.
func (e *Encoder) keep(k kept, missing []int) {
	keys, values := make([]CacheKey, len(missing)), make([][]byte, len(missing))
	for j, i := range missing {
		keys[j], values[j] = k.keys[i], encodeCached(k.vectors[i], k.usage[i])
	}
	e.cache.Put(keys, values)
}

// encodeCached writes both counts of tokens (uint32) and the numbers (IEEE 754
// binary32), little-endian.
func encodeCached(v []float32, u Usage) []byte {
	b := binary.LittleEndian.AppendUint32(make([]byte, 0, 8+4*len(v)), uint32(u.Total))
	b = binary.LittleEndian.AppendUint32(b, uint32(u.Used))
	for _, x := range v {
		b = binary.LittleEndian.AppendUint32(b, math.Float32bits(x))
	}
	return b
}

// decodeCached returns nil for a value that cannot be a vector of dim numbers.
func decodeCached(b []byte, dim int) ([]float32, Usage) {
	if len(b) != 8+4*dim {
		return nil, Usage{}
	}
	u := Usage{Total: int(binary.LittleEndian.Uint32(b)), Used: int(binary.LittleEndian.Uint32(b[4:]))}
	v := make([]float32, dim)
	for i := range v {
		v[i] = math.Float32frombits(binary.LittleEndian.Uint32(b[8+4*i:]))
	}
	return v, u
}
