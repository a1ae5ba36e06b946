package query_test

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"maps"
	"math"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"go.uber.org/goleak"

	"github.com/vecdb/vecdb/answers"
	"github.com/vecdb/vecdb/index"
	"github.com/vecdb/vecdb/internal/core"
	"github.com/vecdb/vecdb/query"
	"github.com/vecdb/vecdb/recommender"
	"github.com/vecdb/vecdb/train"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// fake is a small exact Source. The ordinal of a document is its place in
// docs; a nil one was deleted.
type fake struct {
	metric index.Metric
	docs   []*core.Document
	words  map[string][]float32 // vectors of the texts that can be embedded

	cuts  map[core.Ord]query.Cut // of long documents
	gone  map[core.Ord]bool      // found by searches but not fetched any more
	stale map[string]core.Ord    // ordinals that ids had a moment ago

	blind bool // searches by vector find nothing

	embeds, searches atomic.Int64
	onNearest        func(ctx context.Context, q []float32) error
	lookupErr        error // of conditions on the field "broken"

	head *train.Head

	behavior *recommender.Behavior
	model    *recommender.Model

	memory *answers.Memory
	fitted answers.Fitted
}

var _ query.Source = (*fake)(nil)

// newFake returns a source with the documents and an engine over it, by the
// cosine of two numbers a vector.
func newFake(docs ...*core.Document) (*fake, *query.Engine) {
	f := &fake{metric: index.Cosine, docs: docs, words: map[string][]float32{}}
	return f, query.New(f, index.Cosine, 2)
}

// at returns a document whose vector has the given angle in degrees.
func at(id string, degrees float64, fields map[string]any) *core.Document {
	return &core.Document{ID: id, Text: "text of " + id, Vector: angle(degrees), Fields: fields}
}

func angle(degrees float64) []float32 {
	sin, cos := math.Sincos(degrees * math.Pi / 180)
	return []float32{float32(cos), float32(sin)}
}

func (f *fake) Behavior() (*recommender.Behavior, *recommender.Model) {
	if f.behavior == nil {
		return recommender.NewBehavior(), nil
	}
	return f.behavior, f.model
}

func (f *fake) Answers(string) (*answers.Memory, answers.Fitted) {
	if f.memory == nil {
		return answers.NewMemory(), answers.Fitted{Model: answers.DefaultModel()}
	}
	return f.memory, f.fitted
}

func (f *fake) Head(string) (*train.Head, string) { return f.head, "nothing was trained" }

func (f *fake) Embed(ctx context.Context, texts []string) (query.Embedded, error) {
	f.embeds.Add(1)
	out := query.Embedded{Tokenize: time.Millisecond, Run: 2 * time.Millisecond}
	for _, text := range texts {
		v, known := f.words[text]
		if !known {
			return query.Embedded{}, fmt.Errorf("no vector for %q", text)
		}
		out.Vectors = append(out.Vectors, v)
	}
	return out, ctx.Err()
}

func (f *fake) EmbedPassages(ctx context.Context, texts []string) ([][]float32, error) {
	out, err := f.Embed(ctx, texts)
	return out.Vectors, err
}

func (f *fake) Nearest(ctx context.Context, q []float32, o index.Options, _ bool) ([]index.Neighbor, error) {
	f.searches.Add(1)
	if f.onNearest != nil {
		if err := f.onNearest(ctx, q); err != nil {
			return nil, err
		}
	}
	top := index.Top{K: o.K}
	for i, doc := range f.docs {
		if f.blind {
			break
		}
		if ord := core.Ord(i); doc != nil && (o.Allow == nil || o.Allow.Contains(ord)) {
			top.Offer(index.Neighbor{Ord: ord, Score: score(f.metric, q, doc.Vector)})
		}
	}
	return top.Sorted(), ctx.Err()
}

func (f *fake) Similarities(ctx context.Context, q []float32, ords []core.Ord, exact bool) ([]float32, error) {
	list, err := f.Nearest(ctx, q, index.Options{K: len(f.docs), Allow: core.NewSet(ords...)}, exact)
	scores := make([]float32, len(ords))
	for i, ord := range ords {
		scores[i] = float32(math.NaN())
		for _, n := range list {
			if n.Ord == ord {
				scores[i] = n.Score
			}
		}
	}
	return scores, err
}

func (f *fake) Rounded(ctx context.Context, ords []core.Ord) ([][]float32, error) {
	return f.Vectors(ctx, ords)
}

func (f *fake) Cuts(ctx context.Context, ords []core.Ord, q []float32) ([]query.Cut, error) {
	out := make([]query.Cut, len(ords))
	for i, ord := range ords {
		out[i] = f.cuts[ord]
		if q == nil {
			out[i].Scores = nil
		}
	}
	return out, ctx.Err()
}

// Words counts the words of a text in those of the documents. A document's
// share of the bound is a tenth for each time that it has one.
func (f *fake) Words(text string) query.Words {
	w := fakeWords{f: f, words: strings.Fields(text)}
	w.words = slices.DeleteFunc(w.words, func(word string) bool {
		return !slices.ContainsFunc(f.docs, func(d *core.Document) bool { return d != nil && slices.Contains(strings.Fields(d.Text), word) })
	})
	return w
}

type fakeWords struct {
	f     *fake
	words []string
}

func (w fakeWords) Weight(text string) (sum float64) {
	for _, word := range w.words {
		if slices.Contains(strings.Fields(text), word) {
			sum += 10
		}
	}
	return sum
}

func (w fakeWords) Bound() float64 { return float64(10 * len(w.words)) }

func (w fakeWords) Search(ctx context.Context, o index.Options) ([]index.Neighbor, error) {
	top := index.Top{K: o.K}
	for ord := range core.Ord(len(w.f.docs)) {
		if o.Allow != nil && !o.Allow.Contains(ord) {
			continue
		}
		if sum := w.score(ord); sum > 0 {
			top.Offer(index.Neighbor{Ord: ord, Score: sum})
		}
	}
	return top.Sorted(), ctx.Err()
}

func (w fakeWords) SearchKnowing(ctx context.Context, o index.Options, known []core.Ord) ([]index.Neighbor, []float32, error) {
	scores := make([]float32, len(known))
	for i, ord := range known {
		scores[i] = w.score(ord)
	}
	found, err := w.Search(ctx, o)
	return found, scores, err
}

func (w fakeWords) score(ord core.Ord) (sum float32) {
	for _, m := range w.Explain(ord) {
		sum += m.Score
	}
	return sum
}

func (w fakeWords) Explain(ord core.Ord) (out []index.Match) {
	if w.f.docs[ord] == nil {
		return nil
	}
	for _, word := range w.words {
		n := 0
		for _, have := range strings.Fields(w.f.docs[ord].Text) {
			if have == word {
				n++
			}
		}
		if n > 0 {
			out = append(out, index.Match{Term: word, Count: n, Score: float32(n)})
		}
	}
	return out
}

func score(metric index.Metric, a, b []float32) float32 {
	var dot, aa, bb, distance float64
	for i := range a {
		x, y := float64(a[i]), float64(b[i])
		dot, aa, bb, distance = dot+x*y, aa+x*x, bb+y*y, distance+(x-y)*(x-y)
	}
	switch metric {
	case index.Dot:
		return float32(dot)
	case index.L2:
		return float32(-distance)
	}
	return float32(dot / math.Sqrt(aa*bb))
}

func (f *fake) Documents(ctx context.Context, ords []core.Ord, withVectors bool) ([]*core.Document, error) {
	docs := make([]*core.Document, len(ords))
	for i, ord := range ords {
		if doc := f.docs[ord]; doc != nil && !f.gone[ord] {
			one := *doc
			if !withVectors {
				one.Vector = nil
			}
			docs[i] = &one
		}
	}
	return docs, ctx.Err()
}

func (f *fake) Vectors(ctx context.Context, ords []core.Ord) ([][]float32, error) {
	out := make([][]float32, len(ords))
	docs, err := f.Documents(ctx, ords, true)
	for i, doc := range docs {
		if doc != nil {
			out[i] = doc.Vector
		}
	}
	return out, err
}

func (f *fake) Ordinals(ctx context.Context, ids []string) ([]core.Ord, error) {
	ords := make([]core.Ord, len(ids))
	for i, id := range ids {
		ords[i] = core.NoOrd
		for ord, doc := range f.docs {
			if doc != nil && doc.ID == id {
				ords[i] = core.Ord(ord)
			}
		}
		if ord, old := f.stale[id]; old {
			ords[i] = ord
		}
	}
	return ords, ctx.Err()
}

func (f *fake) Lookup(cond core.Condition) (*core.Set, error) {
	set := core.NewSet()
	if cond.Field == "broken" {
		return nil, f.lookupErr
	}
	for ord, doc := range f.docs {
		if doc != nil && holds(doc, cond) {
			set.Add(core.Ord(ord))
		}
	}
	return set, nil
}

func (f *fake) Facet(field string, within *core.Set, limit int) (out []core.FacetValue, distinct int) {
	counts := map[any]int{}
	for ord, doc := range f.docs {
		if doc != nil && (within == nil || within.Contains(core.Ord(ord))) {
			for _, v := range valuesOf(doc, field) {
				counts[v]++
			}
		}
	}
	for v, n := range counts {
		out = append(out, core.FacetValue{Value: v, Count: n})
	}
	slices.SortFunc(out, func(a, b core.FacetValue) int {
		return cmp.Or(cmp.Compare(b.Count, a.Count), strings.Compare(fmt.Sprint(a.Value), fmt.Sprint(b.Value)))
	})
	return out[:min(limit, len(out))], len(out)
}

func (f *fake) Values(field string, ords []core.Ord, each func(i int, v any)) error {
	for i, ord := range ords {
		if f.docs[ord] != nil {
			for _, v := range valuesOf(f.docs[ord], field) {
				each(i, v)
			}
		}
	}
	return nil
}

func (f *fake) Buckets(field string, within *core.Set, of func(v any, list []int64) []int64) map[int64]int {
	counts := map[int64]int{}
	for ord, doc := range f.docs {
		if doc == nil || within != nil && !within.Contains(core.Ord(ord)) {
			continue
		}
		in := map[int64]bool{}
		for _, v := range valuesOf(doc, field) {
			if text, ok := v.(string); ok {
				if moment, ok := core.ParseTime(text); ok {
					v = moment
				}
			}
			for _, b := range of(v, nil) {
				in[b] = true
			}
		}
		for b := range in {
			counts[b]++
		}
	}
	return counts
}

func (f *fake) Several(field string) *core.Set {
	set := core.NewSet()
	for ord, doc := range f.docs {
		if doc != nil && len(valuesOf(doc, field)) > 1 {
			set.Add(core.Ord(ord))
		}
	}
	return set
}

func (f *fake) Ordered(field string, from any, falls bool, each func(ords []core.Ord) bool) {
	direction := 1
	if falls {
		direction = -1
	}
	if at, ok := from.(time.Time); ok {
		from = at.Format(time.RFC3339Nano)
	}
	holders := map[any][]core.Ord{}
	for ord, doc := range f.docs {
		if doc == nil {
			continue
		}
		for _, v := range valuesOf(doc, field) {
			if from == nil || direction*compareRanks(v, from) >= 0 {
				holders[v] = append(holders[v], core.Ord(ord))
			}
		}
	}
	values := slices.SortedFunc(maps.Keys(holders), func(a, b any) int { return direction * compareRanks(a, b) })
	for len(values) > 0 {
		var ords []core.Ord // of all equal values
		equal := values[0]
		for len(values) > 0 && compareRanks(values[0], equal) == 0 {
			ords = append(ords, holders[values[0]]...)
			values = values[1:]
		}
		if !each(ords) {
			return
		}
	}
}

func (f *fake) Identity() string { return "fake" }

func (f *fake) FieldNames() (names []string) {
	for _, doc := range f.docs {
		if doc != nil {
			names = slices.AppendSeq(names, maps.Keys(doc.Fields))
		}
	}
	return names
}

// holds tells whether a document satisfies a condition, the slow and plain
// way.
func holds(doc *core.Document, cond core.Condition) bool {
	values := valuesOf(doc, cond.Field)
	if cond.Op == core.CondExists {
		return (len(values) > 0) == cond.Values[0].(bool)
	}
	if cond.Op == core.CondGeoRadius || cond.Op == core.CondGeoBox {
		v, _ := doc.Field(cond.Field)
		p, ok := core.PointOf(v)
		return ok && cond.Values[0].(core.Area).Contains(p)
	}
	return slices.ContainsFunc(values, func(v any) bool {
		return slices.ContainsFunc(cond.Values, func(want any) bool { return compares(v, cond.Op, want) })
	})
}

// valuesOf knows dotted names of one step, which is all the tests need.
func valuesOf(doc *core.Document, field string) []any {
	v, there := doc.Field(field)
	if outer, inner, dotted := strings.Cut(field, "."); dotted && !there {
		if object, ok := doc.Fields[outer].(map[string]any); ok {
			v, there = object[inner]
		}
	}
	if list, ok := v.([]any); ok {
		return list
	}
	if !there || v == nil {
		return nil
	}
	return []any{v}
}

func compares(v any, op core.CondOp, want any) bool {
	text, isText := v.(string)
	part, isPart := want.(string)
	switch {
	case op == core.CondPrefix:
		return isText && strings.HasPrefix(text, part)
	case op == core.CondContains && isText && isPart:
		return strings.Contains(text, part)
	}
	order, ok := compare(v, want)
	if !ok {
		return false
	}
	switch op {
	case core.CondGt:
		return order > 0
	case core.CondGte:
		return order >= 0
	case core.CondLt:
		return order < 0
	case core.CondLte:
		return order <= 0
	}
	return order == 0
}

func compare(a, b any) (order int, ok bool) {
	switch x := a.(type) {
	case string:
		y, ok := b.(string)
		return cmp.Compare(x, y), ok
	case bool:
		y, ok := b.(bool)
		if x == y {
			return 0, ok
		}
		return 1, ok
	}
	x, okX := number(a)
	y, okY := number(b)
	return cmp.Compare(x, y), okX && okY
}

func number(v any) (float64, bool) {
	switch v := v.(type) {
	case int64:
		return float64(v), true
	case float64:
		return v, true
	}
	return 0, false
}

func ids(hits []query.Hit) string {
	var list []string
	for _, h := range hits {
		list = append(list, h.ID)
	}
	return strings.Join(list, " ")
}

func near(a, b, tolerance float64) bool { return math.Abs(a-b) <= tolerance }

// wantInput checks that err is an input error at pointer that says detail.
func wantInput(t *testing.T, err error, pointer, detail string) {
	t.Helper()
	var in *core.InputError
	if !errors.As(err, &in) {
		t.Fatalf("got error %v, want one about the input", err)
	}
	if in.Pointer != pointer || !strings.Contains(in.Detail, detail) {
		t.Errorf("got error %q at %q, want %q at %q", in.Detail, in.Pointer, detail, pointer)
	}
	if !errors.Is(err, core.ErrInvalid) {
		t.Errorf("error %v does not match ErrInvalid", err)
	}
}
