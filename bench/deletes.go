package bench

import (
	"context"
	"fmt"
	"slices"
	"time"

	"github.com/vecdb/vecdb/index"
	"github.com/vecdb/vecdb/internal/core"
)

// deleteCycles is how often half of the vectors are deleted and inserted.
const deleteCycles = 3

// The phases of a cycle of deletes.
const (
	PhaseDeleted    = "deleted"
	PhaseReinserted = "reinserted"
)

// deletes deletes half of the vectors and inserts them under new ordinals, as
// a collection does with documents that are written again, and measures after
// either what has become of recall, speed and memory. What is exact is
// computed anew for the vectors that are left.
func (r *run) deletes(ctx context.Context, x *built, s setting) error {
	n := r.data.base.Len()
	ords := make([]core.Ord, n) // of each row
	x.rows = make([]int, n)
	for row := range n {
		ords[row], x.rows[row] = core.Ord(row), row
	}
	for cycle := 1; cycle <= deleteCycles; cycle++ {
		r.cfg.Progress(fmt.Sprintf("%s: delete and insert half of the vectors, %d of %d", x.name, cycle, deleteCycles))
		if err := r.deleteCycle(ctx, x, s, cycle, ords); err != nil {
			return err
		}
	}
	return nil
}

func (r *run) deleteCycle(ctx context.Context, x *built, s setting, cycle int, ords []core.Ord) error {
	n := len(ords)
	chosen := pick(r.cfg.Seed+uint64(cycle), n/2, n)
	begin := time.Now()
	if err := x.drop(ctx, chosen, ords); err != nil {
		return err
	}
	deleted := time.Since(begin).Seconds()
	left, err := r.truthOf(ctx, without(chosen, n))
	if err != nil {
		return err
	}
	if err := r.afterDeletes(ctx, x, s, left, func(p *Point) {
		p.Cycle, p.Phase, p.DeleteSeconds = cycle, PhaseDeleted, deleted
	}); err != nil {
		return err
	}
	begin = time.Now()
	if err := r.insert(ctx, x, x.renew(r.data, chosen, ords)); err != nil {
		return err
	}
	inserted := time.Since(begin).Seconds()
	return r.afterDeletes(ctx, x, s, r.truth, func(p *Point) {
		p.Cycle, p.Phase, p.DeleteSeconds, p.ReinsertSeconds = cycle, PhaseReinserted, deleted, inserted
	})
}

// afterDeletes measures one setting and reports what set completes.
func (r *run) afterDeletes(ctx context.Context, x *built, s setting, t *truth, set func(*Point)) error {
	x.weigh()
	trials := []*trial{r.newTrial(t, s, r.cfg.Threads[0])}
	if err := r.sweep(ctx, x, fmt.Sprintf("search %d vectors", x.Len()), trials); err != nil {
		return err
	}
	return r.tell(x, trials, func(p *Point) {
		p.Mode = ModeDeletes
		set(p)
	})
}

// truthOf finds the exact neighbours among some rows, without restricting
// searches to them.
func (r *run) truthOf(ctx context.Context, rows []core.Ord) (*truth, error) {
	nearest, err := r.nearest(ctx, "exact neighbours", r.data.queries, func(int) []core.Ord { return rows })
	return &truth{queries: r.data.queries, nearest: nearest}, err
}

// without returns the rows below n that are not among the chosen, in order.
func without(chosen []int, n int) []core.Ord {
	gone := make([]bool, n)
	for _, row := range chosen {
		gone[row] = true
	}
	var out []core.Ord
	for row, g := range gone {
		if !g {
			out = append(out, core.Ord(row))
		}
	}
	return out
}

// drop deletes rows.
func (x *built) drop(ctx context.Context, chosen []int, ords []core.Ord) error {
	for chunk := range slices.Chunk(chosen, defaultBatch) {
		if err := ctx.Err(); err != nil {
			return err
		}
		gone := make([]core.Ord, len(chunk))
		for i, row := range chunk {
			gone[i] = ords[row]
			x.rows[gone[i]] = noRow
		}
		x.Delete(gone...)
	}
	return nil
}

// renew gives rows new ordinals and returns the items to insert.
func (x *built) renew(d *dataset, chosen []int, ords []core.Ord) []index.Item {
	items := make([]index.Item, len(chosen))
	for i, row := range chosen {
		ords[row] = core.Ord(len(x.rows))
		x.rows = append(x.rows, row)
		items[i] = index.Item{Ord: ords[row], Vector: d.base.Row(row)}
	}
	return items
}
