package texts

import (
	"godarts/cells"
	"godarts/cells/genotype"
	"godarts/darts"
	"godarts/nas/config"
	"godarts/nas/memory"
	"godarts/nas/rng"
	"godarts/nas/runfolder"
	"godarts/torch"
)

// TrainedCell returns the cell that c trains, or one of those that it tries.
func TrainedCell(c *config.Config) (genotype.Genotype, error) {
	if c.FromScratch() {
		return Space(c).Sample(rng.Stream(c.Seed, "trials")), nil
	}
	return runfolder.GenotypeOf(c)
}

// Space returns the space of recurrent cells that the search c chooses from.
func Space(c *config.Config) darts.RecurrentSpace {
	return darts.RecurrentSpace{Nodes: c.Network.Nodes}
}

// Check returns an error if c cannot run on a text with a dictionary of this many words.
func Check(c *config.Config, words int, d torch.Device) error {
	nodes := c.Network.Nodes
	if c.Experiment == config.Train || c.FromScratch() {
		g, err := TrainedCell(c)
		if err != nil {
			return err
		}
		if err := RecurrentOptions(c, words).Check(g); err != nil {
			return err
		}
		nodes = len(g.Recurrent.Edges)
	}
	return memory.NewDemand(c, "").Fits(textEstimate(c, nodes, words), c.Data.Columns(), d)
}

// textEstimate returns the memory of a language model with a cell of this many nodes, and of each
// column of a batch.
func textEstimate(c *config.Config, nodes, words int) cells.Estimate {
	h, v := float64(c.Network.Hidden), float64(words)
	return cells.Estimate{Weights: v*h + v + 4*h*h + float64(nodes)*2*h*h, PerImage: float64(c.Data.BPTT) * h}
}
