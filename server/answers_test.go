package server_test

import (
	"net/http"
	"strings"
	"testing"

	"github.com/vecdb/vecdb/client"
	"github.com/vecdb/vecdb/query"
	"github.com/vecdb/vecdb/server"
)

const faq = `[
	{"id":"reset","text":"how do I reset my card?","answer":"Open the app and press reset."},
	{"id":"reset2","text":"my card must be reset","answer_id":"reset"},
	{"id":"order","text":"where is my order?","answer":"Order {{order_id}} is on its way."},
	{"id":7,"text":"I want my money back","answer":"Send it back."}]`

func TestQuestionsAreAnsweredAndFeedbackIsHeeded(t *testing.T) {
	r := newRig(t, server.Options{})
	const c = "/v1/collections/faq"
	r.want(201, "PUT", c, "")
	empty := read[query.AnswerResponse](t, r.want(200, "POST", c+"/answer", `{"text":"hello"}`))
	if empty.Answered || len(empty.Warnings) != 1 || !strings.Contains(empty.Warnings[0], `"answer"`) {
		t.Errorf("nothing stored: %+v", empty)
	}
	r.want(200, "POST", c+"/documents?wait=indexed", faq)
	got := r.want(200, "POST", c+"/answer", `{"text":"where is my order?","limit":1,"fields":{"order_id":1042}}`)
	found := read[query.AnswerResponse](t, got)
	if !found.Answered || found.Answer.ID != "order" || found.Answer.Answer != "Order 1042 is on its way." || found.Answer.Question != "where is my order?" ||
		found.Answer.Confidence <= 0.5 || found.Answer.Confidence > 1 || len(found.Alternatives) != 1 || !strings.Contains(string(got.body), `"passages":[]`) {
		t.Errorf("answer: %s", got.body)
	}
	if found = read[query.AnswerResponse](t, r.want(200, "POST", c+"/answer", `{"messages":[{"role":"user","content":"where is my order?"}]}`)); found.Answer == nil || strings.Join(found.Answer.Missing, "") != "order_id" {
		t.Errorf("a missing value: %+v", found.Answer)
	}
	const odd = `{"text":"plastic thing zzz"}`
	if got := r.want(200, "POST", c+"/answer", odd); !strings.Contains(string(got.body), `"answered":false,"answer":null`) {
		t.Errorf("no answer: %s", got.body)
	}
	one := read[client.FeedbackResult](t, r.want(200, "POST", c+"/answer/feedback", `{"question":"plastic thing zzz","answer":7,"right":true,"time":"2026-01-02T03:04:05Z"}`))
	if one.Accepted != 1 || one.Duplicates != 0 || one.UnknownAnswers != 0 {
		t.Errorf("one feedback: %+v", one)
	}
	many := read[client.FeedbackResult](t, r.want(200, "POST", c+"/answer/feedback?wait=trained",
		`{"feedback":[{"question":"plastic thing zzz","answer":"7","right":true,"time":"2026-01-02T03:04:05Z"},{"question":"who?","answer":"nobody","right":false}]}`))
	if many.Accepted != 2 || many.Duplicates != 1 || many.UnknownAnswers != 1 {
		t.Errorf("two feedbacks: %+v", many)
	}
	if found = read[query.AnswerResponse](t, r.want(200, "POST", c+"/answer", odd)); !found.Answered || found.Answer.ID != "7" || !found.Answer.Feedback {
		t.Errorf("after feedback: %+v", found)
	}
	if st := read[client.Stats](t, r.want(200, "GET", c+"/stats", "")); st.Answers == nil || st.Answers.Feedback != 2 || st.Answers.Calibration == nil {
		t.Errorf("stats: %+v", st.Answers)
	}
	if list := read[client.FeedbackList](t, r.want(200, "GET", c+"/answer/feedback?answer=7&limit=5", "")); list.Total != 1 || list.Feedback[0].Question != "plastic thing zzz" || !list.Feedback[0].Right {
		t.Errorf("listed: %+v", list)
	}
	if d := read[client.DeleteResult](t, r.want(200, "POST", c+"/answer/feedback/delete", `{"all":true}`)); d.Deleted != 2 {
		t.Errorf("deleted: %+v", d)
	}
	p := read[client.Problem](t, r.want(http.StatusBadRequest, "POST", c+"/answer/feedback", `{"feedback":[{"question":"q","answer":"a","right":true},{"question":"","answer":"a","right":true}]}`))
	if p.Errors[0].Pointer != "/feedback/1/question" {
		t.Errorf("problem %+v", p)
	}
	r.want(http.StatusRequestEntityTooLarge, "POST", c+"/answer", `{"text":"`+strings.Repeat("a", 10<<20)+`"}`)
}
