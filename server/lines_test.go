package server_test

import (
	"bufio"
	"bytes"
	"compress/gzip"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"slices"
	"strings"
	"testing"

	"github.com/vecdb/vecdb/client"
	"github.com/vecdb/vecdb/server"
)

const importRoute = "/v1/collections/films/documents"

// lines decodes an NDJSON answer.
func lines(t *testing.T, body []byte) (out []client.ItemResult) {
	t.Helper()
	for line := range bytes.Lines(body) {
		var r client.ItemResult
		if err := json.Unmarshal(line, &r); err != nil {
			t.Fatalf("%v in %s", err, line)
		}
		out = append(out, r)
	}
	return out
}

// told is what an answer says about each line.
func told(results []client.ItemResult) (out []string) {
	for _, r := range results {
		code := ""
		if r.Error != nil {
			code = " " + r.Error.Code
		}
		out = append(out, fmt.Sprintf("%d %s %s%s", r.Line, r.ID, r.Status, code))
	}
	return out
}

func TestLinesAreAnsweredOneForOne(t *testing.T) {
	r := stocked(t, server.Options{})
	body := `{"id":"x","text":"one"}` + "\n\n" + `{"id":"y","text":` + "\n" + `{"id":"z","text":"three"}` + "\r\n" + "\xff\n" + `{"id":"x","text":"one again"}` + "\n" + `{"id":"end","text":"no line end"}`
	got := r.want(200, "POST", importRoute, body, "Content-Type", "application/x-ndjson")
	want := []string{"1 x created", "3  error invalid_input", "4 z created", "5  error invalid_input", "6 x updated", "7 end created"}
	if all := told(lines(t, got.body)); !slices.Equal(all, want) {
		t.Errorf("got  %q\nwant %q", all, want)
	}
	if kind := got.Header.Get("Content-Type"); kind != "application/x-ndjson" {
		t.Errorf("type %q", kind)
	}
	for _, id := range []string{"x", "z", "end"} {
		r.want(200, "GET", importRoute+"/"+id, "")
	}
}

func TestResultsArriveWhileLinesAreStillSent(t *testing.T) {
	r := stocked(t, server.Options{})
	in, feed := io.Pipe()
	req, err := http.NewRequestWithContext(t.Context(), "POST", r.url+importRoute+"?wait=indexed", in)
	if err != nil {
		t.Fatal(err)
	}
	req.Header.Set("Content-Type", "application/jsonl")
	go func() { _, _ = feed.Write([]byte(`{"id":"l0","text":"line"}` + "\n")) }()
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	results := bufio.NewScanner(resp.Body)
	for i := range 20 {
		if !results.Scan() {
			t.Fatalf("no result for line %d: %v", i+1, results.Err())
		}
		if all := told(lines(t, results.Bytes())); all[0] != fmt.Sprintf("%d l%d created", i+1, i) {
			t.Fatalf("line %d: %q", i+1, all)
		}
		r.want(200, "GET", fmt.Sprintf("%s/l%d", importRoute, i), "") // what is told is stored
		if _, err := fmt.Fprintf(feed, `{"id":"l%d","text":"line"}`+"\n", i+1); err != nil {
			t.Fatal(err)
		}
	}
	if err := feed.Close(); err != nil {
		t.Fatal(err)
	}
	for results.Scan() {
	}
	if err := results.Err(); err != nil {
		t.Error(err)
	}
}

func TestManyPackedLines(t *testing.T) {
	r := stocked(t, server.Options{})
	var packed bytes.Buffer
	z := gzip.NewWriter(&packed)
	const n = 3000
	for i := range n {
		fmt.Fprintf(z, `{"id":"n%d","text":"number %d"}`+"\n", i, i)
	}
	if err := z.Close(); err != nil {
		t.Fatal(err)
	}
	got := r.want(200, "POST", importRoute, packed.String(), "Content-Type", "application/x-ndjson", "Content-Encoding", "gzip")
	all := lines(t, got.body)
	for i, res := range all {
		if res.Line != i+1 || res.ID != fmt.Sprint("n", i) || res.Status != client.StatusCreated {
			t.Fatalf("line %d: %+v", i+1, res)
		}
	}
	if len(all) != n {
		t.Errorf("%d results for %d lines", len(all), n)
	}
}

func TestALineOverTheLimitEndsTheStreamWithAWord(t *testing.T) {
	r := stocked(t, server.Options{})
	body := `{"id":"x","text":"one"}` + "\n" + `{"id":"y","text":"` + strings.Repeat("a", 21<<20) + `"}` + "\n" + `{"id":"z","text":"three"}` + "\n"
	all := told(lines(t, r.want(200, "POST", importRoute, body, "Content-Type", "application/x-ndjson").body))
	if want := []string{"1 x created", "2  error too_large"}; !slices.Equal(all, want) {
		t.Errorf("got %q, want %q", all, want)
	}
	r.want(404, "GET", importRoute+"/z", "")
}
