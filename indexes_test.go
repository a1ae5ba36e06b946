package vecdb_test

import (
	"errors"
	"strings"
	"testing"

	"github.com/vecdb/vecdb"
	"github.com/vecdb/vecdb/index"
)

func TestEveryIndexKindOpens(t *testing.T) {
	kinds := vecdb.IndexKinds()
	if kinds[0] != vecdb.IndexFlat {
		t.Errorf("the first of %v is not the exact one", kinds)
	}
	for _, kind := range append(kinds, "") {
		x, err := vecdb.NewIndex(kind, index.Config{Dim: 2})
		if err != nil {
			t.Fatalf("%q: %v", kind, err)
		}
		if err := x.Insert(t.Context(), []index.Item{{Ord: 7, Vector: []float32{1, 2}}}); err != nil || x.Len() != 1 {
			t.Errorf("%q: %d vectors after an insert, %v", kind, x.Len(), err)
		}
		if c, ok := x.(interface{ Close() error }); ok {
			if err := c.Close(); err != nil {
				t.Error(err)
			}
		}
	}
	_, err := vecdb.NewIndex("faiss", index.Config{Dim: 2})
	if !errors.Is(err, vecdb.ErrInvalid) || !strings.Contains(err.Error(), strings.Join(kinds, ", ")) {
		t.Errorf("an unknown kind gives %v", err)
	}
}
