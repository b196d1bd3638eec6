package figure

import (
	"math"
	"slices"

	"gonum.org/v1/plot/plotter"
)

// Correlation says how well one order of cells predicts another one.
type Correlation struct {
	N        int
	Kendall  float64 // τ-b, which counts ties
	Spearman float64 // ρ, of mean ranks
}

// Correlate compares the orders of x and y, which have the same length. The coefficients are NaN where all
// of x or all of y are equal.
func Correlate(x, y []float64) Correlation {
	concordant, tiedX, tiedY, pairs := 0, 0, 0, 0
	for i := range x {
		for j := range i {
			pairs++
			dx, dy := sign(x[i]-x[j]), sign(y[i]-y[j])
			concordant += dx * dy
			if dx == 0 {
				tiedX++
			}
			if dy == 0 {
				tiedY++
			}
		}
	}
	kendall := float64(concordant) / math.Sqrt(float64(pairs-tiedX)*float64(pairs-tiedY))
	return Correlation{N: len(x), Kendall: kendall, Spearman: pearson(ranks(x), ranks(y))}
}

func sign(x float64) int {
	switch {
	case x > 0:
		return 1
	case x < 0:
		return -1
	}
	return 0
}

// ranks returns the rank of each number from 1, of equal ones the mean of theirs.
func ranks(x []float64) []float64 {
	order := slices.Sorted(slices.Values(x))
	r := make([]float64, len(x))
	for i, v := range x {
		low, _ := slices.BinarySearch(order, v)
		high := low
		for high < len(order) && order[high] == v {
			high++
		}
		r[i] = float64(low+high+1) / 2
	}
	return r
}

func pearson(x, y []float64) float64 {
	var meanX, meanY, xx, yy, xy float64
	for i := range x {
		meanX, meanY = meanX+x[i]/float64(len(x)), meanY+y[i]/float64(len(y))
	}
	for i := range x {
		dx, dy := x[i]-meanX, y[i]-meanY
		xx, yy, xy = xx+dx*dx, yy+dy*dy, xy+dx*dy
	}
	return xy / math.Sqrt(xx*yy)
}

// ValidAndTest returns the validation and test figures of the outcomes that have both.
func ValidAndTest(outcomes []Outcome) (valid, test []float64) {
	for _, o := range outcomes {
		if o.Valid != nil && len(o.Tests) > 0 {
			valid, test = append(valid, *o.Valid), append(test, o.Test().Mean)
		}
	}
	return valid, test
}

// ValidTest draws the test error against the validation error of the outcomes that have both, or
// perplexities. It returns nil for fewer than two.
func ValidTest(outcomes []Outcome) *Figure {
	valid, test := ValidAndTest(outcomes)
	if len(valid) < 2 {
		return nil
	}
	var labels []string
	for _, o := range outcomes {
		if o.Valid != nil && len(o.Tests) > 0 {
			labels = append(labels, shorten(o.Label, 110, usual.small))
		}
	}
	c := chart{title: "Validation and test", x: "validation error, %", y: "test error, %"}
	if outcomes[0].Text {
		c.x, c.y = "validation perplexity", "test perplexity"
	}
	s := series{scattered: true}
	if len(labels) <= mostNamed {
		s.names = labels
	}
	for i := range valid {
		s.points = append(s.points, plotter.XY{X: valid[i], Y: test[i]})
	}
	c.series = []series{s}
	return c.figure()
}
