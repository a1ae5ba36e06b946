package query

import (
	"github.com/vecdb/vecdb/index"
	"github.com/vecdb/vecdb/internal/core"
)

// Limits and defaults of a request.
const (
	DefaultLimit = 10
	MaxLimit     = 10_000
	MaxExamples  = 1_000 // liked and disliked entries each
	MaxExcluded  = 10_000
	MaxTexts     = 1_000 // texts of one classification
	MaxEf        = 100_000

	DefaultNeighbors   = 20
	MaxNeighbors       = 1_000
	DefaultTemperature = 0.05
	DefaultLabelField  = "label"
)

// Mode says by what documents are ranked.
type Mode string

// The modes. Dense ranks by the similarity of vectors, Lexical by the words that
// a text and a document share (BM25), Hybrid by both. The default is Hybrid
// where a text is searched for and Dense for everything else.
const (
	Dense   Mode = "dense"
	Lexical Mode = "lexical"
	Hybrid  Mode = "hybrid"
)

// Behavioral is the mode of recommendations by what users do. It is told in
// explanations; nobody asks for it.
const Behavioral Mode = "behavior"

// Fusion says how the scores of both ways become one.
type Fusion string

// FusionWeighted takes half of the cosine and half of the share that the words
// reach of their bound; it is the default where the metric is cosine.
// FusionRRF adds up 1/(10+rank) over both ways (reciprocal rank fusion).
const (
	FusionWeighted Fusion = "weighted"
	FusionRRF      Fusion = "rrf"
)

// Request is the one query object: search, recommend and classify share it,
// the library, the command line and the REST interface too. What is searched
// for is exactly one of Text, Vector, ID or examples in Like, Dislike or both.
type Request struct {
	// Text is embedded with the collection's model as a query.
	Text string `json:"text,omitempty"`
	// Vector is used as it is; its length is the collection's dimension.
	Vector []float32 `json:"vector,omitempty"`
	// ID is a stored document, whose vector is used and which is left out of
	// the hits.
	ID string `json:"id,omitempty"`
	// Like and Dislike are examples to come near to and to stay away from.
	// Stored examples are left out of the hits. Dislike may stand beside a Text,
	// Vector or ID too, and moves the query vector away.
	Like    []Example `json:"like,omitempty"`
	Dislike []Example `json:"dislike,omitempty"`

	// User and Session are for recommendations alone, and may stand beside
	// examples. User is whom to recommend to, by what events tell of that user;
	// documents that the user knows are left out. Session names documents in the
	// order in which somebody liked them, of whom nothing else needs to be known.
	User    string   `json:"user,omitempty"`
	Session []string `json:"session,omitempty"`

	// Exclude names documents that must not be among the hits; unknown ids
	// are no error.
	Exclude []string `json:"exclude,omitempty"`
	// Filter restricts the hits to documents that satisfy it; the search runs
	// over these alone.
	Filter *Filter `json:"filter,omitempty"`
	// Limit is the largest number of hits; 0 is DefaultLimit, at most MaxLimit.
	Limit int `json:"limit,omitempty"`
	// Mode is empty for the default. Lexical and Hybrid need a Text.
	Mode Mode `json:"mode,omitempty"`
	// MinScore leaves out hits with a lower score; nil keeps all.
	MinScore *float32 `json:"min_score,omitempty"`
	// Fields names the members that the documents of the hits carry besides
	// the id; empty carries all of them but the vector. Names that a document
	// does not have are no error; "vector" is the same as WithVector.
	Fields []string `json:"fields,omitempty"`
	// WithVector adds the stored vectors to the documents of the hits.
	WithVector bool `json:"with_vector,omitempty"`
	// Diversity makes hits differ from each other: from 0, by score alone, to 1,
	// by difference alone (maximal marginal relevance). Hits keep their scores,
	// which then do not fall steadily.
	Diversity float32 `json:"diversity,omitempty"`
	// Decay and Boosts change scores by the fields of the documents, among the
	// candidates that score best without: four times the limit, at least 50.
	Decay  *Decay  `json:"decay,omitempty"`
	Boosts []Boost `json:"boosts,omitempty"`
	// Sort brings the documents with the best scores, Params.Candidates of them,
	// into the order of fields; ScoreKey stands for the score.
	Sort []SortKey `json:"sort,omitempty"`
	// GroupBy names a field by whose values hits are put into groups: Limit is
	// then the number of groups, GroupSize that of the hits in each, 0 for
	// DefaultGroupSize. Documents whose field is an array are in the group of each
	// value, those without a value in none.
	GroupBy   string `json:"group_by,omitempty"`
	GroupSize int    `json:"group_size,omitempty"`
	// Facets counts the values that the documents with the best scores hold,
	// Params.Candidates of them; the facets have no filters of their own.
	Facets []FacetRequest `json:"facets,omitempty"`
	// Cursor is that of the page before, "" for the first page. All but the
	// limit, and what of the documents is shown, is to be as it was there.
	Cursor string `json:"cursor,omitempty"`
	// Highlight adds to each hit the sentence that matches best; empty adds none.
	Highlight Highlighting `json:"highlight,omitempty"`
	// Params tunes the index.
	Params Params `json:"params,omitzero"`
	// Explain adds to each hit how its score came about.
	Explain bool `json:"explain,omitempty"`
}

// Params tunes the search in the index.
type Params struct {
	// Ef is the breadth of a graph search; 0 is the index's default.
	Ef int `json:"ef,omitempty"`
	// Recall is the share of the true nearest that a graph search is to find on
	// average, above 0 and below 1, for instance 0.95; the index chooses the
	// breadth by what it has measured on the collection. 0 leaves it at the
	// default breadth; Ef and Exact go before it.
	Recall float64 `json:"recall,omitempty"`
	// Exact compares the query with every allowed vector.
	Exact bool `json:"exact,omitempty"`
	// Candidates is how many documents with the best scores Sort orders and
	// Facets count; 0 is DefaultCandidates, at most MaxLimit. It is never less than the limit.
	Candidates int `json:"candidates,omitempty"`
	// Fusion is how hybrid search fuses scores, empty for the default. Metrics
	// other than cosine have FusionRRF only.
	Fusion Fusion `json:"fusion,omitempty"`
}

// Example is one liked or disliked thing: exactly one of a stored id, a text
// or a vector. Its JSON form is a string or number (the id) or an object with
// one of the members "id", "text" and "vector".
type Example struct {
	ID     string    `json:"id,omitempty"`
	Text   string    `json:"text,omitempty"`
	Vector []float32 `json:"vector,omitempty"`
}

// Hit is one found document.
type Hit struct {
	ID       string         `json:"id"`
	Score    float32        `json:"score"` // by the mode and the collection's metric; larger is nearer
	Document *core.Document `json:"document,omitempty"`
	// Passage is the part of a long document that matches best, nil for documents
	// that were not cut into passages.
	Passage *Passage `json:"passage,omitempty"`
	// Highlight is the sentence that matches best, in the best passage of a long
	// document, nil unless asked for and found.
	Highlight *Highlight `json:"highlight,omitempty"`
	Explain   *Explain   `json:"explain,omitempty"`
}

// Explain tells how the score of a hit came about.
type Explain struct {
	Mode    Mode         `json:"mode"`              // what found the hit
	Metric  string       `json:"metric"`            // cosine, dot or l2
	Dense   float32      `json:"dense"`             // the similarity of the vectors; 0 in mode lexical
	Lexical *LexicalPart `json:"lexical,omitempty"` // the words, in modes lexical and hybrid
	Fusion  *FusionPart  `json:"fusion,omitempty"`  // how both became the score, in mode hybrid
	// Behavior tells what the score is made of where it comes from what users do.
	Behavior *BehaviorPart `json:"behavior,omitempty"`
	// Adjusted tells how decay and boosts changed the score, in that order.
	Adjusted []Adjustment `json:"adjusted,omitempty"`
	// Because names the examples nearest to the hit, nearest first; in mode
	// behavior what the user liked and speaks most for the hit.
	Because []Contributor `json:"because,omitempty"`
}

// BehaviorPart tells what a score is made of that comes from what users do.
type BehaviorPart struct {
	Items float32 `json:"items"` // what the liked documents add, by what users like together
	Text  float32 `json:"text"`  // what the likeness to liked documents adds
	// Popular is whether the hit is just popular: of the user nothing is known.
	Popular bool `json:"popular,omitempty"`
}

// LexicalPart tells what the words of a hit brought.
type LexicalPart struct {
	Score float32       `json:"score"` // BM25
	Bound float32       `json:"bound"` // what no document's score reaches
	Terms []index.Match `json:"terms"` // the most first
}

// FusionPart tells how a hit's score was fused of two.
type FusionPart struct {
	Method  Fusion  `json:"method"`
	Dense   float32 `json:"dense"`   // what the vectors add to the score
	Lexical float32 `json:"lexical"` // what the words add to it
	// Feedback is whether the hit is one of those that the query vector was
	// moved towards.
	Feedback bool `json:"feedback"`
}

// Contributor is a liked example of the request with its similarity to a hit.
type Contributor struct {
	ID   string `json:"id,omitempty"`
	Text string `json:"text,omitempty"` // cut after 200 characters
	// Score is the cosine with the hit, whatever the metric; in mode behavior the
	// share of what the liked documents add to its score.
	Score float32 `json:"score"`
}

// Took tells where the time of a query went: wall time in milliseconds.
type Took struct {
	Tokenize float64 `json:"tokenize"` // cutting the texts into tokens
	Embed    float64 `json:"embed"`    // waiting for and running the model
	Search   float64 `json:"search"`   // the filter and the indexes, that of words among them
	Fetch    float64 `json:"fetch"`    // reading documents and stored examples
	// Shape and Highlight are there only where they were asked for: diversity,
	// decay and boosts, and finding the sentences that match.
	Shape     float64 `json:"shape,omitempty"`
	Highlight float64 `json:"highlight,omitempty"`
	Total     float64 `json:"total"` // all of the query
}

// Response is the answer to a search or a recommendation: the hits, best
// first.
type Response struct {
	Hits []Hit `json:"hits"`
	// Groups holds the hits of a request with GroupBy, whose Hits are empty.
	Groups []Group `json:"groups,omitempty"`
	// Facets are those of the request, in its order.
	Facets []HitFacet `json:"facets,omitempty"`
	// Cursor asks for the next page; "" when there is none. No document comes
	// twice, and none that stays as it is is left out, whatever is written in
	// between.
	Cursor string `json:"cursor,omitempty"`
	// Warnings tells what may be wrong with a request that found nothing: fields
	// of the filter that no document has.
	Warnings []string `json:"warnings,omitempty"`
	Took     Took     `json:"took_ms"`
}

// Method is a way to classify.
type Method string

// MethodNeighbors lets the nearest labelled documents vote with weights
// exp(score/temperature). MethodLinear and MethodCentroid ask the head that was
// trained on the labels of the collection: a regression on words and vector, or
// the nearest mean of a label's vectors. MethodAuto takes what did best on
// labelled documents that were held out, and MethodNeighbors where no head is
// trained, where the request restricts who votes, and for vectors and stored
// documents.
const (
	MethodAuto      Method = "auto"
	MethodNeighbors Method = "neighbors"
	MethodCentroid  Method = "centroid"
	MethodLinear    Method = "linear"
)

// Why a Classification abstains.
const (
	ReasonNoNeighbors    = "no_labelled_neighbors"
	ReasonMinProbability = "below_min_probability"
	ReasonOutOfScope     = "out_of_scope"
)

// ClassifyRequest is a Request plus what classification needs. What is
// classified is exactly one of Text, Texts, Vector or ID; Filter, Exclude and
// MinScore restrict who votes. Limit, Fields, WithVector and Explain shape
// hits and are not used.
type ClassifyRequest struct {
	Request
	// Texts classifies many texts at once.
	Texts []string `json:"texts,omitempty"`
	// LabelField is the field that holds the labels: strings, numbers or
	// booleans, reached by a dotted name in nested objects; "" is
	// DefaultLabelField. An array holds several labels, each of which gets the
	// neighbor's vote. A document whose label is missing or the empty string
	// does not vote.
	LabelField string `json:"label_field,omitempty"`
	// Method is MethodAuto when empty.
	Method Method `json:"method,omitempty"`
	// K is how many neighbors vote, at most MaxNeighbors, and how many are told
	// as reasons; 0 is what did best, or DefaultNeighbors.
	K int `json:"k,omitempty"`
	// Temperature divides the scores of neighbors before the softmax; 0 is what
	// did best, or DefaultTemperature. Smaller listens more to the nearest. The
	// default fits cosines; the scores of dot and l2 have the scale of the
	// vectors (squared for l2), and so has a temperature that suits them. Votes
	// under a given temperature are not calibrated.
	Temperature float64 `json:"temperature,omitempty"`
	// MinProbability makes a result abstain when its best label is less
	// probable; 0 never abstains for that.
	MinProbability float64 `json:"min_probability,omitempty"`
	// AnyScope labels texts too that are farther from all labelled documents
	// than these are from each other. Without it such a text is abstained from,
	// where a head is trained.
	AnyScope bool `json:"any_scope,omitempty"`
}

// Classification is the result for one text.
type Classification struct {
	// Label is the most probable label, nil when Abstained.
	Label *string `json:"label"`
	// Probability is that of the most probable label, 0 without any. It is
	// calibrated where a head is trained.
	Probability float64 `json:"probability"`
	// Abstained tells that there is no answer, Reason why: one of the constants.
	Abstained bool   `json:"abstained"`
	Reason    string `json:"reason,omitempty"`
	// Method is how the label was found.
	Method Method `json:"method"`
	// Scores holds the probabilities of the labels, of many the MaxScores most
	// probable. All together sum to 1.
	Scores map[string]float64 `json:"scores"`
	// Neighbors are the nearest labelled documents, nearest first: the reasons,
	// and with MethodNeighbors the voters.
	Neighbors []Voter `json:"neighbors"`
}

// MaxScores is how many labels a Classification tells the probability of.
const MaxScores = 100

// Voter is a labelled neighbor.
type Voter struct {
	ID    string  `json:"id"`
	Score float32 `json:"score"`
	Label string  `json:"label"` // several labels are joined by ", "
}

// ClassifyResponse is the answer to a classification: one result a text, in
// their order.
type ClassifyResponse struct {
	Results []Classification `json:"results"`
	Took    Took             `json:"took_ms"`
}
