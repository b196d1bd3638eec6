package data

import (
	"fmt"
	"math"
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"

	"godarts/nas/data/datatest"
	"godarts/nas/rng"
)

// slowly computes the result of Images.put step by step, as the definition says: pad,
// crop, mirror, normalise, cut out, and convert to channels last.
func slowly(m *Images, i int, a Augment, d chances) []float32 {
	type plane [][]float32
	blank := func(h, w int) plane {
		p := make(plane, h)
		for y := range p {
			p[y] = make([]float32, w)
		}
		return p
	}
	out := make([]float32, m.size())
	for c := range m.Channels {
		padded := blank(m.Height+2*a.Pad, m.Width+2*a.Pad)
		for y := range m.Height {
			for x := range m.Width {
				pixel := m.Pixels[((i*m.Channels+c)*m.Height+y)*m.Width+x]
				padded[y+a.Pad][x+a.Pad] = float32(pixel) / float32(m.Max)
			}
		}
		for y := range m.Height {
			for x := range m.Width {
				from := x
				if d.flip {
					from = m.Width - 1 - x
				}
				v := (padded[y+a.Pad+d.top][from+a.Pad+d.left] - m.Mean[c]) / m.Std[c]
				if y >= d.y-a.Cutout/2 && y < d.y+a.Cutout/2 && x >= d.x-a.Cutout/2 && x < d.x+a.Cutout/2 {
					v = 0
				}
				out[(y*m.Width+x)*m.Channels+c] = v
			}
		}
	}
	return out
}

// positions returns one image whose two channels hold 1 + row and 1 + column. So only
// padding is black. No pixel has the value of the mean, so only a hole is zero.
func positions(height, width int) *Images {
	m := &Images{N: 1, Channels: 2, Height: height, Width: width, Classes: 1, Labels: []uint16{0}, Max: 250,
		Mean: []float32{0.123, 0.321}, Std: []float32{0.5, 0.25}}
	for c := range 2 {
		for y := range height {
			for x := range width {
				m.Pixels = append(m.Pixels, uint8(1+[]int{y, x}[c]))
			}
		}
	}
	return m
}

func TestAugmentEqualsDefinition(t *testing.T) {
	// Every image equals the long computation, bit for bit, when any augmentations are on.
	square, wide := noise(5, 4), positions(3, 5)
	for _, c := range []struct {
		name   string
		images *Images
		a      Augment
	}{
		{"none", square, Augment{}},
		{"pad", square, Augment{Pad: 4}},
		{"flip", square, Augment{Flip: true}},
		{"cutout", square, Augment{Cutout: 16}},
		{"odd cutout", square, Augment{Cutout: 7}},
		{"hole larger than image", square, Augment{Cutout: 100}},
		{"all", square, Augment{Pad: 4, Flip: true, Cutout: 16}},
		{"not square", wide, Augment{Pad: 1, Flip: true, Cutout: 2}},
		{"pad larger than image", wide, Augment{Pad: 9, Flip: true}},
	} {
		t.Run(c.name, func(t *testing.T) {
			s := &Source{Images: c.images, Augment: c.a, Seed: 4, Name: "test", Size: c.images.N}
			for epoch := range 25 {
				b := s.Load(epoch, 0)
				for i := range b.N {
					d := c.a.draw(rng.Stream(4, "test.augment", epoch, 0, i), b.Height, b.Width)
					want := slowly(c.images, i, c.a, d)
					if got := b.X[i*len(want) : (i+1)*len(want)]; !slices.Equal(want, got) {
						t.Fatalf("epoch %d image %d (%+v):\n%s", epoch, i, d, cmp.Diff(want, got))
					}
				}
			}
		})
	}
}

func TestAugmentValues(t *testing.T) {
	// Pixels have the values computed by hand for given draws.
	m := &Images{N: 1, Channels: 1, Height: 2, Width: 3, Classes: 1, Pixels: []uint8{1, 2, 3, 4, 5, 6}, Max: 10, Mean: []float32{0.5}, Std: []float32{0.1}}
	// (p/10 - 0.5)/0.1 = p - 5, so black is -5.
	for _, c := range []struct {
		name string
		a    Augment
		d    chances
		want []float64
	}{
		{"evaluation", Augment{}, chances{}, []float64{-4, -3, -2, -1, 0, 1}},
		{"window at the upper left", Augment{Pad: 1}, chances{top: -1, left: -1}, []float64{-5, -5, -5, -5, -4, -3}},
		{"window at the lower right", Augment{Pad: 1}, chances{top: 1, left: 1}, []float64{0, 1, -5, -5, -5, -5}},
		{"flip after crop", Augment{Pad: 1, Flip: true}, chances{left: 1, flip: true}, []float64{-5, -2, -3, -5, 1, 0}},
		{"hole at a corner", Augment{Cutout: 2}, chances{}, []float64{0, -3, -2, -1, 0, 1}},
		{"hole inside", Augment{Cutout: 2}, chances{y: 1, x: 2}, []float64{-4, 0, 0, -1, 0, 0}},
		{"hole over padding", Augment{Pad: 1, Cutout: 2}, chances{top: -1, y: 1, x: 1}, []float64{0, 0, -5, 0, 0, -2}},
	} {
		t.Run(c.name, func(t *testing.T) {
			out := make([]float32, 6)
			m.put(out, m.Pixels, c.a, c.d, m.normalised(m.Max))
			for i, v := range out {
				if math.Abs(float64(v)-c.want[i]) > 1e-5 {
					t.Fatalf("got %v, want %v", out, c.want)
				}
			}
		})
	}
}

// loads returns n independently augmented versions of the one image of m.
func loads(m *Images, a Augment, n int) [][]float32 {
	s := &Source{Images: m, Augment: a, Seed: 1, Name: "test", Size: 1}
	out := make([][]float32, n)
	for epoch := range out {
		out[epoch] = s.Load(epoch, 0).X
	}
	return out
}

// pixel inverts the normalisation: the byte value at (y, x) of channel c.
func pixel(m *Images, out []float32, y, x, c int) int {
	v := out[(y*m.Width+x)*m.Channels+c]*m.Std[c] + m.Mean[c]
	return int(math.Round(float64(v * float32(m.Max))))
}

func TestCropIsUniform(t *testing.T) {
	// Crops lie at all offsets 0..2*Pad equally often, rows and columns independent, when padding is on.
	m := positions(12, 12)
	const pad, side = 4, 2*4 + 1
	counts := make([]int, side*side)
	for i, out := range loads(m, Augment{Pad: pad}, 8100) {
		// The middle pixel is never padding, and its value is its position.
		top, left := pixel(m, out, 6, 6, 0)-1-6, pixel(m, out, 6, 6, 1)-1-6
		if top < -pad || top > pad || left < -pad || left > pad {
			t.Fatalf("load %d: window at %d, %d", i, top, left)
		}
		counts[(top+pad)*side+left+pad]++
	}
	datatest.Uniform(t, "offsets", counts)
}

func TestFlipIsFair(t *testing.T) {
	// Half of the images are mirrored, as a whole, when flipping is on.
	m := positions(2, 6)
	plain := loads(m, Augment{}, 1)[0]
	counts := make([]int, 2)
	for i, out := range loads(m, Augment{Flip: true}, 4000) {
		flipped := pixel(m, out, 0, 0, 1) == 6
		for y := range 2 {
			for x := range 6 {
				from := x
				if flipped {
					from = 5 - x
				}
				if !slices.Equal(out[(y*6+x)*2:(y*6+x+1)*2], plain[(y*6+from)*2:(y*6+from+1)*2]) {
					t.Fatalf("load %d: flipped %t, but %d, %d differs", i, flipped, y, x)
				}
			}
		}
		if flipped {
			counts[1]++
		} else {
			counts[0]++
		}
	}
	datatest.Uniform(t, "flips", counts)
}

func TestCutoutIsUniform(t *testing.T) {
	// Holes have every pixel as centre equally often, are clipped, and change no other pixel when cutout is on.
	m := positions(8, 8)
	plain := loads(m, Augment{}, 1)[0]
	// With length 4 the first and last row of the hole determine its centre.
	centre := map[[2]int]int{}
	for y := range 8 {
		centre[[2]int{max(y-2, 0), min(y+2, 8)}] = y
	}
	if len(centre) != 8 {
		t.Fatal("two centres have the same rows")
	}
	counts := make([]int, 64)
	for i, out := range loads(m, Augment{Cutout: 4}, 6400) {
		rows, columns, zeros := [2]int{8, 0}, [2]int{8, 0}, 0
		for at, v := range out {
			y, x := at/2/8, at/2%8
			if v != 0 {
				if v != plain[at] {
					t.Fatalf("load %d: value %d changed outside the hole", i, at)
				}
				continue
			}
			zeros++
			rows = [2]int{min(rows[0], y), max(rows[1], y+1)}
			columns = [2]int{min(columns[0], x), max(columns[1], x+1)}
		}
		y, okRow := centre[rows]
		x, okColumn := centre[columns]
		if !okRow || !okColumn || zeros != 2*(rows[1]-rows[0])*(columns[1]-columns[0]) {
			t.Fatalf("load %d: no clipped square: rows %v, columns %v, %d zeros", i, rows, columns, zeros)
		}
		counts[y*8+x]++
	}
	datatest.Uniform(t, "centres", counts)
}

func TestAugmentationsAreIndependent(t *testing.T) {
	// The crop stays the same when another augmentation is switched on.
	m := positions(12, 12)
	crop := loads(m, Augment{Pad: 4}, 50)
	for _, a := range []Augment{{Pad: 4, Cutout: 4}, {Pad: 4, Flip: true}} {
		t.Run(fmt.Sprintf("%+v", a), func(t *testing.T) {
			for i, out := range loads(m, a, 50) {
				// In each line some pixels show their row in spite of flip and hole.
				for x := range 12 {
					at := (6*12 + x) * 2
					if out[at] != 0 && pixel(m, out, 6, x, 0) != 0 {
						if got, want := pixel(m, out, 6, x, 0), pixel(m, crop[i], 6, 6, 0); got != want {
							t.Fatalf("load %d: row %d, want %d", i, got, want)
						}
					}
				}
			}
		})
	}
}

// BenchmarkAugment measures one goroutine with everything switched on.
func BenchmarkAugment(b *testing.B) {
	m := noise(1, 640)
	s := &Source{Images: m, Augment: Augment{Pad: 4, Flip: true, Cutout: 16}, Seed: 1, Name: "bench", Size: 64, Order: Shuffled}
	step := 0
	for b.Loop() {
		s.Load(0, step%s.Steps())
		step++
	}
	b.ReportMetric(float64(b.N*s.Size)/b.Elapsed().Seconds(), "images/s")
}
