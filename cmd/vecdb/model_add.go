package main

import (
	"fmt"

	"github.com/spf13/cobra"

	"github.com/vecdb/vecdb"
	"github.com/vecdb/vecdb/embedder/hub"
)

func (a *app) addModelCommand() *cobra.Command {
	o := vecdb.NewModel{}
	cmd := &cobra.Command{
		Use:   "add FOLDER|OWNER/NAME",
		Short: "Add a model of your own",
		Long: `Add a text encoder of the BERT, XLM-RoBERTa or MPNet kind: a folder with its
weights as ONNX (model.onnx, model_quantized.onnx, or both), tokenizer.json and
config.json, or the name of a public model, which is fetched. Pooling, prefixes
and lengths are read from the files that come with the model, and it is tried
before it is copied.`,
		Example: `  vecdb model add ./my-model --name mine
  vecdb model add intfloat/e5-small-v2
  vecdb collections create notes --model mine`,
		Args: exactly(1, "a folder, or owner/name"),
		RunE: func(cmd *cobra.Command, args []string) error {
			o.Source, o.Home = args[0], a.home()
			return a.addModel(cmd, o)
		},
	}
	cmd.Flags().StringVar(&o.Name, "name", "", "name that the model gets (default: that of the folder)")
	cmd.Flags().StringVar(&o.Language, "language", "", "en or zh (default: the first in which the model passes its test)")
	return cmd
}

func (a *app) addModel(cmd *cobra.Command, o vecdb.NewModel) error {
	p := a.newFetching()
	defer p.stop()
	o.Progress = p.told
	m, notes, err := vecdb.AddModel(cmd.Context(), o)
	if err != nil {
		return err
	}
	p.stop()
	if a.forScripts() {
		return a.printJSON(m)
	}
	for _, note := range notes {
		a.note("%s", note)
	}
	a.tell("%s: added; %d numbers, %s pooling, %d tokens%s", m.Name, m.Dim, m.Pooling, m.MaxTokens, prefixes(m.QueryPrefix, m.PassagePrefix))
	a.tell("%s", a.outStyle().dim("make a collection with it: vecdb collections create NAME --model "+m.Name))
	return nil
}

func prefixes(query, passage string) string {
	if query == "" && passage == "" {
		return ""
	}
	return fmt.Sprintf(", prefixes %q and %q", query, passage)
}

func (a *app) removeModelCommand() *cobra.Command {
	return &cobra.Command{
		Use: "remove NAME", Short: "Remove a model that was added, with its files", Example: "  vecdb model remove mine",
		Args: exactly(1, "the name of a model"),
		RunE: func(_ *cobra.Command, args []string) error {
			if err := vecdb.RemoveModel(a.home(), args[0]); err != nil {
				return err
			}
			a.tell("%s: removed", args[0])
			return nil
		},
	}
}

// fetching shows a bar for each file that is fetched.
type fetching struct {
	app  *app
	m    *meter
	file string
}

func (a *app) newFetching() *fetching { return &fetching{app: a} }

func (f *fetching) told(e hub.Event) {
	if key := e.File + " from " + e.Source; key != f.file {
		f.stop()
		f.file = key
		f.app.note("%s", key)
	}
	if f.m == nil && e.Total > 0 {
		f.m = f.app.newMeter(e.File, e.Total, bytesProgress)
	}
	if f.m != nil {
		f.m.set(e.Done, 0)
	}
}

func (f *fetching) stop() {
	if f.m != nil {
		f.m.stop()
		f.m = nil
	}
}
