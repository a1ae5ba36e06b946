// Package bundle holds the default models within the binary, where it was built
// with the tag release; `make release` does that. In other builds it is empty.
package bundle

// Model is a model within the binary.
type Model struct {
	// Pack is the packed model for vecdb's own runtime, in int8.
	Pack []byte
	// Tokenizer is its tokenizer.json.
	Tokenizer []byte
}

// Find returns the model that was packed from the file with this SHA-256, in
// hexadecimal.
func Find(source string) (Model, bool) {
	m, there := models[source]
	return m, there
}
