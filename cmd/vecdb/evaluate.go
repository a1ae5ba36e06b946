package main

import (
	"cmp"
	"errors"
	"fmt"
	"os"
	"slices"

	"github.com/spf13/cobra"

	"github.com/vecdb/vecdb/bench"
	"github.com/vecdb/vecdb/client"
	"github.com/vecdb/vecdb/query"
	"github.com/vecdb/vecdb/train"
)

const (
	// maxConfusion is how many labels the confusion matrix may have to be
	// printed; of more the most frequent confusions are.
	maxConfusion = 12
	// maxPairs is how many confusions are printed.
	maxPairs = 10
)

func (a *app) evaluateCommand() *cobra.Command {
	var r client.EvaluateRequest
	var html string
	cmd := &cobra.Command{
		Use:   "evaluate",
		Short: "Tell how well the labels of the documents are found",
		Long: `Has every labelled document labelled by what is learnt from the others, fold by
fold, and prints precision, recall and F1 of each label and which labels are
confused.`,
		Example: `  vecdb evaluate
  vecdb evaluate --folds 10 --method linear --html evaluation.html
  vecdb evaluate --method neighbors --leave-one-out --json`,
		Args: exactly(0, ""),
		RunE: func(cmd *cobra.Command, _ []string) error {
			if html != "" {
				if err := canWrite(html); err != nil {
					return err
				}
			}
			return a.with(reads, func(s *session) error {
				t, err := s.StartEvaluate(cmd.Context(), a.collection, r)
				if err != nil {
					return err
				}
				var report train.Report
				if err := a.await(cmd.Context(), s, t, &report); err != nil {
					return err
				}
				if a.forScripts() {
					err = a.printJSON(report)
				} else {
					a.showEvaluation(report)
				}
				if html == "" || err != nil {
					return err
				}
				if err := writeEvaluation(html, a.collection, report); err != nil {
					return err
				}
				a.note("report written to %s", html)
				return nil
			})
		},
	}
	f := cmd.Flags()
	f.StringVar(&r.LabelField, "label-field", query.DefaultLabelField, "field that holds the labels")
	f.StringVar(&r.Method, "method", "", "neighbors, centroid, linear or auto: what does best in each fold (default auto)")
	f.IntVar(&r.Folds, "folds", train.DefaultFolds, "in how many parts the documents are held out")
	f.BoolVar(&r.LeaveOneOut, "leave-one-out", false, "hold out one document at a time (neighbors and centroid)")
	f.StringVar(&html, "html", "", "write a report with the confusion matrix as a plot to this file")
	return cmd
}

func writeEvaluation(path, title string, r train.Report) error {
	f, err := os.Create(path)
	if err != nil {
		return err
	}
	return errors.Join(bench.WriteEvaluation(f, title, r), f.Close())
}

// showEvaluation prints the report for people.
func (a *app) showEvaluation(r train.Report) {
	var rows [][]string
	line := func(name string, precision, recall, f1 float64, n int) []string {
		return []string{name, decimals(precision, 3), decimals(recall, 3), decimals(f1, 3), count(n)}
	}
	for _, c := range r.Classes {
		rows = append(rows, line(oneLine(c.Label, idWidth), c.Precision, c.Recall, c.F1, c.Support))
	}
	a.renderTable([]string{"label", "precision", "recall", "F1", "documents"}, append(rows, line("(mean)", r.MacroPrecision, r.MacroRecall, r.MacroF1, r.Examples)))
	a.showConfusion(r)
	how := string(r.Method)
	for _, m := range []train.Method{train.Linear, train.Centroid, train.Neighbors} {
		if n := r.Chosen[m]; n > 0 {
			how += fmt.Sprintf(", %s in %s", m, plural(n, "fold"))
		}
	}
	fmt.Fprintf(a.out, "\n%s %.4f ± %.4f   calibration error %.4f   %s\n", a.outStyle().bold("accuracy"), r.Accuracy, r.StandardError, r.ECE,
		a.outStyle().dim(fmt.Sprintf("%s in %s, method %s", plural(r.Examples, "document"), plural(r.Folds, "fold"), how)))
}

// showConfusion prints the matrix, or its largest entries beside the diagonal.
func (a *app) showConfusion(r train.Report) {
	var rows [][]string
	if len(r.Classes) <= maxConfusion {
		header := []string{"true \\ given"}
		for i, c := range r.Classes {
			header = append(header, oneLine(c.Label, fieldWidth))
			row := []string{oneLine(c.Label, idWidth)}
			for _, n := range r.Confusion[i] {
				row = append(row, count(n))
			}
			rows = append(rows, row)
		}
		a.section("confusion", header, rows)
		return
	}
	type pair struct{ of, given, n int }
	var pairs []pair
	for i, row := range r.Confusion {
		for j, n := range row {
			if i != j && n > 0 {
				pairs = append(pairs, pair{i, j, n})
			}
		}
	}
	slices.SortStableFunc(pairs, func(x, y pair) int { return cmp.Compare(y.n, x.n) })
	for _, p := range pairs[:min(len(pairs), maxPairs)] {
		rows = append(rows, []string{oneLine(r.Classes[p.of].Label, idWidth), oneLine(r.Classes[p.given].Label, idWidth), count(p.n)})
	}
	a.section("most confused", []string{"true", "given", "documents"}, rows)
}
