package query

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/vecdb/vecdb/answers"
	"github.com/vecdb/vecdb/internal/core"
)

const (
	// contextTurns is how many of the user's turns before a question it may refer
	// to, and maxContextBytes how much of them is read, from the end.
	contextTurns    = 2
	maxContextBytes = 2 << 10
)

// Answer finds the best answer to a question among the documents that hold one,
// with how sure it is, and the passages that a search finds where that is not
// sure enough. Documents whose answers read the same are variants of one
// question, and so is what feedback says was right. Errors are those of Search.
func (e *Engine) Answer(ctx context.Context, r AnswerRequest) (AnswerResponse, error) {
	if err := r.Validate(e.dim); err != nil {
		return AnswerResponse{}, err
	}
	start := time.Now()
	r = r.withDefaults()
	var took Took
	readings, err := e.readings(ctx, r, &took)
	if err != nil {
		return AnswerResponse{}, err
	}
	s, err := e.answerScope(ctx, r)
	if err != nil {
		return AnswerResponse{}, err
	}
	_, fitted := e.source.Answers(r.AnswerField)
	p, err := e.pool(ctx, r.AnswerField, readings, s, &took)
	if err != nil {
		return AnswerResponse{}, err
	}
	out := AnswerResponse{Calibrated: fitted.Examples, Alternatives: []AnswerHit{}, Passages: []Hit{}}
	list, inContext := p.ranked(fitted.Model, r)
	if len(list) > 0 && list[0].Confidence >= *r.MinConfidence {
		out.Answered, out.Answer, out.Context = true, &list[0], inContext
		list = list[1:]
	}
	out.Alternatives = append(out.Alternatives, list[:min(len(list), r.Limit)]...)
	if !out.Answered || r.Generate {
		if err := e.answerPassages(ctx, r, readings, &out, &took); err != nil {
			return AnswerResponse{}, err
		}
	}
	if s.allow.Len() == 0 {
		out.Warnings = append(out.Warnings, e.whyNoAnswers(r)...)
	}
	took.Total = milliseconds(time.Since(start))
	out.Took = took
	return out, nil
}

func (r AnswerRequest) withDefaults() AnswerRequest {
	if r.Limit == 0 {
		r.Limit = DefaultAnswers
	}
	if r.AnswerField == "" {
		r.AnswerField = DefaultAnswerField
	}
	if r.MinConfidence == nil {
		least := DefaultMinConfidence
		r.MinConfidence = &least
	}
	r.Request = r.Request.withDefaults()
	return r
}

// readings returns the question as it stands and, where something was said
// before, together with that.
func (e *Engine) readings(ctx context.Context, r AnswerRequest, took *Took) ([]reading, error) {
	if r.Vector != nil {
		return []reading{{vector: r.Vector}}, nil
	}
	question, before := r.turns()
	texts := []string{question}
	if before = before[max(0, len(before)-contextTurns):]; len(before) > 0 {
		said := strings.Join(before, "\n")
		if len(said) > maxContextBytes {
			said = strings.ToValidUTF8(said[len(said)-maxContextBytes:], "")
		}
		texts = append(texts, said+"\n"+question)
	}
	vectors, err := e.embed(ctx, "/text", texts, took)
	if err != nil {
		return nil, err
	}
	defer stopwatch(&took.Search)()
	out := make([]reading, len(texts))
	for i, text := range texts {
		out[i] = reading{text: text, vector: vectors[i], words: e.source.Words(text)}
	}
	return out, nil
}

// answerScope returns the documents that hold an answer or are variants of
// others, and satisfy the filter.
func (e *Engine) answerScope(ctx context.Context, r AnswerRequest) (scope, error) {
	allow, err := e.Answerable(ctx, r.AnswerField)
	if err != nil {
		return scope{}, err
	}
	matching, err := e.matching(ctx, r.Filter)
	if err != nil {
		return scope{}, core.At("/filter", err)
	}
	return e.newScope(ctx, intersect(allow, matching), r.Exclude)
}

// Answerable returns the documents that have something in the field of answers,
// or the id of a document that does. The caller owns the set.
func (e *Engine) Answerable(ctx context.Context, answerField string) (*core.Set, error) {
	allow, err := e.Labelled(ctx, answerField)
	if err != nil {
		return nil, err
	}
	variants, err := e.Labelled(ctx, AnswerIDField)
	if err != nil {
		return nil, err
	}
	allow.Or(variants)
	return allow, nil
}

// answerPassages adds what a search for the question finds, together with what was
// said before where there is something.
func (e *Engine) answerPassages(ctx context.Context, r AnswerRequest, readings []reading, out *AnswerResponse, took *Took) error {
	q := r.Request
	last := readings[len(readings)-1]
	q.Text = last.text
	q.Limit = r.Limit
	found, err := e.respond(ctx, q, func(context.Context, Request, *Took) (point, error) {
		p := point{vector: last.vector}
		if last.words != nil && last.words.Bound() > 0 {
			p.words = last.words
		}
		return p, nil
	})
	if err != nil {
		return fmt.Errorf("look for passages: %w", err)
	}
	took.Search += found.Took.Search
	took.Fetch += found.Took.Fetch
	took.Shape += found.Took.Shape
	took.Highlight += found.Took.Highlight
	out.Passages, out.Warnings = append(out.Passages, found.Hits...), found.Warnings
	return nil
}

// whyNoAnswers tells why nothing could be an answer.
func (e *Engine) whyNoAnswers(r AnswerRequest) []string {
	names := e.source.FieldNames()
	if slices.Contains(names, r.AnswerField) {
		return nil // the filter allows none, or they were deleted
	}
	text := fmt.Sprintf("no document has the field %.80q, which holds the answers", r.AnswerField)
	if name := closest(r.AnswerField, names); name != "" {
		text += fmt.Sprintf("; did you mean %.80q?", name)
	}
	return []string{text + `; add some, for instance {"text":"where is my card?","answer":"It is on its way."}`}
}

// AnswerExamples asks questions whose answer is known: stored ones, about limit
// of them, each left out of what it is answered from, and those of feedback. Of
// the first kind each comes a second time with its own answer left out too, as a
// question that has none.
func (e *Engine) AnswerExamples(ctx context.Context, answerField string, limit int) ([]answers.Example, error) {
	allow, err := e.Answerable(ctx, answerField)
	if err != nil {
		return nil, err
	}
	stored, err := e.storedExamples(ctx, answerField, allow, limit)
	if err != nil {
		return nil, err
	}
	told, err := e.toldExamples(ctx, answerField, allow, limit)
	return append(stored, told...), err
}

// noneWeight is what an example without an answer weighs: a question is thought
// to have none in one case out of five. Where no question has variants, such
// cases are all there is, and tell no more than where their scores lie.
const noneWeight = 0.25

func (e *Engine) storedExamples(ctx context.Context, field string, allow *core.Set, limit int) ([]answers.Example, error) {
	var ords []core.Ord
	step, i := max(1, (allow.Len()+limit-1)/limit), 0
	for ord := range allow.All() {
		if i%step == 0 {
			ords = append(ords, ord)
		}
		i++
	}
	docs, err := e.source.Documents(ctx, ords, true)
	if err != nil {
		return nil, fmt.Errorf("read stored questions: %w", err)
	}
	pools, rights := make([]*answerPool, len(docs)), make([]int, len(docs))
	err = parallel(ctx, len(docs), func(ctx context.Context, i int) error {
		doc := docs[i]
		if doc == nil {
			return nil
		}
		s := scope{allow: allow.Clone()}
		s.allow.Remove(ords[i])
		var took Took
		p, err := e.pool(ctx, field, []reading{{text: doc.Text, vector: doc.Vector, words: e.source.Words(doc.Text), stored: true}}, s, &took)
		if err != nil {
			return err
		}
		right, err := e.answerOf(ctx, field, doc)
		pools[i], rights[i] = p, p.numberOf(right)
		return err
	})
	if err != nil {
		return nil, err
	}
	var found, none []answers.Example
	for i, p := range pools {
		if p == nil {
			continue
		}
		if rights[i] >= 0 {
			found = append(found, answers.Example{Candidates: p.lists[0], Right: rights[i], Weight: 1})
		}
		if rest := without(p.lists[0], rights[i]); len(rest) > 0 {
			none = append(none, answers.Example{Candidates: rest, Right: answers.None})
		}
	}
	weight := noneWeight * float64(len(found)) / float64(max(len(none), 1))
	for i := range none {
		none[i].Weight = weight
	}
	return append(found, none...), nil
}

// without returns the candidates that do not lead to an answer.
func without(list []answers.Candidate, answer int) []answers.Candidate {
	var out []answers.Candidate
	for _, c := range list {
		if c.Answer == answer {
			continue
		}
		if answer >= 0 && c.Answer > answer {
			c.Answer--
		}
		out = append(out, c)
	}
	return out
}

// toldExamples asks the questions of feedback.
func (e *Engine) toldExamples(ctx context.Context, field string, allow *core.Set, limit int) ([]answers.Example, error) {
	memory, _ := e.source.Answers(field)
	entries := memory.Entries()
	step := max(1, (len(entries)+limit-1)/limit)
	var out []answers.Example
	for i := 0; i < len(entries); i += step {
		x := entries[i]
		docs, _, err := e.documentsOf(ctx, []string{x.Answer}, false)
		if err != nil {
			return nil, err
		}
		if docs[0] == nil {
			continue
		}
		about, err := e.answerOf(ctx, field, docs[0])
		if err != nil {
			return nil, err
		}
		q := reading{text: x.Question, vector: x.Vector, words: e.source.Words(x.Question), stored: true}
		var took Took
		p, err := e.pool(ctx, field, []reading{q}, scope{allow: allow.Clone()}, &took)
		if err != nil {
			return nil, err
		}
		example := answers.Example{Candidates: p.lists[0], Right: p.numberOf(about), Weight: 1}
		if example.Right < 0 {
			continue
		}
		if x.Votes < 0 {
			example.Right, example.Wrong = answers.Unknown, example.Right
		}
		out = append(out, example)
	}
	return out, nil
}
