package core_test

import (
	"bytes"
	"encoding/json"
	"reflect"
	"strings"
	"testing"

	"github.com/vecdb/vecdb/internal/core"
)

// plainTexts are JSON and nearly.
var plainTexts = []string{
	`{}`, `[]`, ` [ ] `, "\t{\r\n}", `null`, `true`, `false`, `tru`, `truex`, `nul`, ``, ` `, "\x00",
	`0`, `-0`, `7`, `-12`, `007`, `-`, `+1`, `1.`, `.5`, `0.5`, `1e3`, `1E+3`, `1e-3`, `1e`, `1e+`, `1.5e400`, `12abc`, `1 2`,
	`9223372036854775807`, `9223372036854775808`, `-9223372036854775808`, `123456789012345678901234567890`, `0.1000000000000000055`,
	`""`, `"a b"`, `"中文"`, `"\u4e2d\n\"\\\/"`, `"\ud83d\ude00"`, `"\ud83d"`, `"\x"`, `"\u12"`, `"\`, `"`, `"a`, "\"a\nb\"", "\"a\x7fb\"", "\"\xff\"", "\"\xff\\n\"", `"a"b`,
	`{"a":1,"b":[2,3.5,"x",null,true,{"c":{}}],"a":4}`, `{"\u003ca\u003e":"\u0026"}`, `{"a" : 1 , "b" : 2 }`, `{"a":1}}`,
	`{"a"}`, `{"a":}`, `{a:1}`, `{"a":1,}`, `{,}`, `{"a":1 "b":2}`, `[1,]`, `[,1]`, `[1 2]`, `[1`, `{"a":1`, `{"a":[}`, `[1}`, `{"a":1]`,
	`[{"a":"x"},[1e999]]`, strings.Repeat("[", 99) + strings.Repeat("]", 99), strings.Repeat(`{"a":[`, 100) + strings.Repeat("]}", 100),
	strings.Repeat("[", 20_000),
}

// reference decodes as PlainJSON does, by encoding/json alone.
func reference(data []byte) (any, error) {
	dec := json.NewDecoder(bytes.NewReader(data))
	dec.UseNumber()
	var v any
	if err := dec.Decode(&v); err != nil {
		return nil, err
	}
	return numbers(v)
}

// numbers puts numbers in the place of their texts.
func numbers(v any) (_ any, err error) {
	switch v := v.(type) {
	case json.Number:
		if i, err := v.Int64(); err == nil {
			return i, nil
		}
		return v.Float64()
	case []any:
		for i := range v {
			if v[i], err = numbers(v[i]); err != nil {
				return nil, err
			}
		}
	case map[string]any:
		for k := range v {
			if v[k], err = numbers(v[k]); err != nil {
				return nil, err
			}
		}
	}
	return v, nil
}

func FuzzPlainJSONIsThatOfTheLibrary(f *testing.F) {
	for _, text := range plainTexts {
		f.Add([]byte(text))
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		want, wantErr := reference(data)
		got, err := core.PlainJSON(data)
		if (err != nil) != (wantErr != nil) {
			t.Fatalf("%q: error %v, want %v", data, err, wantErr)
		}
		if err == nil && !reflect.DeepEqual(got, want) {
			t.Fatalf("%q: %#v, want %#v", data, got, want)
		}
	})
}

func BenchmarkPlainJSON(b *testing.B) {
	data := []byte(`{"day":"2019-05-17","label":"label-3","name":"name of 123456","price":123.45,"share":4711}`)
	b.ReportAllocs()
	for b.Loop() {
		if _, err := core.PlainJSON(data); err != nil {
			b.Fatal(err)
		}
	}
}
