package vecdb

import (
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"

	"github.com/vecdb/vecdb/answers"
	"github.com/vecdb/vecdb/index/snapshot"
	"github.com/vecdb/vecdb/internal/core"
)

// answersForm is the file that keeps how sure answers are. Its body is a list of
// keptCalibration as JSON. Its version stands for what scores are made of too.
var answersForm = keptForm{suffix: ".answers", magic: "vecdb answers 2\n", what: "answers"}

// keptCalibration is what the file tells about the answers of a field.
type keptCalibration struct {
	Field    string         `json:"field"`
	Fitted   answers.Fitted `json:"fitted"`
	Mark     snapshot.Mark  `json:"mark"`     // of the collection when it was fitted
	Feedback int            `json:"feedback"` // pairs of a question and an answer that were remembered then
}

// save writes all calibrations for the next start, or takes the file away where
// there is none.
func (a *answerer) save() error {
	to, number := a.c.db.snapshots, a.c.stored.Number()
	if !to.keeps() {
		return nil
	}
	var list []keptCalibration
	a.mu.Lock()
	for field, have := range a.fields {
		if have.Examples > 0 && have.mark != (snapshot.Mark{}) { // else it is the default, or nothing tells what it belongs to
			list = append(list, keptCalibration{field, have.Fitted, have.mark, have.pairs})
		}
	}
	a.mu.Unlock()
	if len(list) == 0 {
		return snapshot.Remove(to.path(number, answersForm.suffix))
	}
	body, err := json.Marshal(list)
	if err != nil {
		return err
	}
	return to.keep(number, answersForm, body)
}

// restore brings back the calibrations of an earlier run. What cannot be used is
// made anew at the first question.
func (a *answerer) restore() {
	fields, err := a.load()
	switch {
	case errors.Is(err, fs.ErrNotExist):
	case err != nil:
		a.logger.Warn("the kept calibration of answers cannot be used, it will be made anew", "error", err)
	default:
		a.fields = fields
	}
}

// load reads the file and checks that it belongs to the collection.
func (a *answerer) load() (map[string]calibrated, error) {
	body, err := a.c.db.snapshots.kept(a.c.stored.Number(), answersForm)
	if err != nil {
		return nil, err
	}
	var list []keptCalibration
	if err := json.Unmarshal(body, &list); err != nil {
		return nil, fmt.Errorf("the file of answers: %w: %w", err, core.ErrCorrupt)
	}
	fields := make(map[string]calibrated)
	for _, k := range list {
		if want, err := markOf(a.c.stored, k.Mark.Seq); err != nil || want != k.Mark {
			return nil, fmt.Errorf("the calibration of %s belongs to another history of the collection: %w", k.Field, core.ErrCorrupt)
		}
		if k.Fitted.Temperature <= 0 {
			return nil, fmt.Errorf("the calibration of %s has the temperature %v: %w", k.Field, k.Fitted.Temperature, core.ErrCorrupt)
		}
		// What is remembered more, or less, than then has come since.
		since := max(a.memory.Len()-k.Feedback, k.Feedback-a.memory.Len())
		fields[k.Field] = calibrated{Fitted: k.Fitted, mark: k.Mark, pairs: k.Feedback, feedback: a.memory.Version() - uint64(since)}
	}
	return fields, nil
}

// verify reports a file that cannot be used.
func (a *answerer) verify(report func(string)) {
	if _, err := a.load(); err != nil && !errors.Is(err, fs.ErrNotExist) {
		report(fmt.Sprintf("collection %s: %v; the confidence of answers is calibrated anew at the next question", a.c.Name(), err))
	}
}
