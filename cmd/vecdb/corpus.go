package main

import (
	"bufio"
	"bytes"
	"context"
	"crypto/sha256"
	_ "embed" // for the demo texts
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os/exec"
	"slices"
	"strings"

	"github.com/vecdb/vecdb/internal/core"
	"github.com/vecdb/vecdb/internal/records"
)

// The texts of the demo that come with vecdb.
var (
	//go:embed demo/en.jsonl
	englishTexts []byte
	//go:embed demo/zh.jsonl
	chineseTexts []byte
)

// fewPackages is the number of packages below which they are no demo.
const fewPackages = 200

// corpus is a list of documents to show vecdb with. It is a supply.
type corpus struct {
	about    string // what it is, for people
	language string
	docs     []core.Document
	at       int
	queries  []string
	field    string // shown beside the text, "" for none
	notes    []string
}

// Next implements supply.
func (c *corpus) Next() (records.Record, error) {
	if c.at == len(c.docs) {
		return records.Record{}, io.EOF
	}
	c.at++
	return records.Record{Document: c.docs[c.at-1], Line: c.at}, nil
}

// BytesRead implements supply; a corpus counts documents.
func (c *corpus) BytesRead() int64 { return int64(c.at) }

// Size implements supply.
func (c *corpus) Size() int64 { return int64(len(c.docs)) }

// fingerprint changes with the documents and with what turns them to vectors.
func (c *corpus) fingerprint(precision string) string {
	h := sha256.New()
	fmt.Fprintf(h, "1\n%s\n%s\n%d\n", c.language, precision, len(c.docs))
	enc := json.NewEncoder(h)
	for i := range c.docs {
		_ = enc.Encode(c.docs[i]) // a hash takes everything, and documents are plain values
	}
	return hex.EncodeToString(h.Sum(nil)[:16])
}

// builtin returns texts that come with vecdb.
func builtin(language string) (*corpus, error) {
	c := &corpus{about: "the English texts that come with vecdb", language: "en", field: "label", queries: []string{
		"I paid two times for the same thing", "what can I cook with old rice", "why does thunder follow a flash", "getting around town without a car", "victory in the last minute",
	}}
	texts := englishTexts
	if language == "zh" {
		c = &corpus{about: "the Chinese texts that come with vecdb", language: "zh", field: "label", queries: []string{"钱被多扣了，想要退款", "怎样做鱼才好吃", "海水为什么会涨潮"}}
		texts = chineseTexts
	}
	r, err := records.New(bytes.NewReader(texts), "demo texts", records.Options{Format: records.JSONL})
	if err != nil {
		return nil, err
	}
	return c, c.take(r, 0, nil)
}

// take reads up to limit documents, 0 for all. keep may be nil.
func (c *corpus) take(r *records.Reader, limit int, keep func(*core.Document) bool) error {
	broken := 0
	for limit == 0 || len(c.docs) < limit {
		rec, err := r.Next()
		if errors.Is(err, io.EOF) {
			break
		}
		if errors.As(err, new(*records.LineError)) {
			broken++
			continue
		}
		if err != nil {
			return err
		}
		if keep == nil || keep(&rec.Document) {
			c.docs = append(c.docs, rec.Document)
		}
	}
	if broken > 0 {
		c.notes = append(c.notes, plural(broken, "record")+" could not be read (vecdb add tells which)")
	}
	return nil
}

// fileCorpus reads a file of the user's.
func (a *app) fileCorpus(ctx context.Context, path string, limit int, o inputFlags) (*corpus, error) {
	r, err := a.openInput(ctx, path, o)
	if err != nil {
		return nil, err
	}
	c := &corpus{about: r.Plan().Name, language: r.Plan().Language, notes: describe(r.Plan())}
	err = errors.Join(c.take(r, limit, nil), r.Close())
	if err == nil && len(c.docs) == 0 {
		err = fmt.Errorf("no documents in %s", path)
	}
	if limit > 0 && len(c.docs) == limit {
		c.notes = append(c.notes, fmt.Sprintf("  the first %s documents; --limit 0 takes all", count(limit)))
	}
	return c, err
}

// packageCorpus reads the descriptions of the packages that this machine's
// package manager knows. Packages with equal descriptions count once, and
// programs come before libraries, which people seldom look for. It returns nil
// when there is no such manager, or hardly a package.
func (a *app) packageCorpus(ctx context.Context, limit int) (*corpus, error) {
	list := a.packages
	if list == nil {
		list = aptPackages
	}
	out, err := list(ctx)
	if err != nil || len(out) == 0 {
		return nil, ctx.Err()
	}
	r, err := records.New(bytes.NewReader(out), "apt-cache dumpavail", records.Options{Format: records.Debian})
	if err != nil {
		return nil, err
	}
	c := &corpus{about: "the package descriptions of this machine (apt-cache dumpavail)", language: "en", field: "section", queries: []string{
		"edit photos", "watch the weather from a terminal", "play chess against the computer", "download videos from web sites", "find out what eats my disk space",
	}}
	seen := make(map[string]bool)
	if err := c.take(r, 0, func(d *core.Document) bool { return keepPackage(d, seen) }); err != nil {
		return nil, err
	}
	if len(c.docs) < fewPackages {
		return nil, nil
	}
	slices.SortStableFunc(c.docs, func(x, y core.Document) int { return partRank(x) - partRank(y) })
	if limit > 0 && len(c.docs) > limit {
		c.notes = append(c.notes, fmt.Sprintf("  %s of %s packages, programs first; --limit 0 takes all", count(limit), count(len(c.docs))))
		c.docs = c.docs[:limit]
	}
	return c, nil
}

// aptPackages asks the package manager. Where there is none, there is nothing.
func aptPackages(ctx context.Context) ([]byte, error) {
	path, err := exec.LookPath("apt-cache")
	if err != nil {
		return nil, nil
	}
	cmd := exec.CommandContext(ctx, path, "dumpavail")
	cmd.Env = []string{"LC_ALL=C.UTF-8", "PATH=/usr/sbin:/usr/bin:/sbin:/bin"}
	pipe, err := cmd.StdoutPipe()
	if err != nil {
		return nil, err
	}
	if err := cmd.Start(); err != nil {
		return nil, err
	}
	out, err := io.ReadAll(bufio.NewReader(pipe))
	return out, errors.Join(err, cmd.Wait())
}

// keepPackage leaves out a package whose description was seen already.
func keepPackage(d *core.Document, seen map[string]bool) bool {
	about := strings.TrimPrefix(d.Text, d.ID+": ")
	if about == d.Text || seen[about] {
		return false
	}
	seen[about] = true
	return true
}

// parts are sections that hold parts of programs and things for programmers.
var parts = map[string]bool{
	"libs": true, "libdevel": true, "oldlibs": true, "debug": true, "doc": true, "devel": true, "introspection": true, "localization": true, "kernel": true,
	"python": true, "perl": true, "haskell": true, "rust": true, "golang": true, "javascript": true, "java": true, "ruby": true, "gnu-r": true,
	"php": true, "ocaml": true, "lisp": true, "cli-mono": true, "metapackages": true, "tasks": true,
}

// partRank is 1 for parts and 0 for programs.
func partRank(d core.Document) int {
	section, _ := d.Fields["section"].(string)
	if i := strings.LastIndexByte(section, '/'); i >= 0 {
		section = section[i+1:] // "universe/libs"
	}
	if parts[section] {
		return 1
	}
	return 0
}
