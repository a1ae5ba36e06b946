package server

import (
	"context"
	"fmt"
	"net/http"

	"github.com/gin-gonic/gin"

	"github.com/vecdb/vecdb"
	"github.com/vecdb/vecdb/query"
)

func (s *Server) search(c *gin.Context) {
	answer(s, c, (*vecdb.Collection).Search, func(r query.Response) query.Took { return r.Took })
}

func (s *Server) recommend(c *gin.Context) {
	answer(s, c, (*vecdb.Collection).Recommend, func(r query.Response) query.Took { return r.Took })
}

func (s *Server) classify(c *gin.Context) {
	answer(s, c, (*vecdb.Collection).Classify, func(r query.ClassifyResponse) query.Took { return r.Took })
}

func (s *Server) count(c *gin.Context) {
	answer(s, c, (*vecdb.Collection).Count, func(r query.CountResponse) query.Took { return r.Took })
}

func (s *Server) facet(c *gin.Context) {
	answer(s, c, (*vecdb.Collection).Facet, func(r query.FacetResponse) query.Took { return r.Took })
}

func (s *Server) listBy(c *gin.Context) {
	answer(s, c, (*vecdb.Collection).ListBy, func(r query.ListResponse) query.Took { return r.Took })
}

// answer decodes a query, runs it on the collection of the path and replies.
func answer[Req, Resp any](s *Server, c *gin.Context, run func(*vecdb.Collection, context.Context, Req) (Resp, error), took func(Resp) query.Took) {
	col := s.collection(c)
	if col == nil {
		return
	}
	var req Req
	if err := s.decode(c, maxQueryBytes, &req); err != nil {
		s.fail(c, err)
		return
	}
	resp, err := run(col, c.Request.Context(), req)
	if err != nil {
		s.fail(c, err)
		return
	}
	t := took(resp)
	c.Header("Server-Timing", fmt.Sprintf("tokenize;dur=%.3f, embed;dur=%.3f, search;dur=%.3f, fetch;dur=%.3f", t.Tokenize, t.Embed, t.Search, t.Fetch))
	s.metrics.stages(t)
	reply(c, http.StatusOK, resp)
}
