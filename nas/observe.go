package nas

import (
	"godarts/cells/genotype"
	"godarts/nas/runfolder"
	"godarts/torch"
)

// Observer is a strategy that can say what it knows of its architecture, for the metrics and for hooks.
// A strategy does not have to be one.
type Observer interface {
	// Observe returns α as it stands. It changes nothing that the search depends on, generators among
	// it. Run.Finish calls it before the run moves to the next epoch, and adds what follows from the
	// epoch's genotype.
	Observe() (runfolder.Observation, error)
}

// Counter is a feed that can count a network of a cell.
type Counter interface {
	// Count returns the weights and the multiply-adds for one image, or one token, of the network that
	// a training of the cell g makes, without auxiliary head. It returns 0 for what it cannot count.
	Count(g genotype.Genotype) (parameters, multiplyAdds int64)
}

// observation returns what the epoch of a search records, whose genotype is text: what state says if it is
// an Observer, and the size of the genotype's network if feed is a Counter.
func observation(state, feed any, text string) (o runfolder.Observation, err error) {
	if s, ok := state.(Observer); ok {
		torch.Scoped(func() { o, err = s.Observe() })
		if err != nil {
			return o, err
		}
	}
	g, failed := genotype.Parse(text)
	if failed != nil {
		return o, nil // there is no cell yet
	}
	if !g.IsRecurrent() {
		o.SkipConnections = new(skips(g.Normal))
	}
	if f, ok := feed.(Counter); ok {
		o.Parameters, o.MultiplyAdds = f.Count(g)
	}
	return o, nil
}

// skips counts the skip connections of a cell.
func skips(c genotype.Cell) (n int) {
	for _, edge := range c.Edges {
		if edge.Op == genotype.SkipConnect {
			n++
		}
	}
	return n
}
