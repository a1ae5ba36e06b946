package folder

import (
	"cmp"
	"fmt"
	"path"
	"path/filepath"
	"slices"
	"strings"

	"github.com/vecdb/vecdb/embedder"
	"github.com/vecdb/vecdb/internal/core"
)

// config is what we read of config.json.
type config struct {
	Type       string `json:"model_type"`
	Hidden     int    `json:"hidden_size"`
	Dim        int    `json:"dim"` // DistilBERT's word for it
	Layers     int    `json:"num_hidden_layers"`
	Positions  int    `json:"max_position_embeddings"`
	Decodes    bool   `json:"is_encoder_decoder"`
	Matryoshka []int  `json:"matryoshka_dimensions"`
}

// known are the architectures whose exports have been seen to fit. Those that
// are true count their positions from two.
var known = map[string]bool{
	"bert": false, "distilbert": false, "electra": false, "albert": false, "deberta-v2": false, "modernbert": false, "nomic_bert": false,
	"roberta": true, "xlm-roberta": true, "camembert": true, "mpnet": true,
}

func (d *Description) readConfig(dir string) error {
	var c config
	file := filepath.Join(dir, "config.json")
	there, err := read(file, maxConfig, &c)
	if err != nil {
		return err
	}
	if !there {
		return core.Invalid("", "take the whole folder of the model", "folder %s has no config.json", dir)
	}
	if c.Decodes {
		return core.Invalid("/is_encoder_decoder", "use a text encoder such as BERT, XLM-RoBERTa or MPNet", "%s is of a model that writes text", file)
	}
	dim := cmp.Or(c.Hidden, c.Dim)
	if dim < 1 || dim > core.MaxDim {
		return core.Invalid("/hidden_size", "", "%s says that vectors have %d numbers, not 1 to %d", file, dim, core.MaxDim)
	}
	fromTwo, seen := known[c.Type]
	if !seen {
		d.note("architecture %q is tried as it is", c.Type)
	}
	d.Model.Dim, d.Model.Layers, d.Model.MaxTokens = dim, c.Layers, cmp.Or(c.Positions, 512)
	if fromTwo && c.Positions > 2 {
		d.Model.MaxTokens -= 2
	}
	return d.shorter(file, c.Matryoshka)
}

// shorter takes the lengths that a Matryoshka model can be cut to.
func (d *Description) shorter(file string, dims []int) error {
	for _, n := range dims {
		if n < 1 || n > d.Model.Dim {
			return core.Invalid("/matryoshka_dimensions", "", "%s names %d, which is not 1 to %d", file, n, d.Model.Dim)
		}
		if n < d.Model.Dim {
			d.Model.Shorter = append(d.Model.Shorter, n)
		}
	}
	slices.Sort(d.Model.Shorter)
	d.Model.Shorter = slices.Compact(d.Model.Shorter)
	return nil
}

// readModules looks through the steps of a sentence-transformers model.
func (d *Description) readModules(dir string) error {
	var modules []struct {
		Path string `json:"path"`
		Type string `json:"type"`
	}
	file := filepath.Join(dir, "modules.json")
	there, err := read(file, maxConfig, &modules)
	if err != nil {
		return err
	}
	pooling := "1_Pooling"
	for _, m := range modules {
		switch kind := m.Type[strings.LastIndexByte(m.Type, '.')+1:]; kind {
		case "Transformer", "Normalize":
		case "Pooling":
			pooling = m.Path
		default:
			return core.Invalid("", "use a model of a Transformer, a pooling and a normalisation alone", "%s has a step %q, which vecdb does not compute", file, kind)
		}
	}
	if !filepath.IsLocal(pooling) {
		return core.Invalid("", "", "%s names the path %q outside its folder", file, pooling)
	}
	found, err := d.readPooling(filepath.Join(dir, filepath.FromSlash(path.Join(pooling, "config.json"))))
	if err == nil && !found {
		d.note("pooling is the mean: no configuration says otherwise%s", map[bool]string{true: ", though modules.json is there"}[there])
	}
	return err
}

// modes are the poolings by the names in a configuration.
var modes = map[string]embedder.Pooling{
	"mean_tokens": embedder.PoolMean, "cls_token": embedder.PoolCLS, "max_tokens": embedder.PoolMax, "lasttoken": embedder.PoolLast,
}

func (d *Description) readPooling(file string) (found bool, err error) {
	var c map[string]any
	found, err = read(file, maxConfig, &c)
	if !found || err != nil {
		return found, err
	}
	if dim, ok := c["word_embedding_dimension"].(float64); ok && int(dim) != d.Model.Dim {
		return true, fmt.Errorf("%w: %s says %v numbers a vector, config.json says %d", core.ErrDimension, file, dim, d.Model.Dim)
	}
	var wanted []string
	for key, value := range c {
		if name, mode := strings.CutPrefix(key, "pooling_mode_"); mode && value == true {
			wanted = append(wanted, name)
		}
	}
	if name, ok := c["pooling_mode"].(string); ok && len(wanted) == 0 {
		wanted = []string{map[string]string{"mean": "mean_tokens", "cls": "cls_token", "max": "max_tokens"}[name]}
		if wanted[0] == "" {
			wanted[0] = name
		}
	}
	slices.Sort(wanted)
	if len(wanted) != 1 {
		return true, core.Invalid("", "use a model with one pooling", "%s asks for %d poolings: %s", file, len(wanted), strings.Join(wanted, ", "))
	}
	p, ok := modes[wanted[0]]
	if !ok {
		return true, core.Invalid("", "vecdb knows the mean, cls, max and last token", "%s asks for the pooling %q", file, wanted[0])
	}
	if c["include_prompt"] == false {
		d.note("the pooling leaves the prompt out; vecdb keeps it")
	}
	d.Model.Pooling = p
	return true, nil
}

// readLimits takes the smallest of the lengths that the files name.
func (d *Description) readLimits(dir string) error {
	var sentence struct {
		Max int `json:"max_seq_length"`
	}
	if _, err := read(filepath.Join(dir, "sentence_bert_config.json"), maxConfig, &sentence); err != nil {
		return err
	}
	var tokens struct {
		Max float64 `json:"model_max_length"` // may be 1e30
	}
	if _, err := read(filepath.Join(dir, "tokenizer_config.json"), maxConfig, &tokens); err != nil {
		return err
	}
	limit := d.Model.MaxTokens
	if n := sentence.Max; n > 0 {
		limit = min(limit, n)
	} else if n := tokens.Max; n > 0 && n < float64(limit) {
		limit = int(n)
	}
	if limit < 3 {
		return core.Invalid("", "", "the files of %s leave room for %d tokens a text", dir, limit)
	}
	d.Model.MaxTokens = limit
	return nil
}

// readPrompts takes the prefixes of queries and passages.
func (d *Description) readPrompts(dir string) error {
	var c struct {
		Prompts    map[string]*string `json:"prompts"`
		Default    *string            `json:"default_prompt_name"`
		Matryoshka []int              `json:"matryoshka_dimensions"`
		Truncate   int                `json:"truncate_dim"`
	}
	file := filepath.Join(dir, "config_sentence_transformers.json")
	if _, err := read(file, maxConfig, &c); err != nil {
		return err
	}
	d.Model.QueryPrefix = prompt(c.Prompts, c.Default, "query", "search_query", "s2p_query", "retrieval.query")
	d.Model.PassagePrefix = prompt(c.Prompts, c.Default, "passage", "document", "search_document", "corpus", "retrieval.passage")
	if c.Truncate > 0 {
		c.Matryoshka = append(c.Matryoshka, c.Truncate)
	}
	return d.shorter(file, c.Matryoshka)
}

func prompt(prompts map[string]*string, otherwise *string, names ...string) string {
	if otherwise != nil {
		names = append(names, *otherwise)
	}
	for _, name := range names {
		if p := prompts[name]; p != nil {
			return *p
		}
	}
	return ""
}

// readTokenizer mends the one mistake that published files are known for: a
// vocabulary of lower-case pieces beside a tokenizer that keeps capitals.
func (d *Description) readTokenizer(string) error {
	var t struct {
		Normalizer *struct {
			Type  string `json:"type"`
			Lower *bool  `json:"lowercase"`
		} `json:"normalizer"`
		Added []struct {
			Content string `json:"content"`
		} `json:"added_tokens"`
		Model struct {
			Type  string `json:"type"`
			Vocab any    `json:"vocab"`
		} `json:"model"`
	}
	if there, err := read(d.Tokenizer, maxTokenizer, &t); err != nil || !there {
		return err
	}
	vocab, ok := t.Model.Vocab.(map[string]any)
	if !ok || t.Model.Type != "WordPiece" || t.Normalizer == nil || t.Normalizer.Lower == nil || *t.Normalizer.Lower {
		return nil
	}
	special := make(map[string]bool)
	for _, a := range t.Added {
		special[a.Content] = true
	}
	for piece := range vocab {
		if strings.ContainsAny(piece, "ABCDEFGHIJKLMNOPQRSTUVWXYZ") && !special[piece] && piece[0] != '[' && piece[0] != '<' {
			return nil
		}
	}
	lower := true
	d.Model.Lowercase = &lower
	d.note("texts are lower-cased: %s keeps capitals, but its vocabulary has none", filepath.Base(d.Tokenizer))
	return nil
}
