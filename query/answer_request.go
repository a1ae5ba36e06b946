package query

import (
	"encoding/json"
	"maps"
	"slices"
	"strconv"
	"strings"
	"unicode/utf8"

	"github.com/vecdb/vecdb/internal/core"
)

// Limits and defaults of an AnswerRequest.
const (
	DefaultAnswers       = 3
	MaxAnswers           = 100
	DefaultMinConfidence = 0.5
	DefaultAnswerField   = "answer"
	// AnswerIDField is the field of a question that is a variant of another one:
	// the id of the document that holds the answer.
	AnswerIDField = "answer_id"

	MaxMessages = 1_000
	MaxValues   = 1_000
)

// The roles of a Message.
const (
	RoleUser      = "user"
	RoleAssistant = "assistant"
	RoleSystem    = "system"
)

// Message is one turn of a conversation.
type Message struct {
	Role    string `json:"role"` // RoleUser, RoleAssistant or RoleSystem
	Content string `json:"content"`
}

// AnswerRequest is a Request plus what answering needs. What is asked is a Text
// or a Vector, or the last message of a user. Filter and Exclude restrict the
// answers and the passages; Fields, WithVector, Highlight and Explain shape the
// passages.
type AnswerRequest struct {
	Request
	// Messages are the turns of a conversation, the latest last. Without a Text
	// its last message of a user is the question, and those before it are what it
	// may refer to; messages of others are for generation alone.
	Messages []Message `json:"messages,omitempty"`
	// Values go before the fields of the document in the placeholders of the
	// answer; those of objects are reached by dotted names. In JSON an object
	// under "fields" is the same.
	Values map[string]any `json:"values,omitempty"`
	// MinConfidence is what the best answer needs, from 0 to 1; nil is
	// DefaultMinConfidence.
	MinConfidence *float64 `json:"min_confidence,omitempty"`
	// AnswerField is the field that holds the templates of answers, "" is
	// DefaultAnswerField.
	AnswerField string `json:"answer_field,omitempty"`
	// Generate asks for a text written by the chat model that the server or the
	// database was given; without one it is refused.
	Generate bool `json:"generate,omitempty"`
}

// AnswerHit is an answer with how sure it is.
type AnswerHit struct {
	// ID is that of the document that holds the answer; feedback names it.
	ID string `json:"id"`
	// Question is the variant nearest to what was asked, Feedback whether it came
	// with feedback and is no document.
	Question string `json:"question,omitempty"`
	Feedback bool   `json:"feedback,omitempty"`
	// Answer is the template with its placeholders filled in. Those in Missing had
	// no value and stand there as they were.
	Answer  string   `json:"answer"`
	Missing []string `json:"missing,omitempty"`
	// Confidence is the calibrated probability that this is the right answer.
	Confidence float64 `json:"confidence"`
	// Score is what the confidence comes from: cosine and share of the words, as
	// far as they count in this collection, and what feedback adds.
	Score float64 `json:"score"`
}

// Generated is what a chat model wrote.
type Generated struct {
	Text  string `json:"text,omitempty"`
	Model string `json:"model,omitempty"`
	// Error tells why there is no text; everything else of the response is there
	// all the same.
	Error string `json:"error,omitempty"`
}

// AnswerResponse is the answer to an AnswerRequest.
type AnswerResponse struct {
	// Answered is whether an answer is sure enough; Answer is nil otherwise.
	Answered bool       `json:"answered"`
	Answer   *AnswerHit `json:"answer"`
	// Alternatives are the next best answers, best first.
	Alternatives []AnswerHit `json:"alternatives"`
	// Passages are what a search finds, where there is no answer or a text was to
	// be generated.
	Passages []Hit `json:"passages"`
	// Context is whether earlier turns of the conversation helped.
	Context bool `json:"context,omitempty"`
	// Calibrated is how many questions of the collection the confidence was
	// calibrated on; 0 is a default that suits the models that come with vecdb.
	Calibrated int        `json:"calibrated"`
	Generated  *Generated `json:"generated,omitempty"`
	Warnings   []string   `json:"warnings,omitempty"`
	Took       Took       `json:"took_ms"`
}

// UnmarshalJSON reads a request as strictly as that of a Request.
func (r *AnswerRequest) UnmarshalJSON(data []byte) error {
	members := r.members()
	maps.Copy(members, map[string]any{
		"messages": &r.Messages, "values": (*values)(&r.Values), "min_confidence": &r.MinConfidence,
		"answer_field": &r.AnswerField, "generate": &r.Generate,
		"fields": &namesOrValues{&r.Fields, &r.Values},
	})
	return decodeObject(data, members)
}

// UnmarshalJSON reads the members "role" and "content" and refuses others.
func (m *Message) UnmarshalJSON(data []byte) error {
	return decodeObject(data, map[string]any{"role": &m.Role, "content": &m.Content})
}

// values are named values of any kind.
type values map[string]any

func (v *values) UnmarshalJSON(data []byte) error {
	if kindOf(data) != "an object" {
		return core.Invalid("", `for instance {"order_id":"1042"}`, "need an object, got %s", kindOf(data))
	}
	plain, err := core.PlainJSON(data)
	if err != nil {
		return core.Invalid("", `for instance {"order_id":"1042"}`, "the values cannot be read: %v", err)
	}
	if *v == nil {
		*v = make(values)
	}
	maps.Copy(*v, plain.(map[string]any))
	return nil
}

// namesOrValues takes an array as the names of fields, and an object as values.
type namesOrValues struct {
	names  *[]string
	values *map[string]any
}

func (t *namesOrValues) UnmarshalJSON(data []byte) error {
	if kindOf(data) == "an object" {
		return (*values)(t.values).UnmarshalJSON(data)
	}
	return decodeMember(json.RawMessage(data), t.names)
}

// Validate checks the request. Errors are *core.InputError.
func (r *AnswerRequest) Validate(dim int) error {
	if err := r.checkMessages(); err != nil {
		return err
	}
	q := r.question()
	for _, s := range q.subjects() {
		if s.given && s.group != "text" && s.group != "vector" {
			return core.Invalid(s.pointer, `give a "text", "messages" or a "vector"`, "a question is none of the stored documents or examples")
		}
	}
	if err := q.Validate(dim); err != nil {
		return err
	}
	switch {
	case r.GroupBy != "" || r.Cursor != "" || r.Facets != nil:
		return core.Invalid(pick(r.GroupBy != "", "/group_by", pick(r.Cursor != "", "/cursor", "/facets")), "use search", "an answer has no groups, pages or facets")
	case r.Generate && r.Vector != nil:
		return core.Invalid("/vector", `give a "text" or "messages"`, "a chat model cannot read a vector")
	case r.Mode != "":
		return core.Invalid("/mode", "leave it out", "how much words count beside vectors is learnt from the collection")
	case r.Limit > MaxAnswers:
		return core.Invalid("/limit", "leave it out for "+strconv.Itoa(DefaultAnswers), "the limit is %d, 1 to %d are allowed", r.Limit, MaxAnswers)
	case r.MinConfidence != nil && !(*r.MinConfidence >= 0 && *r.MinConfidence <= 1):
		return core.Invalid("/min_confidence", "use a number from 0 to 1", "the least confidence is %v", *r.MinConfidence)
	case core.Reserved(r.AnswerField) && r.AnswerField != "":
		return core.Invalid("/answer_field", "name the field that holds the answers", "the %s of a document is no answer", r.AnswerField)
	case !utf8.ValidString(r.AnswerField):
		return core.Invalid("/answer_field", "send UTF-8", "the name of the field is not valid UTF-8")
	case len(r.Values) > MaxValues:
		return core.Invalid("/values", "leave out what no answer needs", "there are %d values, at most %d are allowed", len(r.Values), MaxValues)
	}
	return nil
}

func (r *AnswerRequest) checkMessages() error {
	if len(r.Messages) > MaxMessages {
		return core.Invalid("/messages", "send the latest ones", "there are %d messages, at most %d are allowed", len(r.Messages), MaxMessages)
	}
	for i, m := range r.Messages {
		pointer := "/messages/" + strconv.Itoa(i)
		if !slices.Contains([]string{RoleUser, RoleAssistant, RoleSystem}, m.Role) {
			return core.Invalid(pointer+"/role", "use user, assistant or system", "unknown role %.40q", m.Role)
		}
		if m.Role == RoleUser || m.Content != "" {
			if err := checkText(pointer+"/content", m.Content); err != nil {
				return err
			}
		}
	}
	if len(r.Messages) > 0 && !r.pointed() && !slices.ContainsFunc(r.Messages, func(m Message) bool { return m.Role == RoleUser }) {
		return core.Invalid("/messages", `give a "text" or a message of the role user`, "nobody asks anything")
	}
	return nil
}

// question returns the request about the question alone.
func (r *AnswerRequest) question() Request {
	q := r.Request
	if !q.pointed() {
		q.Text, _ = r.turns()
	}
	return q
}

// turns returns the question and what the user said before it, the latest last.
func (r *AnswerRequest) turns() (question string, before []string) {
	for _, m := range r.Messages {
		if m.Role == RoleUser {
			before = append(before, m.Content)
		}
	}
	if r.pointed() {
		// The question may be the last message too.
		if n := len(before); n > 0 && strings.TrimSpace(before[n-1]) == strings.TrimSpace(r.Text) {
			before = before[:n-1]
		}
		return r.Text, before
	}
	if len(before) == 0 {
		return "", nil
	}
	return before[len(before)-1], before[:len(before)-1]
}
