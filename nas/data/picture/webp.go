package picture

import (
	"bufio"
	"fmt"
	"image"
	"io"

	"golang.org/x/image/riff"
	"golang.org/x/image/vp8"
	"golang.org/x/image/vp8l"
)

// checkWebP returns an error if the frame in a WebP file has another size than its header
// says: the decoder takes memory for the frame.
func checkWebP(f io.ReadSeeker, header image.Config) error {
	if _, err := f.Seek(0, io.SeekStart); err != nil {
		return err
	}
	width, height, err := webpFrame(bufio.NewReader(f))
	if err == nil && (width != header.Width || height != header.Height) {
		err = fmt.Errorf("webp: a frame of %d by %d on a canvas of %d by %d", width, height, header.Width, header.Height)
	}
	return err
}

// webpFrame reads the size of the frame in a WebP file.
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
