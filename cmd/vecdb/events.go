package main

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"github.com/spf13/cobra"

	"github.com/vecdb/vecdb"
	"github.com/vecdb/vecdb/client"
	"github.com/vecdb/vecdb/internal/core"
)

func (a *app) eventsCommand() *cobra.Command {
	cmd := &cobra.Command{
		Use:   "events",
		Short: "Add, list and delete what users did with documents",
		Long: `Events tell what users did with documents: view, click, comment, save, like,
share, buy, skip, hide, dislike, or anything else with a weight. Recommendations
are learnt from them.`,
		Example: `  vecdb events add ratings.csv
  vecdb events list --user u1
  vecdb events delete --user u1 --yes`,
		RunE: func(cmd *cobra.Command, _ []string) error { return cmd.Help() },
	}
	cmd.AddCommand(a.eventsAddCommand(), a.eventsListCommand(), a.eventsDeleteCommand())
	return cmd
}

func (a *app) eventsAddCommand() *cobra.Command {
	var o eventColumns
	cmd := &cobra.Command{
		Use:   "add FILE…",
		Short: "Add the events of CSV, TSV, JSON or JSON lines files (- is standard input)",
		Long: `Add the events of CSV, TSV, JSON or JSON lines files, gzipped or not. The
columns of user, item, action, weight, rating and time are guessed by their names
and told. A rating becomes an action "rate" whose weight goes from -1 for 0 to 1
for the best rating. Without action, weight and rating the action is "click".
Adding a file with times again changes nothing.`,
		Example: `  vecdb events add ratings.csv
  vecdb events add clicks.jsonl.gz --user visitor --item sku
  vecdb events add likes.csv --default-action like`,
		Args: atLeast(1, "a file"),
		RunE: func(cmd *cobra.Command, args []string) error {
			return a.with(reads, func(s *session) error { return a.addEventFiles(cmd.Context(), s, args, o) })
		},
	}
	f := cmd.Flags()
	f.StringVar(&o.user, "user", "", "column of users (default: guessed)")
	f.StringVar(&o.item, "item", "", "column of the ids of documents (default: guessed)")
	f.StringVar(&o.action, "action", "", "column of actions (default: guessed)")
	f.StringVar(&o.weight, "weight", "", "column of weights (default: guessed)")
	f.StringVar(&o.rating, "rating", "", "column of ratings (default: guessed)")
	f.StringVar(&o.time, "time", "", "column of times: RFC 3339, a date, or seconds since 1970 (default: guessed)")
	f.Float64Var(&o.scale, "scale", 0, "the best rating (default: guessed from the first ones: 1, 5, 10 or 100)")
	f.StringVar(&o.fallback, "default-action", "", "action of records without one: click, or rate where there are ratings")
	return cmd
}

// eventsSummary is what came of an import of events.
type eventsSummary struct {
	Collection   string    `json:"collection"`
	Accepted     int       `json:"accepted"`
	Duplicates   int       `json:"duplicates"`
	UnknownItems int       `json:"unknown_items"`
	Refused      int       `json:"refused"`
	Seconds      float64   `json:"seconds"`
	Problems     []problem `json:"problems"` // the first hundred
}

func (a *app) addEventFiles(ctx context.Context, s *session, paths []string, o eventColumns) error {
	refused := 0
	for _, path := range paths {
		sum, err := a.addEventFile(ctx, s, path, o)
		if err != nil {
			if sum.Accepted > 0 {
				a.note("stopped early: %s stored and stay", plural(sum.Accepted, "event"))
			}
			return err
		}
		refused += sum.Refused
		if a.forScripts() {
			if err := a.printJSON(sum); err != nil {
				return err
			}
			continue
		}
		sum.print(a)
	}
	if err := a.learnBehavior(ctx, s); err != nil {
		return err
	}
	a.tell("%s", a.outStyle().dim("next: vecdb recommend"+a.sameTarget()+" --user USER"))
	if refused > 0 {
		return partlyError{refused}
	}
	return nil
}

// learnBehavior learns from the events of a directory at once, since there is no
// server that would do it in the background.
func (a *app) learnBehavior(ctx context.Context, s *session) error {
	if s.db == nil {
		return nil
	}
	c, err := s.db.Collection(a.collection)
	if err != nil {
		return err
	}
	b, err := c.TrainRecommender(ctx)
	if err == nil {
		a.note("  learnt what goes together: %s, by %s", plural(b.Model.Items, "item"), plural(b.Model.Users, "user"))
	} else if !errors.Is(err, vecdb.ErrInvalid) { // then there is nothing to learn
		return err
	}
	return nil
}

func (s eventsSummary) print(a *app) {
	for i, p := range s.Problems {
		if i == maxProblems {
			break
		}
		a.note("  line %d: %s", p.Line, p.Error)
	}
	a.tell("%s stored in %.1f s%s%s%s", plural(s.Accepted-s.Duplicates, "event"), s.Seconds,
		pick(s.Duplicates > 0, fmt.Sprintf(", %s there already", count(s.Duplicates)), ""),
		pick(s.Refused > 0, fmt.Sprintf(", %s refused", count(s.Refused)), ""),
		pick(s.UnknownItems > 0, fmt.Sprintf("; %s with items that are no documents (yet)", count(s.UnknownItems)), ""))
}

// addEventFile stores the events of a file, a request at a time.
func (a *app) addEventFile(ctx context.Context, s *session, path string, o eventColumns) (eventsSummary, error) {
	sum := eventsSummary{Collection: a.collection, Problems: []problem{}}
	in, err := a.openEvents(ctx, path, o)
	if err != nil {
		return sum, err
	}
	m := a.newMeter("events", in.records.Size(), eventsText)
	defer m.stop()
	begun := now()
	for {
		events, problems, done, err := in.batch()
		for _, p := range problems {
			sum.Refused++
			if len(sum.Problems) < maxKept {
				sum.Problems = append(sum.Problems, p)
			}
		}
		if err != nil {
			return sum, errors.Join(err, in.records.Close())
		}
		if len(events) > 0 {
			r, err := s.AddEvents(ctx, a.collection, events, "")
			if err != nil {
				return sum, errors.Join(err, in.records.Close())
			}
			sum.Accepted, sum.Duplicates, sum.UnknownItems = sum.Accepted+r.Accepted, sum.Duplicates+r.Duplicates, sum.UnknownItems+r.UnknownItems
			m.set(in.records.BytesRead(), sum.Accepted)
		}
		if done {
			sum.Seconds = now().Sub(begun).Seconds()
			return sum, in.records.Close()
		}
	}
}

// eventsText shows events and their rate.
func eventsText(m *meter) string {
	return fmt.Sprintf("%s events  %.0f events/s", count(m.units), m.rate())
}

func (a *app) eventsListCommand() *cobra.Command {
	var user, item string
	var limit int
	cmd := &cobra.Command{
		Use:   "list",
		Short: "List the latest events, of a user or of a document",
		Example: `  vecdb events list --user u1
  vecdb events list --item tt0111161 --limit 5 --json`,
		Args: exactly(0, ""),
		RunE: func(cmd *cobra.Command, _ []string) error {
			return a.with(reads, func(s *session) error {
				got, err := s.Events(cmd.Context(), a.collection, user, item, limit)
				if err != nil {
					return err
				}
				if a.forScripts() {
					return printAll(a, got, got.Events)
				}
				a.renderTable([]string{"time", "user", "item", "action", "weight"}, eventRows(got.Events))
				a.tell("%s, %s shown", plural(got.Total, "event"), count(len(got.Events)))
				return nil
			})
		},
	}
	cmd.Flags().StringVar(&user, "user", "", "of this user")
	cmd.Flags().StringVar(&item, "item", "", "with this document")
	cmd.Flags().IntVar(&limit, "limit", 20, "how many to show")
	return cmd
}

func eventRows(events []core.Event) [][]string {
	var rows [][]string
	for i := range events {
		e := &events[i]
		rows = append(rows, []string{e.Time.Format("2006-01-02 15:04:05"), e.User, e.Item, e.Action, fmt.Sprintf("%.2g", e.Value())})
	}
	return rows
}

func (a *app) eventsDeleteCommand() *cobra.Command {
	var d client.DeleteEvents
	var yes bool
	cmd := &cobra.Command{
		Use:   "delete",
		Short: "Delete the events of a user, or with a document",
		Example: `  vecdb events delete --user u1 --yes
  vecdb events delete --user u1 --item tt0111161 --yes`,
		Args: exactly(0, ""),
		RunE: func(cmd *cobra.Command, _ []string) error {
			if d == (client.DeleteEvents{}) {
				return usage("%s needs --user, --item or both", cmd.CommandPath())
			}
			what := strings.TrimSpace(pick(d.User != "", "of user "+d.User+" ", "") + pick(d.Item != "", "with document "+d.Item, ""))
			if err := a.confirm(yes, "delete all events "+what); err != nil {
				return err
			}
			return a.with(reads, func(s *session) error {
				n, err := s.DeleteEvents(cmd.Context(), a.collection, d)
				if err != nil {
					return err
				}
				if n == 0 {
					return fmt.Errorf("there are no events %s: %w", what, vecdb.ErrNotFound)
				}
				if a.forScripts() {
					return a.printJSON(client.DeleteResult{Deleted: n})
				}
				a.tell("deleted %s", plural(n, "event"))
				return nil
			})
		},
	}
	cmd.Flags().StringVar(&d.User, "user", "", "of this user")
	cmd.Flags().StringVar(&d.Item, "item", "", "with this document")
	cmd.Flags().BoolVarP(&yes, "yes", "y", false, "do not ask")
	return cmd
}
