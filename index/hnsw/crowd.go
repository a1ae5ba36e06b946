package hnsw

import (
	"sync/atomic"

	"github.com/vecdb/vecdb/index"
	"github.com/vecdb/vecdb/internal/core"
)

// Vectors that the codes next to the graph hardly tell apart would link to each
// other only, and thousands of them would fill the beam of every search that
// comes by. So a crowd forms where many of them are: the first few are vertices
// as all others, and who comes later is a member of the crowd that one of those
// leads. A member has a slot and codes, but no place in the graph. A search that
// has found the leader scores the members by all bits that are stored.

const (
	// crowdFrom is how many vertices must be that near to a vector before it
	// becomes a member.
	crowdFrom = 8
	// crowdMost is how many members a search scores, or crowdShare times its
	// breadth if that is more.
	crowdMost  = 4096
	crowdShare = 64
)

// The marks in a meta's up, beside the parent. That of a member is its leader.
const (
	markMember = 1 << 31
	markLeads  = 1 << 30
)

func (s *slab) member(v uint32) bool { return atomic.LoadUint32(&s.meta(v).up)&markMember != 0 }
func (s *slab) leads(v uint32) bool  { return atomic.LoadUint32(&s.meta(v).up)&markLeads != 0 }

// memberOf reports whether v is a member of the crowd of a leader.
func (s *slab) memberOf(v, leader uint32) bool {
	return atomic.LoadUint32(&s.meta(v).up) == markMember|leader
}

// live reports whether vertex v holds an ordinal or leads a crowd.
func (g *graph) live(v uint32) bool { return g.slab.ord(v) != noOrd || g.slab.leads(v) }

// crowdRadius is the squared distance up to which vectors are taken for ones
// that 8-bit codes hardly tell apart; twice what rounding alone puts between two
// equal ones.
func (q *query) crowdRadius() float32 { return q.step * q.step * float32(len(q.rot)) / 3 }

// leader returns the vertex among those found whose crowd the query is to join,
// if it is one of many that are alike.
func (g *graph) leader(s *scratch) (uint32, bool) {
	keys := s.top.keys
	if len(keys) < crowdFrom || keys[crowdFrom-1].dist() > s.q.crowdRadius() {
		return 0, false
	}
	return keys[0].vertex(), true
}

// insertMember adds the packed vector to the crowd of a leader; it returns false
// when that has gone meanwhile.
func (g *graph) insertMember(s *scratch, ord core.Ord, leader uint32) (bool, error) {
	v, _, err := g.newSlot()
	if err != nil {
		return false, err
	}
	g.store(s, v)
	atomic.StoreUint32(&g.slab.meta(v).up, markMember|leader)
	if !g.join(v, leader, ord) {
		g.mu.Lock()
		g.bury(v)
		g.mu.Unlock()
		return false, nil
	}
	g.publish(ord, v)
	if !g.stay(v, leader, ord) {
		atomic.StoreUint32(&g.slab.meta(v).up, unlinked)
		g.link(s, v, core.NoOrd)
	}
	return true, nil
}

// stay puts ord, which another change of it may have taken out before it was
// published, into the crowd again if v holds it; it returns false when the leader
// has died of that.
func (g *graph) stay(v, leader uint32, ord core.Ord) bool {
	g.mu.Lock()
	defer g.mu.Unlock()
	if g.slots.get(ord) != v {
		return true
	}
	if set := g.crowds[leader]; set != nil {
		set.Add(ord)
		return true
	}
	return g.lead(leader, ord)
}

// lead makes ord the first in the crowd of a leader; it returns false when that
// is dead. The caller holds the lock.
func (g *graph) lead(leader uint32, ord core.Ord) bool {
	if !g.live(leader) || g.slab.member(leader) {
		return false
	}
	g.crowds[leader] = core.NewSet(ord)
	g.crowded.Add(1)
	atomic.OrUint32(&g.slab.meta(leader).up, markLeads)
	return true
}

// join makes v, which is to hold ord, a member of the crowd of a leader; it
// returns false when the leader is dead.
func (g *graph) join(v, leader uint32, ord core.Ord) bool {
	g.mu.Lock()
	defer g.mu.Unlock()
	if set := g.crowds[leader]; set != nil {
		set.Add(ord)
	} else if !g.lead(leader, ord) {
		return false
	}
	g.slab.setOrd(v, uint32(ord))
	return true
}

// leave takes ord, which member v no longer holds, out of its crowd. A leader
// without ordinal and crowd is dead. The caller holds the lock.
func (g *graph) leave(v uint32, ord core.Ord) {
	leader := g.slab.parent(v)
	set := g.crowds[leader]
	if set == nil {
		return
	}
	if now := g.slots.get(ord); now != nobody && g.slab.memberOf(now, leader) {
		return // it is in another member's place
	}
	set.Remove(ord)
	if set.Len() > 0 {
		return
	}
	delete(g.crowds, leader)
	g.crowded.Add(-1)
	atomic.AndUint32(&g.slab.meta(leader).up, ^uint32(markLeads))
	if g.slab.ord(leader) == noOrd {
		g.bury(leader)
	}
}

// crowd returns up to limit of the allowed ordinals of the members that leader
// leads.
func (g *graph) crowd(leader uint32, allow *core.Set, limit int) []core.Ord {
	g.mu.RLock()
	defer g.mu.RUnlock()
	return some(g.crowds[leader], allow, limit)
}

// crowdLen is how many members leader leads.
func (g *graph) crowdLen(leader uint32) int {
	g.mu.RLock()
	defer g.mu.RUnlock()
	if set := g.crowds[leader]; set != nil {
		return set.Len()
	}
	return 0
}

// found is how many ordinals the vertices of s.top stand for, at least.
func (g *graph) found(s *scratch) int {
	n := len(s.top.keys)
	if g.crowded.Load() > 0 {
		for _, c := range s.top.keys {
			if g.slab.leads(c.vertex()) {
				n += g.crowdLen(c.vertex())
			}
		}
	}
	return n
}

// refineCrowds appends the allowed members of the crowds that the vertices of
// keys lead with their scores, up to limit.
func (g *graph) refineCrowds(s *scratch, out []index.Neighbor, keys []key, limit int, allow *core.Set) []index.Neighbor {
	for _, c := range keys {
		if v := c.vertex(); limit > 0 && g.slab.leads(v) {
			before := len(out)
			out = g.scoreCrowd(s, out, v, allow, limit)
			limit -= len(out) - before
		}
	}
	return out
}

// scoreCrowd appends the allowed members of the crowd of a leader with their
// scores, up to limit.
func (g *graph) scoreCrowd(s *scratch, out []index.Neighbor, leader uint32, allow *core.Set, limit int) []index.Neighbor {
	const ahead = 16
	ords := g.crowd(leader, allow, limit)
	for i, ord := range ords {
		if i%ahead == 0 {
			for _, next := range ords[i:min(len(ords), i+ahead)] {
				if v := g.slots.get(next); v != nobody {
					s.touched += touch(g.slab.highs(v)) + touch(g.slab.lows(v))
				}
			}
		}
		v := g.slots.get(ord)
		if v == nobody || !g.slab.memberOf(v, leader) {
			continue
		}
		score := g.space.score(s.q, g.slab.dot(s.q, v), g.slab.meta(v).full2)
		if g.slots.get(ord) == v {
			out = append(out, index.Neighbor{Ord: ord, Score: score})
		}
	}
	return out
}

// leaders puts the leaders of members in s.top in their place, as members are
// not linked to.
func (g *graph) leaders(s *scratch) {
	if g.crowded.Load() == 0 {
		return
	}
	there := make(map[uint32]bool)
	keys := s.top.keys[:0]
	for _, c := range s.top.keys {
		v := c.vertex()
		if g.slab.member(v) {
			v = g.slab.parent(v)
			c = makeKey(c.dist(), v) // it is hardly farther or nearer
		}
		if !there[v] {
			there[v] = true
			keys = append(keys, c)
		}
	}
	s.top.keys = keys
}
