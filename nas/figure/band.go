package figure

import (
	"fmt"
	"slices"

	"gonum.org/v1/plot/plotter"

	"godarts/nas/report"
	"godarts/nas/runfolder"
)

// MeanBand draws for each group the mean over its runs of the test accuracy after each epoch, in a band of
// their deviation; of the validation accuracy, or the validation perplexity, where no run has that of tests.
// Groups of one run are left out. It returns nil if no group has two.
func MeanBand(groups []Group) *Figure {
	measures := []struct {
		title, y string
		of       measure
	}{
		{"Test accuracy", "accuracy, %", percent(func(m *runfolder.Metric) *float64 { return m.TestAccuracy })},
		{"Validation accuracy", "accuracy, %", percent(func(m *runfolder.Metric) *float64 { return m.ValidAccuracy })},
		{"Validation perplexity", "perplexity", func(m *runfolder.Metric) *float64 { return m.ValidPerplexity }},
	}
	for _, m := range measures {
		c := chart{title: m.title + ", mean ± deviation over seeds", x: epochs, y: m.y, whole: true}
		for i, g := range groups {
			if s := band(g, m.of); len(g.Runs) > 1 && len(s.points) > 0 {
				s.label, s.look = fmt.Sprintf("%s (%d)", g.Label, len(g.Runs)), i
				c.series = append(c.series, s)
			}
		}
		for i := range c.series { // of many bands one has to see through
			c.series[i].shade = uint8(0x40 / max(1, len(c.series)/3))
		}
		if f := c.figure(); f != nil {
			return f
		}
	}
	return nil
}

// band returns the curve of the mean after the epochs that two runs or more have.
func band(g Group, of measure) (s series) {
	values := map[float64][]float64{}
	var at []float64
	for _, r := range g.Runs {
		for _, p := range epochsOf(r, of) {
			if values[p.X] == nil {
				at = append(at, p.X)
			}
			values[p.X] = append(values[p.X], p.Y)
		}
	}
	slices.Sort(at)
	for _, x := range at {
		spread := report.SpreadOf(values[x])
		if spread.Std == nil {
			continue
		}
		s.points = append(s.points, plotter.XY{X: x, Y: spread.Mean})
		s.low, s.high = append(s.low, spread.Mean-*spread.Std), append(s.high, spread.Mean+*spread.Std)
	}
	return s
}
