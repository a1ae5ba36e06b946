package vecdb

import (
	"runtime"
	"runtime/debug"
)

// Version is the release that this source belongs to (semantic versioning).
const Version = "0.1.0"

// Build tells what a binary was built from.
type Build struct {
	Version string // the release
	Commit  string // revision of the source, "-dirty" when it was changed; "unknown" when not recorded
	Go      string // version of Go, with operating system and architecture
}

// BuildInfo returns what the running binary was built from.
func BuildInfo() Build {
	b := Build{Version: Version, Commit: "unknown", Go: runtime.Version() + " " + runtime.GOOS + "/" + runtime.GOARCH}
	info, ok := debug.ReadBuildInfo()
	if !ok {
		return b
	}
	dirty := ""
	for _, s := range info.Settings {
		switch {
		case s.Key == "vcs.revision":
			b.Commit = s.Value
		case s.Key == "vcs.modified" && s.Value == "true":
			dirty = "-dirty"
		}
	}
	b.Commit += dirty
	return b
}
