// Package lexical finds documents by their words: an inverted index in memory
// over the same ordinals as the index of vectors, ranked by BM25 (Robertson and
// Zaragoza, "The Probabilistic Relevance Framework: BM25 and Beyond", 2009).
//
// Texts become terms in analyze.go. Each term has a list of postings, in the
// order of ordinals, that only grows at its end: searches read a published view
// of it while a writer appends behind the view, so that neither waits for the
// other. Documents are counted in pages of 4,096 ordinals, which hold their
// lengths; a search goes from page to page and leaves out the terms, and where
// it can the pages, that cannot bring anything into the best K any more
// (MaxScore by Turtle and Flood, 1995, with upper bounds of blocks as in Ding
// and Suel, "Faster top-k document retrieval using block-max indexes", 2011).
package lexical
