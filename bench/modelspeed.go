package bench

import (
	"context"
	"fmt"
	"math"
	"slices"
	"strings"
	"time"
	"unicode"

	"github.com/vecdb/vecdb/embedder"
	"github.com/vecdb/vecdb/internal/core"
	"github.com/vecdb/vecdb/internal/simd/matrix"
)

// Embed embeds texts with the model that is measured.
type Embed func(ctx context.Context, kind embedder.Kind, texts []string) (embedder.Result, error)

// ModelOptions say how a model is measured.
type ModelOptions struct {
	Model     embedder.Model
	Precision embedder.Precision
	// Runtime names what computes the model.
	Runtime string
	// Open returns what embeds on so many threads, and what frees it.
	Open func(threads int) (Embed, func() error, error)
	// Exact embeds in float32; nil when that cannot be done here.
	Exact Embed
	// Text is ordinary text in the model's language, which texts are cut from.
	Text string
	// Tokens are the lengths of texts that are measured, special tokens included.
	Tokens []int
	// Samples are lists of texts to measure as they are, instead of such ones.
	Samples [][]string
	// Threads are the numbers of threads that are measured.
	Threads []int
	// For is how long each point is measured, at least.
	For time.Duration
	// Progress is called before each step with how many there are; nil for nobody.
	Progress func(done, all int)
}

// ModelReport is what measuring a model gives.
type ModelReport struct {
	Model     string       `json:"model"`
	Precision string       `json:"precision"`
	Runtime   string       `json:"runtime"` // what computed it: native or onnx
	Dim       int          `json:"dimension"`
	Points    []ModelPoint `json:"points"`
	// LimitGOPS is how many billion multiplications and additions a second one
	// core does in products of matrices in its cache, in the precision's own
	// kernels; 0 where vecdb has none for it.
	LimitGOPS float64   `json:"limit_gops,omitempty"`
	Fidelity  *Fidelity `json:"fidelity,omitempty"` // nil where there is no float32 to compare with
	Host
	MatrixKernels string `json:"matrix_kernels"` // of vecdb's own runtime
}

// ModelPoint is the speed at one length of texts.
type ModelPoint struct {
	Tokens            float64 `json:"tokens"` // of a text, on average
	Threads           int     `json:"threads"`
	TextsPerSecond    float64 `json:"texts_per_second"`
	TokensPerSecond   float64 `json:"tokens_per_second"`
	TextsPerCPUSecond float64 `json:"texts_per_cpu_second"` // 0 where the system does not tell
	P50               float64 `json:"query_p50_us"`         // of one text at a time
	P99               float64 `json:"query_p99_us"`
	GOPS              float64 `json:"gops"`                       // of the model's products of matrices, a CPU second
	ShareOfLimit      float64 `json:"share_of_limit,omitempty"`   // GOPS by LimitGOPS
	TimesOneThread    float64 `json:"times_one_thread,omitempty"` // texts a second by those of one thread
}

// Fidelity tells how near vectors are to those in float32.
type Fidelity struct {
	Texts       int     `json:"texts"`
	MeanCosine  float64 `json:"mean_cosine"`
	LeastCosine float64 `json:"least_cosine"`
}

// fidelityTexts is how many texts of each length are compared with float32.
const fidelityTexts = 100

// MeasureModel measures a model.
func MeasureModel(ctx context.Context, o ModelOptions) (*ModelReport, error) {
	r := &ModelReport{Model: o.Model.Name, Precision: string(o.Precision), Runtime: o.Runtime, Dim: o.Model.Dim, Host: thisHost(), MatrixKernels: matrix.Kernels()}
	samples := o.Samples
	lengths := len(o.Tokens)
	if len(samples) > 0 {
		lengths = len(samples)
	}
	all, done := len(o.Threads)*lengths+2, 0
	step := func() {
		if o.Progress != nil {
			o.Progress(done, all)
		}
		done++
	}
	step()
	switch o.Precision {
	case embedder.Int8:
		r.LimitGOPS = productLimit(matrix.Int8)
	case embedder.BF16:
		r.LimitGOPS = productLimit(matrix.BFloat16)
	}
	for _, threads := range o.Threads {
		embed, finish, err := o.Open(threads)
		if err != nil {
			return nil, err
		}
		for i := range lengths {
			step()
			if len(samples) == i {
				texts, err := textsOf(ctx, embed, o.Text, o.Tokens[i])
				if err != nil {
					return nil, err
				}
				samples = append(samples, texts)
			}
			p, err := speed(ctx, embed, samples[i], o.For)
			if err != nil {
				return nil, err
			}
			p.Threads = threads
			p.GOPS = p.TextsPerCPUSecond * o.operations(p.Tokens) / 1e9
			if r.LimitGOPS > 0 {
				p.ShareOfLimit = p.GOPS / r.LimitGOPS
			}
			if threads > 1 && len(r.Points) > i && r.Points[i].Threads == 1 {
				p.TimesOneThread = p.TextsPerSecond / r.Points[i].TextsPerSecond
			}
			r.Points = append(r.Points, p)
		}
		if done == all-1 && o.Exact != nil {
			step()
			if r.Fidelity, err = fidelity(ctx, embed, o.Exact, samples); err != nil {
				return nil, err
			}
		}
		if err := finish(); err != nil {
			return nil, err
		}
	}
	return r, nil
}

// operations returns the multiplications and additions of the products of
// matrices for a text, of a BERT with a feed-forward part of four times its width.
func (o ModelOptions) operations(tokens float64) float64 {
	h, layers := float64(o.Model.Dim), float64(o.Model.Layers)
	return layers * (24*h*h*tokens + 4*h*tokens*tokens)
}

// speed embeds texts again and again.
func speed(ctx context.Context, embed Embed, texts []string, least time.Duration) (ModelPoint, error) {
	var p ModelPoint
	r, err := embed(ctx, embedder.Passage, texts) // warms up
	if err != nil {
		return p, err
	}
	tokens := 0
	for _, u := range r.Usage {
		tokens += u.Used
	}
	p.Tokens = float64(tokens) / float64(len(texts))
	begin, cpu, n := time.Now(), cpuTime(), 0
	for n == 0 || time.Since(begin) < least {
		if _, err := embed(ctx, embedder.Passage, texts); err != nil {
			return p, err
		}
		n += len(texts)
	}
	p.TextsPerSecond = per(n, time.Since(begin))
	p.TextsPerCPUSecond = per(n, cpuTime()-cpu)
	p.TokensPerSecond = p.TextsPerSecond * p.Tokens
	var times []time.Duration
	for begin := time.Now(); len(times) < 20 || len(times) < 2000 && time.Since(begin) < least; {
		start := time.Now()
		if _, err := embed(ctx, embedder.Query, texts[len(times)%len(texts):][:1]); err != nil {
			return p, err
		}
		times = append(times, time.Since(start))
	}
	l := percentiles(times)
	p.P50, p.P99 = l.p50, l.p99
	return p, nil
}

// textsOf cuts texts of about so many tokens out of a text, as many as a second
// or so takes.
func textsOf(ctx context.Context, embed Embed, text string, tokens int) ([]string, error) {
	pieces := piecesOf(text)
	length, want := max(1, tokens/2), min(256, max(32, 8192/tokens))
	for try := 0; ; try++ {
		out := make([]string, want)
		for i := range out {
			from := i * 97 % len(pieces)
			for len(out[i]) == 0 || from < i*97%len(pieces)+length {
				out[i] += pieces[from%len(pieces)]
				from++
			}
			out[i] = strings.TrimSpace(out[i])
		}
		r, err := embed(ctx, embedder.Passage, out[:min(want, 32)])
		if err != nil {
			return nil, err
		}
		sum := 0
		for _, u := range r.Usage {
			sum += u.Total
		}
		mean := float64(sum) / float64(len(r.Usage))
		if try == 4 || math.Abs(mean-float64(tokens)) < 0.03*float64(tokens) {
			return out, nil
		}
		length = max(1, int(math.Round(float64(length)*float64(tokens-2)/max(1, mean-2))))
	}
}

// piecesOf cuts a text behind spaces and between ideographs.
func piecesOf(text string) []string {
	var out []string
	begin, wide := 0, false
	for i, r := range text {
		han := unicode.Is(unicode.Han, r)
		if i > begin && (han || wide || text[i-1] == ' ') {
			out = append(out, text[begin:i])
			begin = i
		}
		wide = han
	}
	return append(out, text[begin:])
}

// fidelity compares vectors with those in float32.
func fidelity(ctx context.Context, embed, exact Embed, samples [][]string) (*Fidelity, error) {
	f := &Fidelity{LeastCosine: 1}
	for _, texts := range samples {
		texts = texts[:min(len(texts), fidelityTexts)]
		a, err := embed(ctx, embedder.Passage, texts)
		if err != nil {
			return nil, err
		}
		b, err := exact(ctx, embedder.Passage, texts)
		if err != nil {
			return nil, fmt.Errorf("embed in float32: %w", err)
		}
		for i, v := range a.Vectors {
			cosine := 0.0
			for j, x := range v {
				cosine += float64(x) * float64(b.Vectors[i][j])
			}
			f.MeanCosine += cosine
			f.LeastCosine = min(f.LeastCosine, cosine)
			f.Texts++
		}
	}
	if f.Texts == 0 {
		return nil, core.Invalid("", "", "there are no texts to compare")
	}
	f.MeanCosine /= float64(f.Texts)
	return f, nil
}

// productLimit measures products of matrices that lie in the cache, and returns
// the best rate in billion multiplications and additions a second.
func productLimit(kind matrix.Kind) float64 {
	const rows, in, out = matrix.BlockRows, 768, 256
	weights := matrix.Pack(kind, in, out, func(output int, w []float32) {
		for i := range w {
			w[i] = float32((output*7+i*3)%17 - 8)
		}
	}).Fit()
	x, dst, bias := make([]float32, rows*in), make([]float32, rows*out), make([]float32, out)
	for i := range x {
		x[i] = float32(i%13 - 6)
	}
	var left matrix.Rows
	left.Set(kind, x, rows, in)
	var rates []float64
	for range 20 {
		n, begin, cpu := 0, time.Now(), cpuTime()
		for time.Since(begin) < 10*time.Millisecond {
			weights.Mul(dst, &left, bias, matrix.Store)
			n++
		}
		took := cpuTime() - cpu // so that other work of the machine does not matter
		if took <= 0 {
			took = time.Since(begin)
		}
		rates = append(rates, float64(n)*2*rows*in*out/took.Seconds()/1e9)
	}
	return slices.Max(rates)
}
