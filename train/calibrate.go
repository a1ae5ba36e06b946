package train

import "math"

// outcome holds what a candidate said about examples that were held out.
type outcome struct {
	Candidate
	logits [][]float32 // a row an example
}

// score measures the accuracy, which calibration does not change.
func (o *outcome) score(labels []int) {
	right := 0
	for i, z := range o.logits {
		if argmax(z) == labels[i] {
			right++
		}
	}
	o.Accuracy = float64(right) / float64(len(labels))
}

// judge calibrates the candidate and measures its probabilities.
func (o *outcome) judge(labels []int) {
	o.Calibration = calibrate(o.logits, labels)
	probabilities := make([][]float64, len(labels))
	for i, z := range o.logits {
		probabilities[i] = softmax(z, o.Calibration)
	}
	o.LogLoss = logLoss(probabilities, labels)
	o.ECE = calibrationError(probabilities, labels)
}

// calibrate returns the temperature under which the logits of held-out examples
// give the least log loss (Guo et al., "On calibration of modern neural
// networks", ICML 2017), by golden section on its logarithm.
func calibrate(logits [][]float32, labels []int) float64 {
	loss := func(logT float64) float64 {
		t := math.Exp(logT)
		var sum float64
		for i, z := range logits {
			sum += crossEntropy(z, labels[i], t)
		}
		return sum
	}
	return math.Exp(Minimum(math.Log(0.25), math.Log(20.0), 24, loss))
}

// Minimum returns where f, which has one minimum, is least between low and high,
// by golden section in so many steps, each of which leaves .62 of the range.
func Minimum(low, high float64, steps int, f func(float64) float64) float64 {
	const golden = 0.6180339887498949
	a, b := high-golden*(high-low), low+golden*(high-low)
	fa, fb := f(a), f(b)
	for range steps {
		if fa < fb {
			high, b, fb = b, a, fa
			a = high - golden*(high-low)
			fa = f(a)
		} else {
			low, a, fa = a, b, fb
			b = low + golden*(high-low)
			fb = f(b)
		}
	}
	return (low + high) / 2
}

func crossEntropy(z []float32, label int, t float64) float64 {
	top := float64(z[0])
	for _, v := range z {
		top = max(top, float64(v))
	}
	var sum float64
	for _, v := range z {
		if d := (float64(v) - top) / t; d > -25 { // less is lost in the sum anyway
			sum += math.Exp(d)
		}
	}
	return math.Log(sum) - (float64(z[label])-top)/t
}

// logLoss is the mean of -log of the probability of the right label.
func logLoss(probabilities [][]float64, labels []int) float64 {
	var sum float64
	for i, p := range probabilities {
		sum -= math.Log(max(p[labels[i]], 1e-12))
	}
	return sum / float64(len(labels))
}

// calibrationBins are the intervals of confidence that CalibrationError
// compares.
const calibrationBins = 15

// calibrationError is the CalibrationError of the most probable labels.
func calibrationError(probabilities [][]float64, labels []int) float64 {
	sure, right := make([]float64, len(labels)), make([]bool, len(labels))
	for i, p := range probabilities {
		best := argmax(p)
		sure[i], right[i] = p[best], best == labels[i]
	}
	return CalibrationError(sure, right, nil)
}

// CalibrationError is the expected calibration error: the mean difference
// between probabilities, each from 0 to 1, and the share of what came true, over
// intervals of equal width. Weights tell how much each counts; nil is 1 each.
func CalibrationError(probabilities []float64, came []bool, weights []float64) float64 {
	var gap [calibrationBins]float64
	total := 0.0
	for i, p := range probabilities {
		weight := 1.0
		if weights != nil {
			weight = weights[i]
		}
		total += weight
		bin := min(int(p*calibrationBins), calibrationBins-1)
		gap[bin] += weight * p
		if came[i] {
			gap[bin] -= weight
		}
	}
	if total == 0 {
		return 0
	}
	var sum float64
	for _, g := range gap {
		sum += math.Abs(g)
	}
	return sum / total
}

func argmax[T float32 | float64](x []T) int {
	best := 0
	for i, v := range x {
		if v > x[best] {
			best = i
		}
	}
	return best
}
