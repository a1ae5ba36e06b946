package server

import (
	"fmt"
	"net/http"
	"time"

	"github.com/gin-gonic/gin"

	"github.com/vecdb/vecdb"
	"github.com/vecdb/vecdb/client"
	"github.com/vecdb/vecdb/internal/core"
)

// collection returns the collection that the path names. It answers itself and
// returns nil when there is none.
func (s *Server) collection(c *gin.Context) *vecdb.Collection {
	name := c.Param("collection")
	col, err := s.db.Collection(name)
	if err != nil {
		if _, code := classify(err); code == client.CodeNotFound {
			err = &core.InputError{Cause: errCollection, Detail: fmt.Sprintf("there is no collection %.80q", name),
				Hint: "make it with PUT /v1/collections/{c}"}
		}
		s.fail(c, err)
		return nil
	}
	return col
}

func describe(col *vecdb.Collection) client.Collection {
	info := col.Info()
	return client.Collection{
		Name: info.Name, Language: info.Language, Model: info.Model, ModelChoice: choiceOf(info), Precision: info.Precision, Dimension: info.Dim,
		Metric: info.Metric, Fields: info.Fields, Duplicates: info.Duplicates, Long: info.Long, Documents: col.Len(), Created: info.Created.Format(time.RFC3339),
	}
}

// choiceOf tells how far a collection is whose model the first texts choose.
func choiceOf(info vecdb.CollectionInfo) string {
	switch {
	case info.Pending():
		return client.ChoicePending
	case info.Auto:
		return client.ChoiceMade
	}
	return ""
}

func (s *Server) listCollections(c *gin.Context) {
	out := client.Collections{Collections: []client.Collection{}}
	for _, col := range s.db.Collections() {
		out.Collections = append(out.Collections, describe(col))
	}
	reply(c, http.StatusOK, out)
}

func (s *Server) createCollection(c *gin.Context) {
	var req client.CreateCollection
	if c.Request.ContentLength != 0 { // everything has a default, so the body may be left out
		if err := s.decode(c, maxQueryBytes, &req); err != nil {
			s.fail(c, err)
			return
		}
	}
	col, created, err := s.db.CreateCollection(c.Request.Context(), c.Param("collection"), vecdb.CollectionOptions{
		Language: req.Language, Model: req.Model, Precision: req.Precision, Dim: req.Dimension, Metric: req.Metric, Fields: req.Fields,
		Duplicates: req.Duplicates, Long: req.Long,
	})
	if err != nil {
		s.fail(c, err)
		return
	}
	status := http.StatusOK
	if created {
		status = http.StatusCreated
	}
	reply(c, status, describe(col))
}

func (s *Server) getCollection(c *gin.Context) {
	if col := s.collection(c); col != nil {
		reply(c, http.StatusOK, describe(col))
	}
}

func (s *Server) dropCollection(c *gin.Context) {
	col := s.collection(c)
	if col == nil {
		return
	}
	if err := s.db.DropCollection(c.Request.Context(), col.Name()); err != nil {
		s.fail(c, err)
		return
	}
	c.Status(http.StatusNoContent)
}

func (s *Server) stats(c *gin.Context) {
	col := s.collection(c)
	if col == nil {
		return
	}
	st, info := col.Stats(), col.Info()
	var available *int64
	if n, known := s.db.AvailableMemory(); known {
		available = &n
	}
	var heads []client.Head
	for _, h := range st.Heads {
		heads = append(heads, describeHead(h))
	}
	reply(c, http.StatusOK, client.Stats{
		EmbeddingCache: s.embeddingCache(),
		Documents:      st.Documents, Passages: st.Passages, Dimension: st.Dim, Language: info.Language, Model: info.Model, ModelChoice: choiceOf(info), Precision: info.Precision, Metric: info.Metric,
		Index:        indexStats(st.Index),
		StorageBytes: s.db.SizeBytes(), LastSequence: st.LastSeq, MemoryAvailable: available, Heads: heads,
		Behavior: describeBehavior(st.Behavior), Answers: describeAnswers(st.Answers),
	})
}

// embeddingCache describes the cache of vectors; nil when it is off.
func (s *Server) embeddingCache() *client.EmbeddingCache {
	st, on := s.db.EmbeddingCache()
	if !on {
		return nil
	}
	return &client.EmbeddingCache{Hits: st.Hits, Misses: st.Misses, Bytes: st.Bytes, Limit: st.Limit}
}

func indexStats(st vecdb.IndexStats) client.IndexStats {
	out := client.IndexStats{Kind: st.Kind, Vectors: st.Vectors, Bytes: st.Bytes, Pending: st.Pending, BytesPerVector: st.BytesPerVector,
		DiskBytes: st.DiskBytes, DiskBytesPerVector: st.DiskBytesPerVector}
	if r := st.Recall; r != nil {
		out.Recall = &client.RecallStats{Vectors: r.Vectors, Stored: r.Stored, Asked: r.Asked}
		for _, t := range r.Targets {
			out.Recall.Targets = append(out.Recall.Targets, client.RecallTarget(t))
		}
	}
	return out
}
