package main

import (
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/vecdb/vecdb/client"
	"github.com/vecdb/vecdb/query"
)

const faqCSV = "id,question,answer\n" +
	"reset,how do I reset my card?,Open the app.\n" +
	"order,where is my order?,Order {{order_id}} is on its way.\n" +
	"refund,I want my money back,Send it back.\n"

func TestAnswerAndFeedback(t *testing.T) {
	b := newRig(t)
	b.ok("add", "-q", b.file("faq.csv", faqCSV))
	got := decode[query.AnswerResponse](t, b.ok("answer", "--json", "--set", "order_id=7", "where", "is", "my", "order?"))
	if !got.Answered || got.Answer.ID != "order" || got.Answer.Answer != "Order 7 is on its way." {
		t.Errorf("got %+v", got)
	}
	_, out, errs := b.run(t.Context(), "answer", "where is my order?", "--db", b.dir)
	if !strings.Contains(out, "Order {{order_id}}") || !strings.Contains(errs, "no value for order_id") {
		t.Errorf("a missing value: %s%s", out, errs)
	}
	const odd = "plastic thing zzz"
	if out := b.ok("answer", odd); !strings.Contains(out, "no answer is sure enough") || !strings.Contains(out, "passages") {
		t.Errorf("no answer: %s", out)
	}
	if out := b.ok("feedback", "add", "refund", odd); !strings.Contains(out, "refund is right") {
		t.Errorf("feedback: %s", out)
	}
	if got = decode[query.AnswerResponse](t, b.ok("answer", "--json", odd)); got.Answer == nil || got.Answer.ID != "refund" {
		t.Errorf("after feedback: %+v", got)
	}
	b.ok("feedback", "add", "refund", odd, "--wrong")
	list := decode[client.FeedbackList](t, b.ok("feedback", "list", "--json"))
	if list.Total != 2 || len(list.Feedback) != 2 || list.Feedback[0].Right {
		t.Errorf("listed %+v", list)
	}
	if out := b.ok("stats"); !strings.Contains(out, "feedback on 1 question") {
		t.Errorf("stats: %s", out)
	}
	b.ok("feedback", "delete", "refund", "--yes")
	b.want(exitNotFound, "feedback", "delete", "refund", "--yes")
	b.want(exitNotFound, "feedback", "add", "nobody", "q")
	b.want(exitUsage, "feedback", "add", "refund")
	b.want(exitUsage, "feedback", "delete", "--yes")
	b.want(exitUsage, "answer")
	b.want(exitUsage, "answer", "a", "--set", "order")
	b.want(exitUsage, "answer", "a", "--min-confidence", "2")
	b.want(exitUsage, "answer", "a", "--generate")
	b.want(exitUsage, "answer", "a", "--chat-url", "nowhere", "--chat-model", "m")
}

func TestAnswerIsWrittenByAChatModel(t *testing.T) {
	b := newRig(t)
	b.ok("add", "-q", b.file("faq.csv", faqCSV))
	status, auth, asked := http.StatusOK, "", ""
	web := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		auth, asked = r.Header.Get("Authorization"), string(body)
		w.WriteHeader(status)
		_, _ = io.WriteString(w, `{"choices":[{"message":{"content":"Press reset in the app."}}],"error":{"message":"too busy"}}`)
	}))
	defer func() {
		http.DefaultTransport.(*http.Transport).CloseIdleConnections()
		web.Close()
	}()
	b.env["VECDB_CHAT_URL"], b.env["VECDB_CHAT_MODEL"], b.env["VECDB_CHAT_KEY"] = web.URL+"/v1", "small", "secret"
	if out := b.ok("answer", "how do I reset my card?", "--generate"); !strings.Contains(out, "Press reset in the app.") || !strings.Contains(out, "written by small") {
		t.Errorf("got %s", out)
	}
	if auth != "Bearer secret" || !strings.Contains(asked, "Open the app.") || !strings.Contains(asked, `"model":"small"`) {
		t.Errorf("asked %s with %q", asked, auth)
	}
	asked = ""
	b.ok("answer", "how do I reset my card?")
	if asked != "" {
		t.Error("the chat model was asked unbidden")
	}
	status = http.StatusTooManyRequests
	_, out, errs := b.run(t.Context(), "answer", "how do I reset my card?", "--generate", "--db", b.dir)
	if !strings.Contains(out, "Open the app.") || !strings.Contains(errs, "too busy") {
		t.Errorf("when it fails: %s%s", out, errs)
	}
}
