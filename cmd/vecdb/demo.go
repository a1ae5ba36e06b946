package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"github.com/spf13/cobra"

	"github.com/vecdb/vecdb"
	"github.com/vecdb/vecdb/client"
	"github.com/vecdb/vecdb/query"
	"github.com/vecdb/vecdb/server"
)

const (
	demoDir     = "demo-data"
	demoMain    = "demo"
	demoChinese = "demo-zh"
	demoState   = "demo.json" // in the database directory
	demoHits    = 3
	// demoLimit is how many documents of a large corpus are taken by default.
	demoLimit = 20_000
)

// demoFlags are the flags of demo.
type demoFlags struct {
	file  string
	limit int
	serve bool
	addr  string
	input inputFlags
}

func (a *app) demoCommand() *cobra.Command {
	var o demoFlags
	cmd := &cobra.Command{
		Use:   "demo",
		Short: "Ingest real text, ask it some questions, and serve it",
		Long: `Show what vecdb does on real text: a file of yours (--file), else the package
descriptions that apt-cache prints on this machine, else texts that come with
vecdb; and a few Chinese texts besides. What has been ingested is kept in
./demo-data (or --db), and a second run starts at once.`,
		Example: `  vecdb demo
  vecdb demo --serve
  vecdb demo --file movies.csv --limit 0`,
		Args: exactly(0, ""),
		RunE: func(cmd *cobra.Command, _ []string) error {
			if a.url != "" {
				return usage("demo works on a directory (--db), not on a server")
			}
			if a.db == "" {
				a.db = demoDir
			}
			return a.demo(cmd.Context(), &o)
		},
	}
	f := cmd.Flags()
	f.StringVar(&o.file, "file", "", "use the documents of this file")
	f.IntVar(&o.limit, "limit", demoLimit, "how many documents at most, 0 for all")
	f.BoolVar(&o.serve, "serve", false, "leave the server running afterwards")
	f.StringVar(&o.addr, "addr", defaultAddr, "address of the server; when it is taken, the next free port")
	o.input.add(cmd)
	return cmd
}

func (a *app) demo(ctx context.Context, o *demoFlags) error {
	own, err := a.demoCorpus(ctx, o)
	if err != nil {
		return err
	}
	chinese, err := builtin("zh")
	if err != nil {
		return err
	}
	s, err := a.connect(creates)
	if err != nil {
		return err
	}
	return errors.Join(a.runDemo(ctx, s, own, chinese, o), s.close())
}

func (a *app) runDemo(ctx context.Context, s *session, own, chinese *corpus, o *demoFlags) error {
	if err := a.ingestDemo(ctx, s, demoMain, own); err != nil {
		return err
	}
	if err := a.ingestDemo(ctx, s, demoChinese, chinese); err != nil {
		return err
	}
	if err := a.askDemo(ctx, s, own, chinese); err != nil {
		return err
	}
	if o.serve {
		keys, err := a.apiKeys()
		if err != nil {
			return err
		}
		return a.serve(ctx, s.db, server.Options{Keys: keys, Logger: a.logger()}, o.addr, true, false)
	}
	a.tell("\nnow try:\n  vecdb search --db %s -c %s \"…\"\n  vecdb classify --db %s -c %s \"我的快递还没到\"\n  vecdb serve --db %s", a.db, demoMain, a.db, demoChinese, a.db)
	return nil
}

// demoCorpus chooses the texts.
func (a *app) demoCorpus(ctx context.Context, o *demoFlags) (*corpus, error) {
	if o.limit < 0 {
		return nil, usage("--limit must not be negative")
	}
	if o.file != "" {
		c, err := a.fileCorpus(ctx, o.file, o.limit, o.input)
		return c, err
	}
	c, err := a.packageCorpus(ctx, o.limit)
	if err != nil || c != nil {
		return c, err
	}
	return builtin("en")
}

// demoMark tells what a collection of the demo holds.
type demoMark struct {
	Fingerprint string `json:"fingerprint"`
	Documents   int    `json:"documents"`
}

// ingestDemo stores a corpus unless the collection holds just that.
func (a *app) ingestDemo(ctx context.Context, s *session, name string, c *corpus) error {
	path := filepath.Join(a.db, demoState)
	marks := readMarks(path)
	fingerprint := c.fingerprint(a.precision)
	have, err := s.Collection(ctx, name)
	switch {
	case err == nil && marks[name] == demoMark{fingerprint, have.Documents}:
		a.tell("%s: %s, ingested before", c.about, plural(have.Documents, "document"))
		return nil
	case err == nil:
		// What is there came from other texts or was interrupted.
		if err := s.DropCollection(ctx, name); err != nil {
			return err
		}
	case !errors.Is(err, vecdb.ErrNotFound):
		return err
	}
	a.tell("%s: %s", c.about, plural(len(c.docs), "document"))
	for _, n := range c.notes {
		a.note("%s", n)
	}
	if _, _, err := s.CreateCollection(ctx, name, client.CreateCollection{Language: c.language, Precision: a.precision}); err != nil {
		return err
	}
	sum, err := a.store(ctx, s, name, c, client.AddOptions{Wait: "indexed"}, a.newMeter("ingest", c.Size(), documentsText))
	if err != nil {
		return a.explainStop(sum, err)
	}
	if !a.forScripts() {
		sum.print(a)
	}
	stored, err := s.Collection(ctx, name)
	if err != nil {
		return err
	}
	marks[name] = demoMark{fingerprint, stored.Documents}
	return writeMarks(path, marks)
}

// readMarks returns the marks, none when they are missing or unreadable: then
// the texts are ingested again.
func readMarks(path string) map[string]demoMark {
	marks := make(map[string]demoMark)
	data, err := os.ReadFile(path)
	if err != nil || json.Unmarshal(data, &marks) != nil || marks == nil {
		return make(map[string]demoMark)
	}
	return marks
}

func writeMarks(path string, marks map[string]demoMark) error {
	data, err := json.MarshalIndent(marks, "", "  ")
	if err != nil {
		return err
	}
	return os.WriteFile(path, append(data, '\n'), 0o644)
}

// askDemo prints the answers to the queries of both corpora, and one
// classification.
func (a *app) askDemo(ctx context.Context, s *session, own, chinese *corpus) error {
	if len(own.queries) == 0 {
		if err := a.askLike(ctx, s, own); err != nil {
			return err
		}
	}
	for _, c := range []struct {
		name string
		*corpus
	}{{demoMain, own}, {demoChinese, chinese}} {
		for _, text := range c.queries {
			if err := a.askOne(ctx, s, c.name, c.field, text, query.Request{Text: text, Limit: demoHits}); err != nil {
				return err
			}
		}
	}
	return a.classifyDemo(ctx, s)
}

// askLike asks for what is like three documents of a file that nothing is known
// about.
func (a *app) askLike(ctx context.Context, s *session, own *corpus) error {
	page, err := s.List(ctx, demoMain, "", 3)
	if err != nil {
		return err
	}
	for _, doc := range page.Documents {
		about := "like " + oneLine(doc.ID, idWidth) + ": " + oneLine(doc.Text, a.width()-idWidth-20)
		if err := a.askOne(ctx, s, demoMain, own.field, about, query.Request{ID: doc.ID, Limit: demoHits}); err != nil {
			return err
		}
	}
	return nil
}

func (a *app) askOne(ctx context.Context, s *session, collection, field, about string, r query.Request) error {
	response, err := s.Search(ctx, collection, r)
	if err != nil {
		return err
	}
	if a.forScripts() {
		return a.printJSON(map[string]any{"collection": collection, "query": about, "hits": response.Hits, "took_ms": response.Took})
	}
	fmt.Fprintf(a.out, "\n%s\n", a.outStyle().bold("» "+about))
	a.renderHits(response.Hits, strings.Fields(field), false)
	a.renderTook(plural(len(response.Hits), "hit"), response.Took)
	return nil
}

// classifyDemo labels a Chinese question by its neighbors.
func (a *app) classifyDemo(ctx context.Context, s *session) error {
	const text = "包裹寄丢了，谁来赔？"
	response, err := s.Classify(ctx, demoChinese, query.ClassifyRequest{Request: query.Request{Text: text}, K: 10})
	if err != nil {
		return err
	}
	if a.forScripts() {
		return a.printJSON(map[string]any{"collection": demoChinese, "text": text, "results": response.Results, "took_ms": response.Took})
	}
	fmt.Fprintf(a.out, "\n%s\n", a.outStyle().bold("» classify "+text))
	a.renderClassification(ctx, s, demoChinese, text, response.Results[0])
	a.renderTook("1 text", response.Took)
	return nil
}
