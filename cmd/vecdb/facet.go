package main

import (
	"fmt"
	"strconv"
	"strings"

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
	var filters, ranges []string
	var limit int
	var interval string
	cmd := &cobra.Command{
		Use:   "facet FIELD",
		Short: "Count the documents of each value of a field",
		Example: `  vecdb facet genre
  vecdb facet author.name --filter 'year>=1990' --limit 50
  vecdb facet published --interval month
  vecdb facet price --range ..10 --range 10..100 --range 100..`,
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
				asked := query.FacetRequest{Field: args[0], Filter: filter, Limit: limit, Interval: numberOrText(interval)}
				if asked.Ranges, err = parseRanges(ranges); err != nil {
					return err
				}
				r, err := s.Facet(cmd.Context(), a.collection, asked)
				if err != nil {
					return err
				}
				switch {
				case a.forScripts() && interval+strings.Join(ranges, "") != "":
					return printAll(a, r, r.Buckets)
				case a.forScripts():
					return printAll(a, r, r.Values)
				}
				a.warn(r.Warnings)
				a.renderFacet(query.HitFacet{Field: args[0], Values: r.Values, Distinct: r.Distinct, Buckets: r.Buckets})
				return nil
			})
		},
	}
	cmd.Flags().StringArrayVarP(&filters, "filter", "f", nil, filterHelp)
	cmd.Flags().IntVarP(&limit, "limit", "n", query.DefaultFacetLimit, "how many values")
	cmd.Flags().StringVar(&interval, "interval", "", "count numbers or times in buckets: a width, or year, month, week, day, hour, minute")
	cmd.Flags().StringArrayVar(&ranges, "range", nil, "count numbers or times FROM..TO, without TO itself; either may be left out; repeatable")
	return cmd
}

// numberOrText returns a number where the text is one, nil for "".
func numberOrText(text string) any {
	if text == "" {
		return nil
	}
	if n, err := strconv.ParseFloat(text, 64); err == nil {
		return n
	}
	return text
}

// parseRanges reads FROM..TO.
func parseRanges(texts []string) ([]query.Range, error) {
	var out []query.Range
	for _, text := range texts {
		from, to, ok := strings.Cut(text, "..")
		if !ok {
			return nil, usage("--range wants FROM..TO, such as 10..100 or 2024-01-01..")
		}
		out = append(out, query.Range{From: numberOrText(from), To: numberOrText(to)})
	}
	return out, nil
}

// renderBuckets prints ranges with their counts.
func (a *app) renderBuckets(f query.HitFacet) {
	end := func(v any) string {
		if v == nil {
			return ""
		}
		return strings.TrimSuffix(fmt.Sprint(v), "T00:00:00Z")
	}
	rows := make([][]string, len(f.Buckets))
	for i, b := range f.Buckets {
		rows[i] = []string{end(b.From) + ".." + end(b.To), count(b.Count)}
	}
	a.renderTable([]string{f.Field, "documents"}, rows)
}

// renderFacet prints values or buckets with their counts.
func (a *app) renderFacet(r query.HitFacet) {
	if len(r.Buckets) > 0 {
		a.renderBuckets(r)
		return
	}
	if len(r.Values) == 0 {
		a.tell("no values")
		return
	}
	rows := make([][]string, len(r.Values))
	for i, v := range r.Values {
		rows[i] = []string{fmt.Sprint(v.Value), count(v.Count)}
	}
	a.renderTable([]string{r.Field, "documents"}, rows)
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
