package server_test

import (
	"encoding/json"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"testing"

	"github.com/vecdb/vecdb"
	"github.com/vecdb/vecdb/client"
	"github.com/vecdb/vecdb/server"
)

func TestRerankingWithBothModels(t *testing.T) {
	r := newRealRig(t, server.Options{})
	for _, test := range []struct {
		query, model string
		documents    []string
		best         int
	}{
		{"What do I do when my card is lost?", "all-MiniLM-L6-v2",
			[]string{"Cooking rice and beans in one pot", "The football match ended in a draw", "Report a missing bank card to us at once and we block it"}, 2},
		{"银行卡丢了怎么办？", "bge-small-zh-v1.5", []string{"一锅煮好的豆子米饭", "挂失银行卡后我们会立即冻结账户", "足球比赛以平局结束"}, 1},
	} {
		texts, _ := json.Marshal(test.documents)
		body := fmt.Sprintf(`{"query":%q,"documents":%s`, test.query, texts)
		got := read[client.RerankResponse](t, r.want(200, "POST", "/v1/rerank", body+`}`))
		if got.Model != test.model || len(got.Results) != 3 || got.Usage.TotalTokens < 20 || got.Usage.PromptTokens != got.Usage.TotalTokens || len(got.Truncated) > 0 {
			t.Errorf("%s: %+v", test.query, got)
		}
		var places []int
		for i, x := range got.Results {
			places = append(places, x.Index)
			if x.RelevanceScore < 0 || x.RelevanceScore > 1 || i > 0 && x.RelevanceScore > got.Results[i-1].RelevanceScore || x.Document != nil {
				t.Errorf("%s: result %d is %+v", test.query, i, x)
			}
		}
		if places[0] != test.best || got.Results[0].RelevanceScore < got.Results[1].RelevanceScore+0.1 {
			t.Errorf("%s: %+v", test.query, got.Results)
		}
		slices.Sort(places)
		if !slices.Equal(places, []int{0, 1, 2}) {
			t.Errorf("%s: places %v", test.query, places)
		}
		few := read[client.RerankResponse](t, r.want(200, "POST", "/v1/rerank", body+`,"top_n":1,"return_documents":true,"model":"`+test.model+`"}`))
		if len(few.Results) != 1 || few.Results[0].Index != test.best || few.Results[0].Document == nil || few.Results[0].Document.Text != test.documents[test.best] {
			t.Errorf("%s: the best is %+v", test.query, few)
		}
	}
}

func TestRerankingTakesStringsAndObjects(t *testing.T) {
	r := newRig(t, server.Options{})
	long := strings.Repeat("rice and beans ", 4)
	got := read[client.RerankResponse](t, r.want(200, "POST", "/v1/rerank",
		`{"query":"rice and beans","documents":["football",{"text":"`+long+`"},"a father"],"top_n":50,"return_documents":true}`))
	if len(got.Results) != 3 || got.Results[0].Index != 1 || got.Results[0].Document.Text != long {
		t.Errorf("answer %+v", got)
	}
	// The same comes to those who call by the client.
	c, err := client.New(r.url, client.Options{})
	if err != nil {
		t.Fatal(err)
	}
	two := 2
	again, err := c.Rerank(t.Context(), client.RerankRequest{Query: "rice and beans", TopN: &two,
		Documents: client.RerankDocuments{{Text: "football"}, {Text: long}, {Text: "a father"}}})
	if err != nil || len(again.Results) != 2 || again.Results[0].Index != 1 || again.Results[0].RelevanceScore != got.Results[0].RelevanceScore {
		t.Errorf("answer %+v, %v", again, err)
	}
}

func TestRerankingTellsWhatIsWrong(t *testing.T) {
	r := newRig(t, server.Options{})
	many := `{"query":"q","documents":[` + strings.Repeat(`"a",`, vecdb.MaxReranked) + `"a"]}`
	huge := `{"query":"q","documents":["a","` + strings.Repeat("a", 16<<20+1) + `"]}`
	for _, test := range []struct {
		body    string
		status  int
		pointer string
	}{
		{``, 400, ""}, {`{`, 400, ""}, {`[]`, 400, "/"}, {`{"documents":["a"]}`, 400, "/query"}, {`{"query":" ","documents":["a"]}`, 400, "/query"},
		{`{"query":3,"documents":["a"]}`, 400, "/query"}, {`{"query":"q"}`, 400, "/documents"}, {`{"query":"q","documents":[]}`, 400, "/documents"},
		{`{"query":"q","documents":null}`, 400, "/documents"}, {`{"query":"q","documents":"a"}`, 400, "/documents"}, {many, 400, "/documents"},
		{`{"query":"q","documents":["a"," "]}`, 400, "/documents/1"}, {`{"query":"q","documents":["a",{}]}`, 400, "/documents/1"},
		{`{"query":"q","documents":["a",7]}`, 400, "/documents/1"}, {`{"query":"q","documents":["a",null]}`, 400, "/documents/1"},
		{`{"query":"q","documents":["a",{"text":7}]}`, 400, "/documents/1"}, {`{"query":"q","documents":["a",{"text":"b","id":"x"}]}`, 400, "/documents/1/id"},
		{huge, 413, "/documents/1"}, {`{"query":"q","documents":["a"],"top_n":0}`, 400, "/top_n"}, {`{"query":"q","documents":["a"],"top_n":-1}`, 400, "/top_n"},
		{`{"query":"q","documents":["a"],"top_n":100000}`, 400, "/top_n"}, {`{"query":"q","documents":["a"],"top_n":"2"}`, 400, "/top_n"},
		{`{"query":"q","documents":["a"],"colour":1}`, 400, "/colour"}, {`{"query":"q","documents":["a"],"model":"rerank-9"}`, 404, "/model"},
	} {
		p := read[client.Problem](t, r.want(test.status, "POST", "/v1/rerank", test.body))
		if p.Code == "" || p.Detail == "" || len(p.Errors) != 1 || p.Errors[0].Pointer != test.pointer {
			t.Errorf("%.80s: %+v, want the pointer %s", test.body, p, test.pointer)
		}
	}
	r.want(http.StatusMethodNotAllowed, "GET", "/v1/rerank", "")
}
