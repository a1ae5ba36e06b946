package main

import (
	"strconv"
	"strings"

	"github.com/spf13/cobra"

	"github.com/vecdb/vecdb/query"
)

// shapeFlags are the flags that change the order of hits and what is shown of
// them.
type shapeFlags struct {
	diversity float32
	decay     string
	boosts    []string
	highlight string
}

func (s *shapeFlags) add(cmd *cobra.Command) {
	f := cmd.Flags()
	f.Float32Var(&s.diversity, "diversity", 0, "make hits differ from each other: 0 by score alone, up to 1")
	f.StringVar(&s.decay, "decay", "", "FIELD:HALF-LIFE, such as published:30d; half of the score fades so")
	f.StringArrayVar(&s.boosts, "boost", nil, "FIELD:WEIGHT[:HALF], such as stars:0.2:100; adds up to WEIGHT, half of it at HALF; repeatable")
	f.StringVar(&s.highlight, "highlight", "", "show the sentence that matches best, by words, meaning or auto (by words where there are any)")
	f.Lookup("highlight").NoOptDefVal = string(query.HighlightAuto)
}

// apply puts the flags into a request.
func (s *shapeFlags) apply(r *query.Request) error {
	r.Diversity, r.Highlight = s.diversity, query.Highlighting(s.highlight)
	if s.decay != "" {
		i := strings.LastIndexByte(s.decay, ':')
		if i < 1 || i == len(s.decay)-1 {
			return usage("--decay wants FIELD:HALF-LIFE, such as published:30d")
		}
		r.Decay = &query.Decay{Field: s.decay[:i], HalfLife: s.decay[i+1:]}
	}
	for _, text := range s.boosts {
		b, ok := parseBoost(text)
		if !ok {
			return usage("--boost wants FIELD:WEIGHT or FIELD:WEIGHT:HALF, such as stars:0.2:100")
		}
		r.Boosts = append(r.Boosts, b)
	}
	return nil
}

func parseBoost(text string) (b query.Boost, ok bool) {
	parts := strings.Split(text, ":")
	if len(parts) != 2 && len(parts) != 3 {
		return b, false
	}
	var err error
	b.Field = parts[0]
	if b.Weight, err = strconv.ParseFloat(parts[1], 64); err != nil || b.Field == "" {
		return b, false
	}
	if len(parts) == 3 {
		b.Half, err = strconv.ParseFloat(parts[2], 64)
	}
	return b, err == nil
}
