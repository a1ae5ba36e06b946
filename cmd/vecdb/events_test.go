package main

import (
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/vecdb/vecdb/client"
)

func TestEventsOfAFileAreAddedListedAndDeleted(t *testing.T) {
	b := newRig(t)
	b.env["VECDB_DB"] = b.dir
	dir := t.TempDir()
	write := func(name, content string) string {
		path := filepath.Join(dir, name)
		if err := os.WriteFile(path, []byte(content), 0o600); err != nil {
			t.Fatal(err)
		}
		return path
	}
	films := write("films.csv", "movieId,title\n1,a sad film about a father\n2,a father cooks rice\n")
	if code, _, errs := b.run(t.Context(), "add", films); code != 0 {
		t.Fatal(errs)
	}
	ratings := write("ratings.csv", "userId,movieId,rating,timestamp\n7,1,5,1260759144\n7,2,0.5,1260759179\n7,3,bad,1\n8,9,4.0,1260759180\n")
	code, out, errs := b.run(t.Context(), "events", "add", ratings)
	if code != exitPartly || !strings.Contains(out, "3 events stored") || !strings.Contains(out, "1 refused") || !strings.Contains(out, "1 with items that are no documents") {
		t.Errorf("code %d\n%s\n%s", code, out, errs)
	}
	if !strings.Contains(errs, "user: userId   item: movieId   rating: rating, up to 5   time: timestamp") || !strings.Contains(errs, "line 4") {
		t.Errorf("the columns and the bad line are told, got %s", errs)
	}
	if _, out, _ = b.run(t.Context(), "events", "add", ratings); !strings.Contains(out, "0 events stored") || !strings.Contains(out, "3 there already") {
		t.Errorf("adding a file again changes nothing, got %s", out)
	}
	_, out, _ = b.run(t.Context(), "events", "list", "--user", "7", "--json")
	var got client.Events
	if err := json.Unmarshal([]byte(out), &got); err != nil || got.Total != 2 {
		t.Fatalf("%v: %s", err, out)
	}
	if e := got.Events[0]; e.Item != "2" || e.Action != "rate" || e.Value() != -0.8 || e.Time.Unix() != 1260759179 {
		t.Errorf("the latest is the bad rating, got %+v", e)
	}
	if _, out, _ = b.run(t.Context(), "stats"); !strings.Contains(out, "3, 2 users, 3 items") {
		t.Errorf("stats show the events, got %s", out)
	}
	if code, _, errs = b.run(t.Context(), "events", "delete", "--user", "7"); code != exitUsage {
		t.Errorf("a deletion without --yes: code %d, %s", code, errs)
	}
	if code, out, _ = b.run(t.Context(), "events", "delete", "--user", "7", "--yes"); code != 0 || !strings.Contains(out, "deleted 2 events") {
		t.Errorf("code %d, %s", code, out)
	}
	clicks := write("clicks.jsonl", `{"visitor":"v","sku":"1"}`+"\n"+`{"visitor":"v","sku":"2","event":"buy","time":"2026-01-02 03:04:05"}`+"\n")
	if code, out, errs = b.run(t.Context(), "events", "add", clicks); code != 0 || !strings.Contains(out, "2 events stored") {
		t.Errorf("code %d\n%s\n%s", code, out, errs)
	}
	if _, out, _ = b.run(t.Context(), "events", "list", "--user", "v"); !strings.Contains(out, "click") || !strings.Contains(out, "buy") {
		t.Errorf("both actions are listed, got %s", out)
	}
	none := write("none.csv", "a,b\n1,2\n")
	if code, _, errs = b.run(t.Context(), "events", "add", none); code == 0 || !strings.Contains(errs, "--user") {
		t.Errorf("a file without users: code %d, %s", code, errs)
	}
}

func TestRecommendForAUserShowsReasons(t *testing.T) {
	b := newRig(t)
	b.env["VECDB_DB"] = b.dir
	path := filepath.Join(t.TempDir(), "films.csv")
	if err := os.WriteFile(path, []byte("movieId,title\n1,storm at sea\n2,ships and sailors\n3,harbour lights\n4,rice for dinner\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	likes := filepath.Join(t.TempDir(), "likes.csv")
	if err := os.WriteFile(likes, []byte("user,item,action\na,1,like\na,2,like\na,3,like\nb,1,like\nb,2,buy\nc,4,like\nd,1,like\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	for _, args := range [][]string{{"add", path}, {"events", "add", likes}} {
		if code, out, errs := b.run(t.Context(), args...); code != 0 || args[0] == "events" && !strings.Contains(errs, "learnt what goes together: 4 items, by 2 users") {
			t.Fatalf("%v: code %d\n%s\n%s", args, code, out, errs)
		}
	}
	if code, out, errs := b.run(t.Context(), "train", "--kind", "recommender"); code != 0 || !strings.Contains(out, "version 1") {
		t.Errorf("training again with nothing new: code %d\n%s\n%s", code, out, errs)
	}
	code, out, errs := b.run(t.Context(), "recommend", "--user", "d", "--limit", "2")
	if code != 0 || !strings.Contains(out, "because of storm at sea") || !strings.Contains(out, "ships and sailors") {
		t.Errorf("code %d\n%s\n%s", code, out, errs)
	}
	if _, out, _ = b.run(t.Context(), "recommend", "--user", "nobody"); !strings.Contains(out, "popular") {
		t.Errorf("a stranger: %s", out)
	}
	if _, out, _ = b.run(t.Context(), "recommend", "--session", "2", "--limit", "1", "--json"); strings.Contains(out, "because") || !strings.Contains(out, `"id"`) {
		t.Errorf("scripts get reasons when they ask: %s", out)
	}
	if _, out, _ = b.run(t.Context(), "stats"); !strings.Contains(out, "recommendations") {
		t.Errorf("stats: %s", out)
	}
	if code, _, _ = b.run(t.Context(), "recommend"); code != exitUsage {
		t.Errorf("nothing to recommend by: code %d", code)
	}
}
