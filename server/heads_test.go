package server_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/vecdb/vecdb/client"
	"github.com/vecdb/vecdb/query"
	"github.com/vecdb/vecdb/server"
	"github.com/vecdb/vecdb/train"
)

func TestLabelsAreLearntAndEvaluated(t *testing.T) {
	const c = "/v1/collections/films"
	r := stocked(t, server.Options{})
	var lines strings.Builder
	for i := range 60 {
		label := []string{"sea", "war"}[i%2]
		fmt.Fprintf(&lines, `{"id":"n%d","text":"%s and %s, number %d","label":"%s","tags":["a","b"],"year":%d}`+"\n", i, map[string]string{"sea": "waves", "war": "soldiers"}[label], label, i%9, label, 1990+i%3)
	}
	r.want(200, "POST", c+"/documents?wait=trained", lines.String(), "Content-Type", "application/x-ndjson")
	st := read[client.Stats](t, r.want(200, "GET", c+"/stats", ""))
	if len(st.Heads) != 1 || st.Heads[0].LabelField != "label" || st.Heads[0].Pending || len(st.Heads[0].Candidates) != 3 || st.Heads[0].Trained == nil {
		t.Fatalf("heads: %+v", st.Heads)
	}
	labels := read[query.ClassifyResponse](t, r.want(200, "POST", c+"/classify", `{"text":"waves and sea, number 3","method":"linear"}`))
	if got := labels.Results[0]; got.Label == nil || *got.Label != "sea" || got.Method != query.MethodLinear || len(got.Neighbors) == 0 {
		t.Errorf("classify: %+v", got)
	}
	h := read[client.Head](t, r.want(200, "POST", c+"/train", `{"kind":"classifier","label_field":"year"}`))
	if h.Labels < 3 || h.Version != 1 || h.Examples < 60 {
		t.Errorf("train by a number: %+v", h)
	}
	if h := read[client.Head](t, r.want(200, "POST", c+"/train", "")); h.LabelField != "label" {
		t.Errorf("train without a body: %+v", h)
	}
	report := read[train.Report](t, r.want(200, "POST", c+"/evaluate", `{"folds":3,"method":"linear"}`))
	if report.Folds != 3 || report.Accuracy < 0.9 || len(report.Classes) != len(report.Confusion) || report.Classes[0].Support == 0 {
		t.Errorf("evaluate: %+v", report)
	}
	for body, pointer := range map[string]string{
		`{"label_field":"tags"}`: "/label_field", `{"label_field":"lable"}`: "/label_field", `{"label_field":"id"}`: "/label_field",
	} {
		for _, route := range []string{"/train", "/evaluate"} {
			if got := r.want(400, "POST", c+route, body); !strings.Contains(string(got.body), pointer) {
				t.Errorf("%s %s: %s", route, body, got.body)
			}
		}
	}
	for _, body := range []string{`{"folds":1}`, `{"folds":-3}`, `{"method":"magic"}`, `{"leave_one_out":true}`, `{"fold":3}`} {
		r.want(400, "POST", c+"/evaluate", body)
	}
	r.want(400, "POST", c+"/train", `{"kind":"rocket"}`)
	r.want(404, "POST", "/v1/collections/nothing/train", "")
	r.want(201, "PUT", "/v1/collections/empty", "")
	r.want(400, "POST", "/v1/collections/empty/train", "")
	r.want(400, "POST", "/v1/collections/empty/evaluate", "")
	r.want(200, "POST", "/v1/collections/empty/classify", `{"text":"waves"}`)
	r.want(400, "POST", "/v1/collections/empty/classify", `{"text":"waves","method":"centroid"}`)
}
