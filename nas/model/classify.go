package model

import (
	"context"
	"errors"
	"fmt"
	"image"
	"image/color"
	"iter"
	"math"
	"runtime"

	"godarts/nas/data"
	"godarts/nas/data/picture"
	"godarts/nas/names"
	"godarts/nas/wholefile"
	"godarts/torch"
)

// Classify returns the probability of each class for an image. The image is scaled as the training scaled
// test images, unless it has the network's size already. A network for grey images sees the brightness.
func (m *Model) Classify(img image.Image) ([]float64, error) {
	all, err := m.ClassifyImages([]image.Image{img})
	if err != nil {
		return nil, err
	}
	return all[0], nil
}

// ClassifyImages is Classify of many images at once, which is faster. All of them are in memory together,
// as activations of the network too.
func (m *Model) ClassifyImages(images []image.Image) ([][]float64, error) {
	if err := m.checkChannels(); err != nil || len(images) == 0 {
		return nil, err
	}
	var pixels []float32
	for i, img := range images {
		if img.Bounds().Empty() {
			return nil, fmt.Errorf("nas: classify: image %d has no pixels", i)
		}
		pixels = append(pixels, m.pixels(img)...)
	}
	return m.probabilities(pixels, len(images)), nil
}

func (m *Model) checkChannels() error {
	if channels := m.about.InputChannels; channels != 1 && channels != 3 {
		return errors.New("nas: classify: the network takes images neither in grey nor in colour")
	}
	return nil
}

// probabilities passes n normalised images [n, size, size, channels] through the network.
func (m *Model) probabilities(pixels []float32, n int) [][]float64 {
	var flat []float64
	torch.Scoped(func() {
		x := torch.FromSliceChannelsLast(pixels, []int{n, m.about.InputChannels, m.about.Size, m.about.Size}, m.to)
		flat = m.net.Logits(x).Softmax(1).Float64s()
	})
	all := make([][]float64, n)
	for i := range all {
		all[i] = flat[i*m.about.Classes:][:m.about.Classes]
	}
	return all
}

// pixels returns the normalised values [size, size, channels] of an image.
func (m *Model) pixels(img image.Image) []float32 {
	size, window := m.about.Size, m.window
	if b := img.Bounds(); b.Dx() == size && b.Dy() == size {
		switch img.(type) {
		case *image.Gray16, *image.RGBA64, *image.NRGBA64:
			return m.deepPixels(img)
		}
		window = picture.Whole
	}
	planes := picture.Planes(window.Scale(img, size, size, nil), m.about.InputChannels)
	pixels := make([]float32, len(planes))
	channels, plane := m.about.InputChannels, size*size
	for c := range channels {
		for at := range plane {
			pixels[at*channels+c] = (float32(planes[c*plane+at])/math.MaxUint8 - m.about.Mean[c]) / m.about.Std[c]
		}
	}
	return pixels
}

// deepPixels is pixels of an image of the network's size, in 16 bits.
func (m *Model) deepPixels(img image.Image) []float32 {
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

// Classified is what a model makes of an image file.
type Classified struct {
	File          string
	Probabilities []float64 // by class; nil if there is an error
	Err           error     // why the file cannot be read
}

// ClassifyFiles classifies image files in their order, batch at a time, as the training reads, scales and
// normalises test images: the classes are those of `darts test` on the same files. Goroutines decode some
// batches ahead. It stops early when the context is done.
func (m *Model) ClassifyFiles(ctx context.Context, files []string, batch int) (iter.Seq[Classified], error) {
	if err := m.checkChannels(); err != nil {
		return nil, err
	}
	if batch < 1 {
		return nil, fmt.Errorf("nas: classify: a batch of %d images, want 1 or more", batch)
	}
	if _, _, err := picture.JPEGDecoder(); err != nil {
		return nil, err
	}
	opened := &openedFiles{files: files, maxPixels: m.maxPixels, errs: make([]error, len(files))}
	a := m.about
	source := &data.Source{
		Images: &data.Images{
			N: len(files), Channels: a.InputChannels, Height: a.Size, Width: a.Size, Classes: a.Classes,
			Pictures: opened, Labels: make([]uint16, len(files)), Max: math.MaxUint8, Mean: a.Mean, Std: a.Std,
		},
		Augment: data.Augment{Window: m.window}, Size: batch,
	}
	const ahead = 4
	load := func(step int) *data.Batch { return source.Load(0, step) }
	return func(yield func(Classified) bool) {
		for step, b := range data.Prefetch(ctx, 0, source.Steps(), max(1, runtime.GOMAXPROCS(0)/2), ahead, load) {
			for i, p := range m.probabilities(b.X, b.N) {
				c := Classified{File: files[step*batch+i], Probabilities: p, Err: opened.errs[step*batch+i]}
				if c.Err != nil {
					c.Probabilities = nil
				}
				if !yield(c) {
					return
				}
			}
		}
	}, nil
}

// openedFiles are image files. One that cannot be read looks black and has an error: no other image of its
// batch is lost.
type openedFiles struct {
	files     []string
	maxPixels int
	errs      []error
}

// Decode implements data.Pictures.
func (o *openedFiles) Decode(i int) (image.Image, func(), error) {
	decoded, free, err := picture.Decode(o.files[i], o.maxPixels)
	if err != nil {
		o.errs[i] = fmt.Errorf("nas: classify: %s: %w", names.Escape(o.files[i]), wholefile.Cause(err))
		return image.NewRGBA(image.Rect(0, 0, 1, 1)), data.Free, nil
	}
	return decoded, free, nil
}
