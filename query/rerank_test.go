package query_test

import (
	"math"
	"testing"

	"github.com/vecdb/vecdb/index"
	"github.com/vecdb/vecdb/internal/core"
	"github.com/vecdb/vecdb/query"
)

func TestRerankingHeedsVectorsAndWords(t *testing.T) {
	vectors := [][]float32{{0, 2}, {1, 0.2}, {1, 0}}
	documents := &fake{docs: []*core.Document{{Text: "rice"}, {Text: "beans in one pot"}, {Text: "oats"}}}
	for _, test := range []struct {
		name, text string
		want       []index.Neighbor
	}{
		{"by cosines without a word in common", "millet", []index.Neighbor{{Ord: 2, Score: 1}, {Ord: 1, Score: 0.98058}, {Ord: 0, Score: 0}}},
		// The query moves by 0.4 times the mean of the three, all of length 1, to
		// (0.99214, 0.12517); a word brings a tenth of what it can.
		{"by both", "beans", []index.Neighbor{{Ord: 1, Score: 0.54871}, {Ord: 2, Score: 0.49607}, {Ord: 0, Score: 0.06258}}},
	} {
		got, err := query.Rerank(t.Context(), []float32{1, 0}, vectors, documents.Words(test.text))
		if err != nil || len(got) != len(test.want) {
			t.Fatalf("%s: %+v, %v", test.name, got, err)
		}
		for i, want := range test.want {
			if got[i].Ord != want.Ord || math.Abs(float64(got[i].Score-want.Score)) > 1e-4 {
				t.Errorf("%s: %+v, want %+v", test.name, got, test.want)
				break
			}
		}
	}
}
