package server_test

import (
	"bytes"
	"compress/gzip"
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/vecdb/vecdb/client"
	"github.com/vecdb/vecdb/server"
)

// attack is a request that must be refused.
type attack struct {
	method, path, body string
	status             int
	code               string
	headers            []string
}

const (
	invalid = client.CodeInvalid
	badDim  = client.CodeDimension
)

// nested is JSON of many brackets around nothing.
func nested(open, closing string, n int) string {
	return strings.Repeat(open, n) + strings.Repeat(closing, n)
}

// numbers is a JSON array of n times x.
func numbers(x string, n int) string { return "[" + strings.Repeat(x+",", n-1) + x + "]" }

// badBodies are refused by every route that takes a JSON object.
var badBodies = map[string]string{
	"empty object's end": `{`, "no JSON": `hello`, "cut": `{"text":"a`, "two values": `{"text":"a"} {"text":"b"}`,
	"array": `[1]`, "number": `1`, "not UTF-8": "{\"text\":\"\xff\xfe\"}", "unknown member": `{"text":"a","surprise":1}`,
	"deep": `{"filter":` + nested("[", "]", 5000) + `}`, "only spaces": "  \n ", "NaN": `{"vector":[NaN]}`, "comment": `{"text":"a"/*b*/}`,
}

func queryAttacks() (out []attack) {
	const c = "/v1/collections/films"
	for _, route := range []string{"/search", "/recommend", "/classify", "/answer", "/answer/feedback", "/answer/feedback/delete", "/documents/delete"} {
		for _, body := range badBodies {
			out = append(out, attack{method: "POST", path: c + route, body: body, status: 400, code: invalid})
		}
		out = append(out,
			attack{method: "POST", path: c + route, body: `{"ids":[` + strings.Repeat(`"",`, 1_000_000) + `""]}`, status: 413, code: client.CodeTooLarge},
			attack{method: "POST", path: c + route, body: `{"ids":["` + strings.Repeat("a", 65<<20) + `"]}`, status: 413, code: client.CodeTooLarge},
			attack{method: "POST", path: c + route, body: "<a/>", status: 415, code: client.CodeMediaType, headers: []string{"Content-Type", "text/xml"}})
	}
	for _, body := range []string{
		`{}`, `{"text":""}`, `{"text":" \t"}`, `{"text":7}`, `{"text":"a","id":"b"}`, `{"text":"a","vector":[1]}`,
		`{"text":"a","limit":-1}`, `{"text":"a","limit":100001}`, `{"text":"a","limit":"ten"}`, `{"text":"a","limit":1.5}`,
		`{"text":"a","mode":"telepathic"}`, `{"text":"a","params":{"ef":-5}}`, `{"text":"a","params":{"speed":1}}`,
		`{"text":"a","filter":{}}`, `{"text":"a","filter":{"field":"year"}}`, `{"text":"a","filter":{"field":"","eq":1}}`,
		`{"text":"a","filter":{"field":"year","near":1}}`, `{"text":"a","filter":{"and":[{"field":"x","gt":[]}]}}`,
		`{"text":"a","filter":` + strings.Repeat(`{"not":`, 50) + `{"field":"a","eq":1}` + strings.Repeat("}", 50) + `}`,
		`{"text":"a","fields":"year"}`, `{"text":"a","fields":[1]}`, `{"text":"a","min_score":"high"}`, `{"vector":"none"}`, `{"vector":[1,null,3]}`,
		`{"id":"a","mode":"hybrid"}`, `{"text":"a","mode":"lexical","dislike":["a"]}`, `{"text":"a","params":{"fusion":"sum"}}`,
		`{"text":"a","diversity":2}`, `{"text":"a","decay":{}}`, `{"text":"a","boosts":{}}`, `{"text":"a","boosts":[{"field":"x","weight":1e999}]}`, `{"text":"a","highlight":true}`,
	} {
		out = append(out, attack{method: "POST", path: c + "/search", body: body, status: 400, code: invalid})
	}
	for _, body := range []string{`{"vector":[1,2,3]}`, `{"vector":` + numbers("0.1", 5000) + `}`} {
		out = append(out, attack{method: "POST", path: c + "/search", body: body, status: 400, code: badDim})
	}
	for _, body := range []string{`{"vector":` + numbers("0", 384) + `}`, `{"vector":` + numbers("1e39", 384) + `}`} {
		out = append(out, attack{method: "POST", path: c + "/search", body: body, status: 400, code: invalid})
	}
	for _, body := range []string{`{"like":[]}`, `{"like":[{"text":""}]}`, `{"like":[{"id":"a","text":"b"}]}`, `{"like":[true]}`, `{"like":"a"}`} {
		out = append(out, attack{method: "POST", path: c + "/recommend", body: body, status: 400, code: invalid})
	}
	for _, body := range []string{`{"texts":[]}`, `{"texts":["a",""]}`, `{"text":"a","k":-1}`, `{"text":"a","temperature":-1}`, `{"text":"a","min_probability":2}`, `{"text":"a","method":"magic"}`, `{"texts":[1]}`} {
		out = append(out, attack{method: "POST", path: c + "/classify", body: body, status: 400, code: invalid})
	}
	for _, body := range []string{
		`{}`, `{"text":""}`, `{"text":"a","min_confidence":1.01}`, `{"text":"a","min_confidence":"sure"}`, `{"text":"a","messages":[{"role":"cook","content":"b"}]}`,
		`{"messages":[]}`, `{"messages":[1]}`, `{"text":"a","values":"b"}`, `{"text":"a","limit":1000}`, `{"text":"a","mode":"dense"}`, `{"text":"a","generate":true}`, `{"id":"a"}`,
	} {
		out = append(out, attack{method: "POST", path: c + "/answer", body: body, status: 400, code: invalid})
	}
	for _, body := range []string{
		`{}`, `{"feedback":[]}`, `{"feedback":{}}`, `{"feedback":[1]}`, `{"question":"q","answer":"a"}`, `{"question":"q","right":true}`, `{"question":" ","answer":"a","right":true}`,
		`{"question":"q","answer":"a","right":"yes"}`, `{"question":"q","answer":"a","right":true,"time":"soon"}`, `{"feedback":[{"question":"q","answer":"a","right":true}],"question":"q"}`,
	} {
		out = append(out, attack{method: "POST", path: c + "/answer/feedback", body: body, status: 400, code: invalid})
	}
	for _, body := range []string{`{}`, `{"answer":"a","all":true}`, `{"answer":7}`} {
		out = append(out, attack{method: "POST", path: c + "/answer/feedback/delete", body: body, status: 400, code: invalid})
	}
	for _, body := range []string{`{}`, `{"ids":["a"],"filter":{"field":"year","eq":1}}`, `{"ids":"a"}`, `{"filter":{"field":"year","eq":{}}}`} {
		out = append(out, attack{method: "POST", path: c + "/documents/delete", body: body, status: 400, code: invalid})
	}
	return out
}

func collectionAttacks() (out []attack) {
	for _, name := range []string{"..", "a%2Fb", "a%20b", "%00", "%E4%B8%AD", strings.Repeat("x", 65), "a.b", "-_%21"} {
		out = append(out, attack{method: "PUT", path: "/v1/collections/" + name, status: 400, code: invalid})
	}
	for _, body := range []string{
		`{"language":"tlh"}`, `{"model":"none"}`, `{"model":"none","dimension":-1}`, `{"model":"none","dimension":1000000}`,
		`{"metric":"taxi"}`, `{"precision":"int1"}`, `{"fields":{"year":"century"}}`, `{"fields":{"id":"keyword"}}`, `{"colour":"red"}`, `[]`, `null x`,
	} {
		out = append(out, attack{method: "PUT", path: "/v1/collections/new", body: body, status: 400, code: invalid})
	}
	out = append(out,
		attack{method: "PUT", path: "/v1/collections/new", body: `{"dimension":3000}`, status: 400, code: badDim},
		attack{method: "PUT", path: "/v1/collections/new", body: `{"model":"gpt-9"}`, status: 404, code: client.CodeNotFound},
		attack{method: "POST", path: "/v1/collections/films/search", body: `{"id":"nobody"}`, status: 404, code: client.CodeNotFound},
		attack{method: "POST", path: "/v1/collections/films/recommend", body: `{"like":["nobody"]}`, status: 404, code: client.CodeNotFound})
	for _, path := range []string{"", "/stats", "/documents", "/documents/a"} {
		out = append(out, attack{method: "GET", path: "/v1/collections/nobody" + path, status: 404, code: client.CodeCollectionNotFound})
	}
	for _, path := range []string{"/documents", "/search", "/recommend", "/classify", "/answer", "/documents/delete"} {
		out = append(out, attack{method: "POST", path: "/v1/collections/nobody" + path, body: `{"text":"a"}`, status: 404, code: client.CodeCollectionNotFound})
	}
	return out
}

func documentAttacks() []attack {
	const docs = "/v1/collections/films/documents"
	var packed bytes.Buffer
	z := gzip.NewWriter(&packed)
	if _, err := z.Write(bytes.Repeat([]byte(" "), 65<<20)); err != nil || z.Close() != nil {
		panic("gzip into memory")
	}
	return []attack{
		{method: "POST", path: docs, body: `"text"`, status: 400, code: invalid},
		{method: "POST", path: docs, body: `[{"id":"x","text":"a"},`, status: 400, code: invalid},
		{method: "POST", path: docs, body: `{"documents":{"id":"x"}}`, status: 400, code: invalid},
		{method: "POST", path: docs, body: `{"documents":[],"id":"x"}`, status: 400, code: invalid},
		{method: "POST", path: docs, body: nested("[", "]", 100_000), status: 400, code: invalid},
		{method: "POST", path: docs, body: "\xff", status: 400, code: invalid},
		{method: "POST", path: docs + "?wait=forever", body: `[]`, status: 400, code: invalid},
		{method: "POST", path: docs, body: "[" + strings.Repeat("{},", 10_000) + "{}]", status: 413, code: client.CodeTooLarge},
		{method: "POST", path: docs, body: `{ "documents" : [` + strings.Repeat("{},", 10_000) + "{}]}", status: 413, code: client.CodeTooLarge},
		{method: "POST", path: docs, body: packed.String(), status: 413, code: client.CodeTooLarge, headers: []string{"Content-Encoding", "gzip"}},
		{method: "POST", path: docs, body: "no gzip", status: 400, code: invalid, headers: []string{"Content-Encoding", "gzip"}},
		{method: "POST", path: docs, body: "[]", status: 415, code: client.CodeMediaType, headers: []string{"Content-Encoding", "br"}},
		{method: "POST", path: docs, body: "[]", status: 415, code: client.CodeMediaType, headers: []string{"Content-Type", "application/xml"}},
		{method: "POST", path: docs, body: "[]", status: 415, code: client.CodeMediaType, headers: []string{"Content-Type", ";;"}},
		{method: "GET", path: docs + "?limit=many", status: 400, code: invalid},
		{method: "GET", path: docs + "?limit=-1", status: 400, code: invalid},
		{method: "GET", path: docs + "?limit=1000000", status: 400, code: invalid},
		{method: "GET", path: docs + "?cursor=%21%21", status: 400, code: invalid},
		{method: "GET", path: docs + "/%FF", status: 404, code: client.CodeNotFound},
		{method: "GET", path: docs + "/" + strings.Repeat("x", 5000), status: 404, code: client.CodeNotFound},
		{method: "PUT", path: docs + "/x", body: `{"id":"y","text":"a"}`, status: 400, code: invalid},
		{method: "PUT", path: docs + "/x", body: `{"text":""}`, status: 400, code: invalid},
		{method: "PUT", path: docs + "/x", body: `{"year":3}`, status: 400, code: invalid},
		{method: "PUT", path: docs + "/x", body: `{"text":"a","year":"long ago"}`, status: 400, code: invalid},
		{method: "PUT", path: docs + "/x", body: `{"vector":[1,2]}`, status: 400, code: badDim},
		{method: "PUT", path: docs + "/x", body: `{"vector":["a"]}`, status: 400, code: invalid},
		{method: "PUT", path: docs + "/%FF", body: `{"text":"a"}`, status: 400, code: invalid},
		{method: "PUT", path: docs + "/" + strings.Repeat("x", 5000), body: `{"text":"a"}`, status: 400, code: invalid},
		{method: "DELETE", path: docs + "/nobody", status: 404, code: client.CodeNotFound},
	}
}

func TestHostileRequests(t *testing.T) {
	r := stocked(t, server.Options{})
	attacks := slices.Concat(queryAttacks(), collectionAttacks(), documentAttacks())
	if len(attacks) < 100 {
		t.Errorf("only %d attacks", len(attacks))
	}
	for _, a := range attacks {
		name := fmt.Sprintf("%s %.80s %.80q", a.method, a.path, a.body)
		got := r.do(a.method, a.path, a.body, a.headers...)
		var p client.Problem
		if err := json.Unmarshal(got.body, &p); err != nil {
			t.Errorf("%s: %v in %.200s", name, err, got.body)
			continue
		}
		if got.StatusCode != a.status || p.Code != a.code {
			t.Errorf("%s: %d %s, want %d %s: %.300s", name, got.StatusCode, p.Code, a.status, a.code, got.body)
		}
		if got.Header.Get("Content-Type") != "application/problem+json" || p.Detail == "" || p.Title == "" || p.Status != got.StatusCode || len(got.body) > 4<<10 {
			t.Errorf("%s: %.600s", name, got.body)
		}
	}
	page := read[client.DocumentPage](t, r.want(200, "GET", "/v1/collections/films/documents", ""))
	if names := read[client.Collections](t, r.want(200, "GET", "/v1/collections", "")).Collections; len(page.Documents) != 4 || len(names) != 1 {
		t.Errorf("the attacks left %d documents in %d collections", len(page.Documents), len(names))
	}
}

func TestHostileDocumentsAmongGoodOnes(t *testing.T) {
	r := stocked(t, server.Options{})
	bad := []string{
		`null`, `7`, `[]`, `{"id":"x"}`, `{"id":"","text":""}`, `{"id":{},"text":"a"}`, `{"id":"x","text":9}`, `{"id":"x","text":"\u0000 \ud800","vector":[]}`,
		`{"id":"x","vector":` + numbers("0", 384) + `}`, `{"id":"x","vector":[1]}`, `{"id":"x","vector":[1,null]}`, `{"id":"x","vector":{"a":1}}`,
		`{"id":"x","text":"a","year":"soon"}`, `{"id":"x","text":"a","big":1e999}`, `{"id":"` + strings.Repeat("i", 5000) + `","text":"a"}`,
		`{"id":"x","text":"a","list":[` + strings.Repeat("1,", 1_000_000) + `1]}`, `{"id":"` + strings.Repeat("i", 21<<20) + `","text":"a"}`,
	}
	docs := []string{`{"id":"first","text":"good"}`}
	docs = append(docs, bad...)
	docs = append(docs, `{"id":"last","text":"good"}`)
	got := read[client.AddResult](t, r.want(200, "POST", "/v1/collections/films/documents", "["+strings.Join(docs, ",")+"]"))
	if got.Accepted != 2 || got.Results[0].Status != client.StatusCreated || got.Results[len(docs)-1].Status != client.StatusCreated {
		t.Errorf("accepted %d of two", got.Accepted)
	}
	for i, res := range got.Results[1 : len(docs)-1] {
		if res.Status != client.StatusError || res.Error == nil || res.Error.Detail == "" || len(res.ID) > 4<<10 {
			t.Errorf("%.80s: %.400v", bad[i], res)
		}
	}
}

func TestHugeTextIsToldAsTruncated(t *testing.T) {
	r := stocked(t, server.Options{})
	const docs = "/v1/collections/films/documents"
	huge := strings.Repeat("word ", 2<<20)
	got := read[client.AddResult](t, r.want(200, "POST", docs, `{"id":"huge","text":"`+huge+`"}`))
	if res := got.Results[0]; res.Status != client.StatusCreated || res.TokensTotal != 2<<20 || res.TokensUsed != res.TokensTotal {
		t.Errorf("10 MB: %+v", res) // the embedder of the test has no limit; the real one's is tested with it
	}
	if doc := read[map[string]any](t, r.want(200, "GET", docs+"/huge", "")); doc["text"] != huge {
		t.Errorf("the text came back with %d bytes", len(doc["text"].(string)))
	}
	over := read[client.AddResult](t, r.want(200, "POST", docs, `{"id":"over","text":"`+strings.Repeat("word ", 4<<20)+`"}`))
	if res := over.Results[0]; res.Status != client.StatusError || res.Error.Code != client.CodeTooLarge {
		t.Errorf("20 MB: %+v", res)
	}
}

// TestHalfPairsAreRefusedWithTheirPlace sends halves of surrogate pairs, which
// encoding/json replaces, so that different ids would be the same one.
func TestHalfPairsAreRefusedWithTheirPlace(t *testing.T) {
	r := stocked(t, server.Options{})
	const c = "/v1/collections/films"
	for _, x := range []struct{ method, path, body, pointer string }{
		{"POST", c + "/search", `{"text":"a \ud800"}`, "/text"},
		{"POST", c + "/search", `{"text":"a","filter":{"and":[{"field":"label","eq":"\udc00"}]}}`, "/filter/and/0/eq"},
		{"POST", c + "/recommend", `{"like":["a","\ud83d"]}`, "/like/1"},
		{"POST", c + "/classify", `{"texts":["a","b\udfff"]}`, "/texts/1"},
		{"POST", c + "/documents/delete", `{"ids":["\ud800"]}`, "/ids/0"},
		{"POST", c + "/documents/list", `{"filter":{"field":"\ud800","eq":1}}`, "/filter/field"},
		{"POST", c + "/events", `{"events":[{"user":"u","item":"a","action":"like"},{"user":"\ud800","item":"a","action":"like"}]}`, "/events/1/user"},
		{"POST", c + "/answer", `{"messages":[{"role":"user","content":"\ud800"}]}`, "/messages/0/content"},
		{"POST", c + "/answer/feedback", `{"question":"\ud800","answer":"a","right":true}`, "/question"},
		{"POST", "/v1/rerank", `{"query":"q","documents":["a",{"text":"\ud800"}]}`, "/documents/1/text"},
		{"PUT", "/v1/collections/new", `{"fields":{"\ud800":"keyword"}}`, "/fields"},
		{"PUT", c + "/documents/x", `{"text":"a","by":["\ud800"]}`, "/by/0"},
	} {
		p := read[client.Problem](t, r.want(400, x.method, x.path, x.body))
		if p.Code != invalid || len(p.Errors) != 1 || p.Errors[0].Pointer != x.pointer || p.Errors[0].Hint == "" {
			t.Errorf("%s: %+v, want the pointer %s", x.body, p, x.pointer)
		}
	}
	docs := []string{`{"id":"\ud800","text":"one"}`, `{"id":"whole","text":"\ud83d\ude00 one"}`, `{"id":"\ud801","text":"two"}`, `{"id":"x","text":"three","\udc00":1}`}
	pointers := []string{"/id", "", "/id", ""}
	told := read[client.AddResult](t, r.want(200, "POST", c+"/documents", "["+strings.Join(docs, ",")+"]")).Results
	told = append(told, lines(t, r.want(200, "POST", c+"/documents", strings.Join(docs, "\n"), "Content-Type", "application/x-ndjson").body)...)
	for i, res := range told {
		whole := i%len(docs) == 1
		if whole != (res.Error == nil) || !whole && (res.Error.Code != invalid || res.Error.Pointer != pointers[i%len(docs)] || !strings.Contains(res.Error.Detail, "surrogate")) {
			t.Errorf("%s: %+v", docs[i%len(docs)], res)
		}
	}
	if got := read[map[string]any](t, r.want(200, "GET", c+"/documents/whole", "")); got["text"] != "😀 one" {
		t.Errorf("a whole pair is stored as %v", got)
	}
}
