// Command vecdb is the vector search database on the command line: it adds
// documents from files, searches, recommends and classifies, serves the REST
// interface, measures indexes, and looks after models. Every command works on
// a database directory of this machine or against a running server.
package main

import (
	"context"
	"os"
	"os/signal"
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
	a := &app{in: os.Stdin, out: os.Stdout, err: os.Stderr, getenv: os.Getenv}
	return a.run(ctx, os.Args[1:])
}
