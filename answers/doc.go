// Package answers holds what answering questions takes beside search: filling in
// the placeholders of answer templates, telling how sure scores make an answer,
// and remembering the feedback of users. It knows no collection and no store;
// the root package feeds it and keeps what comes out.
//
// # How sure
//
// Among the answers that candidates lead to, one may be right, or none. A
// [Model] takes the score of each answer, and a bound that stands for "none of
// them", as logits of one softmax: an answer is sure when its score lies well
// above those of the other answers and above the bound. The weight of words
// beside vectors, the temperature and the bound are fitted to questions of the
// collection whose answer is known, by maximum likelihood, and shrunk to a
// default where there are few of these.
//
// # Feedback
//
// A question for which an answer was right is as good as a stored variant of
// that answer; one for which it was wrong speaks against the answer near that
// question.
package answers
