package nas

import (
	"fmt"
	"slices"
	"strings"

	"godarts/torch"
)

// Prefixes of optimizers' entries in the state of an experiment.
const (
	optimizerW        = "optimizer.w."
	optimizerAveraged = "optimizer.averaged."
	optimizerAlpha    = "optimizer.alpha."
)

// prefixed puts prefix before every name.
func prefixed(prefix string, sd torch.StateDict) torch.StateDict {
	out := torch.StateDict{}
	for name, t := range sd {
		out[prefix+name] = t
	}
	return out
}

// cut separates the entries that start with prefix, without it, from the others.
func cut(sd torch.StateDict, prefix string) (others, own torch.StateDict) {
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

// part is a piece of a state and its entries.
type part struct {
	state   State
	entries torch.StateDict
}

// load loads every part. If one fails, the parts before it have changed: the
// caller gives the experiment up.
func load(parts ...part) error {
	for _, p := range parts {
		if err := p.state.LoadStateDict(p.entries); err != nil {
			return err
		}
	}
	return nil
}

// take moves the entries of these names from sd to the tensors that go by them.
func take(sd torch.StateDict, to map[string]torch.Tensor) error {
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
