package server

import (
	"bytes"
	"encoding/json"
	"fmt"
	"net/http"
	"strconv"
	"strings"

	"github.com/gin-gonic/gin"

	"github.com/vecdb/vecdb"
	"github.com/vecdb/vecdb/client"
	"github.com/vecdb/vecdb/internal/core"
)

const ndjson = "application/x-ndjson"

// addDocuments takes documents as JSON or as a stream of lines.
func (s *Server) addDocuments(c *gin.Context) {
	col := s.collection(c)
	if col == nil {
		return
	}
	how, err := upsertOptions(c)
	if err != nil {
		s.fail(c, err)
		return
	}
	kind, err := wants(c, "application/json", ndjson, "application/jsonl")
	switch {
	case err != nil:
		s.fail(c, err)
	case kind == "application/json":
		s.addJSON(c, col, how)
	default:
		s.addLines(c, col, how)
	}
}

// upsertOptions reads how documents are to be stored.
func upsertOptions(c *gin.Context) (vecdb.UpsertOptions, error) {
	wait, err := vecdb.ParseWait(c.Query("wait"))
	if err != nil {
		return vecdb.UpsertOptions{}, err
	}
	how := vecdb.UpsertOptions{Wait: wait, Long: c.Query("long")}
	policy, threshold := c.Query("duplicates"), c.Query("duplicate_threshold")
	if policy == "" && threshold == "" {
		return how, nil
	}
	d := vecdb.Duplicates{Policy: policy}
	if threshold != "" {
		f, err := strconv.ParseFloat(threshold, 32)
		if err != nil {
			return vecdb.UpsertOptions{}, core.Invalid("", "for instance ?duplicate_threshold=0.95", "the threshold %.20q is no number", threshold)
		}
		d.Threshold = float32(f)
	}
	how.Duplicates = &d
	return how, nil
}

// addJSON takes an array of documents, {"documents": […]}, or one document.
func (s *Server) addJSON(c *gin.Context, col *vecdb.Collection, how vecdb.UpsertOptions) {
	data, err := s.readJSON(c, maxDocumentBytes)
	if err != nil {
		s.fail(c, err)
		return
	}
	if n := countDocuments(data); n > maxDocuments {
		s.fail(c, &core.InputError{Cause: core.ErrTooLarge, Hint: "send several requests, or NDJSON",
			Detail: fmt.Sprintf("the body has %d documents, %d are allowed", n, maxDocuments)})
		return
	}
	raw, err := splitDocuments(data)
	if err != nil {
		s.fail(c, err)
		return
	}
	in := newIntake(len(raw))
	for i, r := range raw {
		in.add(i, r)
	}
	results, err := s.upsert(c, col, in, how)
	if err != nil {
		s.fail(c, err)
		return
	}
	out := client.AddResult{Results: results}
	for _, r := range results {
		if r.Status != client.StatusError {
			out.Accepted++
		}
	}
	reply(c, http.StatusOK, out)
}

// countDocuments tells how many documents a body seems to have, without decoding it.
func countDocuments(data []byte) int {
	data = bytes.TrimSpace(data)
	if data[0] == '[' {
		return separators(data, 1) + 1
	}
	rest := bytes.TrimSpace(bytes.TrimPrefix(data, []byte("{")))
	if rest, list := bytes.CutPrefix(rest, []byte(`"documents"`)); list {
		return separators(rest, 1) + 1
	}
	return 1
}

// elements returns the parts of data that are the elements of an array. It copies
// none, since they may be all that there is room for.
func elements(data []byte) (out []json.RawMessage, err error) {
	if !json.Valid(data) {
		return nil, jsonError(json.Unmarshal(data, &out)) // which tells where
	}
	data = bytes.TrimSpace(data)
	data = data[1 : len(data)-1]
	if len(bytes.TrimSpace(data)) == 0 {
		return nil, nil
	}
	begin := 0
	for at := range commas(data, 0) {
		out, begin = append(out, data[begin:at]), at+1
	}
	return append(out, data[begin:]), nil
}

// splitDocuments returns the documents of a body, each still as JSON.
func splitDocuments(data []byte) ([]json.RawMessage, error) {
	data = bytes.TrimSpace(data)
	if data[0] == '[' {
		return elements(data)
	}
	var one map[string]json.RawMessage
	if err := json.Unmarshal(data, &one); err != nil {
		return nil, jsonError(err)
	}
	list, wrapped := one["documents"]
	switch {
	case !wrapped:
		return []json.RawMessage{data}, nil
	case len(one) > 1 || list[0] != '[':
		return nil, core.Invalid("/documents", `use {"documents":[…]} alone`, `"documents" is an array and stands alone`)
	}
	return elements(list)
}

// intake is a batch of documents on their way in, with a result for each.
type intake struct {
	docs    []vecdb.Document
	places  []int // of the documents among the results
	results []client.ItemResult
}

func newIntake(n int) *intake { return &intake{results: make([]client.ItemResult, n)} }

// add decodes a document to the i-th place. One that is broken gets its result
// at once.
func (in *intake) add(i int, raw []byte) {
	var doc vecdb.Document
	err := checkValues(raw)
	if len(raw) > maxLineBytes {
		err = &core.InputError{Cause: core.ErrTooLarge, Hint: "cut it into several",
			Detail: fmt.Sprintf("the document has %d bytes of JSON, %d are allowed", len(raw), maxLineBytes)}
	}
	if err == nil {
		err = json.Unmarshal(raw, &doc)
	}
	if err != nil {
		in.results[i] = client.ItemResult{ID: toldID(doc.ID), Status: client.StatusError, Error: itemError(jsonError(err))}
		return
	}
	in.docs = append(in.docs, doc)
	in.places = append(in.places, i)
}

// toldID is an id as results tell it: one that is too long is cut.
func toldID(id string) string {
	if len(id) > core.MaxIDBytes {
		return strings.ToValidUTF8(id[:core.MaxIDBytes], "")
	}
	return id
}

func itemError(err error) *client.ItemError {
	p := problemOf(err)
	e := &client.ItemError{Code: p.Code, Detail: p.Detail}
	if len(p.Errors) > 0 {
		e.Pointer, e.Hint = p.Errors[0].Pointer, p.Errors[0].Hint
	}
	return e
}

// upsert stores the documents of an intake and returns all results.
func (s *Server) upsert(c *gin.Context, col *vecdb.Collection, in *intake, how vecdb.UpsertOptions) ([]client.ItemResult, error) {
	results, err := col.UpsertWith(c.Request.Context(), in.docs, how)
	if err != nil {
		return nil, err
	}
	for j, r := range results {
		out := client.ItemResult{ID: toldID(r.ID), Status: r.Status, TokensTotal: r.TokensTotal, TokensUsed: r.TokensUsed, Passages: r.Passages, DuplicateOf: r.DuplicateOf}
		if r.Err != nil {
			out.Error = itemError(r.Err)
		} else if r.Status != vecdb.StatusSkipped {
			s.metrics.ingested.Inc()
		}
		in.results[in.places[j]] = out
	}
	return in.results, nil
}

// putDocument stores one document under the id of the path.
func (s *Server) putDocument(c *gin.Context) {
	col := s.collection(c)
	if col == nil {
		return
	}
	how, err := upsertOptions(c)
	if err != nil {
		s.fail(c, err)
		return
	}
	data, err := s.readText(c, maxLineBytes)
	if err != nil {
		s.fail(c, err)
		return
	}
	var doc vecdb.Document
	if err := json.Unmarshal(data, &doc); err != nil {
		s.fail(c, jsonError(err))
		return
	}
	id := c.Param("id")
	if doc.ID != "" && doc.ID != id {
		s.fail(c, core.Invalid("/id", "leave the id out of the body", "the body has the id %.80q, the path %.80q", doc.ID, id))
		return
	}
	doc.ID = id
	results, err := s.upsert(c, col, &intake{docs: []vecdb.Document{doc}, places: []int{0}, results: make([]client.ItemResult, 1)}, how)
	if err != nil {
		s.fail(c, err)
		return
	}
	switch r := results[0]; {
	case r.Error != nil:
		e := r.Error
		writeProblem(c, client.Problem{Type: "about:blank", Title: title(http.StatusBadRequest), Status: http.StatusBadRequest, Code: e.Code,
			Detail: e.Detail, Errors: []client.ProblemField{{Pointer: e.Pointer, Detail: e.Detail, Hint: e.Hint}}})
	case r.Status == client.StatusCreated:
		reply(c, http.StatusCreated, r)
	default:
		reply(c, http.StatusOK, r)
	}
}

func (s *Server) getDocument(c *gin.Context) {
	col := s.collection(c)
	if col == nil {
		return
	}
	doc, err := col.Get(c.Request.Context(), c.Param("id"))
	if err != nil {
		s.fail(c, err)
		return
	}
	reply(c, http.StatusOK, doc)
}

// getPassages tells into what a document was cut.
func (s *Server) getPassages(c *gin.Context) {
	col := s.collection(c)
	if col == nil {
		return
	}
	x, doc, err := col.Reading(c.Request.Context(), c.Param("id"))
	if err != nil {
		s.fail(c, err)
		return
	}
	out := client.Passages{ID: doc.ID, TokensTotal: x.TokensTotal, TokensUsed: x.TokensUsed, Passages: make([]client.Passage, len(x.Passages))}
	for i, p := range x.Passages {
		out.Passages[i] = client.Passage{Start: p.Start, End: p.End, Tokens: p.Tokens, Text: doc.Text[p.Start:p.End]}
	}
	reply(c, http.StatusOK, out)
}

func (s *Server) deleteDocument(c *gin.Context) {
	col := s.collection(c)
	if col == nil {
		return
	}
	wait, err := deletionWait(c)
	if err != nil {
		s.fail(c, err)
		return
	}
	n, err := col.Delete(c.Request.Context(), []string{c.Param("id")}, wait)
	if err == nil && n == 0 {
		err = fmt.Errorf("document %.80q: %w", c.Param("id"), core.ErrNotFound)
	}
	if err != nil {
		s.fail(c, err)
		return
	}
	c.Status(http.StatusNoContent)
}

// deletionWait reads how far a deletion must have come before the answer: at least
// so far that no search returns what was deleted.
func deletionWait(c *gin.Context) (vecdb.Wait, error) {
	wait, err := vecdb.ParseWait(c.Query("wait"))
	if wait == vecdb.WaitDurable {
		wait = vecdb.WaitIndexed
	}
	return wait, err
}

// deleteDocuments deletes by ids or by filter. It waits until searches agree.
func (s *Server) deleteDocuments(c *gin.Context) {
	col := s.collection(c)
	if col == nil {
		return
	}
	var req client.DeleteRequest
	if err := s.decode(c, maxDocumentBytes, &req); err != nil {
		s.fail(c, err)
		return
	}
	if (len(req.IDs) > 0) == (req.Filter != nil) {
		s.fail(c, core.Invalid("", `for instance {"ids":["a1","b2"]}`, `exactly one of "ids" and "filter" must be given`))
		return
	}
	wait, err := deletionWait(c)
	if err != nil {
		s.fail(c, err)
		return
	}
	var n int
	if req.Filter != nil {
		n, err = col.DeleteWhere(c.Request.Context(), req.Filter, wait)
	} else {
		n, err = col.Delete(c.Request.Context(), req.IDs, wait)
	}
	if err != nil {
		s.fail(c, err)
		return
	}
	reply(c, http.StatusOK, client.DeleteResult{Deleted: n})
}

// queryLimit reads how many entries a list is to have.
func queryLimit(c *gin.Context) (int, error) {
	text := c.Query("limit")
	if text == "" {
		return 100, nil
	}
	limit, err := strconv.Atoi(text)
	if err != nil {
		return 0, core.Invalid("", "for instance ?limit=100", "the limit %.20q is no number", text)
	}
	return limit, nil
}

// listDocuments returns a page. The cursor holds the last id of the page
// before, so that pages stay in step with writes in between.
func (s *Server) listDocuments(c *gin.Context) {
	col := s.collection(c)
	if col == nil {
		return
	}
	limit, err := queryLimit(c)
	if err != nil {
		s.fail(c, err)
		return
	}
	after, err := col.ParseIDCursor(c.Query("cursor"))
	if err != nil {
		s.fail(c, err)
		return
	}
	docs, next, err := col.List(c.Request.Context(), after, limit)
	if err != nil {
		s.fail(c, err)
		return
	}
	if docs == nil {
		docs = []*core.Document{}
	}
	reply(c, http.StatusOK, client.DocumentPage{Documents: docs, Cursor: col.IDCursor(next)})
}
