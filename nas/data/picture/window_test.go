package picture

import (
	"image"
	"math"
	"runtime"
	"slices"
	"testing"

	"godarts/nas/data/datatest"
	"godarts/nas/rng"
)

func TestScaleEqualsPillow(t *testing.T) {
	// Scale equals resize(BILINEAR) and crop of Pillow 13.0 with torchvision's sizes and offsets, for larger, smaller, wide and tall pictures.
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
			if got := Planes(c.window.Scale(datatest.Formula(c.width, c.height), c.size, c.size, nil), 3); !slices.Equal(got, c.want) {
				t.Errorf("got %v, want %v", got, c.want)
			}
		})
	}
}

func TestScaleArea(t *testing.T) {
	// A rectangle is scaled as Pillow 13.0 scales a cut-out: pixels around it do not count.
	want := []uint8{
		71, 98, 128, 155, 93, 120, 150, 177, 118, 145, 175, 202, 140, 167, 197, 224, 15, 24, 33, 42, 28, 45, 63, 80,
		42, 68, 96, 122, 56, 89, 126, 159, 29, 57, 100, 152, 38, 66, 109, 161, 49, 77, 120, 172, 58, 86, 129, 181,
	}
	for seed := range 1000 {
		// Few seeds draw that rectangle. So cut it out first and take a seed that draws the whole picture.
		r := rng.Stream(int64(seed), "area")
		if randomArea(r, image.Rect(0, 0, 11, 14), 4, 4) != image.Rect(0, 0, 11, 14) {
			continue
		}
		part := datatest.Formula(23, 17).SubImage(image.Rect(3, 2, 14, 16))
		if got := Planes(RandomArea.Scale(part, 4, 4, rng.Stream(int64(seed), "area")), 3); !slices.Equal(got, want) {
			t.Errorf("got %v, want %v", got, want)
		}
		return
	}
	t.Fatal("no seed takes the whole picture")
}

func TestScaleKeepsSize(t *testing.T) {
	// Scale does not change a picture that has the size already.
	m := datatest.Formula(6, 6)
	if got := Whole.Scale(m, 6, 6, nil); !slices.Equal(got.Pix, m.Pix) {
		t.Errorf("got %v, want %v", got.Pix, m.Pix)
	}
}

func TestRandomArea(t *testing.T) {
	// Areas and the logarithms of ratios are uniform within the recipe's bounds, and the rectangle lies anywhere.
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
		// Below half of the picture every ratio fits, so no draw is rejected.
		if area >= 0.5 {
			continue
		}
		areas[min(int((area-0.08)/0.42*bins), bins-1)]++
		ratios[min(max(int((ratio+1)/2*bins), 0), bins-1)]++
		left[min(int(float64(got.Min.X-10)/float64(1000-got.Dx()+1)*bins), bins-1)]++
	}
	datatest.Uniform(t, "areas", areas)
	datatest.Uniform(t, "ratios", ratios)
	datatest.Uniform(t, "left edges", left)
}

func TestRandomAreaOfExtremes(t *testing.T) {
	// The rectangle is the largest one in the middle with an allowed ratio when no other fits.
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
	// Three channels are the colours; one channel is the brightness of Pillow's convert("L").
	m := &image.RGBA{Pix: []uint8{200, 30, 90, 255, 7, 9, 250, 255}, Stride: 8, Rect: image.Rect(0, 0, 2, 1)}
	if got := Planes(m, 3); !slices.Equal(got, []uint8{200, 7, 30, 9, 90, 250}) {
		t.Errorf("colours %v", got)
	}
	if got := Planes(m, 1); !slices.Equal(got, []uint8{88, 36}) {
		t.Errorf("brightness %v", got)
	}
}

func TestScaleOfAnyAspect(t *testing.T) {
	// Memory is bounded, and the middle is shown, when a picture is extremely long.
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
			out := w.Scale(picture, 32, 32, nil)
			runtime.ReadMemStats(&after)
			if grown := after.TotalAlloc - before.TotalAlloc; grown > 4<<20 {
				t.Errorf("%v: scaling takes %d bytes", picture.Bounds(), grown)
			}
			if p := Planes(out, 1); p[16*32+16] != 200 || slices.Min(p) < 50 {
				t.Errorf("%v: the middle is %d", picture.Bounds(), p[16*32+16])
			}
		}
	}
	if from := image.Rect(5, 5, 85, 15); middle(from, 32, 32) != from {
		t.Error("a picture eight times as wide as high is cut")
	}
}
