package query_test

import (
	"encoding/json"
	"strings"
	"testing"

	"github.com/vecdb/vecdb/answers"
	"github.com/vecdb/vecdb/internal/core"
	"github.com/vecdb/vecdb/query"
)

func asked(text string) query.AnswerRequest {
	return query.AnswerRequest{Request: query.Request{Text: text}}
}

func faq(id string, degrees float64, answer string, more ...any) *core.Document {
	fields := map[string]any{}
	if answer != "" {
		fields["answer"] = answer
	}
	for i := 0; i < len(more); i += 2 {
		fields[more[i].(string)] = more[i+1]
	}
	return at(id, degrees, fields)
}

func TestAnswerTakesTheBestVariantAndTellsHowSureItIs(t *testing.T) {
	f, e := newFake(
		faq("card", 0, "press reset"), faq("card2", 40, "press reset"), faq("card3", 80, "", "answer_id", "card"),
		faq("order", 140, "on its way"), at("note", 78, nil))
	f.words["reset"], f.words["order"], f.words["moon"] = angle(78), angle(140), angle(240)
	got, err := e.Answer(t.Context(), asked("reset"))
	if err != nil {
		t.Fatal(err)
	}
	if !got.Answered || got.Answer.Answer != "press reset" || got.Answer.ID != "card" || got.Answer.Question != "text of card3" || got.Answer.Confidence < 0.9 {
		t.Errorf("got %+v", got.Answer)
	}
	if len(got.Alternatives) != 1 || got.Alternatives[0].ID != "order" || got.Alternatives[0].Confidence > 0.1 || len(got.Passages) != 0 {
		t.Errorf("alternatives %+v, passages %+v", got.Alternatives, got.Passages)
	}
	got, err = e.Answer(t.Context(), asked("moon"))
	if err != nil || got.Answered || got.Answer != nil || len(got.Alternatives) == 0 || len(got.Passages) != 3 {
		t.Errorf("nothing fits, yet %+v (%v)", got, err)
	}
	sure, r := 0.0, asked("moon")
	r.MinConfidence = &sure
	if got, err = e.Answer(t.Context(), r); err != nil || !got.Answered {
		t.Errorf("any confidence will do, yet %+v (%v)", got, err)
	}
	r = asked("reset")
	r.Exclude = []string{"card", "card2"}
	if got, err = e.Answer(t.Context(), r); err != nil || got.Answer == nil || got.Answer.ID != "card" {
		t.Errorf("a variant leads to an answer whose own question is left out: %+v (%v)", got.Answer, err)
	}
	r.Filter = &query.Filter{Field: "answer", Eq: "on its way"}
	if got, err = e.Answer(t.Context(), r); err != nil || got.Answered || len(got.Alternatives) != 1 || got.Alternatives[0].ID != "order" {
		t.Errorf("filtered: %+v (%v)", got, err)
	}
}

func TestVariantsAroundAQuestionSayMoreThanOneBesideIt(t *testing.T) {
	f, e := newFake(faq("low", 0, "one"), faq("high", 60, "one"), faq("far", 200, "one"), faq("beside", 55, "two"))
	f.words["between"], f.words["beside"] = angle(30), angle(55)
	if got, err := e.Answer(t.Context(), asked("between")); err != nil || got.Answer == nil || got.Answer.Answer != "one" || got.Answer.Score < 0.85 {
		t.Errorf("the mean of the variants is nearest, yet %+v (%v)", got.Answer, err)
	}
	got, err := e.Answer(t.Context(), asked("beside"))
	if err != nil || got.Answer == nil || got.Answer.Answer != "two" || len(got.Alternatives) == 0 || got.Alternatives[0].Question != "text of high" {
		t.Errorf("the question itself is stored, yet %+v, %+v (%v)", got.Answer, got.Alternatives, err)
	}
}

func TestAnswerFillsPlaceholders(t *testing.T) {
	f, e := newFake(faq("order", 0, "Order {{order_id}} comes on {{ day }} from {{shop.name}} ({{n}})", "day", "Monday", "shop", map[string]any{"name": "Corner"}, "n", int64(3)))
	f.words["order"] = angle(0)
	r := asked("order")
	got, err := e.Answer(t.Context(), r)
	if err != nil || strings.Join(got.Answer.Missing, " ") != "order_id" || got.Answer.Answer != "Order {{order_id}} comes on Monday from Corner (3)" {
		t.Errorf("got %+v (%v)", got.Answer, err)
	}
	if err := json.Unmarshal([]byte(`{"text":"order","fields":{"order_id":1042,"day":["Tuesday","Friday"],"shop":{"name":"Main"}}}`), &r); err != nil {
		t.Fatal(err)
	}
	if got, err = e.Answer(t.Context(), r); err != nil || len(got.Answer.Missing) != 0 || got.Answer.Answer != "Order 1042 comes on Tuesday, Friday from Main (3)" {
		t.Errorf("got %+v (%v)", got.Answer, err)
	}
	r.Values = map[string]any{"order_id": "", "day": nil}
	if got, err = e.Answer(t.Context(), r); err != nil || strings.Join(got.Answer.Missing, " ") != "order_id" {
		t.Errorf("an empty value fills nothing in: %+v (%v)", got.Answer, err)
	}
}

func TestAnswerSameTemplateWithOtherValuesIsAnotherAnswer(t *testing.T) {
	f, e := newFake(faq("tea", 0, "It costs {{price}}", "price", "2"), faq("milk", 100, "It costs {{price}}", "price", "3"))
	f.words["milk"] = angle(100)
	got, err := e.Answer(t.Context(), asked("milk"))
	if err != nil || got.Answer.Answer != "It costs 3" || len(got.Alternatives) != 1 || got.Alternatives[0].Answer != "It costs 2" {
		t.Errorf("got %+v (%v)", got, err)
	}
}

func TestAnswerHeedsFeedback(t *testing.T) {
	f, e := newFake(faq("a", 0, "one"), faq("b", 60, "two"), faq("gone", 300, "three"))
	f.words["odd"], f.words["near"] = angle(200), angle(5)
	f.memory, f.fitted = answers.NewMemory(), answers.Fitted{Model: answers.DefaultModel()}
	if got, err := e.Answer(t.Context(), asked("odd")); err != nil || got.Answered {
		t.Fatalf("before feedback: %+v (%v)", got, err)
	}
	f.memory.Add(core.Feedback{Question: "odd", Answer: "b", Right: true}, angle(200))
	f.memory.Add(core.Feedback{Question: "odd", Answer: "nobody", Right: true}, angle(200))
	got, err := e.Answer(t.Context(), asked("odd"))
	if err != nil || !got.Answered || got.Answer.ID != "b" || !got.Answer.Feedback || got.Answer.Question != "odd" || got.Answer.Confidence < 0.9 {
		t.Errorf("after feedback: %+v (%v)", got.Answer, err)
	}
	r := asked("odd")
	r.Exclude = []string{"b"}
	if got, err = e.Answer(t.Context(), r); err != nil || got.Answered {
		t.Errorf("what is left out comes back by feedback: %+v (%v)", got.Answer, err)
	}
	first, err := e.Answer(t.Context(), asked("near"))
	if err != nil || first.Answer == nil {
		t.Fatalf("got %+v (%v)", first, err)
	}
	f.memory.Add(core.Feedback{Question: "near", Answer: first.Answer.ID, Right: false}, angle(5))
	if got, err = e.Answer(t.Context(), asked("near")); err != nil || got.Answered && got.Answer.ID == first.Answer.ID {
		t.Errorf("what was wrong is still the answer: %+v (%v)", got.Answer, err)
	}
}

func TestAnswerUsesWhatWasSaidBefore(t *testing.T) {
	f, e := newFake(faq("home", 0, "two days"), faq("abroad", 50, "two weeks"), faq("trip", 110, "take the train"))
	f.words["how long is delivery?"], f.words["and abroad?"], f.words["how long is delivery?\nand abroad?"] = angle(0), angle(82), angle(40)
	r := asked("")
	r.Messages = []query.Message{{Role: "user", Content: "how long is delivery?"}, {Role: "assistant", Content: "two days"}, {Role: "user", Content: "and abroad?"}}
	got, err := e.Answer(t.Context(), r)
	if err != nil || got.Answer == nil || got.Answer.ID != "abroad" || !got.Context {
		t.Errorf("got %+v (%v)", got, err)
	}
	r.Text = "and abroad?" // the last message once more
	again, err := e.Answer(t.Context(), r)
	if err != nil || again.Answer == nil || again.Answer.Score != got.Answer.Score {
		t.Errorf("with the text beside: %+v (%v)", again.Answer, err)
	}
	r.Text = "how long is delivery?"
	if got, err = e.Answer(t.Context(), asked("how long is delivery?")); err != nil || got.Answer.ID != "home" || got.Context {
		t.Errorf("alone: %+v (%v)", got.Answer, err)
	}
}

func TestAnswerRefusesWhatCannotBeAnswered(t *testing.T) {
	_, e := newFake(faq("a", 0, "one"))
	for body, pointer := range map[string]string{
		`{}`: "/text", `{"text":" "}`: "/text", `{"text":"a","mode":"dense"}`: "/mode", `{"id":"a"}`: "/id", `{"like":["a"]}`: "/like", `{"text":"a","user":"u"}`: "/user",
		`{"text":"a","min_confidence":1.5}`: "/min_confidence", `{"text":"a","min_confidence":-0.1}`: "/min_confidence", `{"text":"a","min_confidence":"high"}`: "/min_confidence",
		`{"text":"a","answer_field":"text"}`: "/answer_field", `{"text":"a","limit":101}`: "/limit", `{"text":"a","group_by":"b"}`: "/group_by", `{"text":"a","surprise":1}`: "/surprise",
		`{"messages":[{"role":"robot","content":"a"}]}`: "/messages/0/role", `{"messages":[{"role":"user","content":""}]}`: "/messages/0/content",
		`{"messages":[{"role":"assistant","content":"hi"}]}`: "/messages", `{"messages":[{"role":"user","text":"a"}]}`: "/messages/0/text", `{"messages":{}}`: "/messages",
		`{"text":"a","values":[1]}`: "/values", `{"text":"a","fields":7}`: "/fields", `{"vector":[1,0],"generate":true}`: "/vector",
	} {
		var r query.AnswerRequest
		err := json.Unmarshal([]byte(body), &r)
		if err == nil {
			_, err = e.Answer(t.Context(), r)
		}
		wantInput(t, err, pointer, "")
	}
}

func TestAnswerWithoutAnswersTellsWhatToDo(t *testing.T) {
	f, e := newFake(at("a", 0, map[string]any{"answers": "one"}), at("b", 20, nil))
	f.words["why"] = angle(0)
	got, err := e.Answer(t.Context(), asked("why"))
	if err != nil || got.Answered || len(got.Passages) != 2 || len(got.Warnings) != 1 || !strings.Contains(got.Warnings[0], `did you mean "answers"`) {
		t.Errorf("got %+v (%v)", got, err)
	}
	r := asked("why")
	r.AnswerField = "answers"
	if got, err = e.Answer(t.Context(), r); err != nil || got.Answer == nil || got.Answer.Answer != "one" {
		t.Errorf("got %+v (%v)", got, err)
	}
}

func TestAnswerExamplesHoldOutTheQuestionItself(t *testing.T) {
	f, e := newFake(faq("a1", 0, "one"), faq("a2", 10, "one"), faq("b", 90, "two"))
	f.memory, f.fitted = answers.NewMemory(), answers.Fitted{Model: answers.DefaultModel()}
	f.memory.Add(core.Feedback{Question: "told", Answer: "b", Right: false}, angle(80))
	list, err := e.AnswerExamples(t.Context(), "answer", 100)
	if err != nil {
		t.Fatal(err)
	}
	found, none, wrong := 0, 0, 0
	for _, x := range list {
		for _, c := range x.Candidates {
			if c.Dense > 0.9999 {
				t.Errorf("a question answers itself: %+v", x)
			}
		}
		switch x.Right {
		case answers.Unknown:
			wrong++
		case answers.None:
			none++
		default:
			found++
		}
	}
	if found != 2 || none != 3 || wrong != 1 {
		t.Errorf("%d with an answer, %d without, %d wrong: %+v", found, none, wrong, list)
	}
}
