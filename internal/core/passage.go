package core

// Passage is a part of a document's text that has a vector of its own.
type Passage struct {
	Start, End int       // its bytes in the text
	Tokens     int       // that the model read of it, special ones included
	Vector     []float32 // nil where it was not asked for
}

// Reading tells what a model read of a text that has more tokens than it takes
// at once. Documents with shorter texts have none.
type Reading struct {
	TokensTotal int // of the text
	TokensUsed  int // of them, those that the model read
	// Passages holds the parts that the text was cut into, at least two, in
	// their order; it is empty where the text was truncated.
	Passages []Passage
}
