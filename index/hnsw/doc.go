// Package hnsw is the graph index: a hierarchical navigable small world (Malkov
// and Yashunin, arXiv 1603.09320) laid out for the memory of today's
// processors.
//
// A vector is moved into a space of its own by a random rotation and kept as
// integer codes: 8 bits a dimension next to the graph, 4 more apart from it.
// The block of a vertex is one run of cache lines with its codes, the numbers
// of its up to 32 neighbors and, in mode Fast, one bit a dimension of each
// neighbor as seen from the vertex (RaBitQ, arXiv 2405.12497). A step of a
// search reads one block: it computes the exact distance of the vertex and
// estimates those of all its neighbors together by table look-up (as
// SymphonyQG, arXiv 2411.12229, does), while the block of the next step is on
// its way from memory. The best are scored again by all 12 bits.
//
// Mode Compact leaves out the bits of the neighbors and the 4 fine bits, which
// takes about a quarter of the memory and more time.
//
// Mode Disk keeps 2 bits a dimension and the neighbors in memory, and the others
// in a mapped file: see twobits.go.
//
// Every vertex can be reached from every other: see tree.go. Vectors that hardly
// differ form crowds, of which only the leaders are in the graph: see crowd.go.
//
// Searches take no lock but for crowds and equal vectors. They may see a list of
// neighbors, or the bits of one, while it is being written; this can spoil an
// estimate, but never an answer, because every answer is scored by its own
// codes. A deleted vertex stays in place, unseen, until its slot has been taken
// out of all lists of neighbors and every search that began before has ended;
// only then it is used again.
//
// WriteSnapshot keeps a graph in a file in which its parts lie as in memory, and
// OpenSnapshot maps them: a start reads little, and changes go to copies of
// pages.
package hnsw
