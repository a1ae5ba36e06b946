package train

import (
	"context"
	"fmt"
	"math"
	"math/rand/v2"

	"github.com/vecdb/vecdb/internal/simd"
)

// row is an example as the solver sees it.
type row struct {
	terms  []term
	vector []float32 // of unit length
	label  int
	weight float32 // how much it counts, 1 for most
}

// setting is what a linear head is fitted with.
type setting struct {
	Terms  float32 `json:"terms"`  // scale of the terms; 0 leaves them out
	Vector float32 `json:"vector"` // scale of the vector
	C      float32 `json:"c"`      // weight of the loss beside the regularisation
}

// String tells the setting in words.
func (s setting) String() string {
	return fmt.Sprintf("words %g, vector %g, C %g", s.Terms, s.Vector, s.C)
}

// linear is a multinomial logistic regression.
type linear struct {
	classes, dim int
	terms        []float32 // classes numbers a feature
	vector       []float32 // dim numbers a class
}

func newLinear(classes, features, dim int) *linear {
	return &linear{classes, dim, make([]float32, features*classes), make([]float32, classes*dim)}
}

// scores puts the score of each class, a logit, into out.
func (l *linear) scores(terms []term, vector []float32, out []float32) {
	l.score(terms, vector, setting{Terms: 1, Vector: 1}, out)
}

func (l *linear) score(terms []term, vector []float32, s setting, out []float32) {
	copy(out, l.terms[:l.classes]) // the constant
	if s.Terms != 0 {
		for _, t := range terms {
			add(out, s.Terms*t.weight, l.terms[int(t.id)*l.classes:][:l.classes])
		}
	}
	if s.Vector != 0 && vector != nil {
		for c := range out {
			out[c] += s.Vector * simd.Dot(vector, l.vector[c*l.dim:][:l.dim])
		}
	}
}

// add adds f times x to sum.
func add(sum []float32, f float32, x []float32) {
	x = x[:len(sum)]
	i := 0
	for ; i+4 <= len(sum); i += 4 {
		a, b := sum[i:i+4:i+4], x[i:i+4:i+4]
		a[0] += f * b[0]
		a[1] += f * b[1]
		a[2] += f * b[2]
		a[3] += f * b[3]
	}
	for ; i < len(sum); i++ {
		sum[i] += f * x[i]
	}
}

// solver fits a linear head by ascent in the dual of
//
//	min ½‖W‖² + C Σ weight·loss(W x, label)        loss = -log softmax(W x)[label]
//
// Every example has a distribution p over the classes, its dual variables, and
// W = C Σ weight·(y - p)·x. In turn each gets the p that is best while the
// others stay, which is the solution of
//
//	p = softmax(z + q·(y - p))        q = C·weight·‖x‖²
//
// where z are its scores without its own part of W (block coordinate ascent
// after Yu, Huang and Lin, "Dual coordinate descent methods for logistic
// regression and maximum entropy models", Machine Learning 85, 2011). There is
// no step size, and the gap to the optimum is known: the sum of the divergences
// between p and the present softmax of the scores.
type solver struct {
	rows    []*row
	setting setting
	model   *linear
	p       []float32 // classes numbers a row
	rng     *rand.Rand

	z, t, next []float32 // of one row
	active     []int     // its classes that matter
}

func newSolver(rows []*row, classes, features, dim int, seed uint64) *solver {
	s := &solver{rows: rows, model: newLinear(classes, features, dim), p: make([]float32, len(rows)*classes),
		rng: rand.New(rand.NewPCG(seed, 1)), z: make([]float32, classes), t: make([]float32, classes), next: make([]float32, classes)}
	for i, r := range rows {
		s.p[i*classes+r.label] = 1 // so W is 0
	}
	return s
}

const (
	// maxRounds bounds the rounds over all examples, and gapWanted is the mean
	// divergence at which they end.
	maxRounds = 40
	gapWanted = 0.002
)

// fit solves for a setting, from what an earlier one has left. The scales must
// be those of the earlier one.
func (s *solver) fit(ctx context.Context, to setting) (*linear, error) {
	if s.setting.C != 0 {
		scale(s.model.terms, to.C/s.setting.C)
		scale(s.model.vector, to.C/s.setting.C)
	}
	s.setting = to
	order := make([]int, len(s.rows))
	for i := range order {
		order[i] = i
	}
	for range maxRounds {
		s.rng.Shuffle(len(order), func(i, j int) { order[i], order[j] = order[j], order[i] })
		gap := 0.0
		for n, i := range order {
			if n%256 == 0 && ctx.Err() != nil {
				return nil, ctx.Err()
			}
			gap += s.visit(i)
		}
		if gap < gapWanted*float64(len(order)) {
			break
		}
	}
	return s.finished(), nil
}

func scale(x []float32, f float32) {
	for i := range x {
		x[i] *= f
	}
}

// finished returns the model with the scales worked into it.
func (s *solver) finished() *linear {
	m := s.model
	out := newLinear(m.classes, len(m.terms)/m.classes, m.dim)
	copy(out.terms, m.terms[:m.classes])
	add(out.terms[m.classes:], s.setting.Terms, m.terms[m.classes:])
	add(out.vector, s.setting.Vector, m.vector)
	return out
}

// visit gives one example its best p and returns the divergence that it had.
func (s *solver) visit(i int) float64 {
	m, r := s.model, s.rows[i]
	p := s.p[i*m.classes:][:m.classes]
	m.score(r.terms, r.vector, s.setting, s.z)
	logs := s.t
	total := logSum(s.z)
	var gap float64
	for c, z := range s.z {
		logs[c] = z - total
		if p[c] > tiny {
			gap += float64(p[c]) * (math.Log(float64(p[c])) - float64(logs[c]))
		}
	}
	q := s.setting.C * r.weight * s.squared(r)
	for c := range s.z { // without the example's own part
		s.z[c] += q * p[c]
	}
	s.best(q, p)
	s.move(r, p)
	return gap
}

// squared is the squared length of an example's features.
func (s *solver) squared(r *row) float32 {
	sum := float32(1)
	if len(r.terms) > 0 {
		sum += s.setting.Terms * s.setting.Terms
	}
	if r.vector != nil {
		sum += s.setting.Vector * s.setting.Vector
	}
	return sum
}

// tiny is a probability that does not matter; logTiny is its logarithm.
const (
	tiny    = 1e-5
	logTiny = -11.5
)

// best finds the distribution next with log next + q·next = z - μ, where μ
// makes the sum 1, by Newton's method on its logarithms and μ together. It
// starts from the logarithms in t. Classes that neither start nor were likely
// keep their start, or 0 when there are others; the next rounds see to them.
func (s *solver) best(q float32, p []float32) {
	s.active = s.active[:0]
	var mu float32
	for c, t := range s.t {
		s.next[c] = 0
		if t > logTiny || p[c] > tiny {
			s.t[c] = max(t, logTiny)
			s.active = append(s.active, c)
			e := exp(s.t[c])
			mu += e * (s.z[c] - s.t[c] - q*e) // the μ that the start fits best
		}
	}
	for range 8 {
		var sum, slope, rest float32
		for _, c := range s.active {
			t := s.t[c]
			p := exp(t)
			s.next[c] = p
			sum += p
			r := q*p + t - s.z[c] + mu
			slope += p / (1 + q*p)
			rest += p * r / (1 + q*p)
		}
		mu += (sum - 1 - rest) / slope
		var largest float32
		for _, c := range s.active {
			p, t := s.next[c], s.t[c]
			d := (s.z[c] - mu - q*p - t) / (1 + q*p)
			d = max(-3, min(3, d))
			s.t[c] = t + d
			largest = max(largest, p*abs(d))
		}
		if largest < 1e-3 {
			break
		}
	}
	var sum float32
	for _, c := range s.active {
		s.next[c] = exp(s.t[c])
		sum += s.next[c]
	}
	for _, c := range s.active {
		s.next[c] /= sum
	}
}

// move changes p to next, and W with it. Changes too small to matter are left
// for a later round.
func (s *solver) move(r *row, p []float32) {
	m := s.model
	var largest float32
	for c := range p {
		largest = max(largest, abs(p[c]-s.next[c]))
	}
	if largest < 1e-6 {
		return
	}
	change := s.t // p - next times C·weight: what is added to W
	for c := range p {
		change[c] = p[c] - s.next[c]
		if abs(change[c]) < 1e-2*largest {
			change[c] = 0
		}
		p[c] -= change[c]
		change[c] *= s.setting.C * r.weight
	}
	add(m.terms[:m.classes], 1, change)
	if s.setting.Terms != 0 {
		for _, t := range r.terms {
			add(m.terms[int(t.id)*m.classes:][:m.classes], s.setting.Terms*t.weight, change)
		}
	}
	if s.setting.Vector == 0 || r.vector == nil {
		return
	}
	for c, d := range change {
		if d != 0 {
			add(m.vector[c*m.dim:][:m.dim], s.setting.Vector*d, r.vector)
		}
	}
}

// logSum returns the logarithm of the sum of the exponentials.
func logSum(x []float32) float32 {
	top := x[0]
	for _, v := range x {
		top = max(top, v)
	}
	var sum float32
	for _, v := range x {
		sum += exp(v - top)
	}
	return top + float32(math.Log(float64(sum)))
}

func exp(x float32) float32 { return float32(math.Exp(float64(x))) }

func abs(x float32) float32 { return math.Float32frombits(math.Float32bits(x) &^ (1 << 31)) }
