package main

import (
	"fmt"

	"github.com/spf13/cobra"

	"github.com/vecdb/vecdb/query"
)

func (a *app) countCommand() *cobra.Command {
	var filters []string
	cmd := &cobra.Command{
		Use:   "count",
		Short: "Count the documents that satisfy a filter",
		Example: `  vecdb count
  vecdb count --filter 'year>=1990' --filter genre=war`,
		Args: exactly(0, ""),
		RunE: func(cmd *cobra.Command, _ []string) error {
			filter, err := parseFilters(filters)
			if err != nil {
				return err
			}
			return a.with(reads, func(s *session) error {
				r, err := s.Count(cmd.Context(), a.collection, query.CountRequest{Filter: filter})
				if err != nil {
					return err
				}
				if a.forScripts() {
					return a.printJSON(r)
				}
				a.warn(r.Warnings)
				fmt.Fprintln(a.out, r.Count)
				return nil
			})
		},
	}
	cmd.Flags().StringArrayVarP(&filters, "filter", "f", nil, filterHelp)
	return cmd
}

func (a *app) facetCommand() *cobra.Command {
	var filters []string
	var limit int
	cmd := &cobra.Command{
		Use:   "facet FIELD",
		Short: "Count the documents of each value of a field",
		Example: `  vecdb facet genre
  vecdb facet author.name --filter 'year>=1990' --limit 50`,
		Args: exactly(1, "the name of a field"),
		RunE: func(cmd *cobra.Command, args []string) error {
			if limit < 1 || limit > query.MaxFacetLimit {
				return usage("--limit must be from 1 to %d", query.MaxFacetLimit)
			}
			filter, err := parseFilters(filters)
			if err != nil {
				return err
			}
			return a.with(reads, func(s *session) error {
				r, err := s.Facet(cmd.Context(), a.collection, query.FacetRequest{Field: args[0], Filter: filter, Limit: limit})
				if err != nil {
					return err
				}
				if a.forScripts() {
					return printAll(a, r, r.Values)
				}
				a.renderFacet(args[0], r)
				return nil
			})
		},
	}
	cmd.Flags().StringArrayVarP(&filters, "filter", "f", nil, filterHelp)
	cmd.Flags().IntVarP(&limit, "limit", "n", query.DefaultFacetLimit, "how many values")
	return cmd
}

// renderFacet prints values with their counts.
func (a *app) renderFacet(field string, r query.FacetResponse) {
	a.warn(r.Warnings)
	if len(r.Values) == 0 {
		a.tell("no values")
		return
	}
	rows := make([][]string, len(r.Values))
	for i, v := range r.Values {
		rows[i] = []string{fmt.Sprint(v.Value), count(v.Count)}
	}
	a.renderTable([]string{field, "documents"}, rows)
	if rest := r.Distinct - len(r.Values); rest > 0 {
		a.tell("%s more; --limit shows them", plural(rest, "value"))
	}
}

// warn prints what an answer warns of.
func (a *app) warn(warnings []string) {
	for _, w := range warnings {
		a.tell("warning: %s", w)
	}
}
