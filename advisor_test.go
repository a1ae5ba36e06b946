package vecdb_test

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/vecdb/vecdb"
	"github.com/vecdb/vecdb/recommender"
)

// shelf are documents of two kinds, and the events of users who like one kind
// each.
func shelf() (docs []vecdb.Document, events []vecdb.Event) {
	kinds := []string{"sea ships sailors storm harbour", "kitchen rice recipe cook dinner"}
	rng := rand.New(rand.NewPCG(4, 4))
	for i := range 30 {
		words := strings.Fields(kinds[i%2])
		docs = append(docs, vecdb.Document{ID: fmt.Sprintf("%c%d", "sk"[i%2], i), Text: fmt.Sprintf("%s %s %s %d", words[rng.IntN(5)], words[rng.IntN(5)], words[rng.IntN(5)], i),
			Fields: map[string]any{"n": int64(i)}})
	}
	at := time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)
	for u := range 20 {
		for range 8 {
			at = at.Add(time.Minute)
			events = append(events, vecdb.Event{User: fmt.Sprint("u", u), Item: docs[2*rng.IntN(15)+u%2].ID, Action: "like", Time: at})
		}
	}
	return docs, events
}

func recommended(t testing.TB, c *vecdb.Collection, r vecdb.Request) (out []string) {
	t.Helper()
	got, err := c.Recommend(t.Context(), r)
	if err != nil {
		t.Fatal(err)
	}
	for _, h := range got.Hits {
		out = append(out, h.ID)
	}
	return out
}

func allBegin(t testing.TB, ids []string, with string) {
	t.Helper()
	if len(ids) == 0 || slices.ContainsFunc(ids, func(id string) bool { return !strings.HasPrefix(id, with) }) {
		t.Errorf("not all of %v begin with %q", ids, with)
	}
}

func TestRecommendationsAreLearntKeptAndLearntAgain(t *testing.T) {
	dir := t.TempDir()
	db := open(t, dir, vecdb.Options{})
	c := collection(t, db, "shelf", vecdb.CollectionOptions{})
	docs, events := shelf()
	if _, err := c.TrainRecommender(t.Context()); !errors.Is(err, vecdb.ErrInvalid) {
		t.Errorf("nothing can be learnt without events: %v", err)
	}
	if got := recommended(t, c, vecdb.Request{User: "u0"}); got != nil {
		t.Errorf("an empty collection recommends %v", got)
	}
	// The events come before the documents.
	r, err := c.AddEvents(t.Context(), events, vecdb.WaitTrained)
	if err != nil || r.Accepted != len(events) || r.UnknownItems != len(events) {
		t.Fatalf("%+v, %v", r, err)
	}
	if s := c.Stats().Behavior; s.Model != nil || s.Why == "" {
		t.Errorf("there are no documents to learn about: %+v", s)
	}
	if _, err := c.Upsert(t.Context(), docs, vecdb.WaitTrained); err != nil {
		t.Fatal(err)
	}
	first := c.Stats().Behavior
	if first.Model == nil || first.Pending || first.Events == 0 || first.Users != 20 {
		t.Fatalf("learnt: %+v", first)
	}
	want := recommended(t, c, vecdb.Request{User: "u0", Limit: 4})
	allBegin(t, want, "s")
	allBegin(t, recommended(t, c, vecdb.Request{User: "u1", Limit: 4}), "k")
	if err := db.Close(); err != nil {
		t.Fatal(err)
	}

	db = open(t, dir, vecdb.Options{})
	if c, err = db.Collection("shelf"); err != nil {
		t.Fatal(err)
	}
	if s := c.Stats().Behavior; s.Version != first.Version || s.Model == nil || s.Events != first.Events || s.Pending {
		t.Errorf("after a start: %+v, before: %+v", s, first)
	}
	if got := recommended(t, c, vecdb.Request{User: "u0", Limit: 4}); !slices.Equal(got, want) {
		t.Errorf("after a start %v, before %v", got, want)
	}

	if _, err := c.Delete(t.Context(), want[:1], vecdb.WaitIndexed); err != nil {
		t.Fatal(err)
	}
	if got := recommended(t, c, vecdb.Request{User: "u0", Limit: 30}); slices.Contains(got, want[0]) {
		t.Errorf("a deleted document is recommended: %v", got)
	}
	if n, err := c.DeleteEvents(t.Context(), vecdb.EventFilter{User: "u0"}); err != nil || n == 0 {
		t.Fatal(n, err)
	}
	if left, total, err := c.Events(t.Context(), vecdb.EventFilter{User: "u0"}, 10); err != nil || total != 0 || len(left) != 0 {
		t.Errorf("of a forgotten user there are %d events, %v", total, err)
	}
	again, err := c.TrainRecommender(t.Context())
	if err != nil || again.Version != first.Version+1 || again.Model.Users != 19 {
		t.Errorf("learnt again: %+v, %v", again, err)
	}
	if err := db.Verify(t.Context(), func(problem string) { t.Error(problem) }); err != nil {
		t.Error(err)
	}
}

func TestLearningFromEventsTellsHowFarItHasCome(t *testing.T) {
	db := open(t, t.TempDir(), vecdb.Options{})
	c := collection(t, db, "shelf", vecdb.CollectionOptions{})
	docs, events := shelf()
	if _, err := c.Upsert(t.Context(), docs, vecdb.WaitIndexed); err != nil {
		t.Fatal(err)
	}
	if _, err := c.AddEvents(t.Context(), events, vecdb.WaitDurable); err != nil {
		t.Fatal(err)
	}
	want := []string{vecdb.PhaseWait, recommender.PhaseRead, recommender.PhaseCount, recommender.PhaseFit, recommender.PhaseKeep}
	for range 20 { // as it may be learnt in the background before
		var told []string
		tell := func(phase string, _, _ int) {
			if len(told) == 0 || told[len(told)-1] != phase {
				told = append(told, phase)
			}
		}
		s, err := c.TrainRecommenderWith(t.Context(), vecdb.RecommenderOptions{Progress: tell})
		if err != nil || s.Model == nil {
			t.Fatal(s, err)
		}
		if slices.Equal(told, want) {
			return
		}
		if !slices.Equal(told, want[:1]) {
			t.Fatalf("told of %v", told)
		}
		if _, err := c.AddEvents(t.Context(), []vecdb.Event{{User: "new", Item: docs[0].ID, Action: "like"}}, vecdb.WaitDurable); err != nil {
			t.Fatal(err)
		}
	}
	t.Errorf("nobody is told of %v", want)
}

func TestADamagedModelIsToldAndLearntAgain(t *testing.T) {
	dir := t.TempDir()
	db := open(t, dir, vecdb.Options{})
	c := collection(t, db, "shelf", vecdb.CollectionOptions{})
	docs, events := shelf()
	if _, err := c.Upsert(t.Context(), docs, vecdb.WaitIndexed); err != nil {
		t.Fatal(err)
	}
	if _, err := c.AddEvents(t.Context(), events, vecdb.WaitTrained); err != nil {
		t.Fatal(err)
	}
	if err := db.Close(); err != nil {
		t.Fatal(err)
	}
	files, err := filepath.Glob(filepath.Join(dir, "index", "*.taste"))
	if err != nil || len(files) != 1 {
		t.Fatal(files, err)
	}
	data, err := os.ReadFile(files[0])
	if err != nil {
		t.Fatal(err)
	}
	data[len(data)/2] ^= 1
	if err := os.WriteFile(files[0], data, 0o600); err != nil {
		t.Fatal(err)
	}
	db = open(t, dir, vecdb.Options{ReadOnly: true})
	problems := 0
	if err := db.Verify(t.Context(), func(string) { problems++ }); err != nil || problems != 1 {
		t.Errorf("%d problems are reported, %v", problems, err)
	}
	if c, err = db.Collection("shelf"); err != nil {
		t.Fatal(err)
	}
	allBegin(t, recommended(t, c, vecdb.Request{User: "u0", Limit: 3}), "s") // by the texts
	if err := db.Close(); err != nil {
		t.Fatal(err)
	}
	db = open(t, dir, vecdb.Options{})
	if c, err = db.Collection("shelf"); err != nil {
		t.Fatal(err)
	}
	if s, err := c.TrainRecommender(t.Context()); err != nil || s.Model == nil {
		t.Errorf("%+v, %v", s, err)
	}
}

func TestRecommendationsAreLearntInTheBackground(t *testing.T) {
	db := open(t, t.TempDir(), vecdb.Options{})
	c := collection(t, db, "shelf", vecdb.CollectionOptions{})
	docs, events := shelf()
	if _, err := c.Upsert(t.Context(), docs, vecdb.WaitDurable); err != nil {
		t.Fatal(err)
	}
	if _, err := c.AddEvents(t.Context(), events, vecdb.WaitDurable); err != nil {
		t.Fatal(err)
	}
	eventually(t, func() bool { return c.Stats().Behavior.Model != nil })
	allBegin(t, recommended(t, c, vecdb.Request{User: "u1", Limit: 4}), "k")
}

// TestWhatIsForgottenIsUnlearntAfterACrashToo deletes the events of a user and
// closes before anything can be learnt again.
func TestWhatIsForgottenIsUnlearntAfterACrashToo(t *testing.T) {
	dir := t.TempDir()
	db := open(t, dir, vecdb.Options{})
	c := collection(t, db, "shelf", vecdb.CollectionOptions{})
	docs, events := shelf()
	if _, err := c.Upsert(t.Context(), docs, vecdb.WaitIndexed); err != nil {
		t.Fatal(err)
	}
	if _, err := c.AddEvents(t.Context(), events, vecdb.WaitTrained); err != nil {
		t.Fatal(err)
	}
	before := c.Stats().Behavior
	if _, err := c.DeleteEvents(t.Context(), vecdb.EventFilter{User: "u3"}); err != nil {
		t.Fatal(err)
	}
	if err := db.Close(); err != nil {
		t.Fatal(err)
	}
	db = open(t, dir, vecdb.Options{})
	c, err := db.Collection("shelf")
	if err != nil {
		t.Fatal(err)
	}
	eventually(t, func() bool { return c.Stats().Behavior.Model.Users != before.Model.Users })
	if s := c.Stats().Behavior; s.Model.Users != 19 || s.Pending {
		t.Errorf("%+v", s)
	}
}
