package main

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"strconv"
	"sync"
	"syscall"

	"github.com/spf13/cobra"

	"github.com/vecdb/vecdb"
	"github.com/vecdb/vecdb/embedder"
	"github.com/vecdb/vecdb/server"
)

// defaultAddr is where the server listens when nothing else is said.
const defaultAddr = "127.0.0.1:8080"

// portsTried is how many ports after a taken one are tried where any will do.
const portsTried = 20

func (a *app) serveCommand() *cobra.Command {
	var addr string
	var insecure, preload bool
	cmd := &cobra.Command{
		Use:   "serve",
		Short: "Serve the REST interface over a database directory",
		Long: `Serve the REST interface. Without an API key (VECDB_API_KEY, or --api-key-file
with one key a line) the server listens on this machine's own addresses only,
unless --insecure says otherwise. An interrupt lets requests under way finish.`,
		Example: `  vecdb serve
  vecdb serve --addr 0.0.0.0:8080 --api-key-file keys.txt
  curl -s localhost:8080/v1/collections/default/search -H 'content-type: application/json' -d '{"text":"sad film"}'`,
		Args: exactly(0, ""),
		RunE: func(cmd *cobra.Command, _ []string) error {
			if a.url != "" {
				return usage("serve works on a directory (--db), not on a server")
			}
			keys, err := a.apiKeys()
			if err != nil {
				return err
			}
			db, err := a.openDir(creates)
			if err != nil {
				return err
			}
			o := server.Options{Keys: keys, Insecure: insecure, Logger: a.logger()}
			return errors.Join(a.serve(cmd.Context(), db, o, addr, false, preload), db.Close())
		},
	}
	f := cmd.Flags()
	f.StringVar(&addr, "addr", defaultAddr, "address to listen on")
	f.BoolVar(&insecure, "insecure", false, "let other machines in without an API key")
	a.addIgnoreMemory(cmd)
	a.chatFlags(cmd)
	f.BoolVar(&preload, "preload", true, "load the models of the collections at once, so that the first query is fast")
	return cmd
}

// logger writes what happens while serving to standard error.
func (a *app) logger() *slog.Logger {
	level := slog.LevelInfo
	if a.quiet {
		level = slog.LevelError
	}
	return slog.New(slog.NewTextHandler(a.err, &slog.HandlerOptions{Level: level}))
}

// serve listens and answers until ctx ends. With anyPort it takes the next free
// port when the one in addr is taken.
func (a *app) serve(ctx context.Context, db *vecdb.DB, o server.Options, addr string, anyPort, preload bool) error {
	srv := server.New(db, o)
	l, err := listen(srv, addr, anyPort)
	if err != nil {
		return explainListen(addr, err)
	}
	at := l.Addr().String()
	if at != addr && anyPort {
		a.note("%s is taken, so this one listens on %s", addr, at)
	}
	a.greet(db, at, o)
	if a.serving != nil {
		a.serving()
	}
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	var wg sync.WaitGroup
	if preload {
		wg.Go(func() { a.preload(ctx, db) })
	}
	if a.listening != nil {
		a.listening(at)
	}
	err = srv.Serve(ctx, l)
	cancel()
	wg.Wait()
	a.note("stopped")
	return err
}

func listen(srv *server.Server, addr string, anyPort bool) (net.Listener, error) {
	l, err := srv.Listen(addr)
	if !anyPort || !errors.Is(err, syscall.EADDRINUSE) {
		return l, err
	}
	host, port, splitErr := net.SplitHostPort(addr)
	first, numErr := strconv.Atoi(port)
	if splitErr != nil || numErr != nil {
		return nil, err
	}
	for p := first + 1; p <= first+portsTried; p++ {
		if l, next := srv.Listen(net.JoinHostPort(host, strconv.Itoa(p))); next == nil {
			return l, nil
		}
	}
	return nil, err
}

func explainListen(addr string, err error) error {
	if errors.Is(err, syscall.EADDRINUSE) {
		return fmt.Errorf("%w (another program listens there; choose another with --addr)", err)
	}
	return err
}

// greet prints where the server is, who may come in, and how to try it.
func (a *app) greet(db *vecdb.DB, at string, o server.Options) {
	st := a.outStyle()
	who := "this machine only, no key needed"
	switch {
	case len(o.Keys) > 0:
		who = plural(len(o.Keys), "API key") + " accepted"
	case o.Insecure:
		who = st.warn("everybody who can reach the address, without a key")
	}
	name, documents := a.collection, 0
	for _, c := range db.Collections() {
		if documents == 0 {
			name = c.Name()
		}
		documents += c.Len()
	}
	fmt.Fprintf(a.out, "vecdb %s serves %s in %s\n", vecdb.Version, plural(documents, "document"), plural(len(db.Collections()), "collection"))
	fmt.Fprintf(a.out, "  address  %s\n  open to  %s\n", st.bold("http://"+at), who)
	fmt.Fprintf(a.out, "  OpenAPI  http://%s/openapi.json\n", at)
	fmt.Fprintf(a.out, "  try      %s\n  stop     Ctrl-C\n", tryCommand(at, name, len(o.Keys) > 0))
}

// tryCommand returns a command line that searches a collection of the server.
func tryCommand(at, collection string, keyed bool) string {
	key := pick(keyed, ` -H "Authorization: Bearer $VECDB_API_KEY"`, "")
	return fmt.Sprintf(`curl -s http://%s/v1/collections/%s/search%s -H 'content-type: application/json' -d '{"text":"something to find","limit":3}'`, at, collection, key)
}

// preload loads the models of the collections, each with one word. What fails
// here fails again, and is told, when it is needed.
func (a *app) preload(ctx context.Context, db *vecdb.DB) {
	seen := make(map[string]bool)
	for _, c := range db.Collections() {
		info := c.Info()
		key := info.Model + "@" + info.Precision
		if info.Model == "" || seen[key] {
			continue
		}
		seen[key] = true
		if _, _, err := db.Embed(ctx, info.Model, info.Precision, embedder.Query, []string{"ready"}); err != nil && ctx.Err() == nil {
			a.note("model %s %s cannot be loaded: %v", info.Model, info.Precision, err)
		}
	}
}
