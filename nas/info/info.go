// Package info computes the cost of a network before it runs: parameters, multiply-adds, memory. It
// also measures how long a network and its operations take.
package info

import (
	"cmp"
	"errors"
	"fmt"
	"path/filepath"
	"slices"

	"godarts/cells"
	"godarts/cells/genotype"
	"godarts/darts"
	"godarts/darts/fast"
	"godarts/nas"
	"godarts/nas/config"
	"godarts/nas/data"
	"godarts/nas/images"
	"godarts/nas/memory"
	"godarts/nas/model"
	"godarts/nas/runfolder"
	"godarts/nas/search"
	"godarts/torch"
	"godarts/torch/nn"
)

// Info is a network and its cost.
type Info struct {
	Network string // description of the network
	Batch   int    // images in a training step
	Cost    nn.Cost
	Notes   []string // for the report
}

// ReadInfo returns the costs of networks. For a genotype, found as by ReadGenotype, these are the two
// networks that the paper trains. For a config file and for the folder of a run or an export it is the
// network of the config; for a search also the two networks of the cell that it has found so far. If
// recurrent is set, names of recurrent cells come first. Items override the config.
func ReadInfo(where string, recurrent bool, items ...string) ([]Info, error) {
	var c *config.Config
	var err error
	switch {
	case runfolder.HoldsRun(where) && len(items) == 0:
		c, err = runfolder.ReadConfig(where)
	case model.IsExport(where) && len(items) == 0:
		c, err = model.ExportConfig(where)
	case runfolder.HoldsRun(where):
		c, err = config.Load(filepath.Join(where, runfolder.ConfigFile), items...)
	case slices.Contains([]string{".yaml", ".yml"}, filepath.Ext(where)) || config.IsBuiltin(where):
		c, err = config.Load(where, items...)
	case len(items) > 0:
		return nil, fmt.Errorf("nas: info: %s is no config, which %s could override", where, items[0])
	}
	if err != nil {
		return nil, err
	}
	if c == nil {
		return cellInfo(where, recurrent)
	}
	var infos []Info
	err = torch.Do(func() error {
		infos, err = configInfo(c, where)
		return err
	})
	return infos, err
}

// cellInfo is publishedInfo of the cell that where names.
func cellInfo(where string, recurrent bool) ([]Info, error) {
	g, err := runfolder.FindGenotype(where, recurrent)
	if err != nil {
		return nil, err
	}
	return publishedInfo(g)
}

// publishedNetworks are the networks that the paper trains of a cell.
var publishedNetworks = []struct {
	data  string
	batch int
	o     cells.NetworkOptions
}{
	{"CIFAR-10", 96, cells.NetworkOptions{Channels: 36, Layers: 20, Classes: 10, InputChannels: 3, Size: 32, StemMultiplier: 3, Auxiliary: true}},
	{"ImageNet", 128, cells.NetworkOptions{Channels: 48, Layers: 14, Classes: 1000, InputChannels: 3, Size: 224, ImageNet: true, Auxiliary: true}},
}

// publishedInfo returns the costs of the networks that the paper trains of g.
func publishedInfo(g genotype.Genotype) (infos []Info, err error) {
	if g.IsRecurrent() {
		return recurrentInfo(g)
	}
	for _, published := range publishedNetworks {
		var info Info
		err := torch.Do(func() (err error) {
			info, err = networkInfo(g, published.o, published.batch)
			return err
		})
		if err != nil {
			return nil, err
		}
		info.Network = published.data + ": " + info.Network
		infos = append(infos, info)
	}
	return infos, nil
}

func networkInfo(g genotype.Genotype, o cells.NetworkOptions, batch int) (Info, error) {
	net, err := cells.NewNetwork(g, o)
	if err != nil {
		return Info{}, err
	}
	return Info{Network: networkWords(o), Batch: batch, Cost: net.Cost()}, nil
}

func networkWords(o cells.NetworkOptions) string {
	text := words(o.Channels, o.Layers, o.InputChannels, o.Size)
	if o.Widths != nil {
		text += ", pruned"
	}
	return text
}

func words(channels, layers, inputChannels, size int) string {
	return fmt.Sprintf("%d channels, %d cells, images %dx%dx%d", channels, layers, inputChannels, size, size)
}

// configInfo returns the cost of the network that c makes; where is its file or run folder.
func configInfo(c *config.Config, where string) ([]Info, error) {
	switch c.Experiment {
	case config.Repeat:
		return nil, fmt.Errorf("nas: info: %s makes no network of its own: its search is %s, its training %s", where, c.Repeat.Search, cmp.Or(c.Evaluate.File, "in it"))
	case config.Comparison:
		return nil, fmt.Errorf("nas: info: %s is the config of a compare, which makes no network", where)
	case config.Sweep:
		return nil, fmt.Errorf("nas: info: %s makes no network of its own: its runs are those of %s", where, c.Base)
	}
	if c.Data.IsText() {
		return textInfo(c, where)
	}
	sizes, err := images.Sizes(c)
	if err != nil {
		return nil, err
	}
	if c.Experiment == config.Train || c.FromScratch() {
		g, err := images.TrainedCell(c)
		if err != nil {
			return nil, err
		}
		if err := images.NetworkOptions(c, sizes).Check(g); err != nil {
			return nil, err
		}
		if err := memory.NewDemand(c, "").Hold(images.NetworkOptions(c, sizes).Estimate(g).Weights); err != nil {
			return nil, err
		}
		info, err := networkInfo(g, images.NetworkOptions(c, sizes), c.Data.Batch)
		return []Info{info}, err
	}
	o := images.SupernetOptions(c, sizes)
	if err := o.Check(); err != nil {
		return nil, err
	}
	if err := memory.NewDemand(c, "").Hold(o.Estimate(sizes.Height).Weights); err != nil {
		return nil, err
	}
	info, err := supernetInfo(c, o, sizes)
	if err != nil {
		return nil, err
	}
	infos := []Info{info}
	found, err := foundInfo(where, false)
	return append(infos, found...), err
}

// supernetInfo returns the cost of the supernet that c searches in, in the form that runs.
func supernetInfo(c *config.Config, o darts.Options, sizes *data.Images) (info Info, err error) {
	var net interface {
		Cost(inputChannels, size int) nn.Cost
	}
	form, stage := "plain", ""
	note := func(format string, args ...any) { info.Notes = append(info.Notes, fmt.Sprintf(format, args...)) }
	if passes := nas.MethodOf(c).Passes; passes != "" {
		note("%s", passes)
	}
	if n := len(images.Supernets(c, sizes)); n > 1 {
		stage = fmt.Sprintf(" of the first of %d stages", n)
	}
	if c.Has("network.form") && c.Network.Form != config.Plain {
		chosen, why, err := fast.Choose(o, sizes.Height, sizes.Width)
		if err != nil {
			return Info{}, err
		}
		net = search.PlainOf(chosen)
		switch {
		case o.SkipDropout > 0:
		case why != "":
			note("the plain form of the supernet runs: %s", why)
		case c.W.Precision == config.BF16:
			note("with w.precision bf16 the passes for w run in the plain form, which is counted, in full precision")
		default:
			form, net = "fast", chosen.(*fast.Supernet)
		}
	} else if net, err = darts.NewPlain(o); err != nil {
		return Info{}, err
	}
	info.Network = fmt.Sprintf("search network%s, %s form: %s", stage, form, words(o.Channels, o.Layers, sizes.Channels, sizes.Height))
	info.Batch, info.Cost = c.Data.Batch, net.Cost(sizes.Channels, sizes.Height)
	return info, nil
}

// foundInfo returns the costs for the cell that the search in the run folder where has found so far. It
// returns nothing if there is none yet, or if where is a config.
func foundInfo(where string, recurrent bool) ([]Info, error) {
	if !runfolder.HoldsRun(where) {
		return nil, nil
	}
	g, note, err := runfolder.FolderGenotype(where, recurrent)
	if errors.Is(err, runfolder.ErrNoCell) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	infos, err := publishedInfo(g)
	if len(infos) > 0 && note != "" {
		infos[0].Notes = []string{note}
	}
	return infos, err
}
