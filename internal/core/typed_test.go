package core_test

import (
	"encoding/base64"
	"encoding/json"
	"math"
	"slices"
	"strings"
	"testing"

	"github.com/vecdb/vecdb/internal/core"
)

func TestFloat16(t *testing.T) {
	for h, want := range map[uint16]float32{
		0x0000: 0, 0x3c00: 1, 0xc000: -2, 0x7bff: 65504, 0x0001: 0x1p-24, 0x03ff: 1023 * 0x1p-24, 0x0400: 0x1p-14, 0x3555: 0.333251953125, 0xfc00: float32(math.Inf(-1)),
	} {
		if got := core.Float16(h); got != want {
			t.Errorf("%#04x is %v, want %v", h, got, want)
		}
	}
	if got := core.Float16(0x7e00); got == got {
		t.Errorf("NaN is %v", got)
	}
}

func TestPackedVectors(t *testing.T) {
	pack := func(b ...byte) string { return base64.StdEncoding.EncodeToString(b) }
	for _, c := range []struct {
		json string
		want []float32
		at   string // the pointer of the error
	}{
		{`{"float16":"` + pack(0, 0x3c, 0, 0xc0) + `"}`, []float32{1, -2}, ""},
		{`{"int8":"` + pack(1, 0xff, 0x80, 0x7f) + `"}`, []float32{1, -1, -128, 127}, ""},
		{`{"float32":"` + pack(0, 0, 0x80, 0x3f) + `"}`, []float32{1}, ""},
		{`{"float32":"` + strings.TrimRight(pack(0, 0, 0x80, 0x3f), "=") + `"}`, []float32{1}, ""},
		{`{"float32":"AAA="}`, nil, "/vector/float32"},
		{`{"float16":"§"}`, nil, "/vector/float16"},
		{`{"int8":[1,2]}`, nil, "/vector/int8"},
		{`{"int8":"` + strings.Repeat("A", 8192) + `"}`, nil, "/vector/int8"},
		{`{"int4":"AA=="}`, nil, "/vector"},
		{`{"int8":"AA==","float16":"AAA="}`, nil, "/vector"},
		{`"AAAA"`, nil, "/vector"},
		{`[1,"2"]`, nil, "/vector/1"},
		{`[1,1e99]`, nil, "/vector/1"},
	} {
		var doc core.Document
		err := json.Unmarshal([]byte(`{"id":"a","vector":`+c.json+`}`), &doc)
		if c.at == "" {
			if err != nil || !slices.Equal(doc.Vector, c.want) {
				t.Errorf("%.40s: %v, %v", c.json, doc.Vector, err)
			}
			continue
		}
		if err == nil || !strings.HasPrefix(err.Error(), c.at+": ") {
			t.Errorf("%.40s: %v, want an error at %s", c.json, err, c.at)
		}
	}
}

func TestShorten(t *testing.T) {
	if got := core.Shorten([]float32{3, 4, 12}, 2); !slices.Equal(got, []float32{0.6, 0.8}) {
		t.Errorf("%v", got)
	}
	if got := core.Shorten([]float32{0, 0, 1}, 2); !slices.Equal(got, []float32{0, 0}) {
		t.Errorf("%v", got)
	}
}
