package main

import (
	"context"
	"fmt"
	"slices"

	"github.com/spf13/cobra"

	"github.com/vecdb/vecdb/client"
	"github.com/vecdb/vecdb/internal/core"
)

func (a *app) getCommand() *cobra.Command {
	var vector, passages bool
	cmd := &cobra.Command{
		Use:   "get ID…",
		Short: "Show documents by id",
		Example: `  vecdb get tt0111161
  vecdb get --jsonl a1 a2 > two.jsonl
  vecdb get --passages a1`,
		Args: atLeast(1, "an id"),
		RunE: func(cmd *cobra.Command, args []string) error {
			return a.with(reads, func(s *session) error {
				if passages {
					return a.getPassages(cmd.Context(), s, args)
				}
				docs := make([]*core.Document, len(args))
				for i, id := range args {
					doc, err := s.Get(cmd.Context(), a.collection, id)
					if err != nil {
						return fmt.Errorf("get %q: %w", id, err)
					}
					if !vector {
						doc.Vector = nil
					}
					docs[i] = doc
				}
				return a.printDocuments(docs)
			})
		},
	}
	cmd.Flags().BoolVar(&vector, "vector", false, "show the vector too")
	cmd.Flags().BoolVar(&passages, "passages", false, "show the passages that a long text was cut into, and its tokens")
	return cmd
}

// getPassages shows into what documents were cut.
func (a *app) getPassages(ctx context.Context, s *session, ids []string) error {
	var list []client.Passages
	for _, id := range ids {
		p, err := s.Passages(ctx, a.collection, id)
		if err != nil {
			return fmt.Errorf("get the passages of %q: %w", id, err)
		}
		list = append(list, p)
	}
	if a.forScripts() {
		if len(list) == 1 {
			return a.printJSON(list[0])
		}
		return printAll(a, list, list)
	}
	for _, doc := range list {
		a.tell("%s: %s tokens, %s read, %s", doc.ID, count(doc.TokensTotal), count(doc.TokensUsed), plural(len(doc.Passages), "passage"))
		rows := make([][]string, len(doc.Passages))
		for i, p := range doc.Passages {
			rows[i] = []string{fmt.Sprint(i + 1), fmt.Sprint(p.Start), fmt.Sprint(p.End), count(p.Tokens), ""}
		}
		header := []string{"#", "start", "end", "tokens", "text"}
		room := a.room(header, rows, len(header)-1)
		for i, p := range doc.Passages {
			rows[i][len(header)-1] = oneLine(p.Text, room)
		}
		a.renderTable(header, rows)
	}
	return nil
}

// printDocuments prints documents; one alone is one JSON object.
func (a *app) printDocuments(docs []*core.Document) error {
	if a.forScripts() {
		if len(docs) == 1 {
			return a.printJSON(docs[0])
		}
		return printAll(a, docs, docs)
	}
	for i, doc := range docs {
		if i > 0 {
			fmt.Fprintln(a.out)
		}
		a.printDocument(doc)
	}
	return nil
}

func (a *app) printDocument(doc *core.Document) {
	st := a.outStyle()
	line := func(name, value string) {
		fmt.Fprintf(a.out, "%s %s\n", st.dim(name+":"), oneLine(value, 1<<20))
	}
	line("id", doc.ID)
	if doc.Text != "" {
		line("text", doc.Text)
	}
	names := make([]string, 0, len(doc.Fields))
	for name := range doc.Fields {
		names = append(names, name)
	}
	slices.Sort(names)
	for _, name := range names {
		line(name, valueText(doc.Fields[name]))
	}
	if doc.Vector != nil {
		line("vector", fmt.Sprint(doc.Vector))
	}
}
