package answers

import (
	"math"
	"slices"

	"github.com/vecdb/vecdb/train"
)

// Candidate is a text that leads to an answer: a stored question, or one that
// came with feedback.
type Candidate struct {
	Answer int // number of the answer, from 0
	// Dense is the cosine of its vector and the question's; for the nearest of an
	// answer, that of the mean of the answer's candidates where this is higher.
	Dense float64
	Words float64 // share of the question's words, weighted by rarity, that it has
	Adds  float64 // what feedback adds to its score
}

// Example is a question whose answer is known, with the candidates that were
// found for it.
type Example struct {
	Candidates []Candidate
	// Right is the number of the right answer, None where none of them is right,
	// or Unknown where it is only known that Wrong is wrong.
	Right, Wrong int
	Weight       float64
}

// What Example.Right is where it is no answer.
const (
	None    = -1
	Unknown = -2
)

// Model tells how sure scores make an answer. The zero value is not usable, see
// [DefaultModel].
type Model struct {
	Words       float64 `json:"words"`       // weight of words in a score, from 0 to 1; the rest is that of vectors
	Temperature float64 `json:"temperature"` // divides the scores; smaller is surer
	None        float64 `json:"none"`        // score of "none of them"
}

// DefaultModel returns the model that fits public collections of questions; what
// is learnt from a collection is shrunk to it.
func DefaultModel() Model { return Model{Words: 0.1, Temperature: 0.05, None: 0.6} }

// Score returns the score of a candidate.
func (m Model) Score(c Candidate) float64 {
	return (1-m.Words)*c.Dense + m.Words*c.Words + c.Adds
}

// Scores returns the score of each answer that candidates lead to, that of its
// best candidate; answers that no candidate leads to have -Inf.
func (m Model) Scores(list []Candidate) []float64 {
	var out []float64
	for _, c := range list {
		for len(out) <= c.Answer {
			out = append(out, math.Inf(-1))
		}
		out[c.Answer] = max(out[c.Answer], m.Score(c))
	}
	return out
}

// Probabilities returns how probable it is that each answer is the right one,
// and that none is. All together sum to 1.
func (m Model) Probabilities(scores []float64) (each []float64, none float64) {
	top := m.None
	for _, s := range scores {
		top = max(top, s)
	}
	each = make([]float64, len(scores))
	none = math.Exp((m.None - top) / m.Temperature)
	sum := none
	for i, s := range scores {
		each[i] = math.Exp((s - top) / m.Temperature)
		sum += each[i]
	}
	for i := range each {
		each[i] /= sum
	}
	return each, none / sum
}

// Fitted is a model with what it reached on the examples.
type Fitted struct {
	Model
	Examples int `json:"examples"` // questions that it was fitted to, 0 for the default
	// Judged is how many of them have an answer that could be found, Accuracy the
	// share for which it came first, and ECE the expected calibration error of the
	// first answer's confidence over all examples by their weights.
	Judged   int     `json:"judged"`
	Accuracy float64 `json:"accuracy,omitempty"`
	ECE      float64 `json:"ece,omitempty"`
}

// What is tried for the weight of words, and how strongly the rest holds to the
// default: standard deviations of a normal prior.
var (
	triedWords = []float64{0, 0.1, 0.2, 0.3, 0.4, 0.5}
	priorWords = 0.1
	priorLogT  = 0.4
	priorNone  = 0.1

	fitSteps = 16 // of the search for a number
)

// The bound is thought to lie so far above the best scores of questions without
// an answer, the default counting as so many of these, and below a most: above
// that, what is near is often a variant that nobody has marked as one. Where the
// scores lie depends on how alike the questions of a collection are.
const (
	aboveNone   = 0.08
	defaultNone = 2
	mostNone    = 0.65
)

// prior returns the default, with its bound moved to where the examples without
// an answer lie.
func prior(examples []Example) Model {
	m := DefaultModel()
	sum, n := defaultNone*m.None, float64(defaultNone)
	for _, e := range examples {
		if scores := m.Scores(e.Candidates); e.Right == None && len(scores) > 0 {
			sum += slices.Max(scores) + aboveNone
			n++
		}
	}
	m.None = min(sum/n, mostNone)
	return m
}

// Fit returns the model under which the examples are most probable, with normal
// priors around the default, whose bound follows the examples without an answer.
func Fit(examples []Example) Fitted {
	start := prior(examples)
	best, least := start, math.Inf(1)
	for _, words := range triedWords {
		scored := scoreAll(examples, words)
		m := start
		m.Words = words
		for range 3 { // one after the other, until neither moves
			m.None = train.Minimum(start.None-0.5, start.None+0.5, fitSteps, func(x float64) float64 {
				return loss(scored, Model{words, m.Temperature, x}, start)
			})
			logT := train.Minimum(math.Log(0.005), math.Log(0.5), fitSteps, func(x float64) float64 {
				return loss(scored, Model{words, math.Exp(x), m.None}, start)
			})
			m.Temperature = math.Exp(logT)
		}
		if l := loss(scored, m, start); l < least {
			best, least = m, l
		}
	}
	return judge(examples, best)
}

// scored is an example with the scores of its answers.
type scored struct {
	scores       []float64
	right, wrong int
	weight       float64
}

func scoreAll(examples []Example, words float64) []scored {
	m := Model{Words: words}
	out := make([]scored, len(examples))
	for i, e := range examples {
		out[i] = scored{m.Scores(e.Candidates), e.Right, e.Wrong, e.Weight}
	}
	return out
}

// loss is the negative logarithm of the probability of the examples and of the
// model itself.
func loss(list []scored, m, prior Model) float64 {
	square := func(x float64) float64 { return x * x / 2 }
	sum := square((m.Words-prior.Words)/priorWords) + square(math.Log(m.Temperature/prior.Temperature)/priorLogT) +
		square((m.None-prior.None)/priorNone)
	for _, e := range list {
		each, none := m.Probabilities(e.scores)
		p := none
		switch {
		case e.right == Unknown && e.wrong < len(each):
			p = 1 - each[e.wrong]
		case e.right == Unknown:
			p = 1
		case e.right >= len(each):
			p = 0 // it is not among the candidates, and none is not right either
		case e.right != None:
			p = each[e.right]
		}
		sum -= e.weight * math.Log(max(p, 1e-9))
	}
	return sum
}

// judge measures what a model says of the examples.
func judge(examples []Example, m Model) Fitted {
	out := Fitted{Model: m, Examples: len(examples)}
	var sure, weights []float64
	var right []bool
	hits := 0
	for _, e := range examples {
		scores := m.Scores(e.Candidates)
		if len(scores) == 0 || e.Right == Unknown {
			continue
		}
		each, _ := m.Probabilities(scores)
		top := slices.Index(each, slices.Max(each))
		sure, right = append(sure, each[top]), append(right, top == e.Right)
		weights = append(weights, e.Weight)
		if e.Right != None {
			out.Judged++
			if top == e.Right {
				hits++
			}
		}
	}
	if out.Judged > 0 {
		out.Accuracy = float64(hits) / float64(out.Judged)
	}
	out.ECE = train.CalibrationError(sure, right, weights)
	return out
}
