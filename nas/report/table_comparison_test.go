package report_test

import (
	"bytes"
	"encoding/csv"
	"image/png"
	"math"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"godarts/nas/report"
)

// compared is a comparison of two strategies by two searches each.
func compared() report.TableComparison {
	return report.TableComparison{
		Title: "A table", Asked: "validation accuracy", Judged: []string{"first", "second"}, Epochs: 200, Best: []float64{95, 75}, Queries: 2,
		Entries: []report.TableEntry{
			{Name: "random", Published: &report.MeanStd{Mean: 93.7, Std: 0.36}, Runs: []report.TableSearch{
				{Seed: 0, Cell: "a", Told: 80, Judged: []float64{90, 70}, Trace: []float64{88, 90}},
				{Seed: 1, Cell: "b", Told: 82, Judged: []float64{92, 71}, Trace: []float64{92, 92}},
			}},
			{Name: "evolution", Runs: []report.TableSearch{
				{Seed: 0, Cell: "c", Told: 81, Judged: []float64{94, 72}, Trace: []float64{90, 94}},
				{Seed: 1, Cell: "c", Told: 81, Judged: []float64{94, 72}, Trace: []float64{94, 94}},
			}},
		},
	}
}

func TestComparisonTables(t *testing.T) {
	// Text, Markdown and CSV hold mean and deviation of every column when two strategies have two searches.
	c := compared()
	if got := c.Entries[0].Judged(0); got.Mean != 91 || math.Abs(got.Std-math.Sqrt2) > 1e-12 {
		t.Errorf("spread of 90 and 92 is %v", got)
	}
	what := "A table: 2 searches of each strategy, 2 queries in each, which tell the validation accuracy. Test accuracy in percent " +
		"after 200 epochs of the cell that was best by its queries, mean ± standard deviation over the searches.\n"
	for _, test := range []struct{ name, got, want string }{
		{"text", c.Text(), what + `strategy           first         second        as queried    published
random             91.00 ± 1.41  70.50 ± 0.71  81.00 ± 1.41  93.70 ± 0.36
evolution          94.00 ± 0.00  72.00 ± 0.00  81.00 ± 0.00
best of the table  95.00         75.00
`},
		{"markdown", c.Markdown(), what + `
| strategy | first | second | as queried | published |
| --- | ---: | ---: | ---: | ---: |
| random | 91.00 ± 1.41 | 70.50 ± 0.71 | 81.00 ± 1.41 | 93.70 ± 0.36 |
| evolution | 94.00 ± 0.00 | 72.00 ± 0.00 | 81.00 ± 0.00 |  |
| best of the table | 95.00 | 75.00 |  |  |
`},
		{"csv", c.CSV(), `strategy,searches,queries,first mean,first std,second mean,second std,as queried mean,as queried std,published mean,published std
random,2,2,91.0000,1.4142,70.5000,0.7071,81.0000,1.4142,93.7000,0.3600
evolution,2,2,94.0000,0.0000,72.0000,0.0000,81.0000,0.0000,,
`},
		{"curves", c.CurvesCSV(), `query,random mean,random std,evolution mean,evolution std
1,90.0000,2.8284,92.0000,2.8284
2,91.0000,1.4142,94.0000,0.0000
`},
		{"searches", c.RunsCSV(), `strategy,seed,cell,as queried,first,second
random,0,a,80,90,70
random,1,b,82,92,71
evolution,0,c,81,94,72
evolution,1,c,81,94,72
`},
	} {
		t.Run(test.name, func(t *testing.T) {
			if diff := cmp.Diff(test.want, test.got); diff != "" {
				t.Error(diff)
			}
		})
	}
	c.Entries[0].Published = nil
	if text := c.Text() + c.Markdown(); strings.Contains(text, "published") {
		t.Errorf("a column for nothing published in %s", text)
	}
	c.Entries[0].Name = `a "name", with all`
	if rows, err := csv.NewReader(strings.NewReader(c.RunsCSV())).ReadAll(); err != nil || rows[1][0] != c.Entries[0].Name {
		t.Errorf("rows %v, error %v", rows, err)
	}
}

func TestComparisonChart(t *testing.T) {
	// PNG and SVG show every strategy, and the error says so when there is nothing to draw.
	c := compared()
	picture, err := c.Chart(".png")
	if err != nil {
		t.Fatal(err)
	}
	if _, err := png.Decode(bytes.NewReader(picture)); err != nil {
		t.Error(err)
	}
	picture, err = c.Chart(".svg")
	if err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{"random", "evolution", "best of the table", "queries", "first test accuracy after 200 epochs, %"} {
		if !strings.Contains(string(picture), want) {
			t.Errorf("the SVG lacks %q", want)
		}
	}
	empty := c
	empty.Entries = nil
	for _, test := range []struct {
		name, extension, want string
		c                     report.TableComparison
	}{
		{"extension", ".gif", `report: chart: ".gif" is no kind of picture (there are: .png, .svg)`, c},
		{"nothing", ".png", "report: chart: there are no two searches of two queries to draw", empty},
	} {
		if _, err := test.c.Chart(test.extension); err == nil || err.Error() != test.want {
			t.Errorf("%s: error %v, want %s", test.name, err, test.want)
		}
	}
}
