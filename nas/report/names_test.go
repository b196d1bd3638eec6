package report_test

import (
	"encoding/csv"
	"encoding/xml"
	"io"
	"strings"
	"testing"
	"time"
	"unicode"

	"godarts/nas/report"
)

// hostile is a name that would clear a terminal's line, break a row of a table, end an
// element of SVG and turn the direction.
const hostile = "=1\x1b[2K|</text>\n\u202ea"

func TestHostileNames(t *testing.T) {
	// No name in a table or a picture acts on a terminal, a spreadsheet or XML.
	run := report.TableSearch{Cell: hostile, Told: 1, Judged: []float64{1}, Trace: []float64{1, 2}}
	entry := report.TableEntry{Name: hostile, Runs: []report.TableSearch{run, run}}
	table := report.TableComparison{Title: "t", Asked: "a", Judged: []string{"j"}, Queries: 2, Entries: []report.TableEntry{entry}, Best: []float64{2}}
	comparison := report.Comparison{Trainings: 2, Entries: []report.Entry{{Name: hostile, Genotype: hostile, TestErrors: []float64{1, 2}}}}
	row, err := report.NewBenchRow(report.BenchRow{Name: "n", Title: "t", Work: "w", Passed: 1, Of: "images", Sides: []report.BenchSide{
		{Name: "darts", StepSeconds: []float64{1}, FirstLoss: new(1.0), PeakBytes: 1}, {Name: hostile, StepSeconds: []float64{1}, FirstLoss: new(2.0), PeakBytes: 1}}})
	if err != nil {
		t.Fatal(err)
	}
	bench := report.Bench{Started: time.Unix(0, 0), Device: "cpu", Programs: []report.Program{{Name: "darts"}, {Name: hostile, Version: hostile}}, Rows: []report.BenchRow{row}}
	repeat := report.Repeat{TestError: report.SpreadOf([]float64{1}), Expect: &report.Published{Source: hostile}}
	picture := func(content []byte, err error) string {
		if err != nil {
			t.Fatal(err)
		}
		return string(content)
	}
	for name, text := range map[string]string{
		"table.txt": table.Text(), "table.md": table.Markdown(), "table.csv": table.CSV(),
		"curves.csv": table.CurvesCSV(), "searches.csv": table.RunsCSV(), "curves.svg": picture(table.Chart(".svg")),
		"contest.txt": comparison.Text(), "contest.md": comparison.Markdown(), "contest.csv": comparison.CSV(),
		"bench.txt": row.Text(), "bench.md": bench.Markdown(), "bench.svg": picture(bench.Chart(".svg")),
		"repeat.txt": repeat.Text(), "repeat.md": repeat.Markdown(),
	} {
		t.Run(name, func(t *testing.T) {
			if !strings.Contains(text, `\x1b[2K`) {
				t.Fatalf("the name is missing in %q", text)
			}
			for _, r := range text {
				if unicode.IsControl(r) && r != '\n' && r != '\t' || r == '\u202e' {
					t.Fatalf("%U stands in %q", r, text)
				}
			}
			switch {
			case strings.HasSuffix(name, ".csv"):
				rows, err := csv.NewReader(strings.NewReader(text)).ReadAll()
				if err != nil {
					t.Fatal(err)
				}
				for _, row := range rows {
					for _, cell := range row {
						if strings.HasPrefix(cell, "=") {
							t.Errorf("a formula: %q", cell)
						}
					}
				}
			case strings.HasSuffix(name, ".svg"):
				for d := xml.NewDecoder(strings.NewReader(text)); ; {
					if _, err := d.Token(); err == io.EOF {
						break
					} else if err != nil {
						t.Fatal(err)
					}
				}
				if strings.Contains(text, "|</text>\\x0a") {
					t.Error("the name ends an element")
				}
			case strings.HasSuffix(name, ".md"):
				for line := range strings.Lines(text) {
					if strings.HasPrefix(line, "|") && strings.Contains(line, "[2K|") {
						t.Errorf("the name ends a cell: %q", line)
					}
				}
			}
		})
	}
}
