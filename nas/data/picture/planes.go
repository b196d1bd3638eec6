package picture

import "image"

// Planes returns the colours of an image, [channels, height, width], or their brightness
// where channels is 1.
func Planes(m *image.RGBA, channels int) []uint8 {
	n := m.Rect.Dx() * m.Rect.Dy()
	out := make([]uint8, channels*n)
	for at := range n {
		p := m.Pix[4*at : 4*at+3 : 4*at+3]
		if channels == 1 {
			out[at] = luma(p)
			continue
		}
		out[at], out[n+at], out[2*n+at] = p[0], p[1], p[2]
	}
	return out
}

// luma returns the brightness of a colour (ITU-R 601-2).
func luma(p []uint8) uint8 {
	return uint8((19595*uint32(p[0]) + 38470*uint32(p[1]) + 7471*uint32(p[2]) + 1<<15) >> 16)
}
