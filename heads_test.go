package vecdb_test

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/vecdb/vecdb"
	"github.com/vecdb/vecdb/query"
	"github.com/vecdb/vecdb/train"
)

// reviews are documents whose label depends on a word among many others.
func reviews(from, n int) []vecdb.Document {
	filler := strings.Fields("film seen many people town near evening last year story actors music scene camera plot")
	var docs []vecdb.Document
	for i := from; i < from+n; i++ {
		word, label := "lovely", "pos"
		if i%2 == 0 {
			word, label = "dreadful", "neg"
		}
		text := fmt.Sprintf("%s %s %s %s %s", filler[i%15], filler[i/3%15], word, filler[i/7%15], filler[i/2%15])
		docs = append(docs, vecdb.Document{ID: fmt.Sprint("r", i), Text: text, Fields: map[string]any{"label": label, "odd": i%2 == 1, "same": "x"}})
	}
	return docs
}

func learnt(t testing.TB, c *vecdb.Collection, field string) vecdb.HeadStats {
	t.Helper()
	for _, h := range c.Stats().Heads {
		if h.Field == field {
			return h
		}
	}
	return vecdb.HeadStats{}
}

func label(t testing.TB, c *vecdb.Collection, r vecdb.ClassifyRequest) vecdb.Classification {
	t.Helper()
	got, err := c.Classify(t.Context(), r)
	if err != nil {
		t.Fatal(err)
	}
	return got.Results[0]
}

func TestLabelsAreLearntKeptAndLearntAgain(t *testing.T) {
	dir := t.TempDir()
	db := open(t, dir, vecdb.Options{})
	c := collection(t, db, "reviews", vecdb.CollectionOptions{})
	if _, err := c.Upsert(t.Context(), reviews(0, 200), vecdb.WaitTrained); err != nil {
		t.Fatal(err)
	}
	first := learnt(t, c, "label")
	if first.Info == nil || first.Version != 1 || first.Info.Examples != 200 || first.Pending {
		t.Fatalf("after waiting: %+v", first)
	}
	ask := vecdb.ClassifyRequest{Texts: []string{"an evening of dreadful music"}, Method: query.MethodLinear, AnyScope: true}
	before := label(t, c, ask)
	if before.Label == nil || *before.Label != "neg" || before.Method != query.MethodLinear || len(before.Neighbors) == 0 || before.Probability < 0.6 {
		t.Errorf("got %+v", before)
	}
	far := label(t, c, vecdb.ClassifyRequest{Texts: []string{"how do I reset my card"}})
	if !far.Abstained || far.Reason != query.ReasonOutOfScope || far.Probability == 0 {
		t.Errorf("a text about something else: %+v", far)
	}
	// Nothing has changed, so nothing is learnt.
	if err := errorOf(c.Upsert(t.Context(), []vecdb.Document{{ID: "plain", Text: "no label"}}, vecdb.WaitTrained)); err != nil {
		t.Fatal(err)
	}
	if h := learnt(t, c, "label"); h.Version != 1 {
		t.Errorf("a document without a label makes version %d", h.Version)
	}
	if err := db.Close(); err != nil {
		t.Fatal(err)
	}

	db = open(t, dir, vecdb.Options{})
	c, _ = db.Collection("reviews")
	if h := learnt(t, c, "label"); h.Version != 1 || h.Info == nil || h.Pending {
		t.Fatalf("after the start: %+v", h)
	}
	if after := label(t, c, ask); after.Probability != before.Probability {
		t.Errorf("probability %v before the start, %v after", before.Probability, after.Probability)
	}
	if err := errorOf(c.Upsert(t.Context(), reviews(200, 50), vecdb.WaitTrained)); err != nil {
		t.Fatal(err)
	}
	if h := learnt(t, c, "label"); h.Version != 2 || h.Info.Examples != 250 {
		t.Errorf("after more labels: %+v", h)
	}
	problems := 0
	if err := db.Verify(t.Context(), func(p string) { problems++; t.Log(p) }); err != nil || problems > 0 {
		t.Errorf("%d problems, %v", problems, err)
	}
}

func errorOf(_ []vecdb.ItemResult, err error) error { return err }

func TestLabelsAreLearntInTheBackground(t *testing.T) {
	db := open(t, "", vecdb.Options{InMemory: true})
	c := collection(t, db, "reviews", vecdb.CollectionOptions{})
	upsert(t, c, reviews(0, 60)...)
	eventually(t, func() bool { return learnt(t, c, "label").Version == 1 })
	upsert(t, c, reviews(60, 2)...) // too few to learn again
	if h := learnt(t, c, "label"); h.Version != 1 || !h.Pending {
		t.Errorf("after two documents: %+v", h)
	}
	upsert(t, c, reviews(62, 40)...)
	eventually(t, func() bool { h := learnt(t, c, "label"); return h.Version == 2 && h.Info.Examples == 102 })
}

func TestWhatIsNotLearntIsToldWhy(t *testing.T) {
	db := open(t, "", vecdb.Options{InMemory: true})
	c := collection(t, db, "reviews", vecdb.CollectionOptions{})
	if _, err := c.Train(t.Context(), ""); !errors.Is(err, vecdb.ErrInvalid) {
		t.Errorf("an empty collection: %v", err)
	}
	docs := reviews(0, 40)
	for i := range docs {
		docs[i].Fields["tags"] = []any{"a", fmt.Sprint(i % 3)}
	}
	upsert(t, c, docs...)
	for field, part := range map[string]string{"same": "same label", "tags": "several labels", "lable": "no document has", "text": "not a label"} {
		if _, err := c.Train(t.Context(), field); !errors.Is(err, vecdb.ErrInvalid) || !strings.Contains(err.Error(), part) {
			t.Errorf("train by %s: %v", field, err)
		}
		if _, err := c.Evaluate(t.Context(), field, train.Evaluation{}); !errors.Is(err, vecdb.ErrInvalid) || !strings.Contains(err.Error(), part) {
			t.Errorf("evaluate %s: %v", field, err)
		}
		if got := label(t, c, vecdb.ClassifyRequest{Texts: []string{"dreadful"}, LabelField: pickField(field)}); got.Method != query.MethodNeighbors {
			t.Errorf("classify by %s: %+v", field, got)
		}
	}
	if h, err := c.Train(t.Context(), "odd"); err != nil || h.Info == nil || fmt.Sprint(h.Info.Labels) != "[false true]" {
		t.Errorf("booleans: %+v, %v", h, err)
	}
	r, err := c.Evaluate(t.Context(), "", train.Evaluation{Folds: 4})
	if err != nil || r.Examples != 40 || r.Accuracy < 0.5 {
		t.Errorf("evaluate: %+v, %v", r, err)
	}
}

// pickField leaves out names that classify refuses.
func pickField(field string) string {
	if field == "text" {
		return "tags"
	}
	return field
}

func TestDamagedHeadsAreLearntAgain(t *testing.T) {
	dir := t.TempDir()
	db := open(t, dir, vecdb.Options{})
	c := collection(t, db, "reviews", vecdb.CollectionOptions{})
	if err := errorOf(c.Upsert(t.Context(), reviews(0, 60), vecdb.WaitTrained)); err != nil {
		t.Fatal(err)
	}
	if err := db.Close(); err != nil {
		t.Fatal(err)
	}
	files, err := filepath.Glob(filepath.Join(dir, "index", "*.heads"))
	if err != nil || len(files) != 1 {
		t.Fatalf("kept heads: %v, %v", files, err)
	}
	whole, err := os.ReadFile(files[0])
	if err != nil {
		t.Fatal(err)
	}
	for name, damage := range map[string]func([]byte) []byte{
		"cut short":    func(b []byte) []byte { return b[:len(b)/2] },
		"empty":        func([]byte) []byte { return nil },
		"a turned bit": func(b []byte) []byte { b[len(b)/2] ^= 4; return b },
	} {
		if err := os.WriteFile(files[0], damage(append([]byte(nil), whole...)), 0o644); err != nil {
			t.Fatal(err)
		}
		db := open(t, dir, vecdb.Options{ReadOnly: true}) // else they are learnt again before long
		c, _ := db.Collection("reviews")
		problems := 0
		if err := db.Verify(t.Context(), func(string) { problems++ }); err != nil || problems != 1 {
			t.Errorf("%s: %d problems, %v", name, problems, err)
		}
		if got := label(t, c, vecdb.ClassifyRequest{Texts: []string{"dreadful"}}); got.Method != query.MethodNeighbors {
			t.Errorf("%s: %+v", name, got)
		}
		if err := db.Close(); err != nil {
			t.Fatal(err)
		}
		db = open(t, dir, vecdb.Options{})
		c, _ = db.Collection("reviews")
		if h, err := c.Train(t.Context(), ""); err != nil || h.Info == nil {
			t.Errorf("%s: not learnt again: %v", name, err)
		}
		if err := db.Close(); err != nil {
			t.Fatal(err)
		}
	}
}

// TestWhatIsLearntIsKeptWhenever learns labels and calibrates answers while the first
// change is on its way into the indexes.
func TestWhatIsLearntIsKeptWhenever(t *testing.T) {
	dir := t.TempDir()
	db := open(t, dir, vecdb.Options{})
	c := collection(t, db, "reviews", vecdb.CollectionOptions{})
	upsert(t, c, append(reviews(0, 60), cards...)...)
	vecdb.LearnBesideTheFirstChange(t, c)
	if h, err := c.Train(t.Context(), ""); err != nil || h.Version != 1 {
		t.Fatalf("learnt %+v, %v", h, err)
	}
	if err := db.Close(); err != nil {
		t.Fatal(err)
	}
	db = open(t, dir, vecdb.Options{ReadOnly: true})
	c, _ = db.Collection("reviews")
	if h := learnt(t, c, "label"); h.Version != 1 || h.Info == nil {
		t.Errorf("after the start: %+v", h)
	}
	if err := db.Verify(t.Context(), func(p string) { t.Error(p) }); err != nil {
		t.Error(err)
	}
}

// patience is how long tests wait for what must come, on machines that are slow
// and have other work.
const patience = 10 * time.Minute

// eventually waits until a condition holds.
func eventually(t testing.TB, holds func() bool) {
	t.Helper()
	for deadline := time.Now().Add(patience); !holds(); time.Sleep(20 * time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatalf("it did not come true within %v", patience)
		}
	}
}
