package query

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"strings"

	"github.com/vecdb/vecdb/answers"
	"github.com/vecdb/vecdb/internal/core"
)

// answerBreadth is how many candidates vectors, words and feedback bring each.
const answerBreadth = 30

// reading is a way to take a question.
type reading struct {
	text   string
	vector []float32
	words  Words // nil without a text
	stored bool  // it is a stored one itself, whose feedback does not count
}

// answerPool holds the answers that may be right, and what leads to them.
type answerPool struct {
	answers []poolAnswer
	number  map[string]int // of an answer, by its key
	// lists holds the candidates, a list a reading, all in the same order; texts
	// and vectors are theirs.
	lists   [][]answers.Candidate
	texts   []poolText
	vectors [][]float32
}

// poolAnswer is an answer: that of doc, filled in with values of doc alone.
type poolAnswer struct {
	doc      *core.Document
	template answers.Template
	key      string
}

// poolText is the text of a candidate.
type poolText struct {
	text   string
	told   bool // by feedback
	fields map[string]any
}

// pool gathers the candidates of some readings of one question within s.
func (e *Engine) pool(ctx context.Context, field string, readings []reading, s scope, took *Took) (*answerPool, error) {
	p := &answerPool{number: make(map[string]int), lists: make([][]answers.Candidate, len(readings))}
	ords, err := e.answerOrds(ctx, readings, s, took)
	if err != nil {
		return nil, err
	}
	defer stopwatch(&took.Fetch)()
	docs, err := e.source.Documents(ctx, ords, true)
	if err != nil {
		return nil, fmt.Errorf("read the questions found: %w", err)
	}
	holders, err := e.answerHolders(ctx, field, docs)
	if err != nil {
		return nil, err
	}
	for i, doc := range docs {
		if holders[i] == nil || s.leavesOut(doc.ID) {
			continue
		}
		at := p.add(poolAnswerOf(field, holders[i]))
		p.texts = append(p.texts, poolText{text: doc.Text, fields: doc.Fields})
		p.vectors = append(p.vectors, doc.Vector)
		for k, q := range readings {
			p.lists[k] = append(p.lists[k], q.candidate(at, doc.Text, float64(cosine(q.vector, doc.Vector))))
		}
	}
	if err := e.addTold(ctx, p, field, readings, s); err != nil {
		return nil, err
	}
	p.addMeans(readings)
	return p, nil
}

// addMeans lets the mean of an answer's candidates count as one more variant: where
// a reading is more like that than like any of them, the nearest one gets its
// cosine. So several variants around a question say more than one beside it, and no
// answer scores less than by its nearest variant alone.
func (p *answerPool) addMeans(readings []reading) {
	for k, q := range readings {
		list := p.lists[k]
		of := make([][]int, len(p.answers)) // the candidates of each answer
		for i, c := range list {
			of[c.Answer] = append(of[c.Answer], i)
		}
		for _, variants := range of {
			if len(variants) < 2 {
				continue
			}
			sum, best := make([]float64, len(q.vector)), variants[0]
			for _, i := range variants {
				if len(p.vectors[i]) == len(sum) {
					addUnit(sum, p.vectors[i], 1)
				}
				if list[i].Dense > list[best].Dense {
					best = i
				}
			}
			list[best].Dense = max(list[best].Dense, float64(cosine(q.vector, sum)))
		}
	}
}

// answerOrds finds the stored questions nearest to the readings, by vectors and
// by words.
func (e *Engine) answerOrds(ctx context.Context, readings []reading, s scope, took *Took) ([]core.Ord, error) {
	defer stopwatch(&took.Search)()
	union := core.NewSet()
	for _, q := range readings {
		near, err := e.nearest(ctx, q.vector, s, answerBreadth, Request{})
		if err != nil {
			return nil, err
		}
		if q.words != nil {
			found, _, err := e.wording(ctx, q.words, s, answerBreadth, nil)
			if err != nil {
				return nil, err
			}
			near = append(near[:min(len(near), answerBreadth)], found[:min(len(found), answerBreadth)]...)
		}
		for _, n := range near {
			union.Add(n.Ord)
		}
	}
	return slices.Collect(union.All()), nil
}

// candidate scores a text that leads to an answer.
func (q reading) candidate(answer int, text string, dense float64) answers.Candidate {
	c := answers.Candidate{Answer: answer, Dense: dense}
	if q.words != nil && q.words.Bound() > 0 {
		c.Words = min(1, q.words.Weight(beginning(text))/q.words.Bound())
	}
	return c
}

// maxQuestionBytes is how much of a long text counts as a question's words.
const maxQuestionBytes = 1 << 10

func beginning(text string) string {
	if len(text) <= maxQuestionBytes {
		return text
	}
	return strings.ToValidUTF8(text[:maxQuestionBytes], "")
}

// addTold adds what feedback says of answers within s.
func (e *Engine) addTold(ctx context.Context, p *answerPool, field string, readings []reading, s scope) error {
	memory, _ := e.source.Answers(field)
	if memory.Len() == 0 {
		return nil
	}
	for k, q := range readings {
		except := ""
		if q.stored {
			except = q.text
		}
		near := memory.Nearest(q.vector, answerBreadth, except)
		ids := make([]string, len(near))
		for i, n := range near {
			ids[i] = n.Answer
		}
		docs, ords, err := e.documentsOf(ctx, ids, false)
		if err != nil {
			return fmt.Errorf("read the answers that feedback is about: %w", err)
		}
		holders, err := e.answerHolders(ctx, field, docs)
		if err != nil {
			return err
		}
		for _, wrong := range []bool{false, true} { // what was wrong speaks against all that leads there
			for i, n := range near {
				if holders[i] != nil && (n.Votes < 0) == wrong && s.allow.Contains(ords[i]) && !s.leavesOut(docs[i].ID) {
					p.tell(k, readings, n, poolAnswerOf(field, holders[i]))
				}
			}
		}
	}
	return nil
}

// tell counts an entry of feedback about an answer, near to the reading k.
func (p *answerPool) tell(k int, readings []reading, n answers.Near, about poolAnswer) {
	if n.Votes < 0 {
		if at, there := p.number[about.key]; there {
			for i := range p.lists[k] {
				if p.lists[k][i].Answer == at {
					p.lists[k][i].Adds = min(p.lists[k][i].Adds, n.Adds())
				}
			}
		}
		return
	}
	at := p.add(about)
	p.texts = append(p.texts, poolText{text: n.Question, told: true})
	p.vectors = append(p.vectors, n.Vector)
	for other, q := range readings {
		c := q.candidate(at, n.Question, float64(cosine(q.vector, n.Vector)))
		c.Adds = n.Adds()
		p.lists[other] = append(p.lists[other], c)
	}
}

// add returns the number of an answer, a new one where it has none.
func (p *answerPool) add(a poolAnswer) int {
	at, there := p.number[a.key]
	if !there {
		at = len(p.answers)
		p.number[a.key] = at
		p.answers = append(p.answers, a)
	}
	return at
}

// numberOf returns the number of an answer, -1 where it is not in the pool.
func (p *answerPool) numberOf(a poolAnswer) int {
	if at, there := p.number[a.key]; there {
		return at
	}
	return -1
}

// answerHolders returns for each document the one that holds its answer, nil
// where there is none: itself, or the one that it names.
func (e *Engine) answerHolders(ctx context.Context, field string, docs []*core.Document) ([]*core.Document, error) {
	out := make([]*core.Document, len(docs))
	var ids []string
	var at []int
	for i, doc := range docs {
		if doc == nil {
			continue
		}
		if id := labelText(doc.Fields[AnswerIDField]); id != "" && id != doc.ID {
			ids, at = append(ids, id), append(at, i)
		}
		if templateOf(field, doc) != "" {
			out[i] = doc
		}
	}
	if len(ids) == 0 {
		return out, nil
	}
	named, _, err := e.documentsOf(ctx, ids, false)
	if err != nil {
		return nil, fmt.Errorf("read the answers of variants: %w", err)
	}
	for k, doc := range named {
		if doc != nil && templateOf(field, doc) != "" {
			out[at[k]] = doc
		}
	}
	return out, nil
}

// answerOf returns the answer that a document leads to; its key is "" where there
// is none.
func (e *Engine) answerOf(ctx context.Context, field string, doc *core.Document) (poolAnswer, error) {
	holders, err := e.answerHolders(ctx, field, []*core.Document{doc})
	if err != nil || holders[0] == nil {
		return poolAnswer{}, err
	}
	return poolAnswerOf(field, holders[0]), nil
}

func templateOf(field string, doc *core.Document) answers.Template {
	for _, v := range valuesAt(doc.Fields, field) {
		if text, ok := v.(string); ok && strings.TrimSpace(text) != "" {
			return answers.Template(text)
		}
	}
	return ""
}

// poolAnswerOf makes the answer of a document. Answers that read the same once
// the document's own values are filled in are the same answer.
func poolAnswerOf(field string, doc *core.Document) poolAnswer {
	a := poolAnswer{doc: doc, template: templateOf(field, doc)}
	a.key, _ = a.template.Fill(func(name string) (string, bool) { return valueOf(name, doc.Fields) })
	return a
}

// valueOf returns what stands in the place of a placeholder: the first object
// that has a value of that name, which is a text, a number, a truth value or
// several of these.
func valueOf(name string, objects ...map[string]any) (string, bool) {
	for _, object := range objects {
		if parts := LabelsOf(object, name); len(parts) > 0 {
			return strings.Join(parts, ", "), true
		}
	}
	return "", false
}

// ranked returns the answers with their confidence, best first, and whether what
// was said before made the best one surer.
func (p *answerPool) ranked(m answers.Model, r AnswerRequest) (list []AnswerHit, inContext bool) {
	var each []float64
	var chosen []answers.Candidate
	for k, candidates := range p.lists {
		if k > 0 {
			candidates = together(p.lists[0], candidates)
		}
		scores := m.Scores(candidates)
		if len(scores) == 0 {
			return nil, false
		}
		sure, _ := m.Probabilities(scores)
		if each == nil || slices.Max(sure) > slices.Max(each) {
			each, chosen, inContext = sure, candidates, k > 0
		}
	}
	best := make([]int, len(p.answers)) // the candidate of each answer
	for i := range best {
		best[i] = -1
	}
	for i, c := range chosen {
		if best[c.Answer] < 0 || m.Score(c) > m.Score(chosen[best[c.Answer]]) {
			best[c.Answer] = i
		}
	}
	for at, i := range best {
		if i < 0 {
			continue
		}
		score := m.Score(chosen[i])
		if r.MinScore != nil && score < float64(*r.MinScore) {
			continue
		}
		list = append(list, p.hit(at, p.texts[i], each[at], score, r.Values))
	}
	slices.SortStableFunc(list, func(a, b AnswerHit) int { return cmp.Compare(b.Score, a.Score) })
	return list, inContext
}

// together scores candidates by the mean of the question alone and of the
// question with what was said before.
func together(alone, inContext []answers.Candidate) []answers.Candidate {
	out := make([]answers.Candidate, len(alone))
	for i, a := range alone {
		c := inContext[i]
		out[i] = answers.Candidate{Answer: a.Answer, Dense: (a.Dense + c.Dense) / 2, Words: (a.Words + c.Words) / 2, Adds: min(a.Adds, c.Adds)}
	}
	return out
}

// hit fills in an answer. Values of the request go before those of the question
// that was found, and these before those of the document with the answer.
func (p *answerPool) hit(at int, by poolText, confidence, score float64, values map[string]any) AnswerHit {
	a := p.answers[at]
	text, missing := a.template.Fill(func(name string) (string, bool) {
		if name == "id" {
			return a.doc.ID, true
		}
		return valueOf(name, values, by.fields, a.doc.Fields)
	})
	return AnswerHit{ID: a.doc.ID, Question: by.text, Feedback: by.told, Answer: text, Missing: missing, Confidence: confidence, Score: score}
}
