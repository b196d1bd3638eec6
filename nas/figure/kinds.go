package figure

import (
	"godarts/cells/genotype"
)

// Kind is a kind of figures that a command can ask for by name.
type Kind struct {
	Name string
	Text string // what it shows
	draw func(runs []Labelled) []*Figure
}

// Kinds are the kinds of figures, in the order in which a page has them.
var Kinds = []Kind{
	{"loss", "losses over epochs", one(Losses)},
	{"accuracy", "accuracies over epochs, of texts perplexities", func(runs []Labelled) []*Figure {
		return []*Figure{Accuracies(runs), Perplexities(runs)}
	}},
	{"lr", "learning rate of the weights", one(LearningRate)},
	{"entropy", "entropy of softmax(α)", one(Entropy)},
	{"skips", "skip connections in the normal cell", one(SkipConnections)},
	{"size", "parameters of the cell's network", one(Sizes)},
	{"eigenvalue", "dominant eigenvalue of the Hessian in α", one(Eigenvalue)},
	{"gradients", "norms of the gradients", one(GradientNorms)},
	{"speed", "images or tokens per second", one(Speed)},
	{"alpha", "softmax(α) of each edge, of the first run", func(runs []Labelled) (all []*Figure) {
		for _, kind := range []genotype.Kind{genotype.Normal, genotype.Reduce, genotype.Recurrent} {
			all = append(all, Alpha(runs[0], kind))
		}
		return all
	}},
	{"strip", "the operation of each edge, of the first run", func(runs []Labelled) []*Figure { return []*Figure{Strip(runs[0])} }},
	{"mean", "mean ± deviation over seeds", func(runs []Labelled) []*Figure { return []*Figure{MeanBand(Groups(runs))} }},
	{"pareto", "test error against parameters and search cost", func(runs []Labelled) []*Figure {
		outcomes := Outcomes(runs)
		return []*Figure{Pareto(outcomes, ByParameters), Pareto(outcomes, BySearch)}
	}},
	{"multiply-adds", "test error against multiply-adds of the cell's network", func(runs []Labelled) []*Figure {
		return []*Figure{Pareto(Outcomes(runs), ByMultiplyAdds)}
	}},
	{"validation", "test error against validation error", func(runs []Labelled) []*Figure { return []*Figure{ValidTest(Outcomes(runs))} }},
}

func one(draw func(runs []Labelled) *Figure) func(runs []Labelled) []*Figure {
	return func(runs []Labelled) []*Figure { return []*Figure{draw(runs)} }
}

// Draw returns the figures of this kind that the runs, at least one, have something to show in.
func (k Kind) Draw(runs []Labelled) (figures []*Figure) {
	for _, f := range k.draw(runs) {
		if f != nil {
			figures = append(figures, f)
		}
	}
	return figures
}
