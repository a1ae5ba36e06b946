package main

import (
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"github.com/vecdb/vecdb/query"
)

const sortHelp = "FIELD or FIELD:desc, documents without it last; repeatable"

// parseSort turns FIELD, FIELD:asc and FIELD:desc into an order.
func parseSort(texts []string) []query.SortKey {
	var keys []query.SortKey
	for _, text := range texts {
		key := query.SortKey{Field: text}
		for _, order := range []string{query.Ascending, query.Descending} {
			if field, ok := strings.CutSuffix(text, ":"+order); ok {
				key = query.SortKey{Field: field, Order: order}
			}
		}
		keys = append(keys, key)
	}
	return keys
}

// pageFlags are the flags of the commands that return hits in the order of
// fields, in groups and by pages.
type pageFlags struct {
	sort       []string
	candidates int
	groupBy    string
	groupSize  int
	cursor     string
	facets     []string
}

func (p *pageFlags) add(cmd *cobra.Command) {
	f := cmd.Flags()
	f.StringArrayVar(&p.sort, "sort", nil, "bring the best hits into the order of a field: "+sortHelp+"; "+query.ScoreKey+" is the score")
	f.IntVar(&p.candidates, "candidates", 0, "how many of the best hits --sort orders and --facet counts (default 100)")
	f.StringArrayVar(&p.facets, "facet", nil, "count the values of a field among the best hits; repeatable")
	f.StringVar(&p.groupBy, "group-by", "", "field by whose values hits are put into groups; --limit counts groups then")
	f.IntVar(&p.groupSize, "group-size", 0, "how many hits a group has (default 3)")
	f.StringVar(&p.cursor, "cursor", "", "go on behind a page, by its cursor")
}

func (p *pageFlags) apply(r *query.Request) {
	r.Sort, r.Params.Candidates = parseSort(p.sort), p.candidates
	for _, field := range p.facets {
		r.Facets = append(r.Facets, query.FacetRequest{Field: field})
	}
	r.GroupBy, r.GroupSize, r.Cursor = p.groupBy, p.groupSize, p.cursor
}

// renderGroups prints the hits of each group below its value.
func (a *app) renderGroups(field string, groups []query.Group, fields []string, explain bool) {
	if len(groups) == 0 {
		a.tell("nothing found")
	}
	for i, g := range groups {
		if i > 0 {
			a.tell("")
		}
		a.renderTable(nil, [][]string{{a.outStyle().bold(field + ": " + valueText(g.Value))}})
		a.renderHits(g.Hits, fields, explain)
	}
}

func (a *app) listCommand() *cobra.Command {
	var filters, sort, fields []string
	var limit int
	var cursor string
	cmd := &cobra.Command{
		Use:   "list",
		Short: "List documents, by their ids or the order of their fields",
		Example: `  vecdb list --limit 20
  vecdb list --filter 'year>=1990' --sort year:desc --sort title --fields year,title
  vecdb list --jsonl --sort year --cursor AXDb…`,
		Args: exactly(0, ""),
		RunE: func(cmd *cobra.Command, _ []string) error {
			if limit < 1 || limit > query.MaxLimit {
				return usage("--limit must be from 1 to %d", query.MaxLimit)
			}
			filter, err := parseFilters(filters)
			if err != nil {
				return err
			}
			r := query.ListRequest{Filter: filter, Sort: parseSort(sort), Limit: limit, Cursor: cursor, Fields: fields}
			if len(fields) > 0 && !a.forScripts() && !slices.Contains(fields, "text") {
				r.Fields = append(slices.Clone(fields), "text") // the table shows it
			}
			return a.with(reads, func(s *session) error {
				page, err := s.ListBy(cmd.Context(), a.collection, r)
				if err != nil {
					return err
				}
				if a.forScripts() {
					return printAll(a, page, page.Documents)
				}
				a.warn(page.Warnings)
				a.renderList(page, fields)
				return nil
			})
		},
	}
	f := cmd.Flags()
	f.StringArrayVarP(&filters, "filter", "f", nil, filterHelp)
	f.StringArrayVar(&sort, "sort", nil, sortHelp)
	f.StringSliceVar(&fields, "fields", nil, "fields to show, separated by commas")
	f.IntVarP(&limit, "limit", "n", 20, "how many documents")
	f.StringVar(&cursor, "cursor", "", "go on behind a page, by its cursor")
	return cmd
}

// renderList prints documents with the chosen fields.
func (a *app) renderList(page query.ListResponse, fields []string) {
	if len(page.Documents) == 0 {
		a.tell("no documents")
		return
	}
	header := append([]string{"id", "text"}, fields...)
	rows := make([][]string, len(page.Documents))
	for i, doc := range page.Documents {
		rows[i] = []string{oneLine(doc.ID, idWidth), ""}
		for _, name := range fields {
			rows[i] = append(rows[i], oneLine(fieldText(doc, name), fieldWidth))
		}
	}
	const textColumn = 1
	room := a.room(header, rows, textColumn)
	for i, doc := range page.Documents {
		rows[i][textColumn] = oneLine(doc.Text, room)
	}
	a.renderTable(header, rows)
	a.more(page.Cursor)
}

// more tells how to go on.
func (a *app) more(cursor string) {
	if cursor != "" {
		a.tell("more with the same command and --cursor %s", cursor)
	}
}
