package server

import (
	"bufio"
	"io"
)

// ReadAhead reads the lines of r as an import does.
func ReadAhead(r io.Reader) (take func() ([][]byte, []int, error), stop func()) {
	a := readAhead(&lineReader{r: bufio.NewReaderSize(r, 64<<10)})
	return a.take, func() { a.stop(func() {}) }
}

// RouteForTest is a row of the table of routes.
type RouteForTest struct {
	Method, Path string
	Open         bool
}

// RoutesForTest returns the table of routes.
func RoutesForTest() (out []RouteForTest) {
	for _, r := range (&Server{metrics: &metrics{}}).routes() {
		out = append(out, RouteForTest{Method: r.method, Path: r.path, Open: r.scope == open})
	}
	return out
}
