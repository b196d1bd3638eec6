package serve

import "net/http"

// routes returns the handler of all pages.
func routes(s *site) http.Handler {
	m := http.NewServeMux()
	m.HandleFunc("GET /{$}", s.listPage)
	m.HandleFunc("GET /run/{name...}", s.runPage)
	m.HandleFunc("GET /compare", s.comparePage)
	m.HandleFunc("GET /cell/{name...}", s.cell)
	m.HandleFunc("GET /json", s.listJSON)
	m.HandleFunc("GET /json/{name...}", s.runJSON)
	m.HandleFunc("GET /metrics", s.prometheus)
	m.HandleFunc("GET /events", s.listEvents)
	m.HandleFunc("GET /events/{name...}", s.runEvents)
	for _, file := range []string{"style.css", "live.js", "icon.svg"} {
		m.HandleFunc("GET /static/"+file, func(w http.ResponseWriter, r *http.Request) {
			w.Header().Set("Cache-Control", "no-cache")
			http.ServeFileFS(w, r, web, "web/"+file)
		})
	}
	return m
}
