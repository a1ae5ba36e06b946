//go:build !release

package bundle

import "io/fs"

var files fs.FS
