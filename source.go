package vecdb

import (
	"context"
	"fmt"
	"maps"
	"slices"

	"github.com/vecdb/vecdb/answers"
	"github.com/vecdb/vecdb/embedder"
	"github.com/vecdb/vecdb/internal/core"
	"github.com/vecdb/vecdb/query"
)

// source is what the query engine sees of a collection.
type source struct{ c *Collection }

var _ query.Source = source{}

// Embed embeds texts as queries with the collection's model.
func (s source) Embed(ctx context.Context, texts []string) (query.Embedded, error) {
	r, err := s.c.embed(ctx, embedder.Query, texts)
	if err != nil {
		return query.Embedded{}, err
	}
	return query.Embedded{Vectors: r.Vectors, Tokenize: r.Tokenize, Run: r.Run}, nil
}

// EmbedPassages embeds texts with the collection's model as documents are.
func (s source) EmbedPassages(ctx context.Context, texts []string) ([][]float32, error) {
	r, err := s.c.embed(ctx, embedder.Passage, texts)
	return r.Vectors, err
}

// Words asks the index of words.
func (s source) Words(text string) query.Words { return s.c.applier.words.Prepare(text) }

// Documents reads documents from the store.
func (s source) Documents(ctx context.Context, ords []core.Ord, withVectors bool) ([]*core.Document, error) {
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	return s.c.stored.Documents(ords, withVectors)
}

// Vectors reads vectors of documents from the store.
func (s source) Vectors(ctx context.Context, ords []core.Ord) ([][]float32, error) {
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	return s.c.stored.VectorsAt(ords)
}

// Ordinals looks ids up in the index of fields, where that has come as far as the
// store, and those that it does not know in the store.
func (s source) Ordinals(ctx context.Context, ids []string) ([]core.Ord, error) {
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	if s.c.applier.position() < s.c.stored.LastSeq() {
		return s.c.stored.Ords(ids)
	}
	ords := s.c.fields.Ords(ids)
	var unknown []string
	for i, ord := range ords {
		if ord == core.NoOrd {
			unknown = append(unknown, ids[i])
		}
	}
	if len(unknown) == 0 {
		return ords, nil
	}
	found, err := s.c.stored.Ords(unknown)
	if err != nil {
		return nil, err
	}
	for i := range ords {
		if ords[i] == core.NoOrd {
			ords[i], found = found[0], found[1:]
		}
	}
	return ords, nil
}

// Lookup asks the index of fields.
func (s source) Lookup(cond core.Condition) (*core.Set, error) { return s.c.fields.Lookup(cond) }

// Facet asks the index of fields.
func (s source) Facet(field string, within *core.Set, limit int) ([]core.FacetValue, int) {
	return s.c.fields.Facet(field, within, limit)
}

// Buckets asks the index of fields.
func (s source) Buckets(field string, within *core.Set, of func(any, []int64) []int64) map[int64]int {
	return s.c.fields.Buckets(field, within, of)
}

// Values asks the index of fields.
func (s source) Values(field string, ords []core.Ord, each func(i int, v any)) error {
	if s.c.Info().Fields[field] == "text" {
		return core.Invalid("", "declare it a keyword, or use another field", "the field %.80q is declared text, which is searched for and has no order", field)
	}
	return s.c.fields.Values(field, ords, each)
}

// Several asks the index of fields.
func (s source) Several(field string) *core.Set { return s.c.fields.Several(field) }

// Ordered asks the index of fields.
func (s source) Ordered(field string, from any, falls bool, each func([]core.Ord) bool) {
	s.c.fields.Ordered(field, from, falls, each)
}

// Identity returns what no other collection has.
func (s source) Identity() string { return s.c.identity() }

// Answers returns the feedback and the calibration of a field of answers.
func (s source) Answers(answerField string) (*answers.Memory, answers.Fitted) {
	return s.c.answerer.memory, s.c.answerer.fitted(answerField)
}

// FieldNames asks the index of fields, and the declaration.
func (s source) FieldNames() []string {
	return slices.AppendSeq(s.c.fields.Names(), maps.Keys(s.c.Info().Fields))
}

// model returns the collection's model, opened.
func (c *Collection) model(ctx context.Context) (embedder.Embedder, error) {
	info := c.Info()
	switch {
	case info.Pending():
		return nil, c.errPending("/text")
	case info.Model == "":
		return nil, core.Invalid("/text", "give vectors, or make a collection with a model",
			"collection %s takes vectors only", c.Name())
	}
	emb, err := c.db.models.get(ctx, info.Model, info.Precision)
	if err == nil && emb.Dim() < info.Dim {
		err = fmt.Errorf("model %s has %d dimensions, collection %s has %d: %w", info.Model, emb.Dim(), c.Name(), info.Dim, ErrDimension)
	}
	return emb, err
}

// embed embeds texts with the collection's model and cuts the vectors to the
// collection's dimension.
func (c *Collection) embed(ctx context.Context, kind embedder.Kind, texts []string) (embedder.Result, error) {
	emb, err := c.model(ctx)
	if err != nil {
		return embedder.Result{}, err
	}
	r, err := emb.Embed(ctx, kind, texts)
	if dim := c.Info().Dim; err == nil && emb.Dim() > dim {
		for i, v := range r.Vectors {
			r.Vectors[i] = core.Shorten(v, dim)
		}
	}
	return r, err
}

// EmbedQueries embeds texts as queries with the collection's model and returns
// their vectors.
func (c *Collection) EmbedQueries(ctx context.Context, texts []string) ([][]float32, error) {
	r, err := c.embed(ctx, embedder.Query, texts)
	return r.Vectors, err
}
