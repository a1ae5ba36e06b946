package main

import (
	"bufio"
	"fmt"
	"strings"

	"github.com/spf13/cobra"

	"github.com/vecdb/vecdb"
	"github.com/vecdb/vecdb/client"
)

func (a *app) deleteCommand() *cobra.Command {
	var filters []string
	var yes bool
	cmd := &cobra.Command{
		Use:   "delete ID… | --filter FILTER",
		Short: "Delete documents by id or by a filter",
		Example: `  vecdb delete a1 a2
  vecdb delete --filter 'year<1950' --yes`,
		RunE: func(cmd *cobra.Command, args []string) error {
			if (len(args) == 0) == (len(filters) == 0) {
				return usage("%s needs either ids or --filter", cmd.CommandPath())
			}
			filter, err := parseFilters(filters)
			if err != nil {
				return err
			}
			if filter != nil {
				if err := a.confirm(yes, "delete all documents of collection "+a.collection+" that satisfy the filter"); err != nil {
					return err
				}
			}
			return a.with(reads, func(s *session) error {
				if filter != nil {
					n, err := s.DeleteWhere(cmd.Context(), a.collection, filter)
					return a.printDeleted(n, err)
				}
				n, err := s.Delete(cmd.Context(), a.collection, args)
				if err := a.printDeleted(n, err); err != nil {
					return err
				}
				if n == 0 {
					return fmt.Errorf("none of these ids is in collection %s: %w", a.collection, vecdb.ErrNotFound)
				}
				return nil
			})
		},
	}
	cmd.Flags().StringArrayVarP(&filters, "filter", "f", nil, filterHelp)
	cmd.Flags().BoolVarP(&yes, "yes", "y", false, "do not ask")
	return cmd
}

func (a *app) printDeleted(n int, err error) error {
	if err != nil {
		return err
	}
	if a.forScripts() {
		return a.printJSON(client.DeleteResult{Deleted: n})
	}
	a.tell("deleted %s", plural(n, "document"))
	return nil
}

// confirm asks on a terminal. Elsewhere only --yes will do.
func (a *app) confirm(yes bool, what string) error {
	if yes {
		return nil
	}
	if _, tty := terminal(a.in); !tty {
		return usage("to %s, add --yes", what)
	}
	fmt.Fprintf(a.err, "%s? [y/N] ", what)
	answer, err := bufio.NewReader(a.in).ReadString('\n')
	if err != nil {
		return fmt.Errorf("read the answer: %w", err)
	}
	switch strings.ToLower(strings.TrimSpace(answer)) {
	case "y", "yes":
		return nil
	}
	return usage("nothing was deleted")
}
