package page_test

import (
	"bytes"
	"fmt"
	"html/template"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"godarts/cells/draw"
	"godarts/cells/genotype"
	"godarts/nas/figure"
	"godarts/nas/page"
	"godarts/nas/record"
	"godarts/nas/record/recordtest"
	_ "godarts/nas/search"
)

// keep writes the page into the folder that GODARTS_KEEP_FIGURES names, to look at.
func keep(t *testing.T, name, text string) {
	t.Helper()
	if dir := os.Getenv("GODARTS_KEEP_FIGURES"); dir != "" {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
	}
}

func pageOf(t *testing.T, o page.Options, runs ...*record.Run) string {
	t.Helper()
	var b bytes.Buffer
	err := page.WriteRuns(&b, runs, o)
	if len(runs) == 1 {
		b.Reset()
		err = page.WriteRun(&b, runs[0], o)
	}
	if err != nil {
		t.Fatal(err)
	}
	return b.String()
}

func TestPageOfRun(t *testing.T) {
	// The page of a run has all sections, with the result, the published figure, the cells and the config, and fetches nothing.
	r := recordtest.Search(t, "runs/one", 1, 50)
	text := pageOf(t, page.Options{}, r)
	keep(t, "run.html", text)
	for _, id := range page.RunSections {
		if !strings.Contains(text, `<section id="`+id+`"`) {
			t.Errorf("section %s is missing", id)
		}
	}
	for _, part := range []string{"Search by darts on cifar10", "2.76 ± 0.09", "arXiv 1806.09055", "50 of 50", "12 h 30 min", "strategy.order", "Genotype(normal=",
		"softmax(α) of each edge of the reduce cell", "How the cells changed", "darts search runs/one/config.yaml --out runs/one-again"} {
		if !strings.Contains(text, part) {
			t.Errorf("%q is missing", part)
		}
	}
	checkSelfContained(t, text)
}

// checkSelfContained fails the test if the page would fetch anything.
func checkSelfContained(t *testing.T, text string) {
	t.Helper()
	for _, m := range regexp.MustCompile(`(?:src|href|action|data)="([^"]*)"|url\(([^)]*)\)|@import`).FindAllStringSubmatch(text, -1) {
		if m[1] != "data:," {
			t.Errorf("the page fetches %s", m[0])
		}
	}
}

func TestPageOfTraining(t *testing.T) {
	// The page of a training names a published cell and the part that it is of a comparison.
	g, err := genotype.Lookup("DARTS_V2")
	if err != nil {
		t.Fatal(err)
	}
	text := pageOf(t, page.Options{}, recordtest.Training(t, "runs/set/darts/train-0", g, 0, 2.5))
	for _, part := range []string{"Training of DARTS_V2 on cifar10", "<h1>darts/train-0 ", "2.50", "images/s"} {
		if !strings.Contains(text, part) {
			t.Errorf("%q is missing", part)
		}
	}
}

func TestBestCell(t *testing.T) {
	// The page of a search that trains each cell shows the error of the best cell, not of the last.
	r := recordtest.Search(t, "runs/one", 1, 3)
	r.Config = recordtest.Config(t, "{experiment: search, strategy: {name: random, trials: 3}, data: {name: digits}}")
	for i, accuracy := range []float64{0.8, 0.9, 0.7} {
		r.Epochs[i].ValidAccuracy = &accuracy
	}
	text := pageOf(t, page.Options{}, r)
	for _, part := range []string{"10.00", "of cell 2, the best", "3 of 3", "by cell tried", `data-unit="cell"`} {
		if !strings.Contains(text, part) {
			t.Errorf("%q is missing", part)
		}
	}
}

func TestPageOfRunInProgress(t *testing.T) {
	// The page of a run that has just begun, or of an older one without new keys, has a head and a config, and nothing that is not known.
	r := recordtest.Search(t, "runs/begun", 1, 3)
	r.Epochs, r.Steps, r.Timings, r.Search, r.Info, r.State = nil, nil, nil, nil, nil, record.Running
	text := pageOf(t, page.Options{}, r)
	for _, id := range []string{"cells", "change", "alpha", "curves", "evaluations", "versions", "notes"} {
		if !strings.Contains(text, `<section id="`+id+`" hidden></section>`) {
			t.Errorf("section %s has content", id)
		}
	}
	if !strings.Contains(text, "0 of 3") || !strings.Contains(text, "▸ running") {
		t.Error("the head says nothing of the progress")
	}
	older := recordtest.Search(t, "runs/older", 1, 3)
	older.Timings, older.Info = nil, nil
	for i := range older.Epochs {
		older.Epochs[i].Observation = nil
	}
	if text := pageOf(t, page.Options{}, older); !strings.Contains(text, "How the cells changed") {
		t.Error("an older run does not show its cells")
	}
}

func TestPageOfRuns(t *testing.T) {
	// The page of several runs has the tables, the curves, the costs and the correlation.
	text := pageOf(t, page.Options{}, recordtest.Several(t)...)
	keep(t, "runs.html", text)
	for _, id := range page.RunsSections {
		if !strings.Contains(text, `<section id="`+id+`"`) {
			t.Errorf("section %s is missing", id)
		}
	}
	for _, part := range []string{"<h1>set", "darts-2/train-1", "Kendall", "Test error and parameters", "mean ± deviation", "2.90 ± 0.10", "All runs"} {
		if !strings.Contains(text, part) {
			t.Errorf("%q is missing", part)
		}
	}
	checkSelfContained(t, text)
}

func TestPageOfSearches(t *testing.T) {
	// The page of searches that were not trained begins with a row for each setting, and its legends have the settings.
	var runs []*record.Run
	for i := range 4 {
		r := recordtest.Search(t, fmt.Sprintf("runs/sweep/point-%d", i), i, 3)
		r.Config.W.LR = []float64{0.025, 0.1}[i/2]
		runs = append(runs, r)
	}
	text := pageOf(t, page.Options{}, runs...)
	for _, part := range []string{"<h2>Results</h2>", "lr 0.025 (2)", "lr 0.1 (2)", "<h3>Searches</h3>"} {
		if !strings.Contains(text, part) {
			t.Errorf("%q is missing", part)
		}
	}
}

func TestSections(t *testing.T) {
	// Each section that is rendered alone stands in the page too.
	r := recordtest.Search(t, "runs/one", 1, 3)
	whole := pageOf(t, page.Options{}, r)
	for _, id := range page.RunSections {
		part, err := page.RunSection(id, r, page.Options{})
		if err != nil || !strings.Contains(whole, string(part)) {
			t.Errorf("%s: %v", id, err)
		}
	}
	runs := recordtest.Several(t)
	whole = pageOf(t, page.Options{}, runs...)
	for _, id := range page.RunsSections {
		part, err := page.RunsSection(id, runs, page.Options{})
		if err != nil || !strings.Contains(whole, string(part)) {
			t.Errorf("%s: %v", id, err)
		}
	}
	if _, err := page.RunSection("<none>", r, page.Options{}); err == nil || err.Error() != `page: there is no section "<none>"` {
		t.Errorf("got %v", err)
	}
}

func TestOptions(t *testing.T) {
	// A server's addresses take the place of the style sheet and the script, and its links lead from the table.
	o := page.Options{StyleURL: "/style.css", ScriptURL: "/page.js", TopHTML: template.HTML("<nav>all</nav>"),
		Link: func(r *record.Run) string { return "/run/" + r.Dir }, Title: "Mine"}
	text := pageOf(t, o, recordtest.Several(t)...)
	for _, part := range []string{`href="/style.css"`, `src="/page.js"`, "<nav>all</nav>", `<a href="/run/runs/set/darts-1/search">`, "<title>Mine"} {
		if !strings.Contains(text, part) {
			t.Errorf("%q is missing", part)
		}
	}
	if strings.Contains(text, "<style") || strings.Contains(text, "style=") {
		t.Error("the page has a style inside, which a policy of a server may forbid")
	}
}

func TestHostileNames(t *testing.T) {
	// No name of a run, a config or a result acts on the page.
	for _, name := range []string{"<script>alert(1)</script>", "</style></title><b>", `"onload="alert(1)`, "=1+1", "\x1b[2K", "\u202egpj", "{{.}}", "javascript:alert(1)"} {
		t.Run(name, func(t *testing.T) {
			runs := recordtest.Several(t)
			for i, r := range runs {
				r.Dir = fmt.Sprintf("runs/%s-%d", name, i)
				r.Notes = []string{name}
				r.Info.Processor, r.Info.Version, r.Info.Device = name, name, name
				r.Config.Data.Name, r.Config.Data.Root, r.Config.Strategy.Name = name, name, name
				r.State = record.State(name)
				if r.Config.Expect != nil {
					r.Config.Expect.Source, r.Config.Expect.Changed = name, []string{name}
				}
				if r.Train != nil {
					r.Train.Name = name
				}
				for _, m := range r.Epochs {
					if m.Observation != nil {
						m.Cells[0].Operations = slices.Clone(m.Cells[0].Operations)
						m.Cells[0].Operations[0] = name
					}
				}
			}
			o := page.Options{Title: name, Link: func(r *record.Run) string { return r.Dir }}
			for _, text := range []string{pageOf(t, o, runs[0]), pageOf(t, o, runs...)} {
				if n := strings.Count(text, "<script"); n != 1 {
					t.Errorf("%d scripts", n)
				}
				for _, bad := range []string{"<b>", `"onload=`, "\x1b", "\u202e", `href="javascript`} {
					if strings.Contains(text, bad) {
						t.Errorf("%q stands in the page", bad)
					}
				}
				if strings.Count(text, "</style>") != 1 || strings.Count(text, "</title>") != 1 {
					t.Error("a name ends an element")
				}
			}
		})
	}
}

func TestStyleHasColours(t *testing.T) {
	// The style sheet gives the variables of figures their values on white and dark values too, and dark values to all colours of drawn cells.
	light, rest, _ := strings.Cut(page.Style, "@media (prefers-color-scheme: dark)")
	dark, _, _ := strings.Cut(rest, "\n}\n")
	for _, declaration := range figure.Colors() {
		name, _, _ := strings.Cut(declaration, ":")
		if !strings.Contains(light, declaration+";") || !strings.Contains(dark, name+":") {
			t.Errorf("%s: not on white, or not in the dark", declaration)
		}
	}
	for _, published := range slices.Concat(genotype.Published, genotype.PublishedRecurrent) {
		for _, kind := range published.Genotype.Kinds() {
			var b bytes.Buffer
			if err := draw.SVG(&b, *published.Genotype.Cell(kind), kind); err != nil {
				t.Fatal(err)
			}
			for _, m := range regexp.MustCompile(`(?:fill|stroke)="#[0-9a-f]{6}"`).FindAllString(b.String(), -1) {
				if !strings.Contains(dark, "["+m+"]") {
					t.Errorf("%s %s: %s has no dark value", published.Name, kind, m)
				}
			}
		}
	}
}
