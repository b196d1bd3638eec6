// Package prune makes trained networks of images smaller: it cuts filters, or for comparison sets single weights to
// zero, and says how the result is trained on.
package prune

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"godarts/cells"
	"godarts/nas"
	"godarts/nas/config"
	"godarts/nas/model"
	"godarts/nas/names"
	"godarts/nas/runfolder"
	"godarts/torch"
)

// Values of Options.By.
const (
	Scale     = "scale"     // a filter counts as much as the factors of the batch norms after it (arXiv 1708.06519)
	Taylor    = "taylor"    // as its removal changes the loss, to first order (arXiv 1906.10771)
	Magnitude = "magnitude" // single weights count as much as they are large; they are set to zero, and nothing is cut
)

// By lists the values of Options.By.
var By = []string{Scale, Taylor, Magnitude}

// Options say what to prune.
type Options struct {
	By     string
	Share  float64 // of the multiply-adds that are left, between 0 and 1
	Epochs int     // of the training afterwards, at the end of the schedule; 0 is half of the recipe's, at least one
	Device torch.Device

	// Multiple is what numbers of channels that stay are multiples of. Layers of less than twice as many have multiples of
	// half as many, and so on. 1 cuts single channels, as 0 does.
	Multiple int
}

// DefaultMultiple is a multiple of channels that processors compute together. Loops of our own take multiples of 4.
const DefaultMultiple = 8

var errNotCounted = errors.New("nas: prune: the cells have an operation from outside that does not say its multiply-adds")

// Size is what a network takes.
type Size struct {
	Parameters, MultiplyAdds int64 // without the auxiliary head; those that are not 0 after Magnitude
	Bytes                    int   // of its file of weights
}

// Pruned is a pruned network.
type Pruned struct {
	Config        *config.Config // of the training that goes on with it; without Pruned.Weights
	Weights       []byte         // its file of weights
	Before, After Size
}

// Network prunes the trained network in dir, a complete run or an export.
func Network(ctx context.Context, dir string, o Options) (p Pruned, err error) {
	err = o.with(dir, func(n network, c *config.Config) error {
		if p.Config, err = tail(c, o.Epochs); err != nil {
			return err
		}
		return n.prune(ctx, dir, c, o, &p)
	})
	return p, err
}

// Check returns the error of Network that needs no image: what is in dir cannot be pruned, or not to that share.
func Check(dir string, o Options) error {
	return o.with(dir, func(n network, c *config.Config) error {
		if _, err := tail(c, o.Epochs); err != nil || o.By == Magnitude {
			return err
		}
		if n.size(n.o, 0).MultiplyAdds == 0 {
			return errNotCounted
		}
		_, _, err := n.choose(none(n.o.Groups(n.about.Genotype)), o)
		return err
	})
}

// ConfigAt returns the config of the training that goes on with what Network has left of the network in dir, where that
// is in file. Without the file there are no widths and no weights in it.
func ConfigAt(dir, file string, o Options) (*config.Config, error) {
	trained, err := model.TrainedConfig(dir)
	if err != nil {
		return nil, err
	}
	c, err := tail(trained, o.Epochs)
	if _, unwritten := os.Stat(file); err != nil || unwritten != nil {
		return c, err
	}
	about, err := model.Described(file)
	if err == nil {
		c.Pruned.Weights, err = filepath.Abs(file)
	}
	if err != nil {
		return nil, err
	}
	c.Pruned.Mask = o.By == Magnitude
	describe(c, about)
	return c, nil
}

// describe puts the network that weights describe in the config of their training.
func describe(c *config.Config, about model.Description) {
	c.Genotype, c.Network.Auxiliary, c.Pruned.Widths = about.Genotype.String(), about.Auxiliary, ""
	if about.Widths != nil {
		c.Pruned.Widths = about.Widths.String()
	}
}

// with calls use for the network in dir.
func (o Options) with(dir string, use func(n network, c *config.Config) error) error {
	if !(o.Share > 0 && o.Share < 1) {
		return fmt.Errorf("nas: prune: %v %% of the multiply-adds, want more than 0 and less than 100", 100*o.Share)
	}
	c, err := model.TrainedConfig(dir)
	if err != nil {
		return err
	}
	if c.Data.IsText() {
		return fmt.Errorf("nas: prune: %s is of a language model, which has no filters: want a network of images", names.Escape(dir))
	}
	if c.Quantise != nil {
		return fmt.Errorf("nas: prune: %s computes in integers: prune the run that it was made of, and quantise what is left", names.Escape(dir))
	}
	if !model.IsExport(dir) {
		if _, err := model.TrainedCell(dir, c); err != nil {
			return err
		}
	}
	if _, err := tail(c, o.Epochs); err != nil {
		return err
	}
	file := filepath.Join(dir, runfolder.WeightsFile)
	about, err := model.Described(file)
	if err != nil {
		return err
	}
	return torch.Do(func() error {
		n, err := load(file, about, o.Device)
		if err != nil {
			return err
		}
		return use(n, c)
	})
}

// tail returns the config of the training after the pruning: the last epochs of c.
func tail(c *config.Config, epochs int) (*config.Config, error) {
	if epochs == 0 {
		epochs = max(c.Epochs/2, min(1, c.Epochs))
	}
	if epochs > c.Epochs || epochs < 0 {
		return nil, fmt.Errorf("nas: prune: %d epochs, want 1 to %d, which the network was trained for", epochs, c.Epochs)
	}
	t := *c
	t.Expect = nil // it is of the whole network
	t.Pruned = &config.Pruned{Epoch: c.Epochs - epochs}
	return &t, nil
}

// network is a trained network that is to be pruned.
type network struct {
	net   *cells.Network
	about model.Description
	o     cells.NetworkOptions
	file  string
}

func load(file string, about model.Description, d torch.Device) (n network, err error) {
	st, err := model.OpenWeights(file)
	if err != nil {
		return n, err
	}
	dtype, _, err := st.Info("classifier.weight")
	st.Close()
	if err != nil {
		return n, err
	}
	n = network{about: about, o: about.NetworkOptions(torch.Options{Dtype: dtype, Device: d}), file: file}
	if n.net, err = cells.NewNetwork(about.Genotype, n.o); err != nil {
		return n, fmt.Errorf("nas: %s: %w", names.Escape(file), err)
	}
	if err := model.LoadWeights(n.net, file); err != nil {
		return n, err
	}
	return n, n.finite()
}

// finite returns an error if a weight or a running statistic is no number.
func (n network) finite() (err error) {
	sd := n.net.StateDict()
	for _, name := range sortedNames(sd) {
		torch.Scoped(func() {
			if sd[name].IsFinite().ToDtype(torch.Float32).Amin(nil, false).Item() == 0 && err == nil {
				err = fmt.Errorf("nas: prune: %s: %q is not finite: the network says nothing of what matters", names.Escape(n.file), name)
			}
		})
	}
	return err
}

func sortedNames(sd torch.StateDict) (all []string) {
	for name := range sd {
		all = append(all, name)
	}
	slices.Sort(all)
	return all
}

// size returns the size of a network of these options, whose file has that many bytes.
func (n network) size(o cells.NetworkOptions, bytes int) Size {
	parameters, adds := o.Count(n.about.Genotype)
	return Size{parameters, adds, bytes}
}

func (n network) prune(ctx context.Context, dir string, c *config.Config, o Options, p *Pruned) error {
	info, err := os.Stat(n.file)
	if err != nil {
		return fmt.Errorf("nas: prune: %w", err)
	}
	p.Before = n.size(n.o, int(info.Size()))
	if p.Before.MultiplyAdds == 0 {
		return errNotCounted
	}
	about, sd := n.about, n.net.StateDict()
	if o.By == Magnitude {
		p.Config.Pruned.Mask = true
		p.After = n.zero(o.Share)
	} else {
		importance, err := n.importance(ctx, dir, c, o)
		if err != nil {
			return err
		}
		keep, widths, err := n.choose(importance, o)
		if err != nil {
			return err
		}
		sd = cells.Cut(sd, n.o.Groups(n.about.Genotype), keep)
		about.Widths = &widths
		smaller := n.o
		smaller.Widths = &widths
		p.After = n.size(smaller, 0)
	}
	describe(p.Config, about)
	p.Weights, err = model.EncodeWeights(sd, about)
	p.After.Bytes = len(p.Weights)
	return err
}

// importance returns how much each channel of each group counts.
func (n network) importance(ctx context.Context, dir string, c *config.Config, o Options) ([][]float64, error) {
	groups := n.o.Groups(n.about.Genotype)
	switch o.By {
	case Scale:
		return n.scales(groups), nil
	case Taylor:
		r := &nas.Run{Config: c, Device: o.Device}
		open := func() error { return r.OpenAsRecorded(dir) }
		if model.IsExport(dir) {
			open = func() error { return r.Open(false) }
		}
		if err := open(); err != nil {
			return nil, err
		}
		return n.taylor(ctx, groups, r)
	}
	return nil, fmt.Errorf("nas: prune: by %s, want %s", names.Quote(o.By, 40), strings.Join(By, ", "))
}
