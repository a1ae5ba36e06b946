package client

import (
	"context"
	"net/http"
	"net/url"
	"strconv"

	"github.com/vecdb/vecdb/answers"
	"github.com/vecdb/vecdb/internal/core"
	"github.com/vecdb/vecdb/query"
)

// AddFeedback is the body of POST …/answer/feedback.
type AddFeedback struct {
	Feedback []core.Feedback `json:"feedback"`
}

// FeedbackResult is the answer to POST …/answer/feedback.
type FeedbackResult struct {
	Accepted       int `json:"accepted"`                  // stored, or there already
	Duplicates     int `json:"duplicates,omitempty"`      // of them there already
	UnknownAnswers int `json:"unknown_answers,omitempty"` // of them about an answer that is no document
}

// DeleteFeedback is the body of POST …/answer/feedback/delete: either member.
type DeleteFeedback struct {
	Answer string `json:"answer,omitempty"` // id of the document whose feedback is deleted
	All    bool   `json:"all,omitempty"`
}

// FeedbackList is the answer to GET …/answer/feedback, newest first.
type FeedbackList struct {
	Feedback []core.Feedback `json:"feedback"`
	Total    int             `json:"total"` // how much there is, beyond the limit too
}

// Answers is the part of Stats about answers.
type Answers struct {
	Feedback int `json:"feedback"` // pairs of a question and an answer that users have judged
	// Calibration tells how confidence was calibrated on the collection's own
	// questions; missing where it was not.
	Calibration *answers.Fitted `json:"calibration,omitempty"`
}

// Answer answers a question from a collection.
func (c *Client) Answer(ctx context.Context, collection string, r query.AnswerRequest) (out query.AnswerResponse, err error) {
	_, err = c.call(ctx, http.MethodPost, path("v1", "collections", collection, "answer"), r, &out)
	return out, err
}

// AddFeedback stores whether answers were right. wait is durable, trained or "".
func (c *Client) AddFeedback(ctx context.Context, collection string, list []core.Feedback, wait string) (out FeedbackResult, err error) {
	_, err = c.call(ctx, http.MethodPost, path("v1", "collections", collection, "answer", "feedback")+waitQuery(wait), AddFeedback{list}, &out)
	return out, err
}

// Feedback lists the latest feedback on an answer, on all with "".
func (c *Client) Feedback(ctx context.Context, collection, answer string, limit int) (out FeedbackList, err error) {
	q := url.Values{"limit": {strconv.Itoa(limit)}}
	if answer != "" {
		q.Set("answer", answer)
	}
	_, err = c.call(ctx, http.MethodGet, path("v1", "collections", collection, "answer", "feedback")+"?"+q.Encode(), nil, &out)
	return out, err
}

// DeleteFeedback deletes feedback and returns how much there was.
func (c *Client) DeleteFeedback(ctx context.Context, collection string, d DeleteFeedback) (int, error) {
	var out DeleteResult
	_, err := c.call(ctx, http.MethodPost, path("v1", "collections", collection, "answer", "feedback", "delete"), d, &out)
	return out.Deleted, err
}
