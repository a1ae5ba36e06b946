package vecdb_test

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"math"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"github.com/vecdb/vecdb"
	"github.com/vecdb/vecdb/embedder"
	"github.com/vecdb/vecdb/embedder/embedtest"
	"github.com/vecdb/vecdb/embedder/hash"
	"github.com/vecdb/vecdb/query"
)

// readsWords is how many words the model of these tests takes at once.
const readsWords = 16

// openShort opens a database whose model reads few words.
func openShort(t *testing.T, dir string, o vecdb.Options) *vecdb.DB {
	t.Helper()
	o.OpenModel = func(context.Context, string, string) (embedder.Embedder, error) {
		return hash.Limited(384, readsWords), nil
	}
	db, err := vecdb.Open(dir, o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := db.Close(); err != nil {
			t.Error(err)
		}
	})
	return db
}

// wording returns a text of n random words with sentences.
func wording(rng *rand.Rand, n int) string {
	var b strings.Builder
	for i := range n {
		fmt.Fprintf(&b, "w%d%s", rng.IntN(60), []string{" ", " ", " ", " ", ". "}[rng.IntN(5)])
		if i%31 == 30 {
			b.WriteString("北京很大。")
		}
	}
	return b.String()
}

// scoreOf is the score of a document: that of the best of its passages.
func scoreOf(t *testing.T, text string, q []float32) (best float64, passages int) {
	t.Helper()
	e := hash.Limited(384, readsWords)
	parts, err := e.Split(context.Background(), text, 1000)
	if err != nil {
		t.Fatal(err)
	}
	texts := []string{text}
	if len(parts.Spans) > 0 {
		texts = nil
		for _, s := range parts.Spans {
			texts = append(texts, text[s.Start:s.End])
		}
	}
	r, err := e.Embed(context.Background(), embedder.Passage, texts)
	if err != nil {
		t.Fatal(err)
	}
	best = -1
	for _, v := range r.Vectors {
		best = max(best, embedtest.Cosine(q, v))
	}
	return best, len(texts)
}

// agrees compares searches with all passages of all documents, grouped.
func agrees(t *testing.T, c *vecdb.Collection, docs map[string]vecdb.Document, rng *rand.Rand) {
	t.Helper()
	ctx := context.Background()
	text := wording(rng, 1+rng.IntN(12))
	e, err := hash.New(384).Embed(ctx, embedder.Query, []string{text})
	if err != nil {
		t.Fatal(err)
	}
	group, limit := int64(rng.IntN(4)), 1+rng.IntN(30)
	var f *vecdb.Filter
	if group > 0 {
		f = &vecdb.Filter{Field: "group", Eq: group}
	}
	type scored struct {
		id    string
		score float64
	}
	var want []scored
	vectors := 0
	for id, d := range docs {
		score, n := scoreOf(t, d.Text, e.Vectors[0])
		vectors += n
		if group == 0 || d.Fields["group"] == group {
			want = append(want, scored{id, score})
		}
	}
	slices.SortFunc(want, func(a, b scored) int { return cmp.Compare(b.score, a.score) })
	found, err := c.Search(ctx, vecdb.Request{Text: text, Mode: query.Dense, Filter: f, Limit: limit, Params: vecdb.Params{Exact: rng.IntN(3) == 0}})
	if err != nil {
		t.Fatal(err)
	}
	if len(found.Hits) != min(limit, len(want)) {
		t.Fatalf("%d hits of %d documents, limit %d", len(found.Hits), len(want), limit)
	}
	seen := make(map[string]bool)
	for i, h := range found.Hits {
		if own, n := scoreOf(t, docs[h.ID].Text, e.Vectors[0]); math.Abs(own-float64(h.Score)) > 1e-5 || seen[h.ID] || math.Abs(want[i].score-own) > 1e-5 {
			t.Fatalf("hit %d is %s with %v; it has %v, place %d has %v; seen before: %v", i, h.ID, h.Score, own, i, want[i].score, seen[h.ID])
		} else if (n > 1) != (h.Passage != nil) {
			t.Fatalf("document of %d passages has the best passage %v", n, h.Passage)
		}
		seen[h.ID] = true
		if p := h.Passage; p != nil && (p.Text != docs[h.ID].Text[p.Start:p.End] || math.Abs(float64(p.Score-h.Score)) > 1e-5) {
			t.Fatalf("passage %+v of %s with score %v", p, h.ID, h.Score)
		}
	}
	if s := c.Stats(); s.Documents != len(docs) || s.Passages != vectors || s.Index.Vectors != vectors {
		t.Fatalf("%d documents, %d passages and %d vectors are counted of %d and %d", s.Documents, s.Passages, s.Index.Vectors, len(docs), vectors)
	}
	counted, err := c.Count(ctx, query.CountRequest{Filter: f})
	if err != nil || counted.Count != len(want) {
		t.Fatalf("%d documents are counted, there are %d (%v)", counted.Count, len(want), err)
	}
}

func TestLongDocumentsAreFoundByTheirBestPassage(t *testing.T) {
	for _, kind := range []string{vecdb.IndexFlat, vecdb.IndexHNSW} {
		t.Run(kind, func(t *testing.T) {
			seed := rand.Uint64()
			t.Logf("seed %d", seed)
			rng := rand.New(rand.NewPCG(seed, 1))
			dir, docs := t.TempDir(), make(map[string]vecdb.Document)
			for range 4 {
				db := openShort(t, dir, vecdb.Options{Index: kind, MinFreeBytes: -1})
				c := collection(t, db, "c", vecdb.CollectionOptions{Long: vecdb.LongChunk})
				if len(docs) > 0 {
					agrees(t, c, docs, rng) // opened again
				}
				for range 6 {
					var batch []vecdb.Document
					for range 1 + rng.IntN(20) {
						words := rng.IntN(2*readsWords) + 1
						if rng.IntN(3) == 0 {
							words = rng.IntN(500) + 1
						}
						doc := vecdb.Document{ID: fmt.Sprint(rng.IntN(60)), Text: wording(rng, words), Fields: map[string]any{"group": int64(rng.IntN(4))}}
						batch, docs[doc.ID] = append(batch, doc), doc
					}
					for i, r := range upsert(t, c, batch...) {
						_, n := scoreOf(t, batch[i].Text, []float32{1})
						if r.Err != nil || r.Passages != n || r.TokensUsed != r.TokensTotal {
							t.Fatalf("result %+v of a document of %d passages", r, n)
						}
					}
					var gone []string
					for range rng.IntN(5) {
						id := fmt.Sprint(rng.IntN(60))
						gone = append(gone, id)
						delete(docs, id)
					}
					if _, err := c.Delete(t.Context(), gone, vecdb.WaitIndexed); err != nil {
						t.Fatal(err)
					}
					agrees(t, c, docs, rng)
				}
				if err := db.Verify(t.Context(), func(problem string) { t.Error(problem) }); err != nil {
					t.Fatal(err)
				}
				if err := db.Close(); err != nil {
					t.Fatal(err)
				}
			}
		})
	}
}

// TestEachDocumentCountsOnce looks at all that takes documents for what they are.
func TestEachDocumentCountsOnce(t *testing.T) {
	db := openShort(t, "", vecdb.Options{InMemory: true})
	c := collection(t, db, "c", vecdb.CollectionOptions{Long: vecdb.LongChunk})
	long := strings.Repeat("Trains run on rails between stations in the morning. ", 40)
	upsert(t, c,
		vecdb.Document{ID: "long", Text: long, Fields: map[string]any{"label": "trains"}},
		vecdb.Document{ID: "rails", Text: "rails and stations", Fields: map[string]any{"label": "trains"}},
		vecdb.Document{ID: "bread", Text: "a baker bakes bread in the morning", Fields: map[string]any{"label": "food"}})
	for _, r := range []vecdb.Request{
		{Text: "trains on rails", Mode: query.Dense}, {Text: "trains on rails"}, {Text: "trains rails morning", Mode: query.Lexical},
		{Text: "trains on rails", Diversity: 0.5, WithVector: true}, {ID: "rails"}, {Text: "rails", Highlight: query.HighlightMeaning, Explain: true},
	} {
		found, err := c.Search(t.Context(), r)
		if err != nil {
			t.Fatal(err)
		}
		names := ids(found.Hits)
		slices.Sort(names)
		if len(slices.Compact(slices.Clone(names))) != len(names) || !slices.Contains(names, "long") {
			t.Errorf("%+v finds %v", r, names)
		}
		for _, h := range found.Hits {
			if p := h.Passage; (p != nil) != (h.ID == "long") || p != nil && (len(p.Text) > 200 || p.Text != long[p.Start:p.End]) {
				t.Errorf("%+v: passage %+v of %s", r, p, h.ID)
			}
			if l := h.Highlight; l != nil && (l.Text != h.Document.Text[l.Start:l.End] || h.Passage != nil && (l.Start < h.Passage.Start || l.End > h.Passage.End)) {
				t.Errorf("%+v: highlight %+v of %s, passage %+v", r, l, h.ID, h.Passage)
			}
		}
	}
	like, err := c.Recommend(t.Context(), vecdb.Request{Like: []vecdb.Example{{ID: "long"}}})
	if err != nil || len(like.Hits) != 2 || slices.Contains(ids(like.Hits), "long") {
		t.Errorf("like the long one: %v, %v", ids(like.Hits), err)
	}
	labels, err := c.Classify(t.Context(), vecdb.ClassifyRequest{Request: vecdb.Request{Text: "trains and stations"}, LabelField: "label", Method: query.MethodNeighbors})
	if err != nil || len(labels.Results[0].Neighbors) != 3 || *labels.Results[0].Label != "trains" {
		t.Errorf("classified: %+v, %v", labels, err)
	}
	facet, err := c.Facet(t.Context(), query.FacetRequest{Field: "label"})
	if err != nil || len(facet.Values) != 2 || facet.Values[0].Count != 2 {
		t.Errorf("facet: %+v, %v", facet, err)
	}
	if n, err := c.DeleteWhere(t.Context(), &vecdb.Filter{Field: "label", Eq: "trains"}, vecdb.WaitIndexed); err != nil || n != 2 {
		t.Errorf("%d deleted, %v", n, err)
	}
	if s := c.Stats(); s.Documents != 1 || s.Passages != 1 || s.Index.Vectors != 1 {
		t.Errorf("left: %+v", s)
	}
}

func TestPoliciesForLongTexts(t *testing.T) {
	db := openShort(t, "", vecdb.Options{InMemory: true})
	c := collection(t, db, "c", vecdb.CollectionOptions{Long: vecdb.LongError})
	long := strings.Repeat("one two three four. ", 100)
	for _, step := range []struct {
		policy   string
		passages int
	}{{"", 0}, {vecdb.LongTruncate, 1}, {vecdb.LongChunk, 25}, {vecdb.LongError, 0}} {
		out, err := c.UpsertWith(t.Context(), []vecdb.Document{{ID: "a", Text: long}, {ID: "b", Text: "short"}}, vecdb.UpsertOptions{Long: step.policy, Wait: vecdb.WaitIndexed})
		if err != nil {
			t.Fatal(err)
		}
		a := out[0]
		if step.passages == 0 {
			if !errors.Is(a.Err, vecdb.ErrTooLarge) || a.Status != vecdb.StatusError {
				t.Errorf("%q: %+v", step.policy, a)
			}
		} else if a.Err != nil || a.Passages != step.passages || a.TokensTotal != 400 || (a.TokensUsed < 400) != (step.policy == vecdb.LongTruncate) {
			t.Errorf("%q: %+v", step.policy, a)
		}
		if out[1].Err != nil || out[1].Passages != 1 {
			t.Errorf("%q: the short one: %+v", step.policy, out[1])
		}
	}
	if _, err := c.UpsertWith(t.Context(), nil, vecdb.UpsertOptions{Long: "cut"}); !errors.Is(err, vecdb.ErrInvalid) {
		t.Errorf("an unknown policy: %v", err)
	}
	if _, _, err := db.CreateCollection(t.Context(), "d", vecdb.CollectionOptions{Long: "cut"}); !errors.Is(err, vecdb.ErrInvalid) {
		t.Errorf("an unknown policy of a collection: %v", err)
	}
	if _, _, err := db.CreateCollection(t.Context(), "c", vecdb.CollectionOptions{Long: vecdb.LongChunk}); !errors.Is(err, vecdb.ErrExists) {
		t.Errorf("another policy of a collection: %v", err)
	}
	if _, _, err := db.CreateCollection(t.Context(), "c", vecdb.CollectionOptions{}); err != nil {
		t.Errorf("a collection that is there: %v", err)
	}
}

func TestTextsThatAreHardToCut(t *testing.T) {
	db := openShort(t, "", vecdb.Options{InMemory: true})
	c := collection(t, db, "c", vecdb.CollectionOptions{Long: vecdb.LongChunk})
	for name, step := range map[string]struct {
		text    string
		refused bool
	}{
		"a library":        {strings.Repeat("all work and no play. ", 10_000), true},
		"no sentence ends": {strings.Repeat("word ", 3000), false},
		"one word":         {strings.Repeat("a", 1<<18), false},
		"emoji":            {strings.Repeat("👩‍👩‍👧", 100_000), false},
		"emoji and words":  {strings.Repeat("👍 yes ", 2000), false},
		"empty":            {"", true},
		"blank":            {strings.Repeat(" \n", 5000), true},
		"chinese":          {strings.Repeat("今天天气很好，我们去公园散步", 300), false},
	} {
		out, err := c.Upsert(t.Context(), []vecdb.Document{{ID: name, Text: step.text}}, vecdb.WaitIndexed)
		if err != nil {
			t.Fatal(err)
		}
		if step.refused != errors.Is(out[0].Err, vecdb.ErrInvalid) || !step.refused && out[0].Err != nil {
			t.Errorf("%s: %+v", name, out[0])
		}
	}
	if err := db.Verify(t.Context(), func(problem string) { t.Error(problem) }); err != nil {
		t.Fatal(err)
	}
}

func TestLongDuplicatesAreFoundAsWholes(t *testing.T) {
	db := openShort(t, "", vecdb.Options{InMemory: true})
	c := collection(t, db, "c", vecdb.CollectionOptions{Long: vecdb.LongChunk, Duplicates: vecdb.Duplicates{Policy: vecdb.DuplicatesSkip, Threshold: 0.97}})
	rng := rand.New(rand.NewPCG(1, 2))
	text := wording(rng, 300)
	first := text[:strings.Index(text[60:], ". ")+62]
	upsert(t, c, vecdb.Document{ID: "a", Text: text})
	for _, step := range []struct{ id, text, of string }{
		{"same", text, "a"}, {"nearly", text + " and more", "a"}, {"beginning", first, ""}, {"other", wording(rng, 300), ""},
	} {
		r := upsert(t, c, vecdb.Document{ID: step.id, Text: step.text})[0]
		if r.Err != nil || r.DuplicateOf != step.of || (r.Status == vecdb.StatusSkipped) != (step.of != "") {
			t.Errorf("%s: %+v", step.id, r)
		}
	}
}
