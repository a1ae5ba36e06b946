package main

import (
	"fmt"

	"github.com/spf13/cobra"

	"github.com/vecdb/vecdb/client"
	"github.com/vecdb/vecdb/query"
	"github.com/vecdb/vecdb/train"
)

func (a *app) trainCommand() *cobra.Command {
	var field string
	cmd := &cobra.Command{
		Use:   "train",
		Short: "Learn the labels of the documents now",
		Long: `Learns to classify by the labels of the documents. A server does so by itself
whenever labels have changed enough; this command does it now. Several methods
are tried on labelled documents that are held out, and the best one is kept.`,
		Example: `  vecdb train
  vecdb train --label-field topic -c news`,
		Args: exactly(0, ""),
		RunE: func(cmd *cobra.Command, _ []string) error {
			return a.with(reads, func(s *session) error {
				h, err := s.Train(cmd.Context(), a.collection, client.TrainRequest{LabelField: field})
				if err != nil {
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
	cmd.Flags().StringVar(&field, "label-field", query.DefaultLabelField, "field that holds the labels")
	return cmd
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
	switch s := c.Setting; {
	case c.K > 0:
		return fmt.Sprintf(", k %d, temperature %g", c.K, c.Temperature)
	case s != nil:
		return fmt.Sprintf(", words %g, vector %g, C %g", s.Terms, s.Vector, s.C)
	}
	return ""
}
