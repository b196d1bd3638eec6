package serve

import (
	"io"
	"net/http"

	"godarts/nas/page"
)

// routes returns the handler of all pages.
func routes(s *site) http.Handler {
	m := http.NewServeMux()
	m.HandleFunc("GET /{$}", s.listPage)
	m.HandleFunc("GET /run/{name...}", s.runPage)
	m.HandleFunc("GET /compare", s.comparePage)
	m.HandleFunc("GET /json", s.listJSON)
	m.HandleFunc("GET /json/{name...}", s.runJSON)
	m.HandleFunc("GET /metrics", s.prometheus)
	m.HandleFunc("GET /events", s.listEvents)
	m.HandleFunc("GET /events/{name...}", s.runEvents)
	static := func(name, kind, text string) {
		m.HandleFunc("GET /static/"+name, func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Content-Type", kind)
			_, _ = io.WriteString(w, text)
		})
	}
	static("style.css", "text/css; charset=utf-8", page.Style+own("style.css"))
	static("page.js", "text/javascript; charset=utf-8", page.Script)
	static("live.js", "text/javascript; charset=utf-8", own("live.js"))
	static("icon.svg", "image/svg+xml", own("icon.svg"))
	return m
}

// own returns a file of this package.
func own(name string) string {
	text, err := web.ReadFile("web/" + name)
	if err != nil {
		panic(err) // it is in the binary
	}
	return string(text)
}
