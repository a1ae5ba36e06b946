package token_test

import (
	"bufio"
	"encoding/base64"
	"encoding/json"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/vecdb/vecdb/embedder"
	"github.com/vecdb/vecdb/embedder/token"
)

// modelFile returns a file of a model in the cache that `make setup` fills.
// Where VECDB_REQUIRE_MODELS is set, as in `make test`, a missing file fails
// the test; a bare `go test` skips it.
func modelFile(t testing.TB, model, name string) string {
	t.Helper()
	home := os.Getenv("VECDB_HOME")
	if home == "" {
		cache, err := os.UserCacheDir()
		if err != nil {
			t.Fatal(err)
		}
		home = filepath.Join(cache, "vecdb")
	}
	path := filepath.Join(home, "models", model, name)
	if _, err := os.Stat(path); err != nil {
		if os.Getenv("VECDB_REQUIRE_MODELS") != "" {
			t.Fatalf("%v: run make setup", err)
		}
		t.Skipf("%v: run make setup", err)
	}
	return path
}

type golden struct {
	Model     string  `json:"model"`
	Text      []byte  `json:"-"`
	Base64    string  `json:"text"`
	Repeat    int     `json:"repeat"`
	Lowercase *bool   `json:"lowercase"`
	IDs       []int32 `json:"ids"`
}

func goldens(t testing.TB) []golden {
	t.Helper()
	f, err := os.Open("testdata/golden.jsonl")
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	var out []golden
	lines := bufio.NewScanner(f)
	lines.Buffer(nil, 1<<20)
	for lines.Scan() {
		var g golden
		if err := json.Unmarshal(lines.Bytes(), &g); err != nil {
			t.Fatal(err)
		}
		if g.Text, err = base64.StdEncoding.DecodeString(g.Base64); err != nil {
			t.Fatal(err)
		}
		out = append(out, g)
	}
	if err := lines.Err(); err != nil {
		t.Fatal(err)
	}
	return out
}

func TestWordPieceGivesTheReferenceIDs(t *testing.T) {
	tokenizers := make(map[string]embedder.Tokenizer)
	bad, all := 0, goldens(t)
	for _, g := range all {
		key := g.Model
		if g.Lowercase != nil {
			key += map[bool]string{true: " lower", false: " cased"}[*g.Lowercase]
		}
		if tokenizers[key] == nil {
			w, err := token.Load(modelFile(t, g.Model, "tokenizer.json"), token.Options{Lowercase: g.Lowercase})
			if err != nil {
				t.Fatal(err)
			}
			tokenizers[key] = w
		}
		text := strings.Repeat(string(g.Text), max(1, g.Repeat))
		ids, total, err := tokenizers[key].Encode(nil, text, 1<<20)
		if err != nil || total != len(ids) {
			t.Errorf("%s: %.60q: %d ids, total %d, error %v", key, text, len(ids), total, err)
		}
		if !slices.Equal(ids, g.IDs) {
			bad++
			t.Errorf("%s: %.60q gives %v, the reference %v", key, text, ids, g.IDs)
		}
	}
	t.Logf("%d of %d texts have the reference's ids", len(all)-bad, len(all))
}

func TestLimitKeepsTheClosingToken(t *testing.T) {
	w, err := token.Load(modelFile(t, "all-MiniLM-L6-v2", "tokenizer.json"), token.Options{})
	if err != nil {
		t.Fatal(err)
	}
	text := strings.Repeat("seven small words stand in this line ", 100)
	whole, total, err := w.Encode(nil, text, 1<<20)
	if err != nil || total != 702 {
		t.Fatalf("whole text: total %d, error %v", total, err)
	}
	for _, limit := range []int{2, 3, 256, 701, 702, 703} {
		ids, n, err := w.Encode([]int32{-1}, text, limit)
		if err != nil || n != total || ids[0] != -1 {
			t.Fatalf("limit %d: total %d, first %d, error %v", limit, n, ids[0], err)
		}
		ids = ids[1:]
		if want := min(limit, total); len(ids) != want || ids[len(ids)-1] != 102 || !slices.Equal(ids[:want-1], whole[:want-1]) {
			t.Errorf("limit %d gives %d ids that end with %d", limit, len(ids), ids[len(ids)-1])
		}
	}
	if _, _, err := w.Encode(nil, "x", 1); err == nil {
		t.Error("a limit without room for the special tokens is accepted")
	}
}

func BenchmarkEncode(b *testing.B) {
	for _, bm := range []struct{ name, model, text string }{
		{"english", "all-MiniLM-L6-v2", "A father and his son travel across the country to find work during the depression; nobody's tokenization helps them. "},
		{"chinese", "bge-small-zh-v1.5", "今天天气很好，我们去公园散步，然后讨论了向量数据库（vector database）的检索质量。"},
		{"accents", "all-MiniLM-L6-v2", "Les élèves français préfèrent l'été à Zürich; Привет, мир! Ёлка и йод. "},
		{"korean", "all-MiniLM-L6-v2", "한국어 형태소 분석기 테스트입니다. "},
	} {
		b.Run(bm.name, func(b *testing.B) {
			w, err := token.Load(modelFile(b, bm.model, "tokenizer.json"), token.Options{})
			if err != nil {
				b.Fatal(err)
			}
			text := strings.Repeat(bm.text, 20)
			var ids []int32
			tokens := 0
			b.ReportAllocs()
			b.SetBytes(int64(len(text)))
			for b.Loop() {
				if ids, _, err = w.Encode(ids[:0], text, 1<<20); err != nil {
					b.Fatal(err)
				}
				tokens += len(ids)
			}
			b.ReportMetric(float64(tokens)/b.Elapsed().Seconds(), "tokens/s")
		})
	}
}

func BenchmarkLoad(b *testing.B) {
	path := modelFile(b, "all-MiniLM-L6-v2", "tokenizer.json")
	for b.Loop() {
		if _, err := token.Load(path, token.Options{}); err != nil {
			b.Fatal(err)
		}
	}
}
