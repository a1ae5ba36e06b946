package server_test

import (
	"encoding/json"
	"net/http"
	"strings"
	"testing"

	"github.com/vecdb/vecdb/client"
	"github.com/vecdb/vecdb/query"
	"github.com/vecdb/vecdb/server"
)

func TestPagesOverHTTP(t *testing.T) {
	r := stocked(t, server.Options{})
	const c = "/v1/collections/films"
	list := func(body string) query.ListResponse {
		return read[query.ListResponse](t, r.want(http.StatusOK, "POST", c+"/documents/list", body))
	}
	page := list(`{"sort":[{"field":"year","order":"desc"},"id"],"limit":3,"fields":["year"]}`)
	if got := names(page); got != "b,d/1 ü,a" || page.Cursor == "" || page.Documents[0].Text != "" {
		t.Errorf("got %s, cursor %q", got, page.Cursor)
	}
	page = list(`{"sort":[{"field":"year","order":"desc"},"id"],"limit":3,"cursor":"` + page.Cursor + `"}`)
	if got := names(page); got != "c" || page.Cursor != "" {
		t.Errorf("the last page: %s, cursor %q", got, page.Cursor)
	}
	if got := names(list(`{"filter":{"field":"label","eq":"food"}}`)); got != "b,c" {
		t.Errorf("filtered: %s", got)
	}

	search := func(body string) query.Response {
		return read[query.Response](t, r.want(http.StatusOK, "POST", c+"/search", body))
	}
	first := search(`{"text":"a father and his son","limit":2}`)
	second := search(`{"text":"a father and his son","limit":2,"cursor":"` + first.Cursor + `"}`)
	seen := map[string]bool{}
	for _, h := range append(first.Hits, second.Hits...) {
		seen[h.ID] = true
	}
	if len(seen) != 4 {
		t.Errorf("two pages of two have %d of 4 documents", len(seen))
	}
	groups := search(`{"text":"cook rice","group_by":"label","group_size":2,"limit":2}`)
	if len(groups.Groups) != 2 || groups.Groups[0].Value != "food" || len(groups.Groups[0].Hits) != 2 || len(groups.Hits) != 0 || groups.Cursor == "" {
		t.Errorf("groups %+v", groups)
	}

	for body, want := range map[string]string{
		`{"text":"a","cursor":"` + first.Cursor + `"}`: "/cursor another query",
		`{"text":"a","cursor":"bad"}`:                  "/cursor damaged",
		`{"text":"a","sort":["yeer"]}`:                 `/sort/0/field did you mean "year"?`,
		`{"text":"a","sort":[3]}`:                      "/sort/0 cannot be a number",
		`{"text":"a","group_by":"lable"}`:              `/group_by did you mean "label"?`,
	} {
		p := read[client.Problem](t, r.want(http.StatusBadRequest, "POST", c+"/search", body))
		pointer, detail, _ := strings.Cut(want, " ")
		if len(p.Errors) != 1 || p.Errors[0].Pointer != pointer || !strings.Contains(p.Errors[0].Detail+p.Errors[0].Hint, detail) {
			t.Errorf("%s: %+v, want %s", body, p.Errors, want)
		}
	}
	r.want(http.StatusBadRequest, "GET", c+"/documents?cursor="+first.Cursor, "")
}

func TestFieldsWithoutAnOrderAreNotSorted(t *testing.T) {
	r := newRig(t, server.Options{})
	r.want(http.StatusCreated, "PUT", "/v1/collections/c", `{"fields":{"body":"text"}}`)
	r.want(http.StatusOK, "POST", "/v1/collections/c/documents?wait=indexed", `[{"id":"a","text":"x","body":"long","place":{"lat":1,"lon":2},"author":{"name":"n"}}]`)
	for name, want := range map[string]string{"body": "declared text", "place": "points", "author": "no strings"} {
		body, _ := json.Marshal(query.ListRequest{Sort: []query.SortKey{{Field: name}}})
		p := read[client.Problem](t, r.want(http.StatusBadRequest, "POST", "/v1/collections/c/documents/list", string(body)))
		if len(p.Errors) != 1 || !strings.Contains(p.Errors[0].Detail, want) || p.Errors[0].Hint == "" {
			t.Errorf("%s: %+v", name, p)
		}
	}
}

func names(page query.ListResponse) string {
	var list []string
	for _, d := range page.Documents {
		list = append(list, d.ID)
	}
	return strings.Join(list, ",")
}
