package server

import (
	"strconv"
	"time"

	"github.com/gin-gonic/gin"
	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/collectors"
	"github.com/prometheus/client_golang/prometheus/promhttp"

	"github.com/vecdb/vecdb"
	"github.com/vecdb/vecdb/internal/simd"
	"github.com/vecdb/vecdb/query"
)

// metrics are what /metrics shows, in a registry of their own.
type metrics struct {
	registry *prometheus.Registry
	requests *prometheus.HistogramVec
	stage    *prometheus.HistogramVec
	ingested prometheus.Counter
}

// Buckets from 0.1 ms to about 13 s.
var buckets = prometheus.ExponentialBuckets(0.0001, 2, 18)

func newMetrics(db *vecdb.DB) *metrics {
	m := &metrics{
		registry: prometheus.NewRegistry(),
		requests: prometheus.NewHistogramVec(prometheus.HistogramOpts{Name: "vecdb_request_seconds",
			Help: "Time to answer a request, by route and status.", Buckets: buckets}, []string{"method", "route", "status"}),
		stage: prometheus.NewHistogramVec(prometheus.HistogramOpts{Name: "vecdb_query_stage_seconds",
			Help: "Time of the stages of queries.", Buckets: buckets}, []string{"stage"}),
		ingested: prometheus.NewCounter(prometheus.CounterOpts{Name: "vecdb_documents_ingested_total",
			Help: "Documents stored since the start."}),
	}
	m.registry.MustRegister(m.requests, m.stage, m.ingested, buildFigures{db}, sizes{db}, cacheFigures{db}, modelFigures{db}, learningFigures{db},
		collectors.NewGoCollector(), collectors.NewProcessCollector(collectors.ProcessCollectorOpts{}))
	return m
}

func (m *metrics) handle(c *gin.Context) {
	promhttp.HandlerFor(m.registry, promhttp.HandlerOpts{}).ServeHTTP(c.Writer, c.Request)
}

func (m *metrics) stages(t query.Took) {
	for name, ms := range map[string]float64{"tokenize": t.Tokenize, "embed": t.Embed, "search": t.Search, "fetch": t.Fetch} {
		m.stage.WithLabelValues(name).Observe(ms / 1000)
	}
}

// observe books the time of a request under its route's pattern, never under
// what stands in the path.
func (s *Server) observe(c *gin.Context) {
	start := time.Now()
	c.Next()
	route := c.FullPath()
	if route == "" {
		route = "none"
	}
	s.metrics.requests.WithLabelValues(knownMethod(c.Request.Method), route, strconv.Itoa(c.Writer.Status())).Observe(time.Since(start).Seconds())
}

// knownMethod keeps made-up methods from growing the metrics.
func knownMethod(m string) string {
	switch m {
	case "GET", "HEAD", "PUT", "POST", "PATCH", "DELETE", "OPTIONS":
		return m
	}
	return "other"
}

// buildFigures tells what runs here when it is asked for: naming the runtimes opens
// ONNX Runtime, which takes some hundredths of a second.
type buildFigures struct{ db *vecdb.DB }

var buildDesc = prometheus.NewDesc("vecdb_build_info", "What runs here; always 1.", []string{"version", "commit", "kernels", "runtime"}, nil)

// Describe implements prometheus.Collector.
func (b buildFigures) Describe(to chan<- *prometheus.Desc) { to <- buildDesc }

// Collect implements prometheus.Collector.
func (b buildFigures) Collect(to chan<- prometheus.Metric) {
	build := vecdb.BuildInfo()
	to <- prometheus.MustNewConstMetric(buildDesc, prometheus.GaugeValue, 1, build.Version, build.Commit, simd.Kernels(), b.db.Runtime())
}

// sizes tells the sizes of collections when they are asked for.
type sizes struct{ db *vecdb.DB }

var (
	documentsDesc = prometheus.NewDesc("vecdb_documents", "Documents stored.", []string{"collection"}, nil)
	passagesDesc  = prometheus.NewDesc("vecdb_passages", "Passages stored: vectors that searches compare with.", []string{"collection"}, nil)
	pendingDesc   = prometheus.NewDesc("vecdb_index_pending", "Committed changes that searches do not see yet.", []string{"collection"}, nil)
	memoryDesc    = prometheus.NewDesc("vecdb_index_bytes", "Memory of the indexes, in bytes.", []string{"collection"}, nil)
	eventsDesc    = prometheus.NewDesc("vecdb_events", "Events stored.", []string{"collection"}, nil)
	storageDesc   = prometheus.NewDesc("vecdb_storage_bytes", "Space that the stored data takes, in bytes.", nil, nil)
)

// Describe implements prometheus.Collector.
func (s sizes) Describe(to chan<- *prometheus.Desc) {
	for _, d := range []*prometheus.Desc{documentsDesc, passagesDesc, pendingDesc, memoryDesc, eventsDesc, storageDesc} {
		to <- d
	}
}

// Collect implements prometheus.Collector.
func (s sizes) Collect(to chan<- prometheus.Metric) {
	for _, col := range s.db.Collections() {
		idx := col.IndexStats()
		to <- prometheus.MustNewConstMetric(documentsDesc, prometheus.GaugeValue, float64(col.Len()), col.Name())
		to <- prometheus.MustNewConstMetric(passagesDesc, prometheus.GaugeValue, float64(col.Passages()), col.Name())
		to <- prometheus.MustNewConstMetric(pendingDesc, prometheus.GaugeValue, float64(idx.Pending), col.Name())
		to <- prometheus.MustNewConstMetric(eventsDesc, prometheus.GaugeValue, float64(col.BehaviorStats().Events), col.Name())
		to <- prometheus.MustNewConstMetric(memoryDesc, prometheus.GaugeValue, float64(idx.Bytes), col.Name())
	}
	to <- prometheus.MustNewConstMetric(storageDesc, prometheus.GaugeValue, float64(s.db.SizeBytes()))
}
