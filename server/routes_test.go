package server_test

import (
	"bytes"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"slices"
	"strings"
	"testing"

	"github.com/vecdb/vecdb"
	"github.com/vecdb/vecdb/client"
	"github.com/vecdb/vecdb/query"
	"github.com/vecdb/vecdb/server"
)

func TestCollections(t *testing.T) {
	r := newRig(t, server.Options{})
	if got := string(r.want(200, "GET", "/v1/collections", "").body); got != `{"collections":[]}`+"\n" {
		t.Errorf("no collections: %s", got)
	}
	made := read[client.Collection](t, r.want(201, "PUT", "/v1/collections/news", `{"language":"zh","fields":{"year":"integer"}}`))
	want := client.Collection{Name: "news", Language: "zh", Model: "bge-small-zh-v1.5", Precision: "int8", Dimension: 512, Metric: "cosine",
		Fields: map[string]string{"year": "integer"}, Created: made.Created}
	if made.Created == "" || !slices.Equal([]any{made.Name, made.Language, made.Model, made.Precision, made.Dimension, made.Metric, made.Fields["year"]},
		[]any{want.Name, want.Language, want.Model, want.Precision, want.Dimension, want.Metric, want.Fields["year"]}) {
		t.Errorf("made %+v, want %+v", made, want)
	}
	r.want(200, "PUT", "/v1/collections/news", `{"language":"zh","fields":{"year":"integer"}}`)
	r.want(201, "PUT", "/v1/collections/plain", "")
	r.want(201, "PUT", "/v1/collections/vectors", `{"model":"none","dimension":3,"metric":"l2"}`)
	if p := read[client.Problem](t, r.want(409, "PUT", "/v1/collections/news", `{"language":"en"}`)); p.Code != client.CodeExists {
		t.Errorf("problem %+v", p)
	}
	var names []string
	for _, c := range read[client.Collections](t, r.want(200, "GET", "/v1/collections", "")).Collections {
		names = append(names, c.Name)
	}
	if !slices.Equal(names, []string{"news", "plain", "vectors"}) {
		t.Errorf("collections %v", names)
	}
	if got := read[client.Collection](t, r.want(200, "GET", "/v1/collections/plain", "")); got.Model != "all-MiniLM-L6-v2" || got.Dimension != 384 {
		t.Errorf("plain: %+v", got)
	}
	r.want(204, "DELETE", "/v1/collections/plain", "")
	r.want(404, "GET", "/v1/collections/plain", "")
	r.want(404, "DELETE", "/v1/collections/plain", "")
}

func TestDocuments(t *testing.T) {
	r := newRig(t, server.Options{})
	const docs = "/v1/collections/films/documents"
	r.want(201, "PUT", "/v1/collections/films", "")
	added := read[client.AddResult](t, r.want(200, "POST", docs+"?wait=indexed", films))
	if added.Accepted != 4 || len(added.Results) != 4 || added.Results[3].ID != "d/1 ü" {
		t.Errorf("added %+v", added)
	}
	for _, res := range added.Results {
		if res.Status != client.StatusCreated || res.TokensTotal == 0 || res.TokensUsed != res.TokensTotal || res.Passages != 1 || res.Error != nil {
			t.Errorf("result %+v", res)
		}
	}
	some := read[client.AddResult](t, r.want(200, "POST", docs, `{"documents":[{"id":"a","text":"new"},{"id":"e","text":" "},{"id":7,"text":"seven"},{"id":"a","text":"again"}]}`))
	var statuses []string
	for _, res := range some.Results {
		statuses = append(statuses, res.ID+" "+res.Status)
	}
	if some.Accepted != 3 || !slices.Equal(statuses, []string{"a updated", "e error", "7 created", "a updated"}) {
		t.Errorf("accepted %d: %v", some.Accepted, statuses)
	}
	if e := some.Results[1].Error; e == nil || e.Code != client.CodeInvalid || e.Pointer != "/text" || e.Hint == "" {
		t.Errorf("error of the empty text: %+v", e)
	}
	if one := read[client.AddResult](t, r.want(200, "POST", docs, `{"text":"a text without an id"}`)); one.Accepted != 1 || one.Results[0].ID == "" {
		t.Errorf("without an id: %+v", one)
	}
	dup := read[client.AddResult](t, r.want(200, "POST", docs+"?duplicates=skip&duplicate_threshold=0.99", `[{"id":"dup","text":"again"},{"id":"a","text":"again"}]`))
	if d := dup.Results[0]; d.Status != client.StatusSkipped || d.DuplicateOf != "a" || dup.Results[1].Status != client.StatusUpdated {
		t.Errorf("duplicates: %+v", dup.Results)
	}
	r.want(400, "POST", docs+"?duplicates=drop", `[{"id":"dup","text":"again"}]`)
	r.want(400, "POST", docs+"?duplicates=skip&duplicate_threshold=much", `[{"id":"dup","text":"again"}]`)
	got := read[map[string]any](t, r.want(200, "GET", docs+"/d%2F1%20%C3%BC", ""))
	if got["id"] != "d/1 ü" || got["label"] != "sport" || got["year"] != 2004.0 || len(got["vector"].([]any)) != 384 {
		t.Errorf("document %v", got)
	}
	r.want(200, "PUT", docs+"/a", `{"text":"put"}`)
	r.want(201, "PUT", docs+"/new?wait=indexed", `{"id":"new","text":"put"}`)
	if got := read[map[string]any](t, r.want(200, "GET", docs+"/a", "")); got["text"] != "put" || got["label"] != nil {
		t.Errorf("after put: %v", got)
	}
	r.want(204, "DELETE", docs+"/new", "")
	r.want(404, "DELETE", docs+"/new", "")
	r.want(404, "GET", docs+"/new", "")
	if n := read[client.DeleteResult](t, r.want(200, "POST", docs+"/delete", `{"ids":["a","nobody"]}`)); n.Deleted != 1 {
		t.Errorf("deleted %+v", n)
	}
	if n := read[client.DeleteResult](t, r.want(200, "POST", docs+"/delete", `{"filter":{"field":"year","eq":2004}}`)); n.Deleted != 2 {
		t.Errorf("deleted by filter %+v", n)
	}
}

func TestPagesOfDocumentsStayInStepWithWrites(t *testing.T) {
	r := stocked(t, server.Options{})
	const docs = "/v1/collections/films/documents"
	page := read[client.DocumentPage](t, r.want(200, "GET", docs+"?limit=2", ""))
	if len(page.Documents) != 2 || page.Documents[1].ID != "b" || page.Cursor == "" {
		t.Fatalf("first page %+v", page)
	}
	r.want(204, "DELETE", docs+"/b", "")
	r.want(200, "POST", docs, `{"id":"aa","text":"comes before the cursor"}`)
	page = read[client.DocumentPage](t, r.want(200, "GET", docs+"?limit=2&cursor="+page.Cursor, ""))
	if len(page.Documents) != 2 || page.Documents[0].ID != "c" || page.Documents[1].ID != "d/1 ü" || page.Documents[0].Vector != nil {
		t.Errorf("second page %+v", page)
	}
	if page.Cursor != "" {
		last := read[client.DocumentPage](t, r.want(200, "GET", docs+"?cursor="+page.Cursor, ""))
		if len(last.Documents) != 0 || last.Cursor != "" {
			t.Errorf("last page %+v", last)
		}
	}
}

func TestQueries(t *testing.T) {
	r := stocked(t, server.Options{})
	const c = "/v1/collections/films"
	got := r.want(200, "POST", c+"/search", `{"text":"cook rice","limit":2,"filter":{"field":"year","gte":2000},"explain":true,"fields":["label"]}`)
	found := read[query.Response](t, got)
	if len(found.Hits) != 2 || found.Hits[0].ID != "b" || found.Hits[0].Document.Fields["label"] != "food" || found.Hits[0].Document.Text != "" || found.Hits[0].Explain == nil {
		t.Errorf("search: %s", got.body)
	}
	for _, stage := range []string{"tokenize", "embed", "search", "fetch"} {
		if !strings.Contains(got.Header.Get("Server-Timing"), stage+";dur=") {
			t.Errorf("Server-Timing %q", got.Header.Get("Server-Timing"))
		}
	}
	if n := read[query.CountResponse](t, r.want(200, "POST", c+"/count", `{"filter":{"field":"year","gte":2000}}`)); n.Count == 0 || len(n.Warnings) > 0 {
		t.Errorf("count: %+v", n)
	}
	if n := read[query.CountResponse](t, r.want(200, "POST", c+"/count", `{"filter":{"field":"yeer","gte":2000}}`)); n.Count != 0 || len(n.Warnings) != 1 || !strings.Contains(n.Warnings[0], `did you mean "year"`) {
		t.Errorf("count by an unknown field: %+v", n)
	}
	facets := read[query.FacetResponse](t, r.want(200, "POST", c+"/facet", `{"field":"label","limit":1}`))
	if len(facets.Values) != 1 || facets.Distinct < 2 || facets.Values[0].Count < 1 {
		t.Errorf("facet: %+v", facets)
	}
	r.want(400, "POST", c+"/facet", `{"field":"text"}`)
	r.want(400, "POST", c+"/facet", `{}`)
	r.want(400, "POST", c+"/count", `{"filter":{"field":"year","gte":"old"}}`)
	liked := read[query.Response](t, r.want(200, "POST", c+"/recommend", `{"like":["a"],"dislike":[{"text":"rice"}],"limit":1,"exclude":["c"]}`))
	if len(liked.Hits) != 1 || liked.Hits[0].ID == "a" || liked.Hits[0].ID == "c" {
		t.Errorf("recommend: %+v", liked)
	}
	labels := read[query.ClassifyResponse](t, r.want(200, "POST", c+"/classify", `{"texts":["rice with beans","xyzzy"],"k":3,"min_probability":0.9}`))
	if len(labels.Results) != 2 || *labels.Results[0].Label != "food" || labels.Results[0].Neighbors[0].ID != "c" {
		t.Errorf("classify: %+v", labels)
	}
	st := read[client.Stats](t, r.want(200, "GET", c+"/stats", ""))
	if st.Documents != 4 || st.Passages != 4 || st.Dimension != 384 || st.Index.Kind != "hnsw" || st.Index.Vectors != 4 || st.Index.Bytes <= 0 || st.Index.Pending != 0 || st.LastSequence == 0 {
		t.Errorf("stats: %+v", st)
	}
}

func TestCacheOfVectorsIsToldOf(t *testing.T) {
	db, err := vecdb.Open(t.TempDir(), vecdb.Options{MinFreeBytes: -1, EmbeddingCacheBytes: 7 << 20})
	if err != nil {
		t.Fatal(err)
	}
	defer func() {
		if err := db.Close(); err != nil {
			t.Error(err)
		}
	}()
	c, err := client.New("http://localhost", client.Options{Transport: server.InProcess(server.New(db, server.Options{}).Handler())})
	if err != nil {
		t.Fatal(err)
	}
	if _, _, err := c.CreateCollection(t.Context(), "films", client.CreateCollection{Model: "none", Dimension: 3}); err != nil {
		t.Fatal(err)
	}
	st, err := c.Stats(t.Context(), "films")
	if err != nil || st.EmbeddingCache == nil || *st.EmbeddingCache != (client.EmbeddingCache{Limit: 7 << 20}) {
		t.Errorf("stats: %+v, %v", st.EmbeddingCache, err)
	}
	w := httptest.NewRecorder()
	server.New(db, server.Options{}).Handler().ServeHTTP(w, httptest.NewRequest(http.MethodGet, "http://localhost/metrics", nil))
	for _, name := range []string{"hits_total", "misses_total", "damaged_total", "bytes"} {
		if !strings.Contains(w.Body.String(), "\nvecdb_embedding_cache_"+name+" 0\n") {
			t.Errorf("no %s of the cache in the metrics", name)
		}
	}
}

func TestOperation(t *testing.T) {
	r := stocked(t, server.Options{})
	for path, part := range map[string]string{
		"/": `"vecdb"`, "/livez": "live", "/readyz": "ready", "/version": `"kernels"`, "/v1/models": "all-MiniLM-L6-v2",
		"/metrics": `vecdb_documents{collection="films"} 4`,
	} {
		if got := r.want(200, "GET", path, ""); !strings.Contains(string(got.body), part) {
			t.Errorf("GET %s: no %s in %s", path, part, got.body)
		}
	}
	r.do("FROBNICATE", "/v1/collections/films/secret-name", "")
	metrics := string(r.want(200, "GET", "/metrics", "").body)
	for _, part := range []string{"vecdb_build_info{", `route="/v1/collections/:collection/documents"`, `method="other"`, "vecdb_documents_ingested_total 4"} {
		if !strings.Contains(metrics, part) {
			t.Errorf("no %s in the metrics", part)
		}
	}
	if strings.Contains(metrics, "secret-name") {
		t.Error("a path became a label of the metrics")
	}
}

func TestEveryRouteIsDocumented(t *testing.T) {
	page, err := os.ReadFile("../docs/http-api.md")
	if err != nil {
		t.Fatal(err)
	}
	for _, r := range server.RoutesForTest() {
		path := strings.NewReplacer(":collection", "{c}", ":id", "{id}").Replace(r.Path)
		if !strings.Contains(string(page), "`"+r.Method+" "+path) {
			t.Errorf("docs/http-api.md does not name %s %s", r.Method, path)
		}
	}
	if n := len(server.RoutesForTest()); n < 20 {
		t.Errorf("%d routes", n)
	}
}

func TestUnknownRoutesAndMethods(t *testing.T) {
	r := newRig(t, server.Options{})
	if p := read[client.Problem](t, r.want(http.StatusNotFound, "GET", "/nowhere", "")); p.Code != client.CodeNoRoute {
		t.Errorf("problem %+v", p)
	}
	got := r.want(http.StatusMethodNotAllowed, "POST", "/v1/collections", "{}")
	if p := read[client.Problem](t, got); p.Code != client.CodeMethod || got.Header.Get("Allow") != "GET" {
		t.Errorf("problem %+v, Allow %q", p, got.Header.Get("Allow"))
	}
}

func TestPackedVectors(t *testing.T) {
	r := newRig(t, server.Options{})
	const c = "/v1/collections/packed"
	r.want(201, "PUT", c, `{"model":"none","dimension":2,"metric":"l2"}`)
	// 1, -2 as float16, 3, -4 as int8, 0.5, 1 as float32
	r.want(200, "POST", c+"/documents?wait=indexed", `[{"id":"half","vector":{"float16":"ADwAwA=="}},{"id":"byte","vector":{"int8":"A/w="}},{"id":"float","vector":{"float32":"AAAAPwAAgD8="}}]`)
	for id, want := range map[string]string{"half": `"vector":[1,-2]`, "byte": `"vector":[3,-4]`, "float": `"vector":[0.5,1]`} {
		if got := r.want(200, "GET", c+"/documents/"+id, "").body; !strings.Contains(string(got), want) {
			t.Errorf("%s lacks %s", got, want)
		}
	}
	got := read[query.Response](t, r.want(200, "POST", c+"/search", `{"vector":{"int8":"A/w="},"limit":1}`))
	if len(got.Hits) != 1 || got.Hits[0].ID != "byte" {
		t.Errorf("found %+v", got.Hits)
	}
	if p := read[client.Problem](t, r.want(400, "POST", c+"/search", `{"vector":{"int8":"?"}}`)); p.Errors[0].Pointer != "/vector/int8" {
		t.Errorf("no base64 gives %+v", p)
	}
	if p := read[client.Problem](t, r.want(400, "POST", c+"/search", `{"vector":{"int8":"AA=="}}`)); p.Code != client.CodeDimension {
		t.Errorf("a single number gives %+v", p)
	}
}

// TestWhatAQueryMayNotHaveIsRefused asks each route of the database by names that it
// knows and by one that it does not.
func TestWhatAQueryMayNotHaveIsRefused(t *testing.T) {
	r := stocked(t, server.Options{})
	refused := func(op operation, names ...string) *client.Problem {
		v := url.Values{}
		for _, name := range names {
			v.Set(name, "1")
		}
		method, _, _ := strings.Cut(op.route, " ")
		got := r.do(method, strings.ReplaceAll(op.path, "TASK", "none")+"?"+v.Encode(), "{}")
		if got.StatusCode != http.StatusBadRequest || !bytes.Contains(got.body, []byte("unknown query parameter")) {
			return nil
		}
		p := read[client.Problem](t, got)
		return &p
	}
	strict := 0
	for _, op := range operations() {
		if !strings.HasPrefix(op.path, "/v1/collections") && !strings.HasPrefix(op.path, "/v1/tasks") {
			if op.path == "/v1/embeddings" && refused(op, "api-version") != nil {
				t.Errorf("%s takes nothing besides", op.route)
			}
			continue
		}
		strict++
		var known []string
		for _, p := range op.query {
			known = append(known, p.name)
		}
		p := refused(op, append(known, "wiat")...)
		if p == nil || !strings.Contains(p.Detail, `"wiat"`) {
			t.Errorf("%s: %+v; want that wiat is unknown", op.route, p)
			continue
		}
		for _, name := range known {
			if hint := p.Errors[0].Hint; !strings.Contains(hint, name) {
				t.Errorf("%s: the hint %q names no %s", op.route, hint, name)
			}
		}
	}
	if strict < 25 {
		t.Errorf("%d routes refuse what they do not know", strict)
	}
}

func TestDeletionsWaitAsAsked(t *testing.T) {
	r := stocked(t, server.Options{})
	const c = "/v1/collections/films/documents"
	for wait, status := range map[string]int{"": 200, "?wait=durable": 200, "?wait=indexed": 200, "?wait=trained": 200, "?wait=soon": 400} {
		r.want(200, "POST", c+"?wait=indexed", `{"id":"gone","text":"a text that is deleted again"}`)
		r.want(status, "POST", c+"/delete"+wait, `{"ids":["gone"]}`)
		r.want(200, "POST", c+"?wait=indexed", `{"id":"gone","text":"a text that is deleted again"}`)
		r.want(map[int]int{200: 204, 400: 400}[status], "DELETE", c+"/gone"+wait, "")
	}
}
