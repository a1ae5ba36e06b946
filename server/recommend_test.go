package server_test

import (
	"fmt"
	"math/rand/v2"
	"net/http"
	"strings"
	"testing"

	"github.com/vecdb/vecdb/client"
	"github.com/vecdb/vecdb/query"
	"github.com/vecdb/vecdb/server"
)

// TestUsersAreRecommendedTo goes the whole way over HTTP: documents, events,
// training, a user's recommendations with their reasons.
func TestUsersAreRecommendedTo(t *testing.T) {
	r := newRig(t, server.Options{})
	const at = "/v1/collections/shelf"
	r.want(http.StatusCreated, "PUT", at, `{}`)
	if got := read[query.Response](t, r.want(http.StatusOK, "POST", at+"/recommend", `{"user":"u1"}`)); len(got.Hits) != 0 {
		t.Errorf("an empty collection recommends %+v", got.Hits)
	}
	p := read[client.Problem](t, r.want(http.StatusBadRequest, "POST", at+"/train", `{"kind":"recommender"}`))
	if p.Code != client.CodeInvalid || p.Errors[0].Hint == "" {
		t.Errorf("nothing to learn from: %+v", p)
	}
	var docs, events []string
	for i := range 20 {
		docs = append(docs, fmt.Sprintf(`{"id":"%c%d","text":"%s %d"}`, "sk"[i%2], i, []string{"ships at sea", "rice for dinner"}[i%2], i))
	}
	rng := rand.New(rand.NewPCG(1, 2))
	for u := range 12 {
		for _, i := range rng.Perm(10)[:6] {
			events = append(events, fmt.Sprintf(`{"user":"u%d","item":"%c%d","action":"like"}`, u, "sk"[u%2], 2*i+u%2))
		}
	}
	r.want(http.StatusOK, "POST", at+"/documents?wait=indexed", "["+strings.Join(docs, ",")+"]")
	r.want(http.StatusOK, "POST", at+"/events?wait=trained", `{"events":[`+strings.Join(events, ",")+"]}")
	got := read[query.Response](t, r.want(http.StatusOK, "POST", at+"/recommend", `{"user":"u1","limit":3,"explain":true}`))
	if len(got.Hits) != 3 || got.Hits[0].ID[0] != 'k' || got.Hits[0].Explain.Mode != query.Behavioral || len(got.Hits[0].Explain.Because) == 0 {
		t.Errorf("got %+v", got.Hits)
	}
	b := read[client.Behavior](t, r.want(http.StatusOK, "POST", at+"/train", `{"kind":"recommender"}`))
	if b.Model == nil || b.Model.Users != 12 || b.Pending || b.Version != 1 {
		t.Errorf("nothing has changed since: %+v", b)
	}
	if s := read[client.Stats](t, r.want(http.StatusOK, "GET", at+"/stats", "")); s.Behavior == nil || s.Behavior.Model == nil {
		t.Errorf("stats: %+v", s.Behavior)
	}
	for body, status := range map[string]int{
		`{"user":"never seen"}`:                                http.StatusOK,
		`{"user":"u1","limit":0}`:                              http.StatusOK,
		`{"user":"u1","limit":10000}`:                          http.StatusOK,
		`{"user":"u1","limit":1000000000}`:                     http.StatusBadRequest,
		`{"user":7}`:                                           http.StatusOK,
		`{"user":{}}`:                                          http.StatusBadRequest,
		`{"user":"u1","like":["never seen"]}`:                  http.StatusNotFound,
		`{"user":"u1","session":["never seen"]}`:               http.StatusOK,
		`{"session":["never seen"]}`:                           http.StatusOK,
		`{"id":"never seen"}`:                                  http.StatusNotFound,
		`{"id":"k1"}`:                                          http.StatusOK,
		`{"dislike":["k1"]}`:                                   http.StatusOK,
		`{"user":"u1","exclude":["never seen","k1"]}`:          http.StatusOK,
		`{"user":"u1","filter":{"field":"none","eq":1}}`:       http.StatusOK,
		`{"user":"u1","diversity":0.5,"with_vector":true}`:     http.StatusOK,
		`{"user":"u1","min_score":1e30}`:                       http.StatusOK,
		`{"user":"u1","highlight":"auto"}`:                     http.StatusOK,
		`{"user":"u1","mode":"dense"}`:                         http.StatusOK,
		`{"user":"u1","mode":"behavior"}`:                      http.StatusBadRequest,
		`{"user":"u1","text":"sea"}`:                           http.StatusBadRequest,
		`{"user":"u1","decay":{"field":"n","half_life":"3d"}}`: http.StatusOK,
		`{}`: http.StatusBadRequest,
	} {
		r.want(status, "POST", at+"/recommend", body)
	}
}
