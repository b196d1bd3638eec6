package images

import (
	"godarts/cells"
	"godarts/cells/genotype"
	"godarts/darts"
	"godarts/nas"
	"godarts/nas/config"
	"godarts/nas/data"
	"godarts/nas/rng"
	"godarts/nas/runfolder"
	"godarts/torch"
)

// NetworkOf returns the sizes of the network that the run trains.
func NetworkOf(r *nas.Run) cells.NetworkOptions {
	o := NetworkOptions(r.Config, Of(r).Images().Train)
	o.Options = r.Options()
	return o
}

// NetworkOptions returns the sizes of the network that the training c makes for these images, without
// its device.
func NetworkOptions(c *config.Config, images *data.Images) cells.NetworkOptions {
	return cells.NetworkOptions{
		Channels: c.Network.Channels, Layers: c.Network.Layers, Classes: images.Classes,
		InputChannels: images.Channels, Size: images.Height, StemMultiplier: c.Network.StemMultiplier,
		ImageNet:  c.Network.Stem == config.ImageNet,
		Auxiliary: c.Network.Auxiliary, AuxiliaryWeight: c.Network.AuxiliaryWeight, LabelSmoothing: c.Network.LabelSmoothing,
		Widths:  c.Widths(),
		Options: torch.Options{Dtype: nas.Dtype(c)},
	}
}

// Count implements nas.Counter, for CountedNetwork.
func (f *Feed) Count(g genotype.Genotype) (parameters, multiplyAdds int64) {
	return CountedNetwork(f.config, f.Set.Train).Count(g)
}

// SupernetOptions returns the sizes of the first supernet that the search c makes for these images,
// without its device.
func SupernetOptions(c *config.Config, images *data.Images) darts.Options {
	return Supernets(c, images)[0]
}

// Supernets returns the sizes of all supernets that the search c makes one after the other.
func Supernets(c *config.Config, images *data.Images) []darts.Options {
	space := Space(c)
	o := darts.Options{
		Normal: space.Normal, Reduce: space.Reduce,
		Channels: c.Network.Channels, Layers: c.Network.Layers, Nodes: c.Network.Nodes, Classes: images.Classes,
		InputChannels: images.Channels, StemMultiplier: c.Network.StemMultiplier, Options: torch.Options{Dtype: nas.Dtype(c)},
	}
	if all := nas.MethodOf(c).Supernets; all != nil {
		return all(c, o)
	}
	return []darts.Options{o}
}

// TrainedCell returns the cell that c trains, or one of those that it tries.
func TrainedCell(c *config.Config) (genotype.Genotype, error) {
	if c.FromScratch() {
		return Space(c).Sample(rng.Stream(c.Seed, "trials")), nil
	}
	return runfolder.GenotypeOf(c)
}

// Space returns the space of convolutional cells that the search c chooses from.
func Space(c *config.Config) darts.Space {
	space := darts.FullSpace(c.Network.Nodes)
	if reduced, ok := darts.ReducedSpaces[c.Space.Name]; ok {
		space = reduced
	}
	if len(c.Space.Operations) > 0 {
		space = darts.Everywhere(c.Network.Nodes, operations(c.Space.Operations))
	}
	for _, kind := range []struct {
		names [][]string
		ops   *[][]genotype.Op
	}{{c.Space.Normal, &space.Normal}, {c.Space.Reduce, &space.Reduce}} {
		if len(kind.names) == 0 {
			continue
		}
		*kind.ops = nil
		for _, names := range kind.names {
			*kind.ops = append(*kind.ops, operations(names))
		}
	}
	return space
}

func operations(names []string) (ops []genotype.Op) {
	for _, name := range names {
		ops = append(ops, genotype.Op(name))
	}
	return ops
}
