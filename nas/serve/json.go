package serve

import (
	"fmt"
	"net/http"
	"path"
	"path/filepath"

	"godarts/nas/finite"
	"godarts/nas/record"
	"godarts/nas/runfolder"
)

// mostMetrics is the size of files of lines up to which they are read whole.
const mostMetrics = 256 << 20

// record reads all that a run has written. It reads nothing outside of the folder that is served.
func (s *site) record(name string) (*record.Run, error) {
	for _, file := range runfolder.Files {
		info, err := s.root.Lstat(path.Join(name, file))
		switch {
		case err != nil: // it is not there
		case !info.Mode().IsRegular():
			return nil, fmt.Errorf("%s is no file", file)
		case (file == runfolder.MetricsFile || file == runfolder.TimingsFile) && info.Size() > mostMetrics:
			return nil, fmt.Errorf("%s has %d bytes, want at most %d", file, info.Size(), mostMetrics)
		}
	}
	return record.Read(filepath.Join(s.root.Name(), filepath.FromSlash(name)))
}

// runData is what programs get of a run.
type runData struct {
	Summary
	Metrics []runfolder.Metric `json:"epochs_metrics"`
	Steps   []runfolder.Metric `json:"steps_metrics"`
	Timings []runfolder.Timing `json:"timings"`
	Notes   []string           `json:"notes,omitempty"`
}

func (s *site) runJSON(w http.ResponseWriter, r *http.Request) {
	l, ok := s.named(w, r)
	if !ok {
		return
	}
	d := runData{Summary: l.Summary, Metrics: []runfolder.Metric{}, Steps: []runfolder.Metric{}, Timings: []runfolder.Timing{}}
	all, err := s.record(l.Name)
	if err != nil {
		d.Notes = []string{err.Error()}
	} else {
		d.Metrics, d.Steps, d.Timings = append(d.Metrics, all.Epochs...), append(d.Steps, all.Steps...), append(d.Timings, all.Timings...)
		d.Notes = all.Notes
	}
	sendJSON(w, d)
}

func (s *site) listJSON(w http.ResponseWriter, _ *http.Request) {
	s.index.scan(s.watch.every)
	runs, _, _ := s.index.list(0)
	all := []Summary{}
	for i := range runs {
		all = append(all, runs[i].Summary)
	}
	sendJSON(w, all)
}

func sendJSON(w http.ResponseWriter, v any) {
	text, err := finite.Indented(v)
	if err != nil {
		http.Error(w, err.Error(), http.StatusInternalServerError)
		return
	}
	w.Header().Set("Content-Type", "application/json")
	_, _ = w.Write(text)
}
