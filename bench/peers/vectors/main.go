// The program vectors makes the files that indexes are measured on: base.npy
// and queries.npy, embeddings of real sentences, float32 and of unit length.
//
// The sentences are those of the package descriptions that this machine's
// package manager knows, or the lines of files given by -text. No sentence
// occurs twice, and the descriptions that queries are taken from give nothing
// to the base. Where the sentences are too few for -count, spans are added:
// neighbouring sentences together, and clauses of sentences. They are real
// texts too, but some overlap, which makes the neighbourhoods denser than
// those of sentences alone.
//
// With -models a,b the embeddings of two models are joined, each with half of
// the weight, so that the inner product of two joined vectors is the mean of
// the models' cosines; two models of 384 numbers make 768.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"math"
	"os"
	"os/signal"
	"path/filepath"
	"strings"
	"time"

	"github.com/vecdb/vecdb"
	"github.com/vecdb/vecdb/bench/vectors"
	"github.com/vecdb/vecdb/embedder"
)

// chunk is how many texts are embedded at once.
const chunk = 4096

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	err := run(ctx)
	stop()
	if err != nil {
		fmt.Fprintln(os.Stderr, "vectors:", err)
		os.Exit(1)
	}
}

func run(ctx context.Context) error {
	out := flag.String("out", "build/peers/vectors", "folder of the files")
	count := flag.Int("count", 50_000, "vectors of the base")
	asked := flag.Int("queries", 1000, "vectors of the queries")
	models := flag.String("models", "all-MiniLM-L6-v2", "one model, or several to join, with commas")
	text := flag.String("text", "", "files of one text a line, with commas, in place of the package descriptions")
	words := flag.Int("words", 0, "words of the longest text; where there are too few, windows of as many words are added (0: any length)")
	flag.Parse()
	if *words < 0 {
		return fmt.Errorf("-words %d: a text cannot have fewer than no words", *words)
	}

	var sources []source
	var err error
	if *text != "" {
		sources, err = fileSources(strings.Split(*text, ","))
	} else {
		sources, err = packageSources(ctx)
	}
	if err != nil {
		return err
	}
	base, queries := choose(sources, *count, *asked, *words)
	if len(base) < *count || len(queries) < *asked {
		return fmt.Errorf("there are %d different texts for the base and %d for queries; ask for fewer with -count and -queries, or add files with -text", len(base), len(queries))
	}
	if err := os.MkdirAll(*out, 0o755); err != nil {
		return err
	}
	db, err := vecdb.Open("", vecdb.Options{InMemory: true})
	if err != nil {
		return err
	}
	e := &joined{db: db, models: strings.Split(*models, ",")}
	err = e.write(ctx, filepath.Join(*out, "queries.npy"), queries)
	if err == nil {
		err = e.write(ctx, filepath.Join(*out, "base.npy"), base)
	}
	return errors.Join(err, db.Close())
}

// joined embeds texts with several models and joins their vectors.
type joined struct {
	db     *vecdb.DB
	models []string
}

// write embeds texts into a file, which appears when it is complete.
func (j *joined) write(ctx context.Context, path string, texts []string) error {
	if len(texts) == 0 {
		return fmt.Errorf("no texts for %s", path)
	}
	w, err := vectors.Create(path)
	if err != nil {
		return err
	}
	defer w.Abandon()
	begin := time.Now()
	for at := 0; at < len(texts); at += chunk {
		part := texts[at:min(at+chunk, len(texts))]
		embedded, err := j.embed(ctx, part)
		if err != nil {
			return err
		}
		if err := w.Write(embedded); err != nil {
			return err
		}
		done := at + len(part)
		fmt.Fprintf(os.Stderr, "%s: %d of %d, %.0f a second\n", filepath.Base(path), done, len(texts), float64(done)/time.Since(begin).Seconds())
	}
	return w.Close()
}

func (j *joined) embed(ctx context.Context, texts []string) ([][]float32, error) {
	out := make([][]float32, len(texts))
	weight := float32(1 / math.Sqrt(float64(len(j.models))))
	for _, model := range j.models {
		r, _, err := j.db.Embed(ctx, model, "", embedder.Passage, texts)
		if err != nil {
			return nil, err
		}
		for i, v := range r.Vectors {
			for _, x := range v {
				out[i] = append(out[i], x*weight)
			}
		}
	}
	return out, nil
}
