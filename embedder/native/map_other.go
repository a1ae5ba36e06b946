//go:build !unix

package native

import "os"

// mapFile reads a file where it cannot be mapped.
func mapFile(path string) (data []byte, unmap func() error, err error) {
	raw, err := os.ReadFile(path)
	if err != nil {
		return nil, nil, err
	}
	data = append(aligned(len(raw))[:0], raw...)
	return data, func() error { return nil }, nil
}
