package enas

import (
	"errors"
	"strings"

	"godarts/torch"
)

// Names of a controller's state besides its weights.
const (
	nameBaseline   = "baseline"
	controllerAdam = "adam."
)

// StateDict returns what the next update depends on: weights, Adam's state and the baseline.
func (c *Controller) StateDict() torch.StateDict {
	sd := c.weights.StateDict()
	for name, t := range c.adam.StateDict() {
		sd[controllerAdam+name] = t
	}
	sd[nameBaseline] = c.baseline
	return sd
}

// LoadStateDict overwrites the state by sd.
func (c *Controller) LoadStateDict(sd torch.StateDict) error {
	weights, adam := torch.StateDict{}, torch.StateDict{}
	for name, t := range sd {
		if short, ok := strings.CutPrefix(name, controllerAdam); ok {
			adam[short] = t
		} else {
			weights[name] = t
		}
	}
	baseline := weights[nameBaseline]
	if !baseline.Defined() || baseline.Numel() != 1 {
		return errors.New("darts: load state dict: the controller's baseline, one number, is missing")
	}
	delete(weights, nameBaseline)
	if err := c.weights.LoadStateDict(weights); err != nil {
		return err
	}
	if err := c.adam.LoadStateDict(adam); err != nil {
		return err
	}
	torch.NoGrad(func() { c.baseline.Copy_(baseline) })
	return nil
}
