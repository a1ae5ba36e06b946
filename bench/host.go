package bench

import (
	"runtime"
	"time"

	"github.com/vecdb/vecdb/internal/simd"
)

// Host tells where and when something was measured.
type Host struct {
	CPU     string `json:"cpu"` // the processor's model
	Cores   int    `json:"cores"`
	System  string `json:"system"`  // for instance linux/amd64
	Kernels string `json:"kernels"` // the distance kernels in use
	Go      string `json:"go"`      // version
	Date    string `json:"date"`    // when the run began, RFC 3339 in UTC
}

func thisHost() Host {
	return Host{
		CPU: simd.CPU(), Cores: runtime.NumCPU(), System: runtime.GOOS + "/" + runtime.GOARCH,
		Kernels: simd.Kernels(), Go: runtime.Version(), Date: time.Now().UTC().Format(time.RFC3339),
	}
}
