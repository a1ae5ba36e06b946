package field_test

import (
	"fmt"
	"runtime"
	"testing"
	"time"

	"github.com/vecdb/vecdb/index/field"
	"github.com/vecdb/vecdb/internal/core"
)

func heap() uint64 {
	runtime.GC()
	runtime.GC()
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return m.HeapAlloc
}

func TestZZMeasure(t *testing.T) {
	const n = 100000
	docs := make([]*core.Document, n)
	for i := range docs {
		docs[i] = &core.Document{ID: fmt.Sprint("doc", i), Fields: map[string]any{"name": fmt.Sprint("unique name ", i), "price": float64(i*7919%n) / 7, "label": fmt.Sprint("label", i%10)}}
	}
	h := heap()
	x := field.New()
	t0 := time.Now()
	for i, d := range docs {
		x.Insert(core.Ord(i), d)
	}
	el := time.Since(t0)
	h2 := heap()
	t.Logf("insert %v/doc, heap %d bytes/doc (strings not counted), SizeBytes %d/doc", el/n, (h2-h)/n, x.SizeBytes()/n)
	for _, c := range []core.Condition{
		{Field: "price", Op: core.CondGt, Values: []any{14000.0}},
		{Field: "price", Op: core.CondGt, Values: []any{14000.0}},
		{Field: "price", Op: core.CondGt, Values: []any{10.0}},
		{Field: "name", Op: core.CondExists, Values: []any{true}},
		{Field: "label", Op: core.CondEq, Values: []any{"label3"}},
		{Field: "name", Op: core.CondGte, Values: []any{"unique name 5"}},
		{Field: "name", Op: core.CondEq, Values: []any{"unique name 5"}},
	} {
		t0 := time.Now()
		s, err := x.Lookup(c)
		t.Logf("%v %v %v %d %v", c.Field, c.Op, time.Since(t0), s.Len(), err)
	}
	t0 = time.Now()
	for i := range 20 {
		x.Insert(core.Ord(n+i), &core.Document{ID: fmt.Sprint("n", i), Fields: map[string]any{"price": float64(i) + 0.123}})
		x.Lookup(core.Condition{Field: "price", Op: core.CondGt, Values: []any{14000.0}})
	}
	t.Logf("insert + narrow range: %v", time.Since(t0)/20)
	t0 = time.Now()
	for i := range n {
		x.Delete(core.Ord(i))
	}
	t.Logf("delete %v/doc", time.Since(t0)/n)
	t.Logf("left heap %d KB, SizeBytes %d", (int64(heap())-int64(h))/1024, x.SizeBytes())
	runtime.KeepAlive(docs)
	runtime.KeepAlive(x)
}
