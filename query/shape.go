package query

import (
	"cmp"
	"context"
	"math"
	"slices"
	"time"

	"github.com/vecdb/vecdb/index"
)

// Limits and defaults of what shapes the hits.
const (
	MaxBoosts          = 16
	DefaultDecayWeight = 0.5

	// When hits are shaped, poolFactor times as many candidates are looked at,
	// at least poolLeast and at most poolMost more than hits.
	poolFactor = 4
	poolLeast  = 50
	poolMost   = 500

	// DefaultCandidates is how many documents with the best scores are brought
	// into the order of fields, or counted by facets.
	DefaultCandidates = 100
)

// Decay makes the scores of documents smaller with their age, or with the
// distance of a number from an origin: a score is multiplied by
// 1 - Weight + Weight·2^(-age/HalfLife).
type Decay struct {
	// Field holds a time (RFC 3339, or a date) or a number.
	Field string `json:"field"`
	// HalfLife is a duration such as "30d", "12h" or "2w" for times, and a
	// number for numbers.
	HalfLife string `json:"half_life"`
	// Origin is the time, now by default, or the number from which the age
	// counts. What lies behind it has no age; numbers count in both directions.
	Origin string `json:"origin,omitempty"`
	// Weight is the share of the score that can decay, above 0 and up to 1; 0 is
	// DefaultDecayWeight. A document without the field loses all of it.
	Weight float64 `json:"weight,omitempty"`
}

// Boost adds Weight·v/(v+Half) to a score, where v is the value of a field that
// is above 0: nothing for 0, half of the weight at Half, and never more than
// the weight.
type Boost struct {
	Field  string  `json:"field"`
	Weight float64 `json:"weight"`         // negative to push down
	Half   float64 `json:"half,omitempty"` // above 0; 0 is 1
}

// Adjustment tells how a field changed a score.
type Adjustment struct {
	Field  string  `json:"field"`
	Factor float32 `json:"factor,omitempty"` // of a decay
	Adds   float32 `json:"adds,omitempty"`   // of a boost
}

// shaped reports whether the order of the candidates is not yet that of the
// hits.
func (r *Request) shaped() bool {
	return r.Diversity > 0 || r.Decay != nil || len(r.Boosts) > 0 || len(r.Sort) > 0
}

// widened returns the request for candidates: more of them, and without the
// least score where that is not the score of a hit yet.
func (r Request) widened() Request {
	if r.shaped() {
		r.Limit = min(max(poolFactor*r.Limit, poolLeast), r.Limit+poolMost, MaxLimit)
	}
	if len(r.Sort) > 0 || len(r.Facets) > 0 {
		r.Limit = max(r.Limit, cmp.Or(r.Params.Candidates, DefaultCandidates))
	}
	if r.Decay != nil || len(r.Boosts) > 0 {
		r.MinScore = nil
	}
	return r
}

// onlySorted reports whether the order of the hits is known before their
// documents are read.
func (r *Request) onlySorted() bool {
	return len(r.Sort) > 0 && r.Decay == nil && len(r.Boosts) == 0
}

// sorted brings the candidates into the order of fields and reads the documents of
// the first ones only.
func (e *Engine) sorted(ctx context.Context, r Request, neighbors []index.Neighbor, s scope, t *turn, withVectors bool, took *Took) ([]found, error) {
	done := stopwatch(&took.Shape)
	neighbors = neighbors[:min(len(neighbors), t.fetched(r))]
	t.found = nearestOrds(neighbors)
	places, err := e.arrange(ctx, r.Sort, t.found, func(i int) float32 { return neighbors[i].Score })
	if err != nil {
		return nil, err
	}
	slices.SortFunc(places, func(a, b placed) int { return comparePlaced(r.Sort, a, b) })
	ordered := make([]index.Neighbor, len(places))
	for i, p := range places {
		ordered[i] = neighbors[p.at]
	}
	done()
	return e.fetch(ctx, ordered, s, r.Limit, withVectors, took)
}

// shape brings the candidates into the order of the hits and keeps the first.
func (e *Engine) shape(ctx context.Context, r Request, k ranking, list []found, took *Took) (shaped []found, err error) {
	if !r.shaped() {
		return list, nil
	}
	defer stopwatch(&took.Shape)()
	now := time.Now()
	for i := range list {
		list[i].adjust(r, now)
	}
	slices.SortStableFunc(list, func(a, b found) int {
		return index.Compare(index.Neighbor{Ord: a.ord, Score: a.score}, index.Neighbor{Ord: b.ord, Score: b.score})
	})
	if len(r.Sort) > 0 {
		if list, err = e.order(ctx, r.Sort, list); err != nil {
			return nil, err
		}
	}
	if r.MinScore != nil {
		list = slices.DeleteFunc(list, func(f found) bool { return f.score < *r.MinScore })
	}
	if r.Diversity > 0 {
		hasScale := k.mode == Lexical || k.mode != Behavioral && e.metric == index.Cosine && k.fusion != FusionRRF
		return diverse(ctx, list, r.Limit, float64(r.Diversity), !hasScale)
	}
	return list[:min(len(list), r.Limit)], nil
}

// adjust changes the score by the decay and the boosts.
func (f *found) adjust(r Request, now time.Time) {
	if r.Decay != nil {
		factor := float32(r.Decay.factor(f.doc, now))
		if f.score < 0 {
			f.score *= 2 - factor // away from the best here too
		} else {
			f.score *= factor
		}
		f.adjusted = append(f.adjusted, Adjustment{Field: r.Decay.Field, Factor: factor})
	}
	for _, b := range r.Boosts {
		if adds := float32(b.adds(f.doc)); adds != 0 {
			f.score += adds
			f.adjusted = append(f.adjusted, Adjustment{Field: b.Field, Adds: adds})
		}
	}
}

// diverse picks hits one by one, each the best by (1-d)·score less d times its
// cosine with the nearest one picked before: maximal marginal relevance
// (Carbonell and Goldstein, SIGIR 1998). Scores without a scale of their own
// are stretched to [0, 1] for that.
func diverse(ctx context.Context, list []found, limit int, d float64, stretch bool) ([]found, error) {
	low, span := 0.0, 1.0
	if stretch && len(list) > 0 {
		low = float64(list[len(list)-1].score)
		span = max(float64(list[0].score)-low, 1e-9)
	}
	near := make([]float64, len(list)) // the cosine with the nearest picked one
	for i := range near {
		near[i] = math.Inf(-1)
	}
	var out []found
	for len(out) < min(limit, len(list)) {
		if err := ctx.Err(); err != nil {
			return nil, err
		}
		best, most := -1, math.Inf(-1)
		for i := range list {
			if list[i].picked {
				continue
			}
			value := (1 - d) * (float64(list[i].score) - low) / span
			if len(out) > 0 {
				value -= d * near[i]
			}
			if value > most {
				best, most = i, value
			}
		}
		list[best].picked = true
		out = append(out, list[best])
		for i := range list {
			if !list[i].picked {
				near[i] = max(near[i], float64(cosine(list[i].doc.Vector, list[best].doc.Vector)))
			}
		}
	}
	return out, nil
}
