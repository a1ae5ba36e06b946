package server

import (
	"encoding/json"
	"net/http"

	"github.com/gin-gonic/gin"

	"github.com/vecdb/vecdb"
	"github.com/vecdb/vecdb/client"
	"github.com/vecdb/vecdb/internal/core"
	"github.com/vecdb/vecdb/query"
)

func (s *Server) answerQuestion(c *gin.Context) {
	answer(s, c, (*vecdb.Collection).Answer, func(r query.AnswerResponse) query.Took { return r.Took })
}

// addFeedback stores whether answers were right. One that is refused refuses the
// request.
func (s *Server) addFeedback(c *gin.Context) {
	col := s.collection(c)
	if col == nil {
		return
	}
	wait, err := vecdb.ParseWait(c.Query("wait"))
	if err != nil {
		s.fail(c, err)
		return
	}
	list, pointer, err := s.decodeFeedback(c)
	if err != nil {
		s.fail(c, err)
		return
	}
	r, err := col.AddFeedback(c.Request.Context(), list, wait)
	if err != nil {
		s.fail(c, core.At(pointer, err))
		return
	}
	reply(c, http.StatusOK, client.FeedbackResult{Accepted: r.Accepted, Duplicates: r.Duplicates, UnknownAnswers: r.UnknownAnswers})
}

// decodeFeedback reads a body with one feedback or a list of them, and the
// pointer of the list.
func (s *Server) decodeFeedback(c *gin.Context) ([]vecdb.Feedback, string, error) {
	data, err := s.readText(c, maxQueryBytes)
	if err != nil {
		return nil, "", err
	}
	var members map[string]json.RawMessage
	if json.Unmarshal(data, &members) == nil && members["feedback"] == nil && len(members) > 0 {
		var one vecdb.Feedback
		if err := unmarshal(data, &one); err != nil {
			return nil, "", err
		}
		// The caller checks a list, whose pointers begin with a place in it.
		return []vecdb.Feedback{one}, "", one.Check()
	}
	var body struct {
		Feedback []json.RawMessage `json:"feedback"`
	}
	if err := unmarshal(data, &body); err != nil {
		return nil, "", err
	}
	if len(body.Feedback) == 0 {
		return nil, "", core.Invalid("/feedback", `for instance {"question":"where is my card?","answer":"faq7","right":true}`, "there is no feedback")
	}
	list, err := decodeEach[vecdb.Feedback]("/feedback", body.Feedback)
	return list, "/feedback", err
}

// listFeedback returns the latest feedback, on an answer or on all.
func (s *Server) listFeedback(c *gin.Context) {
	col := s.collection(c)
	if col == nil {
		return
	}
	limit, err := queryLimit(c)
	if err != nil {
		s.fail(c, err)
		return
	}
	list, total, err := col.Feedback(c.Request.Context(), c.Query("answer"), limit)
	if err != nil {
		s.fail(c, err)
		return
	}
	if list == nil {
		list = []vecdb.Feedback{}
	}
	reply(c, http.StatusOK, client.FeedbackList{Feedback: list, Total: total})
}

// deleteFeedback deletes the feedback on an answer, or all of it.
func (s *Server) deleteFeedback(c *gin.Context) {
	col := s.collection(c)
	if col == nil {
		return
	}
	var req client.DeleteFeedback
	if err := s.decode(c, maxQueryBytes, &req); err != nil {
		s.fail(c, err)
		return
	}
	if (req.Answer == "") != req.All {
		s.fail(c, core.Invalid("/answer", `give {"answer":"faq7"} or {"all":true}`, "say whose feedback is to be deleted: that of an answer, or all"))
		return
	}
	n, err := col.DeleteFeedback(c.Request.Context(), req.Answer)
	if err != nil {
		s.fail(c, err)
		return
	}
	reply(c, http.StatusOK, client.DeleteResult{Deleted: n})
}

func describeAnswers(a vecdb.AnswerStats) *client.Answers {
	if a.Feedback == 0 && a.Calibration == nil {
		return nil
	}
	return &client.Answers{Feedback: a.Feedback, Calibration: a.Calibration}
}
