package nas

import (
	"fmt"
	"slices"
	"strings"

	"godarts/nas/config"
	"godarts/torch"
	"godarts/torch/optim"
)

// Prefixes of optimizers' entries in the state of an experiment.
const (
	OptimizerW        = "optimizer.w."
	OptimizerAveraged = "optimizer.averaged."
	OptimizerAlpha    = "optimizer.alpha."
)

// Prefixed adds prefix to every name.
func Prefixed(prefix string, sd torch.StateDict) torch.StateDict {
	out := torch.StateDict{}
	for name, t := range sd {
		out[prefix+name] = t
	}
	return out
}

// Cut returns the entries that start with prefix, without the prefix, and the others.
func Cut(sd torch.StateDict, prefix string) (others, own torch.StateDict) {
	others, own = torch.StateDict{}, torch.StateDict{}
	for name, t := range sd {
		if short, ok := strings.CutPrefix(name, prefix); ok {
			own[short] = t
		} else {
			others[name] = t
		}
	}
	return others, own
}

// Part is a part of an experiment's state and its entries.
type Part struct {
	State   State
	Entries torch.StateDict
}

// Load loads every part. If one fails, the parts before it have changed already, and the experiment
// cannot go on.
func Load(parts ...Part) error {
	for _, p := range parts {
		if err := p.State.LoadStateDict(p.Entries); err != nil {
			return err
		}
	}
	return nil
}

// Take copies the entries of these names from sd to the tensors of to, and deletes them from sd.
func Take(sd torch.StateDict, to map[string]torch.Tensor) error {
	for name, t := range to {
		entry, ok := sd[name]
		if !ok || !slices.Equal(entry.Shape(), t.Shape()) {
			return fmt.Errorf("nas: load state dict: %q of shape %v is missing", name, t.Shape())
		}
	}
	for name, t := range to {
		torch.NoGrad(func() { t.Copy_(sd[name]) })
		delete(sd, name)
	}
	return nil
}

// NewSGD makes the optimizer of the weights w with the settings o.
func NewSGD(w torch.Tensor, o config.W) *optim.SGD {
	return optim.NewSGD([]torch.Tensor{w}, optim.SGDOptions{LR: o.LR, Momentum: o.Momentum, WeightDecay: o.WeightDecay, Nesterov: o.Nesterov})
}

// NewAdam makes the optimizer of α with the settings o.
func NewAdam(alphas []torch.Tensor, o config.Alpha) *optim.Adam {
	return optim.NewAdam(alphas, optim.AdamOptions{LR: o.LR, Betas: o.Betas, WeightDecay: o.WeightDecay})
}
