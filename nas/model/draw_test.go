package model

import (
	"math"
	"math/rand/v2"
	"testing"
)

func TestDraw(t *testing.T) {
	// Words are drawn as often as their probability at the temperature says; at 0 the likeliest is taken.
	r := rand.New(rand.NewPCG(1, 2))
	for _, test := range []struct{ temperature, want float64 }{{1, 0.75}, {0.5, 0.9}, {2, 0.634}, {0, 1}, {1e-9, 1}} {
		const draws = 4000
		second := 0
		for range draws {
			second += draw([]float64{-700, -700 + math.Log(3)}, test.temperature, r)
		}
		if got := float64(second) / draws; math.Abs(got-test.want) > 0.03 {
			t.Errorf("temperature %v: %v, want %v", test.temperature, got, test.want)
		}
	}
}
