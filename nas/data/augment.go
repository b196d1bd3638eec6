package data

import "math/rand/v2"

// Augment is what chance does to a training image, in this order: crop after
// padding, flip, normalise, cutout. The zero value is the evaluation transform:
// it only normalises, to (pixel/Max - mean)/std.
type Augment struct {
	Pad    int  // black pixels put around the image before a window of its size is cut out, at offsets 0..2*Pad
	Flip   bool // mirror left to right, with probability 1/2
	Cutout int  // side of the square set to zero after normalising: 2*(Cutout/2), less where its centre, any pixel, is near a border
}

// chances is what was drawn for one image.
type chances struct {
	top, left int // of the window, counted from the unpadded image: -Pad..Pad
	flip      bool
	y, x      int // centre of the hole
}

// draw draws for an image of that size. All is drawn always, in this order, so
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

// normalised returns (p/Max - mean)/std for every channel and pixel value p.
func (m *Images) normalised() [][256]float32 {
	values := make([][256]float32, m.Channels)
	for c := range values {
		for p := range values[c] {
			values[c][p] = (float32(p)/float32(m.Max) - m.Mean[c]) / m.Std[c]
		}
	}
	return values
}

// put writes image i to out [Height, Width, Channels], changed by a as drawn.
// values is the table of normalised.
func (m *Images) put(out []float32, i int, a Augment, drawn chances, values [][256]float32) {
	image := m.Pixels[i*m.size() : (i+1)*m.size()]
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

// putRow writes channel c of one row to line [width, channels]. A nil row lies
// in the padding.
func putRow(line []float32, c, channels, width int, row []uint8, drawn chances, values *[256]float32) {
	at, step := c, channels
	if drawn.flip {
		at, step = c+(width-1)*channels, -channels
	}
	// Columns before and from on show padding, those between show the row.
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
