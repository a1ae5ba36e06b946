package server_test

import (
	"net/http"
	"strings"
	"testing"

	"github.com/vecdb/vecdb/client"
	"github.com/vecdb/vecdb/query"
	"github.com/vecdb/vecdb/server"
)

// chosen reads a collection and compares what is told of its model.
func (r *rig) chosen(path, choice, language, model string, dimension int) {
	r.Helper()
	for name, got := range map[string]client.Collection{
		"the collection": read[client.Collection](r, r.want(200, "GET", path, "")),
		"a list":         read[client.Collections](r, r.want(200, "GET", "/v1/collections", "")).Collections[0],
	} {
		if got.ModelChoice != choice || got.Language != language || got.Model != model || got.Dimension != dimension {
			r.Errorf("%s tells %+v, want %s %s %s %d", name, got, choice, language, model, dimension)
		}
	}
	st := read[client.Stats](r, r.want(200, "GET", path+"/stats", ""))
	if st.ModelChoice != choice || st.Language != language || st.Model != model || st.Dimension != dimension {
		r.Errorf("the figures tell %+v, want %s %s %s %d", st, choice, language, model, dimension)
	}
}

func TestTheFirstTextsChooseTheModelOverHTTP(t *testing.T) {
	const path = "/v1/collections/inbox"
	for _, test := range []struct{ language, model, docs, question, best, numbers string }{
		{"en", "all-MiniLM-L6-v2", `[{"id":"card","text":"How do I get a new bank card?"},{"id":"rice","text":"Cooking rice and beans in one pot"},{"id":"match","text":"The football match ended in a draw"}]`,
			"preparing a meal", "rice", "384"},
		{"zh", "bge-small-zh-v1.5", `[{"id":"card","text":"怎样补办银行卡？"},{"id":"rice","text":"一锅煮好的豆子米饭"},{"id":"match","text":"足球比赛以平局结束"}]`,
			"晚饭做什么菜", "rice", "512"},
	} {
		t.Run(test.language, func(t *testing.T) {
			r := newRealRig(t, server.Options{})
			r.want(http.StatusCreated, "PUT", path, `{"language":"auto"}`)
			r.want(http.StatusOK, "PUT", path, `{"language":"auto"}`)
			r.chosen(path, client.ChoicePending, "auto", "", 0)
			before := read[query.Response](t, r.want(200, "POST", path+"/search", `{"text":"`+test.question+`"}`))
			if len(before.Hits) > 0 || len(before.Warnings) != 1 {
				t.Errorf("before the first text a search gives %+v", before)
			}
			refused := read[client.AddResult](t, r.want(200, "POST", path+"/documents", `[{"id":"v","vector":[1,0,0]}]`))
			if e := refused.Results[0].Error; e == nil || e.Code != client.CodePending || e.Pointer != "/vector" || e.Hint == "" {
				t.Errorf("a vector before the first text gives %+v", refused)
			}
			r.want(http.StatusConflict, "POST", path+"/answer/feedback", `{"feedback":[{"question":"where?","answer":"card","right":true}]}`)
			r.chosen(path, client.ChoicePending, "auto", "", 0)

			added := read[client.AddResult](t, r.want(200, "POST", path+"/documents?wait=indexed", test.docs))
			if added.Accepted != 3 {
				t.Fatalf("added %+v", added)
			}
			dimension := map[string]int{"384": 384, "512": 512}[test.numbers]
			r.chosen(path, client.ChoiceMade, test.language, test.model, dimension)
			found := read[query.Response](t, r.want(200, "POST", path+"/search", `{"text":"`+test.question+`","mode":"dense","limit":1}`))
			if len(found.Hits) != 1 || found.Hits[0].ID != test.best {
				t.Errorf("%s finds %+v", test.question, found.Hits)
			}
			r.want(http.StatusOK, "PUT", path, `{"language":"auto"}`)
			r.want(http.StatusOK, "PUT", path, `{"language":"`+test.language+`"}`)
			wrong := read[client.AddResult](t, r.want(200, "POST", path+"/documents", `[{"id":"v","vector":[1,0,0]}]`))
			if e := wrong.Results[0].Error; e == nil || e.Code != client.CodeDimension || !strings.Contains(e.Detail, test.numbers) {
				t.Errorf("a vector of another length gives %+v", wrong)
			}
		})
	}
}

func TestLinesChooseTheModelToo(t *testing.T) {
	r := newRealRig(t, server.Options{})
	r.want(http.StatusCreated, "PUT", "/v1/collections/inbox", `{"language":"auto"}`)
	lines := "{\"id\":\"a\",\"text\":\"父亲和儿子一起做饭\"}\n{\"id\":\"b\",\"text\":\"rice and beans\"}\n"
	r.want(http.StatusOK, "POST", "/v1/collections/inbox/documents?wait=indexed", lines, "Content-Type", "application/x-ndjson")
	r.chosen("/v1/collections/inbox", client.ChoiceMade, "zh", "bge-small-zh-v1.5", 512)
}

func TestAChoiceIsAskedForAloneOverHTTP(t *testing.T) {
	r := newRig(t, server.Options{})
	for body, pointer := range map[string]string{
		`{"language":"auto","model":"all-MiniLM-L6-v2"}`: "/model", `{"language":"auto","model":"none","dimension":3}`: "/model",
		`{"language":"auto","dimension":100}`: "/dimension", `{"language":"fr"}`: "/language",
	} {
		p := read[client.Problem](t, r.want(400, "PUT", "/v1/collections/c", body))
		if p.Code != client.CodeInvalid || len(p.Errors) != 1 || p.Errors[0].Pointer != pointer || p.Errors[0].Hint == "" {
			t.Errorf("%s: %+v", body, p)
		}
	}
}
