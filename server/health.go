package server

import (
	"net/http"

	"github.com/gin-gonic/gin"

	"github.com/vecdb/vecdb"
	"github.com/vecdb/vecdb/client"
	"github.com/vecdb/vecdb/internal/simd"
)

// index tells a visitor what this is and where to go on.
func (s *Server) index(c *gin.Context) {
	reply(c, http.StatusOK, gin.H{
		"name": "vecdb", "version": vecdb.Version,
		"links": gin.H{"collections": "/v1/collections", "embeddings": "/v1/embeddings", "rerank": "/v1/rerank", "models": "/v1/models", "tasks": "/v1/tasks", "metrics": "/metrics", "version": "/version", "health": "/readyz", "openapi": "/openapi.json"},
	})
}

func (s *Server) live(c *gin.Context) { reply(c, http.StatusOK, gin.H{"status": "live"}) }

// ready tells whether queries are answered. The server listens only when its
// collections are open, so it is ready unless the indexes lag far behind.
func (s *Server) ready(c *gin.Context) {
	var pending uint64
	for _, col := range s.db.Collections() {
		pending += col.IndexStats().Pending
	}
	reply(c, http.StatusOK, gin.H{"status": "ready", "pending": pending})
}

func (s *Server) version(c *gin.Context) {
	b := vecdb.BuildInfo()
	reply(c, http.StatusOK, client.Version{Version: b.Version, Commit: b.Commit, Go: b.Go, Kernels: simd.Kernels(), Runtime: s.db.Runtime()})
}
