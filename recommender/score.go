package recommender

import (
	"cmp"
	"math"
	"slices"
)

const (
	// recency is after how many later items one of a history counts half, and
	// lasting the same for what the texts of the liked items are like.
	recency = 6
	lasting = 50
	// textShare is what the likeness of texts weighs beside the other items,
	// both in standard deviations.
	textShare = 0.2
	// expansion is what the items that others speak for weigh in the profile
	// beside those of the history, and expandBy how many of them.
	expansion = 3
	expandBy  = 200
	// coldShare is the score of the likest item without events, as a share of
	// that of the coldRank-th item with events.
	coldShare = 0.6
	coldRank  = 20
	// pool is how many items are compared by their texts too.
	pool = 400
)

// Liked is an item that a user likes.
type Liked struct {
	Item string
	// Weight is how much, from 0 to 1.
	Weight float32
	// Vector is that of the item's document; it is used where the model does not
	// know the item, and may be nil.
	Vector []float32
}

// Candidate is an item with its score and what it is made of.
type Candidate struct {
	Item  string
	Score float32
	// Items and Text are what other items and the likeness of texts add to the
	// score. Both are 0 for an item that is merely popular.
	Items, Text float32
}

// Reason is an item of the history that speaks for another one.
type Reason struct {
	Item  string
	Share float32 // of all that speaks for it, from 0 to 1
}

// Scores are the scores of all items for one history.
type Scores struct {
	m       *Model
	history []known
	pair    []float32 // by item, what the history adds up to
	spread  float32   // standard deviation of pair
	profile []float32 // what the texts of liked items are like, of unit length; nil where there is none
	like    float32   // standard deviation of the cosines with the profile
	base    float32   // the score of the likest item without events
}

// known is an item of a history that the model knows.
type known struct {
	item  uint32
	value float32
}

// Score scores all items for what a user likes, the oldest first. With ordered,
// the later items count more. It returns nil when the model can tell nothing
// from that.
func (m *Model) Score(liked []Liked, ordered bool) *Scores {
	s := &Scores{m: m, pair: make([]float32, len(m.items))}
	profile, slow := make([]float32, m.dim), make([]float32, len(m.items))
	any := false
	for i := range liked {
		x := &liked[i]
		fast, weight := x.Weight, x.Weight
		if later := float64(len(liked) - 1 - i); ordered {
			fast *= float32(math.Exp2(-later / recency))
			weight *= float32(math.Exp2(-later / lasting))
		}
		if n, there := m.number[x.Item]; there {
			s.history = append(s.history, known{n, fast})
			m.addVector(profile, n, weight)
			to, weights := m.row(n)
			for k, j := range to {
				s.pair[j] += fast * weights[k]
				slow[j] += weight * weights[k]
			}
			any = true
		} else if len(x.Vector) == m.dim && m.dim > 0 {
			for k, v := range m.centered(x.Vector) {
				profile[k] += weight * v
			}
			any = true
		}
	}
	if !any {
		return nil
	}
	for _, i := range strongest(slow, expandBy) {
		if slow[i] > 0 {
			m.addVector(profile, i, expansion*slow[i])
		}
	}
	s.setProfile(profile)
	if s.spread = deviation(s.pair); s.spread > 0 {
		top := strongest(s.pair, coldRank)
		s.base = coldShare * max(s.pair[top[len(top)-1]], 0) / s.spread
	}
	return s
}

// setProfile keeps the profile with unit length, and how cosines with it spread.
func (s *Scores) setProfile(profile []float32) {
	length := norm(profile)
	if length < 1e-6 {
		return
	}
	scaled(profile, 1/length)
	s.profile = profile
	const sample = 200
	var some []float32
	for i := 0; i < len(s.m.items); i += max(1, len(s.m.items)/sample) {
		some = append(some, s.m.cosine(uint32(i), profile))
	}
	s.like = deviation(some)
}

// deviation returns the standard deviation of numbers.
func deviation(list []float32) float32 {
	var sum, squares float64
	for _, x := range list {
		sum += float64(x)
		squares += float64(x) * float64(x)
	}
	n := max(float64(len(list)), 1)
	return float32(math.Sqrt(max(squares/n-(sum/n)*(sum/n), 0)))
}

// strongest returns the places of the n highest numbers, the highest first, equal
// ones in their order.
func strongest(list []float32, n int) []uint32 {
	// A bound that about n of them reach saves sorting all, and numbers that have
	// the order wanted are sorted without calls.
	best := make([]uint64, 0, 2*n)
	bound := float32(math.Inf(-1))
	for i, x := range list {
		if x <= bound {
			continue
		}
		best = append(best, falling(x)<<32|uint64(i))
		if len(best) == 2*n {
			slices.Sort(best)
			best = best[:n]
			bound = list[uint32(best[n-1])]
		}
	}
	slices.Sort(best)
	out := make([]uint32, min(n, len(best)))
	for i := range out {
		out[i] = uint32(best[i])
	}
	return out
}

// falling returns a number of 32 bits that is the less the higher x is.
func falling(x float32) uint64 {
	bits := math.Float32bits(x + 0) // a zero has one sign
	if bits>>31 == 0 {
		bits = ^bits &^ (1 << 31)
	}
	return uint64(bits)
}

// Best returns the n items that score highest, best first.
func (s *Scores) Best(n int) []Candidate {
	list := strongest(s.pair, max(n, pool))
	out := make([]Candidate, len(list))
	for k, i := range list {
		out[k] = s.candidate(i)
	}
	slices.SortStableFunc(out, func(a, b Candidate) int { return cmp.Compare(b.Score, a.Score) })
	return out[:min(n, len(out))]
}

// Len returns the number of items that have scores.
func (s *Scores) Len() int { return len(s.pair) }

// Of returns the score of an item that the model knows.
func (s *Scores) Of(item string) (Candidate, bool) {
	i, there := s.m.number[item]
	if !there {
		return Candidate{}, false
	}
	return s.candidate(i), true
}

func (s *Scores) candidate(i uint32) Candidate {
	c := Candidate{Item: s.m.items[i]}
	if s.spread > 0 {
		c.Items = s.pair[i] / s.spread
	}
	if s.profile != nil && s.like > 0 {
		c.Text = textShare * s.m.cosine(i, s.profile) / s.like
	}
	c.Score = c.Items + c.Text
	return c
}

// Profile returns the direction in which the liked texts lie from the mean of
// all, for a search by inner product; nil where no text is liked. The caller
// must not change it.
func (s *Scores) Profile() []float32 { return s.profile }

// Cold returns the cosine of the profile with the vector of a document less the
// mean, which is what a document without events is judged by.
func (s *Scores) Cold(vector []float32) float32 {
	if s.profile == nil || len(vector) != s.m.dim {
		return 0
	}
	var sum float32
	for k, x := range s.m.centered(vector) {
		sum += x * s.profile[k]
	}
	return sum
}

// ColdScore returns the score of a document without events with that cosine,
// where best is the highest cosine among such documents.
func (s *Scores) ColdScore(cosine, best float32) Candidate {
	scale := s.base
	if scale == 0 {
		scale = 1 // nothing else has a score
	}
	score := scale * cosine / max(best, 1e-6)
	return Candidate{Score: score, Text: score}
}

// Because returns the items of the history that speak for an item, the most
// telling first, at most n.
func (s *Scores) Because(item string, n int) []Reason {
	target, there := s.m.number[item]
	if !there {
		return nil
	}
	var out []Reason
	sum := float32(0)
	for _, x := range s.history {
		to, weights := s.m.row(x.item)
		if at, found := slices.BinarySearch(to, target); found && x.value*weights[at] > 0 {
			out = append(out, Reason{Item: s.m.items[x.item], Share: x.value * weights[at]})
			sum += x.value * weights[at]
		}
	}
	slices.SortStableFunc(out, func(a, b Reason) int { return cmp.Compare(b.Share, a.Share) })
	out = out[:min(n, len(out))]
	for i := range out {
		out[i].Share /= sum
	}
	return out
}

// LikeIt returns the items of the history whose texts are most like a document
// with that vector, the likest first, at most n, with their cosines as shares.
func (s *Scores) LikeIt(vector []float32, n int) []Reason {
	if len(vector) != s.m.dim || s.m.dim == 0 {
		return nil
	}
	v := s.m.centered(vector)
	var out []Reason
	for _, x := range s.history {
		if cosine := s.m.cosine(x.item, v); x.value > 0 && cosine > 0 {
			out = append(out, Reason{Item: s.m.items[x.item], Share: cosine})
		}
	}
	slices.SortStableFunc(out, func(a, b Reason) int { return cmp.Compare(b.Share, a.Share) })
	return out[:min(n, len(out))]
}
