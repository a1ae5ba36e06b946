package answers_test

import (
	"math"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"github.com/vecdb/vecdb/answers"
	"github.com/vecdb/vecdb/internal/core"
)

func TestTemplates(t *testing.T) {
	known := map[string]string{"order_id": "42", "shop.name": "Corner {{order_id}}"}
	value := func(name string) (string, bool) { v, ok := known[name]; return v, ok }
	for _, x := range []struct{ template, text, missing string }{
		{"plain", "plain", ""},
		{"", "", ""},
		{"order {{order_id}} of {{ shop.name }}.", "order 42 of Corner {{order_id}}.", ""},
		{"{{order_id}}{{order_id}}", "4242", ""},
		{"dear {{name}}, order {{order_id}}, {{name}} {{ day }}", "dear {{name}}, order 42, {{name}} {{day}}", "name day"},
		{"{{}} {{ }} {{order_id", "{{}} {{ }} {{order_id", ""},
		{"}} {{order_id}}", "}} 42", ""},
		{"{{{order_id}}}", "{42}", ""},
		{"{{\n}}{{order_id}}", "{{\n}}42", ""},
		{"到 {{order_id}} 号", "到 42 号", ""},
	} {
		text, missing := answers.Template(x.template).Fill(value)
		if text != x.text || strings.Join(missing, " ") != x.missing {
			t.Errorf("%q gives %q, missing %q; want %q, %q", x.template, text, missing, x.text, x.missing)
		}
	}
	if got := answers.Template("{{b}} {{a}} {{b}}").Placeholders(); !slices.Equal(got, []string{"b", "a"}) {
		t.Errorf("placeholders %q", got)
	}
}

func FuzzTemplate(f *testing.F) {
	for _, seed := range []string{"a {{b}} c", "{{{{a}}}}", "{{a\n}}", "}}{{"} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, text string) {
		same, missing := answers.Template(text).Fill(func(string) (string, bool) { return "", false })
		if names := answers.Template(text).Placeholders(); !slices.Equal(names, missing) {
			t.Errorf("placeholders %q, missing %q", names, missing)
		}
		squeeze := func(s string) string { return strings.Join(strings.Fields(s), "") }
		if squeeze(same) != squeeze(text) {
			t.Errorf("%q without values became %q", text, same)
		}
	})
}

func TestProbabilitiesSumToOneAndFollowTheScores(t *testing.T) {
	m := answers.DefaultModel()
	for _, scores := range [][]float64{nil, {0.9}, {0.9, 0.89, 0.2}, {-1, math.Inf(-1)}, {1e6, -1e6}} {
		each, none := m.Probabilities(scores)
		sum := none
		for i, p := range each {
			sum += p
			if i > 0 && scores[i] < scores[i-1] && each[i] > each[i-1] {
				t.Errorf("%v gives %v", scores, each)
			}
		}
		if math.Abs(sum-1) > 1e-9 {
			t.Errorf("%v sums to %v", scores, sum)
		}
	}
	alone, _ := m.Probabilities([]float64{0.8})
	tied, _ := m.Probabilities([]float64{0.8, 0.8})
	if alone[0] < 0.9 || tied[0] > 0.5 {
		t.Errorf("alone %v, tied %v", alone[0], tied[0])
	}
}

// world draws questions whose scores follow a known model.
func world(truth answers.Model, n int, seed uint64) (out []answers.Example) {
	rng := rand.New(rand.NewPCG(seed, 1))
	for range n {
		e := answers.Example{Weight: 1}
		for a := range 5 {
			e.Candidates = append(e.Candidates, answers.Candidate{Answer: a, Dense: 0.3 + 0.6*rng.Float64(), Words: rng.Float64()})
		}
		each, _ := truth.Probabilities(truth.Scores(e.Candidates))
		e.Right = answers.None
		for x := rng.Float64(); e.Right+1 < len(each); {
			if x -= each[e.Right+1]; x < 0 {
				e.Right++
				break
			}
			e.Right++
			if e.Right == len(each)-1 {
				e.Right = answers.None
				break
			}
		}
		out = append(out, e)
	}
	return out
}

func TestFitComesNearToWhatTheQuestionsFollow(t *testing.T) {
	truth := answers.Model{Words: 0.3, Temperature: 0.08, None: 0.55}
	got := answers.Fit(world(truth, 2000, 7))
	if math.Abs(got.Words-truth.Words) > 0.11 || math.Abs(math.Log(got.Temperature/truth.Temperature)) > 0.25 || math.Abs(got.None-truth.None) > 0.04 {
		t.Errorf("fitted %+v to questions of %+v", got.Model, truth)
	}
	if got.ECE > 0.04 || got.Examples != 2000 {
		t.Errorf("calibration error %v on %d", got.ECE, got.Examples)
	}
	// On questions that it has not seen it is calibrated too.
	var off float64
	unseen := world(truth, 4000, 8)
	for _, e := range unseen {
		each, _ := got.Probabilities(got.Scores(e.Candidates))
		top := slices.Index(each, slices.Max(each))
		off += each[top]
		if top == e.Right {
			off--
		}
	}
	if off = math.Abs(off) / float64(len(unseen)); off > 0.04 {
		t.Errorf("confidence is %v off on other questions", off)
	}
}

func TestFitHoldsToTheDefaultWithoutExamples(t *testing.T) {
	none := answers.Fit(nil)
	d := answers.DefaultModel()
	if math.Abs(none.None-d.None) > 0.01 || math.Abs(none.Temperature-d.Temperature) > 0.005 || none.Words != d.Words {
		t.Errorf("without examples %+v, the default is %+v", none.Model, d)
	}
	var strangers []answers.Example
	for range 50 {
		strangers = append(strangers, answers.Example{Candidates: []answers.Candidate{{Dense: 0.3, Words: 0.3}}, Right: answers.None, Weight: 0.2})
	}
	if got := answers.Fit(strangers); got.None < 0.31 || got.None > 0.5 {
		t.Errorf("the best scores of strangers are 0.3, the bound is %v", got.None)
	}
	far := answers.Fit([]answers.Example{{Candidates: []answers.Candidate{{Dense: 0.1}}, Right: 0, Weight: 1}})
	if d.None-far.None > 0.2 {
		t.Errorf("one odd question moves the bound to %v", far.None)
	}
}

func TestMemoryAddsUpVotesAndForgets(t *testing.T) {
	m := answers.NewMemory()
	add := func(question, answer string, right bool, v ...float32) {
		m.Add(core.Feedback{Question: question, Answer: answer, Right: right}, v)
	}
	add("q", "a", true, 2, 0)
	add("q", "a", true, 2, 0)
	add("q", "b", false, 2, 0)
	add("r", "a", true, 0, 1)
	add("s", "a", true, 1, 1)
	add("s", "a", false, 1, 1) // says nothing any more
	near := m.Nearest([]float32{4, 0}, 10, "")
	if len(near) != 3 || near[0].Answer != "a" || near[0].Votes != 2 || near[0].Cosine < 0.999 || near[1].Answer != "b" || near[2].Question != "r" {
		t.Fatalf("nearest %+v", near)
	}
	if up, down, far := near[0].Adds(), near[1].Adds(), (answers.Near{Entry: answers.Entry{Votes: -1}, Cosine: 0.5}).Adds(); up <= 0 || down > -0.4 || far != 0 {
		t.Errorf("votes add %v, %v, %v", up, down, far)
	}
	if got := m.Nearest([]float32{4, 0}, 1, "q"); len(got) != 1 || got[0].Question != "r" {
		t.Errorf("without q: %+v", got)
	}
	if got := m.Nearest([]float32{1}, 5, ""); len(got) != 0 {
		t.Errorf("a vector of another length finds %+v", got)
	}
	before := m.Version()
	if m.Forget("a"); m.Len() != 1 || m.Version() == before || len(m.Entries()) != 1 {
		t.Errorf("%d entries after forgetting", m.Len())
	}
	if m.Forget(""); m.Len() != 0 {
		t.Errorf("%d entries after forgetting all", m.Len())
	}
}
