package query_test

import (
	"cmp"
	"fmt"
	"math/rand/v2"
	"reflect"
	"slices"
	"strings"
	"testing"

	"github.com/vecdb/vecdb/internal/core"
	"github.com/vecdb/vecdb/query"
)

// crowd returns documents with random angles and fields, and their engine.
func crowd(rng *rand.Rand, n int) (*fake, *query.Engine) {
	var docs []*core.Document
	for i := range n {
		docs = append(docs, stranger(rng, i))
	}
	return newFake(docs...)
}

func stranger(rng *rand.Rand, i int) *core.Document {
	fields := map[string]any{}
	if rng.IntN(4) > 0 {
		fields["year"] = []any{int64(rng.IntN(12)), float64(rng.IntN(24)) / 2}[rng.IntN(2)]
	}
	if rng.IntN(4) > 0 {
		fields["genre"] = []any{"war", "drama", "crime", []any{"war", "space"}, []any{}}[rng.IntN(5)]
	}
	if rng.IntN(3) > 0 {
		fields["seen"] = []any{"2024-02-03", "2023-12-31T23:00:00-02:00", "2024-01-01T00:30:00Z", true, "soon"}[rng.IntN(5)]
	}
	return at(fmt.Sprintf("d%03d", i), rng.Float64()*360, fields)
}

func rngOf(t *testing.T) *rand.Rand {
	seed := rand.Uint64()
	t.Logf("seed %d", seed)
	return rand.New(rand.NewPCG(seed, 5))
}

// rank is the place of a value in the order that SortKey describes.
func rank(v any) (kind int, size float64, text string) {
	switch v := v.(type) {
	case bool:
		if v {
			return 0, 1, ""
		}
		return 0, 0, ""
	case string:
		if moment, ok := core.ParseTime(v); ok {
			return 3, float64(moment.Unix()), ""
		}
		return 2, 0, v
	}
	n, _ := number(v)
	return 1, n, ""
}

func compareRanks(a, b any) int {
	ak, an, at := rank(a)
	bk, bn, bt := rank(b)
	return cmp.Or(cmp.Compare(ak, bk), cmp.Compare(an, bn), strings.Compare(at, bt))
}

// before tells whether a comes before b: 0 when neither has to.
func before(keys []query.SortKey, a, b *core.Document) int {
	for _, k := range keys {
		values := [2]any{}
		for i, doc := range []*core.Document{a, b} {
			list := slices.SortedFunc(slices.Values(valuesOf(doc, k.Field)), compareRanks)
			if len(list) > 0 && k.Order == "desc" {
				values[i] = list[len(list)-1]
			} else if len(list) > 0 {
				values[i] = list[0]
			}
		}
		switch {
		case values[0] == nil && values[1] == nil:
		case values[0] == nil:
			return 1
		case values[1] == nil:
			return -1
		default:
			order := compareRanks(values[0], values[1])
			if k.Order == "desc" {
				order = -order
			}
			if order != 0 {
				return order
			}
		}
	}
	return 0
}

func randomKeys(rng *rand.Rand) []query.SortKey {
	fields := []string{"year", "genre", "seen", "id"}
	rng.Shuffle(len(fields), func(i, j int) { fields[i], fields[j] = fields[j], fields[i] })
	var keys []query.SortKey
	for _, f := range fields[:1+rng.IntN(3)] {
		keys = append(keys, query.SortKey{Field: f, Order: []string{"", "asc", "desc"}[rng.IntN(3)]})
	}
	return keys
}

func TestAListComesInTheOrderOfItsFields(t *testing.T) {
	rng := rngOf(t)
	f, e := crowd(rng, 120)
	for range 100 {
		keys, limit := randomKeys(rng), 1+rng.IntN(40)
		filter := []*query.Filter{nil, {Field: "genre", Eq: "war"}, {Field: "year", Gte: 3}}[rng.IntN(3)]
		var got []*core.Document
		for r := (query.ListRequest{Filter: filter, Sort: keys, Limit: limit}); ; {
			page, err := e.List(t.Context(), r)
			if err != nil {
				t.Fatal(err)
			}
			got = append(got, page.Documents...)
			if r.Cursor = page.Cursor; r.Cursor == "" {
				break
			}
			if len(page.Documents) != limit {
				t.Fatalf("a page of %d with a limit of %d has a page behind it", len(page.Documents), limit)
			}
			r.Limit = limit
		}
		var want []*core.Document
		for _, doc := range f.docs {
			if filter == nil || holdsAny(doc, filter) {
				want = append(want, doc)
			}
		}
		slices.SortStableFunc(want, func(a, b *core.Document) int { return before(keys, a, b) })
		if g, w := docIDs(got), docIDs(want); g != w {
			t.Fatalf("by %v\ngot  %s\nwant %s", keys, g, w)
		}
	}
}

func holdsAny(doc *core.Document, f *query.Filter) bool {
	if f.Eq != nil {
		return holds(doc, core.Condition{Field: f.Field, Op: core.CondEq, Values: []any{f.Eq}})
	}
	return holds(doc, core.Condition{Field: f.Field, Op: core.CondGte, Values: []any{int64(f.Gte.(int))}})
}

func docIDs(docs []*core.Document) string {
	var list []string
	for _, d := range docs {
		list = append(list, d.ID)
	}
	return strings.Join(list, " ")
}

func TestASearchBringsItsBestIntoTheOrderOfFields(t *testing.T) {
	rng := rngOf(t)
	_, e := crowd(rng, 150)
	for range 50 {
		keys := randomKeys(rng)
		r := query.Request{Vector: angle(rng.Float64() * 360), Limit: 30}
		best, err := e.Search(t.Context(), r)
		if err != nil {
			t.Fatal(err)
		}
		r.Limit, r.Sort, r.Params.Candidates = 1+rng.IntN(30), keys, 30
		want := slices.Clone(best.Hits)
		slices.SortStableFunc(want, func(a, b query.Hit) int { return before(keys, a.Document, b.Document) })
		var got []query.Hit
		for {
			page, err := e.Search(t.Context(), r)
			if err != nil {
				t.Fatal(err)
			}
			got = append(got, page.Hits...)
			if r.Cursor = page.Cursor; r.Cursor == "" {
				break
			}
		}
		if len(got) < len(want) || len(got) > max(len(want), 4*30, 50) {
			t.Fatalf("%d hits of %d candidates", len(got), len(want))
		}
		if len(got) != len(want) { // a large limit asks for more candidates
			continue
		}
		for i := range got {
			if before(keys, got[i].Document, want[i].Document) != 0 {
				t.Fatalf("by %v\ngot  %s\nwant %s", keys, ids(got), ids(want))
			}
		}
	}
	byScore, err := e.Search(t.Context(), query.Request{Vector: angle(10), Limit: 10, Sort: []query.SortKey{{Field: query.ScoreKey}}})
	plain, err2 := e.Search(t.Context(), query.Request{Vector: angle(10), Limit: 10})
	if err != nil || err2 != nil || ids(byScore.Hits) != ids(plain.Hits) {
		t.Errorf("by score %s, %v; plain %s, %v", ids(byScore.Hits), err, ids(plain.Hits), err2)
	}
}

func TestPagesNeitherRepeatNorLoseWhatStays(t *testing.T) {
	rng := rngOf(t)
	f, e := crowd(rng, 200)
	f.words["text d001"] = angle(40)
	for n, r := range []query.Request{
		{Vector: angle(10), Limit: 7}, {Vector: angle(10), Limit: 7, Diversity: 0.4}, {Text: "text d001", Limit: 9},
		{Vector: angle(10), Limit: 7, Sort: []query.SortKey{{Field: "year"}}, Params: query.Params{Candidates: 10_000}},
		{Vector: angle(10), Limit: 20, Filter: &query.Filter{Field: "year", Gte: 2}},
		{Vector: angle(10), Limit: 2, GroupBy: "genre", GroupSize: 100},
	} {
		stays := map[string]bool{}
		for i, doc := range f.docs {
			stays[doc.ID] = i%3 > 0 && (r.Filter == nil || holdsAny(doc, &query.Filter{Field: "year", Gte: 2})) &&
				(r.GroupBy == "" || len(valuesOf(doc, "genre")) > 0)
		}
		docs := slices.Clone(f.docs)
		got := map[string]int{}
		for page := 0; ; page++ {
			answer, err := e.Search(t.Context(), r)
			if err != nil {
				t.Fatal(err)
			}
			hits := answer.Hits
			for _, g := range answer.Groups {
				hits = append(hits, g.Hits...)
			}
			seen := map[string]bool{} // a document with several values is in several groups of a page
			for _, h := range hits {
				seen[h.ID] = true
			}
			for id := range seen {
				got[id]++
			}
			if r.Cursor = answer.Cursor; r.Cursor == "" {
				break
			}
			for range 3 { // writes in between
				gone := 3 * rng.IntN(66)
				f.docs[gone] = nil
				f.docs = append(f.docs, stranger(rng, 1000+len(f.docs)))
			}
		}
		for id, stay := range stays {
			if stay && got[id] == 0 || r.GroupBy == "" && got[id] > 1 {
				t.Errorf("request %d: document %s came %d times", n, id, got[id])
			}
		}
		f.docs = docs
	}
}

func TestCursorsOfOthersAreRefused(t *testing.T) {
	_, e := crowd(rngOf(t), 60)
	r := query.Request{Vector: angle(10), Limit: 5}
	first, err := e.Search(t.Context(), r)
	if err != nil || first.Cursor == "" {
		t.Fatalf("%q, %v", first.Cursor, err)
	}
	list, err := e.List(t.Context(), query.ListRequest{Limit: 5})
	if err != nil || list.Cursor == "" {
		t.Fatalf("%q, %v", list.Cursor, err)
	}
	damaged := []byte(first.Cursor)
	damaged[len(damaged)/2] ^= 1
	for text, detail := range map[string]string{
		list.Cursor: "another query", string(damaged): "damaged", "x": "damaged", "ÿ": "damaged", strings.Repeat("A", 40): "damaged",
	} {
		r.Cursor = text
		_, err := e.Search(t.Context(), r)
		wantInput(t, err, "/cursor", detail)
	}
	r.Cursor, r.Filter = first.Cursor, &query.Filter{Field: "year", Gte: 2}
	_, err = e.Search(t.Context(), r)
	wantInput(t, err, "/cursor", "another query")
	_, err = e.List(t.Context(), query.ListRequest{Cursor: list.Cursor, Sort: []query.SortKey{{Field: "year"}}})
	wantInput(t, err, "/cursor", "another query")
	r.Filter, r.Limit, r.Explain, r.Fields = nil, 9, true, []string{"year"}
	if more, err := e.Search(t.Context(), r); err != nil || len(more.Hits) != 9 {
		t.Errorf("with another limit: %d hits, %v", len(more.Hits), err)
	}
	id, err := query.ParseIDCursor("a", query.IDCursor("a", "x/1"))
	if err != nil || id != "x/1" {
		t.Errorf("%q, %v", id, err)
	}
	_, err = query.ParseIDCursor("b", query.IDCursor("a", "x/1"))
	wantInput(t, err, "/cursor", "another query")
}

func FuzzCursor(f *testing.F) {
	f.Add("AXM")
	f.Add(query.IDCursor("a", "x"))
	f.Fuzz(func(t *testing.T, text string) {
		if id, err := query.ParseIDCursor("a", text); err == nil && text != query.IDCursor("a", id) {
			t.Errorf("%q gives %q", text, id)
		}
	})
}

func TestGroupsHoldTheBestHitsOfEachValue(t *testing.T) {
	rng := rngOf(t)
	f, e := crowd(rng, 300)
	for i := range 200 { // one value has most of the documents
		f.docs[i].Fields = map[string]any{"genre": "war"}
	}
	for range 60 {
		q, limit, size := angle(rng.Float64()*360), 1+rng.IntN(5), 1+rng.IntN(5)
		got, err := e.Search(t.Context(), query.Request{Vector: q, Limit: limit, GroupBy: "genre", GroupSize: size})
		if err != nil {
			t.Fatal(err)
		}
		all, err := e.Search(t.Context(), query.Request{Vector: q, Limit: 1000})
		if err != nil {
			t.Fatal(err)
		}
		var want []query.Group
		for _, value := range []any{"war", "drama", "crime", "space"} {
			g := query.Group{Value: value}
			for _, h := range all.Hits {
				if len(g.Hits) < size && slices.Contains(valuesOf(h.Document, "genre"), value) {
					g.Hits = append(g.Hits, h)
				}
			}
			want = append(want, g)
		}
		slices.SortStableFunc(want, func(a, b query.Group) int { return cmp.Compare(b.Hits[0].Score, a.Hits[0].Score) })
		if want = want[:min(limit, 4)]; len(got.Groups) != len(want) {
			t.Fatalf("%d groups, want %d", len(got.Groups), len(want))
		}
		for i, g := range got.Groups {
			if g.Hits[0].Score != want[i].Hits[0].Score {
				t.Fatalf("group %d is %v with %v, want %v with %v", i, g.Value, g.Hits[0].Score, want[i].Value, want[i].Hits[0].Score)
			}
			if j := slices.IndexFunc(want, func(w query.Group) bool { return w.Value == g.Value }); j >= 0 && !reflect.DeepEqual(g.Hits, want[j].Hits) {
				t.Fatalf("group %v: got %s, want %s", g.Value, ids(g.Hits), ids(want[j].Hits))
			}
		}
	}
}

func TestOrdersAndGroupsThatMakeNoSenseAreRefused(t *testing.T) {
	_, e := crowd(rngOf(t), 30)
	v := angle(0)
	keys := func(list ...query.SortKey) query.Request { return query.Request{Vector: v, Sort: list} }
	for _, c := range []struct {
		r               query.Request
		pointer, detail string
	}{
		{keys(query.SortKey{Field: "yeer"}), "/sort/0/field", "no document has the field"},
		{keys(query.SortKey{Field: "year"}, query.SortKey{Field: "year"}), "/sort/1/field", "twice"},
		{keys(query.SortKey{Field: "text"}), "/sort/0/field", "has no order"},
		{keys(query.SortKey{}), "/sort/0/field", "no name"},
		{keys(query.SortKey{Field: "year", Order: "down"}), "/sort/0/order", "unknown order"},
		{keys(make([]query.SortKey, 9)...), "/sort", "at most 8"},
		{query.Request{Vector: v, Sort: []query.SortKey{{Field: "year"}}, Diversity: 0.5}, "/sort", "both say"},
		{query.Request{Vector: v, Params: query.Params{Candidates: 1e9}}, "/params/candidates", "1 to 10000"},
		{query.Request{Vector: v, GroupBy: "genra"}, "/group_by", "no document has the field"},
		{query.Request{Vector: v, GroupBy: "id"}, "/group_by", "another id"},
		{query.Request{Vector: v, GroupBy: "genre", Limit: 1000}, "/limit", "groups"},
		{query.Request{Vector: v, GroupBy: "genre", GroupSize: 1e9}, "/group_size", "1 to 100"},
		{query.Request{Vector: v, GroupSize: 3}, "/group_size", "no field"},
		{query.Request{Vector: v, GroupBy: "genre", Sort: []query.SortKey{{Field: "year"}}}, "/sort", "best scores"},
	} {
		_, err := e.Search(t.Context(), c.r)
		wantInput(t, err, c.pointer, c.detail)
	}
	_, err := e.List(t.Context(), query.ListRequest{Limit: 1e9})
	wantInput(t, err, "/limit", "1 to 10000")
	_, err = e.List(t.Context(), query.ListRequest{Sort: []query.SortKey{{Field: query.ScoreKey}}})
	wantInput(t, err, "/sort/0/field", "no scores")
	_, empty := newFake()
	if page, err := empty.List(t.Context(), query.ListRequest{Sort: []query.SortKey{{Field: "year"}}}); err != nil || len(page.Documents) != 0 {
		t.Errorf("of an empty collection: %+v, %v", page, err)
	}
}

// A document that goes between search and reading is passed over, and the next one
// in the order of fields takes its place.
func TestDocumentsThatGoLeaveTheirPlacesInAnOrder(t *testing.T) {
	rng := rngOf(t)
	f, e := crowd(rng, 60)
	r := query.Request{Vector: angle(30), Limit: 5, Sort: []query.SortKey{{Field: "year"}}}
	before, err := e.Search(t.Context(), r)
	if err != nil {
		t.Fatal(err)
	}
	f.gone = map[core.Ord]bool{}
	for i, doc := range f.docs {
		if doc.ID == before.Hits[0].ID || doc.ID == before.Hits[2].ID {
			f.gone[core.Ord(i)] = true
		}
	}
	after, err := e.Search(t.Context(), r)
	if err != nil || len(after.Hits) != 5 {
		t.Fatalf("%d hits, %v", len(after.Hits), err)
	}
	for i, at := range []int{1, 3, 4} {
		if after.Hits[i].ID != before.Hits[at].ID {
			t.Errorf("got %s, before %s", ids(after.Hits), ids(before.Hits))
		}
	}
}
