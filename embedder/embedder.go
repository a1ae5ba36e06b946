// Package embedder turns text into vectors. Encoder is the whole chain of a
// Transformer model: a tokenizer (package token), a runtime that computes the
// hidden states (package ort), pooling and normalisation. A manifest names
// the models that vecdb knows; package hub brings their files to the machine.
package embedder

import (
	"context"
	"time"
)

// Kind says which side of a search a text stands on: some models want
// different prefixes for queries and for passages, and queries go ahead of
// passages in the queue.
type Kind uint8

// The kinds of a text.
const (
	Passage Kind = iota // a text to be stored
	Query               // a text to be searched with
)

// Usage tells how many tokens a text has and how many of them the model read;
// both count the special tokens. Used is smaller than Total when the text was
// truncated.
type Usage struct {
	Total int
	Used  int
}

// Result is what Embed returns: one vector and one usage a text, in the order
// of the texts. The vectors have unit length and belong to the caller.
type Result struct {
	Vectors  [][]float32
	Usage    []Usage
	Tokenize time.Duration // wall time spent on tokens
	Run      time.Duration // wall time spent waiting for and running the model
}

// Embedder turns texts into vectors of Dim numbers. It is safe for concurrent
// use. Texts must be valid UTF-8; the empty text gets the vector of its special tokens.
type Embedder interface {
	// Embed embeds texts. It returns ctx's error as soon as ctx ends.
	Embed(ctx context.Context, kind Kind, texts []string) (Result, error)
	// Split tells how to cut a text to be stored into at most so many passages
	// that the model takes as a whole. More are an error that matches
	// core.ErrTooLarge; a model that cannot tell returns ErrNoSpans.
	Split(ctx context.Context, text string, most int) (Parts, error)
	// Dim returns the length of the vectors.
	Dim() int
	// Close frees the model; calls under way are finished first.
	Close() error
}

// Tokenizer turns a text into the token ids of a model.
type Tokenizer interface {
	// Encode appends at most limit ids of text, special tokens included, to
	// dst and returns it together with the count that the whole text has. A
	// text that is cut keeps its closing special token. It is safe for
	// concurrent use.
	Encode(dst []int32, text string, limit int) (ids []int32, total int, err error)
}

// Batch is a packed batch of token sequences: the ids of all sequences one
// after the other, and the length of each.
type Batch struct {
	IDs     []int32
	Lengths []int
}

// Hidden is the model's output for a Batch. The vector of token t of sequence
// i is Data[(Offsets[i]+t)*Dim : (Offsets[i]+t+1)*Dim].
type Hidden struct {
	Data    []float32
	Offsets []int
	Dim     int
}

// Runtime computes the hidden states of a batch. One Runtime is one session;
// it is used by one goroutine at a time.
type Runtime interface {
	// Run computes the hidden states of b, which it does not keep. The result is
	// valid until the next Run or Close.
	Run(b Batch) (Hidden, error)
	// Close frees the session.
	Close() error
}
