//go:build !unix

package snapshot

func syncDir(string) error { return nil }
