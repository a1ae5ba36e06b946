package vecdb

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"github.com/vecdb/vecdb/embedder"
	"github.com/vecdb/vecdb/index/lexical"
	"github.com/vecdb/vecdb/internal/core"
	"github.com/vecdb/vecdb/internal/language"
	"github.com/vecdb/vecdb/query"
)

// MaxReranked is how many documents one call of Rerank takes.
const MaxReranked = 1_000

// RerankRequest names documents that are not stored, and what they are to answer.
type RerankRequest struct {
	// Model embeds query and documents. Default: the default model for the language
	// of the texts, English or Chinese.
	Model string
	// Precision is that of the model, "int8" by default.
	Precision string
	Query     string
	Documents []string // 1 to MaxReranked, of at most 16 MiB each
}

// RerankResult holds documents in the order in which they answer a query.
type RerankResult struct {
	Ranked    []Reranked // all documents, the best first
	Model     string     // the full name of the model
	Tokens    int        // that it read, of the query and of all documents
	Truncated []int      // the places of documents with more tokens than the model reads
}

// Reranked is a document of a RerankResult.
type Reranked struct {
	Index int     // its place among the documents of the request
	Score float32 // from 0 to 1: a mean of cosine and shared words, see query.Rerank
}

// Rerank orders documents by how well they answer a query, as a hybrid search in
// a collection of just these documents would. Nothing is stored but vectors in
// the cache of vectors. Errors about r are *InputError.
func (db *DB) Rerank(ctx context.Context, r RerankRequest) (RerankResult, error) {
	if err := r.validate(); err != nil {
		return RerankResult{}, err
	}
	if r.Model == "" {
		var letters language.Count
		for _, text := range append([]string{r.Query}, r.Documents...) {
			letters.Add(text)
		}
		model, err := db.models.manifest.ForLanguage(letters.Language())
		if err != nil {
			return RerankResult{}, err
		}
		r.Model = model.Name
	}
	asked, model, err := db.Embed(ctx, r.Model, r.Precision, embedder.Query, []string{r.Query})
	if err != nil {
		return RerankResult{}, err
	}
	given, _, err := db.Embed(ctx, r.Model, r.Precision, embedder.Passage, r.Documents)
	if err != nil {
		return RerankResult{}, err
	}
	words, err := wordsOf(ctx, r.Documents)
	if err != nil {
		return RerankResult{}, err
	}
	list, err := query.Rerank(ctx, asked.Vectors[0], given.Vectors, words.Prepare(r.Query))
	if err != nil {
		return RerankResult{}, err
	}
	out := RerankResult{Model: model, Ranked: make([]Reranked, len(list))}
	for i, n := range list {
		out.Ranked[i] = Reranked{Index: int(n.Ord), Score: max(0, n.Score)}
	}
	for _, u := range slices.Concat(asked.Usage, given.Usage) {
		out.Tokens += u.Used
	}
	for i, u := range given.Usage {
		if u.Used < u.Total {
			out.Truncated = append(out.Truncated, i)
		}
	}
	return out, nil
}

// wordsOf makes an index of the words of texts, under their places.
func wordsOf(ctx context.Context, texts []string) (*lexical.Index, error) {
	items := make([]lexical.Item, len(texts))
	for i, text := range texts {
		items[i] = lexical.Item{Ord: core.Ord(i), Text: text}
	}
	words := lexical.New()
	return words, words.Insert(ctx, items)
}

func (r *RerankRequest) validate() error {
	if err := checkReranked("/query", r.Query); err != nil {
		return err
	}
	if n := len(r.Documents); n == 0 || n > MaxReranked {
		return core.Invalid("/documents", "for instance the first hundred hits of a search", "there are %d documents, 1 to %d are allowed", n, MaxReranked)
	}
	for i, text := range r.Documents {
		if err := checkReranked(fmt.Sprintf("/documents/%d", i), text); err != nil {
			return err
		}
	}
	return nil
}

func checkReranked(pointer, text string) error {
	if err := core.CheckText(pointer, text, "cut it"); err != nil {
		return err
	}
	if strings.TrimSpace(text) == "" {
		return core.Invalid(pointer, "leave it out", "the text is empty")
	}
	return nil
}
