package report_test

import (
	"bytes"
	"encoding/csv"
	"encoding/json"
	"encoding/xml"
	"errors"
	"fmt"
	"io"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"
	"unicode"

	"godarts/nas/figure"
	"godarts/nas/page"
	"godarts/nas/record"
	"godarts/nas/record/recordtest"
	"godarts/nas/report"
	"godarts/nas/runtable"
	_ "godarts/nas/search"
)

// hostile are names that would clear a terminal's line, turn the direction, break a row of a table, end an element,
// run a script, be a formula, or read a file. Each has the letters zqx, by which a test finds it.
var hostile = map[string]string{
	"terminal":   "zqx\x1b[2K\x9b31m\u009b31m\r\n\u202e\u2028",
	"formula":    "=zqx(1)",
	"command":    "@zqx|cmd",
	"sign":       "+zqx",
	"minus":      "-1-zqx",
	"tab":        "\t=zqx",
	"row":        "zqx|a,b;\"c\"\n|d",
	"element":    "zqx</text></style></title><b>",
	"script":     "zqx<script>alert(1)</script>",
	"attribute":  `zqx"onload="alert(1)' onload='alert(1)`,
	"entity":     "zqx&lt;script&gt;&amp;",
	"link":       "[zqx](javascript:alert(1))![a](b)`c`",
	"LaTeX":      `\input{zqx}$&#%_^^5c~{}`,
	"LaTeX rows": `[zqx]*\\ &\end{tabular}`,
	"template":   "{{.}}zqx",
}

// outputs are all texts and pictures that a name gets into, by names whose endings say the formats.
func outputs(t *testing.T, name string) map[string]string {
	t.Helper()
	must := func(content []byte, err error) string {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
		return string(content)
	}
	run := report.TableSearch{Cell: name, Told: 1, Judged: []float64{1}, Trace: []float64{1, 2}}
	entry := report.TableEntry{Name: name, Runs: []report.TableSearch{run, run}}
	table := report.TableComparison{Title: "t", Asked: "a", Judged: []string{"j"}, Queries: 2, Entries: []report.TableEntry{entry}, Best: []float64{2}}
	comparison := report.Comparison{Trainings: 2, Entries: []report.Entry{{Name: name, Genotype: name, TestErrors: []float64{1, 2}}}}
	row, err := report.NewBenchRow(report.BenchRow{Name: "n", Title: "t", Work: "w", Passed: 1, Of: "images", Sides: []report.BenchSide{
		{Name: "darts", StepSeconds: []float64{1}, FirstLoss: new(1.0), PeakBytes: 1}, {Name: name, StepSeconds: []float64{1}, FirstLoss: new(2.0), PeakBytes: 1}}})
	if err != nil {
		t.Fatal(err)
	}
	bench := report.Bench{Started: time.Unix(0, 0), Device: "cpu", Programs: []report.Program{{Name: "darts"}, {Name: name, Version: name}}, Rows: []report.BenchRow{row}}
	repeat := report.Repeat{TestError: report.SpreadOf([]float64{1}), Expect: &report.Published{Source: name}}
	all := map[string]string{
		"table.txt": table.Text(), "table.md": table.Markdown(), "table.csv": table.CSV(),
		"curves.csv": table.CurvesCSV(), "searches.csv": table.RunsCSV(), "curves.svg": must(table.Chart(".svg")),
		"contest.txt": comparison.Text(), "contest.md": comparison.Markdown(), "contest.csv": comparison.CSV(),
		"bench.txt": row.Text(), "bench.md": bench.Markdown(), "bench.svg": must(bench.Chart(".svg")),
		"repeat.txt": repeat.Text(), "repeat.md": repeat.Markdown(),
	}
	runs := hostileRuns(t, name)
	of := runtable.Of(runs, runtable.Options{})
	for format, text := range map[string]string{"txt": of.Text(80), "md": of.Markdown(), "csv": of.CSV(), "tex": of.LaTeX()} {
		all["runs."+format] = text
	}
	var list []runtable.Line
	for i, r := range runs {
		list = append(list, runtable.Line{Name: name, Path: name, Depth: i, Summary: &record.Summary{Dir: r.Dir, Config: r.Config, State: record.Diverged}},
			runtable.Line{Name: name, Path: name, Err: errors.New(name)})
	}
	all["list.txt"] = runtable.Text(list, 80, false)
	all["list.jsonl"] = must([]byte(jsonOf(t, list, name)), nil)
	var one, several bytes.Buffer
	if err := errors.Join(page.WriteRun(&one, runs[0], page.Options{Title: name}), page.WriteRuns(&several, runs, page.Options{Title: name})); err != nil {
		t.Fatal(err)
	}
	all["run.html"], all["runs.html"] = one.String(), several.String()
	labelled := make([]figure.Labelled, len(runs))
	for i := range runs {
		labelled[i] = figure.Labelled{Run: runs[i], Label: name + strconv.Itoa(i)}
	}
	for _, kind := range figure.Kinds {
		for i, f := range kind.Draw(labelled) {
			all[fmt.Sprintf("%s-%d.svg", kind.Name, i)] = must(f.Encode(".svg", figure.Size{}))
		}
	}
	return all
}

func jsonOf(t *testing.T, list []runtable.Line, root string) string {
	t.Helper()
	text, err := runtable.JSON(list, root)
	if err != nil {
		t.Fatal(err)
	}
	return text
}

// hostileRuns are two searches and a training that have the name wherever a file can have one.
func hostileRuns(t *testing.T, name string) []*record.Run {
	t.Helper()
	first := recordtest.Search(t, filepath.Join("runs", name), 0, 2)
	second := recordtest.Search(t, filepath.Join("runs", name+"2"), 1, 2)
	second.Config.W.LR = 1
	training := recordtest.Training(t, filepath.Join("runs", name, "found"), first.Search.Genotype, 0, 3)
	runs := []*record.Run{first, second, training}
	for i, r := range runs {
		r.Config.Data.Name, r.Config.Data.Root = name+strconv.Itoa(i), name
		r.Config.Expect = nil
		r.Info.Processor, r.Info.Version, r.Info.Device, r.Info.Host, r.Info.Command = name, name, name, name, name
		r.Notes = []string{name}
	}
	first.Config.Strategy.Name = name
	training.Train.Name = name
	return runs
}

func TestHostileNames(t *testing.T) {
	// No name in a table, a list, a page or a picture acts on a terminal, a spreadsheet, a browser, XML, Markdown or LaTeX.
	found := map[string]bool{} // formats in which a name stands
	for what, name := range hostile {
		t.Run(what, func(t *testing.T) {
			for file, text := range outputs(t, name) {
				format := filepath.Ext(file)
				if strings.Contains(text, "zqx") {
					found[file] = true
				}
				for _, r := range text {
					if unicode.IsControl(r) && r != '\n' && (r != '\r' || format != ".csv") && (r != '\t' || format != ".svg") || r == '\u202e' || r == '\u2028' || r == '\ufffd' && format != ".jsonl" {
						t.Errorf("%s: %U stands in it", file, r)
						break
					}
				}
				if problem := acts[format](text); problem != "" {
					t.Errorf("%s: %s", file, problem)
				}
			}
		})
	}
	for _, file := range []string{"runs.txt", "runs.md", "runs.csv", "runs.tex", "list.txt", "list.jsonl", "run.html", "runs.html", "loss-0.svg", "contest.md", "bench.svg", "repeat.md"} {
		if !found[file] {
			t.Errorf("no name stands in %s", file)
		}
	}
}

// acts says by format how a text of the format is more than text; empty if it is not.
var acts = map[string]func(text string) string{
	".txt": func(string) string { return "" },
	".csv": func(text string) string {
		rows, err := csv.NewReader(strings.NewReader(text)).ReadAll()
		if err != nil {
			return err.Error()
		}
		for _, cell := range slices.Concat(rows...) {
			if _, err := strconv.ParseFloat(cell, 64); err != nil && cell != "" && strings.ContainsRune("=+-@\t\r", rune(cell[0])) {
				return fmt.Sprintf("a formula: %q", cell)
			}
		}
		return ""
	},
	".jsonl": func(text string) string {
		for line := range strings.Lines(text) {
			if !json.Valid([]byte(line)) {
				return fmt.Sprintf("no JSON: %q", line)
			}
		}
		return ""
	},
	".svg":  svgActs,
	".html": htmlActs,
	".md":   markdownActs,
	".tex":  latexActs,
}

func svgActs(text string) string {
	for d := xml.NewDecoder(strings.NewReader(text)); ; {
		token, err := d.Token()
		if errors.Is(err, io.EOF) {
			return ""
		}
		if err != nil {
			return err.Error()
		}
		element, ok := token.(xml.StartElement)
		if !ok {
			continue
		}
		if slices.Contains([]string{"script", "b", "style", "a", "image", "foreignObject"}, element.Name.Local) {
			return "an element " + element.Name.Local
		}
		for _, a := range element.Attr {
			if strings.HasPrefix(a.Name.Local, "on") || strings.HasSuffix(a.Name.Local, "href") {
				return "an attribute " + a.Name.Local
			}
		}
	}
}

func htmlActs(text string) string {
	for _, bad := range []string{"<script>alert", "<b>", `"onload=`, `'onload=`, "' onload='alert(1)'", `href="javascript`} {
		if strings.Contains(text, bad) {
			return bad + " stands in it"
		}
	}
	for _, once := range []string{"</title>", "</style>", "<script"} {
		if n := strings.Count(text, once); n > 1 {
			return fmt.Sprintf("%d %s", n, once)
		}
	}
	return ""
}

func markdownActs(text string) string {
	cells := 0 // of the header of the table that goes on
	for line := range strings.Lines(text) {
		if strings.Contains(line, "<script") || strings.Contains(line, "</") || strings.Contains(line, "<b>") && !strings.HasPrefix(line, "    ") {
			if !strings.HasPrefix(line, "    ") { // code
				return fmt.Sprintf("an element: %q", line)
			}
		}
		if !strings.HasPrefix(line, "|") {
			cells = 0
			continue
		}
		if regexp.MustCompile(`(^|[^\\])\]\(`).MatchString(line) {
			return fmt.Sprintf("a link: %q", line)
		}
		n := strings.Count(strings.ReplaceAll(line, `\|`, ""), "|")
		if cells == 0 {
			cells = n
		}
		if n != cells {
			return fmt.Sprintf("%d cells, not %d: %q", n, cells, line)
		}
	}
	return ""
}

// latexCommand is a command of LaTeX, or an escaped character.
var latexCommand = regexp.MustCompile(`\\([a-zA-Z]+|.)`)

func latexActs(text string) string {
	text = strings.TrimPrefix(text, "% \\usepackage{booktabs}\n")
	for _, m := range latexCommand.FindAllStringSubmatch(text, -1) {
		if !slices.Contains(strings.Fields(`begin end toprule midrule bottomrule pm cdot textbackslash textasciitilde textasciicircum
			textless textgreater textbar textquotedbl \ _ & % # $ { }`), m[1]) {
			return "the command " + m[0]
		}
	}
	if strings.Count(text, `\end{tabular}`) != 1 {
		return "the table ends early"
	}
	columns := 0
	for line := range strings.Lines(text) {
		row, ok := strings.CutSuffix(line, " \\\\\n")
		if !ok {
			continue
		}
		plain := latexCommand.ReplaceAllString(row, "")
		if n := strings.Count(plain, "&"); columns == 0 {
			columns = n
		} else if n != columns {
			return fmt.Sprintf("%d cells, not %d: %q", n+1, columns+1, line)
		}
		if strings.ContainsAny(plain, "#%~_<>|\"") || strings.Count(plain, "$")%2 != 0 || strings.HasPrefix(row, "[") || strings.HasPrefix(row, "*") {
			return fmt.Sprintf("a character acts: %q", line)
		}
		if strings.Contains(regexp.MustCompile(`\$[^$]*\$`).ReplaceAllString(plain, ""), "^") {
			return fmt.Sprintf("a character acts: %q", line)
		}
	}
	return ""
}
