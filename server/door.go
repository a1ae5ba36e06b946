package server

import (
	"crypto/sha256"
	"crypto/subtle"
	"net"
	"net/http"
	"net/netip"
	"net/url"
	"strings"

	"github.com/gin-gonic/gin"

	"github.com/vecdb/vecdb/client"
	"github.com/vecdb/vecdb/internal/core"
)

// door decides who may come in. Keys are kept hashed and compared in constant
// time.
type door struct {
	hashes   [][sha256.Size]byte
	insecure bool
}

func newDoor(keys []string, insecure bool) door {
	d := door{insecure: insecure}
	for _, k := range keys {
		d.hashes = append(d.hashes, sha256.Sum256([]byte(k)))
	}
	return d
}

// locked tells whether a key is needed.
func (d door) locked() bool { return len(d.hashes) > 0 }

// fits tells whether a key opens the door.
func (d door) fits(key string) bool {
	got, ok := sha256.Sum256([]byte(key)), 0
	for _, h := range d.hashes {
		ok |= subtle.ConstantTimeCompare(got[:], h[:])
	}
	return ok == 1
}

// enter checks the key and the query of the address, and takes a place in the lane of
// the route's scope.
func (s *Server) enter(r route) gin.HandlerFunc {
	return func(c *gin.Context) {
		switch {
		case s.door.locked() && r.scope != open && !s.door.fits(keyOf(c.Request)):
			c.Header("WWW-Authenticate", `Bearer realm="vecdb"`)
			s.refuse(c, http.StatusUnauthorized, client.CodeUnauthorized, "an API key is needed", "send the header Authorization: Bearer KEY")
			return
		case !s.door.locked() && !s.door.insecure && !isLoopback(hostOf(c.Request)):
			// A page in a browser may be made to call this machine under a
			// name of its own (DNS rebinding).
			s.refuse(c, http.StatusForbidden, client.CodeForbidden, "without an API key the server answers to the names of this machine only", "call 127.0.0.1, or set an API key")
			return
		}
		s.let(c, r)
		// A client that waits for a word before it sends has not been told to.
		if c.Writer.Status() >= http.StatusBadRequest && c.GetHeader("Expect") == "" {
			drain(c)
		}
	}
}

// let handles a request that may come in, where its address can be read and there is
// a place in its lane.
func (s *Server) let(c *gin.Context, r route) {
	// What url.Values leaves out would be taken for what was not asked for.
	values, err := url.ParseQuery(c.Request.URL.RawQuery)
	if err != nil {
		s.fail(c, core.Invalid("", "escape what is behind the ? (RFC 3986)", "the query of the address cannot be read: %.100v", err))
		return
	}
	if err := r.checkQuery(values); err != nil {
		s.fail(c, err)
		return
	}
	leave, ok := s.lanes.enter(c.Request.Context(), r.scope)
	if !ok {
		c.Header("Retry-After", "1")
		s.refuse(c, http.StatusTooManyRequests, client.CodeBusy, "too many requests at once", "try again in a moment")
		return
	}
	defer leave()
	defer s.letGo(c)
	c.Next()
}

func keyOf(r *http.Request) string {
	if key, bearer := strings.CutPrefix(r.Header.Get("Authorization"), "Bearer "); bearer {
		return key
	}
	return r.Header.Get("api-key")
}

func hostOf(r *http.Request) string {
	host, _, err := net.SplitHostPort(r.Host)
	if err != nil {
		return strings.Trim(r.Host, "[]")
	}
	return host
}

// isLoopback tells whether a host's name or address means this machine.
func isLoopback(host string) bool {
	if strings.EqualFold(host, "localhost") {
		return true
	}
	addr, err := netip.ParseAddr(host)
	return err == nil && addr.Unmap().IsLoopback()
}
