// Command vecdb is the vector search database on the command line: it adds
// documents from files, searches, recommends and classifies, serves the REST
// interface, measures indexes, and looks after models. Every command works on
// a database directory of this machine or against a running server.
package main

import (
	"context"
	"os"
	"os/signal"
	"runtime"
	"syscall"
)

func main() {
	os.Exit(run())
}

// run ends at the first interrupt with what was acknowledged kept; a second
// one ends the process at once.
func run() int {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	go func() {
		<-ctx.Done()
		stop()
	}()
	a := &app{in: os.Stdin, out: os.Stdout, err: os.Stderr, getenv: os.Getenv, serving: leaveRoom}
	return a.run(ctx, os.Args[1:])
}

// leaveRoom lets one goroutine more run than there are cores, unless the user has
// said how many. Embedding in Go holds a core for a batch, and up to 10 ms pass
// until the runtime takes it away; the system does so at once, for a thread that
// answers a query has more priority than those of imports.
func leaveRoom() {
	if os.Getenv("GOMAXPROCS") == "" {
		runtime.GOMAXPROCS(runtime.GOMAXPROCS(0) + 1)
	}
}
