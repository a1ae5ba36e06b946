// Package core holds the words that every layer of vecdb shares: documents,
// ordinals, changes, sets of ordinals, conditions on fields, and the sentinel
// errors. It imports nothing else of vecdb, so any layer may import it.
package core
