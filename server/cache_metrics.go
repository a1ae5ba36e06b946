package server

import (
	"github.com/prometheus/client_golang/prometheus"

	"github.com/vecdb/vecdb"
)

// cacheFigures tells of the cache of vectors when it is asked for.
type cacheFigures struct{ db *vecdb.DB }

var (
	hitsDesc    = prometheus.NewDesc("vecdb_embedding_cache_hits_total", "Texts whose vectors were kept.", nil, nil)
	missesDesc  = prometheus.NewDesc("vecdb_embedding_cache_misses_total", "Texts that were looked up and had to be embedded.", nil, nil)
	damagedDesc = prometheus.NewDesc("vecdb_embedding_cache_damaged_total", "Vectors that were found damaged.", nil, nil)
	cacheDesc   = prometheus.NewDesc("vecdb_embedding_cache_bytes", "Vectors that are kept for texts to come, in bytes.", nil, nil)
)

// Describe implements prometheus.Collector.
func (f cacheFigures) Describe(to chan<- *prometheus.Desc) {
	for _, d := range []*prometheus.Desc{hitsDesc, missesDesc, damagedDesc, cacheDesc} {
		to <- d
	}
}

// Collect implements prometheus.Collector.
func (f cacheFigures) Collect(to chan<- prometheus.Metric) {
	st, on := f.db.EmbeddingCache()
	if !on {
		return
	}
	to <- prometheus.MustNewConstMetric(hitsDesc, prometheus.CounterValue, float64(st.Hits))
	to <- prometheus.MustNewConstMetric(missesDesc, prometheus.CounterValue, float64(st.Misses))
	to <- prometheus.MustNewConstMetric(damagedDesc, prometheus.CounterValue, float64(st.Damaged))
	to <- prometheus.MustNewConstMetric(cacheDesc, prometheus.GaugeValue, float64(st.Bytes))
}
