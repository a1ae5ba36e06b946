package server_test

import (
	"bufio"
	"context"
	"errors"
	"io"
	"net"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/vecdb/vecdb/server"
)

// served lets s serve at an address of its own until stop is called; done gets
// what Serve returns then.
func served(t *testing.T, s *server.Server) (addr string, stop context.CancelFunc, done <-chan error) {
	t.Helper()
	l, err := s.Listen("127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	ctx, stop := context.WithCancel(t.Context())
	ended := make(chan error, 1)
	go func() { ended <- s.Serve(ctx, l) }()
	return l.Addr().String(), stop, ended
}

func TestShutdownLetsAnImportFinish(t *testing.T) {
	r := stocked(t, server.Options{})
	addr, stop, done := served(t, server.New(r.db, server.Options{ShutdownGrace: time.Hour}))
	in, feed := io.Pipe()
	go func() { _, _ = io.WriteString(feed, `{"id":"x","text":"before"}`+"\n") }()
	resp, err := http.Post("http://"+addr+importRoute, "application/x-ndjson", in)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	results := bufio.NewReader(resp.Body)
	if _, err := results.ReadString('\n'); err != nil {
		t.Fatal(err)
	}
	stop()
	for { // until the door is closed
		c, err := net.Dial("tcp", addr)
		if err != nil {
			break
		}
		_ = c.Close()
	}
	if _, err := io.WriteString(feed, `{"id":"y","text":"after"}`+"\n"); err != nil {
		t.Fatal(err)
	}
	if err := feed.Close(); err != nil {
		t.Fatal(err)
	}
	if rest, err := io.ReadAll(results); err != nil || !strings.Contains(string(rest), `"id":"y","status":"created"`) {
		t.Errorf("after the signal: %q, %v", rest, err)
	}
	if err := <-done; err != nil {
		t.Errorf("Serve: %v", err)
	}
	r.want(200, "GET", importRoute+"/y", "")
}

func TestServeReportsALostListener(t *testing.T) {
	r := newRig(t, server.Options{})
	s := server.New(r.db, server.Options{})
	l, err := s.Listen("127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	_ = l.Close()
	if err := s.Serve(t.Context(), l); !errors.Is(err, net.ErrClosed) {
		t.Errorf("Serve: %v", err)
	}
}

func TestInProcessStreamsBothWaysAndEndsWithItsContext(t *testing.T) {
	r := stocked(t, server.Options{})
	web := &http.Client{Transport: server.InProcess(server.New(r.db, server.Options{}).Handler())}
	in, feed := io.Pipe()
	ctx, cancel := context.WithCancel(t.Context())
	req, err := http.NewRequestWithContext(ctx, "POST", "http://anything"+importRoute, in)
	if err != nil {
		t.Fatal(err)
	}
	req.Header.Set("Content-Type", "application/x-ndjson")
	go func() { _, _ = io.WriteString(feed, `{"id":"x","text":"one"}`+"\n") }()
	resp, err := web.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	results := bufio.NewReader(resp.Body)
	if line, err := results.ReadString('\n'); err != nil || !strings.Contains(line, `"line":1`) {
		t.Errorf("first result %q, %v", line, err)
	}
	cancel() // with the body still open
	if err := resp.Body.Close(); err != nil {
		t.Error(err)
	}
	if _, err := io.WriteString(feed, "more\n"); err == nil {
		t.Error("the body of an ended request is still read")
	}
	blocked, _ := io.Pipe()
	ended, cancel := context.WithCancel(t.Context())
	cancel()
	req, err = http.NewRequestWithContext(ended, "POST", "http://anything"+importRoute, blocked)
	if err != nil {
		t.Fatal(err)
	}
	resp, err = web.Do(req)
	if err == nil {
		_ = resp.Body.Close()
	}
	if !errors.Is(err, context.Canceled) {
		t.Errorf("an ended request: %v", err)
	}
}
