package runtable

import (
	"fmt"
	"path/filepath"
	"runtime"
	"strings"
	"time"

	"golang.org/x/sync/errgroup"

	"godarts/nas/finite"
	"godarts/nas/names"
	"godarts/nas/record"
	"godarts/nas/report"
)

// Line is a run in a list, or a folder that has runs in it and is none itself.
type Line struct {
	Name    string // the folder's path below the list's, without that of the line that it is part of
	Path    string // the whole path below the list's folder, with slashes; "." for that folder
	Depth   int    // of how many lines it is a part
	Summary *record.Summary
	Err     error // why there is no Summary of a run
}

// List returns the runs in a folder, each before its parts.
func List(root string) ([]Line, error) {
	top, err := record.Find(root)
	if err != nil {
		return nil, err
	}
	all, dirs := lines(top, root)
	var workers errgroup.Group
	workers.SetLimit(runtime.GOMAXPROCS(0))
	for i, dir := range dirs {
		if dir != "" {
			workers.Go(func() error {
				all[i].Summary, all[i].Err = record.Summarize(dir)
				return nil
			})
		}
	}
	return all, workers.Wait()
}

// lines returns the lines without summaries, and the folder of each that is a run.
func lines(top *record.Folder, root string) (all []Line, dirs []string) {
	var add func(f *record.Folder, within string, depth int)
	add = func(f *record.Folder, within string, depth int) {
		line := Line{Name: strings.TrimPrefix(f.Name, within), Path: f.Name, Depth: depth}
		if f == top {
			line.Name = filepath.Base(root)
			if path, err := filepath.Abs(root); err == nil {
				line.Name = filepath.Base(path)
			}
		}
		dir, parts := "", ""
		if f.IsRun {
			dir = f.Dir
		}
		if f != top {
			parts = f.Name + "/"
		}
		if f != top || f.IsRun {
			all, dirs = append(all, line), append(dirs, dir)
			depth++
		}
		for _, part := range f.Parts {
			add(part, parts, depth)
		}
	}
	add(top, "", 0)
	return all, dirs
}

// Columns of a list besides the names.
var listColumns = []struct {
	title string
	of    func(s *record.Summary) string
}{
	{"state", func(s *record.Summary) string { return string(s.State) }},
	{"epochs", func(s *record.Summary) string { return fmt.Sprintf("%d/%d", int(s.Done), s.Epochs) }},
	{"best", func(s *record.Summary) string {
		if s.Best == nil {
			return ""
		}
		return brief.Replace(s.Best.String())
	}},
	{"left", func(s *record.Summary) string {
		if s.Left <= 0 || s.State != record.Running {
			return ""
		}
		return short(s.Left)
	}},
	{"started", func(s *record.Summary) string {
		if s.Started == nil {
			return ""
		}
		return s.Started.Local().Format("01-02 15:04")
	}},
}

// brief shortens the names of figures, which have 24 columns else.
var brief = strings.NewReplacer(" error", "", "validation", "valid", "perplexity", "ppl")

// colors are the codes of states on a terminal.
var colors = map[string]string{string(record.Running): "32", string(record.Interrupted): "33", string(record.Diverged): "31", unreadable: "31"}

const unreadable = "unreadable"

// shortestName is the least number of columns that names have on a terminal of usual width.
const shortestName = 12

// Text returns a list for a terminal of that many columns, with states in colours if color is set. Names that are too
// long lose their middle.
func Text(list []Line, width int, color bool) string {
	rows := make([][]string, len(list)+1) // besides names
	for _, c := range listColumns {
		cells := []string{c.title}
		filled := false
		for _, line := range list {
			cell := ""
			switch {
			case line.Summary != nil:
				cell = c.of(line.Summary)
			case line.Err != nil && c.title == "state":
				cell = unreadable
			}
			filled = filled || cell != ""
			cells = append(cells, cell)
		}
		if !filled {
			continue
		}
		for i, cell := range report.Padded(cells) {
			rows[i] = append(rows[i], cell)
		}
	}
	rest := 0
	for _, cell := range rows[0] {
		rest += len(cell) + columnGap
	}
	names := []string{"run"}
	for _, line := range list {
		names = append(names, line.shown(max(width-rest, shortestName)))
	}
	var text strings.Builder
	for i, name := range report.Padded(names) {
		row := strings.TrimRight(name+strings.Repeat(" ", columnGap)+strings.Join(rows[i], strings.Repeat(" ", columnGap)), " ")
		if i > 0 && color {
			row = list[i-1].colored(row, len(name)+columnGap)
		}
		text.WriteString(row + "\n")
	}
	return text.String()
}

const columnGap = 2

// shown returns the name of a line in that many columns of a terminal.
func (l Line) shown(width int) string {
	indent := strings.Repeat("  ", l.Depth)
	name := names.Escape(l.Name)
	if l.Summary == nil && l.Err == nil {
		name += "/"
	}
	return indent + report.Fit(name, max(width-len(indent), 1))
}

// colored colours the state in a row, which begins at that byte.
func (l Line) colored(row string, at int) string {
	state := unreadable
	if l.Summary != nil {
		state = string(l.Summary.State)
	}
	code, ok := colors[state]
	if !ok || !strings.HasPrefix(row[min(at, len(row)):], state) {
		return row
	}
	return row[:at] + "\x1b[" + code + "m" + state + "\x1b[0m" + row[at+len(state):]
}

// short returns the two largest units of a duration: 3d04h, 1h02m, 12m05s, 45s.
func short(d time.Duration) string {
	d = d.Round(time.Second)
	seconds := int(d.Seconds())
	switch {
	case d >= 24*time.Hour:
		return fmt.Sprintf("%dd%02dh", seconds/86400, seconds/3600%24)
	case d >= time.Hour:
		return fmt.Sprintf("%dh%02dm", seconds/3600, seconds/60%60)
	case d >= time.Minute:
		return fmt.Sprintf("%dm%02ds", seconds/60, seconds%60)
	}
	return fmt.Sprintf("%ds", seconds)
}

// entry is a run as JSON.
type entry struct {
	Run         string      `json:"run"` // path below the list's folder
	Dir         string      `json:"dir"`
	Experiment  string      `json:"experiment,omitempty"`
	Strategy    string      `json:"strategy,omitempty"`
	Seed        int64       `json:"seed"`
	State       string      `json:"state"`
	Done        float64     `json:"done_epochs"`
	Epochs      int         `json:"epochs"`
	Best        *bestFigure `json:"best,omitempty"`
	Seconds     float64     `json:"seconds,omitempty"`      // of work
	LeftSeconds float64     `json:"left_seconds,omitempty"` // of a run that goes on
	Started     *time.Time  `json:"started,omitempty"`
	Last        *time.Time  `json:"last_written,omitempty"`
	Diverged    string      `json:"diverged,omitempty"`
	Error       string      `json:"error,omitempty"`
}

type bestFigure struct {
	Name  string  `json:"name"`
	Value float64 `json:"value"`
	Unit  string  `json:"unit,omitempty"`
}

// JSON returns the runs of a list in root, an object on a line for each. No character in a name acts on a terminal.
func JSON(list []Line, root string) (string, error) {
	var text strings.Builder
	for _, line := range list {
		if line.Summary == nil && line.Err == nil {
			continue
		}
		content, err := finite.Marshal(line.entry(root))
		if err != nil {
			return "", fmt.Errorf("runs: %w", err)
		}
		for _, r := range string(content) {
			if one := string(r); names.Escape(one) != one {
				fmt.Fprintf(&text, `\u%04x`, r)
			} else {
				text.WriteString(one)
			}
		}
		text.WriteString("\n")
	}
	return text.String(), nil
}

func (l Line) entry(root string) entry {
	e := entry{Run: l.Path, Dir: filepath.Join(root, filepath.FromSlash(l.Path)), State: unreadable}
	if l.Err != nil {
		e.Error = l.Err.Error()
		return e
	}
	s := l.Summary
	e.Experiment, e.Strategy, e.Seed = s.Config.Experiment, s.Config.Strategy.Name, s.Config.Seed
	e.State, e.Done, e.Epochs, e.Seconds = string(s.State), s.Done, s.Epochs, s.Seconds
	e.Started, e.Last = s.Started, s.Last
	if s.Best != nil {
		e.Best = &bestFigure{s.Best.Name, s.Best.Value, map[bool]string{true: "%"}[s.Best.Percent]}
	}
	if s.State == record.Running {
		e.LeftSeconds = s.Left.Seconds()
	}
	if s.Diverged != nil {
		e.Diverged = s.Diverged.Short()
	}
	return e
}
