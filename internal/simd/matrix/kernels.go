package matrix

import (
	"os"

	"github.com/vecdb/vecdb/internal/simd"
)

// Generic is the set of kernels in plain Go, which every processor has.
const Generic = "generic"

// set is a choice of kernels.
type set struct {
	name  string
	level uint8 // of the instructions that may be used; 0 is plain Go
}

// chosen is the fastest set that the processor has, or the one that the
// environment variable simd.Env asks for. It does not change after the program
// has started.
var chosen = choose(os.Getenv(simd.Env))

// level is chosen.level, where the kernels look it up at every call.
var level = chosen.level

// Kernels names the set in use: "amx", "avx512vnni", "avx512", "avxvnni",
// "avx2" or "generic".
func Kernels() string { return chosen.name }

func choose(want string) set {
	switch want { // Sets that only package simd has.
	case "avx512vbmi":
		want = "avx512vnni"
	case "fma":
		want = Generic
	}
	sets := available()
	for _, s := range sets {
		if s.name == want {
			return s
		}
	}
	return sets[0]
}
