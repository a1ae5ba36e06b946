package field

import (
	"math/bits"

	"github.com/vecdb/vecdb/internal/core"
)

// codes tells which values an ordinal holds, where the sets of a column tell
// which ordinals hold a value: what counts the values of many ordinals goes
// through them once. Each plain value of a column, which times are not, has a
// code. Pages that hold nothing are not there.
type codes struct {
	pages  []*page
	values []*value // by code; nil where there is none any more. There is no code 0.
	sizes  []uint32 // by code: how many ordinals hold it
	free   []uint32 // codes that can be given again
	more   map[core.Ord][]uint32
	held   int // pages that are there
}

const (
	pageSize = 1024
	setShare = 64         // as many ordinals are gone through in the time of intersecting the set of a value
	several  = ^uint32(0) // the ordinal holds several values, which are in more
)

type page struct {
	used  int
	codes [pageSize]uint32 // 0 for none
}

// enter gives v a code.
func (c *codes) enter(v *value) {
	if n := len(c.free); n > 0 {
		v.code = c.free[n-1]
		c.free = c.free[:n-1]
		c.values[v.code] = v
		return
	}
	if len(c.values) == 0 {
		c.values, c.sizes = make([]*value, 1), make([]uint32, 1)
	}
	v.code = uint32(len(c.values))
	c.values = append(c.values, v)
	c.sizes = append(c.sizes, 0)
}

// leave takes the code of v back.
func (c *codes) leave(v *value) {
	c.values[v.code], c.sizes[v.code] = nil, 0
	c.free = append(c.free, v.code)
}

// note notes that ord holds v too.
func (c *codes) note(ord core.Ord, v *value) {
	at := int(ord / pageSize)
	for len(c.pages) <= at {
		c.pages = append(c.pages, nil)
	}
	p := c.pages[at]
	if p == nil {
		p = new(page)
		c.pages[at] = p
		c.held++
	}
	c.sizes[v.code]++
	switch code := &p.codes[ord%pageSize]; *code {
	case 0:
		*code = v.code
		p.used++
	case several:
		c.more[ord] = append(c.more[ord], v.code)
	default:
		if c.more == nil {
			c.more = make(map[core.Ord][]uint32)
		}
		c.more[ord] = []uint32{*code, v.code}
		*code = several
	}
}

// forget notes that ord holds nothing any more.
func (c *codes) forget(ord core.Ord) {
	for _, code := range c.of(ord) {
		c.sizes[code]--
	}
	at := int(ord / pageSize)
	if at >= len(c.pages) || c.pages[at] == nil || c.pages[at].codes[ord%pageSize] == 0 {
		return
	}
	delete(c.more, ord)
	p := c.pages[at]
	p.codes[ord%pageSize] = 0
	if p.used--; p.used == 0 {
		c.pages[at] = nil
		c.held--
	}
}

// of returns the codes of the values that ord holds; they are the column's own.
func (c *codes) of(ord core.Ord) []uint32 {
	at := int(ord / pageSize)
	if at >= len(c.pages) || c.pages[at] == nil {
		return nil
	}
	p, i := c.pages[at], ord%pageSize
	switch p.codes[i] {
	case 0:
		return nil
	case several:
		return c.more[ord]
	}
	return p.codes[i : i+1]
}

// count counts the ordinals that hold each value, by code, among those within,
// nil for all. The counts are not to be changed.
func (c *codes) count(within *core.Set) []uint32 {
	if within == nil {
		return c.sizes
	}
	counts := make([]uint32, len(c.values))
	if len(counts) < within.Len()/setShare {
		for code, v := range c.values {
			if v != nil {
				counts[code] = uint32(v.among(within))
			}
		}
		return counts
	}
	c.walk(within, func(code uint32) { counts[code]++ }, func(list []uint32) {
		for _, code := range list {
			counts[code]++
		}
	})
	return counts
}

// walk goes through the ordinals within, nil for all: it calls one with the code
// of those that hold one value and more with the codes of those that hold more.
func (c *codes) walk(within *core.Set, one func(uint32), more func([]uint32)) {
	members := make([]uint64, pageSize/64)
	var cursor *core.Cursor
	if within != nil {
		cursor = within.Cursor()
	}
	for at, p := range c.pages {
		first := core.Ord(at) * pageSize
		switch {
		case p == nil:
			continue
		case cursor == nil:
			for i := range members {
				members[i] = ^uint64(0)
			}
		case !cursor.Fill(members, first):
			continue
		}
		for i, word := range members {
			for ; word != 0; word &= word - 1 {
				place := i*64 + bits.TrailingZeros64(word)
				switch code := p.codes[place]; code {
				case 0:
				case several:
					more(c.more[first+core.Ord(place)])
				default:
					one(code)
				}
			}
		}
	}
}

func (c *codes) sizeBytes() int64 {
	const perPage, perValue, perSeveral = 4*pageSize + 16, 16, 64
	return int64(c.held)*perPage + int64(len(c.pages))*8 + int64(len(c.values))*perValue + int64(len(c.more))*perSeveral
}
