package train

import (
	"cmp"
	"math"
	"slices"
)

// vocabulary holds the terms that texts are described by. Feature 0 is the
// constant; term i is feature i+1.
type vocabulary struct {
	hashes []uint64 // of the terms, ascending
	idf    []float32
	ids    map[uint64]uint32
}

// term is a feature of a text with its weight.
type term struct {
	id     uint32
	weight float32
}

// newVocabulary takes the terms that occur in least texts or more, and of these
// at most limit, those in most texts first.
func newVocabulary(texts []map[uint64]int, least, limit int) *vocabulary {
	df := make(map[uint64]int)
	for _, counts := range texts {
		for h := range counts {
			df[h]++
		}
	}
	v := &vocabulary{}
	for h, n := range df {
		if n >= least {
			v.hashes = append(v.hashes, h)
		}
	}
	if len(v.hashes) > limit {
		slices.SortFunc(v.hashes, func(a, b uint64) int { return cmp.Or(df[b]-df[a], cmp.Compare(a, b)) })
		v.hashes = v.hashes[:limit]
	}
	slices.Sort(v.hashes)
	v.idf = make([]float32, len(v.hashes))
	for i, h := range v.hashes {
		v.idf[i] = float32(math.Log(float64(1+len(texts))/float64(1+df[h])) + 1)
	}
	v.number()
	return v
}

// number makes the map from terms to features.
func (v *vocabulary) number() {
	v.ids = make(map[uint64]uint32, len(v.hashes))
	for i, h := range v.hashes {
		v.ids[h] = uint32(i + 1)
	}
}

// features is the number of features, the constant included.
func (v *vocabulary) features() int { return len(v.hashes) + 1 }

// describe returns the terms of a text that the vocabulary has, scaled to unit
// length, in ascending order of features.
func (v *vocabulary) describe(counts map[uint64]int) []term {
	terms := make([]term, 0, len(counts))
	var sum float64
	for h, n := range counts {
		id, known := v.ids[h]
		if !known {
			continue
		}
		w := (1 + math.Log(float64(n))) * float64(v.idf[id-1])
		sum += w * w
		terms = append(terms, term{id, float32(w)})
	}
	// Sums depend on the order in the last bits, maps have none.
	slices.SortFunc(terms, func(a, b term) int { return cmp.Compare(a.id, b.id) })
	for i := range terms {
		terms[i].weight /= float32(math.Sqrt(sum))
	}
	return terms
}
