package passage_test

import (
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/vecdb/vecdb/index"
	"github.com/vecdb/vecdb/index/passage"
	"github.com/vecdb/vecdb/internal/core"
)

// TestOwnersFollowWhatComesAndGoes compares a table with a map of all passages.
func TestOwnersFollowWhatComesAndGoes(t *testing.T) {
	seed := rand.Uint64()
	t.Logf("seed %d", seed)
	rng := rand.New(rand.NewPCG(seed, 1))
	table, cut, next := passage.New(), make(map[core.Ord]int), core.Ord(0)
	all := core.NewSet()
	for range 2000 {
		if rng.IntN(3) > 0 {
			n := max(0, rng.IntN(9)-3)
			table.Insert(next, n)
			if all.Add(next); n > 0 {
				cut[next] = n
			}
			next += core.Ord(n) + 1
			continue
		}
		doc := core.Ord(rng.IntN(int(next) + 1))
		table.Delete(doc)
		delete(cut, doc)
	}
	owners := make(map[core.Ord]core.Ord)
	for doc, n := range cut {
		for i := range n {
			owners[doc+1+core.Ord(i)] = doc
		}
	}
	var list []index.Neighbor
	var want []core.Ord
	for ord := range next {
		owner, is := owners[ord]
		if !is {
			owner = ord
		}
		if have := table.Owner(ord); have != owner {
			t.Fatalf("%d belongs to %d, the table says %d", ord, owner, have)
		}
		if n := table.Count(ord); n != cut[ord] {
			t.Fatalf("%d has %d passages, the table says %d", ord, cut[ord], n)
		}
		if list = append(list, index.Neighbor{Ord: ord}); !slices.Contains(want, owner) {
			want = append(want, owner)
		}
	}
	if table.Len() != len(cut) {
		t.Errorf("%d documents, the table has %d", len(cut), table.Len())
	}
	for i, n := range table.Documents(list) {
		if n.Ord != want[i] {
			t.Fatalf("place %d has %d, want %d", i, n.Ord, want[i])
		}
	}
	some := core.NewSet()
	for doc := range all.All() {
		if rng.IntN(4) == 0 {
			some.Add(doc)
		}
	}
	expected := core.NewSet()
	for doc := range some.All() {
		if cut[doc] == 0 {
			expected.Add(doc)
		}
		expected.AddRange(doc+1, cut[doc])
	}
	if have := slices.Collect(table.Vectors(some).All()); !slices.Equal(have, slices.Collect(expected.All())) {
		t.Errorf("%d vectors of %d documents, want %d", len(have), some.Len(), expected.Len())
	}
}
