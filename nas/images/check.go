package images

import (
	"fmt"

	"godarts/cells"
	"godarts/cells/genotype"
	"godarts/nas"
	"godarts/nas/config"
	"godarts/nas/data"
	"godarts/nas/data/sets"
	"godarts/nas/memory"
	"godarts/nas/runfolder"
	"godarts/torch"
)

// check returns an error if c cannot run on images of these sizes. For a search it covers each stage,
// every cell of the space, the evaluations at the end and tables of latencies. Of images it reads only Channels, Height,
// Width, Classes and N.
func check(c *config.Config, images *data.Images, d torch.Device) error {
	switch {
	case c.Experiment == config.Train:
		g, err := runfolder.GenotypeOf(c)
		if err != nil {
			return err
		}
		return checkNetwork(c, g, images, d, "")
	case c.FromScratch():
		if err := checkNetwork(c.Trial(""), Space(c).Hardest(), images, d, ""); err != nil {
			return err
		}
	default:
		if err := checkSupernet(c, images, d); err != nil {
			return err
		}
		if c.Evaluate != nil {
			if err := CheckEvaluations(c, c.Training(), images, d, "evaluate.train."); err != nil {
				return err
			}
		}
	}
	_, err := LatencyRows(c, images)
	return err
}

// CheckEvaluations checks the training t for every cell of the space of the search c. In messages, keys
// of t have the prefix, but those of the data that the search says.
func CheckEvaluations(c, t *config.Config, images *data.Images, d torch.Device, prefix string) error {
	return checkNetwork(t, Space(c).Hardest(), images, d, prefix)
}

// checkNetwork checks the training c of the cells g. prefix is as in CheckEvaluations.
func checkNetwork(c *config.Config, g genotype.Genotype, images *data.Images, d torch.Device, prefix string) error {
	if err := checkPrecision(c, d, prefix); err != nil {
		return err
	}
	o := NetworkOptions(c, images)
	if err := o.Check(g); err != nil {
		return err
	}
	_, split := parts(c, images.N)
	if o.NormedSide(g) == 1 {
		if err := checkLast(c, split, trainingImages, prefix); err != nil {
			return err
		}
	}
	return memory.NewDemand(c, prefix).Fits(o.Estimate(g), min(c.Data.Batch, split), d)
}

// checkSupernet checks a search that trains a supernet.
func checkSupernet(c *config.Config, images *data.Images, d torch.Device) error {
	if err := checkPrecision(c, d, ""); err != nil {
		return err
	}
	g := Space(c).Hardest()
	used, split := parts(c, images.N)
	for _, o := range Supernets(c, images) {
		if err := o.Check(); err != nil {
			return err
		}
		// Supernets halve the sides as evaluation networks do, by the same operations.
		size := cells.NetworkOptions{
			Channels: o.Channels, Layers: o.Layers, Classes: o.Classes, InputChannels: o.InputChannels, Size: images.Height, StemMultiplier: o.StemMultiplier,
		}
		if err := size.Check(g); err != nil {
			return err
		}
		if size.FinalSide() == 1 { // poolings have batch norms too
			if err := checkLasts(c, split, used-split); err != nil {
				return err
			}
		}
		if err := memory.NewDemand(c, "").Fits(o.Estimate(images.Height), min(c.Data.Batch, split), d); err != nil {
			return err
		}
	}
	return nil
}

// checkPrecision returns an error if the precision of c makes no difference on d. prefix is as in CheckEvaluations.
func checkPrecision(c *config.Config, d torch.Device, prefix string) error {
	if c.W.Precision == config.TF32 && !d.IsCUDA() {
		return fmt.Errorf("nas: %sw.precision: tf32 has no effect on a CPU, want full, or --device cuda", prefix)
	}
	return nil
}

// checkLasts calls checkLast for all batches that a supernet passes in training mode.
func checkLasts(c *config.Config, train, rest int) error {
	if err := checkLast(c, train, weightImages, ""); err != nil {
		return err
	}
	if all := nas.MethodOf(c).TrainsOnHeldOut; all != nil && all(c) {
		return checkLast(c, rest, "images held out", "")
	}
	if c.HasAlpha() && rest == 1 {
		return checkLast(c, rest, "images held out", "")
	}
	return nil
}

// checkLast returns an error if one of the batches of these images has a single image, since a batch
// norm of maps of 1x1 pixels needs two.
func checkLast(c *config.Config, images int, what, prefix string) error {
	batch := c.Data.Batch
	if batch > 1 && images%batch != 1 {
		return nil
	}
	key := prefix + "data.batch"
	if batch == 1 {
		return fmt.Errorf("nas: %s: 1, but this network has batch norms of 1x1 pixels, which need two images, want 2 or more", key)
	}
	return &singleImageError{what == trainingImages || what == weightImages, fmt.Sprintf("nas: %s: %d leaves one of %d %s for the last batch, "+
		"but this network has batch norms of 1x1 pixels, which need two: want another %s, or other data.subset", key, batch, images, what, key)}
}

// Names of the images in messages of checkLast.
const (
	trainingImages = "training images"
	weightImages   = "images that train the weights"
)

// singleImageError is the error for a last batch of one image.
type singleImageError struct {
	steps bool // the batch is of a step, which a feed skips after it excluded unreadable images
	text  string
}

func (e *singleImageError) Error() string { return e.text }

// openImages opens the images of c and, if checked is set, checks that c can run on them: before it
// opens them if the sizes are known, else after.
func openImages(c *config.Config, to torch.Options, checked bool) (nas.Feed, error) {
	known, _ := sets.Find(c.Data.Name)
	early := known.Train > 0
	if checked && early {
		if err := CheckNamed(c, to.Device); err != nil {
			return nil, err
		}
	}
	set, err := openSet(c)
	if err != nil {
		return nil, err
	}
	if checked && !early {
		if err := check(c, set.Train, to.Device); err != nil {
			return nil, err
		}
	}
	return NewFeed(c, set, to), nil
}

func init() { nas.RegisterFeed(config.Images, openImages) }

// CheckNamed checks c on the data that it names.
func CheckNamed(c *config.Config, d torch.Device) error {
	images, err := Sizes(c)
	if err != nil {
		return err
	}
	return check(c, images, d)
}

// Sizes returns the sizes of a data set's images. It reads the images only if the sizes depend on them.
func Sizes(c *config.Config) (*data.Images, error) {
	known, _ := sets.Find(c.Data.Name)
	if c.Data.Labels == config.Coarse {
		known.Classes = known.Coarse
	}
	if known.Train > 0 && known.Classes > 0 && !known.Scaled {
		return &data.Images{N: known.Train, Channels: known.Channels, Height: known.Side, Width: known.Side, Classes: known.Classes}, nil
	}
	set, err := openSet(c)
	if err != nil {
		return nil, err
	}
	return set.Train, nil
}
