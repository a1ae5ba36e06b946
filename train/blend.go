package train

import (
	"math"
	"slices"
)

// Part is a linear model within a sum of several.
type Part struct {
	Setting setting `json:"setting"`
	Weight  float64 `json:"weight"` // above 0
}

// reads says which features a linear setting reads.
type reads int

const (
	termsAlone reads = iota + 1
	vectorAlone
	termsAndVector
)

func (s setting) reads() reads {
	switch {
	case s.Vector == 0:
		return termsAlone
	case s.Terms == 0:
		return vectorAlone
	}
	return termsAndVector
}

// parts returns the models that a linear candidate consists of.
func (c Candidate) parts() []Part {
	if c.Setting != nil {
		return []Part{{*c.Setting, 1}}
	}
	return c.Blend
}

// blend returns the weighted sum of the linear candidates that read the terms
// alone, the vector alone, and both, the best of each, with the least log loss on
// what was held out (stacking: Breiman, "Stacked regressions", Machine Learning
// 24, 1996). They err in different places, so the sum is better than each. It is
// nil where one of them alone is best.
func blend(outcomes []*outcome, labels []int) *outcome {
	var parts []*outcome
	for _, of := range grouped(outcomes, kindOf) {
		if of[0].Method == Linear {
			parts = append(parts, slices.MinFunc(of, byLoss))
		}
	}
	parts, weights := weigh(parts, labels)
	if len(parts) < 2 {
		return nil
	}
	out := &outcome{Candidate: Candidate{Method: Linear}, logits: make([][]float32, len(labels))}
	for k, p := range parts {
		out.Blend = append(out.Blend, Part{*p.Setting, weights[k]})
	}
	for i := range labels {
		out.logits[i] = make([]float32, len(parts[0].logits[i]))
		for k, p := range parts {
			add(out.logits[i], float32(weights[k]), p.logits[i])
		}
	}
	out.score(labels)
	out.judge(labels)
	return out
}

// sum adds up models by the weights of their parts.
func sum(models []*linear, parts []Part) *linear {
	if len(models) == 1 {
		return models[0]
	}
	m := models[0]
	out := newLinear(m.classes, len(m.terms)/m.classes, m.dim)
	for i, p := range parts {
		add(out.terms, float32(p.Weight), models[i].terms)
		add(out.vector, float32(p.Weight), models[i].vector)
	}
	return out
}

// weigh returns the weights under which the sum of the parts has the least log
// loss. Parts that would get one below 0 are left out.
func weigh(parts []*outcome, labels []int) ([]*outcome, []float64) {
	for {
		weights := newton(parts, labels)
		worst := 0
		for k, w := range weights {
			if w < weights[worst] {
				worst = k
			}
		}
		if weights[worst] > leastWeight || len(parts) == 1 {
			return parts, weights
		}
		parts = slices.Delete(slices.Clone(parts), worst, worst+1)
	}
}

const (
	// leastWeight is that of a part that matters.
	leastWeight = 0.02
	// newtonSteps bounds the steps, which end when no weight moves by newtonEnd.
	newtonSteps = 20
	newtonEnd   = 1e-3
	// firm keeps the weights of parts that say the same from running apart.
	firm = 1e-4
)

// newton minimises the log loss, which is convex in the weights, from equal
// shares of the calibrated parts.
func newton(parts []*outcome, labels []int) []float64 {
	k := len(parts)
	weights := make([]float64, k)
	for i, p := range parts {
		weights[i] = 1 / (p.Calibration * float64(k))
	}
	for range newtonSteps {
		slope, curve := derivatives(parts, weights, labels)
		step := solve(curve, slope)
		most := 0.0
		for i := range weights {
			d := max(-1, min(1, step[i]))
			weights[i] -= d
			most = max(most, math.Abs(d))
		}
		if most < newtonEnd {
			break
		}
	}
	return weights
}

// derivatives returns the first derivatives of the mean log loss and the matrix
// of the second ones.
func derivatives(parts []*outcome, weights []float64, labels []int) (slope, curve []float64) {
	k := len(parts)
	slope, curve = make([]float64, k), make([]float64, k*k)
	mean, n := make([]float64, k), 1/float64(len(labels))
	var sum []float32
	for i, label := range labels {
		sum = append(sum[:0], make([]float32, len(parts[0].logits[i]))...)
		for a, p := range parts {
			add(sum, float32(weights[a]), p.logits[i])
		}
		clear(mean)
		for c, p := range softmax(sum, 1) {
			if p < tiny {
				continue
			}
			for a := range parts {
				za := float64(parts[a].logits[i][c])
				mean[a] += p * za
				for b := range a + 1 {
					curve[a*k+b] += n * p * za * float64(parts[b].logits[i][c])
				}
			}
		}
		for a := range parts {
			slope[a] += n * (mean[a] - float64(parts[a].logits[i][label]))
			for b := range a + 1 {
				curve[a*k+b] -= n * mean[a] * mean[b]
			}
		}
	}
	for a := range k {
		slope[a] += firm * weights[a]
		curve[a*k+a] += firm
		for b := range a {
			curve[b*k+a] = curve[a*k+b]
		}
	}
	return slope, curve
}

// solve returns the x with a·x = b for a positive definite matrix, which it
// overwrites, by elimination.
func solve(a, b []float64) []float64 {
	n, x := len(b), slices.Clone(b)
	for i := range n {
		for r := i + 1; r < n; r++ {
			f := a[r*n+i] / a[i*n+i]
			for c := i; c < n; c++ {
				a[r*n+c] -= f * a[i*n+c]
			}
			x[r] -= f * x[i]
		}
	}
	for i := n - 1; i >= 0; i-- {
		for c := i + 1; c < n; c++ {
			x[i] -= a[i*n+c] * x[c]
		}
		x[i] /= a[i*n+i]
	}
	return x
}
