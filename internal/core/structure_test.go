package core_test

import (
	"testing"

	"github.com/vecdb/vecdb/internal/core"
)

func TestStructurePassesOverStrings(t *testing.T) {
	const text = `{"a,[":["\"}",1,{"\\":"x"}],"b":","}`
	var found string
	for i, b := range core.Structure([]byte(text)) {
		if text[i] != b {
			t.Errorf("at %d there is %q, not %q", i, text[i], b)
		}
		found += string(b)
	}
	if want := "{[,,{}],}"; found != want {
		t.Errorf("found %s, want %s", found, want)
	}
	for range core.Structure([]byte(text)) {
		break // which it has to take
	}
}
