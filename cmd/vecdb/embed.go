package main

import (
	"context"
	"encoding/base64"
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"math"
	"strings"

	"github.com/spf13/cobra"

	"github.com/vecdb/vecdb"
	"github.com/vecdb/vecdb/client"
	"github.com/vecdb/vecdb/embedder"
	"github.com/vecdb/vecdb/internal/core"
)

// embedChunk is how many texts, and embedBytes how many bytes of them, are
// embedded at once: enough to fill all cores with batches of like length, and no
// more than a server takes.
const (
	embedChunk = 2048
	embedBytes = 8 << 20
)

// embedFlags are the flags of embed.
type embedFlags struct {
	model      string
	as         string
	dimensions int
	out        string
}

func (a *app) embedCommand() *cobra.Command {
	var o embedFlags
	cmd := &cobra.Command{
		Use:   "embed [FILE]",
		Short: "Turn lines of text into vectors",
		Long: `Turn texts, one a line, into vectors: of a file, or of standard input.

The vectors go to a file with --out, as a matrix of float32 in NumPy's format
(.npy) or as JSON lines (.jsonl), else as JSON lines to standard output. Row i
belongs to line i. No database is needed.`,
		Example: `  vecdb embed --out vectors.npy < lines.txt
  vecdb embed questions.txt --as query --out questions.npy
  echo "a father looks for his son" | vecdb embed
  vecdb embed news.txt --model bge-small-zh-v1.5 --dimensions 256 --out news.npy`,
		Args: cobra.MaximumNArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			path := "-"
			if len(args) > 0 {
				path = args[0]
			}
			return a.embed(cmd.Context(), path, o)
		},
	}
	f := cmd.Flags()
	f.StringVar(&o.model, "model", "", "model that makes the vectors (default: that of English)")
	f.StringVar(&o.as, "as", "document", "what the texts are: document or query; some models tell them apart")
	f.IntVar(&o.dimensions, "dimensions", 0, "cut vectors to their first so many numbers (Matryoshka) and scale them to unit length")
	f.StringVar(&o.out, "out", "", "file of the vectors, .npy or .jsonl (default: JSON lines on standard output)")
	return cmd
}

// textEmbedder embeds texts somewhere and tells how many of them were cut.
type textEmbedder func(ctx context.Context, texts []string) (vectors [][]float32, cut int, err error)

// embed embeds the lines of a file.
func (a *app) embed(ctx context.Context, path string, o embedFlags) (err error) {
	kind := embedder.Passage
	switch o.as {
	case "document":
	case "query":
		kind = embedder.Query
	default:
		return usage("--as is document or query, not %q", o.as)
	}
	in, size, err := a.openLines(ctx, path)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, in.Close()) }()
	sink, err := a.vectorSink(o.out)
	if err != nil {
		return err
	}
	defer sink.abandon()
	do, finish, err := a.textEmbedder(kind, o)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, finish()) }()

	m := a.newMeter("embed", size, func(m *meter) string { return fmt.Sprintf("%s texts  %.0f texts/s", count(m.units), m.rate()) })
	defer m.stop()
	lines := newLineReader(in)
	done, shortened := 0, 0
	for {
		texts, err := lines.next(embedChunk, embedBytes)
		if err != nil {
			return err
		}
		if len(texts) == 0 {
			break
		}
		vecs, cut, err := do(ctx, texts)
		if err != nil {
			return atLine(err, done)
		}
		if err := sink.write(texts, vecs); err != nil {
			return err
		}
		done, shortened = done+len(texts), shortened+cut
		m.set(lines.read, done)
	}
	m.stop()
	if done == 0 {
		return core.Invalid("", "give texts, one a line", "there is no text in %s", path)
	}
	if err := sink.close(); err != nil {
		return err
	}
	if shortened > 0 {
		a.note("cut: %s; what is behind the model's longest input is not in the vectors", plural(shortened, "text"))
	}
	if o.out != "" {
		a.note("%s in %s", plural(done, "vector"), o.out)
	}
	return nil
}

// textEmbedder returns what embeds: the server that the flags name, or this
// process.
func (a *app) textEmbedder(kind embedder.Kind, o embedFlags) (textEmbedder, func() error, error) {
	if a.serverURL() != "" {
		if a.precision != "" {
			return nil, nil, usage("a server chooses the precision itself; leave --precision out")
		}
		s, err := a.connect(reads)
		if err != nil {
			return nil, nil, err
		}
		r := client.EmbeddingRequest{Model: o.model, Dimensions: o.dimensions, EncodingFormat: "base64", InputType: o.as}
		return func(ctx context.Context, texts []string) ([][]float32, int, error) {
			return embedAt(ctx, s, r, texts)
		}, s.close, nil
	}
	model, err := a.modelNamed(o.model)
	if err != nil {
		return nil, nil, err
	}
	if o.dimensions < 0 || o.dimensions > model.Dim {
		return nil, nil, usage("--dimensions is 1 to %d with this model, not %d", model.Dim, o.dimensions)
	}
	options := a.options()
	options.InMemory = true
	db, err := vecdb.Open("", options)
	if err != nil {
		return nil, nil, err
	}
	return func(ctx context.Context, texts []string) ([][]float32, int, error) {
		r, _, err := db.Embed(ctx, o.model, a.precision, kind, texts)
		if err != nil {
			return nil, 0, err
		}
		cut := 0
		for i, u := range r.Usage {
			if u.Used < u.Total {
				cut++
			}
			if o.dimensions > 0 {
				r.Vectors[i] = core.Shorten(r.Vectors[i], o.dimensions)
			}
		}
		return r.Vectors, cut, nil
	}, db.Close, nil
}

// embedAt asks a server for the vectors of texts, and how many of these were cut.
func embedAt(ctx context.Context, s *session, r client.EmbeddingRequest, texts []string) (out [][]float32, cut int, err error) {
	if r.Input, err = json.Marshal(texts); err != nil {
		return nil, 0, err
	}
	got, err := s.Embeddings(ctx, r)
	if err != nil {
		return nil, 0, err
	}
	if len(got.Data) != len(texts) {
		return nil, 0, fmt.Errorf("the server has sent %d vectors for %d texts", len(got.Data), len(texts))
	}
	out = make([][]float32, len(texts))
	for i, d := range got.Data {
		packed, _ := d.Embedding.(string)
		raw, err := base64.StdEncoding.DecodeString(packed)
		if err != nil || len(raw) == 0 || len(raw)%4 != 0 {
			return nil, 0, errors.New("the server has sent a vector that is not in base64")
		}
		out[i] = make([]float32, len(raw)/4)
		for j := range out[i] {
			out[i][j] = math.Float32frombits(binary.LittleEndian.Uint32(raw[4*j:]))
		}
	}
	return out, len(got.Truncated), nil
}

// atLine names the line of a text that an error is about.
func atLine(err error, before int) error {
	var in *core.InputError
	var i int
	if errors.As(err, &in) {
		pointer := strings.TrimPrefix(in.Pointer, "/input")
		if n, scanErr := fmt.Sscanf(pointer, "/%d", &i); n == 1 && scanErr == nil {
			return fmt.Errorf("line %d: %w", before+i+1, err)
		}
	}
	return err
}
