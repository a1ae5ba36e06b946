package vectors

import (
	"strconv"
	"strings"
)

// parseNPY reads a header such as
//
//	{'descr': '<f4', 'fortran_order': False, 'shape': (1000, 384), }
//
// with its keys in any order.
func parseNPY(text string) (npyHeader, error) {
	p := &npyParser{rest: text}
	var h npyHeader
	seen := make(map[string]bool)
	p.expect('{')
	for p.err == nil && !p.take('}') {
		key := p.quoted()
		p.expect(':')
		if seen[key] {
			p.fail("the key %q comes twice", key)
		}
		seen[key] = true
		switch key {
		case "descr":
			h.descr = p.descr()
		case "fortran_order":
			h.fortran = p.boolean()
		case "shape":
			h.shape = p.tuple()
		default:
			p.fail("the key %q is unknown", key)
		}
		if !p.take(',') && !p.at('}') {
			p.fail("a comma is missing at %q", p.near())
		}
	}
	if p.err == nil && (len(seen) != 3 || strings.TrimSpace(p.rest) != "") {
		p.fail("descr, fortran_order and shape are needed, and nothing else")
	}
	return h, p.err
}

// npyParser eats a text from the left. After the first error it eats nothing
// more.
type npyParser struct {
	rest string
	err  error
}

func (p *npyParser) fail(format string, args ...any) {
	if p.err == nil {
		p.err = wrong("write it with numpy.save", "the header of the .npy file is broken: "+format, args...)
	}
}

// near is where the parser stands, for messages.
func (p *npyParser) near() string { return p.rest[:min(20, len(p.rest))] }

// at reports whether c comes next, after spaces.
func (p *npyParser) at(c byte) bool {
	p.rest = strings.TrimLeft(p.rest, " \t\r\n")
	return p.err == nil && p.rest != "" && p.rest[0] == c
}

// take eats c if it comes next.
func (p *npyParser) take(c byte) bool {
	if !p.at(c) {
		return false
	}
	p.rest = p.rest[1:]
	return true
}

func (p *npyParser) expect(c byte) {
	if !p.take(c) {
		p.fail("%q is missing at %q", string(c), p.near())
	}
}

// quoted eats a string without escapes in it.
func (p *npyParser) quoted() string {
	quote := byte('\'')
	if p.at('"') {
		quote = '"'
	}
	p.expect(quote)
	text, rest, closed := strings.Cut(p.rest, string(quote))
	if p.err != nil || !closed {
		p.fail("a string does not end")
		return ""
	}
	p.rest = rest
	return text
}

func (p *npyParser) descr() string {
	if p.at('[') {
		p.err = wrong("save a plain matrix", "the array is structured, with fields in each element")
		return ""
	}
	return p.quoted()
}

func (p *npyParser) boolean() bool {
	p.at(' ') // skips the spaces
	if rest, yes := strings.CutPrefix(p.rest, "True"); yes {
		p.rest = rest
		return true
	}
	rest, no := strings.CutPrefix(p.rest, "False")
	if !no {
		p.fail("True or False is missing at %q", p.near())
	}
	p.rest = rest
	return false
}

// tuple eats numbers in parentheses. Python 2 wrote an L after some.
func (p *npyParser) tuple() (out []int) {
	p.expect('(')
	for p.err == nil && !p.take(')') {
		p.at(' ') // skips the spaces
		end := 0
		for end < len(p.rest) && p.rest[end] >= '0' && p.rest[end] <= '9' {
			end++
		}
		n, err := strconv.ParseUint(p.rest[:end], 10, 32)
		if err != nil {
			p.fail("a number below 2^32 is missing at %q", p.near())
			break
		}
		p.rest = p.rest[end:]
		p.take('L')
		out = append(out, int(n))
		if !p.take(',') && !p.at(')') {
			p.fail("a comma is missing at %q", p.near())
		}
	}
	return out
}
