package data

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"image"
	_ "image/gif" // formats of picture files
	_ "image/jpeg"
	_ "image/png"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"

	_ "golang.org/x/image/bmp" // more of them
	"golang.org/x/image/riff"
	"golang.org/x/image/tiff"
	"golang.org/x/image/vp8"
	"golang.org/x/image/vp8l"
	_ "golang.org/x/image/webp"
	"golang.org/x/sync/semaphore"

	"godarts/nas/data/turbojpeg"
	"godarts/nas/names"
)

// suffixes are those of the files that count as images, in small letters.
var suffixes = []string{".bmp", ".gif", ".jpeg", ".jpg", ".png", ".tif", ".tiff", ".webp"}

func isImage(name string) bool {
	return slices.Contains(suffixes, strings.ToLower(filepath.Ext(name)))
}

// DefaultMaxPixels bounds the memory of one picture: a few bytes in a file can claim
// any size.
const DefaultMaxPixels = 100_000_000

// roomPixels is how many pixels may be in memory at a time, in all pictures that are
// being decoded and scaled; a picture that has more is alone. They take 3 to 12 bytes each.
const roomPixels = 1 << 26

var room = semaphore.NewWeighted(roomPixels)

// Unreadable is an image file that cannot be used.
type Unreadable struct {
	File string `json:"file"` // from the root of its imagefolder
	Why  string `json:"why"`

	root string
}

// Error names the file.
func (u *Unreadable) Error() string {
	return fmt.Sprintf("data: imagefolder: %s: %s", names.Escape(filepath.Join(u.root, u.File)), u.Why)
}

// openPicture reads the header of a picture file, whatever its name says. The file then
// stands at its start again.
func openPicture(file string, maxPixels int) (f *os.File, pixels int, err error) {
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
	if err != nil || kind != "webp" {
		return header, err
	}
	if _, err := f.Seek(0, io.SeekStart); err != nil {
		return header, err
	}
	width, height, err := webpFrame(bufio.NewReader(f))
	if err == nil && (width != header.Width || height != header.Height) {
		err = fmt.Errorf("webp: a frame of %d by %d on a canvas of %d by %d", width, height, header.Width, header.Height)
	}
	return header, err
}

// webpFrame is the size of the picture in a WebP file, which its decoder makes whatever
// the size of the canvas is.
func webpFrame(r io.Reader) (width, height int, err error) {
	_, chunks, err := riff.NewReader(r)
	if err != nil {
		return 0, 0, err
	}
	for {
		kind, size, content, err := chunks.Next()
		if err != nil {
			return 0, 0, err
		}
		switch string(kind[:]) {
		case "VP8 ":
			d := vp8.NewDecoder()
			d.Init(content, int(size))
			frame, err := d.DecodeFrameHeader()
			return frame.Width, frame.Height, err
		case "VP8L":
			frame, err := vp8l.DecodeConfig(content)
			return frame.Width, frame.Height, err
		}
	}
}

// decodeFile reads a picture file. It waits until there is room for its pixels, which
// free gives back. Errors do not name the file.
func decodeFile(file string, maxPixels int) (picture image.Image, free func(), err error) {
	f, pixels, err := openPicture(file, maxPixels)
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

// decode reads a picture. A decoder that panics has met a file that it cannot read.
func decode(f *os.File) (picture image.Image, err error) {
	defer func() {
		if failed := recover(); failed != nil {
			picture, err = nil, fmt.Errorf("its decoder fails: %v", failed)
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

// cause is what is wrong with a file, without its name, which may not be fit to print.
func cause(err error) error {
	var path *fs.PathError
	if errors.As(err, &path) {
		return path.Err
	}
	return err
}
