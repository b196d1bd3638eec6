package picture

import (
	"encoding/binary"
	"image"
	"image/draw"
	"math"
)

// weightBits are the bits after the binary point of a weight.
const weightBits = 22

// taps are the pixels of a row or column that one pixel of the result adds up.
type taps struct {
	from    int
	weights []uint64 // their sum is about 1<<weightBits
}

// bilinear returns the taps of the pixels from..to-1 when length pixels are scaled to size.
// A weight falls linearly with the distance from the pixel's middle, to zero at the middle of
// the next pixel, in the larger of both scales. As precompute_coeffs of Pillow's Resample.c.
func bilinear(length, size, from, to int) []taps {
	all := make([]taps, to-from)
	scale := float64(length) / float64(size)
	reach := max(scale, 1)
	for i := range all {
		// The conversion keeps a processor from fusing this product with the addition below.
		middle := float64((float64(from+i) + 0.5) * scale)
		first, last := max(int(middle-reach+0.5), 0), min(int(middle+reach+0.5), length)
		exact, sum := make([]float64, last-first), 0.
		for k := range exact {
			exact[k] = max(1-math.Abs((float64(first+k)-middle+0.5)*(1/reach)), 0)
			sum += exact[k]
		}
		all[i] = taps{first, make([]uint64, len(exact))}
		for k, w := range exact {
			all[i].weights[k] = uint64(0.5 + float64(w/sum*(1<<weightBits)))
		}
	}
	return all
}

// resample scales the part from of a picture to the rectangle to, and writes what lies in
// the bounds of out to out. The result equals Pillow's resize(BILINEAR), bit for bit.
// Transparent pixels lie on black.
func resample(out *image.RGBA, to image.Rectangle, picture image.Image, from image.Rectangle) {
	shown := out.Rect.Sub(to.Min)
	columns := bilinear(from.Dx(), to.Dx(), shown.Min.X, shown.Max.X)
	rows := bilinear(from.Dy(), to.Dy(), shown.Min.Y, shown.Max.Y)
	first, end := rows[0].from, 0
	for _, t := range rows {
		end = max(end, t.from+len(t.weights))
	}
	// Scale the needed rows first, then the columns of the result.
	stride := 4 * len(columns)
	narrow := make([]uint8, (end-first)*stride)
	line := image.NewRGBA(image.Rect(from.Min.X, 0, from.Max.X, 1))
	for y := first; y < end; y++ {
		pixels := rowOf(picture, from, from.Min.Y+y, line)
		part := narrow[(y-first)*stride:][:stride]
		for x, t := range columns {
			binary.LittleEndian.PutUint32(part[4*x:], weigh(pixels[4*t.from:], 4, t.weights))
		}
	}
	for y, t := range rows {
		part := narrow[(t.from-first)*stride:]
		pixels := out.Pix[y*out.Stride:][:stride]
		for x := range columns {
			binary.LittleEndian.PutUint32(pixels[4*x:], weigh(part[4*x:], stride, t.weights))
		}
	}
}

// rowOf returns row y of a picture within from, four bytes a pixel. It converts the pixels to
// line where the picture holds another kind.
func rowOf(picture image.Image, from image.Rectangle, y int, line *image.RGBA) []uint8 {
	if m, ok := picture.(*image.RGBA); ok {
		return m.Pix[m.PixOffset(from.Min.X, y):m.PixOffset(from.Max.X, y)]
	}
	draw.Draw(line, line.Rect, picture, image.Pt(from.Min.X, y), draw.Src)
	return line.Pix
}

// weigh adds up weighted pixels that lie step bytes apart. One product weighs two of the four
// parts of a pixel, which is exact since each sum fits into its 32 bits.
func weigh(pixels []uint8, step int, weights []uint64) uint32 {
	const half = 1 << (weightBits - 1)
	const pair = 0xff_0000_00ff
	even, odd := uint64(half<<32|half), uint64(half<<32|half)
	for _, w := range weights {
		p := uint64(binary.LittleEndian.Uint32(pixels))
		even += (p | p<<16) & pair * w
		odd += (p>>8 | p<<8) & pair * w
		pixels = pixels[min(step, len(pixels)):]
	}
	part := func(sum uint64) uint32 { return uint32(min(sum&math.MaxUint32>>weightBits, math.MaxUint8)) }
	return part(even) | part(odd)<<8 | part(even>>32)<<16 | part(odd>>32)<<24
}
