// Package turbojpeg decodes JPEG by the machine's libturbojpeg, to the same pixels as
// Pillow, bit for bit. The program looks for the library when it runs: building needs
// neither the library nor its header.
package turbojpeg

// #cgo LDFLAGS: -ldl
// #cgo noescape turbojpeg_decode
// #cgo nocallback turbojpeg_decode
// #include <stdlib.h>
// #include "library.h"
import "C"

import (
	"errors"
	"fmt"
	"image"
	"sync"
	"unsafe"
)

// Open loads the library. The error says why it cannot be used.
var Open = sync.OnceValue(func() error {
	why := C.turbojpeg_open()
	if why == nil {
		return nil
	}
	defer C.free(unsafe.Pointer(why))
	return errors.New(C.GoString(why))
})

// Warning is the library's message about a file that it decodes nevertheless: it skipped
// bytes, or parts of the picture are missing or damaged.
type Warning string

// Error returns the library's message.
func (w Warning) Error() string { return "jpeg: " + string(w) }

// Pixel formats, TJPF of the library.
const (
	grey = 6
	rgba = 7
	cmyk = 11
)

// Decode decodes a file with header h, by the library's defaults: the accurate integer
// transform and smooth chroma. The picture is an [image.Gray] or an opaque [image.RGBA].
// Decode takes CMYK for inverted, as Adobe writes it. Where the error is a [Warning] the
// picture is there too. Call [Open] before; it must have returned nil.
func Decode(file []byte, h Header) (image.Image, error) {
	if len(file) == 0 || h.Width < 1 || h.Height < 1 {
		return nil, fmt.Errorf("jpeg: %d by %d pixels in %d bytes", h.Width, h.Height, len(file))
	}
	bounds := image.Rect(0, 0, h.Width, h.Height)
	switch h.Components {
	case 1:
		m := image.NewGray(bounds)
		return finish(m, decode(file, m.Pix, h, grey))
	case 3:
		m := image.NewRGBA(bounds)
		return finish(m, decode(file, m.Pix, h, rgba))
	case 4:
		m := image.NewRGBA(bounds)
		err := decode(file, m.Pix, h, cmyk)
		fromCMYK(m.Pix)
		return finish(m, err)
	}
	return nil, fmt.Errorf("jpeg: %d components, want 1, 3 or 4", h.Components)
}

// finish returns the picture unless decoding failed.
func finish(picture image.Image, err error) (image.Image, error) {
	var warning Warning
	if err != nil && !errors.As(err, &warning) {
		return nil, err
	}
	return picture, err
}

func decode(file, pixels []uint8, h Header, format C.int) error {
	var message [200]byte // the length of the library's own
	outcome := C.turbojpeg_decode((*C.uchar)(&file[0]), C.size_t(len(file)), (*C.uchar)(&pixels[0]),
		C.int(h.Width), C.int(h.Height), format, (*C.char)(unsafe.Pointer(&message[0])), C.size_t(len(message)))
	said := C.GoString((*C.char)(unsafe.Pointer(&message[0])))
	switch outcome {
	case 0:
		return nil
	case 1:
		return Warning(said)
	}
	return errors.New("jpeg: " + said)
}

// fromCMYK converts inverted CMYK to RGBA in place, with the rounding of Pillow.
func fromCMYK(pixels []uint8) {
	for ; len(pixels) >= 4; pixels = pixels[4:] {
		light := uint32(pixels[3])
		for c, of := range pixels[:3] {
			dark := (255-uint32(of))*light + 128
			pixels[c] = uint8(light - (dark+dark>>8)>>8)
		}
		pixels[3] = 255
	}
}
