package data

import (
	"encoding/binary"
	"image"
	"image/draw"
	"math"
)

// weightBits are those behind the point of a weight.
const weightBits = 22

// taps are the pixels of a row or column that one pixel of the result is made of.
type taps struct {
	from    int
	weights []uint64 // their sum is about 1<<weightBits
}

// bilinear are the taps of the pixels from..to-1 of size, to which length pixels are scaled:
// as far from a pixel's middle as the next one is, in the larger of both scales, falling to
// nothing there. As precompute_coeffs of Pillow's Resample.c.
func bilinear(length, size, from, to int) []taps {
	all := make([]taps, to-from)
	scale := float64(length) / float64(size)
	reach := max(scale, 1)
	for i := range all {
		// The conversion keeps processors from rounding once for both.
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

// resample scales the part from of a picture to the size of to and shows of that what lies
// in the bounds of out, which is written: equal to Pillow's resize(BILINEAR), bit for bit.
// What is transparent lies on black.
func resample(out *image.RGBA, to image.Rectangle, picture image.Image, from image.Rectangle) {
	shown := out.Rect.Sub(to.Min)
	columns := bilinear(from.Dx(), to.Dx(), shown.Min.X, shown.Max.X)
	rows := bilinear(from.Dy(), to.Dy(), shown.Min.Y, shown.Max.Y)
	first, end := rows[0].from, 0
	for _, t := range rows {
		end = max(end, t.from+len(t.weights))
	}
	// First the rows that are needed, then the columns of these.
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

// rowOf is row y of a picture within from, four bytes a pixel. It lies in line where the
// picture's own pixels are of another kind.
func rowOf(picture image.Image, from image.Rectangle, y int, line *image.RGBA) []uint8 {
	if m, ok := picture.(*image.RGBA); ok {
		return m.Pix[m.PixOffset(from.Min.X, y):m.PixOffset(from.Max.X, y)]
	}
	draw.Draw(line, line.Rect, picture, image.Pt(from.Min.X, y), draw.Src)
	return line.Pix
}

// weigh adds up weighted pixels that lie step bytes apart, two of the four parts of a pixel
// in one product: no sum reaches the 32 bits that each has.
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
