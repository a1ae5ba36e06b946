package vecdb_test

import (
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"

	"github.com/vecdb/vecdb"
	"github.com/vecdb/vecdb/query"
)

// spoken gives documents of vectorDoc a text of a few words.
func spoken(rng *rand.Rand, from, to int) (docs []vecdb.Document) {
	for id := from; id < to; id++ {
		doc := vectorDoc(rng, id)
		words := make([]string, 1+rng.IntN(8))
		for i := range words {
			words[i] = fmt.Sprintf("word%d", rng.IntN(50))
		}
		doc.Text = strings.Join(words, " ")
		docs = append(docs, doc)
	}
	return docs
}

// byWords asks for some words and returns the hits of each.
func byWords(t *testing.T, c *vecdb.Collection) (out [][]vecdb.Hit) {
	t.Helper()
	for i := range 20 {
		r := vecdb.Request{Text: fmt.Sprintf("word%d word%d", i, i+20), Mode: query.Lexical, Explain: true, Limit: 20}
		if i%2 == 1 {
			r.Filter = &vecdb.Filter{Field: "n", Lt: int64(i % 10)}
		}
		found, err := c.Search(t.Context(), r)
		if err != nil {
			t.Fatal(err)
		}
		out = append(out, found.Hits)
	}
	return out
}

func TestWordsComeFromTheirSnapshotOrFromTheTexts(t *testing.T) {
	rng := rand.New(rand.NewPCG(5, 5))
	s := saved{dir: t.TempDir(), file: "", rng: rng}
	s.file = filepath.Join(s.dir, "index", "0.words")
	db := open(t, s.dir, vecdb.Options{})
	c := collection(t, db, "v", vecdb.CollectionOptions{Model: vecdb.NoModel, Dim: 16})
	upsert(t, c, spoken(rng, 0, 1500)...)
	for round, damage := range []func() error{
		func() error { return nil },
		func() error { return os.Remove(s.file) },
		func() error { return os.Truncate(s.file, 1000) },
		func() error { return nil },
	} {
		upsert(t, c, spoken(rng, 100*round, 100*round+50)...)
		if _, err := c.Delete(t.Context(), []string{fmt.Sprint(100*round + 70)}, vecdb.WaitIndexed); err != nil {
			t.Fatal(err)
		}
		want := byWords(t, c)
		s.close(t, db)
		if err := damage(); err != nil {
			t.Fatal(err)
		}
		var j *journal
		db, c, j = s.open(t, vecdb.Options{})
		if whole := round == 0 || round == 3; j.has("of=texts") != whole || j.has("made from the texts") != (round == 2) {
			t.Errorf("round %d: the log says\n%s", round, j.text.String())
		}
		if got := byWords(t, c); !reflect.DeepEqual(got, want) {
			t.Errorf("round %d: other answers than before", round)
		}
	}
}

func TestSearchByTextLooksForMeaningAndWords(t *testing.T) {
	c := collection(t, open(t, "", vecdb.Options{InMemory: true}), "films", vecdb.CollectionOptions{})
	upsert(t, c, films...)
	found, err := c.Search(t.Context(), vecdb.Request{Text: "fathers cooking", Explain: true})
	if err != nil {
		t.Fatal(err)
	}
	first := found.Hits[0]
	if x := first.Explain; first.ID != "b" || x.Mode != query.Hybrid || len(x.Lexical.Terms) != 2 || x.Lexical.Terms[0].Term != "father" && x.Lexical.Terms[1].Term != "father" {
		t.Errorf("found %s, explained by %+v", first.ID, first.Explain)
	}
	for mode, want := range map[query.Mode]query.Mode{query.Dense: query.Dense, query.Lexical: query.Lexical, "": query.Hybrid} {
		found, err := c.Search(t.Context(), vecdb.Request{Text: "rice", Mode: mode, Explain: true})
		if err != nil || len(found.Hits) == 0 || found.Hits[0].Explain.Mode != want {
			t.Errorf("mode %q: %+v, %v", mode, found.Hits, err)
		}
	}
	if _, err := c.Delete(t.Context(), []string{"b", "c"}, vecdb.WaitIndexed); err != nil {
		t.Fatal(err)
	}
	if got := search(t, c, vecdb.Request{Text: "rice", Mode: query.Lexical}); got != nil {
		t.Errorf("after deleting: %v", got)
	}
}
