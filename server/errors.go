package server

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"runtime/debug"

	"github.com/gin-gonic/gin"

	"github.com/vecdb/vecdb/client"
	"github.com/vecdb/vecdb/internal/core"
)

// errCollection marks that it is the collection which was not found.
var errCollection = errors.New("no such collection")

// errMedia is for bodies of another type than the route takes.
var errMedia = errors.New("unsupported media type")

// statuses maps errors to statuses and codes; the first that matches counts.
var statuses = []struct {
	err    error
	status int
	code   string
}{
	{errCollection, http.StatusNotFound, client.CodeCollectionNotFound},
	{errBusy, http.StatusTooManyRequests, client.CodeBusy},
	{errMedia, http.StatusUnsupportedMediaType, client.CodeMediaType},
	{core.ErrNotFound, http.StatusNotFound, client.CodeNotFound},
	{core.ErrExists, http.StatusConflict, client.CodeExists},
	{core.ErrMemory, http.StatusInsufficientStorage, client.CodeMemory},
	{core.ErrTooLarge, http.StatusRequestEntityTooLarge, client.CodeTooLarge},
	{core.ErrDimension, http.StatusBadRequest, client.CodeDimension},
	{core.ErrPending, http.StatusConflict, client.CodePending},
	{core.ErrInvalid, http.StatusBadRequest, client.CodeInvalid},
	{core.ErrFull, http.StatusInsufficientStorage, client.CodeFull},
	{core.ErrReadOnly, http.StatusServiceUnavailable, client.CodeReadOnly},
	{core.ErrClosed, http.StatusServiceUnavailable, client.CodeClosed},
	{core.ErrNoModel, http.StatusServiceUnavailable, client.CodeNoModel},
	{core.ErrNoRuntime, http.StatusServiceUnavailable, client.CodeNoRuntime},
	{core.ErrCorrupt, http.StatusInternalServerError, client.CodeCorrupt},
	{context.Canceled, 499, client.CodeCancelled}, // the client went away; nobody reads this
	{context.DeadlineExceeded, http.StatusServiceUnavailable, client.CodeCancelled},
}

// classify returns the status and the code of an error. It is the one place
// where that is decided.
func classify(err error) (status int, code string) {
	for _, s := range statuses {
		if errors.Is(err, s.err) {
			return s.status, s.code
		}
	}
	return http.StatusInternalServerError, client.CodeInternal
}

// fail answers with an error.
func (s *Server) fail(c *gin.Context, err error) {
	p := problemOf(err)
	if p.Status >= http.StatusInternalServerError {
		s.opts.Logger.Error("request failed", "method", c.Request.Method, "route", c.FullPath(), "status", p.Status, "error", err)
	}
	writeProblem(c, p)
}

// problemOf describes an error to a client.
func problemOf(err error) client.Problem {
	status, code := classify(err)
	p := client.Problem{Type: "about:blank", Title: title(status), Status: status, Code: code, Detail: err.Error()}
	var in *core.InputError
	if errors.As(err, &in) {
		p.Detail = in.Detail
		p.Errors = []client.ProblemField{{Pointer: in.Pointer, Detail: in.Detail, Hint: in.Hint}}
	}
	if code == client.CodeInternal {
		p.Detail = "the server failed at this; its log says why"
	}
	return p
}

func title(status int) string {
	if t := http.StatusText(status); t != "" {
		return t
	}
	return "Client Closed Request"
}

// refuse answers with a problem that is no error of the library.
func (s *Server) refuse(c *gin.Context, status int, code, detail, hint string) {
	writeProblem(c, client.Problem{Type: "about:blank", Title: title(status), Status: status, Code: code, Detail: detail,
		Errors: []client.ProblemField{{Detail: detail, Hint: hint}}})
}

func writeProblem(c *gin.Context, p client.Problem) {
	body, err := json.Marshal(p)
	if err != nil { // a Problem always can be written
		body = []byte(`{"status":500,"code":"internal"}`)
	}
	c.Abort()
	c.Data(p.Status, "application/problem+json", body)
}

func (s *Server) noRoute(c *gin.Context) {
	s.refuse(c, http.StatusNotFound, client.CodeNoRoute, fmt.Sprintf("there is no route %s %.200s", c.Request.Method, c.Request.URL.Path), "see docs/http-api.md")
}

func (s *Server) noMethod(c *gin.Context) {
	s.refuse(c, http.StatusMethodNotAllowed, client.CodeMethod, fmt.Sprintf("%.200s does not take %s", c.Request.URL.Path, c.Request.Method), "the header Allow names the methods")
}

// recover turns a panic of a handler into an answer.
func (s *Server) recover(c *gin.Context) {
	defer func() {
		if p := recover(); p != nil {
			if err, ok := p.(error); ok && errors.Is(err, http.ErrAbortHandler) {
				panic(p)
			}
			s.opts.Logger.Error("handler panicked", "route", c.FullPath(), "panic", p, "stack", string(debug.Stack()))
			if !c.Writer.Written() {
				s.refuse(c, http.StatusInternalServerError, client.CodeInternal, "the server failed at this; its log says why", "")
			}
		}
	}()
	c.Next()
}
