package serve

import (
	"bytes"
	"crypto/sha256"
	"embed"
	"encoding/hex"
	"html/template"
	"net/http"
	"net/url"
	"os"
	"strings"
	"time"

	"godarts/nas/names"
)

//go:embed web
var web embed.FS

var templates = template.Must(template.New("").ParseFS(web, "web/*.html"))

// site is what pages are made of.
type site struct {
	root   *os.Root
	base   string // name of the folder, for its own run
	index  *index
	watch  *watch
	losses losses

	readTime  time.Duration // in which a client has to send a request
	writeTime time.Duration // in which a client has to take a page, or an event
}

// named returns the run that the address of a request names. If there is none it answers, and reports
// false.
func (s *site) named(w http.ResponseWriter, r *http.Request) (listed, bool) {
	l, err := s.find(r.PathValue("name"))
	if err != nil {
		s.fail(w, http.StatusNotFound, "There is no such run here.")
		return l, false
	}
	return l, true
}

// find returns a run by its name in addresses: the folder that is served has the empty one.
func (s *site) find(name string) (listed, error) {
	if name == "" {
		name = "."
	}
	return s.index.find(name)
}

// address returns the path of a run's page, or of what else kind says.
func address(kind, name string) string { return "/" + kind + "/" + reference(name) }

// reference returns the name of a run in addresses and forms, which cannot hold every byte of a file's name.
func reference(name string) string {
	if name == "." {
		return ""
	}
	words := strings.Split(name, "/")
	for i, w := range words {
		words[i] = url.PathEscape(w)
	}
	return strings.Join(words, "/")
}

// title returns the name of a run for a page.
func (s *site) title(name string) string {
	if name == "." {
		name = s.base
	}
	return names.Print(name)
}

// rowID returns the id of a run's row.
func rowID(name string) string {
	sum := sha256.Sum256([]byte(name))
	return "run-" + hex.EncodeToString(sum[:8])
}

// render returns a part of a page.
func (s *site) render(part string, v any) ([]byte, error) {
	var b bytes.Buffer
	err := templates.ExecuteTemplate(&b, part, v)
	return b.Bytes(), err
}

// show answers with a page.
func (s *site) show(w http.ResponseWriter, status int, part string, v any) {
	page, err := s.render(part, v)
	if err != nil {
		http.Error(w, "the page cannot be made", http.StatusInternalServerError)
		return
	}
	w.Header().Set("Content-Type", "text/html; charset=utf-8")
	w.WriteHeader(status)
	_, _ = w.Write(page)
}

// fail answers with a page that says what is wrong.
func (s *site) fail(w http.ResponseWriter, status int, what string) {
	s.show(w, status, "fail.html", shell{Title: what, Heading: what})
}

// shell is what all pages have.
type shell struct {
	Title   string // of the window
	Heading string
	Version uint64 // of the index when the page was made
}
