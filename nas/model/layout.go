package model

import (
	"fmt"
	"slices"
	"strings"
)

// entries are the names under which checkpoints hold a state dict among other entries.
var entries = []string{"state_dict", "model_state_dict", "model", "net"}

// prefixes are what programs add before each name: data-parallel training and averages of weights add
// module, torch.compile _orig_mod, a network inside another its attribute.
var prefixes = []string{"module.", "_orig_mod.", "model.", "net."}

// averagedCounter is an entry of torch.optim.swa_utils.AveragedModel besides the weights.
const averagedCounter = "n_averaged"

// stateDictNames returns the names of a network's entries, and the prefix before the network's own
// names: an entry of a checkpoint, then prefixes that all names share, in any order.
func stateDictNames(all []string) (own []string, prefix string, err error) {
	below := func(prefix string) []string {
		return slices.DeleteFunc(slices.Clone(all), func(name string) bool { return !strings.HasPrefix(name, prefix) })
	}
	own = all
	for _, entry := range entries {
		switch found := below(entry + "."); {
		case len(found) == 0:
		case prefix != "":
			return nil, "", fmt.Errorf("holds weights as %q and as %q: save only one of them", strings.TrimSuffix(prefix, "."), entry)
		default:
			own, prefix = found, entry+"."
		}
	}
	for {
		rest := slices.DeleteFunc(slices.Clone(own), func(name string) bool { return name == prefix+averagedCounter })
		shared := slices.IndexFunc(prefixes, func(p string) bool {
			return !slices.ContainsFunc(rest, func(name string) bool { return !strings.HasPrefix(name, prefix+p) })
		})
		if shared < 0 || len(rest) == 0 {
			return own, prefix, nil
		}
		own, prefix = rest, prefix+prefixes[shared]
	}
}
