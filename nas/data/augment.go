package data

import (
	"math/rand/v2"

	"godarts/nas/data/picture"
)

// Augment transforms a training image at random, in this order: window, colours, padding
// and crop, flip, normalisation, cutout. The zero value is the evaluation transform: it
// only normalises, to (pixel/Max - mean)/std.
type Augment struct {
	Window picture.Window // the part of the picture that is scaled to the size of the images
	Jitter picture.Jitter // of its colours
	Pad    int            // black pixels put around the image before a part of its size is cut out, at offsets 0..2*Pad
	Flip   bool           // mirror left to right, with probability 1/2

	// Cutout is the side of a square that is set to zero after normalising. Its centre is
	// any pixel; what lies beyond a border is cut off. An odd side counts as one less.
	Cutout int
}

// ImageNet returns the training recipe for ImageNet. Reference cnn/train_imagenet.py.
func ImageNet() Augment {
	return Augment{Window: picture.RandomArea, Flip: true, Jitter: picture.Jitter{Brightness: 0.4, Contrast: 0.4, Saturation: 0.4, Hue: 0.2}}
}

// Evaluation returns the transform for test images of a network that trains with a.
func (a Augment) Evaluation() Augment {
	if a.Window == picture.RandomArea {
		return Augment{Window: picture.Middle}
	}
	return Augment{Window: a.Window}
}

// chances are the draws for one image.
type chances struct {
	top, left int // of the window, counted from the unpadded image: -Pad..Pad
	flip      bool
	y, x      int // centre of the hole
}

// draw draws for an image of that size. It always draws all values, in this order, so
// that switching one augmentation on or off leaves the others as they were.
func (a Augment) draw(r *rand.Rand, height, width int) chances {
	return chances{
		top:  r.IntN(2*a.Pad+1) - a.Pad,
		left: r.IntN(2*a.Pad+1) - a.Pad,
		flip: r.IntN(2) == 1 && a.Flip,
		y:    r.IntN(height),
		x:    r.IntN(width),
	}
}

// normalised returns (p/limit - mean)/std for every channel and pixel value p.
func (m *Images) normalised(limit uint8) [][256]float32 {
	values := make([][256]float32, m.Channels)
	for c := range values {
		for p := range values[c] {
			values[c][p] = (float32(p)/float32(limit) - m.Mean[c]) / m.Std[c]
		}
	}
	return values
}

// put crops, flips, normalises and cuts out image [Channels, Height, Width], as a and
// drawn say, and writes it to out [Height, Width, Channels]. values is the table of
// normalised.
func (m *Images) put(out []float32, image []uint8, a Augment, drawn chances, values [][256]float32) {
	for c := range m.Channels {
		for y := range m.Height {
			var row []uint8
			if from := y + drawn.top; from >= 0 && from < m.Height {
				row = image[(c*m.Height+from)*m.Width:][:m.Width]
			}
			line := out[y*m.Width*m.Channels:][:m.Width*m.Channels]
			putRow(line, c, m.Channels, m.Width, row, drawn, &values[c])
		}
	}
	if half := a.Cutout / 2; half > 0 {
		x0, x1 := max(drawn.x-half, 0), min(drawn.x+half, m.Width)
		for y := max(drawn.y-half, 0); y < min(drawn.y+half, m.Height); y++ {
			clear(out[(y*m.Width+x0)*m.Channels : (y*m.Width+x1)*m.Channels])
		}
	}
}

// putRow writes channel c of one row to line [width, channels]. A nil row is padding.
func putRow(line []float32, c, channels, width int, row []uint8, drawn chances, values *[256]float32) {
	at, step := c, channels
	if drawn.flip {
		at, step = c+(width-1)*channels, -channels
	}
	// The first columns, up to before, show padding, the next ones the row, those from on padding.
	before, from := width, width
	if row != nil {
		left := min(max(drawn.left, -width), width)
		before, from = max(-left, 0), min(width-left, width)
		row = row[before+left : from+left]
	}
	black := values[0]
	for range before {
		line[at] = black
		at += step
	}
	for _, p := range row {
		line[at] = values[p]
		at += step
	}
	for range width - from {
		line[at] = black
		at += step
	}
}
