// The program peers-go puts vector indexes written in Go behind the protocol
// of bench/peers: it builds an index, prints one line of JSON with what that
// has cost, and answers each line of JSON on its standard input with one on
// its standard output. bench/peers/rivals/serve.py describes the lines.
package main

import (
	"bufio"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"os"
)

func main() {
	if err := run(); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

// answers are written here; whatever a library prints goes elsewhere.
type answers struct{ *json.Encoder }

func run() error {
	rival := flag.String("rival", "", "weaviate or chromem")
	flag.String("variant", "", "ignored: each rival has one")
	flag.String("cache", "", "ignored: nothing is saved")
	base := flag.String("base", "", "file of the vectors")
	queries := flag.String("queries", "", "file of the queries")
	truth := flag.String("truth", "", "file of the exact neighbours")
	threads := flag.Int("threads", 1, "threads of the build")
	buildOnly := flag.Bool("build-only", false, "end after the build")
	flag.Parse()

	out := answers{json.NewEncoder(os.Stdout)}
	os.Stdout = os.Stderr
	p := &peer{threads: *threads}
	if err := p.start(*rival, *base, *queries, *truth, out, *buildOnly); err != nil {
		return errors.Join(err, out.Encode(map[string]any{"error": err.Error()}))
	}
	if *buildOnly {
		return nil
	}
	in := bufio.NewScanner(os.Stdin)
	in.Buffer(nil, 1<<20)
	for in.Scan() {
		if err := out.Encode(p.answer(in.Bytes())); err != nil {
			return err
		}
	}
	return in.Err()
}
