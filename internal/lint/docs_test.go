package lint

import (
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

func TestEveryPackageSaysWhatItIsFor(t *testing.T) {
	documented := make(map[string]string)
	for _, f := range goFiles(t) {
		if f.test || documented[f.dir] != "" {
			continue
		}
		documented[f.dir] = f.doc
	}
	for dir, doc := range documented {
		if len(doc) < 40 {
			t.Errorf("package in %q has no comment that says what it is for", dir)
		}
	}
}

func TestFilesStaySmall(t *testing.T) {
	const limit = 500 // lines; a file that grows past it holds a concern that wants a place of its own
	for _, f := range goFiles(t) {
		if !f.test && !f.generated && f.lines > limit {
			t.Errorf("%s has %d lines, more than %d", f.path, f.lines, limit)
		}
	}
}

// foreign matches what has no place in the project: absolute paths of some
// machine and addresses of package registries.
var foreign = regexp.MustCompile(`(^|[^A-Za-z0-9_.-])/(work|farm|root)/|https?://(registry|proxy|repo[0-9]*|files|deb)\.[a-z]`)

func TestNoMachinePathsOrRegistryAddresses(t *testing.T) {
	root := moduleRoot(t)
	err := filepath.WalkDir(root, func(p string, d os.DirEntry, err error) error {
		if err != nil {
			return err
		}
		if d.IsDir() {
			if skipDir(root, p, d.Name()) {
				return filepath.SkipDir
			}
			return nil
		}
		if filepath.Ext(p) == ".sum" || d.Name() == "docs_test.go" || d.Name() == ".git" || !d.Type().IsRegular() {
			return nil
		}
		data, err := os.ReadFile(p)
		if err != nil {
			return err
		}
		for i, line := range strings.Split(string(data), "\n") {
			if foreign.MatchString(line) {
				t.Errorf("%s:%d holds a machine path or a registry address", p, i+1)
			}
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
}
