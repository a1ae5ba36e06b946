package server

import (
	"context"

	"github.com/gin-gonic/gin"

	"github.com/vecdb/vecdb"
	"github.com/vecdb/vecdb/client"
	"github.com/vecdb/vecdb/internal/core"
	"github.com/vecdb/vecdb/train"
)

// train learns the labels of a field, or from events.
func (s *Server) train(c *gin.Context) {
	col := s.collection(c)
	if col == nil {
		return
	}
	var req client.TrainRequest
	if c.Request.ContentLength != 0 { // everything has a default
		if err := s.decode(c, maxQueryBytes, &req); err != nil {
			s.fail(c, err)
			return
		}
	}
	switch req.Kind {
	case client.KindRecommender:
		s.perform(c, col, client.TaskTrain, func(ctx context.Context, tell train.Progress) (any, error) {
			b, err := col.TrainRecommenderWith(ctx, vecdb.RecommenderOptions{Progress: tell})
			return describeBehavior(b), err
		})
	case "", client.KindClassifier:
		s.perform(c, col, client.TaskTrain, func(ctx context.Context, tell train.Progress) (any, error) {
			h, err := col.TrainWith(ctx, vecdb.TrainOptions{LabelField: req.LabelField, Progress: tell})
			return describeHead(h), err
		})
	default:
		s.fail(c, core.Invalid("/kind", "use classifier or recommender", "unknown kind %.40q", req.Kind))
	}
}

// evaluate tells how well the labels of a field are found.
func (s *Server) evaluate(c *gin.Context) {
	col := s.collection(c)
	if col == nil {
		return
	}
	var req client.EvaluateRequest
	if c.Request.ContentLength != 0 {
		if err := s.decode(c, maxQueryBytes, &req); err != nil {
			s.fail(c, err)
			return
		}
	}
	e := train.Evaluation{Method: train.Method(req.Method), Folds: req.Folds, LeaveOneOut: req.LeaveOneOut}
	if err := e.Validate(); err != nil {
		s.fail(c, err)
		return
	}
	s.perform(c, col, client.TaskEvaluate, func(ctx context.Context, tell train.Progress) (any, error) {
		e.Progress = func(done, total int) { tell.Tell("evaluate", done, total) }
		return col.Evaluate(ctx, req.LabelField, e)
	})
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
