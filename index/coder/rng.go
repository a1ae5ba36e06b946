package coder

import "math/rand"

// rng returns the generator of levels. The library wants the older of Go's two
// packages.
func rng(seed int64) *rand.Rand { return rand.New(rand.NewSource(seed + 1)) }
