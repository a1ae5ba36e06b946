package vecdb_test

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/vecdb/vecdb"
	"github.com/vecdb/vecdb/embedder"
	"github.com/vecdb/vecdb/embedder/hash"
)

const (
	englishModel = "all-MiniLM-L6-v2"
	chineseModel = "bge-small-zh-v1.5"
)

var auto = vecdb.CollectionOptions{Language: vecdb.LanguageAuto}

// wantModel checks which model a collection has, "" for none yet.
func wantModel(t *testing.T, c *vecdb.Collection, model string) {
	t.Helper()
	dims := map[string]int{englishModel: 384, chineseModel: 512}
	languages := map[string]string{englishModel: "en", chineseModel: "zh", "": "auto"}
	info := c.Info()
	if info.Model != model || info.Dim != dims[model] || info.Language != languages[model] || !info.Auto || info.Pending() != (model == "") {
		t.Fatalf("settings %+v, want the model %q", info, model)
	}
}

func TestTheFirstTextsChooseTheModel(t *testing.T) {
	for _, test := range []struct {
		name, model string
		docs        []vecdb.Document
	}{
		{"English", englishModel, []vecdb.Document{{ID: "a", Text: "a father and his son cook rice"}}},
		{"Chinese", chineseModel, []vecdb.Document{{ID: "a", Text: "父亲和儿子一起做饭"}}},
		{"Chinese with names", chineseModel, []vecdb.Document{{ID: "a", Text: "我的 iPhone 手机充不进电怎么办"}}},
		{"a long English text among Chinese ones", chineseModel, []vecdb.Document{
			{ID: "a", Text: strings.Repeat("all work and no play ", 5000)}, {ID: "b", Text: strings.Repeat("父亲和儿子", 60)}}},
		{"mostly English", englishModel, []vecdb.Document{{ID: "a", Text: "the characters 父 and 子 mean father and son"}, {ID: "b", Text: "rice and beans in one pot"}}},
		{"no letters", englishModel, []vecdb.Document{{ID: "a", Text: "12 345"}}},
		{"refused ones do not count", englishModel, []vecdb.Document{{ID: strings.Repeat("x", 5000), Text: strings.Repeat("父亲和儿子", 50)}, {ID: "b", Text: "rice"}}},
	} {
		t.Run(test.name, func(t *testing.T) {
			c := collection(t, open(t, "", vecdb.Options{InMemory: true}), "c", auto)
			wantModel(t, c, "")
			upsert(t, c, test.docs...)
			wantModel(t, c, test.model)
			last := test.docs[len(test.docs)-1]
			if got := search(t, c, vecdb.Request{Text: last.Text, Limit: 1}); !slices.Equal(got, []string{last.ID}) {
				t.Errorf("searching for the last text finds %v", got)
			}
			// The choice stays, whatever comes later.
			upsert(t, c, vecdb.Document{ID: "zh", Text: strings.Repeat("晚上吃什么好呢", 30)}, vecdb.Document{ID: "en", Text: strings.Repeat("what is for dinner ", 30)})
			wantModel(t, c, test.model)
		})
	}
}

func TestAPendingCollectionAnswersLikeAnEmptyOne(t *testing.T) {
	ctx := t.Context()
	db := open(t, "", vecdb.Options{InMemory: true})
	c := collection(t, db, "c", auto)
	vector := make([]float32, 100)
	vector[3] = 1
	for name, r := range map[string]vecdb.Request{
		"text": {Text: "rice"}, "words": {Text: "rice", Mode: "lexical"}, "hybrid": {Text: "rice", Mode: "hybrid"}, "vector": {Vector: vector},
		"away": {Text: "rice", Dislike: []vecdb.Example{{Text: "beans"}}, GroupBy: "x"}, "examples": {Like: []vecdb.Example{{Text: "rice"}}},
	} {
		found, err := c.Search(ctx, r)
		if err != nil || len(found.Hits) > 0 || len(found.Warnings) == 0 || !strings.Contains(found.Warnings[0], "not chosen yet") {
			t.Errorf("%s: %+v, %v", name, found, err)
		}
	}
	if _, err := c.Search(ctx, vecdb.Request{ID: "a"}); !errors.Is(err, vecdb.ErrNotFound) {
		t.Errorf("a search by an id gives %v", err)
	}
	if _, err := c.Search(ctx, vecdb.Request{Text: "rice", Limit: -1}); !errors.Is(err, vecdb.ErrInvalid) {
		t.Errorf("a wrong search gives %v", err)
	}
	liked, err := c.Recommend(ctx, vecdb.Request{Like: []vecdb.Example{{Text: "rice"}, {Vector: vector}}})
	if err != nil || len(liked.Hits) > 0 || len(liked.Warnings) == 0 {
		t.Errorf("a recommendation gives %+v, %v", liked, err)
	}
	labels, err := c.Classify(ctx, vecdb.ClassifyRequest{Texts: []string{"rice", "beans"}})
	if err != nil || len(labels.Results) != 2 || !labels.Results[1].Abstained {
		t.Errorf("a classification gives %+v, %v", labels, err)
	}
	answer, err := c.Answer(ctx, vecdb.AnswerRequest{Request: vecdb.Request{Text: "what is for dinner?"}})
	if err != nil || answer.Answered || len(answer.Warnings) == 0 {
		t.Errorf("a question gives %+v, %v", answer, err)
	}
	if _, err := c.AddFeedback(ctx, []vecdb.Feedback{{Question: "where?", Answer: "a", Right: true}}, vecdb.WaitDurable); !errors.Is(err, vecdb.ErrPending) {
		t.Errorf("feedback gives %v", err)
	}
	if _, err := c.Train(ctx, ""); !errors.Is(err, vecdb.ErrInvalid) {
		t.Errorf("training gives %v", err)
	}
	if _, err := c.EmbedQueries(ctx, []string{"rice"}); !errors.Is(err, vecdb.ErrPending) {
		t.Errorf("embedding a query gives %v", err)
	}
	if st := c.Stats(); st.Documents != 0 || st.Dim != 0 || st.Index.Vectors != 0 || st.Index.Pending != 0 {
		t.Errorf("figures %+v", st)
	}
	if n, err := c.Delete(ctx, []string{"a"}, vecdb.WaitTrained); n != 0 || err != nil {
		t.Errorf("deleting gives %d, %v", n, err)
	}
	if err := db.Verify(ctx, func(p string) { t.Error(p) }); err != nil {
		t.Error(err)
	}
}

func TestVectorsDoNotChooseTheModel(t *testing.T) {
	db := open(t, "", vecdb.Options{InMemory: true})
	c := collection(t, db, "c", auto)
	short, right := make([]float32, 100), make([]float32, 512)
	short[0], right[0] = 1, 1
	first := upsert(t, c, vecdb.Document{ID: "v", Vector: short}, vecdb.Document{ID: "both", Text: "rice", Vector: short}, vecdb.Document{ID: "none"})
	for _, r := range first[:2] {
		if !errors.Is(r.Err, vecdb.ErrPending) {
			t.Errorf("%s: %+v", r.ID, r)
		}
	}
	for _, policy := range []string{"skip", "replace", "link"} {
		near := &vecdb.Duplicates{Policy: policy, Threshold: 0.9}
		r, err := c.UpsertWith(t.Context(), []vecdb.Document{{ID: "v", Vector: short}}, vecdb.UpsertOptions{Duplicates: near})
		if err != nil || !errors.Is(r[0].Err, vecdb.ErrPending) {
			t.Errorf("to %s near duplicates: %+v, %v", policy, r, err)
		}
	}
	wantModel(t, c, "")
	many := slices.Repeat([]vecdb.Document{{ID: "v", Vector: short}}, 1500)
	late := upsert(t, collection(t, db, "late", auto), append(many, vecdb.Document{ID: "t", Text: "rice"})...)
	if !errors.Is(late[0].Err, vecdb.ErrDimension) || late[1500].Status != vecdb.StatusCreated {
		t.Errorf("behind many vectors a text gives %+v, and they %+v", late[1500], late[0])
	}
	mixed := upsert(t, c, vecdb.Document{ID: "v", Vector: right}, vecdb.Document{ID: "w", Vector: short}, vecdb.Document{ID: "t", Text: "父亲和儿子"})
	wantModel(t, c, chineseModel)
	if mixed[0].Status != vecdb.StatusCreated || !errors.Is(mixed[1].Err, vecdb.ErrDimension) || mixed[2].Status != vecdb.StatusCreated {
		t.Errorf("results %+v", mixed)
	}
}

func TestAChoiceIsAskedForAlone(t *testing.T) {
	ctx := t.Context()
	db := open(t, "", vecdb.Options{InMemory: true})
	for name, o := range map[string]vecdb.CollectionOptions{
		"model": {Language: "auto", Model: englishModel}, "no model": {Language: "auto", Model: vecdb.NoModel, Dim: 4},
		"dimension": {Language: "auto", Dim: 128}, "precision": {Language: "auto", Precision: "int3"},
	} {
		if _, _, err := db.CreateCollection(ctx, "c", o); !errors.Is(err, vecdb.ErrInvalid) {
			t.Errorf("with %s: %v", name, err)
		}
	}
	c := collection(t, db, "c", vecdb.CollectionOptions{Language: "auto", Precision: "bf16"})
	again := func(o vecdb.CollectionOptions) error {
		_, _, err := db.CreateCollection(ctx, "c", o)
		return err
	}
	if err := again(vecdb.CollectionOptions{Language: "auto", Precision: "bf16"}); err != nil {
		t.Errorf("the same again while pending: %v", err)
	}
	if err := again(vecdb.CollectionOptions{Language: "en", Precision: "bf16"}); !errors.Is(err, vecdb.ErrExists) {
		t.Errorf("English while pending: %v", err)
	}
	upsert(t, c, vecdb.Document{ID: "a", Text: "父亲和儿子"})
	for _, o := range []vecdb.CollectionOptions{{Language: "auto", Precision: "bf16"}, {Language: "zh", Precision: "bf16"}} {
		if err := again(o); err != nil {
			t.Errorf("the same again by %q: %v", o.Language, err)
		}
	}
	for _, o := range []vecdb.CollectionOptions{{Language: "auto"}, {Language: "en", Precision: "bf16"}} {
		if err := again(o); !errors.Is(err, vecdb.ErrExists) {
			t.Errorf("other settings by %q: %v", o.Language, err)
		}
	}
	collection(t, db, "given", vecdb.CollectionOptions{Language: "en"})
	if _, _, err := db.CreateCollection(ctx, "given", auto); !errors.Is(err, vecdb.ErrExists) {
		t.Errorf("auto where the language was given: %v", err)
	}
}

func TestAChoiceSurvivesReopening(t *testing.T) {
	for _, kind := range vecdb.IndexKinds() {
		t.Run(kind, func(t *testing.T) {
			dir := t.TempDir()
			o := withHash(vecdb.Options{MinFreeBytes: -1, Index: kind})
			session := func(do func(*vecdb.Collection)) {
				t.Helper()
				db, err := vecdb.Open(dir, o)
				if err != nil {
					t.Fatal(err)
				}
				c, _, err := db.CreateCollection(t.Context(), "c", auto)
				if err != nil {
					t.Fatal(err)
				}
				do(c)
				if err := db.Close(); err != nil {
					t.Fatal(err)
				}
			}
			session(func(c *vecdb.Collection) { wantModel(t, c, "") })
			session(func(c *vecdb.Collection) {
				wantModel(t, c, "")
				upsert(t, c, vecdb.Document{ID: "a", Text: "父亲和儿子"}, vecdb.Document{ID: "b", Text: "母亲"})
			})
			session(func(c *vecdb.Collection) {
				wantModel(t, c, chineseModel)
				if got := search(t, c, vecdb.Request{Text: "父亲", Limit: 1}); !slices.Equal(got, []string{"a"}) {
					t.Errorf("a search finds %v", got)
				}
			})
		})
	}
}

func TestWithoutTheModelNothingIsChosen(t *testing.T) {
	missing := true
	db, err := vecdb.Open("", vecdb.Options{InMemory: true, OpenModel: func(context.Context, string, string) (embedder.Embedder, error) {
		if missing {
			return nil, vecdb.ErrNoModel
		}
		return hash.New(384), nil
	}})
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	c := collection(t, db, "c", auto)
	docs := []vecdb.Document{{ID: "a", Text: "rice"}}
	if _, err := c.Upsert(t.Context(), docs, vecdb.WaitIndexed); !errors.Is(err, vecdb.ErrNoModel) {
		t.Fatalf("without the model: %v", err)
	}
	wantModel(t, c, "")
	missing = false
	upsert(t, c, docs...)
	wantModel(t, c, englishModel)
}

func TestOfTwoFirstCallsOneChooses(t *testing.T) {
	for range 20 {
		c := collection(t, open(t, "", vecdb.Options{InMemory: true}), "c", auto)
		var wg sync.WaitGroup
		for i, text := range []string{"父亲和儿子一起做饭", "a father and his son cook rice", "母亲", "mother"} {
			wg.Go(func() {
				r, err := c.Upsert(t.Context(), []vecdb.Document{{ID: fmt.Sprint(i), Text: text}}, vecdb.WaitIndexed)
				if err != nil || r[0].Status != vecdb.StatusCreated {
					t.Errorf("%s: %+v, %v", text, r, err)
				}
			})
			wg.Go(func() {
				if _, err := c.Search(t.Context(), vecdb.Request{Text: text}); err != nil {
					t.Errorf("search beside: %v", err)
				}
				_ = c.Stats()
			})
		}
		wg.Wait()
		info := c.Info()
		if info.Pending() {
			t.Fatal("nothing was chosen")
		}
		wantModel(t, c, info.Model)
		for i, text := range []string{"父亲和儿子一起做饭", "a father and his son cook rice", "母亲", "mother"} {
			if got := search(t, c, vecdb.Request{Text: text, Limit: 1}); !slices.Equal(got, []string{fmt.Sprint(i)}) {
				t.Errorf("%s: found %v", text, got)
			}
		}
	}
}

func TestClosingAndDroppingBesideAChoice(t *testing.T) {
	for round := range 20 {
		db, err := vecdb.Open("", withHash(vecdb.Options{InMemory: true}))
		if err != nil {
			t.Fatal(err)
		}
		c := collection(t, db, "c", auto)
		var wg sync.WaitGroup
		wg.Go(func() {
			_, err := c.Upsert(context.Background(), []vecdb.Document{{ID: "a", Text: "rice"}}, vecdb.WaitIndexed)
			if err != nil && !errors.Is(err, vecdb.ErrClosed) && !errors.Is(err, vecdb.ErrNotFound) {
				t.Errorf("a first text beside the end gives %v", err)
			}
		})
		if round%2 == 0 {
			if err := db.DropCollection(t.Context(), "c"); err != nil {
				t.Error(err)
			}
		}
		if err := db.Close(); err != nil {
			t.Error(err)
		}
		wg.Wait()
	}
}

// chooserEnv makes the test binary a process that chooses a model and is killed
// before it stores the first document.
const chooserEnv = "VECDB_TEST_CHOOSER"

// killer ends the process when the first texts are embedded.
type killer struct{ embedder.Embedder }

func (killer) Embed(context.Context, embedder.Kind, []string) (embedder.Result, error) {
	fmt.Println("chosen")
	if p, err := os.FindProcess(os.Getpid()); err == nil {
		_ = p.Kill() // nothing comes behind it
	}
	select {}
}

func choose(dir string) {
	db, err := vecdb.Open(dir, vecdb.Options{MinFreeBytes: -1, OpenModel: func(context.Context, string, string) (embedder.Embedder, error) {
		return killer{hash.New(512)}, nil
	}})
	if err != nil {
		fmt.Println(err)
		return
	}
	c, _, err := db.CreateCollection(context.Background(), "c", auto)
	if err == nil {
		_, err = c.Upsert(context.Background(), []vecdb.Document{{ID: "a", Text: "父亲和儿子"}}, vecdb.WaitIndexed)
	}
	fmt.Println("not killed", err)
}

func TestAKillBehindTheChoiceLeavesAUsableCollection(t *testing.T) {
	dir := t.TempDir()
	cmd := exec.CommandContext(t.Context(), os.Args[0])
	cmd.Env = append(os.Environ(), chooserEnv+"="+dir)
	out, err := cmd.CombinedOutput()
	if err == nil || strings.TrimSpace(string(out)) != "chosen" {
		t.Fatalf("the process ended with %v: %s", err, out)
	}
	c, err := open(t, dir, vecdb.Options{MinFreeBytes: -1}).Collection("c")
	if err != nil {
		t.Fatal(err)
	}
	wantModel(t, c, chineseModel)
	if c.Len() != 0 {
		t.Errorf("%d documents were stored", c.Len())
	}
	upsert(t, c, vecdb.Document{ID: "b", Text: "rice and beans"}, vecdb.Document{ID: "a", Text: "父亲和儿子"})
	if got := search(t, c, vecdb.Request{Text: "父亲和儿子", Limit: 1}); !slices.Equal(got, []string{"a"}) {
		t.Errorf("a search finds %v", got)
	}
}
