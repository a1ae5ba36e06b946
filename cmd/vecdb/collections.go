package main

import (
	"context"
	"fmt"
	"strings"

	"github.com/spf13/cobra"

	"github.com/vecdb/vecdb/client"
)

func (a *app) collectionsCommand() *cobra.Command {
	cmd := &cobra.Command{
		Use:   "collections",
		Short: "List, create and drop collections",
		Example: `  vecdb collections
  vecdb collections create news --language zh
  vecdb collections drop news --yes`,
		Args: noSuchCommand,
		RunE: func(cmd *cobra.Command, _ []string) error { return a.listCollections(cmd) },
	}
	list := &cobra.Command{
		Use:     "list",
		Short:   "List the collections",
		Example: "  vecdb collections list --json",
		Args:    exactly(0, ""),
		RunE:    func(cmd *cobra.Command, _ []string) error { return a.listCollections(cmd) },
	}
	cmd.AddCommand(list, a.createCollectionCommand(), a.dropCollectionCommand())
	return cmd
}

func (a *app) listCollections(cmd *cobra.Command) error {
	return a.with(reads, func(s *session) error {
		list, err := s.Collections(cmd.Context())
		if err != nil {
			return err
		}
		if a.forScripts() {
			return printAll(a, client.Collections{Collections: list}, list)
		}
		if len(list) == 0 {
			a.tell("no collections yet; make one with: vecdb add FILE")
			return nil
		}
		var rows [][]string
		for _, c := range list {
			rows = append(rows, []string{c.Name, count(c.Documents), modelText(c), fmt.Sprint(c.Dimension), c.Metric, c.Created})
		}
		a.renderTable([]string{"name", "documents", "model", "dimension", "metric", "created"}, rows)
		return nil
	})
}

// modelText names the model of a collection with its precision.
func modelText(c client.Collection) string {
	switch {
	case c.ModelChoice == client.ChoicePending:
		return "not chosen yet"
	case c.Model == "":
		return "none"
	}
	return strings.TrimSpace(c.Model + " " + c.Precision)
}

// collectionFlags describe a new collection.
type collectionFlags struct {
	language, model, metric, long string
	dimension                     int
	fields                        []string
}

func (o *collectionFlags) add(cmd *cobra.Command) {
	f := cmd.Flags()
	f.StringVar(&o.language, "language", "", "language of a new collection: en, zh, or auto for that of the first texts; picks the model")
	f.StringVar(&o.model, "model", "", "model of a new collection (see: vecdb model list); none takes vectors only")
	f.StringVar(&o.metric, "metric", "", "how a new collection compares: cosine (default), dot or l2")
	f.IntVar(&o.dimension, "dimension", 0, "length of the vectors of a new collection: needed without a model; with one, cuts its vectors")
	f.StringVar(&o.long, "long", "", "texts with more tokens than the model takes: chunk cuts them into passages, truncate leaves out the rest, error refuses them (default: the collection's policy, which is chunk unless it says otherwise)")
	f.StringArrayVar(&o.fields, "field", nil, "declare NAME=TYPE: keyword, text, integer, float, bool, datetime or geo; repeatable")
}

func (o *collectionFlags) body(precision string) (client.CreateCollection, error) {
	body := client.CreateCollection{Language: o.language, Model: o.model, Precision: precision, Metric: o.metric, Dimension: o.dimension, Long: o.long}
	for _, f := range o.fields {
		name, kind, ok := strings.Cut(f, "=")
		if !ok || name == "" || kind == "" {
			return body, usage("--field %q: write NAME=TYPE", f)
		}
		if body.Fields == nil {
			body.Fields = make(map[string]string)
		}
		body.Fields[name] = kind
	}
	return body, nil
}

func (a *app) createCollectionCommand() *cobra.Command {
	var o collectionFlags
	cmd := &cobra.Command{
		Use:   "create NAME",
		Short: "Create a collection",
		Example: `  vecdb collections create news --language zh
  vecdb collections create inbox --language auto
  vecdb collections create pictures --model none --dimension 512 --field year=integer`,
		Args: exactly(1, "the name of a collection"),
		RunE: func(cmd *cobra.Command, args []string) error {
			body, err := o.body(a.precision)
			if err != nil {
				return err
			}
			return a.with(creates, func(s *session) error {
				c, created, err := s.CreateCollection(cmd.Context(), args[0], body)
				if err != nil {
					return err
				}
				if a.forScripts() {
					return a.printJSON(c)
				}
				a.tellCut(cmd.Context(), s, c)
				made := pick(created, "created", "exists")
				if c.ModelChoice == client.ChoicePending {
					a.tell("collection %s %s: the texts of the first documents choose its model, English or Chinese; %s", c.Name, made, c.Metric)
					return nil
				}
				a.tell("collection %s %s: %s, dimension %d, %s", c.Name, made, modelText(c), c.Dimension, c.Metric)
				return nil
			})
		},
	}
	o.add(cmd)
	return cmd
}

// tellCut tells that the vectors of a collection are cut, and what that may
// cost.
func (a *app) tellCut(ctx context.Context, s *session, c client.Collection) {
	models, err := s.Models(ctx)
	if err != nil || c.Model == "" {
		return // it is a note only
	}
	for _, m := range models {
		if m.ID == c.Model && m.Dimension > c.Dimension {
			a.note("  note: the first %d of the model's %d numbers are kept; unless it was trained for that (Matryoshka), hits get worse", c.Dimension, m.Dimension)
		}
	}
}

// pick returns yes or no.
func pick(cond bool, yes, no string) string {
	if cond {
		return yes
	}
	return no
}

func (a *app) dropCollectionCommand() *cobra.Command {
	var yes bool
	cmd := &cobra.Command{
		Use:     "drop NAME",
		Short:   "Delete a collection with all its documents",
		Example: "  vecdb collections drop news --yes",
		Args:    exactly(1, "the name of a collection"),
		RunE: func(cmd *cobra.Command, args []string) error {
			if err := a.confirm(yes, "delete collection "+args[0]+" with all its documents"); err != nil {
				return err
			}
			return a.with(reads, func(s *session) error {
				if err := s.DropCollection(cmd.Context(), args[0]); err != nil {
					return err
				}
				a.tell("dropped collection %s", args[0])
				return nil
			})
		},
	}
	cmd.Flags().BoolVarP(&yes, "yes", "y", false, "do not ask")
	return cmd
}
