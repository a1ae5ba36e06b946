package server_test

import (
	"bufio"
	"bytes"
	"compress/gzip"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"slices"
	"strings"
	"testing"
	"testing/synctest"

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

func TestAnImportThatEndsEarlyDoesNotWaitForItsClient(t *testing.T) {
	r := stocked(t, server.Options{})
	for name, transport := range map[string]http.RoundTripper{"network": http.DefaultTransport, "in process": server.InProcess(server.New(r.db, server.Options{}).Handler())} {
		r.want(201, "PUT", "/v1/collections/gone", "")
		in, feed := io.Pipe() // which is never closed, as a client would that has more to come
		req, err := http.NewRequestWithContext(t.Context(), "POST", r.url+"/v1/collections/gone/documents", in)
		if err != nil {
			t.Fatal(err)
		}
		req.Header.Set("Content-Type", "application/x-ndjson")
		go func() { _, _ = io.WriteString(feed, `{"id":"x","text":"one"}`+"\n") }()
		resp, err := transport.RoundTrip(req)
		if err != nil {
			t.Fatal(err)
		}
		results := bufio.NewReader(resp.Body)
		if line, err := results.ReadString('\n'); err != nil || !strings.Contains(line, `"status":"created"`) {
			t.Fatalf("%s: %q, %v", name, line, err)
		}
		r.want(204, "DELETE", "/v1/collections/gone", "")
		if _, err := io.WriteString(feed, `{"id":"y","text":"two"}`+"\n"); err != nil {
			t.Fatal(err)
		}
		rest, err := io.ReadAll(results)
		if all := lines(t, rest); err != nil || len(all) != 1 || all[0].Line != 2 || all[0].Error == nil {
			t.Errorf("%s: after the collection is gone: %q, %v", name, rest, err)
		}
		if err := errors.Join(resp.Body.Close(), feed.Close()); err != nil {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func TestReadingAheadIsBounded(t *testing.T) {
	for name, x := range map[string]struct{ line, lines, bytes int }{
		"short lines": {10, 2 * 512, 1 << 20}, "long lines": {64 << 10, 512, 5 << 20}, "a line over the bound": {6 << 20, 1, 7 << 20},
	} {
		synctest.Test(t, func(t *testing.T) {
			endless := &endless{line: append(bytes.Repeat([]byte("a"), x.line-1), '\n')}
			take, stop := server.ReadAhead(endless)
			for range 3 {
				synctest.Wait() // until it reads no more
				before := endless.given
				lines, numbers, err := take()
				if err != nil || len(lines) != len(numbers) || len(lines) < min(512, (4<<20)/x.line) || len(lines) > x.lines {
					t.Errorf("%s: %d lines, %v", name, len(lines), err)
				}
				if before > endless.taken+x.bytes {
					t.Errorf("%s: %d bytes are read ahead", name, before-endless.taken)
				}
				for i, line := range lines {
					endless.taken += len(line) + 1
					if len(line) != x.line-1 || numbers[i] != endless.taken/x.line {
						t.Fatalf("%s: line %d has %d bytes and the number %d", name, endless.taken/x.line, len(line), numbers[i])
					}
				}
			}
			stop()
		})
	}
}

// endless is a stream of equal lines.
type endless struct {
	line  []byte
	given int // bytes that were read
	taken int // bytes of the lines that were taken
}

func (e *endless) Read(p []byte) (int, error) {
	n := copy(p, e.line[e.given%len(e.line):])
	e.given += n
	return n, nil
}
