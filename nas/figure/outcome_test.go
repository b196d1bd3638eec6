package figure_test

import (
	"bytes"
	"fmt"
	"math"
	"slices"
	"strings"
	"testing"

	"godarts/cells/genotype"
	"godarts/nas/figure"
	"godarts/nas/record"
	"godarts/nas/record/recordtest"
	"godarts/nas/runfolder"
)

func TestCorrelate(t *testing.T) {
	// Correlate gives the coefficients that are known when orders agree, disagree or have ties.
	nan := math.NaN()
	for _, test := range []struct {
		name              string
		x, y              []float64
		kendall, spearman float64
	}{
		{"same order", []float64{1, 2, 3, 4}, []float64{10, 20, 30, 100}, 1, 1},
		{"reversed", []float64{1, 2, 3, 4}, []float64{4, 3, 2, 1}, -1, -1},
		{"one pair swapped", []float64{1, 2, 3, 4}, []float64{1, 2, 4, 3}, 2.0 / 3, 0.8},
		{"a tie", []float64{1, 2, 2, 3}, []float64{1, 2, 3, 4}, 5 / math.Sqrt(30), 4.5 / math.Sqrt(22.5)}, // as scipy.stats
		{"all equal", []float64{1, 1, 1}, []float64{1, 2, 3}, nan, nan},
	} {
		t.Run(test.name, func(t *testing.T) {
			got := figure.Correlate(test.x, test.y)
			for _, pair := range [][2]float64{{got.Kendall, test.kendall}, {got.Spearman, test.spearman}} {
				if math.Abs(pair[0]-pair[1]) > 1e-12 || math.IsNaN(pair[0]) != math.IsNaN(pair[1]) {
					t.Errorf("got %+v, want τ %v, ρ %v", got, test.kendall, test.spearman)
				}
			}
		})
	}
}

func TestLabel(t *testing.T) {
	// Runs are named by what their paths do not have in common, and without what acts on a terminal.
	for _, test := range []struct{ dirs, want []string }{
		{[]string{"runs/a"}, []string{"a"}},
		{[]string{"runs/a", "runs/b"}, []string{"a", "b"}},
		{[]string{"runs/a/search", "runs/b/search"}, []string{"a/search", "b/search"}},
		{[]string{"runs/a", "runs/a/found"}, []string{"a", "a/found"}},
		{[]string{"runs/a", "runs/a"}, []string{"a", "a"}},
		{[]string{"runs/\x1b[31m", "runs/\u202eb"}, []string{`\x1b[31m`, `\u202eb`}},
	} {
		var runs []*record.Run
		for _, dir := range test.dirs {
			runs = append(runs, &record.Run{Dir: dir})
		}
		var got []string
		for _, r := range figure.Label(runs) {
			got = append(got, r.Label)
		}
		if !slices.Equal(got, test.want) {
			t.Errorf("%q: got %q, want %q", test.dirs, got, test.want)
		}
	}
}

func TestOutcomes(t *testing.T) {
	// A cell has the errors of all its trainings, the cost of its search and a validation error when the runs are read together.
	runs := recordtest.Several(t)
	outcomes := figure.Outcomes(figure.Label(runs))
	if len(outcomes) != 3 {
		t.Fatalf("%d outcomes: %+v", len(outcomes), outcomes)
	}
	for i, o := range outcomes {
		want := 2.6 + 0.3*float64(i+1)
		if o.Label != fmt.Sprintf("darts-%d", i+1) || len(o.Tests) != 3 || math.Abs(o.Test().Mean-want) > 1e-9 || o.SearchSeconds != 18000 || o.Valid == nil {
			t.Errorf("outcome %d: %+v, mean %v, want %v", i, o, o.Test().Mean, want)
		}
	}
}

func TestOutcomesOfSearch(t *testing.T) {
	// A search with evaluations gives an outcome for each, but none for those whose runs are among the others.
	r := recordtest.Search(t, "runs/one", 1, 3)
	other, err := genotype.Lookup("DARTS_V1")
	if err != nil {
		t.Fatal(err)
	}
	for name, g := range map[string]genotype.Genotype{"found": r.Search.Genotype, "random-1": other} {
		r.Search.Evaluations = append(r.Search.Evaluations,
			runfolder.TrainResult{Name: name, Genotype: g, Parameters: 5, Tested: &runfolder.Tested{TestError: 3}})
	}
	if got := figure.Outcomes(figure.Label([]*record.Run{r})); len(got) != 2 {
		t.Errorf("alone: %+v", got)
	}
	training := recordtest.Training(t, "runs/one/found", r.Search.Genotype, 0, 3)
	if got := figure.Outcomes(figure.Label([]*record.Run{r, training})); len(got) != 2 {
		t.Errorf("with the training: %+v", got)
	}
}

func TestOutcomesCountMultiplyAdds(t *testing.T) {
	// A found cell has the multiply-adds that its search counts when that network was trained, and the figure of them shows two such cells.
	var runs []*record.Run
	for seed, parameters := range []int{3_100_000, 3_100_000, 5} { // the searches count 3.1 million weights
		r := recordtest.Search(t, fmt.Sprintf("runs/%d", seed), seed+1, 3)
		r.Search.Evaluations = []runfolder.TrainResult{{Name: "found", Genotype: r.Search.Genotype, Parameters: parameters, Tested: &runfolder.Tested{TestError: 3}}}
		runs = append(runs, r)
	}
	var got []int64
	for _, o := range figure.Outcomes(figure.Label(runs)) {
		got = append(got, o.MultiplyAdds)
	}
	if want := []int64{500_000_000, 500_000_000, 0}; !slices.Equal(got, want) {
		t.Errorf("multiply-adds %v, want %v", got, want)
	}
	if figure.Pareto(figure.Outcomes(figure.Label(runs)), figure.ByMultiplyAdds) == nil {
		t.Error("no figure of two cells")
	}
	if figure.Pareto(figure.Outcomes(figure.Label(runs[1:])), figure.ByMultiplyAdds) != nil {
		t.Error("a figure of one cell")
	}
}

func TestHostileLabels(t *testing.T) {
	// No name in a figure ends its element or acts on a terminal.
	var runs []figure.Labelled
	for i, r := range recordtest.Several(t) {
		r.Dir = fmt.Sprintf("runs/<script>alert(%d)</script>\x1b[2K\"'&\u202e 犬👩\u200d🔬 \xff", i)
		runs = append(runs, figure.Labelled{Run: r, Label: r.Dir})
	}
	for _, kind := range figure.Kinds {
		for _, labelled := range [][]figure.Labelled{runs, figure.Label(recordsOf(runs))} {
			for _, f := range kind.Draw(labelled) {
				for _, extension := range figure.Extensions {
					if _, err := f.Encode(extension, figure.Size{}); err != nil {
						t.Errorf("%s%s: %v", kind.Name, extension, err)
					}
				}
				picture := f.Inline(figure.Size{})
				check(t, "page.svg", picture)
				if bytes.Contains(picture, []byte("<script")) || strings.ContainsAny(string(picture), "\x1b\u202e") {
					t.Errorf("%s: a name acts", kind.Name)
				}
			}
		}
	}
}

func recordsOf(runs []figure.Labelled) (records []*record.Run) {
	for _, r := range runs {
		records = append(records, r.Run)
	}
	return records
}
