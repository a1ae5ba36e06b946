package core

import (
	"encoding/json"
	"strings"
	"time"
	"unicode/utf8"
)

// MaxQuestionBytes bounds the question of a Feedback.
const MaxQuestionBytes = 16 << 10

// Feedback tells whether a document's answer was right for a question. The
// document need not be there any more.
type Feedback struct {
	// Question is what was asked: valid UTF-8 of at most MaxQuestionBytes that is
	// not blank.
	Question string `json:"question"`
	// Answer is the id of the document that holds the answer.
	Answer string `json:"answer"`
	// Right tells whether it was the right one.
	Right bool `json:"right"`
	// Time is when that was said, in microseconds; the zero value is the time of
	// its arrival. Equal feedback of the same time is stored once.
	Time time.Time `json:"time,omitzero"`
}

const feedbackForm = `for instance {"question":"where is my card?","answer":"faq7","right":true}`

// Check returns an *InputError when the feedback cannot be stored.
func (f *Feedback) Check() error {
	switch {
	case strings.TrimSpace(f.Question) == "":
		return Invalid("/question", feedbackForm, "the question is missing")
	case len(f.Question) > MaxQuestionBytes:
		return Invalid("/question", "shorten it", "the question has %d bytes, %d are allowed", len(f.Question), MaxQuestionBytes)
	case !utf8.ValidString(f.Question):
		return Invalid("/question", "send UTF-8", "the question is not valid UTF-8")
	case f.Answer == "":
		return Invalid("/answer", feedbackForm, "the id of the answer is missing")
	case len(f.Answer) > MaxIDBytes:
		return Invalid("/answer", "shorten it", "the id has %d bytes, %d are allowed", len(f.Answer), MaxIDBytes)
	case !utf8.ValidString(f.Answer):
		return Invalid("/answer", "send UTF-8", "the id is not valid UTF-8")
	}
	return checkYear(f.Time)
}

// UnmarshalJSON reads feedback. The id may be a number; right is needed; the time
// is RFC 3339 or a number of seconds since 1970. Errors are *InputError.
func (f *Feedback) UnmarshalJSON(data []byte) error {
	dec := json.NewDecoder(strings.NewReader(string(data)))
	dec.UseNumber()
	var members map[string]any
	if err := dec.Decode(&members); err != nil || members == nil {
		return Invalid("", feedbackForm, "feedback is a JSON object")
	}
	*f = Feedback{}
	if _, said := members["right"].(bool); !said {
		return Invalid("/right", feedbackForm, `"right" must be true or false`)
	}
	for name, v := range members {
		if err := f.set(name, v); err != nil {
			return err
		}
	}
	return nil
}

func (f *Feedback) set(name string, v any) (err error) {
	switch name {
	case "question":
		text, ok := v.(string)
		if !ok {
			return Invalid("/question", feedbackForm, "the question must be a string")
		}
		f.Question = text
	case "answer":
		f.Answer, err = idText(name, v)
	case "right":
		f.Right = v == true
	case "time":
		f.Time, err = eventTime(v)
	default:
		return Invalid("/"+EscapePointer(name), "feedback has question, answer, right and time", "there is no member %q", name)
	}
	return err
}
