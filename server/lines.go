package server

import (
	"bufio"
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"sync"
	"time"

	"github.com/gin-gonic/gin"

	"github.com/vecdb/vecdb"
	"github.com/vecdb/vecdb/client"
	"github.com/vecdb/vecdb/internal/core"
)

// lineBatch is how many lines are stored together at most; fewer when no more
// have arrived.
const lineBatch = 512

// aheadBytes is how many bytes of lines are read while others are stored, and one
// line more.
const aheadBytes = 4 << 20

// addLines takes NDJSON: for each line with a document it writes one line with
// the result, as soon as it is stored. A broken line gets an error and does not
// stop the others.
func (s *Server) addLines(c *gin.Context, col *vecdb.Collection, how vecdb.UpsertOptions) {
	r, err := body(c)
	if err != nil {
		s.fail(c, err)
		return
	}
	// Results are written while lines are still read. HTTP/2 and in-process
	// connections do that anyway and do not know the call.
	if err := http.NewResponseController(c.Writer).EnableFullDuplex(); err != nil && !errors.Is(err, http.ErrNotSupported) {
		s.fail(c, err)
		return
	}
	c.Header("Content-Type", ndjson)
	c.Status(http.StatusOK)
	in := readAhead(&lineReader{r: bufio.NewReaderSize(r, 64<<10)})
	number, err := s.addAhead(c, col, how, in)
	if err != nil {
		s.endLines(c, number, err)
	}
	in.stop(func() { unblock(c) })
	if err != nil {
		drain(c)
	}
}

// addAhead stores all lines that are read. The error is what ends that before their
// end, at the line of that number.
func (s *Server) addAhead(c *gin.Context, col *vecdb.Collection, how vecdb.UpsertOptions, in *ahead) (number int, err error) {
	for {
		batch, numbers, readErr := in.take()
		if len(numbers) > 0 {
			if err := s.storeLines(c, col, how, batch, numbers); err != nil {
				return numbers[0], err
			}
		}
		if errors.Is(readErr, io.EOF) {
			return 0, nil
		}
		if readErr != nil {
			return in.from.number + 1, readErr
		}
	}
}

// unblock ends the reading of a body that may be waiting for more of it, unless more
// comes.
func unblock(c *gin.Context) {
	if http.NewResponseController(c.Writer).SetReadDeadline(time.Now().Add(drainPause)) != nil {
		_ = c.Request.Body.Close() // in this process, where that ends a reading
	}
}

// storeLines stores a batch of lines and writes their results.
func (s *Server) storeLines(c *gin.Context, col *vecdb.Collection, how vecdb.UpsertOptions, lines [][]byte, numbers []int) error {
	in := newIntake(len(lines))
	for i, line := range lines {
		if err := checkJSON(line); err != nil {
			in.results[i] = client.ItemResult{Status: client.StatusError, Error: itemError(err)}
			continue
		}
		in.add(i, line)
	}
	results, err := s.upsert(c, col, in, how)
	if err != nil {
		return err
	}
	for i := range results {
		results[i].Line = numbers[i]
		if err := writeLine(c, results[i]); err != nil {
			return err
		}
	}
	return flush(c.Writer)
}

// endLines writes a last line that says why the stream ends before its end.
// The status was sent long ago, so the line is all that can tell.
func (s *Server) endLines(c *gin.Context, number int, err error) {
	s.opts.Logger.Warn("import ended early", "collection", c.Param("collection"), "line", number, "error", err)
	_ = writeLine(c, client.ItemResult{Line: number, Status: client.StatusError, Error: itemError(err)}) // the client may be gone
	_ = flush(c.Writer)
}

func writeLine(c *gin.Context, r client.ItemResult) error {
	line, err := json.Marshal(r)
	if err != nil {
		return err
	}
	_, err = c.Writer.Write(append(line, '\n'))
	return err
}

// ahead reads lines while those before are stored, up to a batch of them.
type ahead struct {
	from    *lineReader
	running sync.WaitGroup

	mu      sync.Mutex // guards the rest
	changed sync.Cond
	lines   [][]byte
	numbers []int
	bytes   int // of the lines
	err     error
	stopped bool
}

func readAhead(from *lineReader) *ahead {
	a := &ahead{from: from}
	a.changed.L = &a.mu
	a.running.Go(a.read)
	return a
}

// read reads until an error, the end among them, or until nobody wants more.
func (a *ahead) read() {
	for {
		lines, numbers, err := a.from.batch()
		a.mu.Lock()
		a.lines, a.numbers, a.err = append(a.lines, lines...), append(a.numbers, numbers...), err
		for _, line := range lines {
			a.bytes += len(line)
		}
		a.changed.Broadcast()
		for !a.stopped && err == nil && (len(a.lines) >= lineBatch || a.bytes >= aheadBytes) {
			a.changed.Wait()
		}
		over := a.stopped || err != nil
		a.mu.Unlock()
		if over {
			return
		}
	}
}

// take waits for a line and takes all that were read. The error is that of the
// reading behind them.
func (a *ahead) take() (lines [][]byte, numbers []int, err error) {
	a.mu.Lock()
	defer a.mu.Unlock()
	for len(a.lines) == 0 && a.err == nil {
		a.changed.Wait()
	}
	lines, numbers, err = a.lines, a.numbers, a.err
	a.lines, a.numbers, a.bytes = nil, nil, 0
	a.changed.Broadcast()
	return lines, numbers, err
}

// stop ends the reading, which unblock frees from waiting for the body.
func (a *ahead) stop(unblock func()) {
	a.mu.Lock()
	a.stopped = true
	a.changed.Broadcast()
	over := a.err != nil
	a.mu.Unlock()
	if !over {
		unblock()
	}
	a.running.Wait()
}

// lineReader reads the lines of a stream in batches.
type lineReader struct {
	r      *bufio.Reader
	number int // of the line read last, from 1
}

// batch waits for one line and takes what has arrived behind it. Blank lines
// are counted and passed over.
func (l *lineReader) batch() (lines [][]byte, numbers []int, err error) {
	for len(lines) < lineBatch {
		if len(lines) > 0 && !l.another() {
			return lines, numbers, nil
		}
		line, err := l.line()
		if len(bytes.TrimSpace(line)) > 0 {
			lines, numbers = append(lines, line), append(numbers, l.number)
		}
		if err != nil {
			return lines, numbers, err
		}
	}
	return lines, numbers, nil
}

// another tells whether a whole line is in the buffer.
func (l *lineReader) another() bool {
	buffered, err := l.r.Peek(l.r.Buffered())
	return err == nil && bytes.IndexByte(buffered, '\n') >= 0
}

// line reads a line without its end. The error is io.EOF with or behind the
// last one.
func (l *lineReader) line() ([]byte, error) {
	var line []byte
	for {
		part, err := l.r.ReadSlice('\n')
		line = append(line, part...)
		if len(line) > maxLineBytes {
			return nil, &core.InputError{Cause: core.ErrTooLarge, Hint: "cut the document into several",
				Detail: fmt.Sprintf("line %d has more than %d bytes", l.number+1, maxLineBytes)}
		}
		if errors.Is(err, bufio.ErrBufferFull) {
			continue
		}
		if err == nil || len(line) > 0 {
			l.number++
		}
		return bytes.TrimSuffix(line, []byte("\n")), err
	}
}
