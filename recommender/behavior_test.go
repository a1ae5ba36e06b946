package recommender

import (
	"fmt"
	"math/rand/v2"
	"reflect"
	"testing"
	"time"

	"github.com/vecdb/vecdb/internal/core"
)

// TestLoadedBehaviorIsWhatCameEventByEvent compares both ways in, and deletions
// with never having been told.
func TestLoadedBehaviorIsWhatCameEventByEvent(t *testing.T) {
	seed := rand.Uint64()
	t.Logf("seed %d", seed)
	rng := rand.New(rand.NewPCG(seed, 1))
	for range 50 {
		live, loaded := NewBehavior(), NewBehavior()
		byUser := make(map[string][]core.Event)
		for seq := range 200 {
			e := core.Event{User: fmt.Sprint("u", rng.IntN(5)), Item: fmt.Sprint("i", rng.IntN(12)), Seq: uint64(seq + 1),
				Action: core.Actions()[rng.IntN(len(core.Actions()))], Time: time.UnixMicro(int64(rng.IntN(50)))}
			live.Add([]core.Event{e})
			if e.User != "u0" && e.Item != "i0" {
				byUser[e.User] = append(byUser[e.User], e)
			}
		}
		live.Forget("u0", "", 201)
		live.Forget("", "i0", 202)
		for _, events := range byUser {
			rng.Shuffle(len(events), func(i, j int) { events[i], events[j] = events[j], events[i] })
			loaded.Load(events)
		}
		for u := range 5 {
			user := fmt.Sprint("u", u)
			if a, b := live.History(user), loaded.History(user); !reflect.DeepEqual(a, b) {
				t.Fatalf("%s: event by event %v, loaded %v", user, a, b)
			}
		}
		if a, b := live.Size(), loaded.Size(); a.Users != b.Users || a.Pairs != b.Pairs || a.Seq != 202 {
			t.Fatalf("sizes %+v and %+v", a, b)
		}
	}
}

func TestADislikeTakesAwayWhatWasLikedBefore(t *testing.T) {
	for _, c := range []struct {
		actions []string
		want    float32
	}{
		{[]string{"view"}, 0.3},
		{[]string{"buy", "buy", "buy"}, 2},
		{[]string{"like", "dislike"}, -1},
		{[]string{"dislike", "view"}, -0.7},
		{[]string{"dislike", "buy"}, 0.5},
	} {
		b := NewBehavior()
		for i, a := range c.actions {
			b.Add([]core.Event{{User: "u", Item: "i", Action: a, Seq: uint64(i + 1), Time: time.UnixMicro(int64(i))}})
		}
		if got := b.History("u")[0].Value; got < c.want-1e-6 || got > c.want+1e-6 {
			t.Errorf("%v: %v, want %v", c.actions, got, c.want)
		}
	}
}
