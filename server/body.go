package server

import (
	"context"
	"errors"
	"fmt"
	"io"
	"iter"

	"github.com/gin-gonic/gin"

	"github.com/vecdb/vecdb/internal/core"
)

const (
	// smallBody is how much of a body is read without asking; what is longer counts
	// against Options.BodyBytes until its request is answered.
	smallBody = 1 << 20
	// maxDrained is how much of a body that is too long is read for nothing, so that
	// the client is there for the answer.
	maxDrained = 256 << 20
	// maxValues is how many values the JSON of one query or document may have; each
	// takes many times the two bytes that it can be written in.
	maxValues = 1_000_000
)

// errBusy tells that there was no room for a body for a while.
var errBusy = errors.New("too many large requests at once")

// The keys under which gin's context keeps what a request holds of
// Options.BodyBytes, and the memory of its body where that is of use to another.
const (
	heldBytes = "held bytes"
	heldBody  = "held body"
)

// hold takes n bytes of what all bodies may take together, and waits for a while
// when there are not so many.
func (s *Server) hold(c *gin.Context, n int64) error {
	n = min(n, s.opts.BodyBytes)
	ctx, cancel := context.WithTimeout(c.Request.Context(), laneWait)
	defer cancel()
	if s.bodies.Acquire(ctx, n) != nil {
		c.Header("Retry-After", "1")
		return fmt.Errorf("%w: try again in a moment", errBusy)
	}
	c.Set(heldBytes, c.GetInt64(heldBytes)+n)
	return nil
}

// letGo gives back what a request holds. Nothing of its body is looked at any more.
func (s *Server) letGo(c *gin.Context) {
	if data, is := c.Value(heldBody).(*[]byte); is {
		s.spare.Put(data)
	}
	if n := c.GetInt64(heldBytes); n > 0 {
		s.bodies.Release(n)
	}
}

// readBody reads a body of at most limit bytes.
func (s *Server) readBody(c *gin.Context, limit int64) ([]byte, error) {
	r, err := body(c, limit)
	if err != nil {
		return nil, err
	}
	known := int64(-1) // how long it is
	if c.GetHeader("Content-Encoding") == "" {
		known = c.Request.ContentLength
	}
	if known > limit {
		return nil, tooLong(c, limit)
	}
	data := make([]byte, 0, min(max(known+1, 512), smallBody))
	for {
		if len(data) == cap(data) {
			if data, err = s.grown(c, data, known, limit); err != nil {
				return nil, err
			}
		}
		n, err := r.Read(data[len(data):cap(data)])
		data = data[:len(data)+n]
		switch {
		case int64(len(data)) > limit:
			return nil, tooLong(c, limit)
		case errors.Is(err, io.EOF):
			return data, nil
		case err != nil:
			return nil, core.Invalid("", "", "the body cannot be read: %v", err)
		}
	}
}

// grown returns data with more room, and holds what it takes. Whatever is told of the
// length, it grows with what has come.
func (s *Server) grown(c *gin.Context, data []byte, known, limit int64) ([]byte, error) {
	most := limit + 1
	if known >= 0 {
		most = known + 1
	}
	size := min(4*int64(cap(data)), most)
	if cap(data) < smallBody {
		return append(make([]byte, 0, min(size, smallBody)), data...), nil
	}
	if c.GetInt64(heldBytes) == 0 {
		if err := s.hold(c, most); err != nil {
			return nil, err
		}
	}
	next, there := s.spare.Get().(*[]byte)
	if !there || int64(cap(*next)) < size {
		fresh := make([]byte, 0, size)
		next = &fresh
	}
	c.Set(heldBody, next)
	return append((*next)[:0], data...), nil
}

// tooLong refuses a body, and reads the rest of it for nothing.
func tooLong(c *gin.Context, limit int64) error {
	_, _ = io.CopyN(io.Discard, c.Request.Body, maxDrained) // whatever comes of it, the answer is the same
	return &core.InputError{Cause: core.ErrTooLarge, Detail: fmt.Sprintf("the body has more than %d bytes", limit), Hint: "send several requests"}
}

// checkValues refuses JSON with more values than are ever needed, before they are
// decoded.
func checkValues(data []byte) error {
	if separators(data, anyDepth) < maxValues {
		return nil
	}
	return &core.InputError{Cause: core.ErrTooLarge, Detail: fmt.Sprintf("the JSON has more than %d values", maxValues), Hint: "send several requests"}
}

// anyDepth stands for all depths.
const anyDepth = -1

// separators counts the commas between values of JSON.
func separators(data []byte, depth int) (n int) {
	for range commas(data, depth) {
		n++
	}
	return n
}

// commas yields the places of the commas between the values of JSON that are in so
// many arrays and objects.
func commas(data []byte, depth int) iter.Seq[int] {
	return func(yield func(int) bool) {
		now := 0
		for i, b := range core.Structure(data) {
			switch {
			case b == '{' || b == '[':
				now++
			case b == '}' || b == ']':
				now--
			case (depth == now || depth == anyDepth) && !yield(i):
				return
			}
		}
	}
}
