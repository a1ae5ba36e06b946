package train

import (
	"math"
	"math/rand/v2"
	"testing"
)

// guesses are logits of three labels that tell the right one among noise.
func guesses(rng *rand.Rand, labels []int, tells float64) *outcome {
	o := &outcome{Candidate: Candidate{Method: Linear, Setting: &setting{}}}
	for _, label := range labels {
		z := make([]float32, 3)
		for c := range z {
			z[c] = float32(rng.NormFloat64())
		}
		z[label] += float32(tells)
		o.logits = append(o.logits, z)
	}
	o.score(labels)
	o.judge(labels)
	return o
}

func TestASumOfPartsThatErrApartIsBetterThanEach(t *testing.T) {
	rng := rand.New(rand.NewPCG(1, 2))
	labels := make([]int, 3000)
	for i := range labels {
		labels[i] = rng.IntN(3)
	}
	terms, vector, wrong := guesses(rng, labels, 1), guesses(rng, labels, 2), guesses(rng, labels, -0.5)
	*terms.Setting, *vector.Setting, *wrong.Setting = setting{Terms: 1, C: 1}, setting{Vector: 1, C: 1}, setting{Terms: 1, Vector: 1, C: 1}
	b := blend([]*outcome{terms, vector, wrong}, labels)
	if b == nil || len(b.Blend) != 2 || b.Blend[0].Setting != *terms.Setting || b.Blend[1].Setting != *vector.Setting {
		t.Fatalf("the sum is %+v", b)
	}
	// With normal noise of variance 1 the best weight is what a part tells.
	for i, want := range []float64{1, 2} {
		if got := b.Blend[i].Weight; math.Abs(got-want) > 0.2 {
			t.Errorf("part %d has the weight %.2f, not about %v", i, got, want)
		}
	}
	if b.Accuracy < vector.Accuracy+0.01 || b.LogLoss > vector.LogLoss-0.03 || math.Abs(b.Calibration-1) > 0.02 {
		t.Errorf("the sum reaches %+v, the best part %+v", b.Candidate, vector.Candidate)
	}
	if b := blend([]*outcome{vector, wrong}, labels); b != nil {
		t.Errorf("a part that misleads is in the sum: %+v", b.Blend)
	}
}

func TestASumOfModelsScoresAsItsParts(t *testing.T) {
	s, err := newSet(opinions(60, 11), Options{})
	if err != nil {
		t.Fatal(err)
	}
	parts := []Part{{setting{Terms: 1, C: 1}, 0.5}, {setting{Vector: 1, C: 3}, 1.5}}
	both, err := s.fit(t.Context(), parts, Options{Workers: 2})
	if err != nil {
		t.Fatal(err)
	}
	want, got, one := make([]float32, 2), make([]float32, 2), make([]float32, 2)
	for _, r := range s.rows {
		clear(want)
		for _, p := range parts {
			m, err := s.fit(t.Context(), []Part{p}, Options{Workers: 1})
			if err != nil {
				t.Fatal(err)
			}
			m.scores(r.terms, r.vector, one)
			add(want, float32(p.Weight), one)
		}
		both.scores(r.terms, r.vector, got)
		for c := range want {
			if abs(want[c]-got[c]) > 1e-4 {
				t.Fatalf("scores %v, the parts %v", got, want)
			}
		}
	}
}
