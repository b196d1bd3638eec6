package figure

import (
	"cmp"
	"slices"

	"gonum.org/v1/plot/plotter"
)

// Cost is what outcomes are compared by.
type Cost struct {
	title string
	units []unit
	of    func(o Outcome) float64 // 0 for an outcome without
}

// unit is a unit for numbers from size on.
type unit struct {
	axis string // the label of the axis
	size float64
}

// Costs of an outcome.
var (
	ByParameters   = Cost{"parameters", []unit{{"parameters", 1}}, func(o Outcome) float64 { return float64(o.Parameters) }}
	ByMultiplyAdds = Cost{
		"multiply-adds", []unit{{"multiply-adds, billions", 1e9}, {"multiply-adds, millions", 1e6}, {"multiply-adds, thousands", 1e3}},
		func(o Outcome) float64 { return float64(o.MultiplyAdds) },
	}
	ByBytes = Cost{
		"size", []unit{{"ONNX file, MB", 1e6}, {"ONNX file, kB", 1e3}}, func(o Outcome) float64 { return o.Bytes },
	}
	ByTime     = Cost{"time per image", milliseconds("time per image"), func(o Outcome) float64 { return o.ImageSeconds }}
	ByONNXTime = Cost{"time per image in ONNX Runtime", milliseconds("ONNX Runtime, time per image"), func(o Outcome) float64 { return o.ONNXSeconds }}

	BySearch = Cost{
		"cost of the search", []unit{{"search, hours", 3600}, {"search, minutes", 60}, {"search, seconds", 1}},
		func(o Outcome) float64 { return o.SearchSeconds },
	}
)

func milliseconds(of string) []unit { return []unit{{of + ", ms", 1e-3}, {of + ", μs", 1e-6}} }

// unit returns the largest unit that the greatest cost reaches.
func (by Cost) unit(outcomes []Outcome) unit {
	most := 0.0
	for _, o := range outcomes {
		most = max(most, by.of(o))
	}
	for _, u := range by.units {
		if most >= u.size {
			return u
		}
	}
	return by.units[len(by.units)-1]
}

// mostNamed is how many points have their names beside them.
const mostNamed = 12

// Pareto draws the test error, or the test perplexity, against a cost, and the front of those outcomes that no
// other one beats in both. Bars are one sample standard deviation over the seeds to either side. It returns nil for
// fewer than two outcomes.
func Pareto(outcomes []Outcome, by Cost) *Figure {
	unit := by.unit(outcomes)
	c := chart{title: "Test error and " + by.title, x: unit.axis, y: "test error, %", logX: true}
	var known []Outcome
	for _, o := range outcomes {
		if len(o.Tests) > 0 && by.of(o) > 0 {
			known = append(known, o)
		}
	}
	if len(known) < 2 {
		return nil
	}
	if known[0].Text {
		c.title, c.y = "Test perplexity and "+by.title, "test perplexity"
	}
	slices.SortStableFunc(known, func(a, b Outcome) int {
		return cmp.Or(cmp.Compare(by.of(a), by.of(b)), cmp.Compare(a.Test().Mean, b.Test().Mean))
	})
	front := series{label: "Pareto front", look: 1, bare: true, stairs: true}
	cells := series{scattered: true}
	best, spread := 0.0, false
	for i, o := range known {
		at := plotter.XY{X: by.of(o) / unit.size, Y: o.Test().Mean}
		deviation := 0.0
		if std := o.Test().Std; std != nil {
			deviation, spread = *std, true
		}
		cells.points = append(cells.points, at)
		cells.low, cells.high = append(cells.low, at.Y-deviation), append(cells.high, at.Y+deviation)
		if len(known) <= mostNamed {
			cells.names = append(cells.names, shorten(o.Label, 110, usual.small))
		}
		if i == 0 || at.Y < best {
			best = at.Y
			front.points = append(front.points, at)
		}
	}
	if last := cells.points[len(cells.points)-1].X; front.points[len(front.points)-1].X < last {
		front.points = append(front.points, plotter.XY{X: last, Y: best})
	} else if len(front.points) == 1 { // one outcome beats all others of the same cost
		front.points = nil
	}
	if spread {
		c.y += " (mean ± std)"
	}
	c.series = []series{front, cells}
	return c.figure()
}
