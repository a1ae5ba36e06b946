package main

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"strings"

	"github.com/spf13/cobra"

	"github.com/vecdb/vecdb"
)

// The exit codes, which "vecdb help exit-codes" documents.
const (
	exitOK          = 0
	exitError       = 1
	exitUsage       = 2
	exitNotFound    = 3
	exitLocked      = 4
	exitPartly      = 5
	exitNoModel     = 6
	exitNoWrite     = 7
	exitInterrupted = 130
)

func exitCodesTopic() *cobra.Command {
	return &cobra.Command{
		Use:   "exit-codes",
		Short: "What the exit codes mean",
		Long: `vecdb ends with one of these codes:

    0  done
    1  something failed; the message says what
    2  the command line or the request is wrong
    3  no such document, collection, file or database
    4  another process has the database directory open
    5  done, but some records were refused
    6  a model or the runtime for it is missing
    7  the database cannot be written: disk full, read-only, or too little memory
  130  interrupted; what was acknowledged is stored`,
	}
}

// usageError is a mistake on the command line.
type usageError struct{ text string }

func (e usageError) Error() string { return e.text }

func usage(format string, args ...any) error { return usageError{fmt.Sprintf(format, args...)} }

// partlyError tells that a command did its work but for some records. What
// was wrong with them has been told.
type partlyError struct{ refused int }

func (e partlyError) Error() string { return fmt.Sprintf("%d records were refused", e.refused) }

// checkError ends a command whose output has told what is wrong.
type checkError struct{}

func (checkError) Error() string { return "a check failed" }

// exitCode returns the code that stands for an error.
func exitCode(ctx context.Context, err error) int {
	var wrong usageError
	var partly partlyError
	switch {
	case err == nil:
		return exitOK
	case errors.As(err, &wrong):
		return exitUsage
	case errors.Is(err, context.Canceled) && ctx.Err() != nil:
		return exitInterrupted
	case errors.As(err, &partly):
		return exitPartly
	case errors.Is(err, vecdb.ErrLocked):
		return exitLocked
	case errors.Is(err, vecdb.ErrNoModel), errors.Is(err, vecdb.ErrNoRuntime):
		return exitNoModel
	case errors.Is(err, vecdb.ErrFull), errors.Is(err, vecdb.ErrMemory), errors.Is(err, vecdb.ErrReadOnly), errors.Is(err, fs.ErrPermission):
		return exitNoWrite
	case errors.Is(err, vecdb.ErrNotFound), errors.Is(err, fs.ErrNotExist):
		return exitNotFound
	case errors.Is(err, vecdb.ErrInvalid):
		return exitUsage
	}
	return exitError
}

// report prints an error for a person and returns the exit code.
func (a *app) report(ctx context.Context, err error) int {
	code := exitCode(ctx, err)
	var partly partlyError
	if err == nil || errors.As(err, &partly) || errors.Is(err, checkError{}) {
		return code
	}
	text := err.Error()
	if code == exitInterrupted {
		text = "interrupted"
	}
	fmt.Fprintln(a.err, a.errStyle().bad("vecdb: ")+text)
	if next := nextStep(code, err); next != "" {
		fmt.Fprintln(a.err, "       "+next)
	}
	return code
}

// nextStep names what to do about an error that does not say so itself.
func nextStep(code int, err error) string {
	switch {
	case code == exitUsage && errors.As(err, new(usageError)):
		return "see: vecdb help, or any command with --help"
	case code == exitLocked:
		return "stop that process, or talk to it: --url http://127.0.0.1:8080"
	case code == exitNoModel && !strings.Contains(err.Error(), "vecdb "):
		return "get what is missing with: vecdb setup"
	}
	return ""
}

// exactly, atLeast and noSuchCommand check positional arguments.
func exactly(n int, what string) cobra.PositionalArgs {
	return func(cmd *cobra.Command, args []string) error {
		if len(args) == n {
			return nil
		}
		if n == 0 {
			return usage("%s takes no arguments, but got %q", cmd.CommandPath(), args)
		}
		return usage("%s needs %s", cmd.CommandPath(), what)
	}
}

func atLeast(n int, what string) cobra.PositionalArgs {
	return func(cmd *cobra.Command, args []string) error {
		if len(args) >= n {
			return nil
		}
		return usage("%s needs %s, for instance:\n%s", cmd.CommandPath(), what, cmd.Example)
	}
}

func noSuchCommand(cmd *cobra.Command, args []string) error {
	if len(args) == 0 {
		return nil
	}
	if near := cmd.SuggestionsFor(args[0]); len(near) > 0 {
		return usage("%s has no command %q; did you mean %s?", cmd.CommandPath(), args[0], strings.Join(near, " or "))
	}
	return usage("%s has no command %q", cmd.CommandPath(), args[0])
}
