package server

import (
	"net/http"

	"github.com/gin-gonic/gin"
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
}

// routes is the table of all routes.
func (s *Server) routes() []route {
	const c = "/v1/collections/:collection"
	return []route{
		{http.MethodGet, "/", status, s.index},
		{http.MethodGet, "/livez", open, s.live},
		{http.MethodGet, "/readyz", open, s.ready},
		{http.MethodGet, "/version", status, s.version},
		{http.MethodGet, "/openapi.json", status, s.openAPI},
		{http.MethodGet, "/metrics", status, s.metrics.handle},

		{http.MethodGet, "/v1/collections", read, s.listCollections},
		{http.MethodPut, c, admin, s.createCollection},
		{http.MethodGet, c, read, s.getCollection},
		{http.MethodDelete, c, admin, s.dropCollection},
		{http.MethodGet, c + "/stats", status, s.stats},

		{http.MethodPost, c + "/documents", write, s.addDocuments},
		{http.MethodGet, c + "/documents", read, s.listDocuments},
		{http.MethodPost, c + "/documents/list", read, s.listBy},
		{http.MethodPost, c + "/documents/delete", write, s.deleteDocuments},
		{http.MethodGet, c + "/documents/:id", read, s.getDocument},
		{http.MethodGet, c + "/documents/:id/passages", read, s.getPassages},
		{http.MethodPut, c + "/documents/:id", write, s.putDocument},
		{http.MethodDelete, c + "/documents/:id", write, s.deleteDocument},

		{http.MethodPost, c + "/events", write, s.addEvents},
		{http.MethodGet, c + "/events", read, s.listEvents},
		{http.MethodPost, c + "/events/delete", write, s.deleteEvents},

		{http.MethodPost, c + "/search", read, s.search},
		{http.MethodPost, c + "/recommend", read, s.recommend},
		{http.MethodPost, c + "/classify", read, s.classify},
		{http.MethodPost, c + "/answer", read, s.answerQuestion},
		{http.MethodPost, c + "/answer/feedback", write, s.addFeedback},
		{http.MethodGet, c + "/answer/feedback", read, s.listFeedback},
		{http.MethodPost, c + "/answer/feedback/delete", write, s.deleteFeedback},
		{http.MethodPost, c + "/count", read, s.count},
		{http.MethodPost, c + "/facet", read, s.facet},
		{http.MethodPost, c + "/train", write, s.train},
		{http.MethodPost, c + "/evaluate", read, s.evaluate},

		{http.MethodGet, "/v1/tasks", status, s.listTasks},
		{http.MethodGet, "/v1/tasks/:id", status, s.getTask},
		{http.MethodDelete, "/v1/tasks/:id", status, s.cancelTask},

		{http.MethodPost, "/v1/embeddings", read, s.embeddings},
		{http.MethodPost, "/v1/rerank", read, s.rerank},
		{http.MethodGet, "/v1/models", status, s.listModels},
	}
}
