package data

import (
	"bytes"
	"errors"
	"fmt"
	"image"
	"image/jpeg"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"

	"godarts/nas/data/turbojpeg"
)

// Decoders of JPEG: that of the machine gives the pixels of Pillow, and Go's slightly other
// ones, in three times as long, and not of every kind of file.
const (
	turboJPEG = "libturbojpeg"
	goJPEG    = "image/jpeg"
)

// jpegVariable is the environment variable that asks for one of them.
const jpegVariable = "GODARTS_JPEG"

// jpegChoice is the decoder in use.
type jpegChoice struct {
	name    string
	missing error // why it is not libturbojpeg, unless it was asked for
	err     error // the wrong choice
}

var chosenJPEG = sync.OnceValue(func() jpegChoice { return chooseJPEG(os.Getenv(jpegVariable), turbojpeg.Open) })

func chooseJPEG(wanted string, open func() error) jpegChoice {
	switch wanted {
	case goJPEG:
		return jpegChoice{name: goJPEG}
	case "", turboJPEG:
		missing := open()
		switch {
		case missing == nil:
			return jpegChoice{name: turboJPEG}
		case wanted == "":
			return jpegChoice{name: goJPEG, missing: missing}
		}
		return jpegChoice{err: fmt.Errorf("data: %s=%s: %w", jpegVariable, wanted, missing)}
	}
	return jpegChoice{err: fmt.Errorf("data: %s=%s: no decoder (wanted %s or %s)", jpegVariable, wanted, turboJPEG, goJPEG)}
}

// JPEGDecoder names what decodes JPEG files here: libturbojpeg or Go's image/jpeg. Why is not
// nil where the first is not there. The error says that the environment asks for another one
// or for what is not there.
func JPEGDecoder() (name string, why, err error) {
	c := chosenJPEG()
	return c.name, c.missing, c.err
}

// noteJPEG notes that files of JPEG, if there are any, are decoded by the lesser decoder.
func (s *Set) noteJPEG(parts ...*folder) {
	missing := chosenJPEG().missing
	if missing == nil {
		return
	}
	for _, f := range parts {
		if slices.ContainsFunc(f.names, func(name string) bool {
			suffix := strings.ToLower(filepath.Ext(name))
			return suffix == ".jpg" || suffix == ".jpeg"
		}) {
			s.Notes = append(s.Notes, fmt.Sprintf("JPEG files are decoded by Go's %s, to slightly other pixels than Pillow's, slower, and not with "+
				"arithmetic coding or odd sampling of colour, since there is no libturbojpeg (%v); apt-get install libturbojpeg0 brings it", goJPEG, missing))
			return
		}
	}
}

// isTurboJPEG tells whether a file begins as JPEG and libturbojpeg is to decode it.
func isTurboJPEG(f *os.File) bool {
	begin := make([]byte, 2)
	_, err := f.ReadAt(begin, 0)
	return err == nil && string(begin) == "\xff\xd8" && chosenJPEG().name == turboJPEG
}

// jpegBytes is how many bytes of a file are read for that many pixels: beyond what they can
// take, and of other things, such as a film, that a camera puts before or behind them.
func jpegBytes(pixels int) int64 { return int64(16*pixels + 1<<26) }

// decodeTurboJPEG decodes a file by libturbojpeg. Where that warns Go's decoder decides
// whether the picture can be used, as without the library: not if data are missing or
// damaged, but whatever bytes lie between them.
func decodeTurboJPEG(f *os.File) (image.Image, error) {
	header, err := turbojpeg.ReadHeader(f)
	if err != nil {
		return nil, err
	}
	info, err := f.Stat()
	if err != nil {
		return nil, err
	}
	content := make([]byte, min(info.Size(), jpegBytes(header.Width*header.Height)))
	if _, err := f.Seek(0, io.SeekStart); err != nil {
		return nil, err
	}
	if _, err := io.ReadFull(f, content); err != nil {
		return nil, err
	}
	picture, err := turbojpeg.Decode(content, header)
	var warning turbojpeg.Warning
	if errors.As(err, &warning) {
		if _, failed := jpeg.Decode(bytes.NewReader(content)); failed == nil {
			return picture, nil
		}
	}
	if err != nil {
		return nil, err
	}
	return picture, nil
}
