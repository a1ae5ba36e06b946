package token_test

import (
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/vecdb/vecdb/embedder/token"
	"github.com/vecdb/vecdb/internal/core"
)

// vocabulary is a small one of our own; the ids are the places.
var vocabulary = strings.Fields("[PAD] [UNK] [CLS] [SEP] [MASK] a b c un able ##able ##a ##b ##ing s ##s tok ##en token cafe e i o " +
	"中 国 豈 ᄀ ##ᅡ ##ᆨ か き . , ! [ ] # - ` ß и ё é ##é \u0300 A ##B \x01 1 2 ##3 \U0001d158")

// bert returns the tokenizer.json of a BERT with that vocabulary.
func bert(steps map[string]any) map[string]any {
	vocab := make(map[string]int)
	for id, piece := range vocabulary {
		vocab[piece] = id
	}
	var special []map[string]any
	for id, text := range vocabulary[:5] {
		special = append(special, map[string]any{"id": id, "content": text, "special": true})
	}
	normalizer := map[string]any{"type": "BertNormalizer", "clean_text": true, "handle_chinese_chars": true, "lowercase": true}
	for k, v := range steps {
		normalizer[k] = v
	}
	return map[string]any{
		"added_tokens": special, "normalizer": normalizer, "pre_tokenizer": map[string]any{"type": "BertPreTokenizer"},
		"post_processor": map[string]any{"type": "BertProcessing", "cls": []any{"[CLS]", 2}, "sep": []any{"[SEP]", 3}},
		"model":          map[string]any{"type": "WordPiece", "unk_token": "[UNK]", "continuing_subword_prefix": "##", "vocab": vocab},
	}
}

// write puts a tokenizer.json into a file of the test.
func write(t testing.TB, content map[string]any) string {
	t.Helper()
	data, err := json.Marshal(content)
	if err != nil {
		t.Fatal(err)
	}
	path := filepath.Join(t.TempDir(), "tokenizer.json")
	if err := os.WriteFile(path, data, 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

// small loads the small BERT.
func small(t testing.TB, steps map[string]any) *token.WordPiece {
	t.Helper()
	w, err := token.Load(write(t, bert(steps)), token.Options{})
	if err != nil {
		t.Fatal(err)
	}
	return w.(*token.WordPiece)
}

// shown writes tokens with the bytes that they stand for: "cafe=café".
func shown(text string, ids []int32, spans []token.Span) string {
	var out []string
	for i, id := range ids {
		out = append(out, fmt.Sprintf("%s=%s", vocabulary[id], text[spans[i].Start:spans[i].End]))
	}
	return strings.Join(out, " ")
}

func TestSpansStandWhereTheTokensAre(t *testing.T) {
	w := small(t, nil)
	for _, tc := range []struct{ text, want string }{
		{"", ""},
		{"unable", "un=un ##able=able"},
		{"  Token\tTOKENS.", "token=Token token=TOKEN ##s=S .=."},
		{"café cafe\u0301!", "cafe=café cafe=cafe\u0301 !=!"},
		{"unknown word a", "[UNK]=unknown [UNK]=word a=a"},
		{"a[MASK]b [CLS", "a=a [MASK]=[MASK] b=b [=[ [UNK]=CLS"},
		{"中国a", "中=中 国=国 a=a"},
		{"a\u200bb \x00a\x01b", "a=a ##b=b a=a ##b=b"},
		{"각", "ᄀ=각 ##ᅡ=각 ##ᆨ=각"},
		{"\u0301a", "a=a"},
		{"a\u0301\u0302b", "a=a\u0301\u0302 ##b=b"},
		{"a\xffb", "a=a ##b=b"},
		{strings.Repeat("a", 101) + " b", "[UNK]=" + strings.Repeat("a", 101) + " b=b"},
		{strings.Repeat("é", 101) + "a b", "[UNK]=" + strings.Repeat("é", 101) + "a b=b"},
		{"\u1fef", "`=\u1fef"},
	} {
		ids, spans, total, err := w.EncodeSpans(tc.text, 1000)
		if err != nil || total != len(ids) || len(spans) != len(ids) {
			t.Fatalf("%q: %d ids, %d spans, total %d, error %v", tc.text, len(ids), len(spans), total, err)
		}
		end := len(ids) - 1
		if spans[0] != (token.Span{}) || spans[end] != (token.Span{Start: len(tc.text), End: len(tc.text)}) {
			t.Errorf("%q: the tokens around it stand at %v and %v", tc.text, spans[0], spans[end])
		}
		if got := shown(tc.text, ids[1:end], spans[1:end]); got != tc.want {
			t.Errorf("%q gives %s, want %s", tc.text, got, tc.want)
		}
		plain, _, err := w.Encode(nil, tc.text, 1000)
		if err != nil || !slices.Equal(plain, ids) {
			t.Errorf("%q gives the ids %v with spans and %v without (%v)", tc.text, ids, plain, err)
		}
	}
}

func TestStepsAreThoseOfTheFile(t *testing.T) {
	for _, tc := range []struct {
		name  string
		steps map[string]any
		text  string
		want  string
	}{
		{"cased", map[string]any{"lowercase": false}, "A aB é", "A=A a=a ##B=B é=é"},
		{"cased without accents", map[string]any{"lowercase": false, "strip_accents": true}, "A é", "A=A e=é"},
		{"lower with accents", map[string]any{"strip_accents": false}, "É Ё", "é=É ё=Ё"},
		{"not cleaned", map[string]any{"clean_text": false}, "\x01 a\x0bb\u00a0a", "\x01=\x01 a=a b=b a=a"},
		{"CJK in words", map[string]any{"handle_chinese_chars": false}, "中国 中", "[UNK]=中国 中=中"},
		{"a lower case of two", map[string]any{"strip_accents": false}, "İ", "[UNK]=İ"},
		{"its base", nil, "İ", "i=İ"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			ids, spans, _, err := small(t, tc.steps).EncodeSpans(tc.text, 100)
			if err != nil {
				t.Fatal(err)
			}
			if got := shown(tc.text, ids[1:len(ids)-1], spans[1:]); got != tc.want {
				t.Errorf("got %s, want %s", got, tc.want)
			}
		})
	}
}

func TestEncodeAllocatesNothingATokenizedWord(t *testing.T) {
	w := small(t, nil)
	for _, text := range []string{strings.Repeat("unable tokens, cafe! ", 500), strings.Repeat("中国 é 각 Ё ", 500)} {
		ids := make([]int32, 0, 1<<15)
		if n := testing.AllocsPerRun(10, func() {
			if _, _, err := w.Encode(ids, text, 1<<15); err != nil {
				t.Fatal(err)
			}
		}); n > 1 {
			t.Errorf("%.20q…: %v allocations for %d bytes", text, n, len(text))
		}
	}
}

func TestSpecialTokensStandAsTheFileSays(t *testing.T) {
	single := []any{
		map[string]any{"SpecialToken": map[string]any{"id": "[CLS]"}}, map[string]any{"Sequence": map[string]any{"id": "A"}},
		map[string]any{"SpecialToken": map[string]any{"id": "[SEP]"}}, map[string]any{"SpecialToken": map[string]any{"id": "[MASK]"}},
	}
	ids := map[string]any{"[CLS]": map[string]any{"ids": []int{2}}, "[SEP]": map[string]any{"ids": []int{3}}, "[MASK]": map[string]any{"ids": []int{4}}}
	for name, tc := range map[string]struct {
		post any
		want []int32
	}{
		"none":    {nil, []int32{5}},
		"BERT":    {map[string]any{"type": "BertProcessing", "cls": []any{"[CLS]", 2}, "sep": []any{"[SEP]", 3}}, []int32{2, 5, 3}},
		"MPNet":   {map[string]any{"type": "RobertaProcessing", "cls": []any{"[MASK]", 4}, "sep": []any{"[SEP]", 3}}, []int32{4, 5, 3}},
		"pattern": {map[string]any{"type": "TemplateProcessing", "single": single, "special_tokens": ids}, []int32{2, 5, 3, 4}},
	} {
		f := bert(nil)
		f["post_processor"] = tc.post
		w, err := token.Load(write(t, f), token.Options{})
		if err != nil {
			t.Fatal(name, err)
		}
		if ids, total, err := w.Encode(nil, "a", 10); err != nil || total != len(ids) || !slices.Equal(ids, tc.want) {
			t.Errorf("%s: got %v, total %d, error %v; want %v", name, ids, total, err, tc.want)
		}
	}
}

func TestBadTokenizerFilesAreRefused(t *testing.T) {
	model := func(change func(m map[string]any)) map[string]any {
		f := bert(nil)
		change(f["model"].(map[string]any))
		return f
	}
	for name, f := range map[string]map[string]any{
		"no vocabulary":    model(func(m map[string]any) { delete(m, "vocab") }),
		"a list":           model(func(m map[string]any) { m["vocab"] = []string{"a"} }),
		"negative ids":     model(func(m map[string]any) { m["vocab"].(map[string]int)["a"] = -1 }),
		"ids of 33 bits":   model(func(m map[string]any) { m["vocab"].(map[string]int)["a"] = 1 << 32 }),
		"a piece too long": model(func(m map[string]any) { m["vocab"].(map[string]int)[strings.Repeat("a", 1<<20)] = 99 }),
		"words too long":   model(func(m map[string]any) { m["max_input_chars_per_word"] = 1 << 40 }),
		"no kind":          model(func(m map[string]any) { delete(m, "type") }),
		"an unknown kind":  model(func(m map[string]any) { m["type"] = "Letters" }),
		"no such unknown":  model(func(m map[string]any) { m["unk_token"] = "<unk>" }),
	} {
		if w, err := token.Load(write(t, f), token.Options{}); !errors.Is(err, core.ErrCorrupt) {
			t.Errorf("%s gives %v and %v, want ErrCorrupt", name, w, err)
		}
	}
}
