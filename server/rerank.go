package server

import (
	"net/http"

	"github.com/gin-gonic/gin"

	"github.com/vecdb/vecdb"
	"github.com/vecdb/vecdb/client"
	"github.com/vecdb/vecdb/internal/core"
)

// rerank orders documents that come with the request, in the shape of Cohere and
// Jina.
func (s *Server) rerank(c *gin.Context) {
	var req client.RerankRequest
	if err := s.decode(c, maxDocumentBytes, &req); err != nil {
		s.fail(c, err)
		return
	}
	if n := req.TopN; n != nil && (*n < 1 || *n > vecdb.MaxReranked) {
		s.fail(c, core.Invalid("/top_n", "leave it out for all documents", "top_n is %d, 1 to %d are allowed", *n, vecdb.MaxReranked))
		return
	}
	texts := make([]string, len(req.Documents))
	for i, d := range req.Documents {
		texts[i] = d.Text
	}
	r, err := s.db.Rerank(c.Request.Context(), vecdb.RerankRequest{Model: req.Model, Query: req.Query, Documents: texts})
	if err != nil {
		s.fail(c, err)
		return
	}
	out := client.RerankResponse{Model: r.Model, Results: []client.RerankResult{}, Truncated: r.Truncated,
		Usage: client.EmbeddingUsage{PromptTokens: r.Tokens, TotalTokens: r.Tokens}}
	if n := req.TopN; n != nil {
		r.Ranked = r.Ranked[:min(*n, len(r.Ranked))]
	}
	for _, x := range r.Ranked {
		result := client.RerankResult{Index: x.Index, RelevanceScore: x.Score}
		if req.ReturnDocuments {
			result.Document = &req.Documents[x.Index]
		}
		out.Results = append(out.Results, result)
	}
	reply(c, http.StatusOK, out)
}
