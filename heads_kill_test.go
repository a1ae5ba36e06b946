package vecdb_test

import (
	"bufio"
	"fmt"
	"log/slog"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/vecdb/vecdb"
	"github.com/vecdb/vecdb/index/snapshot"
	"github.com/vecdb/vecdb/query"
)

// envLearner tells the test binary to be the process that is killed, and where.
const envLearner = "VECDB_TEST_LEARN_IN"

// learnerBatch is how many documents are stored before each training.
const learnerBatch = 20

// TestLearner is the process that TestAKilledLearnerLosesNothing kills. It tells
// what is acknowledged, and its log tells when a head is learnt and is about to be
// saved.
func TestLearner(t *testing.T) {
	dir := os.Getenv(envLearner)
	if dir == "" {
		t.Skip("runs as the process that another test kills")
	}
	db := open(t, dir, vecdb.Options{Logger: slog.New(slog.NewTextHandler(os.Stdout, nil))})
	c := collection(t, db, "reviews", vecdb.CollectionOptions{})
	for i := c.Len(); ; i += learnerBatch {
		if err := errorOf(c.Upsert(t.Context(), reviews(i, learnerBatch), vecdb.WaitDurable)); err != nil {
			t.Fatal(err)
		}
		fmt.Println("stored", i+learnerBatch)
		h, err := c.Train(t.Context(), "")
		if err != nil {
			t.Fatal(err)
		}
		fmt.Println("learnt", h.Version, h.Info.Examples)
	}
}

// learner is what a killed process had acknowledged.
type learner struct {
	stored  int           // documents
	version int           // of the head that was learnt and saved
	from    int           // examples of that head
	saving  bool          // it was saving a head when it was killed
	takes   time.Duration // the last training that was seen whole
}

// read takes a line of the process in.
func (l *learner) read(t *testing.T, line string, since time.Time) {
	t.Helper()
	switch {
	case strings.HasPrefix(line, "stored "):
		scan(t, line, "stored %d", &l.stored)
	case strings.HasPrefix(line, "learnt "):
		scan(t, line, "learnt %d %d", &l.version, &l.from)
		l.saving = false
	case strings.Contains(line, `"labels are learnt"`):
		l.saving, l.takes = true, time.Since(since)
	case strings.HasPrefix(line, "---"), strings.Contains(line, "WARN"), strings.Contains(line, "ERROR"):
		t.Errorf("the learner says: %s", line)
	}
}

func scan(t *testing.T, line, form string, into ...any) {
	t.Helper()
	if _, err := fmt.Sscanf(line, form, into...); err != nil {
		t.Fatalf("%q: %v", line, err)
	}
}

// killLearner runs the process and kills it, after some trainings, while it learns
// or while it saves. It brings l up to date with all that it told.
func killLearner(t *testing.T, dir string, rng *rand.Rand, l *learner, saving bool) {
	t.Helper()
	cmd := exec.CommandContext(t.Context(), os.Args[0], "-test.run=^TestLearner$")
	cmd.Env = append(os.Environ(), envLearner+"="+dir)
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	l.saving = false
	trainings, since := rng.IntN(3), time.Now()
	for in := bufio.NewScanner(out); in.Scan(); {
		l.read(t, in.Text(), since)
		stored := strings.HasPrefix(in.Text(), "stored ")
		if stored {
			since = time.Now()
		}
		if stored && !saving || l.saving && saving {
			if trainings--; trainings < 0 {
				if stored {
					time.Sleep(time.Duration(rng.Float64() * float64(l.takes)))
				}
				_ = cmd.Process.Kill() // it may have ended, which is told below
			}
		}
	}
	if err := cmd.Wait(); err == nil || cmd.ProcessState.ExitCode() != -1 {
		t.Fatalf("the learner ended by itself: %v", err)
	}
}

// TestAKilledLearnerLosesNothing kills a process again and again while it learns
// labels, and while it saves what it has learnt, until both were met a few times.
func TestAKilledLearnerLosesNothing(t *testing.T) {
	seed := uint64(time.Now().UnixNano())
	t.Logf("seed %d", seed)
	rng := rand.New(rand.NewPCG(seed, 1))
	dir := t.TempDir()
	var l learner
	const wanted, most = 3, 60
	learning, saving, rounds := 0, 0, 0
	for ; (learning < wanted || saving < wanted) && rounds < most && !t.Failed(); rounds++ {
		killLearner(t, dir, rng, &l, saving < learning)
		if l.saving {
			saving++
		} else if l.version == 0 || l.stored > l.from {
			learning++
		}
		l.check(t, dir)
	}
	t.Logf("%d kills, %d while it learnt, %d while it saved, %d documents", rounds, learning, saving, l.stored)
	if learning < wanted || saving < wanted {
		t.Errorf("%d kills met the learning %d times and the saving %d times, want %d", rounds, learning, saving, wanted)
	}
}

// check compares the database that was left with what was acknowledged, and learns
// again.
func (l *learner) check(t *testing.T, dir string) {
	t.Helper()
	db := open(t, dir, vecdb.Options{})
	l.compare(t, db)
	if left, err := filepath.Glob(filepath.Join(dir, "index", "*"+snapshot.Temp)); err != nil || len(left) > 0 {
		t.Errorf("left lies %v (%v)", left, err)
	}
	c, err := db.Collection("reviews")
	if err != nil {
		t.Fatal(err)
	}
	h, err := c.Train(t.Context(), "")
	if err != nil || h.Info.Examples != c.Len() || h.Pending {
		t.Fatalf("learning again gives %+v, %v", h, err)
	}
	l.stored, l.version, l.from = c.Len(), h.Version, c.Len()
	if err := db.Close(); err != nil {
		t.Fatal(err)
	}
}

// compare looks for all documents that were acknowledged, and for the head that
// was learnt last or the one before.
func (l *learner) compare(t *testing.T, db *vecdb.DB) {
	t.Helper()
	c, err := db.Collection("reviews")
	if err != nil {
		t.Fatal(err)
	}
	h := learnt(t, c, "label")
	old := h.Version == l.version && (h.Info == nil && l.version == 0 || h.Info != nil && h.Info.Examples == l.from)
	now := h.Version == l.version+1 && h.Info != nil && h.Info.Examples == l.stored
	since := h.Info != nil && h.Version <= l.version+2 && h.Info.Examples == c.Len() // in the background, if the test stood still that long
	if !old && !now && !since {
		t.Errorf("the head is %+v, acknowledged were version %d of %d documents and %d documents", h, l.version, l.from, l.stored)
	}
	if h.Info != nil {
		if got := label(t, c, vecdb.ClassifyRequest{Texts: []string{"an evening of dreadful music"}, Method: query.MethodLinear, AnyScope: true}); *got.Label != "neg" {
			t.Errorf("the head says %+v", got)
		}
	}
	if c.Len() < l.stored {
		t.Errorf("%d documents of %d", c.Len(), l.stored)
	}
	for _, want := range reviews(0, l.stored) {
		if got, err := c.Get(t.Context(), want.ID); err != nil || got.Text != want.Text || !reflect.DeepEqual(got.Fields, want.Fields) {
			t.Fatalf("document %s is %+v, want %+v (%v)", want.ID, got, want, err)
		}
	}
	if err := db.Verify(t.Context(), func(p string) { t.Error(p) }); err != nil {
		t.Error(err)
	}
}
