// Package chat asks a chat model behind an OpenAI-compatible endpoint
// (POST {base}/chat/completions) to write a text. Which one is the user's
// choice; without one nothing leaves the machine.
package chat

import (
	"bytes"
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strings"
	"time"

	"github.com/vecdb/vecdb/internal/core"
	"github.com/vecdb/vecdb/query"
)

// DefaultTimeout bounds one call.
const DefaultTimeout = 30 * time.Second

// maxReplyBytes bounds what is read of a reply.
const maxReplyBytes = 4 << 20

// Options of New.
type Options struct {
	// URL is the base of the endpoint, for instance http://127.0.0.1:11434/v1.
	URL string
	// Model is the name of the model there.
	Model string
	// Key is sent as a bearer token; empty sends none. It is in no error and no
	// log.
	Key string
	// Timeout bounds one call with its reply; 0 is DefaultTimeout.
	Timeout time.Duration
	// Transport carries the requests; nil is a plain HTTP transport.
	Transport http.RoundTripper
}

// Client asks one model. It is safe for concurrent use.
type Client struct {
	endpoint string
	host     string
	model    string
	key      string
	http     *http.Client
}

// New returns a client. Errors are *core.InputError.
func New(o Options) (*Client, error) {
	u, err := url.Parse(o.URL)
	switch {
	case err != nil || u.Scheme != "http" && u.Scheme != "https" || u.Host == "":
		return nil, core.Invalid("", "for instance http://127.0.0.1:11434/v1", "%.200q is no address of a chat model", o.URL)
	case o.Model == "":
		return nil, core.Invalid("", "name one that the endpoint knows", "the chat model has no name")
	case o.Timeout < 0:
		return nil, core.Invalid("", "for instance 30s", "the time limit of the chat model is %s", o.Timeout)
	}
	if o.Timeout == 0 {
		o.Timeout = DefaultTimeout
	}
	return &Client{endpoint: u.JoinPath("chat", "completions").String(), host: u.Host, model: o.Model, key: o.Key,
		http: &http.Client{Transport: o.Transport, Timeout: o.Timeout, CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}}, nil
}

// Model returns the name of the model.
func (c *Client) Model() string { return c.model }

// completion is the part of OpenAI's reply that is read.
type completion struct {
	Choices []struct {
		Message struct {
			Content string `json:"content"`
		} `json:"message"`
	} `json:"choices"`
	Error *struct {
		Message string `json:"message"`
	} `json:"error"`
}

// Write returns what the model says next in a conversation.
func (c *Client) Write(ctx context.Context, messages []query.Message) (string, error) {
	body, err := json.Marshal(map[string]any{"model": c.model, "messages": messages, "temperature": 0, "stream": false})
	if err != nil {
		return "", err
	}
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, c.endpoint, bytes.NewReader(body))
	if err != nil {
		return "", err
	}
	req.Header.Set("Content-Type", "application/json")
	if c.key != "" {
		req.Header.Set("Authorization", "Bearer "+c.key)
	}
	resp, err := c.http.Do(req)
	if err != nil {
		return "", c.unreachable(ctx, err)
	}
	defer resp.Body.Close()
	raw, err := io.ReadAll(io.LimitReader(resp.Body, maxReplyBytes))
	if err != nil {
		return "", c.unreachable(ctx, err)
	}
	var reply completion
	broken := json.Unmarshal(raw, &reply)
	switch {
	case resp.StatusCode != http.StatusOK && broken == nil && reply.Error != nil:
		return "", fmt.Errorf("the chat model at %s answered %s: %.300s", c.host, resp.Status, reply.Error.Message)
	case resp.StatusCode != http.StatusOK:
		return "", fmt.Errorf("the chat model at %s answered %s", c.host, resp.Status)
	case broken != nil:
		return "", fmt.Errorf("the answer of the chat model at %s is not in OpenAI's form", c.host)
	case len(reply.Choices) == 0 || strings.TrimSpace(reply.Choices[0].Message.Content) == "":
		return "", fmt.Errorf("the chat model at %s wrote nothing", c.host)
	}
	return strings.TrimSpace(reply.Choices[0].Message.Content), nil
}

// unreachable puts an error of the network in words.
func (c *Client) unreachable(ctx context.Context, err error) error {
	if ctxErr := ctx.Err(); ctxErr != nil {
		return ctxErr
	}
	var timeout interface{ Timeout() bool }
	if errors.As(err, &timeout) && timeout.Timeout() {
		return fmt.Errorf("the chat model at %s did not answer within %s", c.host, c.http.Timeout)
	}
	return fmt.Errorf("the chat model at %s cannot be reached: %w", c.host, cmp.Or(errors.Unwrap(err), err))
}
