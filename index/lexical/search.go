package lexical

import (
	"cmp"
	"context"
	"math"
	"math/bits"
	"slices"
	"strings"

	"github.com/vecdb/vecdb/index"
	"github.com/vecdb/vecdb/internal/core"
)

// MaxQueryTerms is how many distinct terms of a query count; of more, those
// that the fewest documents hold.
const MaxQueryTerms = 256

// MaxQueryBytes is how much of a query is read, from its beginning: some fifty
// times what models read. More would take a second a megabyte.
const MaxQueryBytes = 128 << 10

// patience is how many pages a search goes through before it looks at its
// context again.
const patience = 64

// fewCandidates is up to how many allowed documents of a page are scored one by
// one rather than by going through the postings.
const fewCandidates = 64

// scanFactor is up to how many postings of a term are gone through for each
// document that may be among them, rather than looked up.
const scanFactor = 8

// slack widens upper bounds by more than what rounding can take from a score.
const slack = 1 + 1e-9

// Query is a text that was looked up in an index. It holds what the index
// looked like at that moment and is used for a few searches at once.
type Query struct {
	x     *Index
	lists []list
	base  float64 // with perToken, the part of the length in the score
	per   float64
	bound float64
}

// list is a term of a query.
type list struct {
	*postings
	term   string
	weight float64 // inverse document frequency times occurrences in the query, times k1+1
}

// Prepare looks up the terms of text, of which it reads up to MaxQueryBytes.
func (x *Index) Prepare(text string) *Query {
	if len(text) > MaxQueryBytes {
		text = strings.ToValidUTF8(text[:MaxQueryBytes], "")
	}
	counts, _ := count(text)
	q := &Query{x: x}
	n := float64(max(1, x.docs.Load()))
	mean := max(1, float64(x.tokens.Load())/n)
	q.base, q.per = k1*(1-b), k1*b/mean
	x.dictMu.RLock()
	for _, c := range counts {
		if t := x.dict[c.term]; t != nil {
			df := min(float64(t.df.Load()), n)
			weight := math.Log(1+(n-df+0.5)/(df+0.5)) * float64(c.count) * (k1 + 1)
			q.lists = append(q.lists, list{postings: t.view.Load(), term: t.text, weight: weight})
		}
	}
	x.dictMu.RUnlock()
	slices.SortStableFunc(q.lists, func(a, b list) int { return cmp.Compare(len(a.ords), len(b.ords)) })
	q.lists = q.lists[:min(len(q.lists), MaxQueryTerms)]
	for _, l := range q.lists {
		q.bound += l.weight
	}
	return q
}

// Bound is what no document's score can reach: that of one in which each known
// term of the query occurs without end. It is 0 when the index knows none.
func (q *Query) Bound() float64 { return q.bound }

// score is what a term that occurs count times in a document of that length
// adds to its score.
func (q *Query) score(l *list, count uint8, length uint32) float64 {
	return l.weight * float64(count) / (float64(count) + q.base + q.per*float64(length))
}

// scratch is what a search works with.
type scratch struct {
	sums    [pageLen]float64
	allowed bitmap
	cursors []cursor
	found   []candidate
	gaps    bool       // the documents of some postings in the page may not be there any more
	known   []core.Ord // rising; scored before the search
}

// candidate is a document of the present page that may belong to the best.
type candidate struct {
	sum   float64 // of the terms looked up so far
	place uint32  // in the page
}

// bitmap marks the documents of a page.
type bitmap [pageLen / 64]uint64

// cursor is a term on its way through the pages.
type cursor struct {
	*list
	dense  bool
	lo, hi int     // its postings in the present page; of a dense term with some before and behind until they are accumulated
	bound  float64 // of its part of a score in the present page
	rest   float64 // of the parts of this term and all before it
}

// Search returns the documents that hold a term of the query, best first. Of o
// it heeds K, which is at least 1, and Allow. Equal scores come in ascending
// order of ordinals. The only error is ctx's.
func (q *Query) Search(ctx context.Context, o index.Options) ([]index.Neighbor, error) {
	found, _, err := q.SearchKnowing(ctx, o, nil)
	return found, err
}

// SearchKnowing is Search that also returns the scores of the documents under
// known, which rise and are allowed, as Scores does. The better these are, the more
// of the others it passes over.
func (q *Query) SearchKnowing(ctx context.Context, o index.Options, known []core.Ord) (found []index.Neighbor, scores []float32, err error) {
	top := index.Top{K: o.K}
	scores = q.Scores(known)
	for i, score := range scores {
		if score > 0 {
			top.Offer(index.Neighbor{Ord: known[i], Score: score})
		}
	}
	s := q.x.pool.Get().(*scratch)
	defer q.x.pool.Put(s)
	s.cursors, s.known = s.cursors[:0], known
	defer func() { s.known = nil }()
	for i := range q.lists {
		s.cursors = append(s.cursors, cursor{list: &q.lists[i], dense: q.lists[i].dense()})
	}
	var allow *core.Cursor
	if o.Allow != nil {
		allow = o.Allow.Cursor()
	}
	ps := *q.x.pages.Load()
	for i := 0; i < len(ps); i++ {
		if i%patience == patience-1 && ctx.Err() != nil {
			return nil, nil, ctx.Err()
		}
		p := ps[i].page.Load()
		first := core.Ord(i) * pageLen
		if p == nil || (allow != nil && !allow.Fill(s.allowed[:], first)) {
			continue
		}
		s.gaps = ps[i].gaps.Load()
		q.page(s, p, first, allow != nil, &top)
	}
	return top.Sorted(), scores, ctx.Err()
}

// Scores returns what Search would score the documents under ords, which rise: 0
// for one that holds no term of the query or is not there.
func (q *Query) Scores(ords []core.Ord) []float32 {
	ps := *q.x.pages.Load()
	sums := make([]float64, len(ords))
	for i := range q.lists {
		l, at := &q.lists[i], 0
		for j, ord := range ords {
			if at = l.seek(at, ord); at == len(l.ords) {
				break
			}
			if p := ps.page(ord); p != nil && l.ords[at] == ord {
				sums[j] += q.score(l, l.counts[at], l.length(at, p))
			}
		}
	}
	scores := make([]float32, len(ords))
	for i, ord := range ords {
		if sums[i] > 0 && ps.holds(ord) {
			scores[i] = float32(sums[i])
		}
	}
	return scores
}

// page offers the documents of a page to top.
func (q *Query) page(s *scratch, p *page, first core.Ord, filtered bool, top *index.Top) {
	s.advance(q, first)
	least := float64(top.Worst())
	essential := 0 // from which cursor on postings are gone through
	for essential < len(s.cursors) && s.cursors[essential].rest*slack < least {
		essential++
	}
	if essential == len(s.cursors) {
		return
	}
	s.found = s.found[:0]
	if filtered && s.allowed.count() <= fewCandidates {
		s.list(&s.allowed)
		q.offer(s, p, first, len(s.cursors), top)
		return
	}
	postings := 0
	for i := range s.cursors[essential:] {
		postings += q.accumulate(s, p, first, &s.cursors[essential+i])
	}
	after := essential // up to which cursor postings are looked up
	for after > 0 && s.cursors[after-1].hi-s.cursors[after-1].lo <= scanFactor*postings {
		after--
		q.accumulate(s, p, first, &s.cursors[after])
	}
	for i := range s.cursors[essential:] {
		s.gather(&s.cursors[essential+i], first, filtered, s.restOf(after), least)
	}
	for i := range s.cursors[after:essential] {
		s.forget(&s.cursors[after+i], first)
	}
	q.offer(s, p, first, after, top)
}

// advance moves the cursors to the page that begins at first, those with the
// lowest bounds to the front.
func (s *scratch) advance(q *Query, first core.Ord) {
	for i := range s.cursors {
		s.cursors[i].advance(q, first)
	}
	for i := 1; i < len(s.cursors); i++ { // they hardly move from page to page
		for j := i; j > 0 && s.cursors[j].bound < s.cursors[j-1].bound; j-- {
			s.cursors[j], s.cursors[j-1] = s.cursors[j-1], s.cursors[j]
		}
	}
	sum := 0.0
	for i := range s.cursors {
		sum += s.cursors[i].bound
		s.cursors[i].rest = sum
	}
}

// advance moves the cursor to the page that begins at first. Where a dense term's
// postings of the page begin and end within their blocks is left open.
func (c *cursor) advance(q *Query, first core.Ord) {
	last := first + (pageLen - 1)
	if c.dense {
		from := c.blockOf(c.lo/blockLen, first)
		c.lo, c.hi = max(c.lo, from*blockLen), min(len(c.ords), (c.blockOf(from, last)+1)*blockLen)
	} else {
		c.lo = seek(c.ords, c.hi, first)
		c.hi = c.lo
		if c.lo < len(c.ords) && c.ords[c.lo] <= last {
			c.hi = seek(c.ords, c.lo, last)
			if c.hi < len(c.ords) && c.ords[c.hi] == last {
				c.hi++
			}
		}
	}
	c.bound = c.limit(q)
}

// limit bounds what the term adds to a score in the present page.
func (c *cursor) limit(q *Query) float64 {
	if c.lo == c.hi {
		return 0
	}
	best, most := 0.0, block{shortest: math.MaxUint32}
	for i := c.lo / blockLen; i <= (c.hi-1)/blockLen; i++ {
		if b := c.block(i); b.count > most.count || b.shortest < most.shortest {
			if score := q.score(c.list, b.count, b.shortest); score > best {
				best, most = score, b
			}
		}
	}
	return best
}

// accumulate adds the scores of a term's postings in the page to the sums, and
// returns how many there are.
func (q *Query) accumulate(s *scratch, p *page, first core.Ord, c *cursor) int {
	if c.dense {
		c.lo = seek(c.ords, c.lo, first)
	}
	ords := c.ords[c.lo:c.hi]
	counts, lengths := c.counts[c.lo:][:len(ords)], c.lengths[c.lo:][:len(ords)]
	weight, base, per := c.weight, q.base, q.per
	for i, ord := range ords {
		d := ord - first
		if d >= pageLen {
			c.hi = c.lo + i
			return i
		}
		length := uint32(lengths[i])
		if length == long {
			length = p.lengths[d].Load()
		}
		count := float64(counts[i])
		s.sums[d] += weight * count / (count + base + per*float64(length))
	}
	return len(ords)
}

// restOf bounds what the first n cursors add to a score.
func (s *scratch) restOf(n int) float64 {
	if n == 0 {
		return 0
	}
	return s.cursors[n-1].rest
}

// gather lists the documents with postings of the term that can reach least with the
// rest, unless they are listed already, and forgets their sums.
func (s *scratch) gather(c *cursor, first core.Ord, filtered bool, rest, least float64) {
	ords := c.ords[c.lo:c.hi]
	n := len(s.found)
	found := slices.Grow(s.found, len(ords))[:n+len(ords)]
	for _, ord := range ords {
		d := (ord - first) % pageLen
		sum := s.sums[d]
		s.sums[d] = 0
		found[n] = candidate{sum, uint32(d)}
		if sum > 0 && (sum+rest)*slack >= least && (!filtered || s.allowed.has(d)) {
			n++
		}
	}
	s.found = found[:n]
}

// forget makes the sums of documents with postings of the term 0.
func (s *scratch) forget(c *cursor, first core.Ord) {
	for _, ord := range c.ords[c.lo:c.hi] {
		s.sums[(ord-first)%pageLen] = 0
	}
}

// list lists the documents of a bitmap.
func (s *scratch) list(of *bitmap) {
	for w, set := range of {
		for ; set != 0; set &= set - 1 {
			s.found = append(s.found, candidate{0, uint32(w*64 + bits.TrailingZeros64(set))})
		}
	}
}

// offer completes the scores of the listed documents by the terms before
// essential, term by term, and offers them to top.
func (q *Query) offer(s *scratch, p *page, first core.Ord, essential int, top *index.Top) {
	worst := top.Worst()
	for i := essential - 1; i >= 0 && len(s.found) > 0; i-- {
		s.found = q.complete(s.found, &s.cursors[i], p, first, float64(worst))
	}
	for _, c := range s.found {
		// Whether a document is there still is looked up last, and only where some are
		// not: its length is in memory that a search has no other need of.
		if c.sum > 0 && float32(c.sum) >= worst && (!s.gaps || p.lengths[c.place].Load() > 0) {
			n := index.Neighbor{Ord: first + core.Ord(c.place), Score: float32(c.sum)}
			if _, known := slices.BinarySearch(s.known, n.Ord); known {
				continue
			}
			top.Offer(n)
			worst = top.Worst()
		}
	}
}

// complete adds what a term brings to the candidates and returns those that can
// reach least. The candidates come in a few runs, each in the order of their
// places.
func (q *Query) complete(list []candidate, c *cursor, p *page, first core.Ord, least float64) []candidate {
	at, before, kept := c.lo, uint32(0), list[:0]
	for _, x := range list {
		if (x.sum+c.rest)*slack < least {
			continue
		}
		if x.place < before {
			at = c.lo
		}
		before = x.place
		ord := first + core.Ord(x.place)
		if at = seek(c.ords[:c.hi], at, ord); at < c.hi && c.ords[at] == ord {
			x.sum += q.score(c.list, c.counts[at], c.length(at, p))
		}
		kept = append(kept, x)
	}
	return kept
}

func (b *bitmap) has(place core.Ord) bool { return b[place/64]>>(place%64)&1 != 0 }

func (b *bitmap) count() (n int) {
	for _, w := range b {
		n += bits.OnesCount64(w)
	}
	return n
}

// Weight returns the weights of the query's terms that are in text, each
// counted once: a part of the bound.
func (q *Query) Weight(text string) float64 {
	sum := 0.0
	seen := make([]bool, len(q.lists))
	analyzeSome(text, q.mayStemToTerm, func(term string) {
		if i := slices.IndexFunc(q.lists, func(l list) bool { return l.term == term }); i >= 0 && !seen[i] {
			seen[i] = true
			sum += q.lists[i].weight
		}
	})
	return sum
}

// mayStemToTerm reports whether the stem of a word may be a term of the query.
// Stems begin with the first two letters of their words, but for a y that became
// an i.
func (q *Query) mayStemToTerm(word string) bool {
	for i := range q.lists {
		term := q.lists[i].term
		if term[0] == word[0] && (len(term) < 2 || len(word) < 2 || term[1] == word[1] || word[1] == 'y') {
			return true
		}
	}
	return false
}

// Explain returns what the terms of the query add to the score of a document,
// the most first; nil when it holds none of them or is not there.
func (q *Query) Explain(ord core.Ord) []index.Match {
	length := q.x.pages.Load().length(ord)
	if length == 0 {
		return nil
	}
	var out []index.Match
	for i := range q.lists {
		l := &q.lists[i]
		if at := l.seek(0, ord); at < len(l.ords) && l.ords[at] == ord {
			out = append(out, index.Match{Term: l.term, Count: int(l.counts[at]), Score: float32(q.score(l, l.counts[at], length))})
		}
	}
	slices.SortStableFunc(out, func(a, b index.Match) int { return cmp.Compare(b.Score, a.Score) })
	return out
}
