package server

import (
	"bytes"
	"cmp"
	"compress/gzip"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"mime"
	"net/http"
	"strings"
	"unicode/utf8"

	"github.com/gin-gonic/gin"

	"github.com/vecdb/vecdb/internal/core"
)

// maxDepth is how deep JSON may be nested.
const maxDepth = 64

// packed is the one Content-Encoding that is known.
const packed = "gzip"

// body returns the request's body, inflated when it is compressed.
func body(c *gin.Context) (io.Reader, error) {
	switch enc := c.GetHeader("Content-Encoding"); enc {
	case "", "identity":
		return c.Request.Body, nil
	case packed:
		return inflated(c.Request.Body)
	default:
		return nil, fmt.Errorf("%w: Content-Encoding %.40q (use gzip or none)", errMedia, enc)
	}
}

// inflated returns what r holds packed.
func inflated(r io.Reader) (io.Reader, error) {
	z, err := gzip.NewReader(r)
	if err != nil {
		return nil, core.Invalid("", "", "the body is not gzip, as its header says")
	}
	return z, nil
}

// wants returns an error unless the body's type is one of the given ones. A
// body without a type is taken for the first.
func wants(c *gin.Context, types ...string) (string, error) {
	header := c.GetHeader("Content-Type")
	if header == "" {
		return types[0], nil
	}
	kind, _, err := mime.ParseMediaType(header)
	for _, t := range types {
		if err == nil && kind == t {
			return t, nil
		}
	}
	return "", fmt.Errorf("%w: Content-Type %.60q (use %s)", errMedia, header, strings.Join(types, " or "))
}

// readJSON reads a JSON body of at most limit bytes and checks what
// encoding/json would pass over in silence.
func (s *Server) readJSON(c *gin.Context, limit int64) ([]byte, error) {
	if _, err := wants(c, "application/json"); err != nil {
		return nil, err
	}
	data, err := s.readBody(c, limit)
	if err != nil {
		return nil, err
	}
	return data, checkJSON(data)
}

// checkJSON refuses empty bodies, bytes that are not UTF-8 (which
// encoding/json replaces), and deep nesting.
func checkJSON(data []byte) error {
	if len(bytes.TrimSpace(data)) == 0 {
		return core.Invalid("", "send a JSON object", "the body is empty")
	}
	if !utf8.Valid(data) {
		at := 0
		for rest := data; ; {
			r, n := utf8.DecodeRune(rest)
			if r == utf8.RuneError && n <= 1 {
				break
			}
			at, rest = at+n, rest[n:]
		}
		return core.Invalid("", "send UTF-8", "the body is not valid UTF-8 at byte %d", at)
	}
	depth := 0
	for i, b := range core.Structure(data) {
		switch b {
		case '{', '[':
			if depth++; depth > maxDepth {
				return core.Invalid("", "flatten it", "the JSON is nested more than %d levels deep at byte %d", maxDepth, i)
			}
		case '}', ']':
			depth--
		}
	}
	return nil
}

// decode reads a JSON body into v, and refuses members that v does not have
// and whatever stands behind the value.
func (s *Server) decode(c *gin.Context, limit int64, v any) error {
	data, err := s.readText(c, limit)
	if err != nil {
		return err
	}
	return unmarshal(data, v)
}

// readText is readJSON of a body that is taken as a whole, of which the number of
// values is bounded and every string has to be a text.
func (s *Server) readText(c *gin.Context, limit int64) ([]byte, error) {
	data, err := s.readJSON(c, limit)
	if err != nil {
		return nil, err
	}
	return data, cmp.Or(checkValues(data), core.CheckSurrogates(data))
}

func unmarshal(data []byte, v any) error {
	dec := json.NewDecoder(bytes.NewReader(data))
	dec.DisallowUnknownFields()
	if err := dec.Decode(v); err != nil {
		return jsonError(err)
	}
	if _, err := dec.Token(); !errors.Is(err, io.EOF) {
		return core.Invalid("", "send one JSON value", "something stands behind the JSON value at byte %d", dec.InputOffset())
	}
	return nil
}

// jsonError puts an error of encoding/json in words for a client.
func jsonError(err error) error {
	var in *core.InputError
	var kind *json.UnmarshalTypeError
	var syntax *json.SyntaxError
	switch {
	case err == nil:
		return nil
	case errors.As(err, &in):
		return in
	case errors.As(err, &kind):
		return core.Invalid("/"+strings.ReplaceAll(kind.Field, ".", "/"), "", "a %s cannot stand here", kind.Value)
	case errors.As(err, &syntax):
		return core.Invalid("", "", "the body is not JSON at byte %d: %v", syntax.Offset, err)
	case errors.Is(err, io.ErrUnexpectedEOF):
		return core.Invalid("", "", "the JSON is cut short")
	}
	if name, pointer, unknown := core.UnknownMember(err); unknown {
		return core.Invalid(pointer, "see docs/http-api.md", "there is no member %s", name)
	}
	return core.Invalid("", "", "the body cannot be read: %v", err)
}

// reply answers with v as JSON.
func reply(c *gin.Context, status int, v any) {
	var b bytes.Buffer
	enc := json.NewEncoder(&b)
	enc.SetEscapeHTML(false)
	if err := enc.Encode(v); err != nil {
		writeProblem(c, problemOf(fmt.Errorf("write the answer: %w", err)))
		return
	}
	c.Data(status, "application/json; charset=utf-8", b.Bytes())
}

// flush sends what is written so far.
func flush(w http.ResponseWriter) error { return http.NewResponseController(w).Flush() }
