package server

import (
	"net/http"

	"github.com/gin-gonic/gin"

	"github.com/vecdb/vecdb"
	"github.com/vecdb/vecdb/client"
	"github.com/vecdb/vecdb/internal/core"
	"github.com/vecdb/vecdb/train"
)

// train learns the labels of a field, or from events, and answers when that is done.
func (s *Server) train(c *gin.Context) {
	col := s.collection(c)
	if col == nil {
		return
	}
	var req client.TrainRequest
	if c.Request.ContentLength != 0 { // everything has a default
		if err := decode(c, maxQueryBytes, &req); err != nil {
			s.fail(c, err)
			return
		}
	}
	if req.Kind == client.KindRecommender {
		s.trainRecommender(c, col)
		return
	}
	if req.Kind != "" && req.Kind != client.KindClassifier {
		s.fail(c, core.Invalid("/kind", "use classifier or recommender", "unknown kind %.40q", req.Kind))
		return
	}
	head, err := col.Train(c.Request.Context(), req.LabelField)
	if err != nil {
		s.fail(c, err)
		return
	}
	reply(c, http.StatusOK, describeHead(head))
}

// evaluate tells how well the labels of a field are found.
func (s *Server) evaluate(c *gin.Context) {
	col := s.collection(c)
	if col == nil {
		return
	}
	var req client.EvaluateRequest
	if c.Request.ContentLength != 0 {
		if err := decode(c, maxQueryBytes, &req); err != nil {
			s.fail(c, err)
			return
		}
	}
	report, err := col.Evaluate(c.Request.Context(), req.LabelField,
		train.Evaluation{Method: train.Method(req.Method), Folds: req.Folds, LeaveOneOut: req.LeaveOneOut})
	if err != nil {
		s.fail(c, err)
		return
	}
	reply(c, http.StatusOK, report)
}

func describeHead(h vecdb.HeadStats) client.Head {
	out := client.Head{LabelField: h.Field, Version: h.Version, Why: h.Why, Pending: h.Pending}
	i := h.Info
	if i == nil {
		return out
	}
	out.Method, out.Labels, out.Examples, out.Features, out.Named = string(i.Method), len(i.Labels), i.Examples, i.Features, i.Named
	out.Folds, out.Judged, out.Candidates, out.Scope = i.Folds, i.Judged, i.Candidates, i.Scope
	out.Trained, out.TookSeconds = &i.Trained, i.Took
	return out
}
