package server_test

import (
	"bufio"
	"bytes"
	"fmt"
	"io"
	"net"
	"net/http"
	"strings"
	"testing"

	"github.com/vecdb/vecdb/client"
	"github.com/vecdb/vecdb/server"
)

// exchange sends a request to a server as many simple clients do: it reads nothing of
// the answer before all is sent.
func exchange(t *testing.T, address, head string, body io.Reader) reply {
	t.Helper()
	c, err := net.Dial("tcp", address)
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	head = strings.ReplaceAll(head, "\n", "\r\n") + "\r\n"
	if _, err := io.Copy(c, io.MultiReader(strings.NewReader(head), body)); err != nil {
		t.Errorf("sending: %v", err)
	}
	resp, err := http.ReadResponse(bufio.NewReader(c), nil)
	if err != nil {
		t.Fatalf("there is no answer: %v", err)
	}
	defer resp.Body.Close()
	data, err := io.ReadAll(resp.Body)
	if err != nil {
		t.Errorf("reading the answer: %v", err)
	}
	return reply{resp, data}
}

// TestWhoSendsAllFirstGetsTheAnswer sends more than connections hold to routes that
// want less.
func TestWhoSendsAllFirstGetsTheAnswer(t *testing.T) {
	r := stocked(t, server.Options{})
	const most = 40 << 20
	blank := bytes.Repeat([]byte(" "), most)
	long := append([]byte(`{"id":"y","text":"`+strings.Repeat("a", 21<<20)+`"}`+"\n"), blank...)
	for name, x := range map[string]struct {
		path, headers string
		body          []byte
		status        int
		told          string
	}{
		"a collection that is not there": {"/v1/collections/nobody/documents", "Content-Type: application/x-ndjson\n", blank, 404, client.CodeCollectionNotFound},
		"another type":                   {importRoute, "Content-Type: text/html\n", blank, 415, client.CodeMediaType},
		"more than is allowed":           {"/v1/collections/films/search", "Content-Type: application/json\n", blank, 413, client.CodeTooLarge},
		"a line over the limit":          {importRoute, "Content-Type: application/x-ndjson\n", long, 200, client.CodeTooLarge},
	} {
		for _, told := range []bool{true, false} {
			head := "POST " + x.path + " HTTP/1.1\nHost: localhost\n" + x.headers
			var body io.Reader = bytes.NewReader(x.body)
			if told {
				head += fmt.Sprintf("Content-Length: %d\n", len(x.body))
			} else {
				head += "Transfer-Encoding: chunked\n"
				body = io.MultiReader(strings.NewReader(fmt.Sprintf("%x\r\n", len(x.body))), body, strings.NewReader("\r\n0\r\n\r\n"))
			}
			got := exchange(t, strings.TrimPrefix(r.url, "http://"), head, body)
			if got.StatusCode != x.status || !strings.Contains(string(got.body), `"`+x.told+`"`) {
				t.Errorf("%s, length told %v: %d %.200s", name, told, got.StatusCode, got.body)
			}
		}
	}
}

// TestNobodyIsToldToSendForNothing lets a client ask before it sends.
func TestNobodyIsToldToSendForNothing(t *testing.T) {
	r := stocked(t, server.Options{})
	for path, status := range map[string]int{"/v1/collections/nobody/documents": 404, "/v1/collections/films/search": 413} {
		got := exchange(t, strings.TrimPrefix(r.url, "http://"), "POST "+path+" HTTP/1.1\nHost: localhost\nContent-Type: application/json\nContent-Length: 50000000\nExpect: 100-continue\n", http.NoBody)
		if got.StatusCode != status {
			t.Errorf("%s: %d, want %d", path, got.StatusCode, status)
		}
	}
}
