package bench

import (
	"fmt"
	"path/filepath"
	"strconv"
)

// The modes of points.
const (
	ModeSearch   = "search"   // of the whole index
	ModeFiltered = "filtered" // restricted to a share of the vectors
	ModeMixed    = "mixed"    // while vectors are inserted
	ModeDeletes  = "deletes"  // after deletes, and after inserting again
)

// Point is one measured setting of one back end. Its JSON form is one line of
// `vecdb bench --jsonl`.
type Point struct {
	Index          string   `json:"index"`
	Setting        string   `json:"setting"` // for instance "ef=64" or "recall=0.95"
	Threads        int      `json:"threads"`
	RecallAt10     *float64 `json:"recall_at_10,omitempty"` // Recall, where K is 10
	QPS            float64  `json:"qps"`
	P50            float64  `json:"p50_us"`
	P95            float64  `json:"p95_us"`
	P99            float64  `json:"p99_us"`
	Max            float64  `json:"max_us"`
	BuildSeconds   float64  `json:"build_seconds"`
	BytesPerVector float64  `json:"bytes_per_vector"` // by the index's own count
	PeakRSSBytes   int64    `json:"peak_rss_bytes"`   // of the process so far

	Mode            string  `json:"mode"`
	K               int     `json:"k"`
	Recall          float64 `json:"recall"` // at K
	Ef              int     `json:"ef,omitempty"`
	Target          float64 `json:"target_recall,omitempty"` // that the breadth was chosen for
	QPSPerCPU       float64 `json:"queries_per_cpu_second"`  // 0 where the system does not tell
	IndexBytes      int64   `json:"index_bytes"`             // by the index's own count
	DiskBytes       int64   `json:"disk_bytes,omitempty"`    // in a file rather than in memory
	RSSAddedBytes   int64   `json:"rss_added_bytes"`         // by the growth of the process
	BuildCPUSeconds float64 `json:"build_cpu_seconds"`       // over all threads
	BuildThreads    int     `json:"build_threads"`           // that the build could use
	Selectivity     float64 `json:"selectivity,omitempty"`   // share that the filter allows
	Filter          string  `json:"filter,omitempty"`        // its kind
	Metric          string  `json:"metric"`
	Dim             int     `json:"dimension"`
	Vectors         int     `json:"vectors"` // in the index
	Queries         int     `json:"queries"`
	Repeat          int     `json:"repeat"`
	Seconds         float64 `json:"seconds"`        // that each time takes at least
	Load            float64 `json:"load,omitempty"` // the machine's load average before the build

	// Of mode mixed: the times above are those under inserts.
	Inserted         int     `json:"inserted,omitempty"`
	InsertsPerSecond float64 `json:"inserts_per_second,omitempty"`
	IdleQPS          float64 `json:"idle_qps,omitempty"`
	IdleP50          float64 `json:"idle_p50_us,omitempty"`
	IdleP99          float64 `json:"idle_p99_us,omitempty"`

	// Of mode deletes.
	Cycle           int     `json:"cycle,omitempty"`
	Phase           string  `json:"phase,omitempty"` // deleted or reinserted
	DeleteSeconds   float64 `json:"delete_seconds,omitempty"`
	ReinsertSeconds float64 `json:"reinsert_seconds,omitempty"`

	Host
}

// Conditions tells people under which conditions, besides the setting, the
// point was measured; "" is a search of the whole index.
func (p Point) Conditions() string {
	switch p.Mode {
	case ModeFiltered:
		return filter{kind: p.Filter, share: p.Selectivity}.String()
	case ModeMixed:
		return "during inserts"
	case ModeDeletes:
		return fmt.Sprintf("cycle %d, half %s", p.Cycle, p.Phase)
	}
	return ""
}

// Stage is the time of one stage of whole queries, in microseconds.
type Stage struct {
	Name string  `json:"stage"` // tokenize, embed, search, fetch or total
	P50  float64 `json:"p50_us"`
	P95  float64 `json:"p95_us"`
	P99  float64 `json:"p99_us"`
}

// Report is what a run has measured.
type Report struct {
	Collection   string    `json:"collection,omitempty"`
	Base         string    `json:"base,omitempty"` // file of the given vectors
	Vectors      int       `json:"vectors"`        // in the indexes, without the held-out ones
	Queries      int       `json:"queries"`
	K            int       `json:"k"`
	Dim          int       `json:"dimension"`
	Metric       string    `json:"metric"`
	Serving      string    `json:"serving,omitempty"` // the back end that the collection uses
	Machine      string    `json:"machine"`
	TruthSeconds float64   `json:"truth_seconds"` // to find or to check the exact neighbours
	Points       []Point   `json:"points"`
	Summary      []Summary `json:"summary"`
	Stages       []Stage   `json:"stages"` // empty without texts or a model
	Host
}

// Title names what was measured.
func (r *Report) Title() string {
	if r.Base != "" {
		return filepath.Base(r.Base)
	}
	return r.Collection
}

// RecallName is how the recall is written, for instance recall@10.
func (r *Report) RecallName() string { return "recall@" + strconv.Itoa(r.K) }

// Mode returns the points of a mode.
func (r *Report) Mode(mode string) (out []Point) {
	for _, p := range r.Points {
		if p.Mode == mode {
			out = append(out, p)
		}
	}
	return out
}

func newReport(d *dataset) *Report {
	h := thisHost()
	return &Report{
		Vectors: d.base.Len(), Queries: len(d.queries), K: d.k, Dim: d.cfg.Dim, Metric: string(d.cfg.Metric),
		Machine: fmt.Sprintf("%s, %d cores", h.System, h.Cores), Host: h,
	}
}
