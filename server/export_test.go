package server

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
