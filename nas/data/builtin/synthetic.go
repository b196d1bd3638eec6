package builtin

import (
	"fmt"
	"image"
	"image/color"

	"godarts/nas/data"
	"godarts/nas/data/sets"
	"godarts/nas/rng"
)

// Numbers of synthetic images and of their classes.
const (
	syntheticTrain   = 1024
	syntheticTest    = 64
	syntheticClasses = 10
)

func init() {
	sets.Register(sets.DataSet{
		Name: "synthetic", Doc: "stripes, built in", Side: 32, Channels: 3, Scaled: true, Classes: syntheticClasses, Train: syntheticTrain,
		Open: func(o sets.Options) (*data.Set, error) { return synthetic(o.Size, o.Channels), nil },
	})
}

// synthetic makes a set for trials of what is meant for photographs. Its pictures are
// drawn when a batch is loaded.
func synthetic(size, channels int) *data.Set {
	var classNames []string
	for class := range syntheticClasses {
		classNames = append(classNames, fmt.Sprint("stripes-", class))
	}
	images := func(name string, n int) *data.Images {
		labels := make([]uint16, n)
		for i := range labels {
			labels[i] = uint16(i % syntheticClasses)
		}
		return data.Photographs(stripes{name, size}, labels, syntheticClasses, size, channels)
	}
	return data.NewSet("synthetic", images("train", syntheticTrain), images("test", syntheticTest),
		classNames, data.Augment{Pad: size / 8, Flip: true})
}

// stripes are pictures of stripes on noise. Their sides are random, at least size. The
// class of a picture is its index modulo syntheticClasses, and decides slope and colour.
type stripes struct {
	part string
	size int
}

// Decode implements Pictures.
func (s stripes) Decode(i int) (image.Image, func(), error) {
	r := rng.Stream(0, "synthetic."+s.part, i)
	class := i % syntheticClasses
	width, height := s.size+r.IntN(s.size+1), s.size+r.IntN(s.size+1)
	dx, dy, phase := 5*(class%5), 20-5*(class%5), r.IntN(256)
	out := image.NewRGBA(image.Rect(0, 0, width, height))
	for y := range height {
		for x := range width {
			wave := (16*(dx*x+dy*y)/s.size + phase) & 255
			wave = min(wave, 255-wave) // 0..127, up and down again
			noise := r.IntN(64)
			bright, dark := uint8(wave+64+noise), uint8(wave/2+noise)
			c := color.RGBA{bright, dark, dark, 255}
			if class >= 5 {
				c.R, c.B = dark, bright
			}
			out.SetRGBA(x, y, c)
		}
	}
	return out, data.Free, nil
}
