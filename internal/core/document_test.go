package core_test

import (
	"bytes"
	"encoding/json"
	"reflect"
	"runtime"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/vecdb/vecdb/internal/core"
)

// TestDocumentsAreReadAsTheLibraryDoes compares the fields with what encoding/json
// alone makes of them.
func TestDocumentsAreReadAsTheLibraryDoes(t *testing.T) {
	for _, text := range plainTexts {
		if strings.Contains(text, `\ud83d"`) || !utf8.ValidString(text) { // both are refused
			continue
		}
		data := []byte(`{"id":17, "text":"a \u003c b\n", "label":null, "field" : ` + text + `}`)
		dec := json.NewDecoder(bytes.NewReader(data))
		dec.UseNumber()
		var flat map[string]any
		err := dec.Decode(&flat)
		if err == nil {
			_, err = numbers(flat["field"])
		}
		var got core.Document
		if gotErr := json.Unmarshal(data, &got); (gotErr != nil) != (err != nil || !json.Valid(data)) {
			t.Errorf("%.80q: error %v, want %v", text, gotErr, err)
			continue
		} else if gotErr != nil {
			continue
		}
		field, _ := numbers(flat["field"])
		want := core.Document{ID: "17", Text: "a < b\n", Fields: map[string]any{"label": nil, "field": field}}
		if !reflect.DeepEqual(got, want) {
			t.Errorf("%.80q: %#v, want %#v", text, got, want)
		}
	}
}

func TestADocumentIsDecodedWithoutACopyOfItsJSON(t *testing.T) {
	data := []byte(`{"text":"` + strings.Repeat("a", 8<<20) + `"}`)
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	var doc core.Document
	if err := json.Unmarshal(data, &doc); err != nil || len(doc.Text) != 8<<20 {
		t.Fatal(err)
	}
	runtime.ReadMemStats(&after)
	if took := after.TotalAlloc - before.TotalAlloc; took > uint64(len(data))*3/2 {
		t.Errorf("%d bytes are allocated for %d", took, len(data))
	}
}
