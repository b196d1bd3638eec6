package nas

import (
	"cmp"
	"errors"
	"fmt"
	"math"
	"strings"

	"godarts/cells"
	"godarts/cells/genotype"
	"godarts/nas/config"
	"godarts/nas/data"
	"godarts/nas/runfolder"
	"godarts/torch"
)

// check is an error if c cannot run on such images: all that follows from the config and the
// sizes of the data, for a search, each of its stages, every cell of its space and the
// evaluations at its end. Of images it reads Channels, Height, Width, Classes and N alone.
func check(c *config.Config, images *data.Images, d torch.Device) error {
	switch {
	case c.Experiment == config.Train:
		g, err := runfolder.GenotypeOf(c)
		if err != nil {
			return err
		}
		return checkNetwork(c, g, images, d, "")
	case c.FromScratch():
		return checkNetwork(c.Trial(""), spaceOf(c).Hardest(), images, d, "")
	}
	if err := checkSupernet(c, images, d); err != nil {
		return err
	}
	if c.Evaluate == nil {
		return nil
	}
	return checkEvaluations(c, c.Training(), images, d, "evaluate.")
}

// checkEvaluations is check of the training t for every cell of the space of the search c.
// Keys of it that do not begin with "data." have a prefix in messages.
func checkEvaluations(c, t *config.Config, images *data.Images, d torch.Device, prefix string) error {
	return checkNetwork(t, spaceOf(c).Hardest(), images, d, prefix)
}

// checkNetwork is check of the training c of the cells g.
func checkNetwork(c *config.Config, g genotype.Genotype, images *data.Images, d torch.Device, prefix string) error {
	o := networkOptions(c, images)
	if err := o.Check(g); err != nil {
		return err
	}
	_, split := parts(c, images.N)
	if o.NormedSide(g) == 1 {
		if err := checkLast(c, split, trainingImages, prefix); err != nil {
			return err
		}
	}
	return newDemand(c, prefix).fits(o.Estimate(g), min(c.Data.Batch, split), d)
}

// checkSupernet is check of a search that trains one.
func checkSupernet(c *config.Config, images *data.Images, d torch.Device) error {
	g := spaceOf(c).Hardest()
	used, split := parts(c, images.N)
	for _, o := range supernetsOf(c, images) {
		if err := o.Check(); err != nil {
			return err
		}
		// Sides are halved as those of an evaluation network, and by the same operations.
		size := cells.NetworkOptions{
			Channels: o.Channels, Layers: o.Layers, Classes: o.Classes, InputChannels: o.InputChannels, Size: images.Height, StemMultiplier: o.StemMultiplier,
		}
		if err := size.Check(g); err != nil {
			return err
		}
		if size.FinalSide() == 1 { // where poolings have batch norms, too
			if err := checkLasts(c, split, used-split); err != nil {
				return err
			}
		}
		if err := newDemand(c, "").fits(o.Estimate(images.Height), min(c.Data.Batch, split), d); err != nil {
			return err
		}
	}
	return nil
}

// checkLasts is checkLast of all batches that a supernet passes in training mode.
func checkLasts(c *config.Config, train, rest int) error {
	if err := checkLast(c, train, weightImages, ""); err != nil {
		return err
	}
	if all := methodOf(c).TrainsOnHeldOut; all != nil && all(c) {
		return checkLast(c, rest, "images held out", "")
	}
	if c.HasAlpha() && rest == 1 {
		return checkLast(c, rest, "images held out", "")
	}
	return nil
}

// checkLast is an error if one of the batches that so many images make has one image alone,
// where a batch norm of maps of 1x1 pixels needs two.
func checkLast(c *config.Config, images int, what, prefix string) error {
	batch := c.Data.Batch
	if batch > 1 && images%batch != 1 {
		return nil
	}
	key := cmp.Or(prefix, "data.") + "batch"
	if batch == 1 {
		return fmt.Errorf("nas: %s: 1, but this network has batch norms of 1x1 pixels, which need two images, want 2 or more", key)
	}
	return &lonelyError{what == trainingImages || what == weightImages, fmt.Sprintf("nas: %s: %d leaves one of %d %s for the last batch, "+
		"but this network has batch norms of 1x1 pixels, which need two: want another %s, or other data.subset", key, batch, images, what, key)}
}

// What the images of checkLast are called.
const (
	trainingImages = "training images"
	weightImages   = "images that train the weights"
)

// lonelyError refuses a last batch of one image.
type lonelyError struct {
	steps bool // it is of a step, which a feed passes over where broken images were left out
	text  string
}

func (e *lonelyError) Error() string { return e.text }

// checkText is check of what runs on a text with such a dictionary.
func checkText(c *config.Config, words int, d torch.Device) error {
	nodes := c.Network.Nodes
	if c.Experiment == config.Train || c.FromScratch() {
		g, err := trainedCell(c)
		if err != nil {
			return err
		}
		if err := recurrentOptions(c, words).Check(g); err != nil {
			return err
		}
		nodes = len(g.Recurrent.Edges)
	}
	return newDemand(c, "").fits(textEstimate(c, nodes, words), c.Data.Columns(), d)
}

// textEstimate is what a language model of so many nodes takes, of each column of a batch.
func textEstimate(c *config.Config, nodes, words int) cells.Estimate {
	h, v := float64(c.Network.Hidden), float64(words)
	return cells.Estimate{Weights: v*h + v + 4*h*h + float64(nodes)*2*h*h, PerImage: float64(c.Data.BPTT) * h}
}

// demand compares what a network takes with what there is.
type demand struct {
	c      *config.Config
	prefix string // of keys, see checkEvaluations
}

func newDemand(c *config.Config, prefix string) demand { return demand{c, prefix} }

// fits is an error if the weights, their gradient and momentum, and a part of what one batch
// leaves for its backward pass, are more than the machine has. On a GPU, whose memory this
// program does not know, it is up to libtorch to say so.
func (m demand) fits(e cells.Estimate, batch int, d torch.Device) error {
	if d.IsCUDA() {
		return nil
	}
	copies, kept := 3.0, float64(batch)*e.PerImage
	if m.c.Data.IsText() { // plain SGD
		copies = 2
	}
	if m.c.W.Precision == config.BF16 {
		kept /= 2
	}
	return m.hold(copies*e.Weights + kept)
}

// hold is an error if the machine cannot hold so many numbers of the network's type.
func (m demand) hold(numbers float64) error {
	size := 4.0
	if m.c.Network.Dtype == config.Float64 {
		size = 8
	}
	need, have := size*numbers, machineMemory()
	if need <= have {
		return nil
	}
	key, value := m.largest()
	return fmt.Errorf("nas: %s: %d makes a network that takes %s of memory or more, of %s here: want less", key, value, inBytes(need), inBytes(have))
}

// largest is the key of the network's size that is most above the default.
func (m demand) largest() (key string, value int) {
	c := m.c
	const layers = "network.layers"
	type size struct {
		key             string
		value, standard int
	}
	keys := []size{
		{"network.channels", c.Network.Channels, 36}, {"network.stem_multiplier", c.Network.StemMultiplier, 3}, {layers, c.Network.Layers, 20},
		{"network.nodes", c.Network.Nodes, 8}, {"network.hidden", c.Network.Hidden, 850},
		{"data.batch", c.Data.Batch, 96}, {"data.size", c.Data.Size, 32}, {"data.bptt", c.Data.BPTT, 35},
	}
	if own := methodOf(c).Size; own != nil {
		key, value, standard := own(c)
		keys = append(keys, size{key, value, standard})
	}
	most := math.Inf(-1)
	for _, k := range keys {
		if ratio := float64(k.value) / float64(k.standard); ratio > most {
			most, key, value = ratio, k.key, k.value
		}
	}
	if m.prefix != "" && key == "data.batch" {
		return m.prefix + "batch", value
	}
	if strings.HasPrefix(key, "data.") {
		return key, value
	}
	return m.prefix + key, value
}

// openChecked opens the data and checks that the config can run on it, before where the sizes
// of the data are known without it.
func (r *Run) openChecked() error {
	early := !r.Config.Data.IsText() && r.Config.Data.Name != config.ImageFolder
	if early {
		if err := checkAlone(r.Config, r.Device); err != nil {
			return err
		}
	}
	if err := r.open(); err != nil || early {
		return err
	}
	if r.Corpus != nil {
		return checkText(r.Config, len(r.Corpus.Words), r.Device)
	}
	return check(r.Config, r.Set.Train, r.Device)
}

// checkFewer is check once more where images were left out before the start. Steps of one
// image are passed over then.
func (r *Run) checkFewer() error {
	if feed, ok := r.feed.(*imageFeed); !ok || !feed.fewer {
		return nil
	}
	err := check(r.Config, r.Set.Train, r.Device)
	if lonely := (*lonelyError)(nil); errors.As(err, &lonely) && lonely.steps {
		return nil
	}
	return err
}

// checkProtocol is check of all parts of a protocol, before the first begins.
func checkProtocol(w *config.Whole, d torch.Device) error {
	if err := checkAlone(w.Search, d); err != nil {
		return fmt.Errorf("nas: repeat.search: %w", err)
	}
	if err := checkFound(w.Search, w.Brief(), d); err != nil {
		return fmt.Errorf("nas: repeat.brief: %w", err)
	}
	if err := checkFound(w.Search, w.Train, d); err != nil {
		return fmt.Errorf("nas: repeat.train: %w", err)
	}
	return nil
}

// checkContest is check of all parts of a comparison, before the first begins.
func checkContest(t *config.Contest, d torch.Device) error {
	for i, c := range t.Searches {
		if err := checkAlone(c, d); err != nil {
			return fmt.Errorf("nas: compare.search: strategy %s: %w", t.Names[i], err)
		}
		if err := checkFound(c, t.Train, d); err != nil {
			return fmt.Errorf("nas: compare.train: strategy %s: %w", t.Names[i], err)
		}
	}
	return nil
}

// checkAlone is check of c on the data that it names.
func checkAlone(c *config.Config, d torch.Device) error {
	images, err := imageSizes(c)
	if err != nil {
		return err
	}
	return check(c, images, d)
}

// checkFound is check of the training t of every cell that the search c could find.
func checkFound(c, t *config.Config, d torch.Device) error {
	images, err := imageSizes(t)
	if err != nil {
		return err
	}
	return checkEvaluations(c, t, images, d, "")
}
