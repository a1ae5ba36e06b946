package server

import (
	"context"
	"io"
	"net/http"
	"sync"
)

// InProcess returns a transport that hands requests to h without a network, so
// that a client can talk to a server in its own process. Both bodies are
// streamed. The requests carry the host localhost.
func InProcess(h http.Handler) http.RoundTripper { return inProcess{h} }

type inProcess struct{ h http.Handler }

// RoundTrip implements http.RoundTripper.
func (t inProcess) RoundTrip(req *http.Request) (*http.Response, error) {
	ctx, cancel := context.WithCancel(req.Context())
	in := req.Clone(ctx)
	in.Host = "localhost"
	in.RequestURI = in.URL.RequestURI()
	if in.Body == nil {
		in.Body = http.NoBody
	}
	r, w := io.Pipe()
	out := &pipeWriter{header: make(http.Header), pipe: w, ready: make(chan struct{})}
	done := make(chan struct{})
	go func() {
		defer close(done)
		defer out.finish()
		t.h.ServeHTTP(out, in)
		_ = in.Body.Close() // as a transport must
	}()
	select {
	case <-out.ready:
	case <-ctx.Done():
		// The handler sees the same end; its answer is not wanted any more.
		_ = r.CloseWithError(ctx.Err())
		_ = in.Body.Close() // the handler may be waiting for more of it
		<-done
		cancel()
		return nil, req.Context().Err()
	}
	return &http.Response{
		Status: http.StatusText(out.status), StatusCode: out.status, Proto: "HTTP/1.1", ProtoMajor: 1, ProtoMinor: 1,
		Header: out.sent, Body: &pipeBody{PipeReader: r, request: in.Body, cancel: cancel, done: done}, ContentLength: -1, Request: req,
	}, nil
}

// pipeBody is an answer's body; closing it ends the handler and waits for it.
type pipeBody struct {
	*io.PipeReader
	request io.Closer
	cancel  context.CancelFunc
	done    chan struct{}
}

func (b *pipeBody) Close() error {
	b.cancel()
	err := b.PipeReader.Close()
	_ = b.request.Close() // the handler may be waiting for more of it
	<-b.done
	return err
}

// pipeWriter is the handler's side.
type pipeWriter struct {
	header http.Header
	pipe   *io.PipeWriter
	once   sync.Once
	ready  chan struct{} // closed when status and sent are set
	status int
	sent   http.Header
}

func (w *pipeWriter) Header() http.Header { return w.header }

func (w *pipeWriter) WriteHeader(status int) {
	w.once.Do(func() {
		w.status, w.sent = status, w.header.Clone()
		close(w.ready)
	})
}

func (w *pipeWriter) Write(p []byte) (int, error) {
	w.WriteHeader(http.StatusOK)
	return w.pipe.Write(p)
}

// Flush sends the header; every write is sent at once anyway.
func (w *pipeWriter) Flush() { w.WriteHeader(http.StatusOK) }

func (w *pipeWriter) finish() {
	w.WriteHeader(http.StatusOK)
	_ = w.pipe.Close() // always nil
}
