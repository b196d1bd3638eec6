// Package model reads and writes trained networks: weights with a description of their network, exports
// for PyTorch and as ONNX, and a model that classifies images.
package model

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"

	"godarts/cells"
	"godarts/nas/config"
	"godarts/nas/data/picture"
	"godarts/nas/runfolder"
	"godarts/torch"
	"godarts/torch/safetensors"
)

// Model is a trained network that classifies images. Like its tensors, it stays with the goroutine that
// loaded it.
type Model struct {
	net       classifier
	about     Description
	to        torch.Options
	window    picture.Window // the part of a picture that is scaled to the network's size
	maxPixels int            // of an image file
}

// LoadModel loads the trained network of a run folder, of an export, or of a file of weights that one of
// them holds. Its tensors belong to the current scope: call LoadModel and Classify within torch.Do.
func LoadModel(from string, device torch.Device) (*Model, error) {
	dir, file := from, filepath.Join(from, runfolder.WeightsFile)
	if info, err := os.Stat(from); err == nil && !info.IsDir() {
		dir, file = "", from
		if filepath.Base(from) == runfolder.WeightsFile {
			dir = filepath.Dir(from)
		}
	}
	st, err := OpenWeights(file)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, fmt.Errorf("nas: %s has no trained network: %w", from, err)
	}
	if err != nil {
		return nil, err
	}
	defer st.Close()
	about, err := readDescription(st, file)
	if err != nil {
		return nil, err
	}
	if runfolder.Has(dir, runfolder.GenotypeFile) { // a run's; an export has none
		g, err := runfolder.ReadGenotype(dir)
		if err == nil && g.String() != about.Genotype.String() {
			err = fmt.Errorf("nas: %s and %s have different cells", file, runfolder.GenotypeFile)
		}
		if err != nil {
			return nil, err
		}
	}
	dtype, _, err := st.Info("classifier.weight")
	if err != nil {
		return nil, err
	}
	if about.Quantised != nil {
		dtype = torch.Float32 // holds the integers
	}
	m := &Model{about: about, to: torch.Options{Dtype: dtype, Device: device}}
	m.window, m.maxPixels = pictures(st, dir, about)
	if about.Quantised != nil {
		m.net, err = about.integersIn(st, m.to)
	} else {
		m.net, err = cells.NewNetwork(about.Genotype, about.NetworkOptions(m.to))
	}
	if err != nil {
		return nil, fmt.Errorf("nas: %s: %w", file, err)
	}
	return m, LoadWeights(m.net, file)
}

// classifier is a network of images, in floating-point numbers or in integers.
type classifier interface {
	network
	Logits(x torch.Tensor) torch.Tensor
}

// pictures returns how the training scaled test images, and the size of a file that it read at most: by its
// config, which an export has in its weights and a run in its folder. Without one, networks with the stem
// for ImageNet scale as the training of ImageNet does, others to the whole picture.
func pictures(st *safetensors.File, dir string, about Description) (picture.Window, int) {
	var c *config.Config
	err := fs.ErrNotExist
	if text, ok := st.Metadata()[configKey]; ok {
		c, err = config.Parse(runfolder.WeightsFile, []byte(text))
	} else if runfolder.HoldsRun(dir) {
		c, err = runfolder.ReadConfig(dir)
	}
	most, photographs := 0, about.ImageNet
	if err == nil {
		most, photographs = c.Data.MaxPixels, c.Data.Augment == config.ImageNet
	}
	if most == 0 {
		most = picture.DefaultMaxPixels
	}
	if photographs {
		return picture.Middle, most
	}
	return picture.Whole, most
}

// ClassNames returns the names of the classes.
func (m *Model) ClassNames() []string { return m.about.ClassNames }

// Size returns the side in pixels of the images that the network takes.
func (m *Model) Size() int { return m.about.Size }
