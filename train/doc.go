// Package train learns classifiers from labelled examples, each a text, a
// vector or both: heads over the frozen embedder. It knows no collection and no
// store; the root package feeds it and keeps what comes out.
//
// # Features
//
// A text becomes words and pairs of words, and runs of Chinese, Japanese and
// Korean one to three characters, weighted by TF-IDF with sublinear counts and
// scaled to unit length. The unit vector of the embedder is joined to them. On
// sentiment and finance each side alone is beaten by both together.
//
// # Methods
//
// Linear is multinomial logistic regression on the joined features, solved in
// the dual by block coordinate ascent. Centroid compares a vector with the mean
// of each label's. Neighbors lets the nearest examples vote; the caller's index
// finds them. Where labels have few examples, the embedded names of the labels
// serve as examples too.
//
// Train cross-validates all of them on the examples, chooses the best and
// calibrates its probabilities on examples that were held out.
package train
