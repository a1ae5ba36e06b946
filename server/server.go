// Package server is the REST interface of vecdb over HTTP. The table in
// routes.go names every route; each resource has a file of its own.
package server

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"sync"
	"time"

	"github.com/gin-gonic/gin"
	"golang.org/x/sync/semaphore"

	"github.com/vecdb/vecdb"
	"github.com/vecdb/vecdb/internal/core"
)

// Limits of what a request may be. A request over them is refused with 413.
const (
	maxQueryBytes    = 4 << 20  // bodies of queries and settings
	maxDocumentBytes = 64 << 20 // JSON bodies with documents
	maxLineBytes     = 20 << 20 // one line of NDJSON; the stream has no bound
	maxDocuments     = 10_000   // documents of one JSON body
	maxInputs        = 2_048    // texts of one embedding request
	maxHeaderBytes   = 64 << 10
)

// Options of New.
type Options struct {
	// Keys are the API keys that open the door; without one, requests from
	// this machine need none and others are not listened to.
	Keys []string
	// Insecure serves other machines without a key.
	Insecure bool
	// Imports is how many imports run at once; more wait for a moment and are
	// then told to come back. Default: 8.
	Imports int
	// Queries is the same for queries. Default: 256.
	Queries int
	// BodyBytes bounds what the JSON bodies over 1 MiB that are read and answered at
	// once take together; more wait for a moment and are then told to come back.
	// Default: 256 MiB.
	BodyBytes int64
	// ShutdownGrace is how long requests under way may take when the server stops.
	// Default: 10 seconds.
	ShutdownGrace time.Duration
	// Logger gets one line a failed request; nil discards it. No text or key
	// is ever logged.
	Logger *slog.Logger
}

// Server answers requests over one DB, which it does not own.
type Server struct {
	db      *vecdb.DB
	opts    Options
	door    door
	lanes   lanes
	bodies  *semaphore.Weighted // of opts.BodyBytes
	spare   sync.Pool           // of *[]byte for bodies over smallBody
	metrics *metrics
	tasks   tasks
	handler http.Handler
}

// New returns a server over db. Close it after use.
func New(db *vecdb.DB, o Options) *Server {
	if o.Imports == 0 {
		o.Imports = 8
	}
	if o.Queries == 0 {
		o.Queries = 256
	}
	if o.BodyBytes == 0 {
		o.BodyBytes = 256 << 20
	}
	if o.ShutdownGrace == 0 {
		o.ShutdownGrace = 10 * time.Second
	}
	if o.Logger == nil {
		o.Logger = slog.New(slog.DiscardHandler)
	}
	s := &Server{db: db, opts: o, door: newDoor(o.Keys, o.Insecure), lanes: newLanes(o), bodies: semaphore.NewWeighted(o.BodyBytes), metrics: newMetrics(db), tasks: tasks{logger: o.Logger}}
	s.handler = s.engine()
	return s
}

// Close cancels the tasks that run and waits for their end. Requests are answered
// further on, but none starts a task.
func (s *Server) Close() {
	s.tasks.stop()
	s.tasks.running.Wait()
}

// Handler returns the handler of all routes.
func (s *Server) Handler() http.Handler { return s.handler }

// Listen opens addr, for instance 127.0.0.1:8080. Without a key it refuses
// addresses that other machines can reach, unless the server is insecure.
func (s *Server) Listen(addr string) (net.Listener, error) {
	host, _, err := net.SplitHostPort(addr)
	if err != nil {
		return nil, core.Invalid("", "for instance 127.0.0.1:8080", "%.100q is no address to listen on", addr)
	}
	if !s.door.locked() && !s.opts.Insecure && !isLoopback(host) {
		return nil, core.Invalid("", "set an API key (VECDB_API_KEY or --api-key-file), listen on 127.0.0.1, or say --insecure",
			"%s can be reached from other machines and there is no API key", addr)
	}
	l, err := net.Listen("tcp", addr)
	if err != nil {
		return nil, fmt.Errorf("listen on %s: %w", addr, err)
	}
	return l, nil
}

// Serve answers requests from l until ctx ends, then cancels tasks, lets requests
// under way finish for a while and closes the server.
func (s *Server) Serve(ctx context.Context, l net.Listener) error {
	defer s.Close()
	base, cancel := context.WithCancel(context.WithoutCancel(ctx))
	defer cancel()
	h := &http.Server{
		Handler: s.handler, ReadHeaderTimeout: 10 * time.Second, IdleTimeout: 2 * time.Minute, MaxHeaderBytes: maxHeaderBytes,
		BaseContext: func(net.Listener) context.Context { return base },
		ErrorLog:    slog.NewLogLogger(s.opts.Logger.Handler(), slog.LevelWarn),
	}
	failed := make(chan error, 1)
	go func() { failed <- h.Serve(l) }()
	select {
	case err := <-failed:
		return err
	case <-ctx.Done():
	}
	s.tasks.stop()
	grace, stop := context.WithTimeout(base, s.opts.ShutdownGrace)
	defer stop()
	err := h.Shutdown(grace)
	if errors.Is(err, context.DeadlineExceeded) {
		cancel() // ends what still runs
		err = h.Close()
	}
	if end := <-failed; !errors.Is(end, http.ErrServerClosed) {
		err = errors.Join(err, end)
	}
	return err
}

// engine makes gin's router from the table of routes.
func (s *Server) engine() http.Handler {
	gin.SetMode(gin.ReleaseMode)
	g := gin.New()
	g.UseRawPath, g.UnescapePathValues = true, true // ids may hold escaped slashes
	g.RedirectTrailingSlash = false
	g.HandleMethodNotAllowed = true
	g.Use(s.observe, s.recover)
	g.NoRoute(s.enter(route{scope: open}), s.noRoute)
	g.NoMethod(s.enter(route{scope: open}), s.noMethod)
	for _, r := range s.routes() {
		g.Handle(r.method, r.path, s.enter(r), r.handle)
	}
	return g
}
