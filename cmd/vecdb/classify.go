package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"strings"

	"github.com/spf13/cobra"

	"github.com/vecdb/vecdb/internal/core"
	"github.com/vecdb/vecdb/internal/records"
	"github.com/vecdb/vecdb/query"
)

const (
	// classifyBatch is how many texts of a file are classified in one request.
	classifyBatch = 64
	// maxReasons is how many neighbors are shown to people.
	maxReasons = 5
)

// classifyFlags are the flags of classify.
type classifyFlags struct {
	labelField     string
	k              int
	temperature    float64
	minProbability float64
	method         string
	anyScope       bool
	filters        []string
	file           string
	truth          string
	input          inputFlags
}

func (o *classifyFlags) request() (query.ClassifyRequest, error) {
	filter, err := parseFilters(o.filters)
	return query.ClassifyRequest{Request: query.Request{Filter: filter}, LabelField: o.labelField, K: o.k,
		Temperature: o.temperature, MinProbability: o.minProbability, Method: query.Method(o.method), AnyScope: o.anyScope}, err
}

func (a *app) classifyCommand() *cobra.Command {
	var o classifyFlags
	cmd := &cobra.Command{
		Use:   "classify TEXT… | --file FILE",
		Short: "Label texts by the labels of the documents",
		Example: `  vecdb classify "my card was swallowed by the machine"
  vecdb classify --file new.csv --jsonl > labels.jsonl
  vecdb classify --file dev.jsonl --truth label      # prints the accuracy`,
		RunE: func(cmd *cobra.Command, args []string) error {
			if (len(args) == 0) == (o.file == "") {
				return usage("%s needs either texts or --file FILE (- is standard input)", cmd.CommandPath())
			}
			if o.truth != "" && o.file == "" {
				return usage("--truth needs --file")
			}
			r, err := o.request()
			if err != nil {
				return err
			}
			return a.with(reads, func(s *session) error {
				if o.file != "" {
					return a.classifyFile(cmd.Context(), s, r, &o)
				}
				return a.classifyTexts(cmd.Context(), s, r, args)
			})
		},
	}
	f := cmd.Flags()
	f.StringVar(&o.labelField, "label-field", query.DefaultLabelField, "field that holds the labels")
	f.IntVarP(&o.k, "k", "k", 0, "how many neighbors vote or are shown (default what does best, else 20)")
	f.Float64Var(&o.temperature, "temperature", 0, "of the neighbors' votes: smaller listens more to the nearest (default what does best, else 0.05)")
	f.Float64Var(&o.minProbability, "min-probability", 0, "abstain when no label is as probable")
	f.StringVar(&o.method, "method", "", "neighbors, centroid, linear or auto: what does best (default auto)")
	f.BoolVar(&o.anyScope, "any-scope", false, "label texts too that are far from all labelled documents")
	f.StringArrayVarP(&o.filters, "filter", "f", nil, filterHelp)
	f.StringVar(&o.file, "file", "", "classify the texts of a file, - is standard input")
	f.StringVar(&o.truth, "truth", "", "field of the file with the right label: prints the accuracy")
	o.input.add(cmd)
	return cmd
}

// classified is a result as --json prints it.
type classified struct {
	ID   string `json:"id,omitempty"`
	Text string `json:"text"`
	query.Classification
	Truth string `json:"truth,omitempty"`
}

func (a *app) classifyTexts(ctx context.Context, s *session, r query.ClassifyRequest, texts []string) error {
	r.Texts = texts
	response, err := s.Classify(ctx, a.collection, r)
	if err != nil {
		return err
	}
	if a.forScripts() {
		list := make([]classified, len(texts))
		for i, c := range response.Results {
			list[i] = classified{Text: texts[i], Classification: c}
		}
		return printAll(a, map[string]any{"results": list, "took_ms": response.Took}, list)
	}
	for i, c := range response.Results {
		a.renderClassification(ctx, s, a.collection, texts[i], c)
	}
	a.renderTook(plural(len(texts), "text"), response.Took)
	return nil
}

// renderClassification prints the label and the neighbors that it comes from.
func (a *app) renderClassification(ctx context.Context, s *session, collection, text string, c query.Classification) {
	st := a.outStyle()
	label := "(abstained)"
	if c.Label != nil {
		label = *c.Label
	} else if c.Reason != "" {
		label = "(abstained: " + strings.ReplaceAll(c.Reason, "_", " ") + ")"
	}
	fmt.Fprintf(a.out, "%s  %.2f %s  %s\n", st.bold(oneLine(label, idWidth)), c.Probability, st.bar(bar(c.Probability, barWidth)),
		oneLine(text, max(a.width()-textWidth(label)-barWidth-10, minText)))
	if a.quiet {
		return
	}
	a.renderReasons(ctx, s, collection, c.Neighbors[:min(len(c.Neighbors), maxReasons)])
}

func (a *app) renderReasons(ctx context.Context, s *session, collection string, neighbors []query.Voter) {
	if len(neighbors) == 0 {
		return
	}
	var rows [][]string
	for _, n := range neighbors {
		rows = append(rows, []string{"  because", fmt.Sprintf("%.3f", n.Score), oneLine(n.Label, fieldWidth), oneLine(n.ID, idWidth), ""})
	}
	const textColumn = 4
	room := a.room(nil, rows, textColumn)
	for i, n := range neighbors {
		// A neighbor that has been deleted since is shown without its text.
		if doc, err := s.Get(ctx, collection, n.ID); err == nil {
			rows[i][textColumn] = oneLine(doc.Text, room)
		}
	}
	a.renderTable(nil, rows)
}

// tally counts the answers for a file.
type tally struct {
	texts, abstained, right, judged, refused int
}

func (a *app) classifyFile(ctx context.Context, s *session, r query.ClassifyRequest, o *classifyFlags) error {
	in, err := a.openInput(ctx, o.file, o.input)
	if err != nil {
		return err
	}
	var t tally
	var whole []classified
	err = eachBatch(in, classifyBatch, func(docs []core.Document) error {
		list, err := a.classifyBatch(ctx, s, r, o, docs, &t)
		if a.json {
			whole = append(whole, list...) // one document cannot be printed in parts
			return err
		}
		return errors.Join(err, a.printClassified(list))
	}, func(bad error) {
		t.refused++
		a.note("%v", bad)
	})
	if err = errors.Join(err, in.Close()); err != nil {
		return err
	}
	return a.printTally(t, o.truth, whole)
}

func (a *app) classifyBatch(ctx context.Context, s *session, r query.ClassifyRequest, o *classifyFlags, docs []core.Document, t *tally) ([]classified, error) {
	r.Texts = make([]string, len(docs))
	for i, d := range docs {
		r.Texts[i] = d.Text
	}
	response, err := s.Classify(ctx, a.collection, r)
	if err != nil {
		return nil, err
	}
	list := make([]classified, len(docs))
	for i, c := range response.Results {
		list[i] = classified{ID: docs[i].ID, Text: docs[i].Text, Classification: c}
		if o.truth != "" {
			list[i].Truth = fieldText(&docs[i], o.truth)
		}
		t.add(list[i])
	}
	return list, nil
}

func (t *tally) add(c classified) {
	t.texts++
	if c.Abstained {
		t.abstained++
	}
	if c.Truth != "" {
		t.judged++
		if c.Label != nil && *c.Label == c.Truth {
			t.right++
		}
	}
}

func (a *app) printClassified(list []classified) error {
	if a.jsonl {
		return printAll(a, nil, list)
	}
	st := a.outStyle()
	for _, c := range list {
		label, mark := "-", ""
		if c.Label != nil {
			label = *c.Label
		}
		if c.Truth != "" {
			mark = pick(label == c.Truth, st.good("✓ "), st.bad("✗ "))
		}
		fmt.Fprintf(a.out, "%s%s  %.2f  %s\n", mark, oneLine(label, idWidth), c.Probability, oneLine(c.Text, max(a.width()-textWidth(label)-10, minText)))
	}
	return nil
}

func (a *app) printTally(t tally, truth string, whole []classified) error {
	if a.json {
		out := map[string]any{"results": whole}
		if truth != "" {
			out["judged"], out["right"], out["accuracy"] = t.judged, t.right, float64(t.right)/float64(max(t.judged, 1))
		}
		return a.printJSON(out)
	}
	parts := []string{plural(t.texts, "text")}
	if t.abstained > 0 {
		parts = append(parts, count(t.abstained)+" abstained")
	}
	if truth != "" {
		parts = append(parts, fmt.Sprintf("accuracy %.4f (%s of %s right)", float64(t.right)/float64(max(t.judged, 1)), count(t.right), count(t.judged)))
	}
	a.note("%s", strings.Join(parts, ", "))
	if t.refused > 0 {
		return partlyError{t.refused}
	}
	return nil
}

// eachBatch calls fn with batches of the documents of in, and bad with each
// record that could not be read.
func eachBatch(in *records.Reader, size int, fn func([]core.Document) error, bad func(error)) error {
	var batch []core.Document
	for {
		rec, err := in.Next()
		var line *records.LineError
		switch {
		case errors.As(err, &line):
			bad(err)
			continue
		case err != nil && !errors.Is(err, io.EOF):
			return err
		case err == nil:
			batch = append(batch, rec.Document)
		}
		if len(batch) == size || err != nil && len(batch) > 0 {
			if err := fn(batch); err != nil {
				return err
			}
			batch = nil
		}
		if err != nil {
			return nil
		}
	}
}
