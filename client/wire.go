// Package client talks to a vecdb server. The types of the REST interface
// that are not part of the query object (package query) or of a document live
// in wire.go and are used by the server too.
package client

import (
	"encoding/json"
	"time"

	"github.com/vecdb/vecdb/internal/core"
	"github.com/vecdb/vecdb/query"
	"github.com/vecdb/vecdb/train"
)

// The codes of problems. They are stable.
const (
	CodeInvalid            = "invalid_input"
	CodeDimension          = "dimension_mismatch"
	CodeNotFound           = "not_found"
	CodeCollectionNotFound = "collection_not_found"
	CodeNoRoute            = "no_such_route"
	CodeMethod             = "method_not_allowed"
	CodeExists             = "already_exists"
	CodeTooLarge           = "too_large"
	CodeMediaType          = "unsupported_media_type"
	CodeUnauthorized       = "unauthorized"
	CodeForbidden          = "forbidden"
	CodeBusy               = "busy"
	CodeFull               = "disk_full"
	CodeMemory             = "memory_full"
	CodeReadOnly           = "read_only"
	CodeClosed             = "shutting_down"
	CodePending            = "model_pending"
	CodeNoModel            = "model_not_available"
	CodeNoRuntime          = "runtime_not_available"
	CodeCorrupt            = "data_corrupt"
	CodeCancelled          = "cancelled"
	CodeInternal           = "internal"
)

// CreateCollection is the body of PUT /v1/collections/{c}. Every member may be
// left out.
type CreateCollection struct {
	// Language picks the default model: "en" (the default), "zh", or "auto", with
	// which the first texts pick one of the two.
	Language string `json:"language,omitempty"`
	// Model names a model of `vecdb model list`; "none" makes a collection
	// that takes vectors only and needs Dimension.
	Model string `json:"model,omitempty"`
	// Precision is "int8" (the default) or "fp32".
	Precision string `json:"precision,omitempty"`
	// Dimension is needed with model "none". With a model a smaller one than the
	// model's cuts its vectors, which models trained for it (Matryoshka) lose
	// little by.
	Dimension int `json:"dimension,omitempty"`
	// Metric is "cosine" (the default), "dot" or "l2".
	Metric string `json:"metric,omitempty"`
	// Fields declares types of fields: keyword, text, integer, float, bool,
	// datetime (RFC 3339, or a date), geo (an object with lat and lon).
	// Documents with another type there are refused.
	Fields map[string]string `json:"fields,omitempty"`
	// Duplicates is what becomes of documents that are there already.
	Duplicates core.Duplicates `json:"duplicates,omitzero"`
	// Long is what becomes of texts with more tokens than the model takes at once:
	// "chunk" (the default), "truncate" or "error".
	Long string `json:"long,omitempty"`
}

// Collection describes a collection.
type Collection struct {
	Name     string `json:"name"`
	Language string `json:"language,omitempty"`
	Model    string `json:"model,omitempty"`
	// ModelChoice is missing where the model was given.
	ModelChoice string            `json:"model_choice,omitempty"`
	Precision   string            `json:"precision,omitempty"`
	Dimension   int               `json:"dimension"` // 0 while the model is pending
	Metric      string            `json:"metric"`
	Fields      map[string]string `json:"fields,omitempty"`
	// Duplicates is what becomes of documents that are there already.
	Duplicates core.Duplicates `json:"duplicates,omitzero"`
	// Long is what becomes of long texts.
	Long      string `json:"long,omitempty"`
	Documents int    `json:"documents"`
	Created   string `json:"created"` // RFC 3339
}

// The states of a model that the first texts choose: not chosen yet, and chosen.
const (
	ChoicePending = "pending"
	ChoiceMade    = "made"
)

// Collections is the body of the answer to GET /v1/collections.
type Collections struct {
	Collections []Collection `json:"collections"`
}

// ItemError tells why one document of a request was not taken.
type ItemError struct {
	Code    string `json:"code"`
	Detail  string `json:"detail"`
	Pointer string `json:"pointer,omitempty"` // RFC 6901, within the document
	Hint    string `json:"hint,omitempty"`
}

// The statuses of an ItemResult.
const (
	StatusCreated = "created"
	StatusUpdated = "updated"
	StatusSkipped = "skipped" // as a duplicate
	StatusError   = "error"
)

// ItemResult tells what became of one document of a request.
type ItemResult struct {
	// Line is the line of an NDJSON request, from 1; 0 otherwise.
	Line        int        `json:"line,omitempty"`
	ID          string     `json:"id"`
	Status      string     `json:"status"`
	Error       *ItemError `json:"error,omitempty"`
	TokensTotal int        `json:"tokens_total"`
	TokensUsed  int        `json:"tokens_used"`            // smaller than TokensTotal when the text was truncated
	Passages    int        `json:"passages"`               // vectors stored for the document
	DuplicateOf string     `json:"duplicate_of,omitempty"` // where duplicates are looked for
}

// Passages is the body of the answer to GET …/documents/{id}/passages.
type Passages struct {
	ID          string    `json:"id"`
	TokensTotal int       `json:"tokens_total"` // 0 where the model does not tell
	TokensUsed  int       `json:"tokens_used"`
	Passages    []Passage `json:"passages"`
}

// Passage is a part of a document that has a vector of its own.
type Passage struct {
	Start  int    `json:"start"` // its bytes in the text of the document
	End    int    `json:"end"`
	Tokens int    `json:"tokens"` // that the model read of it
	Text   string `json:"text"`
}

// AddResult is the body of the answer to POST …/documents.
type AddResult struct {
	Accepted int          `json:"accepted"`
	Results  []ItemResult `json:"results"`
}

// DeleteRequest is the body of POST …/documents/delete: exactly one of the two.
type DeleteRequest struct {
	IDs    []string      `json:"ids,omitempty"`
	Filter *query.Filter `json:"filter,omitempty"`
}

// DeleteResult is the body of the answer to POST …/documents/delete.
type DeleteResult struct {
	Deleted int `json:"deleted"`
}

// DocumentPage is one page of GET …/documents, in the order of ids.
type DocumentPage struct {
	Documents []*core.Document `json:"documents"`
	Cursor    string           `json:"cursor,omitempty"` // empty on the last page
}

// IndexStats describes a collection's index.
type IndexStats struct {
	Kind    string `json:"kind"`
	Vectors int    `json:"vectors"`
	Bytes   int64  `json:"bytes"`
	Pending uint64 `json:"pending"` // committed changes that searches do not see yet
	// BytesPerVector predicts what a further document takes in memory, the mean
	// of many.
	BytesPerVector int64 `json:"bytes_per_vector"`
	// DiskBytes and DiskBytesPerVector are the same of what the index keeps in a
	// file rather than in memory; missing where there is none.
	DiskBytes          int64 `json:"disk_bytes,omitempty"`
	DiskBytesPerVector int64 `json:"disk_bytes_per_vector,omitempty"`
	// Recall is missing where every answer is exact.
	Recall *RecallStats `json:"recall,omitempty"`
}

// RecallStats tells what searches for a recall come from.
type RecallStats struct {
	Vectors int            `json:"vectors"` // in the index when it was measured, 0 while the breadths are preset
	Stored  int            `json:"stored"`  // stored vectors that were searched for
	Asked   int            `json:"asked"`   // queries of late that were
	Targets []RecallTarget `json:"targets"`
}

// RecallTarget is a wanted recall with the breadth of search that it gets.
type RecallTarget struct {
	Recall   float64 `json:"recall"`
	K        int     `json:"k"`
	Ef       int     `json:"ef"`
	Measured float64 `json:"measured,omitempty"` // the recall of that breadth
}

// Stats is the body of the answer to GET …/stats.
type Stats struct {
	Documents    int        `json:"documents"`
	Passages     int        `json:"passages"`
	Dimension    int        `json:"dimension"` // 0 while the model is pending
	Language     string     `json:"language,omitempty"`
	Model        string     `json:"model,omitempty"`
	ModelChoice  string     `json:"model_choice,omitempty"` // ChoicePending or ChoiceMade; missing where the model was given
	Precision    string     `json:"precision,omitempty"`
	Metric       string     `json:"metric"`
	Index        IndexStats `json:"index"`
	StorageBytes int64      `json:"storage_bytes"` // of the whole database directory
	LastSequence uint64     `json:"last_sequence"`
	// MemoryAvailable is what indexes can take of the server's memory, in bytes;
	// missing where the system does not tell.
	MemoryAvailable *int64 `json:"memory_available,omitempty"`
	// EmbeddingCache tells of the vectors that are kept; missing where it is off.
	EmbeddingCache *EmbeddingCache `json:"embedding_cache,omitempty"`
	// Heads tells what was learnt from labels, a head a field.
	Heads []Head `json:"heads,omitempty"`
	// Behavior tells what is known of what users do; missing without events.
	Behavior *Behavior `json:"behavior,omitempty"`
	// Answers tells what is known about answers; missing before the first
	// question and feedback.
	Answers *Answers `json:"answers,omitempty"`
}

// EmbeddingCache describes the cache of vectors of the whole database directory.
// Hits and misses are texts since the start.
type EmbeddingCache struct {
	Hits   int64 `json:"hits"`
	Misses int64 `json:"misses"`
	Bytes  int64 `json:"bytes"` // about
	Limit  int64 `json:"limit"` // in bytes
}

// The kinds of what POST …/train trains: a head on labels, or the model of what
// users like together.
const (
	KindClassifier  = "classifier"
	KindRecommender = "recommender"
)

// TrainRequest is the body of POST …/train. Every member may be left out.
type TrainRequest struct {
	Kind       string `json:"kind,omitempty"`        // KindClassifier by default
	LabelField string `json:"label_field,omitempty"` // "label" by default
}

// EvaluateRequest is the body of POST …/evaluate. Every member may be left out.
// The answer is a train.Report.
type EvaluateRequest struct {
	LabelField  string `json:"label_field,omitempty"`   // "label" by default
	Method      string `json:"method,omitempty"`        // auto (the default), neighbors, centroid or linear
	Folds       int    `json:"folds,omitempty"`         // 2 to 100, 5 by default
	LeaveOneOut bool   `json:"leave_one_out,omitempty"` // with neighbors and centroid
}

// Head describes what was learnt from the labels of a field.
type Head struct {
	LabelField string `json:"label_field"`
	Version    int    `json:"version"` // grows with each training
	// Why tells why there is no head; then all but Pending is missing.
	Why string `json:"why,omitempty"`
	// Pending tells that labels have changed since it was trained.
	Pending bool `json:"pending"`
	// Method is what did best, the one of "auto".
	Method   string `json:"method,omitempty"`
	Labels   int    `json:"labels,omitempty"`
	Examples int    `json:"examples,omitempty"`
	Features int    `json:"features,omitempty"` // terms that it reads of a text
	Named    bool   `json:"named,omitempty"`    // the names of the labels were examples too
	Folds    int    `json:"folds,omitempty"`    // of the cross-validation, 0 without one
	Judged   int    `json:"judged,omitempty"`   // examples that were held out
	// Candidates are the methods with what they reached, the best first.
	Candidates []train.Candidate `json:"candidates,omitempty"`
	// Scope is the similarity to the nearest labelled document below which a
	// text is out of scope.
	Scope       *float32   `json:"scope,omitempty"`
	Trained     *time.Time `json:"trained,omitempty"`
	TookSeconds float64    `json:"took_seconds,omitempty"`
}

// Version is the body of the answer to GET /version.
type Version struct {
	Version string `json:"version"`
	Commit  string `json:"commit"`
	Go      string `json:"go"`
	Kernels string `json:"kernels"` // distance kernels in use, for instance "avx512"
	Runtime string `json:"runtime"` // model runtime in use or why there is none
}

// Model describes a model in the answer to GET /v1/models.
type Model struct {
	ID        string `json:"id"`
	Object    string `json:"object"` // always "model"
	OwnedBy   string `json:"owned_by"`
	Language  string `json:"language"`
	Dimension int    `json:"dimension"`
	MaxTokens int    `json:"max_tokens"`
	Licence   string `json:"license"`
	Ready     bool   `json:"ready"` // its files are on this machine
}

// Models is the body of the answer to GET /v1/models, in OpenAI's shape.
type Models struct {
	Object string  `json:"object"` // always "list"
	Data   []Model `json:"data"`
}

// EmbeddingRequest is the body of POST /v1/embeddings, in OpenAI's shape.
type EmbeddingRequest struct {
	Model          string          `json:"model,omitempty"`
	Input          json.RawMessage `json:"input"` // a string or an array of strings
	EncodingFormat string          `json:"encoding_format,omitempty"`
	Dimensions     int             `json:"dimensions,omitempty"`
	User           string          `json:"user,omitempty"`
	InputType      string          `json:"input_type,omitempty"` // "query" or "document"
}

// EmbeddingResponse is the answer to POST /v1/embeddings.
type EmbeddingResponse struct {
	Object string          `json:"object"` // always "list"
	Data   []EmbeddingData `json:"data"`
	Model  string          `json:"model"`
	Usage  EmbeddingUsage  `json:"usage"`
	// Truncated are the places of the texts that have more tokens than the model
	// reads; it is not part of OpenAI's shape.
	Truncated []int `json:"truncated,omitempty"`
}

// EmbeddingData is one vector: an array of numbers, or with encoding format
// base64 a string of little-endian 32-bit floats.
type EmbeddingData struct {
	Object    string `json:"object"` // always "embedding"
	Index     int    `json:"index"`
	Embedding any    `json:"embedding"`
}

// EmbeddingUsage counts tokens.
type EmbeddingUsage struct {
	PromptTokens int `json:"prompt_tokens"`
	TotalTokens  int `json:"total_tokens"`
}

// Problem is an error answer (RFC 9457, application/problem+json).
type Problem struct {
	Type   string         `json:"type"`
	Title  string         `json:"title"`
	Status int            `json:"status"`
	Detail string         `json:"detail"`
	Code   string         `json:"code"` // stable, for programs
	Errors []ProblemField `json:"errors,omitempty"`
}

// ProblemField names one bad part of a request.
type ProblemField struct {
	Pointer string `json:"pointer"`
	Detail  string `json:"detail"`
	Hint    string `json:"hint,omitempty"`
}
