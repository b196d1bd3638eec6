// Package picture decodes picture files, scales what they show to a size, and changes its
// colours. It gives the pixels of Pillow and torchvision, bit for bit.
package picture

import (
	"bufio"
	"context"
	"fmt"
	"image"
	_ "image/gif" // formats of picture files
	_ "image/jpeg"
	_ "image/png"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"

	_ "golang.org/x/image/bmp" // more of them
	"golang.org/x/image/tiff"
	_ "golang.org/x/image/webp"
	"golang.org/x/sync/semaphore"

	"godarts/nas/data/picture/turbojpeg"
)

// Suffixes are the endings of picture files, in small letters.
var Suffixes = []string{".bmp", ".gif", ".jpeg", ".jpg", ".png", ".tif", ".tiff", ".webp"}

// HasSuffix tells whether a file has one of the Suffixes, in small or capital letters.
func HasSuffix(name string) bool {
	return slices.Contains(Suffixes, strings.ToLower(filepath.Ext(name)))
}

// DefaultMaxPixels bounds the memory of one picture: a few bytes in a file can claim
// any size.
const DefaultMaxPixels = 100_000_000

// roomPixels bounds how many pixels all pictures in memory have together, from decoding
// until they are freed. A larger picture waits until no other is there. A pixel takes 3 to
// 12 bytes.
const roomPixels = 1 << 26

var room = semaphore.NewWeighted(roomPixels)

// CheckHeader returns why the header of a file makes it unusable as a picture of at most
// maxPixels, nil if it does not. It does not see that a file is truncated.
func CheckHeader(file string, maxPixels int) error {
	f, _, err := open(file, maxPixels)
	if err != nil {
		return err
	}
	f.Close()
	return nil
}

// Decode reads a picture file of at most maxPixels. Its content counts, not its suffix.
// Decode waits until there is room for the pixels; the caller calls free when it does not
// need the picture any more. Errors do not name the file.
func Decode(file string, maxPixels int) (picture image.Image, free func(), err error) {
	f, pixels, err := open(file, maxPixels)
	if err != nil {
		return nil, nil, err
	}
	defer f.Close()
	weight := int64(min(pixels, roomPixels))
	if err := room.Acquire(context.Background(), weight); err != nil {
		return nil, nil, err
	}
	free = func() { room.Release(weight) }
	if picture, err = decode(f); err != nil {
		free()
		return nil, nil, err
	}
	return picture, free, nil
}

// open opens a picture file, reads its header, and goes back to its start.
func open(file string, maxPixels int) (f *os.File, pixels int, err error) {
	if f, err = os.Open(file); err != nil {
		return nil, 0, err
	}
	defer func() {
		if err != nil {
			f.Close()
		}
	}()
	header, err := readHeader(f)
	if err != nil {
		return nil, 0, err
	}
	if header.Width < 1 || header.Height < 1 || header.Width > maxPixels/header.Height {
		return nil, 0, fmt.Errorf("%d by %d pixels, want 1 to %d in all (data.max_pixels)", header.Width, header.Height, maxPixels)
	}
	_, err = f.Seek(0, io.SeekStart)
	return f, header.Width * header.Height, err
}

// readHeader reads the size of a picture.
func readHeader(f *os.File) (image.Config, error) {
	if isTIFF(f) {
		return tiff.DecodeConfig(f)
	}
	if isTurboJPEG(f) {
		header, err := turbojpeg.ReadHeader(f)
		return image.Config{Width: header.Width, Height: header.Height}, err
	}
	header, kind, err := image.DecodeConfig(bufio.NewReader(f))
	if err == nil && kind == "webp" {
		err = checkWebP(f, header)
	}
	return header, err
}

// decode reads a picture. Where its decoder panics, decode returns an error.
func decode(f *os.File) (picture image.Image, err error) {
	defer func() {
		if failed := recover(); failed != nil {
			picture, err = nil, fmt.Errorf("its decoder crashed: %v", failed)
		}
	}()
	switch {
	case isTIFF(f):
		var bounded io.Reader
		if bounded, err = boundedTIFF(f); err == nil {
			picture, err = tiff.Decode(bounded)
		}
	case isTurboJPEG(f):
		picture, err = decodeTurboJPEG(f)
	default:
		picture, _, err = image.Decode(bufio.NewReader(f))
	}
	return picture, err
}
