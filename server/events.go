package server

import (
	"encoding/json"
	"fmt"
	"net/http"
	"strconv"

	"github.com/gin-gonic/gin"

	"github.com/vecdb/vecdb"
	"github.com/vecdb/vecdb/client"
	"github.com/vecdb/vecdb/internal/core"
)

// maxEvents is how many events one request takes.
const maxEvents = 10_000

// addEvents stores what users did. One that is refused refuses the request.
func (s *Server) addEvents(c *gin.Context) {
	col := s.collection(c)
	if col == nil {
		return
	}
	wait, err := vecdb.ParseWait(c.Query("wait"))
	if err != nil {
		s.fail(c, err)
		return
	}
	events, err := s.decodeEvents(c)
	if err != nil {
		s.fail(c, err)
		return
	}
	r, err := col.AddEvents(c.Request.Context(), events, wait)
	if err != nil {
		s.fail(c, core.At("/events", err))
		return
	}
	reply(c, http.StatusOK, client.EventsResult{Accepted: r.Accepted, Duplicates: r.Duplicates, UnknownItems: r.UnknownItems})
}

// decodeEvents reads a body, so that an error names the event at fault.
func (s *Server) decodeEvents(c *gin.Context) ([]vecdb.Event, error) {
	var body struct {
		Events []json.RawMessage `json:"events"`
	}
	if err := s.decode(c, maxDocumentBytes, &body); err != nil {
		return nil, err
	}
	if body.Events == nil {
		return nil, core.Invalid("/events", `for instance {"events":[{"user":"u1","item":"a1","action":"like"}]}`, "there are no events")
	}
	if len(body.Events) > maxEvents {
		return nil, &core.InputError{Pointer: "/events", Cause: core.ErrTooLarge, Hint: "send several requests",
			Detail: fmt.Sprintf("the body has %d events, %d are allowed", len(body.Events), maxEvents)}
	}
	return decodeEach[vecdb.Event]("/events", body.Events)
}

// decodeEach decodes the elements of a list at pointer, so that an error names
// the one at fault.
func decodeEach[T any](pointer string, list []json.RawMessage) ([]T, error) {
	out := make([]T, len(list))
	for i, raw := range list {
		if err := json.Unmarshal(raw, &out[i]); err != nil {
			return nil, core.At(pointer+"/"+strconv.Itoa(i), jsonError(err))
		}
	}
	return out, nil
}

// listEvents returns the latest events of a user or of an item.
func (s *Server) listEvents(c *gin.Context) {
	col := s.collection(c)
	if col == nil {
		return
	}
	limit, err := queryLimit(c)
	if err != nil {
		s.fail(c, err)
		return
	}
	events, total, err := col.Events(c.Request.Context(), vecdb.EventFilter{User: c.Query("user"), Item: c.Query("item")}, limit)
	if err != nil {
		s.fail(c, err)
		return
	}
	if events == nil {
		events = []vecdb.Event{}
	}
	reply(c, http.StatusOK, client.Events{Events: events, Total: total})
}

// deleteEvents deletes what a user did, or what was done with an item.
func (s *Server) deleteEvents(c *gin.Context) {
	col := s.collection(c)
	if col == nil {
		return
	}
	var req client.DeleteEvents
	if err := s.decode(c, maxQueryBytes, &req); err != nil {
		s.fail(c, err)
		return
	}
	n, err := col.DeleteEvents(c.Request.Context(), vecdb.EventFilter{User: req.User, Item: req.Item})
	if err != nil {
		s.fail(c, err)
		return
	}
	reply(c, http.StatusOK, client.DeleteResult{Deleted: n})
}

func describeBehavior(b vecdb.BehaviorStats) *client.Behavior {
	if b == (vecdb.BehaviorStats{}) {
		return nil
	}
	return &client.Behavior{Events: b.Events, Users: b.Users, Items: b.Items, Version: b.Version, Model: b.Model, Why: b.Why, Pending: b.Pending}
}
