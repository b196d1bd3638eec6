package turbojpeg

import (
	"bufio"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
)

// Header is the size of a JPEG picture and the number of its colour components.
type Header struct{ Width, Height, Components int }

// Markers of JPEG (ITU-T T.81, table B.1).
const (
	markerStart = 0xd8 // SOI
	markerEnd   = 0xd9 // EOI
	markerScan  = 0xda // SOS
)

// ReadHeader reads a file up to its frame header. It accepts every kind of JPEG.
func ReadHeader(r io.Reader) (Header, error) {
	in := bufio.NewReader(r)
	var start [2]byte
	if _, err := io.ReadFull(in, start[:]); err != nil || start != [2]byte{0xff, markerStart} {
		return Header{}, errors.New("jpeg: no start of image")
	}
	for {
		marker, err := nextMarker(in)
		if err != nil {
			return Header{}, err
		}
		switch {
		case marker == 0x01 || marker >= 0xd0 && marker < markerStart: // TEM and RST have no length
			continue
		case marker == markerStart || marker == markerEnd || marker == markerScan:
			return Header{}, fmt.Errorf("jpeg: marker %#x before a frame header", marker)
		}
		var length [2]byte
		if _, err := io.ReadFull(in, length[:]); err != nil {
			return Header{}, unexpected(err)
		}
		size := int(binary.BigEndian.Uint16(length[:])) - len(length)
		if size < 0 {
			return Header{}, fmt.Errorf("jpeg: marker %#x has a length of %d", marker, size+len(length))
		}
		if !isFrame(marker) {
			if _, err := in.Discard(size); err != nil {
				return Header{}, unexpected(err)
			}
			continue
		}
		var frame [6]byte // precision, height, width, components
		if _, err := io.ReadFull(in, frame[:]); err != nil {
			return Header{}, unexpected(err)
		}
		return Header{
			Height: int(binary.BigEndian.Uint16(frame[1:])), Width: int(binary.BigEndian.Uint16(frame[3:])),
			Components: int(frame[5]),
		}, nil
	}
}

// nextMarker reads up to the next marker, over other bytes and over fill bytes.
func nextMarker(in *bufio.Reader) (byte, error) {
	for before := byte(0); ; {
		b, err := in.ReadByte()
		if err != nil {
			return 0, unexpected(err)
		}
		if before == 0xff && b != 0xff && b != 0 {
			return b, nil
		}
		before = b
	}
}

// isFrame tells whether a marker is one of SOF0 to SOF15. DHT, JPG and DAC lie among these.
func isFrame(marker byte) bool {
	return marker >= 0xc0 && marker <= 0xcf && marker != 0xc4 && marker != 0xc8 && marker != 0xcc
}

func unexpected(err error) error {
	if errors.Is(err, io.EOF) {
		return io.ErrUnexpectedEOF
	}
	return err
}
