package picture

import (
	"math"
	"math/rand/v2"
)

// Jitter changes the colours of a picture by random amounts and in a random order.
// It multiplies each of the first three by a factor from 1-x to 1+x, and turns the hue by
// -Hue to Hue of the circle. As torchvision's ColorJitter.
type Jitter struct{ Brightness, Contrast, Saturation, Hue float64 }

// Apply draws from r and changes pixels of four bytes each: red, green, blue and one that
// stays.
func (j Jitter) Apply(r *rand.Rand, pixels []uint8) { j.draw(r).apply(pixels) }

// colours are the draws for one picture.
type colours struct {
	order                           [4]int // of brightness, contrast, saturation and hue
	brightness, contrast, saturated float64
	hue                             float64 // part of a turn
}

func (j Jitter) draw(r *rand.Rand) colours {
	within := func(x float64) float64 { return x * (2*r.Float64() - 1) }
	return colours{
		order:      [4]int(r.Perm(4)),
		brightness: max(0, 1+within(j.Brightness)), contrast: max(0, 1+within(j.Contrast)),
		saturated: max(0, 1+within(j.Saturation)), hue: within(j.Hue),
	}
}

// apply takes the four steps in the order that was drawn.
func (c colours) apply(pixels []uint8) {
	steps := [4]func([]uint8){c.brighten, c.contrasted, c.saturate, c.turn}
	for _, step := range c.order {
		steps[step](pixels)
	}
}

func (c colours) brighten(pixels []uint8) { blendAll(pixels, 0, c.brightness) }

// contrasted moves all values away from the mean brightness.
func (c colours) contrasted(pixels []uint8) {
	sum := 0
	for at := 0; at < len(pixels); at += 4 {
		sum += int(luma(pixels[at : at+3]))
	}
	mean := math.Floor(float64(sum)/float64(len(pixels)/4) + 0.5)
	blendAll(pixels, mean, c.contrast)
}

// blendAll moves all values away from base by a factor.
func blendAll(pixels []uint8, base, factor float64) {
	var table [256]uint8
	for p := range table {
		table[p] = blend(base, float64(p), factor)
	}
	for at := 0; at < len(pixels); at += 4 {
		p := pixels[at : at+3 : at+3]
		p[0], p[1], p[2] = table[p[0]], table[p[1]], table[p[2]]
	}
}

// blend returns base + factor·(value-base), clipped to 0..255. It computes in single
// precision and rounds down, as Pillow does.
func blend(base, value, factor float64) uint8 {
	moved := float32(base) + float32(float32(factor)*float32(value-base))
	return uint8(min(max(moved, 0), math.MaxUint8))
}

// saturate moves every colour away from its own brightness.
func (c colours) saturate(pixels []uint8) {
	for at := 0; at < len(pixels); at += 4 {
		p := pixels[at : at+3 : at+3]
		grey := float64(luma(p))
		for i := range p {
			p[i] = blend(grey, float64(p[i]), c.saturated)
		}
	}
}

// turn turns the hue of every colour and keeps its largest and smallest part.
func (c colours) turn(pixels []uint8) {
	for at := 0; at < len(pixels); at += 4 {
		p := pixels[at : at+3 : at+3]
		high, low := max(p[0], p[1], p[2]), min(p[0], p[1], p[2])
		if high == low {
			continue
		}
		spread := float64(high) - float64(low)
		red, green, blue := float64(p[0]), float64(p[1]), float64(p[2])
		var sixth float64 // of the circle, from red over green and blue
		switch high {
		case p[0]:
			sixth = (green - blue) / spread
		case p[1]:
			sixth = 2 + (blue-red)/spread
		default:
			sixth = 4 + (red-green)/spread
		}
		sixth += 6 * c.hue // -7 to 11
		for ; sixth < 0; sixth += 6 {
		}
		for ; sixth >= 6; sixth -= 6 {
		}
		for i := range p {
			// The distance from the place of this part on the circle, 0 to 3.
			away := math.Abs(sixth - 2*float64(i))
			away = min(away, 6-away)
			p[i] = uint8(float64(low) + spread*min(max(2-away, 0), 1) + 0.5)
		}
	}
}
