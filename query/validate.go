package query

import (
	"cmp"
	"math"
	"slices"
	"strconv"
	"strings"
	"unicode/utf8"

	"github.com/vecdb/vecdb/internal/core"
)

// Validate checks a search request over vectors of dim numbers; a dim of 0
// leaves the dimension unchecked. Errors are *core.InputError with a pointer
// to the bad member.
func (r *Request) Validate(dim int) error {
	if r.User != "" || r.Session != nil {
		return core.Invalid(pick(r.User != "", "/user", "/session"), "use recommend", "a search is not for a user")
	}
	if err := checkOneOf(r.subjects(), `give a text, or instead of it a "vector", an "id" or examples in "like"`); err != nil {
		return err
	}
	return r.checkMembers(dim)
}

func pick(first bool, a, b string) string {
	if first {
		return a
	}
	return b
}

// ValidateExamples checks a recommendation request, which has a user, a session,
// an id or examples and nothing else to search for; otherwise it is like
// Validate.
func (r *Request) ValidateExamples(dim int) error {
	for _, s := range r.subjects() {
		if s.given && s.pointer != "/like" && s.pointer != "/dislike" && s.pointer != "/id" {
			return core.Invalid(s.pointer, `put it into "like", or use search`, "a recommendation starts from examples")
		}
	}
	switch {
	case r.User == "" && r.ID == "" && len(r.Session)+len(r.Like)+len(r.Dislike) == 0:
		return core.Invalid("/like", `give a "user", or at least one id, text or vector in "like" or "dislike"`, "there is nothing to recommend by")
	case len(r.User) > core.MaxIDBytes || !utf8.ValidString(r.User):
		return core.Invalid("/user", "send UTF-8 of at most "+strconv.Itoa(core.MaxIDBytes)+" bytes", "the user is too long or not valid UTF-8")
	case r.Mode != "" && r.Mode != Dense:
		return core.Invalid("/mode", `leave it out, or use "dense" for the likeness of texts alone`, "mode %s finds words, a recommendation has none", r.Mode)
	}
	if err := checkNames("/session", r.Session, MaxExamples); err != nil {
		return err
	}
	return r.checkMembers(dim)
}

// Validate checks a classification request; otherwise it is like that of a
// Request.
func (r *ClassifyRequest) Validate(dim int) error {
	if r.User != "" || r.Session != nil {
		return core.Invalid(pick(r.User != "", "/user", "/session"), "leave it out", "a classification is not for a user")
	}
	if len(r.Like)+len(r.Dislike) > 0 {
		pointer := "/like"
		if len(r.Like) == 0 {
			pointer = "/dislike"
		}
		return core.Invalid(pointer, `give "text", "texts", "vector" or "id"`, "examples cannot be classified")
	}
	subjects := append(r.subjects(), subject{"/texts", "texts", r.Texts != nil})
	if err := checkOneOf(subjects, `give a text, or instead of it "texts", a "vector" or an "id"`); err != nil {
		return err
	}
	if err := r.checkMembers(dim); err != nil {
		return err
	}
	if err := checkTexts(r.Texts); err != nil {
		return err
	}
	return r.checkVote()
}

// subject is one of the things that a request can be about. At most one group
// of them is given.
type subject struct {
	pointer string
	group   string
	given   bool
}

func (r *Request) subjects() []subject {
	return []subject{
		{"/text", "text", r.Text != ""}, {"/vector", "vector", r.Vector != nil}, {"/id", "id", r.ID != ""},
		{"/like", "examples", len(r.Like) > 0},
		// Beside another subject, disliked examples only move it.
		{"/dislike", "examples", len(r.Dislike) > 0 && !r.pointed()},
	}
}

// pointed reports whether the request says by something other than examples
// what it looks for.
func (r *Request) pointed() bool { return r.Text != "" || r.Vector != nil || r.ID != "" }

// checkOneOf returns an error unless exactly one group of subjects is given.
func checkOneOf(subjects []subject, hint string) error {
	first := ""
	for _, s := range subjects {
		switch {
		case !s.given:
		case first == "" || first == s.group:
			first = s.group
		default:
			return core.Invalid(s.pointer, "give only one of them", "the request has both %s and %s", first, s.group)
		}
	}
	if first == "" {
		return core.Invalid("/text", hint, "the request is empty: it does not say what to look for")
	}
	return nil
}

// checkMembers checks the members that all requests share.
func (r *Request) checkMembers(dim int) error {
	if r.Text != "" {
		if err := checkText("/text", r.Text); err != nil {
			return err
		}
	}
	if r.Vector != nil {
		if err := core.CheckVector("/vector", r.Vector, dim); err != nil {
			return err
		}
	}
	if r.Filter != nil {
		if err := r.Filter.Validate(); err != nil {
			return core.At("/filter", err)
		}
	}
	return cmp.Or(
		checkExamples("/like", r.Like, dim), checkExamples("/dislike", r.Dislike, dim),
		checkNames("/exclude", r.Exclude, MaxExcluded), checkNames("/fields", r.Fields, MaxExamples),
		r.checkSettings(),
	)
}

func (r *Request) checkSettings() error {
	switch {
	case !utf8.ValidString(r.ID):
		return core.Invalid("/id", "send UTF-8", "the id is not valid UTF-8")
	case r.Limit < 0 || r.Limit > MaxLimit:
		return core.Invalid("/limit", "leave it out for "+strconv.Itoa(DefaultLimit), "the limit is %d, 1 to %d are allowed", r.Limit, MaxLimit)
	case r.Params.Ef < 0 || r.Params.Ef > MaxEf:
		return core.Invalid("/params/ef", "leave it out for the default", "ef is %d, 1 to %d are allowed", r.Params.Ef, MaxEf)
	case r.Params.Candidates < 0 || r.Params.Candidates > MaxLimit:
		return core.Invalid("/params/candidates", "leave it out for "+strconv.Itoa(DefaultCandidates), "the candidates are %d, 1 to %d are allowed", r.Params.Candidates, MaxLimit)
	case !(r.Params.Recall >= 0 && r.Params.Recall < 1):
		return core.Invalid("/params/recall", `give a number such as 0.95, or {"exact":true} for all`, "the recall is %v, it must be above 0 and below 1", r.Params.Recall)
	case r.MinScore != nil && !finite(float64(*r.MinScore)):
		return core.Invalid("/min_score", "use a finite number", "the least score is %v", *r.MinScore)
	}
	return cmp.Or(r.checkMode(), r.checkShape(), r.checkOrder(), r.checkGroups(), r.checkFacets())
}

func (r *Request) checkMode() error {
	switch {
	case r.Mode != "" && r.Mode != Dense && r.Mode != Lexical && r.Mode != Hybrid:
		return core.Invalid("/mode", `use "dense", "lexical" or "hybrid"`, "unknown mode %.80q", r.Mode)
	case r.Params.Fusion != "" && r.Params.Fusion != FusionWeighted && r.Params.Fusion != FusionRRF:
		return core.Invalid("/params/fusion", `use "weighted" or "rrf"`, "unknown fusion %.80q", r.Params.Fusion)
	case r.Highlight != "" && r.Highlight != HighlightAuto && r.Highlight != HighlightWords && r.Highlight != HighlightMeaning:
		return core.Invalid("/highlight", `use "auto", "words" or "meaning"`, "unknown highlighting %.80q", r.Highlight)
	case r.Mode == Lexical && len(r.Dislike) > 0:
		return core.Invalid("/dislike", `leave it out, or use mode "hybrid"`, "a search by words alone cannot stay away from examples")
	case (r.Mode == Lexical || r.Mode == Hybrid) && r.Text == "":
		return core.Invalid("/mode", `give a "text", or use mode "dense"`, "mode %s finds words and the request has none", r.Mode)
	}
	return nil
}

func (r *ClassifyRequest) checkVote() error {
	for _, shape := range []struct {
		pointer string
		given   bool
	}{{"/sort", len(r.Sort) > 0}, {"/group_by", r.GroupBy != ""}, {"/cursor", r.Cursor != ""}, {"/facets", len(r.Facets) > 0}} {
		if shape.given {
			return core.Invalid(shape.pointer, "leave it out, or use search", "a classification has no pages of hits")
		}
	}
	switch {
	case r.Mode != "" && r.Mode != Dense:
		return core.Invalid("/mode", "leave it out", "neighbors vote by their vectors, whatever the mode")
	case r.K < 0 || r.K > MaxNeighbors:
		return core.Invalid("/k", "leave it out for "+strconv.Itoa(DefaultNeighbors), "k is %d, 1 to %d are allowed", r.K, MaxNeighbors)
	case !finite(r.Temperature) || r.Temperature < 0:
		return core.Invalid("/temperature", "leave it out for the default", "the temperature is %v and must be above 0", r.Temperature)
	case !(r.MinProbability >= 0 && r.MinProbability <= 1):
		return core.Invalid("/min_probability", "use a number from 0 to 1", "the least probability is %v", r.MinProbability)
	case core.Reserved(r.LabelField):
		return core.Invalid("/label_field", "name the field that holds the labels", "the %s of a document is not a label", r.LabelField)
	case !utf8.ValidString(r.LabelField):
		return core.Invalid("/label_field", "send UTF-8", "the name of the field is not valid UTF-8")
	case !slices.Contains([]Method{"", MethodAuto, MethodNeighbors, MethodCentroid, MethodLinear}, r.Method):
		return core.Invalid("/method", "use auto, neighbors, centroid or linear", "unknown method %.40q", r.Method)
	case r.headOnly() && r.restricted():
		return core.Invalid("/method", "use neighbors or auto", "the method %s has learnt from all labelled documents, so filter, exclude and min_score have no bearing on it", r.Method)
	case r.headOnly() && r.ID != "":
		return core.Invalid("/id", "use neighbors or auto", "the method %s has learnt from that document", r.Method)
	}
	return nil
}

func checkTexts(texts []string) error {
	if texts != nil && (len(texts) == 0 || len(texts) > MaxTexts) {
		return core.Invalid("/texts", "send several requests for more", "there are %d texts, 1 to %d are allowed", len(texts), MaxTexts)
	}
	for i, text := range texts {
		if err := checkText("/texts/"+strconv.Itoa(i), text); err != nil {
			return err
		}
	}
	return nil
}

func checkText(pointer, text string) error {
	switch {
	case len(text) > core.MaxTextBytes:
		return &core.InputError{Pointer: pointer, Cause: core.ErrTooLarge, Hint: "shorten it",
			Detail: "the text has " + strconv.Itoa(len(text)) + " bytes, at most " + strconv.Itoa(core.MaxTextBytes) + " are allowed"}
	case !utf8.ValidString(text):
		return core.Invalid(pointer, "convert it to UTF-8", "the text is not valid UTF-8")
	case strings.TrimSpace(text) == "":
		return core.Invalid(pointer, "give some words", "the text is blank")
	}
	return nil
}

func checkExamples(pointer string, examples []Example, dim int) error {
	if len(examples) > MaxExamples {
		return core.Invalid(pointer, "give fewer", "there are %d examples, at most %d are allowed", len(examples), MaxExamples)
	}
	for i, e := range examples {
		if err := checkExample(e, dim); err != nil {
			return core.At(pointer+"/"+strconv.Itoa(i), err)
		}
	}
	return nil
}

func checkExample(e Example, dim int) error {
	const oneOf = `give one of "id", "text" and "vector"`
	switch {
	case e.ID != "" && e.Text == "" && e.Vector == nil:
		if !utf8.ValidString(e.ID) {
			return core.Invalid("/id", "send UTF-8", "the id is not valid UTF-8")
		}
		return nil
	case e.ID == "" && e.Text != "" && e.Vector == nil:
		return checkText("/text", e.Text)
	case e.ID == "" && e.Text == "" && e.Vector != nil:
		return core.CheckVector("/vector", e.Vector, dim)
	case e.ID == "" && e.Text == "":
		return core.Invalid("", oneOf, "the example is empty")
	}
	return core.Invalid("", oneOf, "the example is more than one thing")
}

// checkNames checks a list of ids or of names of fields.
func checkNames(pointer string, list []string, most int) error {
	if len(list) > most {
		return core.Invalid(pointer, "give fewer", "there are %d entries, at most %d are allowed", len(list), most)
	}
	for i, name := range list {
		if name == "" || !utf8.ValidString(name) {
			return core.Invalid(pointer+"/"+strconv.Itoa(i), "leave it out", "the entry is empty or not valid UTF-8")
		}
	}
	return nil
}

func finite(f float64) bool { return !math.IsNaN(f) && !math.IsInf(f, 0) }
