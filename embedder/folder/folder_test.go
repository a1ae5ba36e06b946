package folder_test

import (
	"errors"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/vecdb/vecdb/embedder"
	"github.com/vecdb/vecdb/embedder/folder"
	"github.com/vecdb/vecdb/internal/core"
)

// plain is a folder as sentence-transformers writes it.
var plain = map[string]string{
	"model.onnx":                        "weights",
	"onnx/model_quantized.onnx":         "weights",
	"onnx/model_fp16.onnx":              "weights",
	"tokenizer.json":                    `{"normalizer":{"type":"BertNormalizer","lowercase":true},"model":{"type":"WordPiece","vocab":{"a":0}}}`,
	"config.json":                       `{"model_type":"bert","hidden_size":384,"num_hidden_layers":6,"max_position_embeddings":512}`,
	"tokenizer_config.json":             `{"model_max_length":1e30}`,
	"sentence_bert_config.json":         `{"max_seq_length":256}`,
	"config_sentence_transformers.json": `{"prompts":{"query":"query: ","document":"passage: "},"default_prompt_name":null}`,
	"modules.json":                      `[{"path":"","type":"sentence_transformers.models.Transformer"},{"path":"pool","type":"sentence_transformers.models.Pooling"},{"path":"n","type":"sentence_transformers.models.Normalize"}]`,
	"pool/config.json":                  `{"word_embedding_dimension":384,"pooling_mode_cls_token":true,"pooling_mode_mean_tokens":false,"include_prompt":true}`,
}

// lay writes a folder: plain, with the changes. "" removes a file.
func lay(t *testing.T, changes map[string]string) string {
	t.Helper()
	dir := filepath.Join(t.TempDir(), "a [model]*")
	files := maps.Clone(plain)
	maps.Copy(files, changes)
	for name, content := range files {
		if content == "" {
			continue
		}
		path := filepath.Join(dir, filepath.FromSlash(name))
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte(content), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	return dir
}

func TestSettingsComeFromTheFiles(t *testing.T) {
	for _, tc := range []struct {
		name    string
		changes map[string]string
		check   func(m embedder.Model) bool
	}{
		{"all of a plain folder", nil, func(m embedder.Model) bool {
			return m.Dim == 384 && m.Layers == 6 && m.MaxTokens == 256 && m.Pooling == embedder.PoolCLS && m.QueryPrefix == "query: " && m.PassagePrefix == "passage: " && m.Lowercase == nil
		}},
		{"no pooling", map[string]string{"pool/config.json": "", "modules.json": ""}, func(m embedder.Model) bool { return m.Pooling == embedder.PoolMean }},
		{"last token", map[string]string{"pool/config.json": `{"pooling_mode_lasttoken":true}`}, func(m embedder.Model) bool { return m.Pooling == embedder.PoolLast }},
		{"maximum by its new name", map[string]string{"pool/config.json": `{"pooling_mode":"max"}`}, func(m embedder.Model) bool { return m.Pooling == embedder.PoolMax }},
		{"positions from two", map[string]string{"config.json": `{"model_type":"xlm-roberta","hidden_size":384,"max_position_embeddings":514}`, "sentence_bert_config.json": ""},
			func(m embedder.Model) bool { return m.MaxTokens == 512 }},
		{"length of the tokenizer", map[string]string{"sentence_bert_config.json": "", "tokenizer_config.json": `{"model_max_length":128}`}, func(m embedder.Model) bool { return m.MaxTokens == 128 }},
		{"a default prompt", map[string]string{"config_sentence_transformers.json": `{"prompts":{"all":"text: "},"default_prompt_name":"all"}`},
			func(m embedder.Model) bool { return m.QueryPrefix == "text: " && m.PassagePrefix == "text: " }},
		{"Matryoshka", map[string]string{"config_sentence_transformers.json": `{"matryoshka_dimensions":[384,256,64,256]}`}, func(m embedder.Model) bool { return slices.Equal(m.Shorter, []int{64, 256}) }},
		{"capitals against the vocabulary", map[string]string{"tokenizer.json": `{"normalizer":{"type":"BertNormalizer","lowercase":false},"added_tokens":[{"content":"[CLS]"}],"model":{"type":"WordPiece","vocab":{"a":0,"[CLS]":1}}}`},
			func(m embedder.Model) bool { return m.Lowercase != nil && *m.Lowercase }},
		{"capitals of a vocabulary", map[string]string{"tokenizer.json": `{"normalizer":{"type":"BertNormalizer","lowercase":false},"model":{"type":"WordPiece","vocab":{"a":0,"A":1}}}`},
			func(m embedder.Model) bool { return m.Lowercase == nil }},
	} {
		t.Run(tc.name, func(t *testing.T) {
			d, err := folder.Describe(lay(t, tc.changes))
			if err != nil {
				t.Fatal(err)
			}
			if !tc.check(d.Model) {
				t.Errorf("got %+v", d.Model)
			}
			if filepath.Base(d.Weights[embedder.FP32]) != "model.onnx" || filepath.Base(d.Weights[embedder.Int8]) != "model_quantized.onnx" || len(d.Weights) != 2 {
				t.Errorf("the weights are %v", d.Weights)
			}
		})
	}
}

func TestWhatCannotBeComputedIsRefused(t *testing.T) {
	for _, tc := range []struct {
		name    string
		changes map[string]string
		is      error
		says    string
	}{
		{"no weights", map[string]string{"model.onnx": "", "onnx/model_quantized.onnx": ""}, core.ErrInvalid, ".onnx"},
		{"weights in two files", map[string]string{"model.onnx_data": "more"}, core.ErrInvalid, "model.onnx_data"},
		{"no tokenizer", map[string]string{"tokenizer.json": ""}, core.ErrInvalid, "tokenizer.json"},
		{"no config", map[string]string{"config.json": ""}, core.ErrInvalid, "config.json"},
		{"a damaged config", map[string]string{"config.json": `{"hidden_size":`}, core.ErrCorrupt, "config.json"},
		{"a config without end", map[string]string{"config.json": strings.Repeat(" ", 2<<20)}, core.ErrCorrupt, "config.json"},
		{"no dimension", map[string]string{"config.json": `{"model_type":"bert"}`}, core.ErrInvalid, "hidden_size"},
		{"a huge dimension", map[string]string{"config.json": `{"hidden_size":1000000000}`}, core.ErrInvalid, "hidden_size"},
		{"a model that writes", map[string]string{"config.json": `{"hidden_size":384,"is_encoder_decoder":true}`}, core.ErrInvalid, "writes text"},
		{"another dimension", map[string]string{"pool/config.json": `{"word_embedding_dimension":512,"pooling_mode_cls_token":true}`}, core.ErrDimension, "512"},
		{"two poolings", map[string]string{"pool/config.json": `{"pooling_mode_cls_token":true,"pooling_mode_max_tokens":true}`}, core.ErrInvalid, "2 poolings"},
		{"an unknown pooling", map[string]string{"pool/config.json": `{"pooling_mode_weightedmean_tokens":true}`}, core.ErrInvalid, "weightedmean"},
		{"a dense layer", map[string]string{"modules.json": `[{"path":"d","type":"sentence_transformers.models.Dense"}]`}, core.ErrInvalid, "Dense"},
		{"a path outside", map[string]string{"modules.json": `[{"path":"../../etc","type":"x.Pooling"}]`}, core.ErrInvalid, "outside"},
		{"no room", map[string]string{"sentence_bert_config.json": `{"max_seq_length":2}`}, core.ErrInvalid, "2 tokens"},
		{"a tokenizer that is none", map[string]string{"tokenizer.json": "<html>"}, core.ErrCorrupt, "tokenizer.json"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			_, err := folder.Describe(lay(t, tc.changes))
			if !errors.Is(err, tc.is) || !strings.Contains(err.Error(), tc.says) {
				t.Errorf("got %v, want %v with %q", err, tc.is, tc.says)
			}
		})
	}
	if _, err := folder.Describe(filepath.Join(t.TempDir(), "nothing")); !errors.Is(err, core.ErrInvalid) {
		t.Errorf("no folder gives %v", err)
	}
}
