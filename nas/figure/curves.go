package figure

import (
	"fmt"
	"path"
	"slices"
	"strings"

	"gonum.org/v1/plot/plotter"

	"godarts/nas/runfolder"
)

// measure reads a number of a line of metrics, nil where it has none.
type measure func(m *runfolder.Metric) *float64

// named is a measure with its name in the legend of a single run.
type named struct {
	name string
	of   measure
}

const epochs = "epoch"

// axisOf returns what the runs count: epochs, or cells that searches try.
func axisOf(runs []Labelled) string {
	if slices.ContainsFunc(runs, func(r Labelled) bool { return !r.Config.FromScratch() }) {
		return epochs
	}
	return "cell tried"
}

// epochsOf returns the curve of a measure after each epoch.
func epochsOf(r Labelled, of measure) (points plotter.XYs) {
	for i := range r.Epochs {
		if y := of(&r.Epochs[i]); y != nil {
			points = append(points, plotter.XY{X: float64(r.Epochs[i].Epoch + 1), Y: *y})
		}
	}
	return points
}

// stepsOf returns the curve of a measure within epochs. Older runs have not recorded how many steps an epoch
// has: its last line lies an interval or less before its end.
func stepsOf(r Labelled, of measure) (points plotter.XYs) {
	last, interval := 0, 0
	for i := range r.Steps {
		last = max(last, r.Steps[i].Step)
		if interval == 0 {
			interval = r.Steps[i].Step
		}
	}
	for i := range r.Steps {
		m := &r.Steps[i]
		steps := m.Of
		if steps < m.Step {
			steps = last + interval
		}
		if y := of(m); y != nil {
			points = append(points, plotter.XY{X: float64(m.Epoch) + float64(m.Step)/float64(steps), Y: *y})
		}
	}
	return points
}

// curves returns the curves of one run, each by the name of its measure, or one curve of each of several
// runs: of the first measure that any of them has.
func curves(c chart, runs []Labelled, measures ...named) *Figure {
	c.x, c.whole = axisOf(runs), true
	if len(runs) == 1 {
		for i, m := range measures {
			c.series = append(c.series, series{label: m.name, look: i, points: epochsOf(runs[0], m.of)})
		}
		return c.figure()
	}
	for _, m := range measures {
		own := overlaid(runs, m.of)
		if len(own) == 0 {
			continue
		}
		if c.series = own; m.name != "" {
			c.title += ", " + m.name
		}
		break
	}
	return c.figure()
}

// overlaid returns the curves of the runs that have the measure. Runs that differ in the seed only have one
// look and one entry in the legend, if there are others besides.
func overlaid(runs []Labelled, of measure) (all []series) {
	groups := Groups(withoutPart(runs))
	for look, g := range groups {
		first := true
		for i, r := range g.Runs {
			s := series{label: r.Label, look: look, points: epochsOf(r, of)}
			if len(s.points) == 0 {
				continue
			}
			switch {
			case len(groups) == 1:
				s.look = i
			case len(g.Runs) > 1 && first:
				s.label = fmt.Sprintf("%s (%d)", g.Label, len(g.Runs))
			case len(g.Runs) > 1:
				s.label = ""
			}
			first = false
			all = append(all, s)
		}
	}
	return all
}

// withoutPart returns the runs without the last name of their labels, if all have the same: "search" of a
// comparison.
func withoutPart(runs []Labelled) []Labelled {
	part := path.Base(runs[0].Label)
	short := make([]Labelled, len(runs))
	for i, r := range runs {
		above, ok := strings.CutSuffix(r.Label, "/"+part)
		if !ok || above == "" {
			return runs
		}
		short[i] = Labelled{r.Run, above}
	}
	return short
}

// Losses draws the losses over epochs: of one run those on training, validation and test data, of
// several runs one of each.
func Losses(runs []Labelled) *Figure {
	training := func(m *runfolder.Metric) *float64 { return m.TrainLoss }
	c := chart{title: "Loss", y: "cross-entropy, nats"}
	if len(runs) == 1 {
		c.series = append(c.series, series{look: 2, fine: true, points: stepsOf(runs[0], training)})
	}
	return curves(c, runs,
		named{"validation", func(m *runfolder.Metric) *float64 { return m.ValidLoss }},
		named{"test", func(m *runfolder.Metric) *float64 { return m.TestLoss }},
		named{"training", training})
}

// percent is a measure of a share, in percent.
func percent(of measure) measure {
	return func(m *runfolder.Metric) *float64 {
		if share := of(m); share != nil {
			return new(100 * *share)
		}
		return nil
	}
}

// Accuracies draws accuracies over epochs as Losses does losses: of searches and trainings on images.
func Accuracies(runs []Labelled) *Figure {
	return curves(chart{title: "Accuracy", y: "accuracy, %"}, runs,
		named{"validation", percent(func(m *runfolder.Metric) *float64 { return m.ValidAccuracy })},
		named{"test", percent(func(m *runfolder.Metric) *float64 { return m.TestAccuracy })},
		named{"training", percent(func(m *runfolder.Metric) *float64 { return m.TrainAccuracy })},
		named{"validation, top 5", percent(func(m *runfolder.Metric) *float64 { return m.ValidTopFive })},
		named{"test, top 5", percent(func(m *runfolder.Metric) *float64 { return m.TestTopFive })})
}

// Perplexities draws perplexities over epochs as Losses does losses: of runs on texts.
func Perplexities(runs []Labelled) *Figure {
	return curves(chart{title: "Perplexity", y: "perplexity", log: true}, runs,
		named{"validation", func(m *runfolder.Metric) *float64 { return m.ValidPerplexity }},
		named{"training", func(m *runfolder.Metric) *float64 { return m.TrainPerplexity }})
}

// LearningRate draws the learning rate of the weights over epochs.
func LearningRate(runs []Labelled) *Figure {
	return curves(chart{title: "Learning rate of the weights", y: "learning rate"}, runs,
		named{"", func(m *runfolder.Metric) *float64 { return m.LR }})
}

// Entropy draws the entropy of softmax(α), its mean over the edges of each cell, over epochs.
func Entropy(runs []Labelled) *Figure {
	var measures []named
	for _, kind := range []string{"normal", "reduce", "recurrent"} {
		measures = append(measures, named{kind + " cell", func(m *runfolder.Metric) *float64 { return meanEntropy(m, kind) }})
	}
	return curves(chart{title: "Entropy of softmax(α), mean over edges", y: "entropy, nats"}, runs, measures...)
}

func meanEntropy(m *runfolder.Metric, kind string) *float64 {
	if m.Observation == nil {
		return nil
	}
	for _, cell := range m.Cells {
		if cell.Kind != kind || len(cell.Edges) == 0 {
			continue
		}
		sum := 0.0
		for _, edge := range cell.Edges {
			sum += edge.Entropy
		}
		return new(sum / float64(len(cell.Edges)))
	}
	return nil
}

// SkipConnections draws the number of skip connections in the normal cell over epochs.
func SkipConnections(runs []Labelled) *Figure {
	return curves(chart{title: "Skip connections in the normal cell", y: "edges", wholeY: true}, runs,
		named{"", func(m *runfolder.Metric) *float64 {
			if m.Observation == nil || m.SkipConnections == nil {
				return nil
			}
			return new(float64(*m.SkipConnections))
		}})
}

// Sizes draws the parameters of the network of the cell as it stands after each epoch.
func Sizes(runs []Labelled) *Figure {
	return curves(chart{title: "Parameters of the cell's network", y: "parameters"}, runs,
		named{"", func(m *runfolder.Metric) *float64 {
			if m.Observation == nil || m.Parameters == 0 {
				return nil
			}
			return new(float64(m.Parameters))
		}})
}

// Eigenvalue draws the dominant eigenvalue of the Hessian of the validation loss in α over epochs.
func Eigenvalue(runs []Labelled) *Figure {
	return curves(chart{title: "Dominant eigenvalue of the Hessian in α", y: "eigenvalue"}, runs,
		named{"", func(m *runfolder.Metric) *float64 { return m.Eigenvalue }})
}

// GradientNorms draws the norms of the gradients of w and α, means over the steps of each epoch.
func GradientNorms(runs []Labelled) *Figure {
	return curves(chart{title: "Norm of gradients, mean over steps", y: "L2 norm", log: true}, runs,
		named{"of w, before clipping", func(m *runfolder.Metric) *float64 { return m.GradNormW }},
		named{"of α", func(m *runfolder.Metric) *float64 { return m.GradNormAlpha }})
}

// Speed draws images or tokens per second over epochs.
func Speed(runs []Labelled) *Figure {
	c := chart{title: "Speed", x: axisOf(runs), y: "images/s", whole: true}
	for i, r := range runs {
		if r.Config.Data.IsText() {
			c.y = "tokens/s"
		}
		s := series{label: r.Label, look: i}
		for _, t := range r.Timings {
			if t.Step == 0 && t.ItemsPerSecond > 0 {
				s.points = append(s.points, plotter.XY{X: float64(t.Epoch + 1), Y: t.ItemsPerSecond})
			}
		}
		if len(runs) == 1 {
			s.label = ""
		}
		c.series = append(c.series, s)
	}
	return c.figure()
}
