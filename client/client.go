package client

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"

	"github.com/vecdb/vecdb/internal/core"
	"github.com/vecdb/vecdb/query"
	"github.com/vecdb/vecdb/train"
)

// Options of New.
type Options struct {
	// Key is the API key; empty sends none.
	Key string
	// Transport carries the requests; nil is a plain HTTP transport.
	Transport http.RoundTripper
	// Timeout bounds one request with its answer; 0 is no bound but the
	// context's.
	Timeout time.Duration
}

// Client talks to one server. It is safe for concurrent use.
type Client struct {
	base *url.URL
	key  string
	http *http.Client
}

// New returns a client of the server at base, for instance
// http://127.0.0.1:8080.
func New(base string, o Options) (*Client, error) {
	u, err := url.Parse(base)
	if err != nil || (u.Scheme != "http" && u.Scheme != "https") || u.Host == "" {
		return nil, core.Invalid("", "for instance http://127.0.0.1:8080", "%.200q is no address of a server", base)
	}
	u.Path = strings.TrimSuffix(u.Path, "/")
	return &Client{base: u, key: o.Key, http: &http.Client{Transport: o.Transport, Timeout: o.Timeout}}, nil
}

// Error is an error answer of the server. It matches the sentinel of vecdb
// that its code stands for.
type Error struct {
	Problem Problem
}

// Error returns the detail with the places and hints.
func (e *Error) Error() string {
	var b strings.Builder
	b.WriteString(e.Problem.Detail)
	for _, f := range e.Problem.Errors {
		if f.Detail != "" && f.Detail != e.Problem.Detail {
			fmt.Fprintf(&b, "; %s: %s", f.Pointer, f.Detail)
		}
		if f.Hint != "" {
			fmt.Fprintf(&b, " (%s)", f.Hint)
		}
	}
	return b.String()
}

// Is matches the sentinel that the code stands for.
func (e *Error) Is(target error) bool {
	sentinel, known := codes[e.Problem.Code]
	return known && errors.Is(sentinel, target) || target == core.ErrInvalid && e.Problem.Status == http.StatusBadRequest
}

// codes maps codes of problems to sentinels.
var codes = map[string]error{
	CodeNotFound: core.ErrNotFound, CodeCollectionNotFound: core.ErrNotFound, CodeExists: core.ErrExists,
	CodeInvalid: core.ErrInvalid, CodeDimension: core.ErrDimension, CodeTooLarge: core.ErrTooLarge,
	CodeFull: core.ErrFull, CodeMemory: core.ErrMemory, CodeReadOnly: core.ErrReadOnly, CodeClosed: core.ErrClosed,
	CodePending: core.ErrPending, CodeNoModel: core.ErrNoModel, CodeNoRuntime: core.ErrNoRuntime, CodeCorrupt: core.ErrCorrupt,
}

// path joins segments, each escaped.
func path(segments ...string) string {
	var b strings.Builder
	for _, s := range segments {
		b.WriteByte('/')
		b.WriteString(url.PathEscape(s))
	}
	return b.String()
}

// newRequest makes a request to a path that is escaped already.
func (c *Client) newRequest(ctx context.Context, method, target string, body io.Reader) (*http.Request, error) {
	req, err := http.NewRequestWithContext(ctx, method, c.base.String()+target, body)
	if err != nil {
		return nil, err
	}
	if c.key != "" {
		req.Header.Set("Authorization", "Bearer "+c.key)
	}
	return req, nil
}

// send sends a request and turns error answers into *Error. The caller closes
// the body.
func (c *Client) send(req *http.Request) (*http.Response, error) {
	resp, err := c.http.Do(req)
	if err != nil {
		if ctxErr := req.Context().Err(); ctxErr != nil {
			return nil, ctxErr
		}
		return nil, fmt.Errorf("no answer from %s: %w (start a server with: vecdb serve)", c.base, errors.Unwrap(err))
	}
	if resp.StatusCode < 400 {
		return resp, nil
	}
	defer resp.Body.Close()
	raw, _ := io.ReadAll(io.LimitReader(resp.Body, 1<<20)) // what arrived is told
	e := &Error{}
	if json.Unmarshal(raw, &e.Problem) != nil || e.Problem.Code == "" {
		e.Problem = Problem{Status: resp.StatusCode, Code: "http", Detail: fmt.Sprintf("%s answered %s: %.200s", c.base, resp.Status, raw)}
	}
	return nil, e
}

// call sends in as JSON, when not nil, and decodes the answer into out, when
// not nil. It returns the status.
func (c *Client) call(ctx context.Context, method, target string, in, out any) (int, error) {
	return c.prefer(ctx, "", method, target, in, out)
}

// prefer is call with a preference (RFC 7240), "" for none.
func (c *Client) prefer(ctx context.Context, preference, method, target string, in, out any) (int, error) {
	var body io.Reader
	if in != nil {
		data, err := json.Marshal(in)
		if err != nil {
			return 0, err
		}
		body = bytes.NewReader(data)
	}
	req, err := c.newRequest(ctx, method, target, body)
	if err != nil {
		return 0, err
	}
	if in != nil {
		req.Header.Set("Content-Type", "application/json")
	}
	if preference != "" {
		req.Header.Set("Prefer", preference)
	}
	resp, err := c.send(req)
	if err != nil {
		return 0, err
	}
	defer resp.Body.Close()
	if out == nil {
		return resp.StatusCode, nil
	}
	if err := json.NewDecoder(resp.Body).Decode(out); err != nil {
		return resp.StatusCode, fmt.Errorf("answer of %s %s: %w", method, target, err)
	}
	return resp.StatusCode, nil
}

// CreateCollection makes a collection, or returns the one of that name when its
// settings agree; created tells which.
func (c *Client) CreateCollection(ctx context.Context, name string, o CreateCollection) (out Collection, created bool, err error) {
	status, err := c.call(ctx, http.MethodPut, path("v1", "collections", name), o, &out)
	return out, status == http.StatusCreated, err
}

// Collection describes a collection.
func (c *Client) Collection(ctx context.Context, name string) (out Collection, err error) {
	_, err = c.call(ctx, http.MethodGet, path("v1", "collections", name), nil, &out)
	return out, err
}

// Collections describes all collections.
func (c *Client) Collections(ctx context.Context) ([]Collection, error) {
	var out Collections
	_, err := c.call(ctx, http.MethodGet, path("v1", "collections"), nil, &out)
	return out.Collections, err
}

// DropCollection deletes a collection with all that is in it.
func (c *Client) DropCollection(ctx context.Context, name string) error {
	_, err := c.call(ctx, http.MethodDelete, path("v1", "collections", name), nil, nil)
	return err
}

// Add stores documents. wait is durable, indexed, trained or "".
func (c *Client) Add(ctx context.Context, collection string, docs []core.Document, wait string) (AddResult, error) {
	return c.AddWith(ctx, collection, docs, AddOptions{Wait: wait})
}

// AddOptions tell how documents are stored. Policies that are not given are those
// of the collection.
type AddOptions struct {
	Wait       string // durable, indexed, trained or ""
	Duplicates *core.Duplicates
	Long       string // chunk, truncate, error or ""
}

// AddWith is Add with options.
func (c *Client) AddWith(ctx context.Context, collection string, docs []core.Document, o AddOptions) (out AddResult, err error) {
	q := url.Values{}
	if o.Wait != "" {
		q.Set("wait", o.Wait)
	}
	if o.Long != "" {
		q.Set("long", o.Long)
	}
	if d := o.Duplicates; d != nil {
		q.Set("duplicates", d.Policy)
		q.Set("duplicate_threshold", strconv.FormatFloat(float64(d.Threshold), 'g', -1, 32))
	}
	_, err = c.call(ctx, http.MethodPost, path("v1", "collections", collection, "documents")+"?"+q.Encode(),
		map[string]any{"documents": docs}, &out)
	return out, err
}

// Passages tells into what a document was cut.
func (c *Client) Passages(ctx context.Context, collection, id string) (out Passages, err error) {
	_, err = c.call(ctx, http.MethodGet, path("v1", "collections", collection, "documents", id, "passages"), nil, &out)
	return out, err
}

func waitQuery(wait string) string {
	if wait == "" {
		return ""
	}
	return "?wait=" + url.QueryEscape(wait)
}

// AddStream stores the documents of an NDJSON stream and calls fn for each
// result as it arrives. It ends early with fn's error.
func (c *Client) AddStream(ctx context.Context, collection string, lines io.Reader, wait string, fn func(ItemResult) error) error {
	req, err := c.newRequest(ctx, http.MethodPost, path("v1", "collections", collection, "documents")+waitQuery(wait), lines)
	if err != nil {
		return err
	}
	req.Header.Set("Content-Type", "application/x-ndjson")
	resp, err := c.send(req)
	if err != nil {
		return err
	}
	defer resp.Body.Close()
	in := bufio.NewScanner(resp.Body)
	in.Buffer(nil, 1<<20)
	for in.Scan() {
		var r ItemResult
		if err := json.Unmarshal(in.Bytes(), &r); err != nil {
			return fmt.Errorf("result line: %w", err)
		}
		if err := fn(r); err != nil {
			return err
		}
	}
	return in.Err()
}

// Get returns a document with its vector.
func (c *Client) Get(ctx context.Context, collection, id string) (*core.Document, error) {
	out := new(core.Document)
	_, err := c.call(ctx, http.MethodGet, path("v1", "collections", collection, "documents", id), nil, out)
	return out, err
}

// List returns one page of documents in the order of their ids.
func (c *Client) List(ctx context.Context, collection, cursor string, limit int) (out DocumentPage, err error) {
	q := url.Values{"limit": {strconv.Itoa(limit)}}
	if cursor != "" {
		q.Set("cursor", cursor)
	}
	_, err = c.call(ctx, http.MethodGet, path("v1", "collections", collection, "documents")+"?"+q.Encode(), nil, &out)
	return out, err
}

// ListBy returns one page of the documents that satisfy a filter in the order
// of their fields.
func (c *Client) ListBy(ctx context.Context, collection string, r query.ListRequest) (out query.ListResponse, err error) {
	_, err = c.call(ctx, http.MethodPost, path("v1", "collections", collection, "documents", "list"), r, &out)
	return out, err
}

// Delete deletes documents by id and returns how many there were.
func (c *Client) Delete(ctx context.Context, collection string, ids []string) (int, error) {
	return c.delete(ctx, collection, DeleteRequest{IDs: ids})
}

// DeleteWhere deletes the documents that satisfy f and returns how many there
// were.
func (c *Client) DeleteWhere(ctx context.Context, collection string, f *query.Filter) (int, error) {
	return c.delete(ctx, collection, DeleteRequest{Filter: f})
}

func (c *Client) delete(ctx context.Context, collection string, r DeleteRequest) (int, error) {
	var out DeleteResult
	_, err := c.call(ctx, http.MethodPost, path("v1", "collections", collection, "documents", "delete")+"?wait=indexed", r, &out)
	return out.Deleted, err
}

// Search searches a collection.
func (c *Client) Search(ctx context.Context, collection string, r query.Request) (out query.Response, err error) {
	_, err = c.call(ctx, http.MethodPost, path("v1", "collections", collection, "search"), r, &out)
	return out, err
}

// Recommend recommends documents of a collection.
func (c *Client) Recommend(ctx context.Context, collection string, r query.Request) (out query.Response, err error) {
	_, err = c.call(ctx, http.MethodPost, path("v1", "collections", collection, "recommend"), r, &out)
	return out, err
}

// Classify classifies texts by a collection.
func (c *Client) Classify(ctx context.Context, collection string, r query.ClassifyRequest) (out query.ClassifyResponse, err error) {
	_, err = c.call(ctx, http.MethodPost, path("v1", "collections", collection, "classify"), r, &out)
	return out, err
}

// Count counts documents of a collection.
func (c *Client) Count(ctx context.Context, collection string, r query.CountRequest) (out query.CountResponse, err error) {
	_, err = c.call(ctx, http.MethodPost, path("v1", "collections", collection, "count"), r, &out)
	return out, err
}

// Facet counts the documents of each value of a field of a collection.
func (c *Client) Facet(ctx context.Context, collection string, r query.FacetRequest) (out query.FacetResponse, err error) {
	_, err = c.call(ctx, http.MethodPost, path("v1", "collections", collection, "facet"), r, &out)
	return out, err
}

// Train learns the labels of a field and returns when that is done.
func (c *Client) Train(ctx context.Context, collection string, r TrainRequest) (out Head, err error) {
	_, err = c.call(ctx, http.MethodPost, path("v1", "collections", collection, "train"), r, &out)
	return out, err
}

// Evaluate tells how well the labels of a field are found.
func (c *Client) Evaluate(ctx context.Context, collection string, r EvaluateRequest) (out train.Report, err error) {
	_, err = c.call(ctx, http.MethodPost, path("v1", "collections", collection, "evaluate"), r, &out)
	return out, err
}

// Stats returns the figures of a collection.
func (c *Client) Stats(ctx context.Context, collection string) (out Stats, err error) {
	_, err = c.call(ctx, http.MethodGet, path("v1", "collections", collection, "stats"), nil, &out)
	return out, err
}

// Embeddings embeds texts.
func (c *Client) Embeddings(ctx context.Context, r EmbeddingRequest) (out EmbeddingResponse, err error) {
	_, err = c.call(ctx, http.MethodPost, "/v1/embeddings", r, &out)
	return out, err
}

// Models lists the models that the server knows.
func (c *Client) Models(ctx context.Context) ([]Model, error) {
	var out Models
	_, err := c.call(ctx, http.MethodGet, "/v1/models", nil, &out)
	return out.Data, err
}

// Version describes the server.
func (c *Client) Version(ctx context.Context) (out Version, err error) {
	_, err = c.call(ctx, http.MethodGet, "/version", nil, &out)
	return out, err
}
