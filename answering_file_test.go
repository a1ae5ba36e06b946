package vecdb_test

import (
	"bytes"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"

	"github.com/vecdb/vecdb"
	"github.com/vecdb/vecdb/query"
)

// manyCards are questions, some of which have the same answer.
func manyCards(from, n int) []vecdb.Document {
	filler := strings.Fields("card order refund account parcel invoice password address voucher delivery")
	var docs []vecdb.Document
	for i := from; i < from+n; i++ {
		text := fmt.Sprintf("how do I %s my %s number %d", []string{"change", "cancel", "find"}[i%3], filler[i/3%10], i/30)
		docs = append(docs, question(fmt.Sprint("q", i), text, fmt.Sprint("Page ", i/3%10, " tells it.")))
	}
	return docs
}

// calibrations returns the files that keep how sure answers are.
func calibrations(t *testing.T, dir string) []string {
	t.Helper()
	files, err := filepath.Glob(filepath.Join(dir, "index", "*.answers"))
	if err != nil {
		t.Fatal(err)
	}
	return files
}

func TestAnswersAreAsSureAfterAStart(t *testing.T) {
	dir := t.TempDir()
	db := open(t, dir, vecdb.Options{})
	c := collection(t, db, "faq", vecdb.CollectionOptions{})
	upsert(t, c, manyCards(0, 60)...)
	tell(t, c, "voucher gone", "q24", true)
	ask(t, c, "hello") // which calibrates
	fitted := c.Stats().Answers.Calibration
	if fitted == nil || fitted.Examples == 0 {
		t.Fatalf("calibrated: %+v", fitted)
	}
	// So little is new that nothing is calibrated again, here or after the start.
	upsert(t, c, vecdb.Document{ID: "plain", Text: "zzz"})
	questions := []string{"how do I change my card number 7", "find invoice", "my voucher is gone", "what is the weather like"}
	before := make(map[string]vecdb.AnswerResponse)
	for _, q := range questions {
		before[q] = ask(t, c, q)
	}
	if err := db.Close(); err != nil {
		t.Fatal(err)
	}

	for _, o := range []vecdb.Options{{}, {ReadOnly: true}} {
		db = open(t, dir, o)
		c, _ = db.Collection("faq")
		if now := c.Stats().Answers.Calibration; now == nil || !reflect.DeepEqual(*now, *fitted) {
			t.Errorf("before any question it is %+v, it was %+v", now, fitted)
		}
		for _, q := range questions {
			got, want := ask(t, c, q), before[q]
			got.Took, want.Took = query.Took{}, query.Took{}
			if !reflect.DeepEqual(got, want) {
				t.Errorf("%s: now %+v, before %+v", q, got, want)
			}
		}
		if now := c.Stats().Answers.Calibration; !reflect.DeepEqual(*now, *fitted) {
			t.Errorf("after questions it is %+v, it was %+v", now, fitted)
		}
		if err := db.Verify(t.Context(), func(p string) { t.Error(p) }); err != nil {
			t.Error(err)
		}
		if err := db.Close(); err != nil {
			t.Fatal(err)
		}
	}

	db = open(t, dir, vecdb.Options{})
	c, _ = db.Collection("faq")
	upsert(t, c, manyCards(60, 30)...)
	ask(t, c, questions[0]) // which has it calibrated again
	eventually(t, func() bool { return c.Stats().Answers.Calibration.Examples > fitted.Examples })
	if len(calibrations(t, dir)) != 1 {
		t.Errorf("the files are %v", calibrations(t, dir))
	}
	if err := db.DropCollection(t.Context(), "faq"); err != nil || len(calibrations(t, dir)) != 0 {
		t.Errorf("of a dropped collection is left: %v (%v)", calibrations(t, dir), err)
	}
}

func TestFeedbackBetweenStartsIsCalibratedOn(t *testing.T) {
	dir := t.TempDir()
	db := open(t, dir, vecdb.Options{})
	c := collection(t, db, "faq", vecdb.CollectionOptions{})
	upsert(t, c, manyCards(0, 60)...)
	ask(t, c, "find invoice")
	old := c.Stats().Answers.Calibration.Examples
	for i := range 5 {
		tell(t, c, fmt.Sprint("parcel lost ", i), "q12", true)
	}
	if err := db.Close(); err != nil {
		t.Fatal(err)
	}
	db = open(t, dir, vecdb.Options{})
	c, _ = db.Collection("faq")
	done := vecdb.Busy(t, c) // so that nothing is calibrated beside the question
	if got := ask(t, c, "find invoice"); got.Calibrated != old {
		t.Errorf("the first answer is calibrated on %d examples, kept were %d", got.Calibrated, old)
	}
	done()
	eventually(t, func() bool { return c.Stats().Answers.Calibration.Examples == old+5 })
}

func TestWhatIsNoLongerCalibratedIsNotKept(t *testing.T) {
	dir := t.TempDir()
	db := open(t, dir, vecdb.Options{})
	c := collection(t, db, "faq", vecdb.CollectionOptions{})
	upsert(t, c, cards...)
	ask(t, c, "my card please")
	if c.Stats().Answers.Calibration == nil || len(calibrations(t, dir)) != 1 {
		t.Fatalf("calibrated: %+v, kept %v", c.Stats().Answers, calibrations(t, dir))
	}
	var ids []string
	for _, doc := range cards {
		ids = append(ids, doc.ID)
	}
	if n, err := c.Delete(t.Context(), ids, vecdb.WaitIndexed); n != len(cards) || err != nil {
		t.Fatalf("deleted %d of %d, %v", n, len(cards), err)
	}
	ask(t, c, "my card please") // which has it calibrated again, on nothing
	eventually(t, func() bool { s := c.Stats().Answers; return s.Calibration == nil && len(calibrations(t, dir)) == 0 })
}

func TestDamagedCalibrationsAreMadeAnew(t *testing.T) {
	dir := t.TempDir()
	db := open(t, dir, vecdb.Options{})
	c := collection(t, db, "faq", vecdb.CollectionOptions{})
	upsert(t, c, cards...)
	want := ask(t, c, "my card please").Calibrated
	if err := db.Close(); err != nil {
		t.Fatal(err)
	}
	files := calibrations(t, dir)
	if len(files) != 1 {
		t.Fatalf("kept are %v", files)
	}
	whole, err := os.ReadFile(files[0])
	if err != nil {
		t.Fatal(err)
	}
	for name, damage := range map[string]func([]byte) []byte{
		"cut short":       func(b []byte) []byte { return b[:len(b)-9] },
		"empty":           func([]byte) []byte { return nil },
		"a turned bit":    func(b []byte) []byte { b[len(b)/2] ^= 4; return b },
		"another version": func(b []byte) []byte { return bytes.Replace(b, []byte("answers 2"), []byte("answers 9"), 1) },
	} {
		if err := os.WriteFile(files[0], damage(bytes.Clone(whole)), 0o644); err != nil {
			t.Fatal(err)
		}
		j := new(journal)
		db := open(t, dir, vecdb.Options{Logger: slog.New(slog.NewTextHandler(j, nil))})
		c, _ := db.Collection("faq")
		if !j.has("calibration of answers cannot be used") {
			t.Errorf("%s: it is not logged", name)
		}
		problems := 0
		if err := db.Verify(t.Context(), func(string) { problems++ }); err != nil || problems != 1 {
			t.Errorf("%s: %d problems, %v", name, problems, err)
		}
		if s := c.Stats().Answers; s.Calibration != nil {
			t.Errorf("%s: used all the same: %+v", name, s.Calibration)
		}
		if got := ask(t, c, "my card please"); got.Calibrated != want {
			t.Errorf("%s: calibrated on %d examples, want %d", name, got.Calibrated, want)
		}
		if err := db.Verify(t.Context(), func(p string) { t.Errorf("%s: after a question: %s", name, p) }); err != nil {
			t.Error(err)
		}
		if err := db.Close(); err != nil {
			t.Fatal(err)
		}
	}
}
