//go:build cgo && !noort && !purego

package ort_test

import (
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/vecdb/vecdb/embedder"
	"github.com/vecdb/vecdb/embedder/hub"
	"github.com/vecdb/vecdb/embedder/ort"
	"github.com/vecdb/vecdb/internal/core"
)

// missing ends a test for lack of a file of the cache. Where
// VECDB_REQUIRE_MODELS is set, as in `make test`, that is a failure; a bare
// `go test` skips the test.
func missing(t testing.TB, err error) {
	t.Helper()
	if os.Getenv("VECDB_REQUIRE_MODELS") != "" {
		t.Fatal(err)
	}
	t.Skip(err, ": run make setup")
}

// libraryPath returns the path of the runtime's library in the cache.
func libraryPath(t testing.TB) string {
	t.Helper()
	manifest, err := embedder.DefaultManifest()
	if err != nil {
		t.Fatal(err)
	}
	path, err := hub.New(hub.DefaultHome(), manifest).LocateRuntime()
	if err != nil {
		missing(t, err)
	}
	return path
}

// library opens the runtime's library.
func library(t testing.TB) *ort.Library {
	t.Helper()
	lib, err := ort.Open(libraryPath(t))
	if err != nil {
		t.Fatal(err)
	}
	return lib
}

func TestLibraryIsLoadedOnce(t *testing.T) {
	lib := library(t)
	again, err := ort.Open(filepath.Join(t.TempDir(), "nothing.so"))
	if err != nil || again != lib {
		t.Errorf("a second Open gives %p, %v, want the library of the first", again, err)
	}
	if v := lib.Version(); !regexp.MustCompile(`^\d+\.\d+\.\d+`).MatchString(v) {
		t.Errorf("the version is %q", v)
	}
}

// freshProcess is set in the process in which no library is loaded yet.
const freshProcess = "VECDB_TEST_FRESH_PROCESS"

// inFreshProcess tells whether the test runs in a process of its own, which
// is needed to see a library not load. Where it does not, inFreshProcess
// starts it there and reports how it ends.
func inFreshProcess(t *testing.T) bool {
	t.Helper()
	if os.Getenv(freshProcess) != "" {
		return true
	}
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	cmd := exec.CommandContext(t.Context(), self, "-test.run=^"+t.Name()+"$", "-test.v")
	cmd.Env = append(os.Environ(), freshProcess+"=1")
	out, err := cmd.CombinedOutput()
	switch {
	case err != nil:
		t.Errorf("%v\n%s", err, out)
	case strings.Contains(string(out), "--- SKIP: "+t.Name()):
		t.Skipf("%s", out)
	case !strings.Contains(string(out), "--- PASS: "+t.Name()):
		t.Errorf("the test did not run:\n%s", out)
	}
	return false
}

// badLibraries returns files that are no runtime, by what they are.
func badLibraries(t *testing.T) map[string]string {
	t.Helper()
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	bad := map[string]string{"missing": filepath.Join(dir, "nothing.so"), "no path": "", "folder": dir, "program": self}
	for name, data := range map[string]string{"empty": "", "garbage": "this is no library\n", "cut": "\x7fELF\x02\x01\x01"} {
		bad[name] = filepath.Join(dir, name+".so")
		if err := os.WriteFile(bad[name], []byte(data), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	if other := loadedLibrary(); other != "" {
		bad["other library"] = other
	}
	return bad
}

// loadedLibrary returns the path of a shared library that this process uses,
// "" where the system does not tell.
func loadedLibrary() string {
	maps, err := os.ReadFile("/proc/self/maps")
	if err != nil {
		return ""
	}
	return regexp.MustCompile(`/\S*/libc\.\S+`).FindString(string(maps))
}

func TestBadLibrariesAreRefused(t *testing.T) {
	if !inFreshProcess(t) {
		return
	}
	for name, path := range badLibraries(t) {
		t.Run(name, func(t *testing.T) {
			lib, err := ort.Open(path)
			if lib != nil || !errors.Is(err, core.ErrNoRuntime) {
				t.Fatalf("got %v, want ErrNoRuntime", err)
			}
			for _, want := range []string{path, "(run: vecdb model pull --runtime)"} {
				if !strings.Contains(err.Error(), want) {
					t.Errorf("%q does not say %q", err, want)
				}
			}
		})
	}
}

func TestGoodLibraryLoadsAfterABadOne(t *testing.T) {
	if !inFreshProcess(t) {
		return
	}
	path := libraryPath(t)
	for name, bad := range badLibraries(t) {
		if _, err := ort.Open(bad); err == nil {
			t.Fatalf("%s: opened", name)
		}
	}
	if _, err := ort.Open(path); err != nil {
		t.Error(err)
	}
}
