package config

import "godarts/cells/genotype"

// Pruned says that a training goes on with a network that was pruned.
type Pruned struct {
	Weights string `key:"weights" path:"true" doc:"file of weights that the training begins with; without one they are drawn"`
	Widths  string `key:"widths" doc:"channels that are left of each layer, in JSON, as the weights of a pruned network describe them; without them all are"`
	Epoch   int    `key:"epoch" range:"[0,)" doc:"epoch that the training begins with, of epochs: learning rate, drop-path and order of the images are those from there on"`
	Mask    bool   `key:"mask" doc:"what is 0 of the weights of convolutions and of the classifier in pruned.weights stays 0"`
}

// Widths returns the channels that pruning has left of the network of the training c; nil if it has not been pruned.
func (c *Config) Widths() *genotype.Widths {
	if c.Pruned == nil || c.Pruned.Widths == "" {
		return nil
	}
	w, err := genotype.ParseWidths(c.Pruned.Widths)
	if err != nil {
		return nil // rules have refused it
	}
	return &w
}

// FirstEpoch returns the epoch that a run of c begins with.
func (c *Config) FirstEpoch() int {
	if c.Pruned == nil {
		return 0
	}
	return c.Pruned.Epoch
}

// prunedRules checks the section pruned.
func (c *Config) prunedRules() *Problem {
	p := c.Pruned
	if p == nil {
		return nil
	}
	if p.Widths != "" {
		if _, err := genotype.ParseWidths(p.Widths); err != nil {
			return Conflict("pruned.widths", "pruned.widths", "%v, want what `darts prune` writes", err)
		}
	}
	switch {
	case p.Epoch > c.Epochs:
		return Conflict("pruned.epoch", "epochs", "%d is more than epochs %d, want at most that", p.Epoch, c.Epochs)
	case p.Mask && p.Weights == "":
		return Conflict("pruned.mask", "pruned.weights", "true has no effect without pruned.weights, want a file there")
	}
	return nil
}
