package train

import (
	"bytes"
	"errors"
	"fmt"
	"math"
	"math/rand/v2"
	"strings"
	"testing"
	"time"

	"github.com/vecdb/vecdb/internal/core"
)

// opinions are examples whose labels show in the words of some and in the
// vectors of others: either side alone cannot tell all.
func opinions(n int, seed uint64) []Example {
	rng := rand.New(rand.NewPCG(seed, 0))
	filler := strings.Fields("the film was seen by many people in a town near here on an evening of last year and then")
	var out []Example
	for i := range n {
		label, sign := "pos", float32(1)
		if i%2 == 0 {
			label, sign = "neg", -1
		}
		var words []string
		for range 8 {
			words = append(words, filler[rng.IntN(len(filler))])
		}
		v := make([]float32, 16)
		for d := range v {
			v[d] = float32(rng.NormFloat64())
		}
		if rng.IntN(2) == 0 {
			words[rng.IntN(8)] = map[string][]string{"pos": {"lovely", "great", "moving"}, "neg": {"dull", "awful", "boring"}}[label][rng.IntN(3)]
		} else {
			v[3] = 4 * sign
		}
		out = append(out, Example{Text: strings.Join(words, " "), Vector: v, Label: label})
	}
	return out
}

func accuracy(h *Head, m Method, examples []Example) float64 {
	right := 0
	for _, e := range examples {
		if h.info.Labels[argmax(h.Predict(m, e.Text, e.Vector))] == e.Label {
			right++
		}
	}
	return float64(right) / float64(len(examples))
}

func TestWordsAndVectorTogetherBeatEitherAlone(t *testing.T) {
	learn, judge := opinions(600, 1), opinions(600, 2)
	h, err := Train(t.Context(), learn, Options{})
	if err != nil {
		t.Fatal(err)
	}
	both := accuracy(h, Linear, judge)
	strip := func(list []Example, text bool) (out []Example) {
		for _, e := range list {
			if text {
				e.Text = ""
			} else {
				e.Vector = nil
			}
			out = append(out, e)
		}
		return out
	}
	for name, noText := range map[string]bool{"vector": true, "words": false} {
		alone, err := Train(t.Context(), strip(learn, noText), Options{})
		if err != nil {
			t.Fatal(err)
		}
		if got := accuracy(alone, Linear, strip(judge, noText)); got > both-0.1 {
			t.Errorf("%s alone has accuracy %.3f, both together %.3f", name, got, both)
		}
	}
	if both < 0.9 || h.info.Method != Linear {
		t.Errorf("accuracy %.3f by %s", both, h.info.Method)
	}
	c, _ := h.Candidate(Linear)
	if math.Abs(c.Accuracy-both) > 0.05 || c.ECE > 0.1 || h.info.Folds == 0 || h.info.Scope == nil {
		t.Errorf("cross-validation told %+v, the truth is %.3f", c, both)
	}
}

func TestTheSameExamplesGiveTheSameHead(t *testing.T) {
	var first []byte
	for _, workers := range []int{1, 4} {
		h, err := Train(t.Context(), opinions(120, 3), Options{Seed: 7, Workers: workers})
		if err != nil {
			t.Fatal(err)
		}
		h.info.Took, h.info.Trained = 0, time.Time{}
		var b bytes.Buffer
		if _, err := h.WriteTo(&b); err != nil {
			t.Fatal(err)
		}
		if first == nil {
			first = b.Bytes()
		} else if !bytes.Equal(first, b.Bytes()) {
			t.Error("another number of workers gives another head")
		}
	}
}

// TestTheSolverFindsTheOptimum compares with what has to hold there: the
// gradient of the objective is zero.
func TestTheSolverFindsTheOptimum(t *testing.T) {
	for _, c := range []float32{0.3, 3, 30} {
		s, err := newSet(opinions(80, 4), Options{})
		if err != nil {
			t.Fatal(err)
		}
		sol := newSolver(s.rows, 2, s.words.features(), s.dim, 1)
		to := setting{Terms: 1, Vector: 1, C: c}
		var m *linear
		for range 20 { // each goes on where the one before ended
			if m, err = sol.fit(t.Context(), to); err != nil {
				t.Fatal(err)
			}
		}
		gradient := newLinear(2, s.words.features(), s.dim)
		copy(gradient.terms, m.terms)
		copy(gradient.vector, m.vector)
		z := make([]float32, 2)
		for _, r := range s.rows {
			m.scores(r.terms, r.vector, z)
			p := softmax(z, 1)
			change := []float32{float32(p[0]) * c, float32(p[1]) * c}
			change[r.label] -= c
			add(gradient.terms[:2], 1, change)
			for _, x := range r.terms {
				add(gradient.terms[2*x.id:][:2], x.weight, change)
			}
			for k := range 2 {
				add(gradient.vector[k*s.dim:][:s.dim], change[k], r.vector)
			}
		}
		for _, g := range append(gradient.terms, gradient.vector...) {
			if abs(g) > 0.05*max(1, c/3) {
				t.Fatalf("C %v: a derivative of the objective is %v", c, g)
			}
		}
	}
}

func TestNamesOfLabelsHelpWhereExamplesAreFew(t *testing.T) {
	rng := rand.New(rand.NewPCG(5, 0))
	names := make(map[string][]float32)
	var learn, judge []Example
	for k := range 30 {
		label := fmt.Sprintf("topic_number_%d", k)
		name := make([]float32, 32)
		for d := range name {
			name[d] = float32(rng.NormFloat64())
		}
		names[label] = name
		for i := range 11 {
			v := make([]float32, 32)
			for d := range v {
				v[d] = name[d] + 1.5*float32(rng.NormFloat64())
			}
			if e := (Example{Vector: v, Label: label}); i == 0 {
				learn = append(learn, e)
			} else {
				judge = append(judge, e)
			}
		}
	}
	plain, err := Train(t.Context(), learn, Options{})
	if err != nil {
		t.Fatal(err)
	}
	named, err := Train(t.Context(), learn, Options{Names: names})
	if err != nil {
		t.Fatal(err)
	}
	if a, b := accuracy(plain, Linear, judge), accuracy(named, Linear, judge); b < a+0.1 || !named.info.Named || plain.info.Named {
		t.Errorf("accuracy %.3f without names, %.3f with", a, b)
	}
	for label := range names { // names that tell nothing
		names[label] = judge[rng.IntN(len(judge))].Vector
	}
	if lost, err := Train(t.Context(), learn, Options{Names: names}); err != nil || lost.info.Named {
		t.Errorf("names that tell nothing are used: %v", err)
	}
}

func TestNameOf(t *testing.T) {
	for label, want := range map[string]string{"card_arrival": "card arrival", "CardArrival": "Card Arrival", "why-not?": "why not", "体育": "体育", "sad": "sad"} {
		if got, ok := NameOf(label); got != want || !ok {
			t.Errorf("%q is called %q, %v", label, got, ok)
		}
	}
	for _, label := range []string{"1", "a", "C4", "", "12.5", "体"} {
		if got, ok := NameOf(label); ok {
			t.Errorf("%q has the name %q", label, got)
		}
	}
}

func TestTerms(t *testing.T) {
	for text, n := range map[string]int{
		"":                0,
		"One two, one!":   6, // one two !, one-two two-one one-!
		"don't":           1,
		"茅台酒":             6, // 3 characters, 2 pairs, 1 of three
		"茅台酒 grew 10%":    6 + 5,
		"ＦＵＬＬ full":       2,
		"a\u0301 \u00e1 ": 2,
	} {
		if got := countTerms(text); len(got) != n {
			t.Errorf("%q has %d terms, not %d", text, len(got), n)
		}
	}
	if n := len(countTerms(strings.Repeat("ö ", 5<<20))); n != 2 {
		t.Errorf("a text of 15 MB has %d terms", n)
	}
}

func TestWhatCannotBeLearntIsToldWhy(t *testing.T) {
	one := []Example{{Text: "a", Label: "x"}, {Text: "b", Label: "x"}}
	for name, list := range map[string][]Example{"none": nil, "one label": one} {
		_, err := Train(t.Context(), list, Options{})
		_, evaluated := Evaluate(t.Context(), list, Evaluation{}, Options{})
		if !errors.Is(err, core.ErrInvalid) || !errors.Is(evaluated, core.ErrInvalid) {
			t.Errorf("%s: %v, %v", name, err, evaluated)
		}
	}
	// One example of a label among many of another, texts without a term,
	// vectors without a direction.
	odd := append(opinions(40, 6), Example{Label: "rare", Vector: make([]float32, 16)}, Example{Label: "rare too", Text: "…"})
	h, err := Train(t.Context(), odd, Options{})
	if err != nil {
		t.Fatal(err)
	}
	for _, m := range []Method{Linear, Centroid} {
		for _, v := range [][]float32{nil, make([]float32, 16), make([]float32, 3), odd[0].Vector} {
			var sum float64
			p := h.Predict(m, "never seen", v)
			for _, x := range p {
				sum += x
			}
			if p != nil && math.Abs(sum-1) > 1e-9 {
				t.Errorf("%s gives probabilities %v", m, p)
			}
		}
	}
	if _, err := Evaluate(t.Context(), odd, Evaluation{}, Options{}); err != nil {
		t.Errorf("evaluate: %v", err)
	}
}

func TestAHeadIsReadAsItWasWritten(t *testing.T) {
	h, err := Train(t.Context(), opinions(100, 8), Options{})
	if err != nil {
		t.Fatal(err)
	}
	var b bytes.Buffer
	if n, err := h.WriteTo(&b); err != nil || n != int64(b.Len()) {
		t.Fatalf("%d bytes of %d are told, %v", n, b.Len(), err)
	}
	back, err := Read(b.Bytes())
	if err != nil {
		t.Fatal(err)
	}
	for _, e := range opinions(50, 9) {
		for _, m := range []Method{Linear, Centroid} {
			if fmt.Sprint(h.Predict(m, e.Text, e.Vector)) != fmt.Sprint(back.Predict(m, e.Text, e.Vector)) {
				t.Fatal("it predicts something else")
			}
		}
	}
	for n := 0; n < b.Len(); n += 1 + n/7 {
		if _, err := Read(b.Bytes()[:n]); !errors.Is(err, core.ErrCorrupt) {
			t.Fatalf("%d of %d bytes are read: %v", n, b.Len(), err)
		}
	}
}

func TestCalibrationCoolsWhatIsTooSure(t *testing.T) {
	rng := rand.New(rand.NewPCG(1, 1))
	var logits [][]float32
	var labels []int
	for range 4000 { // right three times in four, and as sure as 20:1
		label := rng.IntN(2)
		z := []float32{0, 0}
		z[label] = 3
		if rng.IntN(4) == 0 {
			label = 1 - label
		}
		logits, labels = append(logits, z), append(labels, label)
	}
	o := &outcome{logits: logits}
	o.score(labels)
	o.judge(labels)
	if want := 3 / math.Log(3); math.Abs(o.Calibration-want) > 0.2 || o.ECE > 0.01 || math.Abs(o.Accuracy-0.75) > 0.02 {
		t.Errorf("temperature %.2f, not %.2f: %+v", o.Calibration, want, o.Candidate)
	}
}

func TestReport(t *testing.T) {
	s := &set{labels: []string{"a", "b", "c"}}
	var p [][]float64
	for i, given := range [][2]int{{0, 0}, {0, 0}, {0, 1}, {1, 1}, {2, 0}} {
		s.rows = append(s.rows, &row{label: given[0]})
		p = append(p, make([]float64, 3))
		p[i][given[1]] = 1
	}
	var r Report
	s.fill(&r, p)
	if r.Accuracy != 0.6 || fmt.Sprint(r.Confusion) != "[[2 1 0] [0 1 0] [1 0 0]]" || math.Abs(r.ECE-0.4) > 1e-9 {
		t.Errorf("%+v", r)
	}
	want := "[{a 0.667 0.667 0.667 3} {b 0.500 1.000 0.667 1} {c 0.000 0.000 0.000 1}]"
	if got := fmt.Sprintf("%.3v", r.Classes); got != want && fmt.Sprintf("%.3f", r.MacroF1) != "0.444" {
		t.Errorf("%s, macro F1 %.3f", got, r.MacroF1)
	}
}

func TestEvaluateEveryMethod(t *testing.T) {
	list := opinions(200, 10)
	for _, e := range []Evaluation{{}, {Method: Linear, Folds: 4}, {Method: Centroid}, {Method: Neighbors}, {Method: Neighbors, LeaveOneOut: true}, {Method: Centroid, LeaveOneOut: true}} {
		r, err := Evaluate(t.Context(), list, e, Options{})
		if err != nil {
			t.Fatal(err)
		}
		if r.Examples != 200 || r.Accuracy < 0.6 || r.Accuracy > 0.99 || len(r.Classes) != 2 || r.Classes[0].Support != 100 {
			t.Errorf("%+v: %+v", e, r)
		}
	}
	for _, e := range []Evaluation{{Method: "magic"}, {Folds: 1}, {Folds: 1000}, {LeaveOneOut: true}} {
		if _, err := Evaluate(t.Context(), list, e, Options{}); !errors.Is(err, core.ErrInvalid) {
			t.Errorf("%+v: %v", e, err)
		}
	}
}
