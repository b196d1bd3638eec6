package picture

import (
	"bytes"
	"compress/zlib"
	"encoding/binary"
	"image"
	"image/color"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"testing"
)

// tiffFile returns a grey picture with these tags, in ascending order, and the block packed.
// The values -1 and -2 stand for the position and the length of the block.
func tiffFile(order binary.AppendByteOrder, packed []byte, tags [][2]int64) []byte {
	begin := []byte("II*\x00")
	if order == binary.BigEndian {
		begin = []byte("MM\x00*")
	}
	out := order.AppendUint32(begin, 8)
	out = order.AppendUint16(out, uint16(len(tags)))
	for _, tag := range tags {
		value := tag[1]
		switch value {
		case -1:
			value = int64(8 + 2 + 12*len(tags) + 4)
		case -2:
			value = int64(len(packed))
		}
		out = order.AppendUint16(out, uint16(tag[0]))
		out = order.AppendUint16(out, 4) // LONG
		out = order.AppendUint32(out, 1)
		out = order.AppendUint32(out, uint32(value))
	}
	return append(order.AppendUint32(out, 0), packed...)
}

func TestTIFFIsBounded(t *testing.T) {
	// A TIFF of one strip or tile takes memory of its own size, whatever its block unfolds to and whatever number of rows the strip claims.
	pack := func(n int) []byte {
		var b bytes.Buffer
		w := zlib.NewWriter(&b)
		w.Write(bytes.Repeat([]byte{77}, n))
		if err := w.Close(); err != nil {
			t.Fatal(err)
		}
		return b.Bytes()
	}
	const side, all = 16, 4294967295
	strip := func(rows int64) [][2]int64 {
		return [][2]int64{{256, side}, {257, side}, {258, 8}, {259, 8}, {262, 1}, {273, -1}, {277, 1}, {278, rows}, {279, -2}}
	}
	tile := func(tileSide int64) [][2]int64 {
		return [][2]int64{{256, side}, {257, side}, {258, 8}, {259, 8}, {262, 1}, {277, 1}, {322, tileSide}, {323, tileSide}, {324, -1}, {325, -2}}
	}
	const bomb = 64 << 20
	for _, test := range []struct {
		name   string
		packed []byte
		tags   [][2]int64
		want   string // of the error
	}{
		{"a strip of all rows", pack(side * side), strip(side), ""},
		{"a strip of any rows", pack(side * side), strip(all), ""},
		{"a strip that goes on", pack(bomb), strip(all), ""},
		{"a tile", pack(64 * 64), tile(64), ""},
		{"a huge tile", pack(bomb), tile(20000), "tiff: tiles of 20000 by 20000 pixels for a picture of 16 by 16"},
	} {
		for name, order := range map[string]binary.AppendByteOrder{"little endian": binary.LittleEndian, "big endian": binary.BigEndian} {
			t.Run(test.name+", "+name, func(t *testing.T) {
				file := filepath.Join(t.TempDir(), "x.tif")
				if err := os.WriteFile(file, tiffFile(order, test.packed, test.tags), 0o644); err != nil {
					t.Fatal(err)
				}
				var before, after runtime.MemStats
				runtime.ReadMemStats(&before)
				picture, free, err := Decode(file, DefaultMaxPixels)
				runtime.ReadMemStats(&after)
				if grown := after.TotalAlloc - before.TotalAlloc; grown > 8<<20 {
					t.Errorf("it takes %d bytes", grown)
				}
				if test.want != "" {
					if err == nil || err.Error() != test.want {
						t.Errorf("got %v, want %s", err, test.want)
					}
					return
				}
				if err != nil {
					t.Fatal(err)
				}
				defer free()
				if picture.Bounds() != image.Rect(0, 0, side, side) || picture.At(side-1, side-1) != (color.Gray{Y: 77}) {
					t.Errorf("%v, the last pixel %v", picture.Bounds(), picture.At(side-1, side-1))
				}
			})
		}
	}
}

func FuzzDecodeFile(f *testing.F) {
	// Any bytes are a picture that can be scaled or an error, without a panic and in bounded memory.
	f.Add(tiffFile(binary.LittleEndian, []byte{1}, [][2]int64{{256, 1}, {257, 1}, {258, 8}, {259, 1}, {262, 1}, {273, -1}, {277, 1}, {278, 1}, {279, -2}}))
	f.Add([]byte("II*\x00\xf0\xff\xff\xff"))
	f.Add([]byte("\x89PNG\r\n\x1a\n"))
	f.Add([]byte("GIF89a\x01\x00\x01\x00\x80\x00\x00\x00\x00\x00\xff\xff\xff,\x00\x00\x00\x00\x01\x00\x01\x00\x00\x02\x02D\x01\x00;"))
	f.Add(slices.Concat([]byte("RIFF\x1a\x00\x00\x00WEBPVP8L\x0d\x00\x00\x00"), []byte("/\x00\x00\x00\x10\x07\x10\x11\x11\x88\x88\xfe\x07\x00")))
	f.Fuzz(func(t *testing.T, content []byte) {
		file := filepath.Join(t.TempDir(), "x.png")
		if err := os.WriteFile(file, content, 0o644); err != nil {
			t.Fatal(err)
		}
		picture, free, err := Decode(file, 1<<12)
		if err != nil {
			if strings.Contains(err.Error(), "\n") {
				t.Errorf("an error of several lines: %q", err)
			}
			return
		}
		defer free()
		for _, w := range []Window{Whole, Middle} {
			if out := w.Scale(picture, 8, 8, nil); out.Rect.Dx() != 8 {
				t.Error(out.Rect)
			}
		}
	})
}
