// Package lint holds the rules of the source tree as tests: which folder may
// import which, the one home of each outside module, and that every package
// says what it is for. It has no code of its own.
package lint
