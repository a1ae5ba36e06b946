package token

// trie holds a vocabulary as a double array (Aoe, "An efficient digital search
// algorithm by using a double-array structure", 1989): the child of node n by
// byte c is node nodes[n].base + c, if that node says that n is its parent.
type trie struct {
	nodes []node
}

type node struct {
	base   int32 // of the children; 0 for none
	parent int32 // -1 in a free place
	token  int32 // 1 + the id of the piece that ends here; 0 for none
}

// root is the node of the empty string.
const root int32 = 0

// none is the node of a string that begins no piece.
const none int32 = -1

// newTrie returns the trie of pieces that are sorted, each there once and none
// empty.
func newTrie(pieces []entry) *trie {
	b := builder{t: &trie{nodes: make([]node, 1, 4*len(pieces)+1)}, links: make([]link, 1, 4*len(pieces)+1)}
	b.place(root, pieces, 0)
	return b.t
}

// builder makes a trie. The free places form a ring through place 0, which is
// the root's and not free.
type builder struct {
	t     *trie
	links []link
}

type link struct{ next, last int32 }

// grow makes at least n places.
func (b *builder) grow(n int) {
	for len(b.links) < n {
		at, last := int32(len(b.links)), b.links[0].last
		b.t.nodes = append(b.t.nodes, node{parent: none})
		b.links = append(b.links, link{next: 0, last: last})
		b.links[last].next, b.links[0].last = at, at
	}
}

// take makes a free place the child of a node.
func (b *builder) take(at, parent int32) {
	l := b.links[at]
	b.links[l.last].next, b.links[l.next].last = l.next, l.last
	b.t.nodes[at].parent = parent
}

// place gives node n its children: the sorted entries agree in their first
// depth bytes.
func (b *builder) place(n int32, entries []entry, depth int) {
	if len(entries) > 0 && len(entries[0].text) == depth {
		b.t.nodes[n].token = entries[0].id + 1
		entries = entries[1:]
	}
	var labels []byte
	var starts []int
	for i, e := range entries {
		if c := e.text[depth]; i == 0 || c != labels[len(labels)-1] {
			labels, starts = append(labels, c), append(starts, i)
		}
	}
	if len(labels) == 0 {
		return
	}
	base := b.find(labels)
	b.t.nodes[n].base = base
	for _, c := range labels {
		b.take(base+int32(c), n)
	}
	for i, c := range labels {
		end := len(entries)
		if i+1 < len(starts) {
			end = starts[i+1]
		}
		b.place(base+int32(c), entries[starts[i]:end], depth+1)
	}
}

// find returns a base, at least 1, with free places for all labels. It looks
// at a bounded number of places, so that building takes time that grows with
// the vocabulary alone.
func (b *builder) find(labels []byte) int32 {
	const tries = 32
	first := int32(labels[0])
	at := b.links[0].next
	for range tries {
		if at == 0 {
			break
		}
		if base := at - first; base >= 1 && b.free(base, labels) {
			b.grow(int(base) + int(labels[len(labels)-1]) + 1)
			return base
		}
		at = b.links[at].next
	}
	base := max(1, int32(len(b.links))-first) // all is free behind the end
	b.grow(int(base) + int(labels[len(labels)-1]) + 1)
	return base
}

func (b *builder) free(base int32, labels []byte) bool {
	for _, c := range labels {
		if at := int(base) + int(c); at < len(b.links) && b.t.nodes[at].parent != none {
			return false
		}
	}
	return true
}

// walk returns the node that s leads to from the root, or none.
func (t *trie) walk(s string) int32 {
	n := root
	for i := range len(s) {
		if n = t.child(n, s[i]); n == none {
			return none
		}
	}
	return n
}

// id returns the id of a piece.
func (t *trie) id(piece string) (int32, bool) {
	n := t.walk(piece)
	if n == none || t.nodes[n].token == 0 {
		return 0, false
	}
	return t.nodes[n].token - 1, true
}

func (t *trie) child(n int32, c byte) int32 {
	if next := t.nodes[n].base + int32(c); int(next) < len(t.nodes) && t.nodes[n].base > 0 && t.nodes[next].parent == n {
		return next
	}
	return none
}

// longest returns the longest piece that begins text, walking on from node
// from, as its id and its length in bytes; the length is 0 when there is none.
func (t *trie) longest(from int32, text []byte) (id int32, length int) {
	nodes := t.nodes
	n := from
	base := nodes[n].base
	for i, c := range text {
		next := int(base) + int(c)
		if base == 0 || next >= len(nodes) || nodes[next].parent != n {
			break
		}
		n = int32(next)
		base = nodes[next].base
		if tok := nodes[next].token; tok != 0 {
			id, length = tok-1, i+1
		}
	}
	return id, length
}
