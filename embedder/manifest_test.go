package embedder_test

import (
	"errors"
	"strings"
	"testing"

	"github.com/vecdb/vecdb/embedder"
	"github.com/vecdb/vecdb/internal/core"
)

func TestDefaultManifest(t *testing.T) {
	m, err := embedder.DefaultManifest()
	if err != nil {
		t.Fatal(err)
	}
	for language, want := range map[string]string{"en": "all-MiniLM-L6-v2", "zh": "bge-small-zh-v1.5"} {
		got, err := m.ForLanguage(language)
		if err != nil || got.Name != want {
			t.Errorf("the default for %s is %s (%v), want %s", language, got.Name, err, want)
		}
		if p, err := got.Precision(""); err != nil || p != embedder.Int8 {
			t.Errorf("the default precision of %s is %s, %v", got.Name, p, err)
		}
		if _, err := got.Precision("fp32"); err != nil {
			t.Errorf("%s has no fp32: %v", got.Name, err)
		}
	}
	if _, err := m.Model("ALL-minilm-l6-V2"); err != nil {
		t.Errorf("names are told apart by case: %v", err)
	}
	if _, err := m.Model("gpt"); !errors.Is(err, core.ErrNotFound) || !strings.Contains(err.Error(), "all-MiniLM-L6-v2") {
		t.Errorf("an unknown model gives %v", err)
	}
	if _, err := m.Runtime("plan9", "mips"); !errors.Is(err, core.ErrNoRuntime) || !strings.Contains(err.Error(), "linux/amd64") {
		t.Errorf("an unknown platform gives %v", err)
	}
	if e5, err := m.Model("e5-small-v2"); err != nil || e5.QueryPrefix != "query: " {
		t.Errorf("e5 has prefix %q, %v", e5.QueryPrefix, err)
	} else if p, err := e5.Precision(""); err != nil || p != embedder.FP32 {
		t.Errorf("without int8 the default is %s, %v", p, err)
	} else if p, err := e5.Precision("int8"); err != nil || p != embedder.Int8 || e5.Source() != embedder.FP32 {
		t.Errorf("int8 is %s, %v, although it can be made of %s", p, err, e5.Source())
	} else if _, err := e5.Precision("int4"); !errors.Is(err, core.ErrInvalid) || !strings.Contains(err.Error(), "bf16") {
		t.Errorf("a precision that is not there gives %v", err)
	}
}

func TestBrokenManifestsAreRefused(t *testing.T) {
	const file = `"size":1,"sha256":"` + "0000000000000000000000000000000000000000000000000000000000000000" + `","sources":[{"kind":"https"}]`
	whole := `{"models":[{"name":"m","license":"MIT","dimension":8,"pooling":"mean","max_tokens":16,` +
		`"files":{"fp32":{` + file + `},"tokenizer":{` + file + `}}}],` +
		`"runtimes":[{"os":"linux","arch":"amd64","file":"lib.so",` + file + `}]}`
	if _, err := embedder.ParseManifest([]byte(whole)); err != nil {
		t.Fatalf("the manifest that the others are made from is refused: %v", err)
	}
	for _, tc := range []struct{ name, old, new, complaint string }{
		{"empty", whole, ``, "EOF"},
		{"cut", whole, whole[:len(whole)/2], "EOF"},
		{"two of them", whole, whole + whole, "follows"},
		{"a stray bracket", whole, whole + "}", "follows"},
		{"wrong type", `"dimension":8`, `"dimension":"8"`, "dimension"},
		{"unknown member", `"name"`, `"nom"`, `"nom"`},
		{"no name", `"name":"m"`, `"name":""`, "name"},
		{"no licence", `"license":"MIT",`, ``, "license"},
		{"no dimension", `"dimension":8,`, ``, "dimension"},
		{"huge dimension", `"dimension":8`, `"dimension":99999`, "dimension"},
		{"no room for a token", `"max_tokens":16`, `"max_tokens":2`, "max_tokens"},
		{"no pooling", `"pooling":"mean",`, ``, "use mean, cls, last or max"},
		{"unknown pooling", `"mean"`, `"sum"`, `unknown pooling "sum"`},
		{"no tokenizer", `"tokenizer"`, `"int8"`, "/files"},
		{"no precision", `"fp32"`, `"tokenizer"`, "/files"},
		{"unknown file", `"fp32"`, `"fp8"`, `unknown file "fp8"`},
		{"short checksum", `"sha256":"00`, `"sha256":"`, "checksum"},
		{"no size", `"size":1`, `"size":0`, "size"},
		{"no sources", `[{"kind":"https"}]`, `[]`, "sources"},
		{"folder for name", `"name":"m"`, `"name":"../m"`, "../m"},
		{"runtime without a system", `"os":"linux"`, `"os":""`, "/amd64"},
		{"runtime without a file", `"file":"lib.so"`, `"file":""`, "linux/amd64"},
		{"runtime outside its folder", `"file":"lib.so"`, `"file":"../lib.so"`, "linux/amd64"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			if !strings.Contains(whole, tc.old) {
				t.Fatalf("there is no %s to change", tc.old)
			}
			_, err := embedder.ParseManifest([]byte(strings.ReplaceAll(whole, tc.old, tc.new)))
			if err == nil || !strings.Contains(err.Error(), tc.complaint) || !strings.HasPrefix(err.Error(), "manifest of models: ") {
				t.Errorf("got error %v, want one about %s", err, tc.complaint)
			}
		})
	}
}

func TestUnknownModelsAreAnsweredWithTheKnownOnes(t *testing.T) {
	m := embedder.Manifest{Models: []embedder.Model{{Name: "first", Language: "en"}, {Name: "second", Language: "en"}}}
	_, err := m.Model("third")
	if !errors.Is(err, core.ErrNotFound) || !strings.Contains(err.Error(), `"third"`) || !strings.Contains(err.Error(), "first, second") {
		t.Errorf("an unknown model gives %v", err)
	}
	if got, err := m.ForLanguage("en"); err != nil || got.Name != "first" {
		t.Errorf("the default is %q (%v), want the first", got.Name, err)
	}
	if _, err := m.ForLanguage("tlh"); !errors.Is(err, core.ErrNotFound) || !strings.Contains(err.Error(), "tlh") {
		t.Errorf("an unknown language gives %v", err)
	}
}
