package hub

import (
	"archive/tar"
	"archive/zip"
	"compress/gzip"
	"errors"
	"fmt"
	"io"
	"os"
)

// openMember calls fn with the bytes of the file at path within a zip or a
// gzipped tar archive. Nothing is written to a path from the archive.
func openMember(archive, path string, fn func(io.Reader) error) error {
	f, err := os.Open(archive)
	if err != nil {
		return err
	}
	defer f.Close()
	magic := make([]byte, 2)
	if _, err := io.ReadFull(f, magic); err != nil {
		return fmt.Errorf("the archive is empty: %w", err)
	}
	if _, err := f.Seek(0, io.SeekStart); err != nil {
		return err
	}
	if string(magic) == "\x1f\x8b" {
		return tarMember(f, path, fn)
	}
	return zipMember(f, path, fn)
}

func zipMember(f *os.File, path string, fn func(io.Reader) error) error {
	st, err := f.Stat()
	if err != nil {
		return err
	}
	z, err := zip.NewReader(f, st.Size())
	if err != nil {
		return fmt.Errorf("the archive is damaged: %w", err)
	}
	member, err := z.Open(path)
	if err != nil {
		return fmt.Errorf("the archive has no %s: %w", path, err)
	}
	defer member.Close()
	return fn(member)
}

func tarMember(r io.Reader, path string, fn func(io.Reader) error) error {
	z, err := gzip.NewReader(r)
	if err != nil {
		return fmt.Errorf("the archive is damaged: %w", err)
	}
	t := tar.NewReader(z)
	for {
		head, err := t.Next()
		if errors.Is(err, io.EOF) {
			return fmt.Errorf("the archive has no %s", path)
		}
		if err != nil {
			return fmt.Errorf("the archive is damaged: %w", err)
		}
		if head.Name == path && head.Typeflag == tar.TypeReg {
			return fn(t)
		}
	}
}
