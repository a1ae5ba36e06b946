package server_test

import (
	"github.com/vecdb/vecdb/client"
	"github.com/vecdb/vecdb/internal/core"
	"github.com/vecdb/vecdb/query"
	"github.com/vecdb/vecdb/train"
)

// operation is what the document says of a route beyond the table of routes, with
// a request that serves as its example and is made by a test.
type operation struct {
	id, tag string
	route   string // method and path, as in the table of routes
	summary string
	detail  string
	query   []parameter
	request any // of the type of the body; nil for none
	lines   any // of the type of a line, where the body may be NDJSON
	reply   any // of the type of the answer; nil for none
	line    any // of a line of the answer to NDJSON
	status  int // of the example's answer
	also    []int
	task    bool // it can be asked for as a task

	path string // of the example; TASK is the id of a task
	body string
}

type parameter struct{ name, kind, about string }

var (
	waitParameter     = parameter{"wait", "string", "How far the change must have come before the answer: durable (the default), indexed, or trained, when heads and recommendations have learnt it too."}
	deletionParameter = parameter{"wait", "string", "How far the deletion must have come before the answer: indexed (the least, and the default), when no search returns what was deleted, or trained, when heads and recommendations have forgotten it too."}
	limitParameter    = parameter{"limit", "integer", "The largest number of entries, 100 by default."}
	storing           = []parameter{
		waitParameter,
		{"long", "string", "What becomes of texts with more tokens than the model takes at once: chunk, truncate or error. The default is that of the collection."},
		{"duplicates", "string", "What becomes of texts that are stored under another id: keep, skip, replace or link. The default is that of the collection."},
		{"duplicate_threshold", "number", "The cosine from which texts count as duplicates too; without it equal texts only."},
	}
)

// oneOf is a body or an answer that can have one of several types.
type oneOf []any

// text is an answer that is no JSON.
type text struct{}

// list is an array of documents.
type list []core.Document

// documentList is an object with an array of documents.
type documentList struct {
	Documents []core.Document `json:"documents"`
}

// openAIError is an error in OpenAI's shape.
type openAIError struct {
	Error struct {
		Message string  `json:"message"`
		Type    string  `json:"type"`
		Param   *string `json:"param,omitempty"`
		Code    string  `json:"code"`
	} `json:"error"`
}

// home is the answer to GET /.
type home struct {
	Name    string            `json:"name"`
	Version string            `json:"version"`
	Links   map[string]string `json:"links"`
}

// health is the answer to GET /livez and GET /readyz.
type health struct {
	Status string `json:"status"` // live or ready
	// Pending is how many committed changes searches do not see yet.
	Pending uint64 `json:"pending,omitempty"`
}

// operations are those of all routes, in an order in which their examples can be
// executed.
func operations() []operation {
	const c, films = "/v1/collections/:collection", "/v1/collections/films"
	return []operation{
		{id: "index", tag: "operation", route: "GET /", summary: "Tell what this is and where to go on", reply: home{}, status: 200, path: "/"},
		{id: "live", tag: "operation", route: "GET /livez", summary: "Tell that the server runs", reply: health{}, status: 200, path: "/livez"},
		{id: "ready", tag: "operation", route: "GET /readyz", summary: "Tell whether queries are answered", reply: health{}, status: 200, path: "/readyz"},
		{id: "version", tag: "operation", route: "GET /version", summary: "Tell what is running", reply: client.Version{}, status: 200, path: "/version"},
		{id: "metrics", tag: "operation", route: "GET /metrics", summary: "Tell figures in the format of Prometheus", reply: text{}, status: 200, path: "/metrics"},
		{id: "openapi", tag: "operation", route: "GET /openapi.json", summary: "Return this document", reply: map[string]any{}, status: 200, path: "/openapi.json"},

		{id: "createCollection", tag: "collections", route: "PUT " + c, summary: "Make a collection",
			detail:  "A collection of that name and these settings may be there already.",
			request: client.CreateCollection{}, reply: client.Collection{}, status: 201, also: []int{200}, path: films, body: `{"language":"en","fields":{"year":"integer"}}`},
		{id: "listCollections", tag: "collections", route: "GET /v1/collections", summary: "List the collections", reply: client.Collections{}, status: 200, path: "/v1/collections"},
		{id: "getCollection", tag: "collections", route: "GET " + c, summary: "Describe a collection", reply: client.Collection{}, status: 200, path: films},

		{id: "addDocuments", tag: "documents", route: "POST " + c + "/documents", summary: "Store documents",
			detail:  "A JSON body is one document, an array of up to 10,000, or an object with such an array. NDJSON is a stream without a bound, answered with a line a line as they are stored.",
			query:   storing,
			request: oneOf{list{}, documentList{}, core.Document{}}, lines: core.Document{}, reply: client.AddResult{}, line: client.ItemResult{}, status: 200,
			path: films + "/documents?wait=indexed", body: `[
				{"id":"a1","text":"a sad film about a father and his son","label":"drama","year":1999,"question":"what is it about?","answer":"A father and his son."},
				{"id":"b2","text":"a father cooks rice for his son","label":"food","year":2004},
				{"id":"c3","text":"how to cook rice and beans","label":"food","year":2010},
				{"id":"d4","text":"a football match ends in a draw","label":"sport","year":2004},
				{"id":"f6","text":"a sister and her brother part for ever","label":"drama","year":2010},
				{"id":"g7","text":"the last match of the season","label":"sport","year":2011}]`},
		{id: "putDocument", tag: "documents", route: "PUT " + c + "/documents/:id", summary: "Store a document under an id", query: storing,
			request: core.Document{}, reply: client.ItemResult{}, status: 201, also: []int{200}, path: films + "/documents/e5?wait=indexed", body: `{"text":"the weather of the week","label":"weather"}`},
		{id: "getDocument", tag: "documents", route: "GET " + c + "/documents/:id", summary: "Return a document", reply: core.Document{}, status: 200, path: films + "/documents/a1"},
		{id: "getPassages", tag: "documents", route: "GET " + c + "/documents/:id/passages", summary: "Tell into what a document was cut", reply: client.Passages{}, status: 200, path: films + "/documents/a1/passages"},
		{id: "listDocuments", tag: "documents", route: "GET " + c + "/documents", summary: "List documents in the order of ids", query: []parameter{limitParameter, {"cursor", "string", "That of the page before."}},
			reply: client.DocumentPage{}, status: 200, path: films + "/documents?limit=2"},
		{id: "listDocumentsBy", tag: "documents", route: "POST " + c + "/documents/list", summary: "List documents by a filter in the order of fields",
			request: query.ListRequest{}, reply: query.ListResponse{}, status: 200, path: films + "/documents/list", body: `{"filter":{"field":"year","gte":2000},"sort":[{"field":"year","order":"desc"}],"limit":10}`},

		{id: "search", tag: "queries", route: "POST " + c + "/search", summary: "Find documents by meaning and words",
			request: query.Request{}, reply: query.Response{}, status: 200, path: films + "/search",
			body: `{"text":"sad film","limit":3,"filter":{"field":"year","gte":1990},"highlight":"words","explain":true,"facets":[{"field":"label"}]}`},
		{id: "addEvents", tag: "behavior", route: "POST " + c + "/events", summary: "Store what users did", query: []parameter{waitParameter},
			request: client.AddEvents{}, reply: client.EventsResult{}, status: 200, path: films + "/events?wait=durable",
			body: `{"events":[{"user":"u1","item":"a1","action":"like"},{"user":"u1","item":"d4","action":"view","weight":0.5,"time":"2026-01-31T10:00:00Z"}]}`},
		{id: "listEvents", tag: "behavior", route: "GET " + c + "/events", summary: "List the latest events of a user or of a document",
			query: []parameter{limitParameter, {"user", "string", "Whose events."}, {"item", "string", "The events of this document."}},
			reply: client.Events{}, status: 200, path: films + "/events?user=u1"},
		{id: "recommend", tag: "queries", route: "POST " + c + "/recommend", summary: "Recommend documents by examples or to a user",
			request: query.Request{}, reply: query.Response{}, status: 200, path: films + "/recommend", body: `{"like":["a1",{"text":"rice"}],"dislike":["d4"],"limit":2}`},
		{id: "classify", tag: "queries", route: "POST " + c + "/classify", summary: "Label texts",
			request: query.ClassifyRequest{}, reply: query.ClassifyResponse{}, status: 200, path: films + "/classify", body: `{"texts":["boiled rice","a goal in the last minute"],"label_field":"label","any_scope":true}`},
		{id: "answer", tag: "queries", route: "POST " + c + "/answer", summary: "Answer a question from stored answers",
			request: query.AnswerRequest{}, reply: query.AnswerResponse{}, status: 200, path: films + "/answer", body: `{"text":"what is the film about?","limit":3,"min_confidence":0.1}`},
		{id: "addFeedback", tag: "answers", route: "POST " + c + "/answer/feedback", summary: "Tell whether answers were right", query: []parameter{waitParameter},
			request: oneOf{client.AddFeedback{}, core.Feedback{}}, reply: client.FeedbackResult{}, status: 200, path: films + "/answer/feedback", body: `{"question":"who is it about?","answer":"a1","right":true}`},
		{id: "listFeedback", tag: "answers", route: "GET " + c + "/answer/feedback", summary: "List the latest feedback", query: []parameter{limitParameter, {"answer", "string", "The id of the answer; all without it."}},
			reply: client.FeedbackList{}, status: 200, path: films + "/answer/feedback?answer=a1"},
		{id: "deleteFeedback", tag: "answers", route: "POST " + c + "/answer/feedback/delete", summary: "Delete feedback",
			request: client.DeleteFeedback{}, reply: client.DeleteResult{}, status: 200, path: films + "/answer/feedback/delete", body: `{"answer":"a1"}`},
		{id: "count", tag: "queries", route: "POST " + c + "/count", summary: "Count documents",
			request: query.CountRequest{}, reply: query.CountResponse{}, status: 200, path: films + "/count", body: `{"filter":{"and":[{"field":"year","gte":2000,"lt":2010},{"not":{"field":"label","in":["sport"]}}]}}`},
		{id: "facet", tag: "queries", route: "POST " + c + "/facet", summary: "Count the values of a field",
			request: query.FacetRequest{}, reply: query.FacetResponse{}, status: 200, path: films + "/facet", body: `{"field":"year","interval":10}`},

		{id: "train", tag: "learning", route: "POST " + c + "/train", summary: "Learn the labels of documents, or what users like together, now", task: true,
			request: client.TrainRequest{}, reply: oneOf{client.Head{}, client.Behavior{}}, status: 200, path: films + "/train", body: `{"kind":"classifier","label_field":"label"}`},
		{id: "evaluate", tag: "learning", route: "POST " + c + "/evaluate", summary: "Tell how well labels are found", task: true,
			request: client.EvaluateRequest{}, reply: train.Report{}, status: 200, path: films + "/evaluate", body: `{"label_field":"label","folds":2}`},
		{id: "listTasks", tag: "learning", route: "GET /v1/tasks", summary: "List tasks, the latest first", reply: client.Tasks{}, status: 200, path: "/v1/tasks"},
		{id: "getTask", tag: "learning", route: "GET /v1/tasks/:id", summary: "Tell how a task goes", reply: client.Task{}, status: 200, path: "/v1/tasks/TASK"},
		{id: "cancelTask", tag: "learning", route: "DELETE /v1/tasks/:id", summary: "Cancel a task and wait for its end", reply: client.Task{}, status: 200, path: "/v1/tasks/TASK"},
		{id: "stats", tag: "collections", route: "GET " + c + "/stats", summary: "Tell figures of a collection", reply: client.Stats{}, status: 200, path: films + "/stats"},

		{id: "embeddings", tag: "models", route: "POST /v1/embeddings", summary: "Turn texts into vectors, in OpenAI's shape",
			request: client.EmbeddingRequest{}, reply: client.EmbeddingResponse{}, status: 200, path: "/v1/embeddings", body: `{"input":["a sad film","rice"],"input_type":"query","dimensions":8}`},
		{id: "rerank", tag: "models", route: "POST /v1/rerank", summary: "Order texts by how well they answer a query",
			request: client.RerankRequest{}, reply: client.RerankResponse{}, status: 200, path: "/v1/rerank", body: `{"query":"my card is lost","documents":["Cooking rice",{"text":"Report a missing bank card"}],"top_n":1,"return_documents":true}`},
		{id: "listModels", tag: "models", route: "GET /v1/models", summary: "List the models", reply: client.Models{}, status: 200, path: "/v1/models"},

		{id: "deleteEvents", tag: "behavior", route: "POST " + c + "/events/delete", summary: "Delete the events of a user or of a document",
			request: client.DeleteEvents{}, reply: client.DeleteResult{}, status: 200, path: films + "/events/delete", body: `{"user":"u1"}`},
		{id: "deleteDocument", tag: "documents", route: "DELETE " + c + "/documents/:id", summary: "Delete a document", query: []parameter{deletionParameter}, status: 204, path: films + "/documents/e5"},
		{id: "deleteDocuments", tag: "documents", route: "POST " + c + "/documents/delete", summary: "Delete documents by ids or by a filter", query: []parameter{deletionParameter},
			request: client.DeleteRequest{}, reply: client.DeleteResult{}, status: 200, path: films + "/documents/delete", body: `{"ids":["b2","c3"]}`},
		{id: "deleteCollection", tag: "collections", route: "DELETE " + c, summary: "Delete a collection with all of its documents", status: 204, path: films},
	}
}
