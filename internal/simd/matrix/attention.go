package matrix

import "fmt"

// Attention computes the attention of one sequence at a time (Vaswani et al.,
// arXiv 1706.03762). The zero value is ready; it holds scratch memory and is for
// one goroutine at a time.
type Attention struct {
	scores []float32
}

// Apply attends within a sequence of n tokens. qkv has n rows, each of them the
// queries of all heads, then the keys, then the values, heads × size numbers
// each; dst has n rows of heads × size numbers.
func (a *Attention) Apply(dst, qkv []float32, n, heads, size int) {
	width := heads * size
	if n < 1 || width < 1 || len(dst) != n*width || len(qkv) != 3*n*width {
		panic(fmt.Sprintf("matrix: attention of %d tokens, %d heads of %d from %d to %d numbers", n, heads, size, len(qkv), len(dst)))
	}
	a.apply(dst, qkv, n, heads, size)
}
