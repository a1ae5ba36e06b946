package recommender

import (
	"cmp"
	"context"
	"errors"
	"math"
	"slices"
	"sync"
	"time"

	"github.com/vecdb/vecdb/internal/simd"
)

// What a model is made with. The numbers were chosen on events held out from
// the public MovieLens (small) ratings; decision 15 has the figures.
const (
	// DefaultDense is how many of the most used items are weighed against each
	// other all at once.
	DefaultDense = 4096
	// MaxItems bounds the items of a model; less used ones are left out.
	MaxItems = 200_000

	maxHistory = 300  // latest items of a user that count in training
	nearness   = 20.0 // items so many apart in a history count half
	// The ridge and the weight of the likeness of texts follow the mean of the
	// diagonal of the Gram matrix, which is about 10 on MovieLens: few events
	// take less of both, and many not much more.
	ridge, maxRidge = 20.0, 500.0
	textWeight      = 1.0
	maxTextWeight   = 10.0
	keptDense       = 300 // weights that an item keeps
	keptTail        = 60
	tailWeight      = 0.1 // of an item that is not among the dense ones
	tailShrink      = 5.0
	popHalf         = 180 * 24 * time.Hour // after which an event counts half for popularity
)

// ErrNothing is what Train returns when there is nothing to learn from.
var ErrNothing = errors.New("no user has two items that are documents")

// Options of Train. The zero value is ready to use.
type Options struct {
	Dense   int // 0 is DefaultDense
	Workers int // goroutines; 0 is GOMAXPROCS
	// Progress, when not nil, is told how many parts of a phase are done of how many
	// there are, one call at a time. It does not wait.
	Progress func(phase string, done, total int)
}

// The phases of Train.
const (
	PhaseRead  = "read"  // the vectors of the items' documents
	PhaseCount = "count" // how much the dense items go together
	PhaseFit   = "fit"   // the weights between them
	PhaseKeep  = "keep"  // the largest of those of each item
	PhaseTail  = "tail"  // the weights of the other items
)

// Info describes a model.
type Info struct {
	Items   int       `json:"items"`
	Dense   int       `json:"dense"`   // of them weighed against each other all at once
	Users   int       `json:"users"`   // whose events it learnt from
	Pairs   int       `json:"pairs"`   // of a user and an item that it learnt from
	Weights int       `json:"weights"` // from an item to another
	Seq     uint64    `json:"seq"`     // the last event that it knows
	Trained time.Time `json:"trained"`
	Took    float64   `json:"took_seconds"`
}

// Train learns which items go together. vectors returns the vectors of the
// documents of ids, nil where there is no document: such items are left out.
//
// The dense part is EASE (Steck, "Embarrassingly shallow autoencoders for sparse
// data", WWW 2019): each item is predicted from all others of a history by the
// weights that a ridge regression gives in closed form, from the inverse of the
// Gram matrix of the items. Two things are added to that matrix. Items count
// together the more, the nearer they are in a history, as in Choi et al.,
// "Session-aware linear item-item models", WWW 2021. And the likeness of their
// texts counts like events, as in Jeunen et al., "Closed-form models for
// collaborative filtering with side-information", RecSys 2020. Less used items,
// beyond the dense ones, are weighed by the cosine of their columns.
func Train(ctx context.Context, b *Behavior, vectors func(ids []string) ([][]float32, error), o Options) (*Model, error) {
	begun := time.Now()
	t := &training{ctx: ctx, workers: o.Workers, tell: o.Progress, m: new(Model)}
	t.collect(b)
	if err := t.choose(b.Items(), vectors); err != nil {
		return nil, err
	}
	m := t.m
	m.info.Items, m.info.Dense = len(m.items), min(len(m.items), cmp.Or(o.Dense, DefaultDense))
	m.info.Users, m.info.Pairs = len(t.histories), t.pairs
	if len(t.histories) == 0 || len(m.items) < 2 {
		return nil, ErrNothing
	}
	t.index()
	rows, err := t.dense(m.info.Dense)
	if err != nil {
		return nil, err
	}
	rows = t.tail(rows, m.info.Dense)
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	m.setRows(rows)
	m.info.Weights = len(m.weights)
	m.info.Trained, m.info.Took = time.Now().UTC().Truncate(time.Second), time.Since(begun).Seconds()
	m.prepare()
	return m, nil
}

// training is the work of one Train.
type training struct {
	ctx     context.Context //nolint:containedctx // it lives as long as one call
	workers int
	tell    func(phase string, done, total int)
	m       *Model

	histories [][]strong // of a user, oldest first
	pairs     int
	newest    int64
	postings  [][]posting // of an item
	halves    []float32   // 2^(-gap/nearness)
	centered  [][]float32 // vectors of the items, of unit length
}

// begin tells that a phase begins and returns what is called when so many parts more
// of it are done.
func (t *training) begin(phase string, total int) func(parts int) {
	if t.tell == nil {
		return func(int) {}
	}
	var mu sync.Mutex // guards done, and calls of tell
	done := 0
	t.tell(phase, 0, total)
	return func(parts int) {
		mu.Lock()
		defer mu.Unlock()
		done += parts
		t.tell(phase, done, total)
	}
}

// strong is an item that a user liked, with how much; at first by the number of
// Behavior, then by that of the model.
type strong struct {
	item  uint32
	value float32
	time  int64
}

// posting is where an item stands in a history.
type posting struct {
	history uint32
	place   uint32
}

// collect takes from the histories what was liked.
func (t *training) collect(b *Behavior) {
	b.mu.RLock()
	defer b.mu.RUnlock()
	t.m.info.Seq = b.last
	for _, history := range b.users {
		var list []strong
		for _, x := range history {
			if x.value > 0 {
				list = append(list, strong{x.item, min(x.value, 1), x.time})
				t.newest = max(t.newest, x.time)
			}
		}
		if len(list) > 0 {
			t.histories = append(t.histories, list[max(0, len(list)-maxHistory):])
		}
	}
	// The order of a map is random, and sums of floats depend on it.
	slices.SortFunc(t.histories, func(a, b []strong) int {
		return slices.CompareFunc(a, b, func(x, y strong) int { return cmp.Or(cmp.Compare(x.item, y.item), cmp.Compare(x.time, y.time)) })
	})
}

// choose numbers the items that are documents, the most used first, and keeps
// their vectors and how popular they are.
func (t *training) choose(ids []string, vectors func([]string) ([][]float32, error)) error {
	count, popular := make([]float32, len(ids)), make([]float32, len(ids))
	for _, history := range t.histories {
		for _, x := range history {
			count[x.item] += x.value
			age := float64(t.newest-x.time) / float64(popHalf.Microseconds())
			popular[x.item] += x.value * float32(math.Exp2(-age))
		}
	}
	var used []uint32
	for i, n := range count {
		if n > 0 {
			used = append(used, uint32(i))
		}
	}
	slices.SortStableFunc(used, func(a, b uint32) int { return cmp.Or(cmp.Compare(count[b], count[a]), cmp.Compare(ids[a], ids[b])) })
	used = used[:min(len(used), MaxItems)]
	number := make([]int32, len(ids))
	for i := range number {
		number[i] = -1
	}
	m, done := t.m, t.begin(PhaseRead, len(used))
	for part := range slices.Chunk(used, 1024) {
		names := make([]string, len(part))
		for i, old := range part {
			names[i] = ids[old]
		}
		found, err := vectors(names)
		if err == nil {
			err = t.ctx.Err()
		}
		if err != nil {
			return err
		}
		for i, v := range found {
			if v != nil {
				number[part[i]] = int32(len(m.items))
				m.items = append(m.items, names[i])
				m.popular = append(m.popular, popular[part[i]])
				t.centered = append(t.centered, slices.Clone(v))
			}
		}
		done(len(part))
	}
	t.renumber(number)
	m.setVectors(t.centered)
	return nil
}

// renumber puts the numbers of the model into the histories and leaves out what
// it does not know.
func (t *training) renumber(number []int32) {
	kept := t.histories[:0]
	for _, history := range t.histories {
		list := history[:0]
		for _, x := range history {
			if n := number[x.item]; n >= 0 {
				list = append(list, strong{uint32(n), x.value, x.time})
			}
		}
		if len(list) > 1 {
			kept = append(kept, list)
			t.pairs += len(list)
		}
	}
	t.histories = kept
}

// index notes where each item stands.
func (t *training) index() {
	t.postings = make([][]posting, len(t.m.items))
	for h, history := range t.histories {
		for place, x := range history {
			t.postings[x.item] = append(t.postings[x.item], posting{uint32(h), uint32(place)})
		}
	}
	t.halves = make([]float32, maxHistory)
	for gap := range t.halves {
		t.halves[gap] = float32(math.Exp2(-float64(gap) / nearness))
	}
}

// together adds to sum, by item, how much an item counts together with others
// in the histories: a row of the Gram matrix. touched gets the items that had 0
// before.
func (t *training) together(item int, sum []float32, touched []uint32) []uint32 {
	for _, p := range t.postings[item] {
		history := t.histories[p.history]
		own := history[p.place].value
		for place, x := range history {
			gap := place - int(p.place)
			if gap < 0 {
				gap = -gap
			}
			if sum[x.item] == 0 {
				touched = append(touched, x.item)
			}
			sum[x.item] += own * x.value * t.halves[gap]
		}
	}
	return touched
}

// weight is a weight from an item to another one.
type weight struct {
	to    uint32
	value float32
}

// dense returns for each of the first n items the weights to the others of them.
func (t *training) dense(n int) ([][]weight, error) {
	gram := newSquare(n)
	mean := 0.0
	for _, history := range t.histories {
		for _, x := range history {
			mean += float64(x.value) * float64(x.value)
		}
	}
	mean /= float64(len(t.m.items))
	text, diagonalAdds := float32(min(textWeight*mean, maxTextWeight)), float32(min(ridge*mean, maxRidge))
	scratch, counted := newScratches(len(t.m.items)), t.begin(PhaseCount, n)
	parallel(t.ctx, t.workers, n, func(i int) {
		defer counted(1)
		s := scratch.get()
		defer scratch.put(s)
		s.touched = t.together(i, s.sum, s.touched)
		row := gram.row(i)[:i+1]
		for j := range row {
			row[j] = s.sum[j]
			if t.centered != nil {
				row[j] += text * simd.Dot(t.centered[i], t.centered[j])
			}
		}
		row[i] += diagonalAdds
	})
	diagonal, err := gram.invert(t.ctx, t.workers, t.begin(PhaseFit, inverseSteps*n))
	if err != nil {
		return nil, err
	}
	rows, kept := make([][]weight, n), t.begin(PhaseKeep, n)
	parallel(t.ctx, t.workers, n, func(i int) {
		defer kept(1)
		list := make([]weight, 0, n)
		for j := range n {
			if j != i {
				// The weight of i for j is -P[i][j]/P[j][j], P being the inverse.
				list = append(list, weight{uint32(j), -gram.row(max(i, j))[min(i, j)] / diagonal[j]})
			}
		}
		rows[i] = farthest(list, keptDense)
	})
	return rows, t.ctx.Err()
}

// tail adds the weights between items of which one is not among the first n.
func (t *training) tail(rows [][]weight, n int) [][]weight {
	all := len(t.m.items)
	if all == n {
		return rows
	}
	rows = append(rows, make([][]weight, all-n)...)
	length := make([]float32, all)
	for i := range all {
		for _, p := range t.postings[i] {
			v := t.histories[p.history][p.place].value
			length[i] += v * v
		}
		length[i] = float32(math.Sqrt(float64(length[i] + tailShrink)))
	}
	scratch, done := newScratches(all), t.begin(PhaseTail, all)
	parallel(t.ctx, t.workers, all, func(i int) {
		defer done(1)
		s := scratch.get()
		defer scratch.put(s)
		s.touched = t.together(i, s.sum, s.touched)
		var list []weight
		for _, j := range s.touched {
			if int(j) != i && (i >= n || int(j) >= n) {
				list = append(list, weight{j, tailWeight * s.sum[j] / length[i] / length[j]})
			}
		}
		rows[i] = append(rows[i], farthest(list, keptTail)...)
	})
	return rows
}

// farthest keeps the n weights farthest from 0.
func farthest(list []weight, n int) []weight {
	slices.SortFunc(list, func(a, b weight) int {
		return cmp.Or(cmp.Compare(math.Abs(float64(b.value)), math.Abs(float64(a.value))), cmp.Compare(a.to, b.to))
	})
	return slices.Clone(list[:min(n, len(list))])
}
