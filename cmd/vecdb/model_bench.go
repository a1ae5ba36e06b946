package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"runtime"
	"slices"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/spf13/cobra"

	"github.com/vecdb/vecdb"
	"github.com/vecdb/vecdb/bench"
	"github.com/vecdb/vecdb/embedder"
)

// benchModelFlags are the flags of model bench.
type benchModelFlags struct {
	tokens  []int
	threads []int
	seconds float64
	text    string
	lines   []string
}

func (a *app) benchModelCommand() *cobra.Command {
	var o benchModelFlags
	cmd := &cobra.Command{
		Use:   "bench [NAME]",
		Short: "Measure how fast and how faithful a model is on this machine",
		Long: `Measure a model: texts and tokens a second by the length of texts, on one thread
and on all cores; the time of a single query; the share of what this core can
multiply that the model's arithmetic reaches; and how near its vectors are to
those of float32, where that is on this machine (vecdb setup --precision fp32).

Rates by CPU second hardly depend on what else the machine does.`,
		Example: `  vecdb model bench
  vecdb model bench bge-small-zh-v1.5 --precision bf16
  vecdb model bench --model-runtime onnx --threads 1 --json
  vecdb model bench --tokens 16,128,512 --text mine.txt
  vecdb model bench --lines questions.txt --lines articles.txt`,
		Args: cobra.MaximumNArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			return a.benchModel(cmd.Context(), strings.Join(args, ""), o)
		},
	}
	f := cmd.Flags()
	f.IntSliceVar(&o.tokens, "tokens", []int{12, 92, 256}, "lengths of texts, in tokens")
	f.IntSliceVar(&o.threads, "threads", nil, "numbers of threads (default: 1 and one a core)")
	f.Float64Var(&o.seconds, "seconds", 1, "how long each point is measured, at least")
	f.StringVar(&o.text, "text", "", "file of ordinary text that texts are cut from (default: texts that come with vecdb)")
	f.StringArrayVar(&o.lines, "lines", nil, "file of texts, one a line, to measure as they are instead of --tokens; may be given several times")
	return cmd
}

// check refuses what cannot be measured, and fills in defaults.
func (o *benchModelFlags) check(most int) error {
	if len(o.threads) == 0 {
		o.threads = slices.Compact([]int{1, runtime.NumCPU()})
	}
	for _, n := range o.threads {
		if n < 1 || n > 1024 {
			return usage("--threads is 1 to 1024, not %d", n)
		}
	}
	for _, n := range o.tokens {
		if n < 4 || n > most {
			return usage("--tokens is 4 to %d with this model, not %d", most, n)
		}
	}
	if !(o.seconds > 0 && o.seconds <= 3600) {
		return usage("--seconds is above 0 and up to 3600, not %g", o.seconds)
	}
	return nil
}

func (a *app) benchModel(ctx context.Context, name string, o benchModelFlags) error {
	if a.serverURL() != "" {
		return usage("a model is measured on this machine; leave --url out")
	}
	model, err := a.modelNamed(name)
	if err != nil {
		return err
	}
	precision, err := model.Precision(a.precision)
	if err != nil {
		return err
	}
	if err := o.check(model.MaxTokens); err != nil {
		return err
	}
	text, err := benchText(model.Language, o.text)
	if err != nil {
		return err
	}
	samples, err := linesOf(o.lines)
	if err != nil {
		return err
	}
	by, err := a.runtimeOf(ctx, model, precision)
	if err != nil {
		return err
	}
	m := a.newMeter("measure", 0, func(m *meter) string { return fmt.Sprintf("step %d", m.units) })
	defer m.stop()
	b := bench.ModelOptions{
		Model: model, Precision: precision, Runtime: by, Text: text, Tokens: o.tokens, Samples: samples, Threads: o.threads, For: time.Duration(o.seconds * float64(time.Second)),
		Open: func(threads int) (bench.Embed, func() error, error) {
			return a.openModelFor(model, precision, by, threads)
		},
		Progress: func(done, _ int) { m.set(0, done+1) },
	}
	if precision != embedder.FP32 {
		exact, finish, err := a.openModelFor(model, embedder.FP32, vecdb.RuntimeONNX, runtime.NumCPU())
		if err != nil {
			return err
		}
		defer func() { _ = finish() }()
		if _, err := exact(ctx, embedder.Passage, []string{"a"}); err == nil {
			b.Exact = exact
		} else if !errors.Is(err, vecdb.ErrNoModel) && !errors.Is(err, vecdb.ErrNoRuntime) {
			return err
		}
	}
	r, err := bench.MeasureModel(ctx, b)
	m.stop()
	if err != nil {
		return err
	}
	if a.forScripts() {
		return a.printJSON(r)
	}
	a.showModelReport(r)
	return nil
}

// runtimeOf returns the runtime that computes a model here: the one that is asked
// for, or the first of those that can.
func (a *app) runtimeOf(ctx context.Context, model embedder.Model, p embedder.Precision) (string, error) {
	asked := a.options().ModelRuntime
	tries := []string{vecdb.RuntimeONNX, vecdb.RuntimeNative}
	switch {
	case asked == vecdb.RuntimeNative || asked == vecdb.RuntimeONNX:
		tries = []string{asked}
	case vecdb.PrefersNative(asked, p):
		slices.Reverse(tries)
	}
	var first error
	for _, by := range tries {
		embed, finish, err := a.openModelFor(model, p, by, 1)
		if err != nil {
			return "", err
		}
		_, err = embed(ctx, embedder.Passage, []string{"a"})
		if err = errors.Join(err, finish()); err == nil {
			return by, nil
		}
		if first == nil {
			first = err
		}
	}
	return "", first
}

// openModelFor returns what embeds with a model on so many threads, and what frees
// it.
func (a *app) openModelFor(model embedder.Model, p embedder.Precision, by string, threads int) (bench.Embed, func() error, error) {
	options := a.options()
	options.InMemory, options.ModelRuntime, options.Threads = true, by, threads
	db, err := vecdb.Open("", options)
	if err != nil {
		return nil, nil, err
	}
	return func(ctx context.Context, kind embedder.Kind, texts []string) (embedder.Result, error) {
		r, _, err := db.Embed(ctx, model.Name, string(p), kind, texts)
		return r, err
	}, db.Close, nil
}

// benchText returns the text of a file, or what comes with vecdb.
func benchText(language, path string) (string, error) {
	if path != "" {
		return readText(path)
	}
	c, err := builtin(language)
	if err != nil {
		return "", err
	}
	var b strings.Builder
	for _, d := range c.docs {
		b.WriteString(d.Text)
		b.WriteString(" ")
	}
	return b.String(), nil
}

func readText(path string) (string, error) {
	data, err := os.ReadFile(path)
	switch {
	case err != nil:
		return "", err
	case !utf8.Valid(data):
		return "", usage("%s is not UTF-8", path)
	case len(strings.Fields(string(data))) == 0:
		return "", usage("there is no text in %s", path)
	}
	return string(data), nil
}

// linesOf returns the lines of each of some files.
func linesOf(paths []string) (samples [][]string, err error) {
	for _, path := range paths {
		text, err := readText(path)
		if err != nil {
			return nil, err
		}
		var lines []string
		for line := range strings.Lines(text) {
			if line = strings.TrimSpace(line); line != "" {
				lines = append(lines, line)
			}
		}
		samples = append(samples, lines)
	}
	return samples, nil
}

func (a *app) showModelReport(r *bench.ModelReport) {
	a.tell("%s (%s): %d numbers, computed by %s", r.Model, r.Precision, r.Dim, pick(r.Runtime == vecdb.RuntimeNative, "native ("+r.MatrixKernels+")", "ONNX Runtime"))
	a.tell("%s, %s, %s, %s", r.CPU, plural(r.Cores, "core"), r.Go, r.Date)
	header := []string{"tokens", "threads", "texts/s", "tokens/s", "texts/CPU s", "query p50 µs", "p99 µs", "GOP/CPU s"}
	if r.LimitGOPS > 0 {
		header = append(header, "of limit")
	}
	var rows [][]string
	for _, p := range r.Points {
		row := []string{decimals(p.Tokens, 1), count(p.Threads) + pick(p.TimesOneThread > 0, fmt.Sprintf(" (%.2f ×)", p.TimesOneThread), ""), whole(p.TextsPerSecond), whole(p.TokensPerSecond),
			whole(p.TextsPerCPUSecond), whole(p.P50), whole(p.P99), whole(p.GOPS)}
		if r.LimitGOPS > 0 {
			row = append(row, fmt.Sprintf("%.0f %%", 100*p.ShareOfLimit))
		}
		rows = append(rows, row)
	}
	a.section("speed", header, rows)
	if r.LimitGOPS > 0 {
		a.tell("limit: %s GOP/s on one core, in products of matrices that lie in its cache", whole(r.LimitGOPS))
	}
	switch {
	case r.Fidelity != nil:
		a.tell("cosine to float32 over %s: mean %.5f, least %.5f", plural(r.Fidelity.Texts, "text"), r.Fidelity.MeanCosine, r.Fidelity.LeastCosine)
	case r.Precision != string(embedder.FP32):
		a.note("float32 is not here, so that vectors are not compared with it; get it with: vecdb setup --precision fp32, vecdb setup --model-runtime onnx")
	}
}
