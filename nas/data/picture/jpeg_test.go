package picture

import (
	"bytes"
	"errors"
	"image"
	"image/jpeg"
	"math/rand/v2"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"testing"

	"godarts/nas/data/datatest"
	"godarts/nas/data/picture/turbojpeg"
)

// withJPEG selects a decoder for the rest of the test. It skips the test if the decoder is missing.
func withJPEG(t testing.TB, name string) {
	t.Helper()
	c := chooseJPEG(name, turbojpeg.Open)
	if c.err != nil {
		t.Skipf("not tested: JPEG by %s: %v", name, c.err)
	}
	before := chosenJPEG
	t.Cleanup(func() { chosenJPEG = before })
	chosenJPEG = func() jpegChoice { return c }
}

// jpegFiles lists the files of testdata/jpeg.
func jpegFiles(t testing.TB) []string {
	t.Helper()
	files, err := filepath.Glob("testdata/jpeg/*.jpg")
	if err != nil || len(files) < 13 {
		t.Fatalf("%d files, %v", len(files), err)
	}
	return files
}

// coloursOf decodes a file to [height, width, 3].
func coloursOf(t *testing.T, file string) ([]uint8, error) {
	t.Helper()
	m, free, err := Decode(file, DefaultMaxPixels)
	if err != nil {
		return nil, err
	}
	defer free()
	whole := image.NewRGBA(m.Bounds())
	resample(whole, whole.Rect, m, m.Bounds())
	var out []uint8
	for i := 0; i < len(whole.Pix); i += 4 {
		out = append(out, whole.Pix[i:i+3]...)
	}
	return out, nil
}

func TestJPEGEqualsPillow(t *testing.T) {
	// libturbojpeg decodes every pixel as Pillow 13.0, for all codings, samplings and colours.
	withJPEG(t, turboJPEG)
	for _, file := range jpegFiles(t) {
		want, err := os.ReadFile(strings.TrimSuffix(file, ".jpg") + ".rgb")
		if err != nil {
			t.Fatal(err)
		}
		if got, err := coloursOf(t, file); err != nil || !bytes.Equal(got, want) {
			t.Errorf("%s: %v, or other pixels", file, err)
		}
	}
}

func TestJPEGWithoutLibrary(t *testing.T) {
	// Go's decoder gives nearly Pillow's pixels for the usual kinds of files and names the fault of others.
	withJPEG(t, goJPEG)
	refused := map[string]string{
		"arithmetic": "unsupported JPEG feature: unknown marker", "chroma-finer": "unsupported JPEG feature: luma/chroma subsampling ratio",
		"chroma3x1": "unsupported JPEG feature: luma/chroma subsampling ratio",
	}
	for _, file := range jpegFiles(t) {
		name := strings.TrimSuffix(filepath.Base(file), ".jpg")
		got, err := coloursOf(t, file)
		if why := refused[name]; why != "" {
			if err == nil || err.Error() != why {
				t.Errorf("%s: got %v, want %s", name, err, why)
			}
			continue
		}
		want, readErr := os.ReadFile(strings.TrimSuffix(file, ".jpg") + ".rgb")
		if err != nil || readErr != nil || len(got) != len(want) {
			t.Errorf("%s: %d values, want %d: %v, %v", name, len(got), len(want), err, readErr)
			continue
		}
		sum, most := 0, 0
		for i := range got {
			d := max(int(got[i])-int(want[i]), int(want[i])-int(got[i]))
			sum, most = sum+d, max(most, d)
		}
		// Luma differs only by rounding. Coarser chroma is repeated, not smoothed, and the third colour of
		// the picture changes by 11 from one pixel to the next.
		mostMean, mostOff := 0.25, 2
		if coarse := []string{"411", "420", "420-restarts", "422-progressive", "440", "ycck"}; slices.Contains(coarse, name) {
			mostMean, mostOff = 6, 70
		}
		if mean := float64(sum) / float64(len(got)); mean > mostMean || most > mostOff {
			t.Errorf("%s: values are %.3f off, and at most %d, want %.2f and %d", name, mean, most, mostMean, mostOff)
		}
	}
}

func TestDecodersOfJPEGAgree(t *testing.T) {
	// Both decoders give grey values at most one apart for files of Go's encoder, of any quality and size.
	file := filepath.Join(t.TempDir(), "x.jpg")
	r := rand.New(rand.NewPCG(1, 2))
	for range 50 {
		m := image.NewGray(image.Rect(0, 0, 1+r.IntN(40), 1+r.IntN(40)))
		for i := range m.Pix {
			m.Pix[i] = uint8(128 + 60*(r.Float64()-0.5) + 60*float64(i%7-3)/3)
		}
		var b bytes.Buffer
		if err := jpeg.Encode(&b, m, &jpeg.Options{Quality: 20 + r.IntN(80)}); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(file, b.Bytes(), 0o644); err != nil {
			t.Fatal(err)
		}
		var decoded [2][]uint8
		for i, name := range []string{goJPEG, turboJPEG} {
			withJPEG(t, name)
			got, err := coloursOf(t, file)
			if err != nil {
				t.Fatal(err)
			}
			decoded[i] = got
		}
		for i, got := range decoded[1] {
			if d := int(got) - int(decoded[0][i]); d < -1 || d > 1 {
				t.Fatalf("%v: value %d is %d and %d", m.Rect, i, got, decoded[0][i])
			}
		}
	}
}

func TestDamagedJPEG(t *testing.T) {
	// Both decoders refuse a truncated or damaged file and read one with extra bytes.
	whole, err := os.ReadFile("testdata/jpeg/420.jpg")
	if err != nil {
		t.Fatal(err)
	}
	end := len(whole) - 2
	damaged := slices.Clone(whole)
	for i := end - 60; i < end; i++ { // only ones, which are no code
		damaged[i] = []byte{0xff, 0x00}[(i-end)&1]
	}
	file := filepath.Join(t.TempDir(), "x.jpg")
	for _, test := range []struct {
		name         string
		content      []byte
		turbo, plain string // errors
	}{
		{"whole", whole, "", ""},
		{"bytes after the end", append(slices.Clone(whole), "film"...), "", ""},
		{"bytes before the end", slices.Concat(whole[:end], []byte("\x00\x01\x02\x03"), whole[end:]), "", ""},
		{"half of the data", whole[:end-200], "jpeg: Premature end of JPEG file", "invalid JPEG format: short Huffman data"},
		{"no end", whole[:end], "jpeg: Premature end of JPEG file", "unexpected EOF"},
		{"damaged", damaged, "jpeg: Corrupt JPEG data: bad Huffman code", "invalid JPEG format: bad Huffman code"},
		{"only a header", whole[:200], "jpeg: JPEG datastream contains no image", "unexpected EOF"},
	} {
		if err := os.WriteFile(file, test.content, 0o644); err != nil {
			t.Fatal(err)
		}
		for decoder, want := range map[string]string{turboJPEG: test.turbo, goJPEG: test.plain} {
			t.Run(test.name+", "+filepath.Base(decoder), func(t *testing.T) {
				withJPEG(t, decoder)
				_, free, err := Decode(file, DefaultMaxPixels)
				if err == nil {
					free()
				}
				if want == "" && err != nil || want != "" && (err == nil || err.Error() != want) {
					t.Errorf("got %v, want %q", err, want)
				}
			})
		}
	}
}

func TestChooseJPEG(t *testing.T) {
	// The library decodes if it is there, Go's decoder if it is not or if the environment says so; a missing choice is an error.
	missing := errors.New("no such library")
	for _, test := range []struct {
		wanted string
		open   error
		want   jpegChoice
		err    string
	}{
		{"", nil, jpegChoice{name: turboJPEG}, ""},
		{"", missing, jpegChoice{name: goJPEG, missing: missing}, ""},
		{turboJPEG, nil, jpegChoice{name: turboJPEG}, ""},
		{turboJPEG, missing, jpegChoice{}, "data: GODARTS_JPEG=libturbojpeg: no such library"},
		{goJPEG, nil, jpegChoice{name: goJPEG}, ""},
		{"Pillow", nil, jpegChoice{}, "data: GODARTS_JPEG=Pillow: no decoder (wanted libturbojpeg or image/jpeg)"},
	} {
		got := chooseJPEG(test.wanted, func() error { return test.open })
		message := ""
		if got.err != nil {
			message = got.err.Error()
		}
		if got.err = nil; got != test.want || message != test.err {
			t.Errorf("%q: got %+v, %q", test.wanted, got, message)
		}
	}
}

func FuzzJPEG(f *testing.F) {
	// Any bytes that begin as JPEG are a picture of the same size or an error in both decoders, without a panic and in bounded memory.
	for _, file := range jpegFiles(f) {
		content, err := os.ReadFile(file)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(content[2:])
	}
	before := chosenJPEG
	f.Cleanup(func() { chosenJPEG = before })
	const most = 1 << 14 // pixels
	f.Fuzz(func(t *testing.T, content []byte) {
		file := filepath.Join(t.TempDir(), "x.jpg")
		if err := os.WriteFile(file, append([]byte("\xff\xd8"), content...), 0o644); err != nil {
			t.Fatal(err)
		}
		var bounds []image.Rectangle
		for _, name := range []string{goJPEG, turboJPEG} {
			c := chooseJPEG(name, turbojpeg.Open)
			if c.err != nil {
				continue
			}
			chosenJPEG = func() jpegChoice { return c }
			var before, after runtime.MemStats
			runtime.ReadMemStats(&before)
			m, free, err := Decode(file, most)
			runtime.ReadMemStats(&after)
			if grown := after.TotalAlloc - before.TotalAlloc; grown > uint64(64*most+4*len(content)+1<<20) {
				t.Errorf("%s takes %d bytes", name, grown)
			}
			if err != nil {
				if strings.Contains(err.Error(), "\n") {
					t.Errorf("an error of several lines: %q", err)
				}
				continue
			}
			bounds = append(bounds, m.Bounds())
			Middle.Scale(m, 8, 8, nil)
			free()
		}
		if len(bounds) == 2 && bounds[0] != bounds[1] {
			t.Errorf("sizes %v", bounds)
		}
	})
}

// BenchmarkPicture decodes a photograph of 500x375 and scales it to 224x224.
func BenchmarkPicture(b *testing.B) {
	m := datatest.Formula(500, 375)
	r := rand.New(rand.NewPCG(1, 2))
	for i := range m.Pix { // as many bytes as a photograph's file
		m.Pix[i] = uint8(64 + int(m.Pix[i])/4 + r.IntN(24))
	}
	var content bytes.Buffer
	if err := jpeg.Encode(&content, m, &jpeg.Options{Quality: 90}); err != nil {
		b.Fatal(err)
	}
	file := filepath.Join(b.TempDir(), "x.jpg")
	if err := os.WriteFile(file, content.Bytes(), 0o644); err != nil {
		b.Fatal(err)
	}
	for _, decoder := range []string{turboJPEG, goJPEG} {
		b.Run("decode/"+filepath.Base(decoder), func(b *testing.B) {
			withJPEG(b, decoder)
			for b.Loop() {
				_, free, err := Decode(file, DefaultMaxPixels)
				if err != nil {
					b.Fatal(err)
				}
				free()
			}
		})
	}
	b.Run("scale", func(b *testing.B) {
		for b.Loop() {
			Middle.Scale(m, 224, 224, nil)
		}
	})
}
