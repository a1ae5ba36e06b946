// Package storagetest holds the suite that every storage engine passes.
package storagetest

import (
	"bytes"
	"errors"
	"fmt"
	"slices"
	"sync"
	"testing"

	"github.com/vecdb/vecdb/internal/core"
	"github.com/vecdb/vecdb/storage"
)

// Suite says what is tested.
type Suite struct {
	// New opens an empty engine.
	New func(t *testing.T) storage.Engine
	// Reopen closes e and opens what it left; nil for engines that leave
	// nothing.
	Reopen func(t *testing.T, e storage.Engine) storage.Engine
}

// Run runs the suite as subtests of t.
func Run(t *testing.T, s Suite) {
	for name, test := range map[string]func(*testing.T, Suite){
		"get and put":   testGetPut,
		"scan":          testScan,
		"batches":       testBatches,
		"one state":     testOneState,
		"large values":  testLarge,
		"concurrent":    testConcurrent,
		"closed":        testClosed,
		"verify":        testVerify,
		"binary keys":   testBinaryKeys,
		"empty batches": testEmpty,
	} {
		t.Run(name, func(t *testing.T) { test(t, s) })
	}
	if s.Reopen != nil {
		t.Run("reopen", func(t *testing.T) { testReopen(t, s) })
	}
}

func apply(t *testing.T, e storage.Engine, pairs ...string) {
	t.Helper()
	b := new(storage.Batch)
	for i := 0; i < len(pairs); i += 2 {
		b.Put([]byte(pairs[i]), []byte(pairs[i+1]))
	}
	if err := e.Apply(b); err != nil {
		t.Fatal(err)
	}
}

func get(t *testing.T, e storage.Engine, key string) (string, bool) {
	t.Helper()
	var value []byte
	err := e.View(func(r storage.Reader) (err error) {
		value, err = r.Get([]byte(key))
		return err
	})
	if errors.Is(err, core.ErrNotFound) {
		return "", false
	}
	if err != nil {
		t.Fatal(err)
	}
	return string(value), true
}

func scan(t *testing.T, e storage.Engine, start, end []byte) (out []string) {
	t.Helper()
	err := e.View(func(r storage.Reader) error {
		return r.Scan(start, end, func(k, v []byte) error {
			out = append(out, string(k)+"="+string(v))
			return nil
		})
	})
	if err != nil {
		t.Fatal(err)
	}
	return out
}

func want(t *testing.T, e storage.Engine, pairs ...string) {
	t.Helper()
	if got := scan(t, e, nil, nil); !slices.Equal(got, pairs) {
		t.Errorf("the engine holds %q, want %q", got, pairs)
	}
}

func testGetPut(t *testing.T, s Suite) {
	e := s.New(t)
	if _, there := get(t, e, "a"); there {
		t.Error("an empty engine has a key")
	}
	apply(t, e, "a", "1", "b", "")
	apply(t, e, "a", "2")
	if v, _ := get(t, e, "a"); v != "2" {
		t.Errorf("a is %q, want the value put last", v)
	}
	if v, there := get(t, e, "b"); !there || v != "" {
		t.Errorf("an empty value is %q, %v", v, there)
	}
	b := new(storage.Batch)
	b.Delete([]byte("a"))
	b.Delete([]byte("never there"))
	if err := e.Apply(b); err != nil {
		t.Fatal(err)
	}
	want(t, e, "b=")
}

func testScan(t *testing.T, s Suite) {
	e := s.New(t)
	apply(t, e, "b", "2", "a", "1", "c", "3", "ab", "12", "d", "4")
	for _, tc := range []struct{ start, end, want string }{
		{"", "", "a=1 ab=12 b=2 c=3 d=4"}, {"ab", "", "ab=12 b=2 c=3 d=4"}, {"aa", "c", "ab=12 b=2"},
		{"c", "c", ""}, {"x", "", ""}, {"a", "a\x00", "a=1"},
	} {
		var end []byte
		if tc.end != "" {
			end = []byte(tc.end)
		}
		if got := fmt.Sprint(scan(t, e, []byte(tc.start), end)); got != "["+tc.want+"]" {
			t.Errorf("scan from %q to %q gives %s, want [%s]", tc.start, tc.end, got, tc.want)
		}
	}
	n, boom := 0, errors.New("boom")
	err := e.View(func(r storage.Reader) error {
		if err := r.Scan(nil, nil, func(_, _ []byte) error { n++; return storage.ErrStopScan }); err != nil {
			return err
		}
		return r.Scan(nil, nil, func(_, _ []byte) error { return boom })
	})
	if n != 1 || !errors.Is(err, boom) {
		t.Errorf("after stopping: %d calls, error %v", n, err)
	}
}

func testBatches(t *testing.T, s Suite) {
	e := s.New(t)
	apply(t, e, "k", "0")
	b := new(storage.Batch)
	b.Put([]byte("k"), []byte("1"))
	b.Delete([]byte("k"))
	b.Put([]byte("k"), []byte("2"))
	b.Put([]byte("l"), []byte("3"))
	b.Delete([]byte("l"))
	if b.Len() != 5 || b.SizeBytes() != 8 {
		t.Errorf("the batch counts %d writes and %d bytes", b.Len(), b.SizeBytes())
	}
	if err := e.Apply(b); err != nil {
		t.Fatal(err)
	}
	want(t, e, "k=2")
}

func testOneState(t *testing.T, s Suite) {
	e := s.New(t)
	apply(t, e, "x", "0", "y", "0")
	stop := make(chan struct{})
	var wg sync.WaitGroup
	wg.Go(func() {
		for i := 1; ; i++ {
			select {
			case <-stop:
				return
			default:
			}
			b := new(storage.Batch)
			b.Put([]byte("x"), fmt.Append(nil, i))
			b.Put([]byte("y"), fmt.Append(nil, i))
			if err := e.Apply(b); err != nil {
				t.Error(err)
				return
			}
		}
	})
	for range 50 {
		err := e.View(func(r storage.Reader) error {
			x, err := r.Get([]byte("x"))
			if err != nil {
				return err
			}
			y, err := r.Get([]byte("y"))
			if err == nil && !bytes.Equal(x, y) {
				t.Errorf("one view sees x=%s and y=%s", x, y)
			}
			return err
		})
		if err != nil {
			t.Error(err)
		}
	}
	close(stop)
	wg.Wait()
}

func testLarge(t *testing.T, s Suite) {
	e := s.New(t)
	big := bytes.Repeat([]byte("0123456789abcdef"), 1<<20) // 16 MiB
	b := new(storage.Batch)
	b.Put([]byte("big"), big)
	for i := range 4000 {
		b.Put(fmt.Appendf(nil, "small%04d", i), []byte("v"))
	}
	if err := e.Apply(b); err != nil {
		t.Fatal(err)
	}
	if v, _ := get(t, e, "big"); v != string(big) {
		t.Errorf("a value of %d bytes comes back with %d", len(big), len(v))
	}
	if n := len(scan(t, e, []byte("small"), []byte("smalm"))); n != 4000 {
		t.Errorf("%d of 4000 small values", n)
	}
	if e.SizeBytes() < int64(len(big)) {
		t.Errorf("the engine says that it takes %d bytes", e.SizeBytes())
	}
}

func testConcurrent(t *testing.T, s Suite) {
	e := s.New(t)
	var wg sync.WaitGroup
	for w := range 8 {
		wg.Go(func() {
			for i := range 20 {
				key := fmt.Sprintf("%d/%d", w, i)
				b := new(storage.Batch)
				b.Put([]byte(key), []byte("v"))
				if err := e.Apply(b); err != nil {
					t.Error(err)
				}
				err := e.View(func(r storage.Reader) error {
					_, err := r.Get([]byte(key))
					return err
				})
				if err != nil {
					t.Errorf("%s after it was applied: %v", key, err)
				}
			}
		})
	}
	wg.Wait()
	if n := len(scan(t, e, nil, nil)); n != 160 {
		t.Errorf("%d of 160 keys", n)
	}
}

func testClosed(t *testing.T, s Suite) {
	e := s.New(t)
	apply(t, e, "a", "1")
	for range 2 {
		if err := e.Close(); err != nil {
			t.Error(err)
		}
	}
	b := new(storage.Batch)
	b.Put([]byte("a"), []byte("2"))
	for name, err := range map[string]error{
		"view": e.View(func(storage.Reader) error { return nil }), "apply": e.Apply(b), "verify": e.Verify(),
	} {
		if !errors.Is(err, core.ErrClosed) {
			t.Errorf("%s on a closed engine gives %v, want ErrClosed", name, err)
		}
	}
}

func testReopen(t *testing.T, s Suite) {
	e := s.New(t)
	apply(t, e, "a", "1", "b", "2")
	e = s.Reopen(t, e)
	want(t, e, "a=1", "b=2")
	apply(t, e, "a", "3")
	e = s.Reopen(t, e)
	want(t, e, "a=3", "b=2")
}

func testVerify(t *testing.T, s Suite) {
	e := s.New(t)
	apply(t, e, "a", "1")
	if err := e.Verify(); err != nil {
		t.Errorf("a sound engine: %v", err)
	}
}

func testBinaryKeys(t *testing.T, s Suite) {
	e := s.New(t)
	apply(t, e, "\x00", "1", "\x00\x00", "2", "\xff\xff", "3", "a\x00b", "4", "ключ/鍵", "5")
	want(t, e, "\x00=1", "\x00\x00=2", "a\x00b=4", "ключ/鍵=5", "\xff\xff=3")
}

func testEmpty(t *testing.T, s Suite) {
	e := s.New(t)
	if err := e.Apply(new(storage.Batch)); err != nil {
		t.Error(err)
	}
	want(t, e)
}
