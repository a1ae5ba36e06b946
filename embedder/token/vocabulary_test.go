package token_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"slices"
	"testing"

	"github.com/vecdb/vecdb/embedder"
	"github.com/vecdb/vecdb/embedder/token"
	"github.com/vecdb/vecdb/internal/core"
)

// spelled returns a tokenizer whose vocabulary is written like that.
func spelled(t *testing.T, vocabulary string) (embedder.Tokenizer, error) {
	t.Helper()
	f := bert(nil)
	f["post_processor"] = nil
	f["model"].(map[string]any)["vocab"] = "HERE"
	data, err := json.Marshal(f)
	if err != nil {
		t.Fatal(err)
	}
	return token.Parse(bytes.Replace(data, []byte(`"HERE"`), []byte(vocabulary), 1), token.Options{})
}

func TestVocabulariesMayBeWrittenInAnyWay(t *testing.T) {
	for vocabulary, want := range map[string][]int32{
		`{"[UNK]":0,"a":5,"b":6}`:                                    {5, 6, 0},
		" {\n\t\"[UNK]\" : 0 ,\r\n \"a\" : 5 , \"b\":6 } ":           {5, 6, 0},
		`{"b":6,"[UNK]":0,"a":4,"a":5}`:                              {5, 6, 0},
		`{"\u005bUNK]":0,"\u0061":5,"b":6,"\"":7,"\\":8,"":9}`:       {5, 6, 7},
		`{"[UNK]":0,"a":5,"b":6,"\"":7,"}":1,",":2,":":3,"{\\\"":4}`: {5, 6, 7},
	} {
		tok, err := spelled(t, vocabulary)
		if err != nil {
			t.Errorf("%s: %v", vocabulary, err)
			continue
		}
		if ids, _, err := tok.Encode(nil, `a b "`, 10); err != nil || !slices.Equal(ids, want) {
			t.Errorf("%s: ids %v, error %v, want %v", vocabulary, ids, err, want)
		}
	}
	for _, vocabulary := range []string{`null`, `7`, `"a"`, `[]`, `{}`, `{"[UNK]":1.5}`, `{"[UNK]":"0"}`, `{"[UNK]":null}`, `{"[UNK]":{"a":1}}`, `{"[UNK]":2147483647}`, `{"[UNK]":0`} {
		if _, err := spelled(t, vocabulary); !errors.Is(err, core.ErrCorrupt) {
			t.Errorf("%s: error %v, want ErrCorrupt", vocabulary, err)
		}
	}
}
