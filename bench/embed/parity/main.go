// Command parity answers for vecdb's tokenizer when parity.py compares it with
// the reference: each line of its input is a text as base64, each line of its
// output a JSON object with the text's ids and where they stand.
package main

import (
	"bufio"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"

	"github.com/vecdb/vecdb/embedder/token"
)

func main() {
	if err := run(os.Args[1:], os.Stdin, os.Stdout); err != nil {
		fmt.Fprintln(os.Stderr, "parity:", err)
		os.Exit(1)
	}
}

// answer is a line of the output.
type answer struct {
	IDs   []int32  `json:"ids"`
	Spans [][2]int `json:"spans"`
}

// run answers for the tokenizer.json that args names. A second argument, true
// or false, says whether it lower-cases.
func run(args []string, in io.Reader, out io.Writer) error {
	if len(args) < 1 {
		return errors.New("usage: parity TOKENIZER [true|false]")
	}
	var o token.Options
	if len(args) > 1 {
		lower := args[1] == "true"
		o.Lowercase = &lower
	}
	t, err := token.Load(args[0], o)
	if err != nil {
		return err
	}
	w, ok := t.(*token.WordPiece)
	if !ok {
		return fmt.Errorf("%s is not of the BERT family", args[0])
	}
	lines := bufio.NewReaderSize(in, 1<<20)
	to := bufio.NewWriter(out)
	enc := json.NewEncoder(to)
	for {
		line, err := lines.ReadString('\n')
		if errors.Is(err, io.EOF) {
			return to.Flush()
		}
		if err != nil {
			return err
		}
		text, err := base64.StdEncoding.DecodeString(line[:len(line)-1])
		if err != nil {
			return fmt.Errorf("a text is not base64: %w", err)
		}
		if err := enc.Encode(encode(w, string(text))); err != nil {
			return err
		}
		if lines.Buffered() == 0 {
			if err := to.Flush(); err != nil {
				return err
			}
		}
	}
}

func encode(w *token.WordPiece, text string) answer {
	ids, spans, _, err := w.EncodeSpans(text, 1<<30)
	if err != nil {
		return answer{}
	}
	a := answer{IDs: ids}
	for _, s := range spans {
		a.Spans = append(a.Spans, [2]int{s.Start, s.End})
	}
	return a
}
