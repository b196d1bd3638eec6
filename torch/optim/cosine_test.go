package optim

import (
	"fmt"
	"math"
	"testing"
)

func TestCosine(t *testing.T) {
	// Cosine gives the learning rates of the published runs when it has their settings.
	cases := []struct {
		max, min      float64
		epoch, epochs int
		want          float64
		digits        float64 // how far want is printed
	}{
		{0.025, 0.001, 0, 50, 0.025, 0},
		{0.025, 0.001, 1, 50, 0.02497632, 5e-9},
		{0.025, 0.001, 10, 50, 0.02270820, 5e-9},
		{0.025, 0.001, 25, 50, 0.013, 1e-17},
		{0.025, 0.001, 48, 50, 0.00109462, 5e-9},
		{0.025, 0.001, 49, 50, 0.00102368, 5e-9},
		{0.025, 0.001, 49, 50, 1.023679e-03, 5e-10},
		{0.025, 0, 0, 600, 0.025, 0},
		{0.025, 0, 1, 600, 0.0249998287, 5e-11},
		{0.025, 0, 100, 600, 0.0233253, 5e-8},
		{0.025, 0, 300, 600, 0.0125, 1e-17},
		{0.025, 0, 599, 600, 1.7135e-7, 5e-12},
		{0.1, 0.1, 3, 7, 0.1, 0},
		{1, 0.5, 0, 1, 1, 0},
	}
	for _, c := range cases {
		t.Run(fmt.Sprintf("%g to %g, epoch %d of %d", c.max, c.min, c.epoch, c.epochs), func(t *testing.T) {
			if got := Cosine(c.max, c.min, c.epoch, c.epochs); math.Abs(got-c.want) > c.digits {
				t.Errorf("got %.10g, want %.10g", got, c.want)
			}
		})
	}
}

func TestCosineFalls(t *testing.T) {
	// Cosine falls from epoch to epoch and stays above min when max is above min.
	for epoch := 1; epoch < 50; epoch++ {
		before, now := Cosine(0.025, 0.001, epoch-1, 50), Cosine(0.025, 0.001, epoch, 50)
		if now >= before || now <= 0.001 {
			t.Errorf("epoch %d: %g after %g", epoch, now, before)
		}
	}
}

func TestCosineRestarts(t *testing.T) {
	// CosineRestarts starts over, each time for longer, when a cosine is over.
	for epoch, want := range map[int]float64{
		0: 0.05, 5: 0.02525, 9: Cosine(0.05, 0.0005, 9, 10), // the first 10 epochs
		10: 0.05, 20: 0.02525, 29: Cosine(0.05, 0.0005, 19, 20), // 20 more
		30: 0.05, 50: 0.02525, 70: 0.05, 149: Cosine(0.05, 0.0005, 79, 80),
	} {
		if got := CosineRestarts(0.05, 0.0005, epoch, 10, 2); math.Abs(got-want) > 1e-16 {
			t.Errorf("epoch %d: %g, want %g", epoch, got, want)
		}
	}
	for epoch := range 9 {
		if got, want := CosineRestarts(1, 0, epoch, 3, 1), Cosine(1, 0, epoch%3, 3); got != want {
			t.Errorf("epoch %d of equal cosines: %g, want %g", epoch, got, want)
		}
	}
}

func TestCosineOfNothing(t *testing.T) {
	// Schedules return a number between their bounds when lengths, factors and epochs make no sense.
	const huge = math.MaxInt
	for _, c := range [][3]int{{0, 0, 0}, {5, 0, 2}, {5, -3, 2}, {5, 2, 0}, {5, 2, -1}, {huge, 1, 1}, {huge, 1, 2}, {huge, 3, huge}, {huge - 1, huge, 2}} {
		if got := CosineRestarts(0.1, 0.01, c[0], c[1], c[2]); !(got >= 0.01 && got <= 0.1) {
			t.Errorf("epoch %d, length %d, factor %d: %g", c[0], c[1], c[2], got)
		}
	}
	for _, epochs := range []int{0, -1} {
		if got := Cosine(0.1, 0.01, 3, epochs); got != 0.1 {
			t.Errorf("%d epochs: %g, want the first rate", epochs, got)
		}
	}
}
