package data

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
	"testing"
	"testing/synctest"

	"golang.org/x/image/bmp"
	"golang.org/x/image/tiff"
)

func TestFormats(t *testing.T) {
	// A picture of each format that counts as an image is read when a folder has it.
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
	for _, suffix := range suffixes {
		t.Run(suffix, func(t *testing.T) {
			file := filepath.Join(t.TempDir(), "x"+suffix)
			if err := os.WriteFile(file, files[suffix], 0o644); err != nil {
				t.Fatal(err)
			}
			picture, free, err := decodeFile(file, 1)
			if err != nil {
				t.Fatal(err)
			}
			defer free()
			if picture.Bounds().Size() != image.Pt(1, 1) {
				t.Fatalf("bounds %v", picture.Bounds())
			}
			if got := planes(Whole.scale(picture, 1, 1, nil), 3); suffix != ".webp" && (got[0] < 250 || got[1] > 5 || got[2] > 5) {
				t.Errorf("got %v, want red", got)
			}
		})
	}
}

func TestHostileHeaders(t *testing.T) {
	// A file of some bytes is refused in little memory when it claims an offset or a frame beyond all that it has.
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
			_, _, err := decodeFile(file, DefaultMaxPixels)
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
	// A picture of more pixels than allowed is refused by its header, one of as many is read.
	file := filepath.Join(t.TempDir(), "x.png")
	if err := os.WriteFile(file, pictureFile(t, 1), 0o644); err != nil { // 3x5
		t.Fatal(err)
	}
	_, free, err := decodeFile(file, 15)
	if err != nil {
		t.Fatal(err)
	}
	free()
	const want = "3 by 5 pixels, want 1 to 14 in all (data.max_pixels)"
	if _, _, err := decodeFile(file, 14); err == nil || err.Error() != want {
		t.Errorf("got %v, want %s", err, want)
	}
}

func TestRoom(t *testing.T) {
	// A picture waits to be decoded until there is room for its pixels, and gives the room back when it is freed or broken.
	dir := t.TempDir()
	good, broken := filepath.Join(dir, "good.png"), filepath.Join(dir, "broken.png")
	content := pictureFile(t, 1)
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
			_, free, err := decodeFile(good, DefaultMaxPixels)
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
		if _, _, err := decodeFile(broken, DefaultMaxPixels); err == nil {
			t.Error("no error for a broken file")
		}
		if !room.TryAcquire(roomPixels) {
			t.Fatal("room is lost")
		}
		room.Release(roomPixels)
	})
}

func TestScaleOfAnyAspect(t *testing.T) {
	// Memory is bounded, and the middle is shown, when a picture is long beyond all ratios.
	const long = 1_000_000
	m := image.NewGray(image.Rect(0, 0, 1, long))
	for i := range m.Pix {
		m.Pix[i] = 50
	}
	m.Pix[long/2], m.Pix[long/2-1] = 200, 200
	wide := &image.Gray{Pix: m.Pix, Stride: long, Rect: image.Rect(0, 0, long, 1)}
	for _, picture := range []image.Image{m, wide} {
		for _, w := range []Window{Whole, Middle} {
			var before, after runtime.MemStats
			runtime.ReadMemStats(&before)
			out := w.scale(picture, 32, 32, nil)
			runtime.ReadMemStats(&after)
			if grown := after.TotalAlloc - before.TotalAlloc; grown > 4<<20 {
				t.Errorf("%v: scaling takes %d bytes", picture.Bounds(), grown)
			}
			if p := planes(out, 1); p[16*32+16] != 200 || slices.Min(p) < 50 {
				t.Errorf("%v: the middle is %d", picture.Bounds(), p[16*32+16])
			}
		}
	}
	if from := image.Rect(5, 5, 85, 15); middle(from, 32, 32) != from {
		t.Error("a picture eight times as wide as high is cut")
	}
}
