package main

import (
	"errors"
	"fmt"

	"github.com/spf13/cobra"

	"github.com/vecdb/vecdb"
)

func (a *app) versionCommand() *cobra.Command {
	return &cobra.Command{
		Use:   "version",
		Short: "Print the version, of the server too with --url",
		Example: `  vecdb version
  vecdb version --url http://127.0.0.1:8080 --json`,
		Args: exactly(0, ""),
		RunE: func(cmd *cobra.Command, _ []string) error {
			s, err := a.versionSession()
			if err != nil {
				return err
			}
			v, err := s.Version(cmd.Context())
			if err = errors.Join(err, s.close()); err != nil {
				return err
			}
			if a.forScripts() {
				return a.printJSON(v)
			}
			fmt.Fprintf(a.out, "vecdb %s (commit %s)\n%s\nkernels %s\nruntime %s\n", v.Version, v.Commit, v.Go, v.Kernels, v.Runtime)
			return nil
		},
	}
}

// versionSession is a session for questions that need no directory.
func (a *app) versionSession() (*session, error) {
	if a.serverURL() != "" {
		return a.connect(reads)
	}
	return a.localSession()
}

// localSession is a session over an empty database in memory.
func (a *app) localSession() (*session, error) {
	o := a.options()
	o.InMemory = true
	db, err := vecdb.Open("", o)
	if err != nil {
		return nil, err
	}
	return a.inProcess(db)
}
