package recommender

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"math"
	"math/rand/v2"
	"reflect"
	"slices"
	"testing"
	"time"

	"github.com/vecdb/vecdb/internal/core"
)

// genre is the first letter of an item of the town.
func genre(item string) string { return item[:1] }

// town is a Behavior of users who each like items of one of three genres, with
// some noise, and the vectors of the items, which tell the genre too.
func town(rng *rand.Rand, users, items int) (*Behavior, map[string][]float32) {
	b, vectors := NewBehavior(), make(map[string][]float32)
	seq := uint64(0)
	for g, name := range []string{"a", "b", "c"} {
		for i := range items {
			v := make([]float32, 8)
			for k := range v {
				v[k] = 1 + 0.3*float32(rng.NormFloat64())
			}
			v[g] += 2
			vectors[fmt.Sprint(name, i)] = v
		}
	}
	for u := range users {
		for range 8 {
			name := []string{"a", "b", "c"}[u%3]
			if rng.IntN(8) == 0 {
				name = []string{"a", "b", "c"}[rng.IntN(3)]
			}
			seq++
			b.Add([]core.Event{{User: fmt.Sprint("u", u), Item: fmt.Sprint(name, rng.IntN(items)), Action: "like", Seq: seq, Time: time.UnixMicro(int64(seq))}})
		}
	}
	return b, vectors
}

func fromMap(vectors map[string][]float32) func([]string) ([][]float32, error) {
	return func(ids []string) ([][]float32, error) {
		out := make([][]float32, len(ids))
		for i, id := range ids {
			out[i] = vectors[id]
		}
		return out, nil
	}
}

func trained(t *testing.T, b *Behavior, vectors map[string][]float32, o Options) *Model {
	t.Helper()
	m, err := Train(context.Background(), b, fromMap(vectors), o)
	if err != nil {
		t.Fatal(err)
	}
	return m
}

// share returns how many of the first n candidates are of a genre.
func share(list []Candidate, name string, n int) float64 {
	hit := 0
	for _, c := range list[:n] {
		if genre(c.Item) == name {
			hit++
		}
	}
	return float64(hit) / float64(n)
}

func TestItemsThatUsersLikeTogetherAreFound(t *testing.T) {
	b, vectors := town(rand.New(rand.NewPCG(4, 1)), 300, 40)
	for _, dense := range []int{0, 60, 2} { // all items, half of them, none to speak of
		m := trained(t, b, vectors, Options{Dense: dense})
		for _, name := range []string{"a", "b", "c"} {
			liked := []Liked{{Item: name + "1", Weight: 1}, {Item: name + "2", Weight: 1}, {Item: name + "3", Weight: 1}}
			s := m.Score(liked, true)
			if got := share(s.Best(15), name, 15); got < 0.8 {
				t.Errorf("dense %d: %.2f of the best 15 for a user of %s are of that kind", dense, got, name)
			}
			best := s.Best(20)
			var reason []Reason
			for i := range best {
				if reason = s.Because(best[i].Item, 2); len(reason) > 0 {
					break
				}
			}
			if len(reason) == 0 || genre(reason[0].Item) != name || !(reason[0].Share > 0 && reason[0].Share <= 1) {
				t.Errorf("dense %d: the reasons are %+v", dense, reason)
			}
		}
	}
}

func TestItemsWithoutEventsAreFoundByTheirTexts(t *testing.T) {
	b, vectors := town(rand.New(rand.NewPCG(4, 2)), 300, 40)
	m := trained(t, b, vectors, Options{})
	s := m.Score([]Liked{{Item: "a1", Weight: 1}, {Item: "a2", Weight: 1}}, true)
	like, unlike := make([]float32, 8), make([]float32, 8)
	for k := range like {
		like[k], unlike[k] = 1, 1
	}
	like[0], unlike[1] = 3, 3
	if a, b := s.Cold(like), s.Cold(unlike); a <= b || a < 0.5 {
		t.Errorf("a new item of the kind has %.2f, another %.2f", a, b)
	}
	fresh := m.Score([]Liked{{Item: "new", Weight: 1, Vector: like}}, true)
	if fresh == nil || share(fresh.Best(10), "a", 10) < 0.8 {
		t.Error("what is like a new item is not found by its text")
	}
	if s := m.Score([]Liked{{Item: "new", Weight: 1}}, true); s != nil {
		t.Error("there is something to tell of an item without text or events")
	}
}

func TestTheSameEventsGiveTheSameModelHoweverManyWorkers(t *testing.T) {
	b, vectors := town(rand.New(rand.NewPCG(7, 7)), 90, 30)
	one, four := trained(t, b, vectors, Options{Workers: 1, Dense: 40}), trained(t, b, vectors, Options{Workers: 4, Dense: 40})
	if !reflect.DeepEqual(one.items, four.items) || !reflect.DeepEqual(one.to, four.to) || !reflect.DeepEqual(one.weights, four.weights) {
		t.Error("the models differ")
	}
}

func TestAWrittenModelIsReadAsItWas(t *testing.T) {
	b, vectors := town(rand.New(rand.NewPCG(8, 8)), 60, 20)
	m := trained(t, b, vectors, Options{Dense: 30})
	var out bytes.Buffer
	n, err := m.WriteTo(&out)
	if err != nil || n != int64(out.Len()) {
		t.Fatal(n, err)
	}
	back, err := Read(out.Bytes())
	if err != nil {
		t.Fatal(err)
	}
	if !reflect.DeepEqual(m, back) {
		t.Error("the model differs")
	}
	for _, size := range []int{0, 3, 4, 100, out.Len() - 1} {
		if _, err := Read(out.Bytes()[:size]); !errors.Is(err, core.ErrCorrupt) {
			t.Errorf("cut to %d bytes: %v", size, err)
		}
	}
	rng := rand.New(rand.NewPCG(9, 9))
	for range 500 { // whatever is damaged: an error or a model, never a panic
		bad := bytes.Clone(out.Bytes())
		bad[rng.IntN(len(bad))] ^= byte(1 << rng.IntN(8))
		if m, err := Read(bad); err == nil {
			if s := m.Score([]Liked{{Item: "a1", Weight: 1}}, true); s != nil {
				s.Best(5)
			}
		}
	}
}

func TestThereIsNothingToLearnFromSingleItems(t *testing.T) {
	b := NewBehavior()
	if _, err := Train(context.Background(), b, fromMap(nil), Options{}); !errors.Is(err, ErrNothing) {
		t.Errorf("no events: %v", err)
	}
	for i, item := range []string{"x", "gone", "x"} {
		b.Add([]core.Event{{User: "u", Item: item, Action: "like", Seq: uint64(i + 1), Time: time.UnixMicro(int64(i))}})
	}
	b.Add([]core.Event{{User: "u", Item: "y", Action: "dislike", Seq: 4, Time: time.UnixMicro(9)}})
	if _, err := Train(context.Background(), b, fromMap(map[string][]float32{"x": {1, 0}, "y": {0, 1}}), Options{}); !errors.Is(err, ErrNothing) {
		t.Errorf("one liked document: %v", err)
	}
	cancelled, cancel := context.WithCancel(context.Background())
	cancel()
	busy, vectors := town(rand.New(rand.NewPCG(1, 1)), 30, 10)
	if _, err := Train(cancelled, busy, fromMap(vectors), Options{}); !errors.Is(err, context.Canceled) {
		t.Errorf("cancelled: %v", err)
	}
}

// TestEqualVectorsDoNoHarm trains on texts that do not differ: their vectors less
// the mean have no direction.
func TestEqualVectorsDoNoHarm(t *testing.T) {
	b, vectors := town(rand.New(rand.NewPCG(3, 3)), 60, 10)
	for id := range vectors {
		vectors[id] = []float32{0, 2}
	}
	m := trained(t, b, vectors, Options{})
	s := m.Score([]Liked{{Item: "a1", Weight: 1}, {Item: "a2", Weight: -0.25}}, false)
	for _, c := range s.Best(30) {
		if math.IsNaN(float64(c.Score)) || math.IsInf(float64(c.Score), 0) {
			t.Fatalf("%+v", c)
		}
	}
	if x := s.Cold([]float32{0, 1}); x != 0 {
		t.Errorf("a text like all others has %v", x)
	}
}

func BenchmarkScore(b *testing.B) {
	behavior, vectors := town(rand.New(rand.NewPCG(1, 1)), 12_500, 1000) // 100,000 events
	m, err := Train(context.Background(), behavior, fromMap(vectors), Options{})
	if err != nil {
		b.Fatal(err)
	}
	history := behavior.History("u1")
	var liked []Liked
	for _, x := range history {
		liked = append(liked, Liked{Item: x.Item, Weight: x.Value})
	}
	for b.Loop() {
		m.Score(liked, true).Best(20)
	}
}

func TestTrainTellsHowFarItHasCome(t *testing.T) {
	b, vectors := town(rand.New(rand.NewPCG(3, 4)), 90, 30)
	for dense, phases := range map[int][]string{0: {PhaseRead, PhaseCount, PhaseFit, PhaseKeep}, 20: {PhaseRead, PhaseCount, PhaseFit, PhaseKeep, PhaseTail}} {
		var told []string
		done, total := 0, 0
		m := trained(t, b, vectors, Options{Dense: dense, Workers: 4, Progress: func(phase string, d, of int) {
			if d == 0 {
				if done != total {
					t.Errorf("before %s %d of %d are done", phase, done, total)
				}
				told, total = append(told, phase), of
			} else if d <= done || of != total || phase != told[len(told)-1] {
				t.Errorf("%s: %d of %d behind %d of %d", phase, d, of, done, total)
			}
			done = d
		}})
		if !slices.Equal(told, phases) || done != total || total == 0 {
			t.Errorf("told of %v, want %v; at last %d of %d are done", told, phases, done, total)
		}
		if info := m.Info(); info.Weights == 0 {
			t.Errorf("nothing is learnt: %+v", info)
		}
	}
}
