package nas

import (
	"strings"

	"godarts/torch"
)

// Prefixes of optimizers' entries in the state of an experiment.
const (
	optimizerW     = "optimizer.w."
	optimizerAlpha = "optimizer.alpha."
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
