package picture

import (
	"bytes"
	"context"
	"encoding/base64"
	"encoding/binary"
	"image"
	"image/color"
	"image/gif"
	"image/jpeg"
	"image/png"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"testing"
	"testing/synctest"

	"golang.org/x/image/bmp"
	"golang.org/x/image/tiff"

	"godarts/nas/data/datatest"
)

func TestFormats(t *testing.T) {
	// A picture of each format of Suffixes is decoded.
	m := image.NewRGBA(image.Rect(0, 0, 1, 1))
	m.SetRGBA(0, 0, color.RGBA{255, 0, 0, 255})
	encoded := func(encode func(b *bytes.Buffer) error) []byte {
		var b bytes.Buffer
		if err := encode(&b); err != nil {
			t.Fatal(err)
		}
		return b.Bytes()
	}
	webp, err := base64.StdEncoding.DecodeString("UklGRiQAAABXRUJQVlA4IBgAAAAwAQCdASoBAAEAAgA0JaQAA3AA/vuUAAA=")
	if err != nil {
		t.Fatal(err)
	}
	jpg := encoded(func(b *bytes.Buffer) error { return jpeg.Encode(b, m, nil) })
	tif := encoded(func(b *bytes.Buffer) error { return tiff.Encode(b, m, nil) })
	files := map[string][]byte{
		".bmp":  encoded(func(b *bytes.Buffer) error { return bmp.Encode(b, m) }),
		".gif":  encoded(func(b *bytes.Buffer) error { return gif.Encode(b, m, nil) }),
		".jpeg": jpg, ".jpg": jpg, ".tif": tif, ".tiff": tif,
		".png":  encoded(func(b *bytes.Buffer) error { return png.Encode(b, m) }),
		".webp": webp,
	}
	for _, suffix := range Suffixes {
		t.Run(suffix, func(t *testing.T) {
			file := filepath.Join(t.TempDir(), "x"+suffix)
			if err := os.WriteFile(file, files[suffix], 0o644); err != nil {
				t.Fatal(err)
			}
			picture, free, err := Decode(file, 1)
			if err != nil {
				t.Fatal(err)
			}
			defer free()
			if picture.Bounds().Size() != image.Pt(1, 1) {
				t.Fatalf("bounds %v", picture.Bounds())
			}
			if got := Planes(Whole.Scale(picture, 1, 1, nil), 3); suffix != ".webp" && (got[0] < 250 || got[1] > 5 || got[2] > 5) {
				t.Errorf("got %v, want red", got)
			}
		})
	}
}

func TestHostileHeaders(t *testing.T) {
	// A file of a few bytes that claims a large offset or frame is refused in little memory.
	canvas := func(frame []byte) []byte { // a canvas of 1x1
		body := slices.Concat([]byte("WEBPVP8X\x0a\x00\x00\x00"), make([]byte, 10), []byte("VP8L"), binary.LittleEndian.AppendUint32(nil, uint32(len(frame))), frame)
		return slices.Concat([]byte("RIFF"), binary.LittleEndian.AppendUint32(nil, uint32(len(body))), body)
	}
	for name, test := range map[string]struct {
		content []byte
		want    string
	}{
		"TIFF":       {[]byte("II*\x00\xf0\xff\xff\xff"), "EOF"},
		"large WebP": {canvas([]byte("\x2f\xff\xff\xff\x0f\x00")), "webp: a frame of 16384 by 16384 on a canvas of 1 by 1"},
	} {
		t.Run(name, func(t *testing.T) {
			file := filepath.Join(t.TempDir(), "x.png")
			if err := os.WriteFile(file, test.content, 0o644); err != nil {
				t.Fatal(err)
			}
			var before, after runtime.MemStats
			runtime.ReadMemStats(&before)
			_, _, err := Decode(file, DefaultMaxPixels)
			runtime.ReadMemStats(&after)
			if err == nil || err.Error() != test.want {
				t.Errorf("got %v, want %s", err, test.want)
			}
			if grown := after.TotalAlloc - before.TotalAlloc; grown > 4<<20 {
				t.Errorf("it takes %d bytes", grown)
			}
		})
	}
}

func TestMaxPixels(t *testing.T) {
	// A picture with more pixels than allowed is refused by its header; one with the allowed number is decoded.
	file := filepath.Join(t.TempDir(), "x.png")
	if err := os.WriteFile(file, datatest.PNG(t, 1), 0o644); err != nil { // 3x5
		t.Fatal(err)
	}
	_, free, err := Decode(file, 15)
	if err != nil {
		t.Fatal(err)
	}
	free()
	const want = "3 by 5 pixels, want 1 to 14 in all (data.max_pixels)"
	if _, _, err := Decode(file, 14); err == nil || err.Error() != want {
		t.Errorf("got %v, want %s", err, want)
	}
}

func TestRoom(t *testing.T) {
	// Decode waits until there is room for the pixels, and releases the room when the picture is freed or broken.
	dir := t.TempDir()
	good, broken := filepath.Join(dir, "good.png"), filepath.Join(dir, "broken.png")
	content := datatest.PNG(t, 1)
	for file, content := range map[string][]byte{good: content, broken: content[:len(content)-20]} {
		if err := os.WriteFile(file, content, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	synctest.Test(t, func(t *testing.T) {
		if err := room.Acquire(context.Background(), roomPixels-14); err != nil { // the picture has 15
			t.Fatal(err)
		}
		decoded := false
		go func() {
			_, free, err := Decode(good, DefaultMaxPixels)
			if err != nil {
				t.Error(err)
				return
			}
			decoded = true
			free()
		}()
		synctest.Wait()
		if decoded {
			t.Error("it was decoded without room")
		}
		room.Release(roomPixels - 14)
		synctest.Wait()
		if !decoded {
			t.Error("it was not decoded with room")
		}
		if _, _, err := Decode(broken, DefaultMaxPixels); err == nil {
			t.Error("no error for a broken file")
		}
		if !room.TryAcquire(roomPixels) {
			t.Fatal("room is lost")
		}
		room.Release(roomPixels)
	})
}

func TestDecodeFile(t *testing.T) {
	// Pictures of every kind decode to their colours; other files, and headers that claim huge sizes, are errors.
	dir := t.TempDir()
	path := filepath.Join(dir, "x.jpg") // the content counts, not the name
	write := func(m image.Image) {
		f, err := os.Create(path)
		if err != nil {
			t.Fatal(err)
		}
		defer f.Close()
		if err := png.Encode(f, m); err != nil {
			t.Fatal(err)
		}
	}
	bounds := image.Rect(0, 0, 1, 1)
	paletted := image.NewPaletted(bounds, color.Palette{color.RGBA{200, 30, 90, 255}})
	clear := image.NewNRGBA(bounds)
	clear.SetNRGBA(0, 0, color.NRGBA{200, 100, 50, 0})
	deep := image.NewRGBA64(bounds)
	deep.SetRGBA64(0, 0, color.RGBA64{0x1234, 0x5678, 0x9abc, 0xffff})
	for _, c := range []struct {
		name    string
		picture image.Image
		want    []uint8
	}{
		{"palette", paletted, []uint8{200, 30, 90}},
		{"grey", &image.Gray{Pix: []uint8{77}, Stride: 1, Rect: bounds}, []uint8{77, 77, 77}},
		{"transparent", clear, []uint8{0, 0, 0}},
		{"sixteen bits", deep, []uint8{0x12, 0x56, 0x9a}},
	} {
		t.Run(c.name, func(t *testing.T) {
			write(c.picture)
			got, free, err := Decode(path, DefaultMaxPixels)
			if err != nil {
				t.Fatal(err)
			}
			defer free()
			if p := Planes(Whole.Scale(got, 1, 1, nil), 3); !slices.Equal(p, c.want) {
				t.Errorf("got %v, want %v", p, c.want)
			}
		})
	}
	write(image.NewGray(image.Rect(0, 0, 3, 3)))
	raw, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	huge := slices.Clone(raw)
	copy(huge[16:], []byte{0, 1, 0, 0, 0, 1, 0, 0}) // width and height of the header: 65536, whose checksum is then wrong
	for _, c := range []struct {
		name    string
		content []byte
		want    string
	}{
		{"empty", nil, "image: unknown format"},
		{"text", []byte("no picture"), "image: unknown format"},
		{"half", raw[:len(raw)/2], "unexpected EOF"},
		{"huge", huge, "checksum"},
	} {
		t.Run(c.name, func(t *testing.T) {
			if err := os.WriteFile(path, c.content, 0o644); err != nil {
				t.Fatal(err)
			}
			if _, _, err := Decode(path, DefaultMaxPixels); err == nil || !strings.Contains(err.Error(), c.want) {
				t.Errorf("got %v, want ...%s", err, c.want)
			}
		})
	}
}
