package picture

import (
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"os"
)

// isTIFF tells whether a file begins as TIFF. Unless the decoder of TIFF can read anywhere in
// a file, it takes as much memory as an offset in the file claims.
func isTIFF(f *os.File) bool {
	begin := make([]byte, 4)
	_, err := f.ReadAt(begin, 0)
	return err == nil && (string(begin) == "II*\x00" || string(begin) == "MM\x00*")
}

// Tags of TIFF that hold the size of the picture and of its blocks: strips of rows, or tiles.
// The decoder holds a whole block in memory.
const (
	tiffWidth, tiffHeight         = 256, 257
	tiffRows                      = 278
	tiffTileWidth, tiffTileHeight = 322, 323
)

// patched is a file some bytes of which are replaced.
type patched struct {
	io.ReaderAt
	at    int64
	bytes []byte
}

// ReadAt implements io.ReaderAt.
func (p *patched) ReadAt(b []byte, from int64) (n int, err error) {
	n, err = p.ReaderAt.ReadAt(b, from)
	for i, x := range p.bytes {
		if at := p.at + int64(i) - from; at >= 0 && at < int64(n) {
			b[at] = x
		}
	}
	return n, err
}

// Read implements io.Reader, which the decoder asks for and does not use.
func (p *patched) Read([]byte) (int, error) { return 0, errors.ErrUnsupported }

// boundedTIFF returns a reader of the file in which no block unfolds to more than the picture
// takes. A strip may claim any number of rows, often the largest number to say all of them:
// the reader replaces that by the rows of the picture. Tiles far larger than the picture are
// an error.
func boundedTIFF(f io.ReaderAt) (io.Reader, error) {
	values, places, order, err := tiffSizes(f)
	if err != nil {
		return nil, err
	}
	pixels := values[tiffWidth] * values[tiffHeight]
	const spare = 1 << 22 // pixels of a tile that is larger than a small picture
	if tile := values[tiffTileWidth] * values[tiffTileHeight]; tile > 4*pixels+spare {
		return nil, fmt.Errorf("tiff: tiles of %d by %d pixels for a picture of %d by %d",
			values[tiffTileWidth], values[tiffTileHeight], values[tiffWidth], values[tiffHeight])
	}
	p := &patched{ReaderAt: f}
	if values[tiffRows] > values[tiffHeight] {
		p.at, p.bytes = places[tiffRows].at, make([]byte, places[tiffRows].size)
		if len(p.bytes) == 2 {
			order.PutUint16(p.bytes, uint16(values[tiffHeight]))
		} else {
			order.PutUint32(p.bytes, uint32(values[tiffHeight]))
		}
	}
	return p, nil
}

// place is the position and size of a number in a file.
type place struct {
	at   int64
	size int
}

// tiffSizes reads the values of the tags above and their places in the file.
func tiffSizes(f io.ReaderAt) (values map[int]int64, places map[int]place, order binary.ByteOrder, err error) {
	header := make([]byte, 8)
	if _, err := f.ReadAt(header, 0); err != nil {
		return nil, nil, nil, err
	}
	order = binary.LittleEndian
	if header[0] == 'M' {
		order = binary.BigEndian
	}
	from := int64(order.Uint32(header[4:]))
	if _, err := f.ReadAt(header[:2], from); err != nil {
		return nil, nil, nil, err
	}
	const entry = 12
	entries := make([]byte, entry*int(order.Uint16(header)))
	if _, err := f.ReadAt(entries, from+2); err != nil {
		return nil, nil, nil, err
	}
	values, places = map[int]int64{}, map[int]place{}
	for i := 0; i < len(entries); i += entry {
		e := entries[i : i+entry]
		tag := int(order.Uint16(e))
		switch tag {
		case tiffWidth, tiffHeight, tiffRows, tiffTileWidth, tiffTileHeight:
		default:
			continue
		}
		const short, long = 3, 4
		kind, n, at := order.Uint16(e[2:]), order.Uint32(e[4:]), from+2+int64(i)+8
		switch {
		case n == 1 && kind == short:
			values[tag], places[tag] = int64(order.Uint16(e[8:])), place{at, 2}
		case n == 1 && kind == long:
			values[tag], places[tag] = int64(order.Uint32(e[8:])), place{at, 4}
		default:
			return nil, nil, nil, fmt.Errorf("tiff: tag %d is not one whole number", tag)
		}
	}
	return values, places, order, nil
}
