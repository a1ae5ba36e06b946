package main

import (
	"context"
	"errors"
	"fmt"

	"github.com/spf13/cobra"

	"github.com/vecdb/vecdb"
	"github.com/vecdb/vecdb/client"
	"github.com/vecdb/vecdb/internal/core"
	"github.com/vecdb/vecdb/internal/records"
)

// addFlags are the flags of add.
type addFlags struct {
	input      inputFlags
	collection collectionFlags
	wait       string
	documents  string // the file of the documents of given vectors
	duplicates string
	threshold  float32 // of near duplicates
}

func (a *app) addCommand() *cobra.Command {
	var o addFlags
	cmd := &cobra.Command{
		Use:   "add FILE…",
		Short: "Add the documents of files (- is standard input)",
		Long: `Add the documents of CSV, TSV, JSON, JSON lines, plain text or Debian control
files, gzipped or not. The format, the encoding and the columns of text and id
are guessed and told. Documents without an id get one made from their content,
so that adding a file again replaces its documents. A collection that is not
there yet is created for the language of the first file. A broken record is
reported with its line, and the rest is taken.

Vectors are added from .npy (float32, float64, float16, int8, uint8), .fvecs and
.bvecs files. Ids and fields come from the file that --documents names or from
one of the same name beside (.jsonl, .csv …), a record for each vector in their
order; without one the ids are the numbers of the rows, from 0.`,
		Example: `  vecdb add movies.csv
  vecdb add --text title,body --id isbn -c books books.jsonl.gz
  vecdb add vectors.npy --documents films.jsonl --metric dot
  vecdb add news.jsonl --duplicates skip --duplicate-threshold 0.97
  vecdb add papers.jsonl --long chunk
  zcat news.tsv.gz | vecdb add - --language zh`,
		Args: atLeast(1, "a file"),
		RunE: func(cmd *cobra.Command, args []string) error {
			return a.with(creates, func(s *session) error { return a.addFiles(cmd.Context(), s, args, &o) })
		},
	}
	o.input.add(cmd)
	cmd.Flags().StringVar(&o.documents, "documents", "", "file of the documents that the vectors of a .npy, .fvecs or .bvecs file belong to, in their order")
	o.collection.add(cmd)
	a.addIgnoreMemory(cmd)
	cmd.Flags().StringVar(&o.duplicates, "duplicates", "", "what becomes of texts that are stored under another id: keep, skip, replace or link (default: the collection's policy)")
	cmd.Flags().Float32Var(&o.threshold, "duplicate-threshold", 0, "cosine from which texts count as duplicates too, for instance 0.95 (default: equal texts only)")
	cmd.Flags().StringVar(&o.wait, "wait", "indexed", "how far a batch must have come before the next: durable or indexed")
	return cmd
}

// addFiles adds one file after the other.
func (a *app) addFiles(ctx context.Context, s *session, paths []string, o *addFlags) error {
	refused := 0
	for _, path := range paths {
		sum, err := a.addFile(ctx, s, path, o)
		if err != nil {
			return err
		}
		refused += sum.Refused
		if sum.stored() == 0 && sum.Refused > 0 && len(paths) == 1 {
			return fmt.Errorf("no document of %s could be stored", path)
		}
	}
	a.tell("%s", a.outStyle().dim("next: vecdb search"+a.sameTarget()+` "…"`))
	if refused > 0 {
		return partlyError{refused}
	}
	return nil
}

// sameTarget repeats the flags that lead to the same collection.
func (a *app) sameTarget() string {
	flags := ""
	if a.db != "" {
		flags += " --db " + a.db
	}
	if a.url != "" {
		flags += " --url " + a.url
	}
	if a.collection != "default" {
		flags += " -c " + a.collection
	}
	return flags
}

func (a *app) addFile(ctx context.Context, s *session, path string, o *addFlags) (summary, error) {
	if holdsVectors(path) {
		return a.addVectors(ctx, s, path, o)
	}
	in, err := a.openInput(ctx, path, o.input)
	if err != nil {
		return summary{}, err
	}
	for _, line := range describe(in.Plan()) {
		a.note("%s", line)
	}
	sum, err := a.addInput(ctx, s, in, o)
	return sum, errors.Join(err, in.Close())
}

func (a *app) addInput(ctx context.Context, s *session, in *records.Reader, o *addFlags) (summary, error) {
	return a.addSupply(ctx, s, in, in.Plan(), in.Estimate(), o)
}

// addSupply adds the documents of a supply, about so many; 0 is not known.
func (a *app) addSupply(ctx context.Context, s *session, in supply, plan records.Plan, documents int, o *addFlags) (summary, error) {
	pending, err := a.ensureCollection(ctx, s, plan, o.collection)
	if err != nil {
		return summary{}, err
	}
	if err := a.checkMemory(ctx, s, documents); err != nil {
		return summary{}, err
	}
	m := a.newMeter("add", in.Size(), documentsText)
	sum, err := a.store(ctx, s, a.collection, in, client.AddOptions{Wait: o.wait, Duplicates: o.policy(), Long: o.collection.long}, m)
	if err != nil {
		return sum, a.explainStop(sum, err)
	}
	if pending {
		made, err := s.Collection(ctx, a.collection)
		if err != nil {
			return sum, err
		}
		a.note("  model: %s", modelText(made))
	}
	if err := a.learn(ctx, s); err != nil {
		return sum, err
	}
	if a.forScripts() {
		return sum, a.printJSON(sum)
	}
	sum.print(a)
	if sum.Updated > 0 && plan.ID != "" {
		a.tell("replaced documents had an id that was there before; ids come from %s (--id names another column)", plan.ID)
	}
	return sum, nil
}

// learn waits until the labels are learnt, when the directory is closed
// afterwards; a server learns them by itself.
func (a *app) learn(ctx context.Context, s *session) error {
	if s.db == nil {
		return nil
	}
	c, err := s.db.Collection(a.collection)
	if err != nil {
		return err
	}
	if h, err := c.Train(ctx, ""); err == nil {
		a.note("  learnt %s from %s, %s does best", plural(len(h.Info.Labels), "label"), plural(h.Info.Examples, "document"), h.Info.Method)
	} else if !errors.Is(err, vecdb.ErrInvalid) { // then there is nothing to learn
		return err
	}
	return nil
}

// policy is nil where no flag of it was given.
func (o *addFlags) policy() *core.Duplicates {
	if o.duplicates == "" && o.threshold == 0 {
		return nil
	}
	return &core.Duplicates{Policy: o.duplicates, Threshold: o.threshold}
}

// store runs an import with a meter.
func (a *app) store(ctx context.Context, s *session, collection string, from supply, how client.AddOptions, m *meter) (summary, error) {
	defer m.stop()
	im := newImporter(func(ctx context.Context, docs []core.Document) (client.AddResult, error) {
		return s.AddWith(ctx, collection, docs, how)
	}, m)
	im.sum.Collection = collection
	return im.run(ctx, from)
}

// explainStop tells what is stored when an import ends early.
func (a *app) explainStop(sum summary, err error) error {
	if sum.stored() > 0 {
		a.note("stopped early: %s stored and stay; adding the file again takes the rest", plural(sum.stored(), "document")+pick(sum.stored() == 1, " is", " are"))
	}
	return err
}

// ensureCollection creates the collection when it is not there, for the
// language of the input unless flags say more. Settings of one that is there
// are compared with the flags. It tells whether the model is not chosen yet.
func (a *app) ensureCollection(ctx context.Context, s *session, p records.Plan, o collectionFlags) (pending bool, err error) {
	body, err := o.body(a.precision)
	if err != nil {
		return false, err
	}
	have, err := s.Collection(ctx, a.collection)
	switch {
	case err == nil && sameAs(have, body):
		if have.ModelChoice == client.ChoicePending {
			a.note("  the first texts choose the model of the collection")
			return true, nil
		}
		if have.Language != "" && have.Language != p.Language && have.Model != "" {
			a.note("  note: the texts look like %q, the collection is for %q; another collection might serve them better", p.Language, have.Language)
		}
		return false, nil
	case err != nil && !errors.Is(err, vecdb.ErrNotFound):
		return false, err
	}
	guessed := (body.Language == "" || body.Language == vecdb.LanguageAuto) && body.Model == ""
	if guessed {
		body.Language = p.Language
	}
	if p.Dimension > 0 && len(p.Text) == 0 && guessed {
		body.Language, body.Model, body.Dimension = "", vecdb.NoModel, p.Dimension
	}
	made, _, err := s.CreateCollection(ctx, a.collection, body)
	if err != nil {
		return false, err
	}
	a.note("  new collection %s: language %s, model %s%s", made.Name, pick(made.Language == "", "none", made.Language), modelText(made),
		pick(guessed, "   (change with --language, --model, --precision)", ""))
	a.tellCut(ctx, s, made)
	return false, nil
}

// sameAs tells whether what body asks for is what the collection has. Members
// that are left out ask for nothing.
func sameAs(have client.Collection, body client.CreateCollection) bool {
	same := func(want, is string) bool { return want == "" || want == is }
	return (body.Language == vecdb.LanguageAuto || same(body.Language, have.Language)) && same(body.Model, have.Model) && same(body.Precision, have.Precision) &&
		same(body.Metric, have.Metric) && (body.Dimension == 0 || body.Dimension == have.Dimension) && len(body.Fields) == 0
}
