package index

// Match is what one term of a query adds to the score of a document that was
// found by its words.
type Match struct {
	Term  string  `json:"term"`  // as it is in the index: in lower case, stemmed
	Count int     `json:"count"` // occurrences in the document, at most 255
	Score float32 `json:"score"` // its part of the sum
}
