package main

import (
	"fmt"
	"io"
	"strings"
	"sync"
	"time"

	"github.com/vbauerster/mpb/v8"
	"github.com/vbauerster/mpb/v8/decor"
)

// plainEvery is how often progress is told where there is no terminal.
const plainEvery = 10 * time.Second

// meter shows how far a piece of work has come: a bar on a terminal, a line now
// and then elsewhere, nothing with --quiet. It is safe for concurrent use.
type meter struct {
	out   io.Writer // nil shows nothing
	name  string
	text  func(m *meter) string // what is shown besides the share
	clock func() time.Time

	mu      sync.Mutex // guards the rest
	begun   time.Time
	told    time.Time
	done    int64 // of total, in any unit
	total   int64 // 0 when not known
	units   int   // what people count: documents, bytes
	bars    *mpb.Progress
	bar     *mpb.Bar
	stopped bool
}

// newMeter starts a meter named name for total steps, 0 when not known. Stop
// it when the work has ended.
func (a *app) newMeter(name string, total int64, text func(*meter) string) *meter {
	m := &meter{name: name, text: text, clock: now, total: max(total, 0)}
	m.begun = m.clock()
	m.told = m.begun
	if a.quiet {
		return m
	}
	m.out = a.err
	if _, tty := terminal(a.err); tty && a.getenv("TERM") != "dumb" {
		m.startBar()
	}
	return m
}

func (m *meter) startBar() {
	m.bars = mpb.New(mpb.WithOutput(m.out), mpb.WithWidth(30), mpb.WithRefreshRate(150*time.Millisecond))
	prepend := mpb.PrependDecorators(decor.Name(m.name + " "))
	describe := mpb.AppendDecorators(decor.Any(func(decor.Statistics) string { return " " + m.line() }))
	filler := mpb.BarStyle().Lbound("").Rbound("").Filler("█").Tip("█").Padding("░")
	if m.total == 0 {
		m.bar = m.bars.New(0, mpb.SpinnerStyle(), prepend, describe, mpb.BarRemoveOnComplete())
		return
	}
	m.bar = m.bars.New(m.total, filler, prepend, describe, mpb.BarRemoveOnComplete())
}

// set tells how far the work has come. Steps do not go back: what comes late
// from another goroutine only counts its units.
func (m *meter) set(done int64, units int) {
	m.mu.Lock()
	m.done = max(m.done, done)
	m.units = max(m.units, units)
	at := m.done
	line := ""
	if m.bar == nil && m.out != nil && m.clock().Sub(m.told) >= plainEvery {
		m.told = m.clock()
		line = m.name + ": " + m.describe()
	}
	m.mu.Unlock()
	if line != "" {
		fmt.Fprintln(m.out, line)
	}
	// The last step is left to stop, so that the bar does not vanish early.
	if m.bar != nil && m.total > 0 {
		m.bar.SetCurrent(min(at, m.total-1))
	}
}

// stop takes the bar away and waits until nothing is drawn any more.
func (m *meter) stop() {
	m.mu.Lock()
	again := m.stopped
	m.stopped = true
	m.mu.Unlock()
	if m.bar == nil || again {
		return
	}
	m.bar.Abort(true)
	m.bars.Wait()
}

func (m *meter) line() string {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.describe()
}

// describe returns the share, the text and the time that is left. m.mu is held.
func (m *meter) describe() string {
	var parts []string
	if m.total > 0 {
		parts = append(parts, fmt.Sprintf("%3.0f %%", 100*float64(m.done)/float64(m.total)))
	}
	parts = append(parts, m.text(m))
	if left, known := m.left(); known {
		parts = append(parts, "ETA "+left.String())
	}
	return strings.Join(parts, "  ")
}

// left estimates the time to the end from the time so far.
func (m *meter) left() (time.Duration, bool) {
	if m.total <= 0 || m.done <= 0 {
		return 0, false
	}
	spent := m.clock().Sub(m.begun)
	return time.Duration(float64(spent) * float64(m.total-m.done) / float64(m.done)).Round(time.Second), true
}

// rate is units a second so far. m.mu is held.
func (m *meter) rate() float64 {
	return perSecond(m.units, m.clock().Sub(m.begun))
}

func perSecond(n int, d time.Duration) float64 {
	return float64(n) / max(d.Seconds(), 1e-3)
}

// documentsText shows documents and their rate.
func documentsText(m *meter) string {
	return fmt.Sprintf("%s documents  %.0f docs/s", count(m.units), m.rate())
}

// bytesProgress shows a download.
func bytesProgress(m *meter) string {
	if m.total > 0 {
		return fmt.Sprintf("%s of %s", bytesText(m.done), bytesText(m.total))
	}
	return bytesText(m.done)
}
