package server

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"iter"
	"net/http"
	"time"

	"github.com/gin-gonic/gin"

	"github.com/vecdb/vecdb/internal/core"
)

const (
	// smallBody is how much of a body is read without asking; what is longer counts
	// against Options.BodyBytes until its request is answered.
	smallBody = 1 << 20
	// maxDrained is how much of a body that is not wanted is read for nothing,
	// drainPause how long its client may be silent meanwhile, and drainLongest how
	// long that may take in all.
	maxDrained   = 256 << 20
	drainPause   = time.Second
	drainLongest = 30 * time.Second
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
// when there are not so many. A request that holds some already does not wait for
// what it holds itself.
func (s *Server) hold(c *gin.Context, n int64) error {
	held := c.GetInt64(heldBytes)
	n = min(n, s.opts.BodyBytes-held)
	ctx, cancel := context.WithTimeout(c.Request.Context(), laneWait)
	defer cancel()
	if s.bodies.Acquire(ctx, n) != nil {
		c.Header("Retry-After", "1")
		return fmt.Errorf("%w: try again in a moment", errBusy)
	}
	c.Set(heldBytes, held+n)
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
	if c.GetHeader("Content-Encoding") == packed {
		return s.readPacked(c, limit)
	}
	r, err := body(c)
	if err != nil {
		return nil, err
	}
	return s.readAll(c, r, c.Request.ContentLength, limit)
}

// readPacked reads a body in gzip. It is inflated once to see how long it gets, and
// only then kept.
func (s *Server) readPacked(c *gin.Context, limit int64) ([]byte, error) {
	data, err := s.readAll(c, c.Request.Body, c.Request.ContentLength, limit)
	if err != nil {
		return nil, err
	}
	z, err := inflated(bytes.NewReader(data))
	if err != nil {
		return nil, err
	}
	size, err := io.CopyN(io.Discard, z, limit+1)
	if err != nil && !errors.Is(err, io.EOF) {
		return nil, unreadable(err)
	}
	if z, err = inflated(bytes.NewReader(data)); err != nil {
		return nil, err
	}
	return s.readAll(c, z, size, limit)
}

// readAll reads all of r, of which it is known how many bytes it has unless that is
// negative.
func (s *Server) readAll(c *gin.Context, r io.Reader, known, limit int64) ([]byte, error) {
	if known > limit {
		return nil, tooLong(limit)
	}
	data := make([]byte, 0, min(max(known+1, 512), smallBody))
	for {
		if len(data) == cap(data) {
			more, err := s.grown(c, data, known, limit)
			if err != nil {
				return nil, err
			}
			data = more
		}
		n, err := r.Read(data[len(data):cap(data)])
		data = data[:len(data)+n]
		switch {
		case int64(len(data)) > limit:
			return nil, tooLong(limit)
		case errors.Is(err, io.EOF):
			return data, nil
		case err != nil:
			return nil, unreadable(err)
		}
	}
}

func unreadable(err error) error {
	return core.Invalid("", "", "the body cannot be read: %v", err)
}

// grown returns data with more room. Up to smallBody it grows with what has come,
// whatever is told of the length. Then it gets all the room that it can need, which it
// holds: what nothing is written to takes no memory, while growing further would take
// that of what has come twice.
func (s *Server) grown(c *gin.Context, data []byte, known, limit int64) ([]byte, error) {
	most := limit + 1
	if known >= 0 {
		most = known + 1
	}
	if cap(data) < smallBody {
		return append(make([]byte, 0, min(4*int64(cap(data)), most, smallBody)), data...), nil
	}
	if err := s.hold(c, most); err != nil {
		return nil, err
	}
	all, there := s.spare.Get().(*[]byte)
	if !there || int64(cap(*all)) < most {
		fresh := make([]byte, 0, most)
		all = &fresh
	}
	c.Set(heldBody, all)
	return append((*all)[:0], data...), nil
}

// tooLong tells that a body is.
func tooLong(limit int64) error {
	return &core.InputError{Cause: core.ErrTooLarge, Detail: fmt.Sprintf("the body has more than %d bytes", limit), Hint: "send several requests"}
}

// drain reads what is left of a body for nothing, within bounds, so that the client
// is there for the answer: one that sends while its connection is closed gets a reset
// instead. In this process there is no connection.
func drain(c *gin.Context) {
	conn := http.NewResponseController(c.Writer)
	buf, begun := make([]byte, 64<<10), time.Now()
	for left := maxDrained; left > 0 && time.Since(begun) < drainLongest; {
		if conn.SetReadDeadline(time.Now().Add(drainPause)) != nil {
			return
		}
		n, err := c.Request.Body.Read(buf)
		if err != nil {
			break
		}
		left -= n
	}
	_ = conn.SetReadDeadline(time.Time{}) // which works, as it did before
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
