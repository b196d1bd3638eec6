package figure_test

import (
	"strings"
	"testing"

	"godarts/nas/figure"
)

func TestParetoBars(t *testing.T) {
	// An outcome has a bar when its seeds have different errors, and none when they are equal or there is one.
	outcomes := func(tests ...[]float64) (all []figure.Outcome) {
		for i, errors := range tests {
			all = append(all, figure.Outcome{Label: "cell", Parameters: 1000 * (i + 1), Tests: errors})
		}
		return all
	}
	bars := func(all []figure.Outcome) int {
		picture, err := figure.Pareto(all, figure.ByParameters).Encode(".svg", figure.Size{})
		if err != nil {
			t.Fatal(err)
		}
		return strings.Count(string(picture), `stroke-opacity="0.5`)
	}
	for _, test := range []struct {
		all  []figure.Outcome
		want int
	}{
		{outcomes([]float64{3, 5}, []float64{2, 3}), 2},
		{outcomes([]float64{3, 5}, []float64{3}), 1},
		{outcomes([]float64{3}, []float64{2, 2}), 0},
	} {
		if got := bars(test.all); got != test.want {
			t.Errorf("%d bars, want %d", got, test.want)
		}
	}
}
