package native

import (
	"fmt"
	"math"

	"github.com/vecdb/vecdb/embedder"
	"github.com/vecdb/vecdb/internal/core"
	"github.com/vecdb/vecdb/internal/simd/matrix"
)

// chunkTokens is how many tokens, or more where one text has more, go through
// all layers together: so many that the weights are worth fetching, and so few
// that what is computed stays in the second-level cache.
const chunkTokens = 256

// session runs a model. It keeps its memory between runs; it only grows.
type session struct {
	shared    *shared // nil when closed
	m         *model
	firstOnly bool // only the vector of the first token is wanted

	x, mixed, wide []float32
	firsts         []float32 // with firstOnly, the vectors that are wanted
	starts         []int
	rows           matrix.Rows
	attention      matrix.Attention
}

var _ embedder.Runtime = (*session)(nil)

// Run implements embedder.Runtime.
func (s *session) Run(b embedder.Batch) (embedder.Hidden, error) {
	if s.shared == nil {
		return embedder.Hidden{}, core.ErrClosed
	}
	most, err := s.check(b)
	if err != nil {
		return embedder.Hidden{}, err
	}
	h := s.m.Hidden
	s.grow(len(b.IDs), most)
	s.starts, s.firsts = s.starts[:0], s.firsts[:0]
	at := 0 // tokens that are done
	for i := 0; i < len(b.Lengths); {
		j, n := i, 0
		for ; j < len(b.Lengths) && (n == 0 || n+b.Lengths[j] <= chunkTokens); j++ {
			s.starts = append(s.starts, at+n)
			n += b.Lengths[j]
		}
		s.chunk(s.x[at*h:(at+n)*h], b.IDs[at:at+n], b.Lengths[i:j])
		i, at = j, at+n
	}
	if s.firstOnly {
		for i := range s.starts {
			s.starts[i] = i
		}
		return embedder.Hidden{Data: s.firsts, Offsets: s.starts, Dim: h}, nil
	}
	return embedder.Hidden{Data: s.x[:at*h], Offsets: s.starts, Dim: h}, nil
}

// check looks at a batch and returns the most tokens of a chunk.
func (s *session) check(b embedder.Batch) (most int, err error) {
	total := 0
	for _, n := range b.Lengths {
		if n < 1 || n > s.m.Positions {
			return 0, core.Invalid("", "", "a text has %d tokens and the model reads 1 to %d", n, s.m.Positions)
		}
		total += n
		most = max(most, n)
	}
	if total != len(b.IDs) {
		return 0, core.Invalid("", "", "a batch of %d tokens has texts of %d", len(b.IDs), total)
	}
	for _, id := range b.IDs {
		if id < 0 || int(id) >= s.m.Words {
			return 0, core.Invalid("", "the tokenizer is that of another model", "token %d is not in the model's vocabulary of %d", id, s.m.Words)
		}
	}
	return min(total, max(most, chunkTokens)), nil
}

// grow makes place for tokens in all and so many in a chunk.
func (s *session) grow(tokens, chunk int) {
	h := s.m.Hidden
	if cap(s.x) < tokens*h {
		s.x = make([]float32, tokens*h)
	}
	s.x = s.x[:tokens*h]
	if cap(s.mixed) < chunk*h {
		s.mixed = make([]float32, chunk*h)
		s.wide = make([]float32, min(chunk, matrix.BlockRows)*s.m.Inner)
	}
}

// chunk computes the hidden states of some texts into x.
func (s *session) chunk(x []float32, ids []int32, lengths []int) {
	s.embed(x, ids, lengths)
	for i := range s.m.layers {
		l, mixed := &s.m.layers[i], s.mixed[:len(x)]
		s.attend(l, mixed, x, lengths)
		if s.firstOnly && i == len(s.m.layers)-1 {
			x, mixed = s.onlyFirst(x, mixed, lengths)
		}
		s.feed(l, x, mixed)
	}
}

// onlyFirst returns the rows of x and of mixed that belong to first tokens.
func (s *session) onlyFirst(x, mixed []float32, lengths []int) (firstX, firstMixed []float32) {
	h, from, at := s.m.Hidden, len(s.firsts), 0
	for i, n := range lengths {
		s.firsts = append(s.firsts, x[at*h:(at+1)*h]...)
		copy(mixed[i*h:(i+1)*h], mixed[at*h:(at+1)*h])
		at += n
	}
	return s.firsts[from:], mixed[:len(lengths)*h]
}

// embed puts the embeddings of the tokens into x.
func (s *session) embed(x []float32, ids []int32, lengths []int) {
	h, at := s.m.Hidden, 0
	for _, n := range lengths {
		for t, id := range ids[at : at+n] {
			s.m.words.add(x[(at+t)*h:][:h], int(id), s.m.positions[t*h:][:h])
		}
		at += n
	}
	matrix.LayerNorm(x, s.m.first.gain, s.m.first.bias, s.m.Epsilon)
}

// add puts the embedding of a word plus that of its position into dst.
func (w *words) add(dst []float32, id int, position []float32) {
	n := len(dst)
	position = position[:n]
	if w.half != nil {
		for d, b := range w.half[id*n:][:n] {
			dst[d] = position[d] + math.Float32frombits(uint32(b)<<16)
		}
		return
	}
	low, scale := w.low[id], w.scale[id]
	for d, b := range w.data[id*n:][:n] {
		dst[d] = position[d] + low + scale*float32(b)
	}
}

// attend puts into mixed what the tokens take from one another.
func (s *session) attend(l *layer, mixed, x []float32, lengths []int) {
	h, at := s.m.Hidden, 0
	n := len(x) / h
	s.rows.Set(s.m.kind(), x, n, h)
	s.attention.Project(l.qkv, &s.rows, l.qkvBias, s.m.Heads)
	for _, tokens := range lengths {
		s.attention.Apply(mixed[at*h:(at+tokens)*h], at, tokens)
		at += tokens
	}
}

// feed does the rest of a layer in place, for some rows at a time, so that they
// stay in the cache.
func (s *session) feed(l *layer, x, mixed []float32) {
	h, kind, eps := s.m.Hidden, s.m.kind(), s.m.Epsilon
	n := len(x) / h
	for i := 0; i < n; i += matrix.BlockRows {
		rows := min(matrix.BlockRows, n-i)
		block, wide := x[i*h:(i+rows)*h], s.wide[:rows*s.m.Inner]
		s.rows.Set(kind, mixed[i*h:(i+rows)*h], rows, h)
		l.out.Mul(block, &s.rows, l.outBias, matrix.Add)
		matrix.LayerNorm(block, l.attended.gain, l.attended.bias, eps)
		s.rows.Set(kind, block, rows, h)
		l.up.Mul(wide, &s.rows, l.upBias, matrix.GELU)
		s.rows.Set(kind, wide, rows, s.m.Inner)
		l.down.Mul(block, &s.rows, l.downBias, matrix.Add)
		matrix.LayerNorm(block, l.done.gain, l.done.bias, eps)
	}
}

// Close implements embedder.Runtime. Closing twice is no error.
func (s *session) Close() error {
	if s.shared == nil {
		return nil
	}
	shared := s.shared
	s.shared, s.m = nil, nil
	if err := shared.release(); err != nil {
		return fmt.Errorf("close the model: %w", err)
	}
	return nil
}
