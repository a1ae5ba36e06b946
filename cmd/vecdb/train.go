package main

import (
	"context"
	"fmt"
	"strings"

	"github.com/spf13/cobra"

	"github.com/vecdb/vecdb/client"
	"github.com/vecdb/vecdb/query"
	"github.com/vecdb/vecdb/train"
)

func (a *app) trainCommand() *cobra.Command {
	var field, kind string
	cmd := &cobra.Command{
		Use:   "train",
		Short: "Learn the labels of the documents, or what users like together, now",
		Long: `Learns to classify by the labels of the documents. A server does so by itself
whenever labels have changed enough; this command does it now. Several methods
are tried on labelled documents that are held out, and the best one is kept.
With --kind recommender it learns from events what users like together.`,
		Example: `  vecdb train
  vecdb train --label-field topic -c news
  vecdb train --kind recommender -c movies`,
		Args: exactly(0, ""),
		RunE: func(cmd *cobra.Command, _ []string) error {
			return a.with(reads, func(s *session) error {
				if kind == client.KindRecommender {
					return a.trainRecommender(cmd.Context(), s)
				}
				var h client.Head
				if err := a.train(cmd.Context(), s, client.TrainRequest{Kind: kind, LabelField: field}, &h); err != nil {
					return err
				}
				if a.forScripts() {
					return a.printJSON(h)
				}
				a.renderTable(nil, headRows(h))
				return nil
			})
		},
	}
	cmd.Flags().StringVar(&kind, "kind", client.KindClassifier, "classifier or recommender")
	cmd.Flags().StringVar(&field, "label-field", query.DefaultLabelField, "field that holds the labels")
	return cmd
}

// train has something learnt as a task.
func (a *app) train(ctx context.Context, s *session, r client.TrainRequest, result any) error {
	t, err := s.StartTrain(ctx, a.collection, r)
	if err != nil {
		return err
	}
	return a.await(ctx, s, t, result)
}

// trainRecommender learns what users like together.
func (a *app) trainRecommender(ctx context.Context, s *session) error {
	var b client.Behavior
	if err := a.train(ctx, s, client.TrainRequest{Kind: client.KindRecommender}, &b); err != nil {
		return err
	}
	if a.forScripts() {
		return a.printJSON(b)
	}
	a.renderTable(nil, behaviorRows(&b))
	return nil
}

// behaviorRows are the lines of a table about events and what was learnt from
// them.
func behaviorRows(b *client.Behavior) [][]string {
	rows := [][]string{{"events", fmt.Sprintf("%s, %s, %s", count(b.Events), plural(b.Users, "user"), plural(b.Items, "item"))}}
	switch m := b.Model; {
	case m != nil:
		rows = append(rows, []string{"recommendations", fmt.Sprintf("%s, learnt from %s in %.1f s (version %d)%s", plural(m.Items, "item"), plural(m.Users, "user"), m.Took, b.Version,
			pick(b.Pending, ", there are other events since", ""))})
	case b.Why != "":
		rows = append(rows, []string{"recommendations", "not learnt: " + b.Why})
	}
	return rows
}

// headRows are the lines of a table about what was learnt.
func headRows(h client.Head) [][]string {
	if h.Why != "" {
		return [][]string{{"labels in " + h.LabelField, "not learnt: " + h.Why}}
	}
	rows := [][]string{
		{"labels in " + h.LabelField, fmt.Sprintf("%s, learnt from %s in %.1f s (version %d)%s", plural(h.Labels, "label"), plural(h.Examples, "document"), h.TookSeconds, h.Version,
			pick(h.Pending, ", changed since", ""))},
	}
	if h.Judged == 0 {
		return append(rows, []string{"  " + h.Method, "by default; there are too few documents to compare methods"})
	}
	for _, c := range h.Candidates {
		text := fmt.Sprintf("accuracy %.3f, calibration error %.3f on %s held out%s", c.Accuracy, c.ECE, count(h.Judged), settingText(c))
		if string(c.Method) == h.Method {
			text += "   <- auto"
		}
		rows = append(rows, []string{"  " + string(c.Method), text})
	}
	return rows
}

// settingText tells the settings of a method, behind a comma.
func settingText(c train.Candidate) string {
	switch {
	case c.K > 0:
		return fmt.Sprintf(", k %d, temperature %g", c.K, c.Temperature)
	case c.Setting != nil:
		return fmt.Sprintf(", %v", c.Setting)
	case len(c.Blend) > 0:
		var parts []string
		for _, p := range c.Blend {
			parts = append(parts, fmt.Sprintf("%.2f × (%v)", p.Weight, p.Setting))
		}
		return ", " + strings.Join(parts, " + ")
	}
	return ""
}
