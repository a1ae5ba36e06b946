package folder

import (
	"context"
	"errors"
	"fmt"
	"math"

	"github.com/vecdb/vecdb/embedder"
	"github.com/vecdb/vecdb/internal/core"
)

// triple is a text with one that says the same and one that says something
// else.
type triple struct{ text, same, other string }

// triples are what Check asks, by language.
var triples = map[string][]triple{
	"en": {
		{"How do I cook rice?", "What is the way to boil rice", "The football match ended in a draw"},
		{"The company's profits rose sharply this year", "Earnings of the firm grew a lot over the past twelve months", "A kitten sleeps on the sofa"},
		{"Doctors advise drinking more water", "Physicians recommend more fluids", "The bridge was closed for repairs"},
		{"The train to the coast leaves at noon", "At twelve there is a railway service to the seaside", "She paints portraits in oil"},
		{"My laptop does not switch on any more", "The computer won't start", "Bread is baked from flour and yeast"},
		{"A storm destroyed many houses in the village", "Heavy winds wrecked homes in the small town", "The bank lowered its interest rate"},
	},
	"zh": {
		{"怎样重置我的账户密码？", "忘记密码了，如何重新设置", "今天的火车票已经卖完了"},
		{"公司今年的利润大幅增长", "这家企业本年度盈利明显上升", "小猫在沙发上睡觉"},
		{"医生建议多喝水", "大夫说要补充水分", "这座桥正在维修"},
		{"去海边的火车中午出发", "十二点有一班列车开往海滨", "她喜欢画油画"},
		{"我的电脑无法开机", "笔记本打不开了", "面包是用面粉做的"},
		{"暴风雨摧毁了村里的许多房屋", "大风毁坏了小镇的民居", "银行下调了利率"},
	},
}

// languages are those of triples, the first preferred.
var languages = []string{"en", "zh"}

// Check tries an embedder: vectors have its dimension, hold numbers, have unit
// length, do not depend on what is embedded beside, and texts that say the
// same are nearer than others. It returns the first language in which they
// are. The error matches core.ErrInvalid and says what went wrong.
func Check(ctx context.Context, e embedder.Embedder) (language string, err error) {
	var failed error
	for _, language := range languages {
		err := checkLanguage(ctx, e, triples[language])
		if err == nil {
			return language, nil
		}
		if failed == nil {
			failed = err
		}
		if !errors.Is(err, errMeaning) {
			break
		}
	}
	return "", failed
}

// errMeaning marks that texts are not near to what says the same.
var errMeaning = errors.New("meaning is not found")

func wrong(format string, args ...any) error {
	return core.Invalid("", "compare pooling, prefixes and tokenizer with the model's description; weights and tokenizer must belong together",
		"the model fails its test: "+format, args...)
}

func checkLanguage(ctx context.Context, e embedder.Embedder, list []triple) error {
	var texts []string
	for _, t := range list {
		texts = append(texts, t.text, t.same, t.other)
	}
	r, err := e.Embed(ctx, embedder.Passage, texts)
	if err != nil {
		return fmt.Errorf("test the model: %w", err)
	}
	alone, err := e.Embed(ctx, embedder.Passage, texts[:1])
	if err != nil {
		return fmt.Errorf("test the model: %w", err)
	}
	for _, v := range append(r.Vectors, alone.Vectors...) {
		if len(v) != e.Dim() {
			return wrong("a vector has %d numbers instead of %d", len(v), e.Dim())
		}
		if n := product(v, v); math.IsNaN(n) || math.Abs(n-1) > 1e-3 {
			return wrong("a vector has no unit length: its square is %v", n)
		}
	}
	// int8 models scale by the whole batch and differ a little.
	if cos := product(alone.Vectors[0], r.Vectors[0]); cos < 0.95 {
		return wrong("the vector of %q changes with what is embedded beside it (cosine %.3f)", texts[0], cos)
	}
	for i, t := range list {
		v := r.Vectors[3*i : 3*i+3]
		if near, far := product(v[0], v[1]), product(v[0], v[2]); near <= far {
			return fmt.Errorf("%w: %w", errMeaning, wrong("%q is as near to %q (cosine %.3f) as to %q (%.3f)", t.text, t.other, far, t.same, near))
		}
	}
	return nil
}

func product(a, b []float32) float64 {
	sum := 0.0
	for i := range a {
		sum += float64(a[i]) * float64(b[i])
	}
	return sum
}
