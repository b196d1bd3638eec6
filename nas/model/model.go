// Package model reads and writes trained networks: weights with a description of their network, an
// export for PyTorch, and a model that classifies images.
package model

import (
	"errors"
	"fmt"
	"image"
	"image/color"
	"io/fs"
	"path/filepath"

	"godarts/cells"
	"godarts/nas/runfolder"
	"godarts/torch"
)

// Model is a trained network that classifies images. Like its tensors, it stays with the goroutine that
// loaded it.
type Model struct {
	net   *cells.Network
	about Description
	to    torch.Options
}

// LoadModel loads the trained network of a run folder or an export. Its tensors belong to the current
// scope: call LoadModel and Classify within torch.Do.
func LoadModel(dir string, device torch.Device) (*Model, error) {
	file := filepath.Join(dir, runfolder.WeightsFile)
	st, err := OpenWeights(file)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, fmt.Errorf("nas: %s has no trained network: %w", dir, err)
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
	m := &Model{about: about, to: torch.Options{Dtype: dtype, Device: device}}
	if m.net, err = cells.NewNetwork(about.Genotype, about.network(m.to)); err != nil {
		return nil, fmt.Errorf("nas: %s: %w", file, err)
	}
	return m, LoadWeights(m.net, file)
}

// ClassNames returns the names of the classes.
func (m *Model) ClassNames() []string { return m.about.ClassNames }

// Classify returns the probability of each class. The image must have the size that the network was
// trained on; golang.org/x/image/draw can scale it. A network for grey images sees the brightness.
func (m *Model) Classify(img image.Image) ([]float64, error) {
	size, channels := m.about.Size, m.about.InputChannels
	if b := img.Bounds(); b.Dx() != size || b.Dy() != size {
		return nil, fmt.Errorf("nas: classify: an image of %dx%d, the network takes %dx%d", b.Dx(), b.Dy(), size, size)
	}
	if channels != 1 && channels != 3 {
		return nil, errors.New("nas: classify: the network takes images neither in grey nor in colour")
	}
	pixels := m.pixels(img)
	var probabilities []float64
	torch.Scoped(func() {
		x := torch.FromSliceChannelsLast(pixels, []int{1, channels, size, size}, m.to)
		probabilities = m.net.Logits(x).Softmax(1).Float64s()
	})
	return probabilities, nil
}

// pixels returns the normalised values of an image [size, size, channels].
func (m *Model) pixels(img image.Image) []float32 {
	const full = 0xffff
	b := img.Bounds()
	pixels := make([]float32, 0, b.Dx()*b.Dy()*m.about.InputChannels)
	put := func(values ...uint32) {
		for c, v := range values {
			pixels = append(pixels, (float32(v)/full-m.about.Mean[c])/m.about.Std[c])
		}
	}
	for y := b.Min.Y; y < b.Max.Y; y++ {
		for x := b.Min.X; x < b.Max.X; x++ {
			at := img.At(x, y)
			if m.about.InputChannels == 1 {
				put(uint32(color.Gray16Model.Convert(at).(color.Gray16).Y))
				continue
			}
			red, green, blue, _ := at.RGBA()
			put(red, green, blue)
		}
	}
	return pixels
}
