package hnsw

import (
	"cmp"
	"sync"
	"sync/atomic"
	"unsafe"
)

// upper holds the layers above the bottom. Their vertices are nodes with
// numbers of their own; a node has one list of neighbors for each layer that it
// is on.
type upper struct {
	nodes, lists *arena
	n            atomic.Int64 // nodes in use
	used         int          // lists in use
	free         [maxLevel + 1][]uint32
	mu           sync.Mutex // guards used and free
	locks        stripes    // of the lists
}

// node is a vertex above the bottom layer.
type node struct {
	slot  uint32 // both are read and written atomically where others may write
	level uint32 // 0 is a node that is not in use
	first uint32 // its list on layer 1; the others follow
	_     uint32
}

const (
	nodeLen = int(unsafe.Sizeof(node{}))
	listLen = 4 * upperDegree
)

func newUpper(slots int) (*upper, error) {
	nodes, err := newArena((slots/8+256)*nodeLen, 256*nodeLen)
	if err != nil {
		return nil, err
	}
	lists, err := newArena((slots/8+256)*listLen, 256*listLen)
	if err != nil {
		nodes.close()
		return nil, err
	}
	return &upper{nodes: nodes, lists: lists}, nil
}

func (u *upper) close() {
	u.nodes.close()
	u.lists.close()
}

func (u *upper) bytes() int64 { return int64(u.nodes.size() + u.lists.size()) }

func (u *upper) node(i uint32) *node {
	return (*node)(unsafe.Add(u.nodes.base(), uintptr(i)*uintptr(nodeLen)))
}

// neighbors is the list of node i on a layer from 1 to its level; it is read
// and written atomically, number by number.
func (u *upper) neighbors(i uint32, layer int) *[upperDegree]uint32 {
	at := uintptr(u.node(i).first) + uintptr(layer-1)
	return (*[upperDegree]uint32)(unsafe.Add(u.lists.base(), at*uintptr(listLen)))
}

// add makes a node without neighbors; ok is false when there is no room, which
// a vertex can do without.
func (u *upper) add(slot uint32, level int) (i uint32, ok bool) {
	u.mu.Lock()
	defer u.mu.Unlock()
	if f := u.free[level]; len(f) > 0 {
		i = f[len(f)-1]
		u.free[level] = f[:len(f)-1]
	} else {
		n := int(u.n.Load())
		if (n+1)*nodeLen > u.nodes.cap() || (u.used+level)*listLen > u.lists.cap() {
			return 0, false
		}
		i = uint32(n)
		if cmp.Or(u.nodes.use((n+1)*nodeLen), u.lists.use((u.used+level)*listLen)) != nil {
			return 0, false
		}
		u.node(i).first = uint32(u.used)
		u.used += level
	}
	for l := 1; l <= level; l++ {
		for j := range upperDegree {
			atomic.StoreUint32(&u.neighbors(i, l)[j], nobody)
		}
	}
	// Whoever goes through all nodes sees it when its lists are in order.
	nd := u.node(i)
	atomic.StoreUint32(&nd.slot, slot)
	atomic.StoreUint32(&nd.level, uint32(level))
	if int64(i) >= u.n.Load() {
		u.n.Store(int64(i) + 1)
	}
	return i, true
}

// remove gives a node, which no list holds any more, back.
func (u *upper) remove(i uint32) {
	u.mu.Lock()
	defer u.mu.Unlock()
	level := &u.node(i).level
	u.free[*level] = append(u.free[*level], i)
	atomic.StoreUint32(level, 0)
}

// holds returns the slot of node i, if that is in use.
func (u *upper) holds(i uint32) (slot uint32, ok bool) {
	nd := u.node(i)
	return atomic.LoadUint32(&nd.slot), atomic.LoadUint32(&nd.level) > 0
}

// load copies the neighbors of node i on a layer to out and returns how many
// there are.
func (u *upper) load(i uint32, layer int, out []uint32) int {
	m := 0
	for j := range upperDegree {
		if nb := atomic.LoadUint32(&u.neighbors(i, layer)[j]); nb != nobody {
			out[m] = nb
			m++
		}
	}
	return m
}

// descend goes greedily from the entry down to layer stop and returns the
// nearest node there.
func (g *graph) descend(s *scratch, i uint32, level, stop int) key {
	best := makeKey(g.slab.distance(s.q, g.upper.node(i).slot), i)
	for ; level > stop; level-- {
		for moved := true; moved; {
			moved = false
			m := g.upper.load(best.vertex(), level, s.list[:])
			for j := range m {
				s.list[upperDegree+j] = g.upper.node(s.list[j]).slot
			}
			g.distances(s, s.list[upperDegree:upperDegree+m])
			for j := range m {
				if k := makeKey(s.est[j], s.list[j]); k < best {
					best, moved = k, true
				}
			}
		}
	}
	return best
}

// beam searches one layer above the bottom for the ef nodes nearest to the
// query and leaves them in the pool.
func (g *graph) beam(s *scratch, start key, layer, ef int) {
	n := int(g.upper.n.Load())
	s.seen.reset(n)
	s.pool.reset(ef)
	s.pool.insert(start)
	s.seen.add(start.vertex())
	for {
		c, ok := s.pool.pop()
		if !ok {
			return
		}
		m := g.upper.load(c.vertex(), layer, s.list[:])
		fresh := 0
		for _, nb := range s.list[:m] {
			if int(nb) < n && s.seen.add(nb) {
				s.list[fresh] = nb
				fresh++
			}
		}
		for j := range fresh {
			s.list[upperDegree+j] = g.upper.node(s.list[j]).slot
		}
		g.distances(s, s.list[upperDegree:upperDegree+fresh])
		for j, nb := range s.list[:fresh] {
			if s.est[j] < s.pool.limit() {
				s.pool.insert(makeKey(s.est[j], nb))
			}
		}
	}
}
