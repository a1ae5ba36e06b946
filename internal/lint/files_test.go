package lint

import (
	"bytes"
	"go/ast"
	"go/parser"
	"go/token"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
)

// goFile is what the rules need to know of one Go file. Files are read
// whatever their build tags.
type goFile struct {
	path      string // relative to the module's root
	dir       string // its folder, "" for the root
	test      bool
	generated bool
	lines     int
	doc       string // the package comment, if this file holds it
	imports   []string
}

// goFiles reads all Go files of the module. For packages whose comment stands
// in another file, every file of the folder carries it.
func goFiles(t *testing.T) []goFile {
	t.Helper()
	root := moduleRoot(t)
	var files []goFile
	docs := make(map[string]string)
	err := filepath.WalkDir(root, func(p string, d os.DirEntry, err error) error {
		if err != nil {
			return err
		}
		if d.IsDir() {
			if skipDir(root, p, d.Name()) || ownModule(root, p) {
				return filepath.SkipDir
			}
			return nil
		}
		if filepath.Ext(p) != ".go" {
			return nil
		}
		f, err := readGoFile(root, p)
		if err != nil {
			return err
		}
		if f.doc != "" && !f.test {
			docs[f.dir] = f.doc
		}
		files = append(files, f)
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	if len(files) < 20 {
		t.Fatalf("found only %d Go files below %s", len(files), root)
	}
	for i := range files {
		files[i].doc = docs[files[i].dir]
	}
	return files
}

func readGoFile(root, p string) (goFile, error) {
	rel, err := filepath.Rel(root, p)
	if err != nil {
		return goFile{}, err
	}
	src, err := os.ReadFile(p)
	if err != nil {
		return goFile{}, err
	}
	parsed, err := parser.ParseFile(token.NewFileSet(), p, src, parser.ParseComments)
	if err != nil {
		return goFile{}, err
	}
	f := goFile{path: rel, dir: filepath.ToSlash(filepath.Dir(rel)), test: strings.HasSuffix(rel, "_test.go"),
		generated: ast.IsGenerated(parsed), lines: bytes.Count(src, []byte("\n")), doc: parsed.Doc.Text()}
	if f.dir == "." {
		f.dir = ""
	}
	for _, imp := range parsed.Imports {
		name, err := strconv.Unquote(imp.Path.Value)
		if err != nil {
			return goFile{}, err
		}
		f.imports = append(f.imports, name)
	}
	return f, nil
}

// skipDir tells which folders hold nothing of the module: hidden ones, build
// outputs and the generators' modules.
func skipDir(root, p, name string) bool {
	if p == root {
		return false
	}
	if strings.HasPrefix(name, ".") && name != ".ci" {
		return true
	}
	switch name {
	case "bin", "build", "demo-data", "vecdb-data", "_asm", "testdata":
		return true
	}
	return false
}

// ownModule tells whether a folder is the root of another module.
func ownModule(root, p string) bool {
	if p == root {
		return false
	}
	_, err := os.Stat(filepath.Join(p, "go.mod"))
	return err == nil
}

func moduleRoot(t *testing.T) string {
	t.Helper()
	dir, err := os.Getwd()
	if err != nil {
		t.Fatal(err)
	}
	for {
		if _, err := os.Stat(filepath.Join(dir, "go.mod")); err == nil {
			return dir
		}
		parent := filepath.Dir(dir)
		if parent == dir {
			t.Fatal("no go.mod above the test")
		}
		dir = parent
	}
}
