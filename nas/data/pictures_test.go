package data

import (
	"errors"
	"image"
	"image/color"
	"image/png"
	"math"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"godarts/nas/rng"
)

// formula is a picture whose parts are (11x+7y, xy, x²+3y) modulo 256.
func formula(width, height int) *image.RGBA {
	m := image.NewRGBA(image.Rect(0, 0, width, height))
	for y := range height {
		for x := range width {
			m.SetRGBA(x, y, color.RGBA{uint8(11*x + 7*y), uint8(x * y), uint8(x*x + 3*y), 255})
		}
	}
	return m
}

func TestScaleEqualsPillow(t *testing.T) {
	// Windows hold what Pillow 13.0 gives by resize(BILINEAR) and crop, with torchvision's sizes and offsets, when pictures are larger, smaller, wide and tall.
	for _, c := range []struct {
		name                string
		window              Window
		width, height, size int
		want                []uint8 // [3, size, size]
	}{
		{"wide", Whole, 23, 17, 4, []uint8{
			39, 84, 135, 186, 66, 111, 162, 204, 96, 141, 191, 163, 123, 168, 206, 84, 4, 13, 22, 32, 13, 37, 64, 92,
			23, 65, 112, 158, 31, 89, 154, 181, 14, 50, 131, 119, 26, 62, 143, 131, 38, 74, 152, 124, 50, 86, 159, 107,
		}},
		{"middle", Middle, 23, 17, 7, []uint8{
			63, 88, 113, 139, 164, 189, 215, 77, 102, 127, 153, 178, 203, 226, 91, 116, 141, 167, 192, 217, 215, 106, 131, 156,
			182, 207, 230, 106, 122, 147, 172, 198, 223, 176, 40, 137, 162, 187, 213, 218, 80, 33, 151, 176, 201, 225, 136, 26,
			47, 4, 6, 8, 9, 11, 13, 15, 14, 20, 26, 33, 38, 44, 51, 25, 36, 47, 58, 69, 80, 91, 37, 52,
			68, 84, 100, 116, 131, 48, 68, 89, 111, 131, 152, 173, 59, 84, 110, 137, 162, 188, 209, 70, 101, 131, 162, 193,
			217, 139, 31, 60, 100, 151, 175, 53, 110, 37, 66, 106, 157, 181, 59, 116, 43, 72, 112, 163, 187, 65, 122, 50,
			79, 119, 170, 194, 72, 129, 56, 85, 125, 176, 197, 77, 135, 63, 92, 132, 183, 139, 63, 142, 69, 98, 138, 189,
			127, 64, 148,
		}},
		{"tall", Whole, 9, 21, 4, []uint8{
			47, 69, 95, 117, 62, 84, 110, 132, 79, 101, 127, 149, 96, 118, 144, 166, 4, 15, 28, 39, 6, 22, 39, 55,
			8, 29, 51, 72, 10, 35, 64, 89, 17, 25, 43, 68, 24, 32, 50, 75, 31, 39, 57, 82, 38, 46, 64, 89,
		}},
		{"enlarged", Whole, 5, 3, 7, []uint8{
			7, 12, 17, 22, 27, 32, 37, 8, 13, 18, 23, 28, 33, 38, 11, 16, 21, 26, 31, 36, 41, 14, 19, 24,
			29, 34, 39, 44, 17, 22, 27, 32, 37, 42, 47, 20, 25, 30, 35, 40, 45, 50, 21, 26, 31, 36, 41, 46,
			51, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1, 1, 1, 1, 1, 2, 2, 1, 1,
			2, 2, 2, 3, 3, 1, 1, 2, 3, 3, 4, 5, 1, 2, 3, 4, 5, 6, 6, 1, 2, 3, 4, 5,
			6, 7, 1, 1, 3, 4, 6, 9, 12, 1, 1, 3, 4, 6, 9, 12, 3, 3, 5, 6, 8, 11, 14, 4,
			4, 6, 7, 9, 12, 15, 5, 5, 7, 8, 10, 13, 16, 7, 7, 9, 10, 12, 15, 18, 7, 7, 9, 10,
			12, 15, 18,
		}},
	} {
		t.Run(c.name, func(t *testing.T) {
			if got := planes(c.window.scale(formula(c.width, c.height), c.size, c.size, nil), 3); !slices.Equal(got, c.want) {
				t.Errorf("got %v, want %v", got, c.want)
			}
		})
	}
}

func TestScaleArea(t *testing.T) {
	// A rectangle is scaled as Pillow 13.0 scales what it cuts out, without a look at what lies around it.
	want := []uint8{
		71, 98, 128, 155, 93, 120, 150, 177, 118, 145, 175, 202, 140, 167, 197, 224, 15, 24, 33, 42, 28, 45, 63, 80,
		42, 68, 96, 122, 56, 89, 126, 159, 29, 57, 100, 152, 38, 66, 109, 161, 49, 77, 120, 172, 58, 86, 129, 181,
	}
	for seed := range 1000 {
		// The first seed whose draw is that rectangle would be rare: cut it out beforehand and ask for all of it.
		r := rng.Stream(int64(seed), "area")
		if randomArea(r, image.Rect(0, 0, 11, 14), 4, 4) != image.Rect(0, 0, 11, 14) {
			continue
		}
		part := formula(23, 17).SubImage(image.Rect(3, 2, 14, 16))
		if got := planes(RandomArea.scale(part, 4, 4, rng.Stream(int64(seed), "area")), 3); !slices.Equal(got, want) {
			t.Errorf("got %v, want %v", got, want)
		}
		return
	}
	t.Fatal("no seed takes the whole picture")
}

func TestScaleKeepsSize(t *testing.T) {
	// Nothing is changed when a picture has the size already.
	m := formula(6, 6)
	if got := Whole.scale(m, 6, 6, nil); !slices.Equal(got.Pix, m.Pix) {
		t.Errorf("got %v, want %v", got.Pix, m.Pix)
	}
}

func TestRandomArea(t *testing.T) {
	// Areas and ratios are uniform (ratios by their logarithm) within the recipe's bounds, and the rectangle lies anywhere, when it is drawn often.
	r := rng.Stream(1, "test")
	from := image.Rect(10, 20, 1010, 820)
	const draws, bins = 8000, 10
	areas, ratios, left := make([]int, bins), make([]int, bins), make([]int, bins)
	for range draws {
		got := randomArea(r, from, 224, 224)
		if !got.In(from) {
			t.Fatalf("%v lies outside %v", got, from)
		}
		area := float64(got.Dx()*got.Dy()) / float64(1000*800)
		ratio := math.Log(float64(got.Dx())/float64(got.Dy())) / math.Log(4./3)
		if area < 0.079 || area > 1 || math.Abs(ratio) > 1.02 {
			t.Fatalf("%v: area %g, ratio %g", got, area, ratio)
		}
		// Below half of the picture every ratio fits, so no draw is thrown away.
		if area >= 0.5 {
			continue
		}
		areas[min(int((area-0.08)/0.42*bins), bins-1)]++
		ratios[min(max(int((ratio+1)/2*bins), 0), bins-1)]++
		left[min(int(float64(got.Min.X-10)/float64(1000-got.Dx()+1)*bins), bins-1)]++
	}
	checkUniform(t, "areas", areas)
	checkUniform(t, "ratios", ratios)
	checkUniform(t, "left edges", left)
}

func TestRandomAreaOfExtremes(t *testing.T) {
	// The rectangle is the middle, as wide as the ratios allow, when no other fits.
	for _, c := range []struct {
		name string
		from image.Rectangle
		want image.Rectangle
	}{
		{"line", image.Rect(0, 0, 1000, 1), image.Rect(499, 0, 500, 1)},
		{"wide", image.Rect(0, 0, 900, 30), image.Rect(430, 0, 470, 30)},
		{"tall", image.Rect(0, 0, 30, 900), image.Rect(0, 430, 30, 470)},
		{"pixel", image.Rect(5, 5, 6, 6), image.Rect(5, 5, 6, 6)},
	} {
		t.Run(c.name, func(t *testing.T) {
			found := false
			for seed := range int64(200) {
				got := randomArea(rng.Stream(seed, "test"), c.from, 32, 32)
				if got.Empty() || !got.In(c.from) {
					t.Fatalf("seed %d: %v", seed, got)
				}
				found = found || got == c.want
			}
			if !found {
				t.Errorf("never %v", c.want)
			}
		})
	}
}

func TestPlanes(t *testing.T) {
	// Three channels are the colours and one is the brightness that Pillow's convert("L") gives.
	m := &image.RGBA{Pix: []uint8{200, 30, 90, 255, 7, 9, 250, 255}, Stride: 8, Rect: image.Rect(0, 0, 2, 1)}
	if got := planes(m, 3); !slices.Equal(got, []uint8{200, 7, 30, 9, 90, 250}) {
		t.Errorf("colours %v", got)
	}
	if got := planes(m, 1); !slices.Equal(got, []uint8{88, 36}) {
		t.Errorf("brightness %v", got)
	}
}

// drawn are pictures made by a function.
type drawn func(i int) (image.Image, error)

func (d drawn) Decode(i int) (image.Image, func(), error) {
	m, err := d(i)
	return m, keep, err
}

// pictured are n pictures of 4x4 images and n classes.
func pictured(n int, p Pictures) *Images {
	m := Options{Size: 4, Channels: 3}.images(p, nil, n)
	m.N = n
	for i := range n {
		m.Labels = append(m.Labels, uint16(i))
	}
	return m
}

// withDecoders runs body with that many places for decoded pictures.
func withDecoders(n int, body func()) {
	before := decoders
	defer func() { decoders = before }()
	decoders = make(chan struct{}, n)
	body()
}

func TestDecodedPicturesAreBounded(t *testing.T) {
	// No more pictures than processors are in memory at a time when many batches are loaded at once.
	const places = 3
	synctest.Test(t, func(t *testing.T) {
		withDecoders(places, func() {
			var alive, most atomic.Int64
			m := pictured(40, drawn(func(i int) (image.Image, error) {
				if now := alive.Add(1); now > most.Load() {
					most.Store(now)
				}
				time.Sleep(time.Second)
				return &alivePicture{Image: formula(9, 9), alive: &alive}, nil
			}))
			s := &Source{Images: m, Augment: ImageNet(), Size: 10}
			var loads sync.WaitGroup
			for step := range s.Steps() {
				loads.Go(func() { s.Load(0, step) })
			}
			loads.Wait()
			if most.Load() != places || alive.Load() != 0 {
				t.Errorf("at most %d pictures at a time and %d at the end, want %d and 0", most.Load(), alive.Load(), places)
			}
		})
	})
}

// alivePicture counts as alive until its bounds, which scaling asks for first,
// have been told once. That takes a second.
type alivePicture struct {
	image.Image
	alive *atomic.Int64
	told  bool
}

func (p *alivePicture) Bounds() image.Rectangle {
	if !p.told {
		p.told = true
		time.Sleep(time.Second)
		p.alive.Add(-1)
	}
	return p.Image.Bounds()
}

func TestLoadPicturesWithAnyWorkers(t *testing.T) {
	// Batches are the same, bit for bit, when one picture is decoded at a time and when many are.
	m := pictured(40, drawn(func(i int) (image.Image, error) { return formula(9+i%5, 7+i%7), nil }))
	for _, a := range []Augment{{}, {Pad: 1, Flip: true}, ImageNet(), ImageNet().Evaluation()} {
		s := &Source{Images: m, Augment: a, Seed: 3, Name: "train", Size: 16, Order: Shuffled}
		var one, many [3]*Batch
		withDecoders(1, func() {
			for step := range one {
				one[step] = s.Load(1, step)
			}
		})
		withDecoders(8, func() {
			for step := range many {
				many[step] = s.Load(1, step)
			}
		})
		for step := range one {
			if !same(one[step], many[step]) {
				t.Errorf("%+v: step %d differs", a, step)
			}
		}
	}
}

func TestPicturesInMemory(t *testing.T) {
	// The recipe for photographs takes images from memory when it is asked for, and gives other ones with every draw.
	m := randomCIFAR(1, 3)
	s := &Source{Images: m, Augment: ImageNet(), Seed: 1, Name: "train", Size: 3}
	first, again, later := s.Load(0, 0), s.Load(0, 0), s.Load(1, 0)
	if !same(first, again) || same(first, later) {
		t.Error("the same draws differ, or different ones do not")
	}
	s.Augment = Augment{}
	plain := s.Load(0, 0)
	m.Pictures, m.Pixels = drawn(func(i int) (image.Image, error) {
		m, _, err := randomCIFAR(1, 3).decode(i)
		return m, err
	}), nil
	if decoded := s.Load(0, 0); !same(plain, decoded) {
		t.Error("an image changes on its way through a picture of its size")
	}
}

func TestBrokenPictures(t *testing.T) {
	// A batch names its first broken picture, or is without them and tells which, when some cannot be decoded.
	m := pictured(10, drawn(func(i int) (image.Image, error) {
		if i == 3 || i == 5 {
			return nil, errors.New("broken " + string(rune('0'+i)))
		}
		return formula(4+i, 4+i), nil
	}))
	s := &Source{Images: m, Size: 6}
	if b := s.Load(0, 0); b.Err == nil || b.Err.Error() != "broken 3" {
		t.Errorf("got %v, want broken 3", b.Err)
	}
	if b := s.Load(0, 1); b.Err != nil || b.N != 4 {
		t.Errorf("a good batch: %d images, %v", b.N, b.Err)
	}
	s.Skip = true
	b := s.Load(1, 0)
	if b.Err != nil || b.N != 4 || !slices.Equal(b.Y, []int64{0, 1, 2, 4}) || len(b.X) != 4*m.size() {
		t.Errorf("%d images, labels %v, %d values, %v", b.N, b.Y, len(b.X), b.Err)
	}
	if want := []Unreadable{{Why: "broken 3"}, {Why: "broken 5"}}; !slices.Equal(b.LeftOut, want) {
		t.Errorf("left out are %v, want %v", b.LeftOut, want)
	}
	want := &Source{Images: m.Slice(4, 5), Size: 1}
	if got := b.X[3*m.size():]; !slices.Equal(got, want.Load(0, 0).X) {
		t.Error("the last image is not that of its label")
	}
	s.Images = m.Slice(3, 4)
	if b := s.Load(0, 0); b.Err != nil || b.N != 0 || len(b.X) != 0 || len(b.LeftOut) != 1 {
		t.Errorf("of a batch of one broken picture %d are left, %v", b.N, b.Err)
	}
}

func TestDecodeFile(t *testing.T) {
	// Pictures of every kind decode to their colours, and what is none or claims to be huge is an error, when files are read.
	dir := t.TempDir()
	path := filepath.Join(dir, "x.jpg") // what it holds counts, not its name
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
			got, free, err := decodeFile(path, DefaultMaxPixels)
			if err != nil {
				t.Fatal(err)
			}
			defer free()
			if p := planes(Whole.scale(got, 1, 1, nil), 3); !slices.Equal(p, c.want) {
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
			if _, _, err := decodeFile(path, DefaultMaxPixels); err == nil || !strings.Contains(err.Error(), c.want) {
				t.Errorf("got %v, want ...%s", err, c.want)
			}
		})
	}
}
