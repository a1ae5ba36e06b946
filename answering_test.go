package vecdb_test

import (
	"context"
	"errors"
	"fmt"
	"os"
	"slices"
	"strings"
	"testing"

	"github.com/vecdb/vecdb"
	"github.com/vecdb/vecdb/query"
)

func question(id, text, answer string) vecdb.Document {
	return vecdb.Document{ID: id, Text: text, Fields: map[string]any{"answer": answer}}
}

var cards = []vecdb.Document{
	question("reset", "how do I reset my card?", "Open the app and press reset."),
	question("reset2", "my card must be reset", "Open the app and press reset."),
	question("reset3", "please reset the card for me", "Open the app and press reset."),
	question("order", "where is my order?", "Order {{order_id}} is on its way."),
	question("order2", "when does my order come?", "Order {{order_id}} is on its way."),
	question("refund", "I want my money back", "Send it back within two weeks."),
}

func ask(t testing.TB, c *vecdb.Collection, text string) vecdb.AnswerResponse {
	t.Helper()
	got, err := c.Answer(context.Background(), vecdb.AnswerRequest{Request: vecdb.Request{Text: text}})
	if err != nil {
		t.Fatal(err)
	}
	return got
}

func tell(t testing.TB, c *vecdb.Collection, question, answer string, right bool) vecdb.FeedbackResult {
	t.Helper()
	r, err := c.AddFeedback(context.Background(), []vecdb.Feedback{{Question: question, Answer: answer, Right: right}}, vecdb.WaitDurable)
	if err != nil {
		t.Fatal(err)
	}
	return r
}

func TestAnswersLearnFromFeedbackAndKeepIt(t *testing.T) {
	dir := t.TempDir()
	db := open(t, dir, vecdb.Options{})
	c := collection(t, db, "faq", vecdb.CollectionOptions{})
	upsert(t, c, cards...)
	got := ask(t, c, "how do I reset my card?")
	if !got.Answered || got.Answer.Answer != "Open the app and press reset." || got.Calibrated == 0 {
		t.Errorf("got %+v", got)
	}
	const odd = "plastic thing broken zzz"
	if got = ask(t, c, odd); got.Answered {
		t.Errorf("before feedback: %+v", got.Answer)
	}
	if r := tell(t, c, odd, "refund", true); r.Accepted != 1 || r.UnknownAnswers != 0 {
		t.Errorf("feedback: %+v", r)
	}
	if r := tell(t, c, "who?", "nobody", true); r.UnknownAnswers != 1 {
		t.Errorf("feedback on an unknown document: %+v", r)
	}
	if got = ask(t, c, odd); !got.Answered || got.Answer.ID != "refund" || !got.Answer.Feedback {
		t.Errorf("after feedback: %+v", got)
	}
	tell(t, c, "where is my order?", "order", false)
	tell(t, c, "where is my order?", "order2", false)
	if got = ask(t, c, "where is my order?"); got.Answered && strings.HasPrefix(got.Answer.ID, "order") {
		t.Errorf("a wrong answer comes again: %+v", got.Answer)
	}
	if err := db.Close(); err != nil {
		t.Fatal(err)
	}
	db = open(t, dir, vecdb.Options{})
	c, err := db.Collection("faq")
	if err != nil {
		t.Fatal(err)
	}
	if got = ask(t, c, odd); !got.Answered || got.Answer.ID != "refund" {
		t.Errorf("after a restart: %+v", got)
	}
	list, total, err := c.Feedback(t.Context(), "", 2)
	if err != nil || total != 4 || len(list) != 2 || list[0].Right || list[0].Answer != "order2" {
		t.Errorf("%d of %d: %+v (%v)", len(list), total, list, err)
	}
	if n, err := c.DeleteFeedback(t.Context(), "refund"); err != nil || n != 1 {
		t.Errorf("deleted %d: %v", n, err)
	}
	if got = ask(t, c, odd); got.Answered && got.Answer.Feedback {
		t.Errorf("deleted feedback counts: %+v", got.Answer)
	}
}

func TestFeedbackIsChecked(t *testing.T) {
	c := collection(t, open(t, "", vecdb.Options{InMemory: true}), "faq", vecdb.CollectionOptions{})
	upsert(t, c, cards...)
	for pointer, f := range map[string]vecdb.Feedback{
		"/1/question": {Question: " ", Answer: "a"}, "/1/answer": {Question: "q"}, "/1/question ": {Question: strings.Repeat("q", 17<<10), Answer: "a"},
		"/1/answer ": {Question: "q", Answer: "\xff"},
	} {
		_, err := c.AddFeedback(t.Context(), []vecdb.Feedback{{Question: "fine", Answer: "refund", Right: true}, f}, vecdb.WaitDurable)
		var in *vecdb.InputError
		if !errors.As(err, &in) || in.Pointer != strings.TrimSpace(pointer) {
			t.Errorf("%.40v: %v", f, err)
		}
	}
	if _, err := c.AddFeedback(t.Context(), make([]vecdb.Feedback, vecdb.MaxFeedback+1), vecdb.WaitDurable); !errors.Is(err, vecdb.ErrTooLarge) {
		t.Errorf("too much at once: %v", err)
	}
	if _, total, err := c.Feedback(t.Context(), "", 10); total != 0 || err != nil {
		t.Errorf("%d stored all the same, %v", total, err)
	}
}

func TestConfidenceIsCalibratedOnTheCollectionsQuestions(t *testing.T) {
	c := collection(t, open(t, "", vecdb.Options{InMemory: true}), "faq", vecdb.CollectionOptions{})
	upsert(t, c, cards...)
	if s := c.Stats().Answers; s.Calibration != nil {
		t.Errorf("calibrated before anybody asked: %+v", s)
	}
	ask(t, c, "hello")
	s := c.Stats().Answers
	if s.Calibration == nil || s.Calibration.Judged != 5 || s.Calibration.Examples != 11 {
		t.Fatalf("calibrated on %+v", s.Calibration)
	}
	if _, err := c.AddFeedback(t.Context(), []vecdb.Feedback{{Question: "money back please", Answer: "refund", Right: true}}, vecdb.WaitTrained); err != nil {
		t.Fatal(err)
	}
	if now := c.Stats().Answers; now.Feedback != 1 || now.Calibration.Examples != 12 {
		t.Errorf("after feedback: %+v", now.Calibration)
	}
}

// writer stands in for a chat model.
type writer struct {
	said []vecdb.Message
	err  error
}

func (w *writer) Model() string { return "fake" }

func (w *writer) Write(_ context.Context, messages []vecdb.Message) (string, error) {
	w.said = slices.Clone(messages)
	return "In short: yes.", w.err
}

func TestGenerationIsOffUnlessGivenAndKeepsTheAnswerWhenItFails(t *testing.T) {
	r := vecdb.AnswerRequest{Request: vecdb.Request{Text: "how do I reset my card?"}, Generate: true}
	c := collection(t, open(t, "", vecdb.Options{InMemory: true}), "faq", vecdb.CollectionOptions{})
	var in *vecdb.InputError
	if _, err := c.Answer(t.Context(), r); !errors.As(err, &in) || in.Pointer != "/generate" {
		t.Errorf("without a chat model: %v", err)
	}
	w := &writer{}
	c = collection(t, open(t, "", vecdb.Options{InMemory: true, Chat: w}), "faq", vecdb.CollectionOptions{})
	upsert(t, c, cards...)
	ask(t, c, r.Text)
	if w.said != nil {
		t.Error("the chat model was asked unbidden")
	}
	r.Messages = []vecdb.Message{{Role: "user", Content: "hello"}, {Role: "assistant", Content: "good day"}}
	got, err := c.Answer(t.Context(), r)
	if err != nil || got.Generated == nil || got.Generated.Text != "In short: yes." || got.Generated.Model != "fake" || len(got.Passages) == 0 {
		t.Errorf("got %+v (%v)", got.Generated, err)
	}
	if n := len(w.said); n != 4 || w.said[0].Role != "system" || !strings.Contains(w.said[0].Content, "Open the app and press reset.") || w.said[3].Content != r.Text {
		t.Errorf("it was told %+v", w.said)
	}
	w.err = errors.New("out of order")
	got, err = c.Answer(t.Context(), r)
	if err != nil || got.Generated == nil || got.Generated.Text != "" || got.Generated.Error != "out of order" || !got.Answered {
		t.Errorf("when it fails: %+v (%v)", got, err)
	}
}

// withModel opens a collection with a real model, or skips the test where its
// files are not on the machine.
func withModel(t *testing.T, language string) *vecdb.Collection {
	t.Helper()
	db, err := vecdb.Open("", vecdb.Options{InMemory: true})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := db.Close(); err != nil {
			t.Error(err)
		}
	})
	c := collection(t, db, "faq", vecdb.CollectionOptions{Language: language})
	if _, err := c.EmbedQueries(t.Context(), []string{"ready"}); err != nil {
		if os.Getenv("VECDB_REQUIRE_MODELS") != "" || !errors.Is(err, vecdb.ErrNoModel) && !errors.Is(err, vecdb.ErrNoRuntime) {
			t.Fatal(err)
		}
		t.Skip(err)
	}
	return c
}

// talk is a question and what is asked after it, whose answer is that document.
type talk struct{ first, then, want string }

func TestFollowUpsAreUnderstoodByWhatWasSaidBefore(t *testing.T) {
	for _, x := range []struct {
		language string
		faq      map[string]string
		talks    []talk
	}{
		{"en", map[string]string{
			"ship-home": "How long does delivery take?", "ship-abroad": "How long does delivery abroad take?", "ship-cost": "How much does delivery cost?",
			"ship-abroad-cost": "How much does delivery abroad cost?", "return-how": "How do I return an item?", "return-time": "How many days do I have to return an item?",
			"return-cost": "Who pays for the return of an item?", "card-lost": "My card was stolen, what should I do?", "card-new-cost": "What does a replacement card cost?",
			"card-new-time": "When does my replacement card arrive?", "pay-card": "Can I pay by credit card?", "pay-invoice": "Can I pay by invoice?",
			"account-close": "How do I close my account?", "account-data": "What happens to my data when I close my account?",
		}, []talk{
			{"How long does delivery take?", "and for abroad?", "ship-abroad"}, {"I want something delivered to another country", "what does it cost?", "ship-abroad-cost"},
			{"I want something delivered to another country", "how long does it take?", "ship-abroad"}, {"How can I send something back?", "how long do I have?", "return-time"},
			{"How can I send something back?", "who pays for it?", "return-cost"}, {"I need a replacement card", "what does it cost?", "card-new-cost"},
			{"I need a replacement card", "how long does it take?", "card-new-time"}, {"My old card was stolen, I need a new one", "when will it come?", "card-new-time"},
			{"Can I pay by credit card?", "or by invoice?", "pay-invoice"}, {"I want to close my account", "what about my data?", "account-data"},
		}},
		{"zh", map[string]string{
			"ship-home": "快递要几天到?", "ship-abroad": "寄到国外要几天?", "ship-cost": "运费多少钱?", "ship-abroad-cost": "寄到国外运费多少钱?",
			"return-how": "怎么退货?", "return-time": "几天之内可以退货?", "return-cost": "退货的运费谁出?", "card-lost": "银行卡丢了怎么办?", "card-new-cost": "补办银行卡要多少钱?",
			"card-new-time": "补办的银行卡什么时候能到?", "pay-card": "可以用信用卡付款吗?", "pay-invoice": "可以货到付款吗?",
		}, []talk{
			{"快递要几天到?", "那国外呢?", "ship-abroad"}, {"我想寄东西到国外", "多少钱?", "ship-abroad-cost"}, {"我想寄东西到国外", "要几天?", "ship-abroad"},
			{"我想退货", "运费谁出?", "return-cost"}, {"我想退货", "几天之内?", "return-time"}, {"我要补办银行卡", "多少钱?", "card-new-cost"},
			{"我要补办银行卡", "要几天?", "card-new-time"}, {"我的银行卡要补办", "什么时候能到?", "card-new-time"},
		}},
	} {
		t.Run(x.language, func(t *testing.T) {
			c := withModel(t, x.language)
			for id, text := range x.faq {
				upsert(t, c, question(id, text, "the answer "+id))
			}
			alone, inContext := 0, 0
			var missed []string
			best := func(r vecdb.AnswerRequest) string {
				sure := 0.0
				r.MinConfidence = &sure
				got, err := c.Answer(t.Context(), r)
				if err != nil {
					t.Fatal(err)
				}
				return got.Answer.ID
			}
			for _, k := range x.talks {
				if best(vecdb.AnswerRequest{Request: vecdb.Request{Text: k.then}}) == k.want {
					alone++
				}
				got := best(vecdb.AnswerRequest{Messages: []vecdb.Message{{Role: query.RoleUser, Content: k.first}, {Role: query.RoleUser, Content: k.then}}})
				if got == k.want {
					inContext++
				} else {
					missed = append(missed, fmt.Sprintf("%s %s: %s", k.first, k.then, got))
				}
			}
			t.Logf("of %d follow-ups %d are answered alone, %d with what was said before; missed: %q", len(x.talks), alone, inContext, missed)
			if inContext <= alone {
				t.Errorf("what was said before helps too little: %d of %d instead of %d", inContext, len(x.talks), alone)
			}
			// Another subject is not held back by what was said before.
			if got := best(vecdb.AnswerRequest{Messages: []vecdb.Message{{Role: query.RoleUser, Content: x.faq["ship-home"]}, {Role: query.RoleUser, Content: x.faq["card-lost"]}}}); got != "card-lost" {
				t.Errorf("a change of subject is answered by %s", got)
			}
		})
	}
}
