package main

import (
	"encoding/json"
	"errors"
	"os"
	"runtime/debug"
	"slices"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"time"
)

// slow bounds one measurement of an exact search, which then asks fewer of the
// queries.
const slow = 20 * time.Second

// peer is a library with the files to measure it on.
type peer struct {
	threads int
	rival   string
	base    [][]float32
	queries [][]float32
	truth   truth
	index   index
}

// request is one line of the input.
type request struct {
	Op      string  `json:"op"`
	Setting setting `json:"setting"`
	Threads int     `json:"threads"`
	Seconds float64 `json:"seconds"`
	Latency bool    `json:"latency"`
	Allowed string  `json:"allowed"`
	Truth   string  `json:"truth"`
	Count   int     `json:"count"`
}

func (p *peer) start(rival, base, queries, truth string, out answers, _ bool) (err error) {
	p.rival = rival
	if p.base, err = readVectors(base); err != nil {
		return err
	}
	if p.queries, err = readVectors(queries); err != nil {
		return err
	}
	if p.truth, err = readTruth(truth); err != nil {
		return err
	}
	if p.index, err = newIndex(rival, p.base); err != nil {
		return err
	}
	debug.FreeOSMemory()
	_ = os.WriteFile("/proc/self/clear_refs", []byte("5"), 0) // else the peak is that of reading
	before, begin, cpu := status("VmRSS:"), time.Now(), cpuTime()
	if err := insert(p.index, p.base, p.threads); err != nil {
		return err
	}
	wall, spent, peak := time.Since(begin), cpuTime()-cpu, status("VmHWM:")
	debug.FreeOSMemory()
	version, build, settings := p.index.about()
	return out.Encode(map[string]any{
		"version": version, "saves": false, "settings": settings, "build_settings": build, "build_threads": p.threads,
		"build_seconds": wall.Seconds(), "build_cpu_seconds": spent.Seconds(),
		"peak_over_input_bytes": peak - before, "built_rss_bytes": status("VmRSS:") - before,
	})
}

// insert adds all vectors from several threads.
func insert(x index, base [][]float32, threads int) error {
	var next atomic.Int64
	errs := make([]error, threads)
	var wg sync.WaitGroup
	for t := range threads {
		wg.Go(func() {
			for errs[t] == nil {
				i := int(next.Add(1)) - 1
				if i >= len(base) {
					return
				}
				errs[t] = x.add(i, base[i])
			}
		})
	}
	wg.Wait()
	return errors.Join(errs...)
}

// answer does what a line asks for.
func (p *peer) answer(line []byte) map[string]any {
	var r request
	err := json.Unmarshal(line, &r)
	var out map[string]any
	if err == nil {
		out, err = p.do(r)
	}
	switch {
	case errors.Is(err, errUnsupported):
		return map[string]any{"unsupported": true}
	case err != nil:
		return map[string]any{"error": err.Error()}
	}
	return out
}

func (p *peer) do(r request) (map[string]any, error) {
	switch r.Op {
	case "search":
		return p.measure(r, p.truth, nil)
	case "filter":
		t, err := readTruth(r.Truth)
		if err != nil {
			return nil, err
		}
		flags, err := readFlags(r.Allowed)
		if err != nil {
			return nil, err
		}
		f := newFilter(flags)
		w, ok := p.index.(interface{ restrict(*filter) error })
		if !ok {
			return nil, errUnsupported
		}
		if err := w.restrict(f); err != nil {
			return nil, err
		}
		return p.measure(r, t, f)
	case "inserts":
		rows := p.base[:min(r.Count, len(p.base))]
		x, err := newIndex(p.rival, rows)
		if err != nil {
			return nil, err
		}
		begin, cpu := time.Now(), cpuTime()
		if err := insert(x, rows, 1); err != nil {
			return nil, err
		}
		n := float64(len(rows))
		return map[string]any{"inserted": len(rows), "inserts": n / time.Since(begin).Seconds(), "inserts_cpu": n / (cpuTime() - cpu).Seconds()}, nil
	}
	return nil, errUnsupported
}

// measure takes the recall of a setting, then its rate, then its latency.
func (p *peer) measure(r request, t truth, f *filter) (map[string]any, error) {
	if err := p.index.prepare(r.Setting); err != nil {
		return nil, err
	}
	asked, hits, begin := 0, 0, time.Now()
	for ; asked < len(p.queries) && (asked == 0 || time.Since(begin) < slow); asked++ {
		found, err := p.index.search(p.queries[asked], f)
		if err != nil {
			return nil, err
		}
		hits += t.hits(asked, found)
	}
	out := map[string]any{"recall": float64(hits) / float64(atK*asked), "queries": asked}
	queries := p.queries[:asked]
	rounds, wall, cpu := 0, time.Duration(0), time.Duration(0)
	for ; rounds == 0 || wall.Seconds() < r.Seconds; rounds++ {
		begin, before := time.Now(), cpuTime()
		if err := p.askAll(queries, max(1, r.Threads), f); err != nil {
			return nil, err
		}
		wall, cpu = wall+time.Since(begin), cpu+cpuTime()-before
	}
	n := float64(rounds * asked)
	out["qps"], out["qps_cpu"], out["rounds"] = n/wall.Seconds(), n/cpu.Seconds(), rounds
	if r.Latency {
		times := make([]time.Duration, asked)
		for i, q := range queries {
			begin := time.Now()
			if _, err := p.index.search(q, f); err != nil {
				return nil, err
			}
			times[i] = time.Since(begin)
		}
		slices.Sort(times)
		out["p50_us"], out["p99_us"] = float64(times[asked/2])/1e3, float64(times[asked*99/100])/1e3
	}
	return out, nil
}

// askAll asks all queries once, shared among threads.
func (p *peer) askAll(queries [][]float32, threads int, f *filter) error {
	errs := make([]error, threads)
	var wg sync.WaitGroup
	for t := range threads {
		wg.Go(func() {
			for i := t; i < len(queries) && errs[t] == nil; i += threads {
				_, errs[t] = p.index.search(queries[i], f)
			}
		})
	}
	wg.Wait()
	return errors.Join(errs...)
}

// cpuTime returns the processor time of the process.
func cpuTime() time.Duration {
	var u syscall.Rusage
	_ = syscall.Getrusage(syscall.RUSAGE_SELF, &u) // it fails for wrong arguments only
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}

// status returns a size that Linux tells about the process, in bytes.
func status(field string) int64 {
	text, _ := os.ReadFile("/proc/self/status") // 0 where there is none
	for line := range strings.Lines(string(text)) {
		if rest, ok := strings.CutPrefix(line, field); ok {
			kib, _ := strconv.ParseInt(strings.Fields(rest)[0], 10, 64)
			return kib << 10
		}
	}
	return 0
}
