package query

import (
	"fmt"
	"math"
	"strings"
	"unicode/utf8"

	"github.com/vecdb/vecdb/internal/core"
)

// validate checks what all kinds of requests share and fills in defaults.
func (r *Request) validate(dim int) error {
	switch {
	case r.Limit < 0 || r.Limit > MaxLimit:
		return core.Invalid("/limit", "", "the limit must be from 1 to %d", MaxLimit)
	case r.Mode != "" && r.Mode != Dense:
		return core.Invalid("/mode", "use dense or leave it out", "there is no mode %.40q", r.Mode)
	case r.MinScore != nil && (math.IsNaN(float64(*r.MinScore)) || math.IsInf(float64(*r.MinScore), 0)):
		return core.Invalid("/min_score", "use a finite number", "the least score is %v", *r.MinScore)
	case r.Params.Ef < 0 || r.Params.Ef > 100_000:
		return core.Invalid("/params/ef", "", "ef must be from 0 to 100000")
	case len(r.Exclude) > MaxExamples:
		return core.Invalid("/exclude", "use a filter", "at most %d ids can be excluded", MaxExamples)
	case len(r.Like)+len(r.Dislike) > MaxExamples:
		return core.Invalid("/like", "give fewer", "at most %d examples can be given", MaxExamples)
	}
	if r.Limit == 0 {
		r.Limit = DefaultLimit
	}
	if r.Vector != nil {
		if err := core.CheckVector("/vector", r.Vector, dim); err != nil {
			return err
		}
	}
	for name, list := range map[string][]Example{"/like": r.Like, "/dislike": r.Dislike} {
		for i, e := range list {
			if err := e.validate(fmt.Sprintf("%s/%d", name, i), dim); err != nil {
				return err
			}
		}
	}
	return nil
}

func (e *Example) validate(at string, dim int) error {
	if given(e.ID != "", e.Text != "", e.Vector != nil) != 1 {
		return core.Invalid(at, `for instance "a1", {"text":"…"} or {"vector":[…]}`, "an example is exactly one of an id, a text and a vector")
	}
	if e.Vector != nil {
		return core.CheckVector(at+"/vector", e.Vector, dim)
	}
	if e.Text != "" {
		return checkText(at+"/text", e.Text)
	}
	return nil
}

// checkText refuses texts that mean nothing.
func checkText(at, text string) error {
	switch {
	case strings.TrimSpace(text) == "":
		return core.Invalid(at, "give a text", "the text is empty")
	case !utf8.ValidString(text):
		return core.Invalid(at, "convert it to UTF-8", "the text is not valid UTF-8")
	case len(text) > core.MaxTextBytes:
		return &core.InputError{Pointer: at, Cause: core.ErrTooLarge, Hint: "cut it",
			Detail: fmt.Sprintf("the text has %d bytes, %d are allowed", len(text), core.MaxTextBytes)}
	}
	return nil
}

// given counts what is there.
func given(what ...bool) int {
	n := 0
	for _, is := range what {
		if is {
			n++
		}
	}
	return n
}
