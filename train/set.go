package train

import (
	"cmp"
	"maps"
	"math/rand/v2"
	"slices"

	"github.com/vecdb/vecdb/internal/core"
)

// Bounds of what is learnt from.
const (
	// MaxExamples is how many examples a head learns from; of more it takes a
	// sample with the same share of each label.
	MaxExamples = 50_000
	// MaxLabels is how many labels a head tells apart.
	MaxLabels = 2_000
	// maxWeights bounds the numbers of a linear head.
	maxWeights = 32 << 20
	// maxTerms bounds the vocabulary.
	maxTerms = 1 << 20
	// rareBelow is the number of examples from which on terms that only one of
	// them has are left out.
	rareBelow = 1_000
)

// set is examples made ready for learning.
type set struct {
	labels []string
	rows   []*row // the examples
	names  []*row // the names of the labels, where they are used
	words  *vocabulary
	dim    int
}

// newSet makes examples ready. It returns an error that matches core.ErrInvalid
// when there is nothing to tell apart.
func newSet(examples []Example, o Options) (*set, error) {
	number := make(map[string]int)
	for _, e := range examples {
		number[e.Label]++
	}
	switch {
	case len(number) == 0:
		return nil, core.Invalid("/label_field", "add documents with labels", "there are no labelled documents to learn from")
	case len(number) == 1:
		return nil, core.Invalid("/label_field", "add documents with another label", "all labelled documents have the same label, there is nothing to tell apart")
	case len(number) > MaxLabels:
		return nil, core.Invalid("/label_field", "use the method neighbors", "there are %d labels, a head tells up to %d apart", len(number), MaxLabels)
	}
	s := &set{labels: slices.Sorted(maps.Keys(number))}
	for i, label := range s.labels {
		number[label] = i
	}
	examples = sample(examples, MaxExamples, o.Seed)
	counts := make([]map[uint64]int, len(examples))
	for i, e := range examples {
		counts[i] = countTerms(e.Text)
		s.dim = max(s.dim, len(e.Vector))
	}
	least := 1
	if len(examples) >= rareBelow {
		least = 2
	}
	s.words = newVocabulary(counts, least, min(maxTerms, maxWeights/len(s.labels)))
	for i, e := range examples {
		s.rows = append(s.rows, &row{terms: s.words.describe(counts[i]), vector: unit(e.Vector, s.dim), label: number[e.Label], weight: 1})
	}
	if s.useNames(o.Names) {
		for i, label := range s.labels {
			if name, ok := NameOf(label); ok && len(o.Names[label]) == s.dim {
				s.names = append(s.names, &row{terms: s.words.describe(countTerms(name)), vector: unit(o.Names[label], s.dim), label: i, weight: 1})
			}
		}
	}
	return s, nil
}

// sample returns at most n examples as Sample does.
func sample(examples []Example, n int, seed uint64) []Example {
	if len(examples) <= n {
		return examples
	}
	labels := make([]string, len(examples))
	for i, e := range examples {
		labels[i] = e.Label
	}
	out := make([]Example, 0, n)
	for _, i := range Sample(labels, n, seed) {
		out = append(out, examples[i])
	}
	return out
}

// Sample returns the places of at most n of the labels, in ascending order,
// with about the same share of each, and of each one at least where there is
// room.
func Sample(labels []string, n int, seed uint64) []int {
	order := stratify(len(labels), func(i int) string { return labels[i] }, seed)
	order = order[:min(n, len(order))]
	slices.Sort(order)
	return order
}

// stratify returns an order of n things of which each beginning holds about the
// same share of each label, by chance otherwise.
func stratify[L cmp.Ordered](n int, label func(int) L, seed uint64) []int {
	rng := rand.New(rand.NewPCG(seed, 2))
	total := make(map[L]int)
	for i := range n {
		total[label(i)]++
	}
	seen := make(map[L]int)
	at := make([]float64, n)
	order := rng.Perm(n)
	for _, i := range order {
		l := label(i)
		at[i] = (float64(seen[l]) + rng.Float64()*0.999) / float64(total[l])
		if seen[l] == 0 { // the first of each label come early
			at[i] /= 1e3
		}
		seen[l]++
	}
	slices.SortFunc(order, func(a, b int) int { return cmp.Or(cmp.Compare(at[a], at[b]), cmp.Compare(a, b)) })
	return order
}

// folds gives each row the number of the fold that holds it out, so that each
// fold has about the same share of each label.
func (s *set) folds(n int, seed uint64) []int {
	rng := rand.New(rand.NewPCG(seed, 3))
	out := make([]int, len(s.rows))
	next := make([]int, len(s.labels))
	for i := range next {
		next[i] = rng.IntN(n)
	}
	for _, i := range rng.Perm(len(s.rows)) {
		l := s.rows[i].label
		out[i] = next[l] % n
		next[l]++
	}
	return out
}
