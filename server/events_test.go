package server_test

import (
	"net/http"
	"strings"
	"testing"

	"github.com/vecdb/vecdb/client"
	"github.com/vecdb/vecdb/server"
)

func TestEventsAreTakenListedAndDeleted(t *testing.T) {
	r := stocked(t, server.Options{})
	const at = "/v1/collections/films/events"
	body := `{"events":[{"user":"u1","item":"a","action":"like","time":"2026-01-02T03:04:05Z"},
		{"user":1,"item":"b","action":"rate","weight":-0.5,"time":1767323045},
		{"user":"u1","item":"not there","action":"view","time":"2026-01-02T03:04:06Z"}]}`
	got := read[client.EventsResult](t, r.want(http.StatusOK, "POST", at+"?wait=trained", body))
	if got.Accepted != 3 || got.UnknownItems != 1 || got.Duplicates != 0 {
		t.Errorf("got %+v", got)
	}
	if got = read[client.EventsResult](t, r.want(http.StatusOK, "POST", at, body)); got.Accepted != 3 || got.Duplicates != 3 {
		t.Errorf("the same again: %+v", got)
	}
	list := read[client.Events](t, r.want(http.StatusOK, "GET", at+"?user=u1&limit=1", ""))
	if list.Total != 2 || len(list.Events) != 1 || list.Events[0].Item != "not there" {
		t.Errorf("the newest of two: %+v", list)
	}
	stats := read[client.Stats](t, r.want(http.StatusOK, "GET", "/v1/collections/films/stats", ""))
	if b := stats.Behavior; b == nil || b.Events != 3 || b.Users != 2 || b.Items != 3 {
		t.Errorf("stats: %+v", b)
	}
	if d := read[client.DeleteResult](t, r.want(http.StatusOK, "POST", at+"/delete", `{"user":"u1"}`)); d.Deleted != 2 {
		t.Errorf("deleted %d", d.Deleted)
	}
	if list = read[client.Events](t, r.want(http.StatusOK, "GET", at, "")); list.Total != 1 || list.Events[0].User != "1" {
		t.Errorf("one is left: %+v", list)
	}
}

func TestBadEventsAreRefusedWholeWithTheirPlace(t *testing.T) {
	r := stocked(t, server.Options{})
	const at = "/v1/collections/films/events"
	for body, pointer := range map[string]string{
		`{"events":[{"user":"u","item":"a","action":"like"},{"user":"","item":"a","action":"like"}]}`: "/events/1/user",
		`{"events":[{"user":"u","item":"a"}]}`:                                                        "/events/0/action",
		`{"events":[{"user":"u","item":"a","action":"frobnicate"}]}`:                                  "/events/0/action",
		`{"events":[{"user":"u","item":"a","action":"like","weight":"much"}]}`:                        "/events/0/weight",
		`{"events":[{"user":"u","item":"a","action":"like","weight":1e9}]}`:                           "/events/0/weight",
		`{"events":[{"user":"u","item":"a","action":"like","time":"yesterday"}]}`:                     "/events/0/time",
		`{"events":[{"user":"u","item":"a","action":"like","time":1e300}]}`:                           "/events/0/time",
		`{"events":[{"user":"u","item":"a","action":"like","mood":1}]}`:                               "/events/0/mood",
		`{"events":[{"user":{},"item":"a","action":"like"}]}`:                                         "/events/0/user",
		`{"events":[7]}`: "/events/0",
		`{"events":7}`:   "/events",
		`{}`:             "/events",
	} {
		p := read[client.Problem](t, r.want(http.StatusBadRequest, "POST", at, body))
		if len(p.Errors) != 1 || p.Errors[0].Pointer != pointer || p.Code != client.CodeInvalid {
			t.Errorf("%s: %+v, want pointer %s", body, p, pointer)
		}
	}
	many := `{"events":[` + strings.Repeat(`{"user":"u","item":"a","action":"like"},`, 10_000) + `{"user":"u","item":"a","action":"like"}]}`
	r.want(http.StatusRequestEntityTooLarge, "POST", at, many)
	r.want(http.StatusBadRequest, "POST", at+"/delete", `{}`)
	r.want(http.StatusNotFound, "POST", "/v1/collections/none/events", `{"events":[]}`)
	if list := read[client.Events](t, r.want(http.StatusOK, "GET", at, "")); list.Total != 0 {
		t.Errorf("nothing of a refused request is stored, got %+v", list)
	}
}
