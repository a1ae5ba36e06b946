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
	} else if _, err := e5.Precision("int8"); !errors.Is(err, core.ErrInvalid) {
		t.Errorf("a precision that is not there gives %v", err)
	}
}

func TestBrokenManifestsAreRefused(t *testing.T) {
	const file = `{"size":1,"sha256":"` + "0000000000000000000000000000000000000000000000000000000000000000" + `","sources":[{"kind":"https"}]}`
	model := func(change ...string) string {
		s := `{"models":[{"name":"m","license":"MIT","dimension":8,"pooling":"mean","max_tokens":16,"files":{"fp32":` + file + `,"tokenizer":` + file + `}}]}`
		return strings.NewReplacer(change...).Replace(s)
	}
	if _, err := embedder.ParseManifest([]byte(model())); err != nil {
		t.Fatalf("the manifest that the others are made from is refused: %v", err)
	}
	for name, text := range map[string]string{
		"not JSON":        "{",
		"unknown member":  model(`"name"`, `"nom"`),
		"no dimension":    model(`"dimension":8`, `"dimension":0`),
		"huge dimension":  model(`"dimension":8`, `"dimension":99999`),
		"pooling":         model(`"mean"`, `"max"`),
		"no tokenizer":    model(`"tokenizer"`, `"int8"`),
		"unknown file":    model(`"fp32"`, `"fp8"`),
		"short checksum":  model(`"sha256":"00`, `"sha256":"`),
		"folder for name": model(`"name":"m"`, `"name":"../m"`),
	} {
		if _, err := embedder.ParseManifest([]byte(text)); err == nil {
			t.Errorf("%s: accepted", name)
		}
	}
}
