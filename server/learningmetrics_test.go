package server_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/vecdb/vecdb/client"
	"github.com/vecdb/vecdb/server"
)

func TestLearningIsToldOf(t *testing.T) {
	const c = "/v1/collections/films"
	r := newRig(t, server.Options{})
	r.want(201, "PUT", c, "") // empty, so that the labels come at once and are learnt once
	metrics := func() string { return "\n" + string(r.want(200, "GET", "/metrics", "").body) }
	value := func(all, name string) string {
		_, rest, found := strings.Cut(all, "\n"+name+" ")
		if !found {
			return "missing"
		}
		return rest[:strings.IndexByte(rest, '\n')]
	}
	if all := metrics(); strings.Contains(all, "\nvecdb_head") || strings.Contains(all, "\nvecdb_answer_") {
		t.Error("there are figures of what was not learnt")
	}
	var docs []string
	for i := range 60 {
		label := []string{"sea", "war"}[i%2]
		docs = append(docs, fmt.Sprintf(`{"id":"n%d","text":"%s and %s, number %d","label":"%s","odd":"x","answer":"page of %s"}`, i,
			map[string]string{"sea": "waves", "war": "soldiers"}[label], label, i%9, label, label))
	}
	r.want(200, "POST", c+"/documents?wait=trained", "["+strings.Join(docs, ",")+"]")
	r.want(400, "POST", c+"/train", `{"label_field":"odd"}`) // all alike
	r.want(200, "POST", c+"/answer", `{"text":"waves and sea, number 3"}`)
	r.want(200, "POST", c+"/answer", `{"text":"zzz yyy xxx"}`)
	r.want(200, "POST", c+"/answer/feedback", `{"question":"zzz?","answer":"n3","right":true}`)
	st := read[client.Stats](t, r.want(200, "GET", c+"/stats", ""))
	head := st.Heads[0]
	accuracy := 0.0
	for _, k := range head.Candidates {
		if string(k.Method) == head.Method {
			accuracy = k.Accuracy
		}
	}
	all := metrics()
	of := `{collection="films",field="label"`
	for name, want := range map[string]any{
		"vecdb_trainings_total" + of + `,result="learnt"}`:                            1,
		"vecdb_trainings_total" + of + `,result="failed"}`:                            0,
		`vecdb_trainings_total{collection="films",field="odd",result="refused"}`:      1,
		"vecdb_head_version" + of + "}":                                               1,
		"vecdb_head_examples" + of + "}":                                              head.Examples,
		"vecdb_head_labels" + of + "}":                                                head.Labels,
		"vecdb_head_accuracy" + of + "}":                                              accuracy,
		`vecdb_answers_total{collection="films",result="answered"}`:                   1,
		`vecdb_answers_total{collection="films",result="unsure"}`:                     1,
		`vecdb_calibrations_total{collection="films",field="answer",result="learnt"}`: 1,
		`vecdb_answer_examples{collection="films",field="answer"}`:                    st.Answers.Calibration.Examples,
		`vecdb_answer_accuracy{collection="films",field="answer"}`:                    st.Answers.Calibration.Accuracy,
		`vecdb_answer_calibration_error{collection="films",field="answer"}`:           st.Answers.Calibration.ECE,
		`vecdb_feedback{collection="films"}`:                                          1,
	} {
		if got := value(all, name); got != fmt.Sprint(want) {
			t.Errorf("%s is %s, want %v", name, got, want)
		}
	}
	for _, name := range []string{"vecdb_training_seconds_total" + of + "}", "vecdb_head_trained_timestamp_seconds" + of + "}", `vecdb_calibration_seconds_total{collection="films",field="answer"}`} {
		if got := value(all, name); got == "missing" || got == "0" {
			t.Errorf("%s is %s", name, got)
		}
	}
	r.want(200, "POST", c+"/train", "") // nothing has changed
	if got := value(metrics(), "vecdb_trainings_total"+of+`,result="learnt"}`); got != "1" {
		t.Errorf("after asking for what is learnt already there are %s trainings", got)
	}
}
