//go:build !release

package bundle

var models map[string]Model
