package server

import (
	"maps"
	"net/http"
	"net/url"
	"slices"
	"strings"

	"github.com/gin-gonic/gin"

	"github.com/vecdb/vecdb/internal/core"
)

// scope is what a route lets one do; it decides about the key and the lane.
type scope uint8

const (
	open   scope = iota // no key needed: health, and answers about unknown routes
	read                // queries
	write               // documents
	admin               // collections
	status              // metrics, versions and tasks: a key, but no lane
)

// route is one row of the table.
type route struct {
	method string
	path   string
	scope  scope
	handle gin.HandlerFunc
	query  []string // names that the query of the address may have, where it is strict
}

// strict reports whether a query of the address may have no other names than the
// route knows. Those of surfaces that other clients know, too, and of what collects
// metrics may: they send some that concern others.
func (r route) strict() bool {
	return strings.HasPrefix(r.path, "/v1/collections") || strings.HasPrefix(r.path, "/v1/tasks")
}

// checkQuery returns an error for a query of an address with a name that the route
// does not know: passed over, it would be taken for what was not asked for.
func (r route) checkQuery(v url.Values) error {
	if !r.strict() {
		return nil
	}
	for _, name := range slices.Sorted(maps.Keys(v)) {
		if !slices.Contains(r.query, name) {
			hint := "this route takes no query parameters"
			if len(r.query) > 0 {
				hint = "this route takes " + strings.Join(r.query, ", ")
			}
			return core.Invalid("", hint, "unknown query parameter %.100q", name)
		}
	}
	return nil
}

// routes is the table of all routes.
func (s *Server) routes() []route {
	const c = "/v1/collections/:collection"
	storing := []string{"wait", "long", "duplicates", "duplicate_threshold"}
	return []route{
		{http.MethodGet, "/", status, s.index, nil},
		{http.MethodGet, "/livez", open, s.live, nil},
		{http.MethodGet, "/readyz", open, s.ready, nil},
		{http.MethodGet, "/version", status, s.version, nil},
		{http.MethodGet, "/openapi.json", status, s.openAPI, nil},
		{http.MethodGet, "/metrics", status, s.metrics.handle, nil},

		{http.MethodGet, "/v1/collections", read, s.listCollections, nil},
		{http.MethodPut, c, admin, s.createCollection, nil},
		{http.MethodGet, c, read, s.getCollection, nil},
		{http.MethodDelete, c, admin, s.dropCollection, nil},
		{http.MethodGet, c + "/stats", status, s.stats, nil},

		{http.MethodPost, c + "/documents", write, s.addDocuments, storing},
		{http.MethodGet, c + "/documents", read, s.listDocuments, []string{"limit", "cursor"}},
		{http.MethodPost, c + "/documents/list", read, s.listBy, nil},
		{http.MethodPost, c + "/documents/delete", write, s.deleteDocuments, []string{"wait"}},
		{http.MethodGet, c + "/documents/:id", read, s.getDocument, nil},
		{http.MethodGet, c + "/documents/:id/passages", read, s.getPassages, nil},
		{http.MethodPut, c + "/documents/:id", write, s.putDocument, storing},
		{http.MethodDelete, c + "/documents/:id", write, s.deleteDocument, []string{"wait"}},

		{http.MethodPost, c + "/events", write, s.addEvents, []string{"wait"}},
		{http.MethodGet, c + "/events", read, s.listEvents, []string{"limit", "user", "item"}},
		{http.MethodPost, c + "/events/delete", write, s.deleteEvents, nil},

		{http.MethodPost, c + "/search", read, s.search, nil},
		{http.MethodPost, c + "/recommend", read, s.recommend, nil},
		{http.MethodPost, c + "/classify", read, s.classify, nil},
		{http.MethodPost, c + "/answer", read, s.answerQuestion, nil},
		{http.MethodPost, c + "/answer/feedback", write, s.addFeedback, []string{"wait"}},
		{http.MethodGet, c + "/answer/feedback", read, s.listFeedback, []string{"limit", "answer"}},
		{http.MethodPost, c + "/answer/feedback/delete", write, s.deleteFeedback, nil},
		{http.MethodPost, c + "/count", read, s.count, nil},
		{http.MethodPost, c + "/facet", read, s.facet, nil},
		{http.MethodPost, c + "/train", write, s.train, nil},
		{http.MethodPost, c + "/evaluate", read, s.evaluate, nil},

		{http.MethodGet, "/v1/tasks", status, s.listTasks, nil},
		{http.MethodGet, "/v1/tasks/:id", status, s.getTask, nil},
		{http.MethodDelete, "/v1/tasks/:id", status, s.cancelTask, nil},

		{http.MethodPost, "/v1/embeddings", read, s.embeddings, nil},
		{http.MethodPost, "/v1/rerank", read, s.rerank, nil},
		{http.MethodGet, "/v1/models", status, s.listModels, nil},
	}
}
