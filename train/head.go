package train

import (
	"math"
	"slices"
	"time"

	"github.com/vecdb/vecdb/internal/simd"
)

// Method is a way to classify.
type Method string

// The methods.
const (
	Linear    Method = "linear"
	Centroid  Method = "centroid"
	Neighbors Method = "neighbors"
)

// Example is a labelled document. The text or the vector may be missing.
type Example struct {
	Text   string
	Vector []float32 // of the same length as all others
	Label  string
}

// Head classifies. It is safe for concurrent use.
type Head struct {
	info     Info
	words    *vocabulary
	linear   *linear
	centroid []float32 // dim numbers a label, nil without vectors
	dim      int
}

// Info tells what a head is and how it was chosen.
type Info struct {
	// Method is the one that did best, the default.
	Method Method `json:"method"`
	// Labels are in ascending order; all lists of probabilities have theirs.
	Labels []string `json:"labels"`
	// Examples is how many the head has learnt from, Features how many terms it
	// reads of a text.
	Examples int `json:"examples"`
	Features int `json:"features"`
	// Named tells that the names of the labels served as examples too.
	Named bool `json:"named,omitempty"`
	// Candidates are what was compared, the best of each method first; those
	// that were not cross-validated have no figures.
	Candidates []Candidate `json:"candidates"`
	// Folds is how often examples were held out, Judged how many; 0 where there
	// were too few examples to hold any out.
	Folds  int `json:"folds,omitempty"`
	Judged int `json:"judged,omitempty"`
	// Scope is a similarity that in-scope texts nearly always have to their
	// nearest example: the least of 1,000. Nil where it is unknown.
	Scope *float32 `json:"scope,omitempty"`
	// Trained is when, Took how long it took, in seconds.
	Trained time.Time `json:"trained"`
	Took    float64   `json:"took_seconds"`
}

// Candidate is a method with its settings and what it reached on examples that
// were held out.
type Candidate struct {
	Method  Method   `json:"method"`
	Setting *setting `json:"setting,omitempty"` // of Linear where it is one model
	Blend   []Part   `json:"blend,omitempty"`   // of Linear where it is a sum of several
	// K and Temperature are of Neighbors: how many vote, by what their scores
	// are divided.
	K           int     `json:"k,omitempty"`
	Temperature float64 `json:"temperature,omitempty"`
	// Calibration divides the logits: 1 leaves them, more is less sure.
	Calibration float64 `json:"calibration"`
	Accuracy    float64 `json:"accuracy,omitempty"`
	LogLoss     float64 `json:"log_loss,omitempty"`
	ECE         float64 `json:"ece,omitempty"`
}

// Info describes the head. The caller leaves it unchanged.
func (h *Head) Info() Info { return h.info }

// Candidate returns the best of a method and whether there is one.
func (h *Head) Candidate(m Method) (Candidate, bool) {
	i := slices.IndexFunc(h.info.Candidates, func(c Candidate) bool { return c.Method == m })
	if i < 0 {
		return Candidate{}, false
	}
	return h.info.Candidates[i], true
}

// Predict returns the probability of each label by Linear or Centroid; the sum
// is 1. The vector may be nil, and the text empty. It returns nil for other
// methods, and for a method that the head does not have.
func (h *Head) Predict(m Method, text string, vector []float32) []float64 {
	c, known := h.Candidate(m)
	if !known {
		return nil
	}
	logits := make([]float32, len(h.info.Labels))
	vector = unit(vector, h.dim)
	switch {
	case m == Linear:
		h.linear.scores(h.words.describe(countTerms(text)), vector, logits)
	case m == Centroid && vector != nil:
		centroidScores(h.centroid, vector, logits)
	default:
		return nil
	}
	return softmax(logits, c.Calibration)
}

// Calibrate returns votes of neighbors, which sum to 1, as probabilities.
func (c Candidate) Calibrate(votes []float64) []float64 {
	logits := make([]float32, len(votes))
	for i, v := range votes {
		logits[i] = voteLogit(v)
	}
	return softmax(logits, c.Calibration)
}

// leastVote stands for votes that are 0, whose logarithm is none.
const leastVote = 1e-4

func voteLogit(v float64) float32 { return float32(math.Log(v + leastVote)) }

// centroidSharpness turns cosines into logits, before calibration.
const centroidSharpness = 20

func centroidScores(centroids, vector []float32, out []float32) {
	simd.DotMany(vector, centroids, out)
	scale(out, centroidSharpness)
}

// softmax returns the probabilities of logits divided by a temperature.
func softmax(logits []float32, temperature float64) []float64 {
	top := float64(slices.Max(logits))
	out := make([]float64, len(logits))
	var sum float64
	for i, z := range logits {
		out[i] = math.Exp((float64(z) - top) / temperature)
		sum += out[i]
	}
	for i := range out {
		out[i] /= sum
	}
	return out
}

// unit returns v scaled to unit length, nil when it has none or another
// dimension.
func unit(v []float32, dim int) []float32 {
	if len(v) != dim || dim == 0 {
		return nil
	}
	var sum float64
	for _, x := range v {
		sum += float64(x) * float64(x)
	}
	if sum == 0 || math.IsInf(sum, 0) || math.IsNaN(sum) {
		return nil
	}
	out := make([]float32, dim)
	for i, x := range v {
		out[i] = float32(float64(x) / math.Sqrt(sum))
	}
	return out
}
