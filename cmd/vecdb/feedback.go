package main

import (
	"context"
	"fmt"
	"strings"

	"github.com/spf13/cobra"

	"github.com/vecdb/vecdb"
	"github.com/vecdb/vecdb/client"
	"github.com/vecdb/vecdb/internal/core"
)

func (a *app) feedbackCommand() *cobra.Command {
	cmd := &cobra.Command{
		Use:   "feedback",
		Short: "Say whether answers were right, and list or delete what was said",
		Long: `Say whether an answer was right for a question. Answers learn from it at once: a
question for which an answer was right leads to it like a stored one, and one for
which it was wrong speaks against it.`,
		Example: `  vecdb feedback add faq7 "where is my card?" -c faq
  vecdb feedback add faq9 "where is my card?" --wrong -c faq
  vecdb feedback list -c faq
  vecdb feedback delete faq9 -c faq --yes`,
		RunE: func(cmd *cobra.Command, _ []string) error { return cmd.Help() },
	}
	cmd.AddCommand(a.feedbackAddCommand(), a.feedbackListCommand(), a.feedbackDeleteCommand())
	return cmd
}

func (a *app) feedbackAddCommand() *cobra.Command {
	var wrong bool
	cmd := &cobra.Command{
		Use:   "add ID QUESTION…",
		Short: "Say that the answer of a document was right, or wrong, for a question",
		Example: `  vecdb feedback add faq7 "where is my card?"
  vecdb feedback add faq9 "where is my card?" --wrong`,
		Args: atLeast(2, "the id of the answer and the question"),
		RunE: func(cmd *cobra.Command, args []string) error {
			f := core.Feedback{Answer: args[0], Question: strings.Join(args[1:], " "), Right: !wrong}
			return a.with(reads, func(s *session) error { return a.addFeedback(cmd.Context(), s, f) })
		},
	}
	cmd.Flags().BoolVar(&wrong, "wrong", false, "it was wrong")
	return cmd
}

func (a *app) addFeedback(ctx context.Context, s *session, f core.Feedback) error {
	if _, err := s.Get(ctx, a.collection, f.Answer); err != nil {
		return err // an unknown id is taken by the interface, but here it is a slip
	}
	r, err := s.AddFeedback(ctx, a.collection, []core.Feedback{f}, "")
	if err != nil {
		return err
	}
	if a.forScripts() {
		return a.printJSON(r)
	}
	a.tell("noted: %s is %s for %q", f.Answer, verdict(f), f.Question)
	return nil
}

func verdict(f core.Feedback) string { return pick(f.Right, "right", "wrong") }

func (a *app) feedbackListCommand() *cobra.Command {
	var answer string
	var limit int
	cmd := &cobra.Command{
		Use:   "list",
		Short: "List the latest feedback, on one answer or on all",
		Example: `  vecdb feedback list
  vecdb feedback list --answer faq7 --json`,
		Args: exactly(0, ""),
		RunE: func(cmd *cobra.Command, _ []string) error {
			return a.with(reads, func(s *session) error {
				got, err := s.Feedback(cmd.Context(), a.collection, answer, limit)
				if err != nil {
					return err
				}
				if a.forScripts() {
					return printAll(a, got, got.Feedback)
				}
				var rows [][]string
				for _, f := range got.Feedback {
					rows = append(rows, []string{f.Time.Format("2006-01-02 15:04:05"), oneLine(f.Answer, idWidth), verdict(f), oneLine(f.Question, 3*fieldWidth)})
				}
				a.renderTable([]string{"time", "answer", "was", "for the question"}, rows)
				a.tell("%s in all, %s shown", count(got.Total), count(len(got.Feedback)))
				return nil
			})
		},
	}
	cmd.Flags().StringVar(&answer, "answer", "", "id of the answer")
	cmd.Flags().IntVar(&limit, "limit", 20, "how many to show")
	return cmd
}

func (a *app) feedbackDeleteCommand() *cobra.Command {
	var all, yes bool
	cmd := &cobra.Command{
		Use:   "delete ID | --all",
		Short: "Delete the feedback on an answer, or all",
		Example: `  vecdb feedback delete faq7 --yes
  vecdb feedback delete --all --yes`,
		RunE: func(cmd *cobra.Command, args []string) error {
			if len(args) > 1 || (len(args) == 1) == all {
				return usage("%s needs the id of an answer, or --all", cmd.CommandPath())
			}
			d, what := client.DeleteFeedback{All: all}, "all feedback"
			if !all {
				d.Answer, what = args[0], "the feedback on "+args[0]
			}
			if err := a.confirm(yes, "delete "+what); err != nil {
				return err
			}
			return a.with(reads, func(s *session) error {
				n, err := s.DeleteFeedback(cmd.Context(), a.collection, d)
				if err != nil {
					return err
				}
				if n == 0 && !all {
					return fmt.Errorf("there is no feedback on %s: %w", d.Answer, vecdb.ErrNotFound)
				}
				if a.forScripts() {
					return a.printJSON(client.DeleteResult{Deleted: n})
				}
				a.tell("deleted %s", pick(n == 1, "1 feedback", count(n)+" feedbacks"))
				return nil
			})
		},
	}
	cmd.Flags().BoolVar(&all, "all", false, "of the whole collection")
	cmd.Flags().BoolVarP(&yes, "yes", "y", false, "do not ask")
	return cmd
}
