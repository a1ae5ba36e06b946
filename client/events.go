package client

import (
	"context"
	"net/http"
	"net/url"
	"strconv"

	"github.com/vecdb/vecdb/internal/core"
	"github.com/vecdb/vecdb/recommender"
)

// AddEvents is the body of POST …/events.
type AddEvents struct {
	Events []core.Event `json:"events"`
}

// EventsResult is the answer to POST …/events.
type EventsResult struct {
	Accepted     int `json:"accepted"`                // stored, or there already
	Duplicates   int `json:"duplicates,omitempty"`    // of them there already
	UnknownItems int `json:"unknown_items,omitempty"` // of them with an item that is no document
}

// DeleteEvents is the body of POST …/events/delete. One member is not empty.
type DeleteEvents struct {
	User string `json:"user,omitempty"`
	Item string `json:"item,omitempty"`
}

// Events is the answer to GET …/events, newest first.
type Events struct {
	Events []core.Event `json:"events"`
	Total  int          `json:"total"` // how many there are, beyond the limit too
}

// Behavior is the part of Stats about events.
type Behavior struct {
	Events int `json:"events"`
	Users  int `json:"users"`
	Items  int `json:"items"` // that events have named
	// Version grows with each training of the model, which is missing where
	// nothing was learnt; Why then tells why, when it was tried.
	Version int               `json:"version,omitempty"`
	Model   *recommender.Info `json:"model,omitempty"`
	Why     string            `json:"why,omitempty"`
	Pending bool              `json:"pending,omitempty"` // there are other events since
}

// TrainRecommender learns from the events now and returns when that is done.
func (c *Client) TrainRecommender(ctx context.Context, collection string) (out Behavior, err error) {
	_, err = c.call(ctx, http.MethodPost, path("v1", "collections", collection, "train"), TrainRequest{Kind: KindRecommender}, &out)
	return out, err
}

// AddEvents stores what users did. wait is durable, trained or "".
func (c *Client) AddEvents(ctx context.Context, collection string, events []core.Event, wait string) (out EventsResult, err error) {
	_, err = c.call(ctx, http.MethodPost, path("v1", "collections", collection, "events")+waitQuery(wait), AddEvents{events}, &out)
	return out, err
}

// DeleteEvents deletes events and returns how many there were.
func (c *Client) DeleteEvents(ctx context.Context, collection string, d DeleteEvents) (int, error) {
	var out DeleteResult
	_, err := c.call(ctx, http.MethodPost, path("v1", "collections", collection, "events", "delete"), d, &out)
	return out.Deleted, err
}

// Events lists the latest events of a user, of an item or of both; "" is any.
func (c *Client) Events(ctx context.Context, collection, user, item string, limit int) (out Events, err error) {
	q := url.Values{"limit": {strconv.Itoa(limit)}}
	if user != "" {
		q.Set("user", user)
	}
	if item != "" {
		q.Set("item", item)
	}
	_, err = c.call(ctx, http.MethodGet, path("v1", "collections", collection, "events")+"?"+q.Encode(), nil, &out)
	return out, err
}
