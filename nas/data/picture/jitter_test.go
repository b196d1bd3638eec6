package picture

import (
	"fmt"
	"math"
	"slices"
	"testing"

	"godarts/nas/data/datatest"
	"godarts/nas/rng"
)

// swatch returns colours in four bytes each; the fourth byte has to stay.
func swatch(rgb ...uint8) []uint8 {
	var out []uint8
	for c := range slices.Chunk(rgb, 3) {
		out = append(append(out, c...), 99)
	}
	return out
}

func TestJitterEqualsPillow(t *testing.T) {
	// Brightness, contrast and saturation change colours as Pillow 13.0's ImageEnhance with the same factors.
	for _, c := range []struct {
		name string
		step func([]uint8)
		want []uint8
	}{
		{"darker", colours{brightness: 0.6}.brighten, swatch(120, 18, 54, 0, 0, 0, 153, 153, 153, 6, 120, 36, 4, 5, 150, 76, 76, 38)},
		{"brighter", colours{brightness: 1.37}.brighten, swatch(255, 41, 123, 0, 0, 0, 255, 255, 255, 13, 255, 82, 9, 12, 255, 175, 173, 87)},
		{"less contrast", colours{contrast: 0.6}.contrasted, swatch(161, 59, 95, 41, 41, 41, 194, 194, 194, 47, 161, 77, 45, 46, 191, 118, 117, 80)},
		{"more contrast", colours{contrast: 1.37}.contrasted, swatch(235, 2, 84, 0, 0, 0, 255, 255, 255, 0, 235, 43, 0, 0, 255, 136, 135, 49)},
		{"paler", colours{saturated: 0.6}.saturate, swatch(155, 53, 89, 0, 0, 0, 255, 255, 255, 56, 170, 86, 18, 19, 164, 124, 124, 86)},
		{"deeper", colours{saturated: 1.37}.saturate, swatch(241, 8, 90, 0, 0, 0, 255, 255, 255, 0, 227, 35, 0, 0, 255, 130, 129, 43)},
	} {
		t.Run(c.name, func(t *testing.T) {
			got := swatch(200, 30, 90, 0, 0, 0, 255, 255, 255, 10, 200, 60, 7, 9, 250, 128, 127, 64)
			c.step(got)
			if !slices.Equal(got, c.want) {
				t.Errorf("got  %v\nwant %v", got, c.want)
			}
		})
	}
}

func TestHue(t *testing.T) {
	// A hue moves round the circle by known angles, and grey stays.
	for _, c := range []struct {
		turn float64
		want []uint8
	}{
		{0, swatch(200, 20, 20, 90, 90, 90, 10, 250, 130)},
		{1. / 3, swatch(20, 200, 20, 90, 90, 90, 130, 10, 250)},
		{-1. / 3, swatch(20, 20, 200, 90, 90, 90, 250, 130, 10)},
		{0.5, swatch(20, 200, 200, 90, 90, 90, 250, 10, 130)},
		{1. / 12, swatch(200, 110, 20, 90, 90, 90, 10, 250, 250)},
	} {
		t.Run(fmt.Sprintf("%.2f", c.turn), func(t *testing.T) {
			got := swatch(200, 20, 20, 90, 90, 90, 10, 250, 130)
			colours{hue: c.turn}.turn(got)
			if !slices.Equal(got, c.want) {
				t.Errorf("got  %v\nwant %v", got, c.want)
			}
		})
	}
}

func TestJitterDraws(t *testing.T) {
	// Factors are uniform within their bounds, and every order is drawn equally often.
	j := Jitter{Brightness: 0.4, Contrast: 0.3, Saturation: 0.2, Hue: 0.1}
	const bins = 8
	factors := [4][]int{make([]int, bins), make([]int, bins), make([]int, bins), make([]int, bins)}
	orders := map[[4]int]int{}
	r := rng.Stream(1, "test")
	for range 6000 {
		c := j.draw(r)
		orders[c.order]++
		for i, v := range []float64{(c.brightness - 1) / 0.4, (c.contrast - 1) / 0.3, (c.saturated - 1) / 0.2, c.hue / 0.1} {
			if math.Abs(v) > 1+1e-12 {
				t.Fatalf("factor %d is out of bounds: %+v", i, c)
			}
			factors[i][min(int((v+1)/2*bins), bins-1)]++
		}
	}
	for i, counts := range factors {
		datatest.Uniform(t, fmt.Sprint("factor ", i), counts)
	}
	var counts []int
	for _, n := range orders {
		counts = append(counts, n)
	}
	if len(counts) != 24 {
		t.Fatalf("%d orders, want 24", len(counts))
	}
	datatest.Uniform(t, "orders", counts)
}

func TestJitterOrderMatters(t *testing.T) {
	// Steps are taken in the order that was drawn.
	a := colours{order: [4]int{0, 1, 2, 3}, brightness: 1.4, contrast: 0.6, saturated: 1, hue: 0}
	b := a
	b.order = [4]int{1, 0, 2, 3}
	x, y := swatch(200, 30, 90, 10, 200, 60), swatch(200, 30, 90, 10, 200, 60)
	a.apply(x)
	b.apply(y)
	want := swatch(200, 30, 90, 10, 200, 60)
	a.brighten(want)
	a.contrasted(want)
	a.saturate(want)
	a.turn(want)
	if !slices.Equal(x, want) || slices.Equal(x, y) {
		t.Errorf("got %v and %v, want %v and another", x, y, want)
	}
}
