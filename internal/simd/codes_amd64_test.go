//go:build !purego

package simd

import (
	"os"
	"regexp"
	"strings"
	"testing"
)

// The generator notes at each function which instructions it is made of.
var (
	assembly = regexp.MustCompile(`^(\w+)\(.*\n(?:// Requires: (.*)\n)?`)
	late     = regexp.MustCompile(`\b[XY](1[6-9]|2\d|3[01])\b`)
)

func TestKernelsUseNoOtherInstructionsThanTheirLevelNeeds(t *testing.T) {
	text, err := os.ReadFile("codes_amd64.s")
	if err != nil {
		t.Fatal(err)
	}
	levels := map[string]uint8{"AVX2": levelAVX2, "AVX512": levelAVX512, "VNNI": levelVNNI, "VBMI": levelVBMI}
	seen := map[string]bool{}
	for _, body := range strings.Split(string(text), "\n// func ")[1:] {
		head := assembly.FindStringSubmatch(body)
		name, requires := head[1], head[2]
		for suffix, level := range levels {
			if !strings.HasSuffix(name, suffix) {
				continue
			}
			seen[suffix] = true
			// The fetching instructions, which every processor has.
			has := map[string]bool{"": true, "MMX+": true}
			for _, feature := range needs(level) {
				has[feature.String()] = true
			}
			for _, feature := range strings.Split(requires, ", ") {
				if !has[feature] {
					t.Errorf("%s uses %s", name, feature)
				}
			}
			// The last 16 registers are in AVX512F only with all of their 64 bytes.
			if r := late.FindString(body); r != "" {
				t.Errorf("%s uses the register %s", name, r)
			}
		}
	}
	if len(seen) != len(levels) {
		t.Errorf("saw kernels of %v only", seen)
	}
}
