//go:build release

package bundle

import (
	"embed"
	"io/fs"
)

// embedded is what `make release` puts in place.
//
//go:embed files
var embedded embed.FS

var files fs.FS = embedded
