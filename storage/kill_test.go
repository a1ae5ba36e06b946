package storage_test

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"os/exec"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/vecdb/vecdb/internal/core"
	"github.com/vecdb/vecdb/storage"
	"github.com/vecdb/vecdb/storage/badger"
)

// childEnv tells the test binary to be the writer that is killed.
const childEnv = "VECDB_TEST_WRITER"

// killRounds is how often the writer is killed.
const killRounds = 20

// child runs the writer when the process is one, and tells so.
func child() bool {
	dir := os.Getenv(childEnv)
	if dir == "" {
		return false
	}
	if err := write(dir); err != nil {
		fmt.Println("error", err)
	}
	return true
}

// write commits documents in calls of different sizes, deleting some, and
// prints each acknowledged state: "put ID TEXT" or "del ID", a line each, only
// after Commit has returned.
func write(dir string) error {
	e, err := badger.Open(dir, badger.Options{})
	if err != nil {
		return err
	}
	s, err := storage.Open(e, storage.Options{})
	if err != nil {
		return err
	}
	c, err := s.Collection("c")
	if errors.Is(err, core.ErrNotFound) {
		c, err = s.Create(storage.Config{Name: "c", Dim: dim, Metric: "cosine"})
	}
	if err != nil {
		return err
	}
	out := bufio.NewWriter(os.Stdout)
	rng := rand.New(rand.NewPCG(uint64(os.Getpid()), 1))
	for call := 0; ; call++ {
		var m []storage.Mutation
		var lines []string
		for range 1 + rng.IntN(60) {
			id := fmt.Sprint(rng.IntN(5000))
			if rng.IntN(5) == 0 {
				m = append(m, del(id)...)
				lines = append(lines, "del "+id)
				continue
			}
			text := fmt.Sprintf("%d-%d-%d", os.Getpid(), call, len(m))
			m = append(m, put(doc(id, text))...)
			m[len(m)-1].Reading = readingOf(text)
			lines = append(lines, "put "+id+" "+text)
		}
		// What is about to be written is told first: when the process dies in
		// between, both the old and the new state are right.
		fmt.Fprintf(out, "try %d\n%s\n", len(lines), strings.Join(lines, "\n"))
		if err := out.Flush(); err != nil {
			return err
		}
		if _, _, err := c.Commit(context.Background(), m); err != nil {
			return err
		}
		fmt.Fprintln(out, "ack")
		event := core.Event{User: fmt.Sprint(os.Getpid()), Item: fmt.Sprint(call), Action: "like", Time: time.UnixMicro(1)}
		if _, err := c.CommitEvents(context.Background(), []core.Event{event}, nil); err != nil {
			return err
		}
		fmt.Fprintf(out, "event %s/%s\n", event.User, event.Item)
		said := feedback("answer", event.User+" "+event.Item, true, 1)
		if err := c.CommitFeedback(context.Background(), []storage.Feedback{said}, func([]storage.Feedback) {}); err != nil {
			return err
		}
		fmt.Fprintf(out, "event said %s\n", said.Question)
		if err := out.Flush(); err != nil {
			return err
		}
	}
}

// readingOf makes some texts long ones, always in the same way.
func readingOf(text string) *core.Reading {
	n := 0
	for _, c := range text {
		n = (31*n + int(c)) % 1009
	}
	switch n % 4 {
	case 0:
		return reading(2 + n%30)
	case 1:
		return &core.Reading{TokensTotal: 300 + n, TokensUsed: 256}
	}
	return nil
}

// TestKilledWriterLosesNothingAcknowledged kills a writing process at random
// moments and compares what it had acknowledged with what the store holds.
func TestKilledWriterLosesNothingAcknowledged(t *testing.T) {
	seed := uint64(time.Now().UnixNano())
	if s := os.Getenv("VECDB_TEST_SEED"); s != "" {
		n, err := strconv.ParseUint(s, 10, 64)
		if err != nil {
			t.Fatal(err)
		}
		seed = n
	}
	t.Logf("seed %d (set VECDB_TEST_SEED to repeat)", seed)
	rng := rand.New(rand.NewPCG(seed, seed))
	dir := t.TempDir()
	state := make(map[string]string)
	acked := 0
	for round := range killRounds {
		doubt, n := killOnce(t, dir, rng, state)
		acked += n
		check(t, dir, round, state, doubt)
		if t.Failed() {
			return
		}
	}
	t.Logf("%d rounds, %d acknowledged writes, 0 lost", killRounds, acked)
	if acked < killRounds {
		t.Errorf("only %d writes were acknowledged in %d rounds", acked, killRounds)
	}
}

// killOnce runs the writer for a random while and kills it. It brings state
// up to date with what was acknowledged and returns the call in doubt: the one
// that was told and not acknowledged.
func killOnce(t *testing.T, dir string, rng *rand.Rand, state map[string]string) (doubt []string, acked int) {
	t.Helper()
	cmd := exec.Command(os.Args[0])
	cmd.Env = append(os.Environ(), childEnv+"="+dir)
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	// The moment of the kill is counted in acknowledged calls and then in a
	// random part of the next one.
	calls, pause := 1+rng.IntN(40), time.Duration(rng.IntN(8000))*time.Microsecond
	in := bufio.NewScanner(out)
	var pending []string
	for in.Scan() {
		line := in.Text()
		switch {
		case line == "ack":
			for _, p := range pending {
				apply(state, p)
			}
			acked += len(pending)
			pending = nil
			if calls--; calls == 0 {
				time.AfterFunc(pause, func() { _ = cmd.Process.Kill() }) // it may be gone already
			}
		case strings.HasPrefix(line, "event "):
			state[line] = "" // acknowledged, and never deleted
		case strings.HasPrefix(line, "try "):
			pending = nil
		case strings.HasPrefix(line, "error"):
			t.Errorf("the writer failed: %s", line)
		default:
			pending = append(pending, line)
		}
	}
	if err := cmd.Wait(); err == nil {
		t.Error("the writer ended by itself")
	}
	return pending, acked
}

// apply changes state as a line of the writer says.
func apply(state map[string]string, line string) {
	part := strings.SplitN(line, " ", 3)
	if part[0] == "del" {
		delete(state, part[1])
		return
	}
	state[part[1]] = part[2]
}

// check compares the store with state. The call in doubt may have landed as a
// whole or not at all.
func check(t *testing.T, dir string, round int, state map[string]string, doubt []string) {
	t.Helper()
	e, err := badger.Open(dir, badger.Options{})
	if err != nil {
		t.Fatal(err)
	}
	s, err := storage.Open(e, storage.Options{})
	if err != nil {
		t.Fatal(err)
	}
	defer func() {
		if err := s.Close(); err != nil {
			t.Error(err)
		}
	}()
	sound(t, s)
	c, err := s.Collection("c")
	if err != nil {
		t.Fatal(err)
	}
	have := make(map[string]string)
	err = c.Snapshot(func(snap storage.Snapshot) error {
		return snap.Documents(true, func(_ core.Ord, d *core.Document) error {
			have[d.ID] = d.Text
			ord, err := c.Ords([]string{d.ID})
			if err != nil {
				return err
			}
			x, err := c.Readings(ord)
			if want := readingOf(d.Text); err == nil && !same(x[0], want) {
				t.Errorf("document %s has the reading %v, want %v", d.ID, x[0], want)
			}
			return err
		})
	})
	if err != nil {
		t.Fatal(err)
	}
	err = c.Events(storage.EventFilter{}, func(e core.Event) error {
		line := "event " + e.User + "/" + e.Item
		if _, acknowledged := state[line]; !acknowledged {
			state[line] = "" // the last one may have landed all the same
		}
		have[line] = ""
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	err = c.Feedback("answer", func(f storage.Feedback) error {
		line := "event said " + f.Question
		if _, acknowledged := state[line]; !acknowledged {
			state[line] = ""
		}
		have[line] = ""
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	after := make(map[string]string, len(state))
	for k, v := range state {
		after[k] = v
	}
	for _, line := range doubt {
		apply(after, line)
	}
	old, now := differences(have, state), differences(have, after)
	switch {
	case len(now) == 0:
		for _, line := range doubt {
			apply(state, line)
		}
	case len(old) > 0:
		t.Errorf("round %d: %d documents differ from what was acknowledged: %.300q", round, len(old), old)
	}
}

// differences lists the ids under which two states differ.
func differences(a, b map[string]string) (out []string) {
	for k, v := range a {
		if w, there := b[k]; !there || v != w {
			out = append(out, k)
		}
	}
	for k := range b {
		if _, there := a[k]; !there {
			out = append(out, k)
		}
	}
	return out
}
