package main

import (
	"fmt"
	"slices"

	"github.com/spf13/cobra"

	"github.com/vecdb/vecdb/internal/core"
)

func (a *app) getCommand() *cobra.Command {
	var vector bool
	cmd := &cobra.Command{
		Use:   "get ID…",
		Short: "Show documents by id",
		Example: `  vecdb get tt0111161
  vecdb get --jsonl a1 a2 > two.jsonl`,
		Args: atLeast(1, "an id"),
		RunE: func(cmd *cobra.Command, args []string) error {
			return a.with(reads, func(s *session) error {
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
	return cmd
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
