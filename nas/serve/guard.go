package serve

import (
	"crypto/rand"
	"crypto/subtle"
	"net"
	"net/http"
	"net/netip"
	"net/url"
	"strings"
)

// policy lets pages use only what this server has. Drawings set colours in attributes of their own, for
// which it needs no exception.
const policy = "default-src 'self'; object-src 'none'; base-uri 'none'; form-action 'self'; frame-ancestors 'none'"

// guard stands before all pages. It answers only reading requests, and only those that may ask.
type guard struct {
	next   http.Handler
	token  string // asked for if it is not empty
	cookie string // name of the cookie that holds the token
}

// newGuard demands a token unless the address is loopback.
func newGuard(next http.Handler, address net.Addr) *guard {
	g := &guard{next: next}
	at, err := netip.ParseAddrPort(address.String())
	if err == nil && at.Addr().Unmap().IsLoopback() {
		return g
	}
	g.token = rand.Text()
	g.cookie = "godarts-" + address.String()[strings.LastIndexByte(address.String(), ':')+1:] // browsers share cookies between ports
	return g
}

// ServeHTTP implements http.Handler.
func (g *guard) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	h := w.Header()
	h.Set("Content-Security-Policy", policy)
	h.Set("X-Content-Type-Options", "nosniff")
	h.Set("Referrer-Policy", "no-referrer")
	h.Set("Cross-Origin-Resource-Policy", "same-origin")
	h.Set("Cache-Control", "no-store")
	if r.Method != http.MethodGet && r.Method != http.MethodHead {
		h.Set("Allow", "GET, HEAD")
		http.Error(w, "this server only shows runs: want GET or HEAD", http.StatusMethodNotAllowed)
		return
	}
	if g.token == "" {
		if !isLocal(r.Host) {
			http.Error(w, "this server answers to localhost only", http.StatusForbidden)
			return
		}
		g.next.ServeHTTP(w, r)
		return
	}
	g.withToken(w, r)
}

// withToken lets a request pass that has the token in a cookie or, as programs send it, in the header
// Authorization. Of a token in the address it makes a cookie: an address is shown and kept.
func (g *guard) withToken(w http.ResponseWriter, r *http.Request) {
	if c, err := r.Cookie(g.cookie); err == nil && g.right(c.Value) {
		g.next.ServeHTTP(w, r)
		return
	}
	if bearer, found := strings.CutPrefix(r.Header.Get("Authorization"), "Bearer "); found && g.right(bearer) {
		g.next.ServeHTTP(w, r)
		return
	}
	query := r.URL.Query()
	if !g.right(query.Get("token")) {
		w.Header().Set("WWW-Authenticate", "Bearer")
		http.Error(w, "this address needs the token that darts printed: open the whole address", http.StatusUnauthorized)
		return
	}
	http.SetCookie(w, &http.Cookie{Name: g.cookie, Value: g.token, Path: "/", HttpOnly: true, SameSite: http.SameSiteLaxMode})
	query.Del("token")
	// Without scheme and host, so that it works through a tunnel; a path of two slashes would name a host.
	to := url.URL{Path: "/" + strings.TrimLeft(r.URL.Path, "/"), RawQuery: query.Encode()}
	http.Redirect(w, r, to.String(), http.StatusSeeOther)
}

func (g *guard) right(token string) bool {
	return subtle.ConstantTimeCompare([]byte(token), []byte(g.token)) == 1
}

// isLocal reports whether a request names this machine. A page of another site whose name an attacker
// lets point to 127.0.0.1 sends that name.
func isLocal(host string) bool {
	if name, _, err := net.SplitHostPort(host); err == nil {
		host = name
	}
	host = strings.TrimSuffix(strings.TrimPrefix(host, "["), "]")
	if strings.EqualFold(host, "localhost") {
		return true
	}
	ip, err := netip.ParseAddr(host)
	return err == nil && ip.IsLoopback()
}
