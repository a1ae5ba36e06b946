package client

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"net/http"

	"github.com/vecdb/vecdb/internal/core"
)

// RerankRequest is the body of POST /v1/rerank, in the shape of Cohere and Jina.
type RerankRequest struct {
	// Model is the default model for the language of the texts when empty.
	Model     string          `json:"model,omitempty"`
	Query     string          `json:"query"`
	Documents RerankDocuments `json:"documents"`
	// TopN is how many results to return, from 1; nil returns all.
	TopN *int `json:"top_n,omitempty"`
	// ReturnDocuments adds the documents to the results.
	ReturnDocuments bool `json:"return_documents,omitempty"`
}

// RerankDocument is a text. Its JSON form is a string or an object with the
// member "text".
type RerankDocument struct {
	Text string `json:"text"`
}

// RerankDocuments are the documents of a request. Errors of reading them name
// their places in it.
type RerankDocuments []RerankDocument

// UnmarshalJSON reads an array of strings and objects.
func (d *RerankDocuments) UnmarshalJSON(data []byte) error {
	const hint = `for instance "documents":["text",{"text":"text"}]`
	var raw []json.RawMessage
	if err := json.Unmarshal(data, &raw); err != nil {
		return core.Invalid("/documents", hint, "the documents are no array")
	}
	*d = make(RerankDocuments, len(raw))
	for i, r := range raw {
		pointer, text := fmt.Sprintf("/documents/%d", i), &(*d)[i]
		if json.Unmarshal(r, &text.Text) == nil && r[0] == '"' {
			continue
		}
		dec := json.NewDecoder(bytes.NewReader(r))
		dec.DisallowUnknownFields()
		if err := dec.Decode(text); err != nil || r[0] != '{' {
			if name, member, unknown := core.UnknownMember(err); unknown {
				return core.Invalid(pointer+member, hint, "a document has no member %s", name)
			}
			return core.Invalid(pointer, hint, "the document is neither a string nor an object with a text")
		}
	}
	return nil
}

// RerankResponse is the answer to POST /v1/rerank.
type RerankResponse struct {
	Model   string         `json:"model"`
	Results []RerankResult `json:"results"` // the best first
	Usage   EmbeddingUsage `json:"usage"`
	// Truncated are the places of the documents that have more tokens than the
	// model reads; Cohere and Jina have no such member.
	Truncated []int `json:"truncated,omitempty"`
}

// RerankResult is a document with how well it answers the query.
type RerankResult struct {
	Index          int             `json:"index"`           // its place in the request
	RelevanceScore float32         `json:"relevance_score"` // from 0 to 1
	Document       *RerankDocument `json:"document,omitempty"`
}

// Rerank orders documents by how well they answer a query.
func (c *Client) Rerank(ctx context.Context, r RerankRequest) (out RerankResponse, err error) {
	_, err = c.call(ctx, http.MethodPost, "/v1/rerank", r, &out)
	return out, err
}
