package report_test

import (
	"encoding/csv"
	"slices"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/google/go-cmp/cmp"
	"github.com/rivo/uniseg"

	"godarts/nas/names"
	"godarts/nas/report"
)

// runs is a table with every kind of cell.
func runs() report.Table {
	return report.Table{
		Columns: []report.Column{{Title: "run"}, {Title: "w.lr", Decimals: -1}, {Title: "test error", Unit: "%", Decimals: 2, Raw: "test error percent"},
			{Title: "parameters", Unit: "M", Scale: 1e6, Decimals: 2}, {Title: "nothing"}},
		Rows: [][]report.Cell{
			{{Text: "a_1"}, report.NumberCell(1e-5), report.LeastCell([]float64{2.5, 2.75}), report.NumberCell(3349342), {}},
			{{Text: "-b"}, report.NumberCell(-0.5), report.LeastCell([]float64{3}), report.NumberCell(2e6), {}},
			{{Text: "c & d"}, {}, {}, {}, {}},
		},
	}
}

func TestTable(t *testing.T) {
	// A table is written in each format with its units, deviations and best values; a column without cells is left out.
	for name, test := range map[string]struct{ got, want string }{
		"text": {runs().Text(80), `
run     w.lr  test error, %  best test error, %  parameters, M
a_1    1e-05    2.62 ± 0.18                2.50           3.35
-b      -0.5           3.00                3.00           2.00
c & d
`},
		"narrow text": {runs().Text(40), `
run     w.lr  test error, %
a_1    1e-05    2.62 ± 0.18
-b      -0.5           3.00
c & d

run    best test error, %  parameters, M
a_1                  2.50           3.35
-b                   3.00           2.00
c & d
`},
		"Markdown": {runs().Markdown(), `
| run | w.lr | test error, % | best test error, % | parameters, M |
| --- | ---: | ---: | ---: | ---: |
| a_1 | 1e-05 | 2.62 ± 0.18 | 2.50 | 3.35 |
| -b | -0.5 | 3.00 | 3.00 | 2.00 |
| c & d |  |  |  |  |
`},
		"LaTeX": {runs().LaTeX(), `
% \usepackage{booktabs}
\begin{tabular}{lrrrr}
\toprule
run & w.lr & test error (\%) & best test error (\%) & parameters (M) \\
\midrule
a\_1 & $1 \cdot 10^{-5}$ & $2.62 \pm 0.18$ & $2.50$ & $3.35$ \\
-b & $-0.5$ & $3.00$ & $3.00$ & $2.00$ \\
c \& d & -- & -- & -- & -- \\
\bottomrule
\end{tabular}
`},
		"CSV": {strings.ReplaceAll(runs().CSV(), "\r\n", "\n"), `
run,w.lr,test error percent,test error percent std,test error percent n,test error percent best,parameters,nothing
a_1,1e-05,2.625,0.1767766952966369,2,2.5,3349342,
'-b,-0.5,3,,1,3,2000000,
c & d,,,,,,,
`},
		"no rows": {report.Table{Columns: []report.Column{{Title: "run"}}}.Text(80), "\n"},
	} {
		t.Run(name, func(t *testing.T) {
			if diff := cmp.Diff(strings.TrimPrefix(test.want, "\n"), test.got); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
		})
	}
}

func TestFit(t *testing.T) {
	// A text that is wider than the terminal's columns loses its middle, and no character is cut.
	for _, test := range []struct {
		text  string
		width int
		want  string
	}{
		{"run-1", 5, "run-1"}, {"cifar10-darts-seed-1", 12, "cif...seed-1"}, {"漢字漢字漢字漢字", 10, "漢...漢字"},
		{"abcdef", 3, "..."}, {"abcdef", 0, ""}, {"e\u0301e\u0301e\u0301e\u0301e\u0301e\u0301", 5, "...e\u0301e\u0301"},
	} {
		if got := report.Fit(test.text, test.width); got != test.want {
			t.Errorf("%q in %d: got %q, want %q", test.text, test.width, got, test.want)
		}
	}
}

func TestTableReadsBack(t *testing.T) {
	// CSV gives back texts with commas, quotes and several lines' escapes, and ends its lines as RFC 4180 says.
	texts := []string{`a,b`, `say "a"`, "two\nlines", "é"}
	table := report.Table{Columns: []report.Column{{Title: "x"}}}
	for _, text := range texts {
		table.Rows = append(table.Rows, []report.Cell{{Text: text}})
	}
	rows, err := csv.NewReader(strings.NewReader(table.CSV())).ReadAll()
	if err != nil {
		t.Fatal(err)
	}
	want := [][]string{{"x"}, {`a,b`}, {`say "a"`}, {`two\x0alines`}, {"é"}}
	if !slices.EqualFunc(rows, want, slices.Equal) {
		t.Errorf("got %q", rows)
	}
	if n := strings.Count(table.CSV(), "\r\n"); n != len(rows) {
		t.Errorf("%d ends of lines in %d lines", n, len(rows))
	}
}

func FuzzFit(f *testing.F) {
	// A text that is fitted has no more columns than it may, and is UTF-8 if it was.
	for _, text := range []string{"cifar10-darts-seed-1", "漢字漢字漢字", "e\u0301e\u0301e\u0301", "👩‍👩‍👧‍👦🇩🇪🇩🇪a", "\xff\x00"} {
		f.Add(text, 9)
	}
	f.Fuzz(func(t *testing.T, text string, width int) {
		got := report.Fit(text, width)
		if n := uniseg.StringWidth(got); n > max(width, 0) {
			t.Errorf("%q: %d columns in %d", got, n, width)
		}
		if utf8.ValidString(text) && !utf8.ValidString(got) {
			t.Errorf("%q becomes %q", text, got)
		}
	})
}

func FuzzTable(f *testing.F) {
	// CSV gives a text back as it is printed, and no format lets a text act.
	for _, name := range hostile {
		f.Add(name)
	}
	f.Fuzz(func(t *testing.T, text string) {
		table := report.Table{Columns: []report.Column{{Title: text}, {Title: "x"}}, Rows: [][]report.Cell{{{Text: text}, report.NumberCell(1)}}}
		rows, err := csv.NewReader(strings.NewReader(table.CSV())).ReadAll()
		if err != nil || len(rows) != 2 || rows[1][0] != names.Spreadsheet(text) {
			t.Errorf("%q: %v, %q", text, err, rows)
		}
		for format, content := range map[string]string{".csv": table.CSV(), ".md": table.Markdown(), ".tex": table.LaTeX()} {
			if problem := acts[format](content); problem != "" {
				t.Errorf("%s: %s", format, problem)
			}
		}
		table.Text(20)
	})
}
