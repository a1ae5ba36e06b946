package core

import "iter"

// Structure yields the brackets, braces and commas of JSON that are not within
// strings, with their places. It decodes nothing and checks nothing.
func Structure(data []byte) iter.Seq2[int, byte] {
	return func(yield func(int, byte) bool) {
		quoted, escaped := false, false
		for i, b := range data {
			switch {
			case escaped:
				escaped = false
			case quoted:
				escaped, quoted = b == '\\', b != '"'
			case b == '"':
				quoted = true
			case b == '{' || b == '[' || b == '}' || b == ']' || b == ',':
				if !yield(i, b) {
					return
				}
			}
		}
	}
}
