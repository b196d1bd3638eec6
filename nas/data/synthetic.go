package data

import (
	"fmt"
	"image"
	"image/color"

	"godarts/nas/rng"
)

// Synthetic images: how many, of how many classes.
const (
	syntheticTrain   = 1024
	syntheticTest    = 64
	syntheticClasses = 10
)

// openSynthetic makes a set of pictures that are drawn when they are loaded, for
// trials of what is meant for photographs.
func openSynthetic(o Options) (*Set, error) {
	set := &Set{Name: synthetic, Augment: Augment{Pad: o.Size / 8, Flip: true}}
	for class := range syntheticClasses {
		set.ClassNames = append(set.ClassNames, fmt.Sprint("stripes-", class))
	}
	images := func(name string, n int) *Images {
		labels := make([]uint16, n)
		for i := range labels {
			labels[i] = uint16(i % syntheticClasses)
		}
		return o.images(stripes{name, o.Size}, labels, syntheticClasses)
	}
	set.Train, set.Test = images("train", syntheticTrain), images("test", syntheticTest)
	return set, nil
}

// stripes are pictures of stripes on noise, of different sizes, none smaller than
// size. The class of one is its index modulo syntheticClasses: a slope and a colour.
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
	return out, keep, nil
}
