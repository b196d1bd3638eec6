package picture

import (
	"bytes"
	"errors"
	"fmt"
	"image"
	"image/jpeg"
	"io"
	"os"
	"sync"

	"godarts/nas/data/picture/turbojpeg"
)

// Decoders of JPEG. The machine's libturbojpeg gives the pixels of Pillow. Go's decoder gives
// slightly different ones, takes three times as long, and does not read every kind of file.
const (
	turboJPEG = "libturbojpeg"
	goJPEG    = "image/jpeg"
)

// jpegVariable is the environment variable that selects the decoder.
const jpegVariable = "GODARTS_JPEG"

// jpegChoice is the decoder in use.
type jpegChoice struct {
	name    string
	missing error // why libturbojpeg cannot be used, where Go's decoder was not asked for
	err     error // why the environment's choice cannot be met
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

// JPEGDecoder names the decoder of JPEG files on this machine: libturbojpeg or Go's
// image/jpeg. why is not nil if that is image/jpeg because the library cannot be used. err
// is not nil if the environment asks for an unknown decoder or for a library that cannot be
// used.
func JPEGDecoder() (name string, why, err error) {
	c := chosenJPEG()
	return c.name, c.missing, c.err
}

// NoteJPEG returns a note for users of JPEG files: the consequences of a missing libturbojpeg.
func NoteJPEG(missing error) string {
	return fmt.Sprintf("JPEG files are decoded by Go's %s, to slightly other pixels than Pillow's, slower, and not with "+
		"arithmetic coding or odd sampling of colour, since there is no libturbojpeg (%v); apt-get install libturbojpeg0 brings it", goJPEG, missing)
}

// isTurboJPEG tells whether a file begins as JPEG and libturbojpeg decodes JPEG.
func isTurboJPEG(f *os.File) bool {
	begin := make([]byte, 2)
	_, err := f.ReadAt(begin, 0)
	return err == nil && string(begin) == "\xff\xd8" && chosenJPEG().name == turboJPEG
}

// jpegBytes bounds how many bytes of a file are read for a picture of that many pixels. It is
// more than the picture takes with what a camera puts before or after it, such as a film.
func jpegBytes(pixels int) int64 { return int64(16*pixels + 1<<26) }

// decodeTurboJPEG decodes a file by libturbojpeg. Where the library warns, Go's decoder
// decides whether the picture can be used, so that a machine without the library uses the
// same files: bytes between the segments do no harm, missing or damaged data do.
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
