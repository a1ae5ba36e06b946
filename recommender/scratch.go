package recommender

import "sync"

// scratch is a sum by item that is 0 everywhere between uses.
type scratch struct {
	sum     []float32
	touched []uint32
}

// scratches lends scratches to goroutines.
type scratches struct{ pool sync.Pool }

func newScratches(items int) *scratches {
	return &scratches{pool: sync.Pool{New: func() any { return &scratch{sum: make([]float32, items)} }}}
}

func (s *scratches) get() *scratch { return s.pool.Get().(*scratch) }

// put takes a scratch back and makes it 0 again.
func (s *scratches) put(x *scratch) {
	for _, i := range x.touched {
		x.sum[i] = 0
	}
	x.touched = x.touched[:0]
	s.pool.Put(x)
}
