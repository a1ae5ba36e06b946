package main

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

func TestModelAddTellsWhatIsMissing(t *testing.T) {
	b := newRig(t)
	empty := t.TempDir()
	cut := t.TempDir()
	for name, content := range map[string]string{"model.onnx": "x", "tokenizer.json": "{", "config.json": `{"hidden_size":8}`} {
		if err := os.WriteFile(filepath.Join(cut, name), []byte(content), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	for _, tc := range []struct {
		args []string
		says string
	}{
		{[]string{"model", "add"}, "a folder, or owner/name"},
		{[]string{"model", "add", empty}, "no weights"},
		{[]string{"model", "add", filepath.Join(empty, "none")}, "there is no folder"},
		{[]string{"model", "add", cut}, "tokenizer.json"},
		{[]string{"model", "add", cut, "--language", "fr"}, "use en or zh"},
		{[]string{"model", "remove", "all-MiniLM-L6-v2"}, "not found"},
	} {
		if code, _, message := b.run(t.Context(), tc.args...); code == 0 || !strings.Contains(message, tc.says) {
			t.Errorf("%v: exit %d, %q, want %q", tc.args, code, message, tc.says)
		}
	}
}
