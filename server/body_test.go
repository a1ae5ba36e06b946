package server

import (
	"bytes"
	"compress/gzip"
	"context"
	"errors"
	"math/rand/v2"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/gin-gonic/gin"
	"golang.org/x/sync/semaphore"

	"github.com/vecdb/vecdb/internal/core"
)

// posting returns the context of a request with a body, whose length is told or not.
func posting(t *testing.T, body []byte, told bool) *gin.Context {
	t.Helper()
	c, _ := gin.CreateTestContext(httptest.NewRecorder())
	c.Request = httptest.NewRequestWithContext(t.Context(), http.MethodPost, "/", bytes.NewReader(body))
	if !told {
		c.Request.ContentLength = -1
	}
	return c
}

func bounded(bytes int64) *Server {
	return &Server{opts: Options{BodyBytes: bytes}, bodies: semaphore.NewWeighted(bytes)}
}

func TestBodiesAreReadUpToTheLimit(t *testing.T) {
	const limit, all = 3 << 20, 5 << 20
	s := bounded(all)
	for _, size := range []int{0, 1, 511, 512, smallBody - 1, smallBody, smallBody + 1, limit - 1, limit, limit + 1, 2 * limit} {
		for _, told := range []bool{false, true} {
			want := bytes.Repeat([]byte("x"), size)
			c := posting(t, want, told)
			got, err := s.readBody(c, limit)
			if size > limit {
				if !errors.Is(err, core.ErrTooLarge) {
					t.Errorf("%d bytes, told %v: %v", size, told, err)
				}
			} else if err != nil || !bytes.Equal(got, want) {
				t.Errorf("%d bytes, told %v: %d are read, %v", size, told, len(got), err)
			}
			switch held := c.GetInt64(heldBytes); {
			case size < smallBody && held != 0, size > smallBody && size <= limit && held < int64(size), held > limit+1:
				t.Errorf("%d bytes, told %v: %d are held", size, told, held)
			}
			for i := range got {
				got[i] = 'y' // who comes next gets none of this
			}
			if s.letGo(c); !s.bodies.TryAcquire(all) {
				t.Fatalf("%d bytes, told %v: something is not given back", size, told)
			}
			s.bodies.Release(all)
		}
	}
}

func TestPackedBodiesAreKeptOnceTheirLengthIsKnown(t *testing.T) {
	const limit = 3 << 20
	s := bounded(8 << 20)
	noise := make([]byte, limit+1)
	_, _ = rand.NewChaCha8([32]byte{}).Read(noise) // which always works
	for _, x := range []struct {
		name string
		body []byte
		held int64 // the body and what it is inflated to, as far as they are long
	}{
		{"nothing", nil, 0}, {"little", bytes.Repeat([]byte("x"), 1000), 0}, {"as much as is allowed", make([]byte, limit), limit + 1},
		{"what cannot be packed", noise[:limit-2000], 2 * limit}, {"too much", make([]byte, limit+1), 0}, {"far too much", make([]byte, 20*limit), 0},
	} {
		var b bytes.Buffer
		z := gzip.NewWriter(&b)
		if _, err := z.Write(x.body); err != nil || z.Close() != nil {
			t.Fatal(err)
		}
		for _, told := range []bool{false, true} {
			c := posting(t, b.Bytes(), told)
			c.Request.Header.Set("Content-Encoding", "gzip")
			got, err := s.readBody(c, limit)
			if len(x.body) > limit {
				if !errors.Is(err, core.ErrTooLarge) {
					t.Errorf("%s, told %v: %v", x.name, told, err)
				}
			} else if err != nil || !bytes.Equal(got, x.body) {
				t.Errorf("%s, told %v: %d bytes of %d, %v", x.name, told, len(got), len(x.body), err)
			}
			if held := c.GetInt64(heldBytes); held > x.held+2 || held < x.held/2 {
				t.Errorf("%s, told %v: %d bytes are held, want %d", x.name, told, held, x.held)
			}
			s.letGo(c)
		}
	}
	for name, broken := range map[string][]byte{"no gzip": []byte("{}"), "cut": {0x1f, 0x8b, 8, 0, 0, 0, 0, 0, 0, 255, 3}} {
		c := posting(t, broken, true)
		c.Request.Header.Set("Content-Encoding", "gzip")
		if _, err := s.readBody(c, limit); !errors.Is(err, core.ErrInvalid) {
			t.Errorf("%s: %v", name, err)
		}
	}
	if !s.bodies.TryAcquire(8 << 20) {
		t.Error("something is not given back")
	}
}

func TestAPackedBodyDoesNotWaitForItself(t *testing.T) {
	const all = 4 << 20
	s := bounded(all)
	noise := make([]byte, 3<<20) // which takes as much packed
	_, _ = rand.NewChaCha8([32]byte{}).Read(noise)
	var b bytes.Buffer
	z := gzip.NewWriter(&b)
	if _, err := z.Write(noise); err != nil || z.Close() != nil {
		t.Fatal(err)
	}
	c := posting(t, b.Bytes(), true)
	c.Request.Header.Set("Content-Encoding", "gzip")
	if got, err := s.readBody(c, 64<<20); err != nil || !bytes.Equal(got, noise) {
		t.Errorf("%d bytes of %d, %v", len(got), len(noise), err)
	}
	if s.letGo(c); !s.bodies.TryAcquire(all) {
		t.Error("something is not given back")
	}
}

func TestLargeBodiesWaitForOthers(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := bounded(4 << 20)
		large := bytes.Repeat([]byte("x"), 3<<20)
		first, second := posting(t, large, true), posting(t, large, true)
		if _, err := s.readBody(first, 64<<20); err != nil {
			t.Fatal(err)
		}
		if _, err := s.readBody(posting(t, large[:smallBody/2], false), 64<<20); err != nil {
			t.Errorf("a small body beside a large one: %v", err)
		}
		begin := time.Now()
		if _, err := s.readBody(second, 64<<20); !errors.Is(err, errBusy) || time.Since(begin) != laneWait || second.Writer.Header().Get("Retry-After") == "" {
			t.Errorf("a second large body: %v after %v", err, time.Since(begin))
		}
		if status, _ := classify(errBusy); status != http.StatusTooManyRequests {
			t.Errorf("that is told with %d", status)
		}
		go func() {
			time.Sleep(laneWait / 2)
			s.letGo(first)
		}()
		third := posting(t, large, false) // may be 64 MiB for all that is known, more than there is
		if _, err := s.readBody(third, 64<<20); err != nil || third.GetInt64(heldBytes) != 4<<20 {
			t.Errorf("when there is room again: %v, %d bytes held", err, third.GetInt64(heldBytes))
		}
		s.letGo(third)
		gone, cancel := context.WithCancel(t.Context())
		cancel()
		if err := s.bodies.Acquire(t.Context(), 4<<20); err != nil {
			t.Fatal(err)
		}
		fourth := posting(t, large, true)
		fourth.Request = fourth.Request.WithContext(gone)
		if _, err := s.readBody(fourth, 64<<20); !errors.Is(err, errBusy) {
			t.Errorf("a client that went away: %v", err)
		}
	})
}

func TestDocumentsAreCountedWithoutDecoding(t *testing.T) {
	for body, want := range map[string]int{
		`[{"a":[1,2,3]},{"b":"],,\"],["},3]`: 3, `[]`: 1, ` {"documents" : [{"a":1,"b":2},{}]} `: 2, `{"documents":[]}`: 1,
		`{"id":"a","tags":[1,2,3]}`: 1, `{"tags":[1,2,3],"documents":[1,2]}`: 1, `"a,b"`: 1, `{"documents":"a","id":"b"}`: 1,
	} {
		if got := countDocuments([]byte(body)); got != want {
			t.Errorf("%s has %d documents, counted are %d", body, want, got)
		}
	}
}

func TestElementsOfAnArray(t *testing.T) {
	for body, want := range map[string][]string{
		`[]`: nil, " [ \n ] ": nil, `[1]`: {"1"}, `[{"a":[1,2]}, "],[\\\",", [3,[4]] ]`: {`{"a":[1,2]}`, `"],[\\\","`, `[3,[4]]`},
	} {
		got, err := elements([]byte(body))
		if err != nil || len(got) != len(want) {
			t.Fatalf("%s: %q, %v", body, got, err)
		}
		for i := range want {
			if strings.TrimSpace(string(got[i])) != want[i] {
				t.Errorf("%s: element %d is %s, want %s", body, i, got[i], want[i])
			}
		}
	}
	for _, body := range []string{`[`, `[1,]`, `[1] 2`, `[1}`} {
		if got, err := elements([]byte(body)); !errors.Is(err, core.ErrInvalid) {
			t.Errorf("%s: %q, %v", body, got, err)
		}
	}
}
