package server_test

import (
	"net/http"
	"strings"
	"testing"

	"github.com/vecdb/vecdb/client"
	"github.com/vecdb/vecdb/server"
)

// at fills the parameters of a route's path.
func at(path string) string {
	return strings.NewReplacer(":collection", "films", ":id", "a").Replace(path)
}

func TestEveryRouteButHealthNeedsTheKey(t *testing.T) {
	r := newRig(t, server.Options{Keys: []string{"old", "new"}})
	for _, route := range server.RoutesForTest() {
		for _, headers := range [][]string{nil, {"Authorization", "Bearer wrong"}, {"Authorization", "new"}, {"api-key", ""}, {"Authorization", "Bearer "}, {"Authorization", "Bearer newer"}} {
			got := r.do(route.Method, at(route.Path), "{}", headers...)
			if refused := got.StatusCode == http.StatusUnauthorized; refused == route.Open {
				t.Errorf("%s %s with %q: %d", route.Method, route.Path, headers, got.StatusCode)
			} else if refused && (got.Header.Get("WWW-Authenticate") == "" || read[client.Problem](t, got).Code != client.CodeUnauthorized) {
				t.Errorf("%s %s: %s", route.Method, route.Path, got.body)
			}
		}
		for _, headers := range [][]string{{"Authorization", "Bearer new"}, {"api-key", "old"}} {
			if got := r.do(route.Method, at(route.Path), "{}", headers...); got.StatusCode == http.StatusUnauthorized {
				t.Errorf("%s %s is closed to %q", route.Method, route.Path, headers)
			}
		}
	}
}

func TestWithoutAKeyOnlyThisMachinesNamesAreAnswered(t *testing.T) {
	r := newRig(t, server.Options{})
	for host, status := range map[string]int{
		"localhost": 200, "LOCALHOST:99": 200, "127.0.0.1": 200, "127.8.9.1:1": 200, "[::1]:80": 200, "[::ffff:127.0.0.1]": 200,
		"evil.example": 403, "localhost.evil.example": 403, "10.0.0.1": 403, "127.0.0.1.evil.example:80": 403, "0.0.0.0": 403,
	} {
		r.want(status, "GET", "/v1/collections", "", "Host", host)
	}
	newRig(t, server.Options{Insecure: true}).want(200, "GET", "/v1/collections", "", "Host", "evil.example")
}

func TestListenRefusesOtherMachinesWithoutAKey(t *testing.T) {
	for _, c := range []struct {
		addr string
		o    server.Options
		fine bool
	}{
		{"127.0.0.1:0", server.Options{}, true},
		{"localhost:0", server.Options{}, true},
		{"0.0.0.0:0", server.Options{}, false},
		{":0", server.Options{}, false},
		{"0.0.0.0:0", server.Options{Keys: []string{"k"}}, true},
		{"0.0.0.0:0", server.Options{Insecure: true}, true},
		{"nonsense", server.Options{Insecure: true}, false},
		{"127.0.0.1:99999", server.Options{}, false},
	} {
		r := newRig(t, c.o)
		l, err := server.New(r.db, c.o).Listen(c.addr)
		if (err == nil) != c.fine {
			t.Errorf("listen on %s with %+v: %v", c.addr, c.o, err)
		}
		if err == nil {
			_ = l.Close()
		}
	}
}

func TestQueriesOfAddressesThatCannotBeReadAreRefused(t *testing.T) {
	r := stocked(t, server.Options{})
	for _, query := range []string{"?wait=%zz", "?duplicates=skip&%", "?wait=indexed;duplicates=skip", "?a=%f"} {
		got := r.want(400, "POST", importRoute+query, `[{"id":"x","text":"one"}]`)
		if p := read[client.Problem](t, got); p.Code != invalid || p.Detail == "" || p.Errors[0].Hint == "" {
			t.Errorf("%s: %s", query, got.body)
		}
	}
	r.want(404, "GET", importRoute+"/x", "")
	r.want(200, "POST", importRoute+"?wait=%69ndexed", `[{"id":"x","text":"one"}]`)
}
