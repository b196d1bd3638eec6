package report

import (
	"math"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// twice is a protocol of two searches and two trainings.
func twice() Repeat {
	return Repeat{
		Searches: []Candidate{
			{"search-2", 2, "Genotype(a)", 7986, 9.375, 0.30114},
			{"search-3", 3, "Genotype(b)", 8230, 6.25, 0.23149},
		},
		Chosen: "search-3", Genotype: "Genotype(b)", Parameters: 8230,
		Trainings: []Training{{"train-0", 0, 3.61, 0.11961}, {"train-1", 1, 3.33, 0.1042}},
		TestError: SpreadOf([]float64{3.61, 3.33}),
		Expect:    &Published{TestError: 2.76, Std: 0.09, Source: "arXiv 1806.09055 table 1"},
	}
}

func TestRepeatText(t *testing.T) {
	// The table marks the chosen search and ends with the spread and the published result.
	want := strings.Join([]string{
		"    search  seed  validation error    loss  parameters",
		"  search-2     2            9.38 %  0.3011        7986",
		"  search-3     3            6.25 %  0.2315        8230  chosen",
		"",
		"  training  seed  test error    loss",
		"   train-0     0      3.61 %  0.1196",
		"   train-1     1      3.33 %  0.1042",
		"",
		"test error 3.47 ± 0.20 % (mean and sample standard deviation, n-1, of 2 trainings)",
		"published: 2.76 ± 0.09 % (arXiv 1806.09055 table 1)",
		"",
	}, "\n")
	if diff := cmp.Diff(want, twice().Text()); diff != "" {
		t.Error(diff)
	}
}

func TestRepeatMarkdown(t *testing.T) {
	// The document has the same values and the genotype, and no deviation for a single training.
	text := twice().Markdown()
	for _, want := range []string{"# Test error 3.47 ± 0.20 % (", "\nPublished: 2.76 ± 0.09 % (arXiv", "cell of search-3:", "\n    Genotype(b)\n", "\n| search-2 | 2 | 9.38 % | 0.3011 | 7986 |\n", "\n| train-1 | 1 | 3.33 % | 0.1042 |\n"} {
		if !strings.Contains(text, want) {
			t.Errorf("lacks %q:\n%s", want, text)
		}
	}
	one := twice()
	one.Trainings, one.TestError = one.Trainings[:1], SpreadOf([]float64{3.61})
	if text := one.Markdown(); !strings.Contains(text, "# Test error 3.61 % of one training\n") {
		t.Error(text)
	}
}

func TestSpread(t *testing.T) {
	// The deviation divides by one less than the count, and is left out for a single number.
	s := SpreadOf([]float64{2, 4, 4, 4, 5, 5, 7, 9}) // their squares of deviations add up to 32
	if s.N != 8 || s.Mean != 5 || s.Std == nil || math.Abs(*s.Std-math.Sqrt(32.0/7)) > 1e-15 {
		t.Errorf("got %+v", s)
	}
	if s := SpreadOf([]float64{3}); s.Mean != 3 || s.Std != nil {
		t.Errorf("got %+v", s)
	}
}

func TestChoose(t *testing.T) {
	// The candidate with the least error wins, at a tie the one with the least loss, then the first.
	for _, test := range []struct {
		name       string
		candidates []Candidate
		want       int
	}{
		{"one", []Candidate{{ValidError: 90}}, 0},
		{"least error", []Candidate{{ValidError: 9}, {ValidError: 8, ValidLoss: 5}, {ValidError: 8.5}}, 1},
		{"least loss", []Candidate{{ValidError: 9}, {ValidError: 8, ValidLoss: 5}, {ValidError: 8, ValidLoss: 4}}, 2},
		{"first", []Candidate{{ValidError: 9}, {ValidError: 8, ValidLoss: 5}, {ValidError: 8, ValidLoss: 5}}, 1},
	} {
		if got := Choose(test.candidates); got != test.want {
			t.Errorf("%s: %d, want %d", test.name, got, test.want)
		}
	}
}
