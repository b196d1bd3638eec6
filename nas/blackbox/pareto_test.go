package blackbox

import (
	"context"
	"math"
	"math/rand/v2"
	"slices"
	"testing"
)

func TestRanks(t *testing.T) {
	// A point's rank is the length of the longest chain of points that dominate one another above it, when points are random, some equal.
	r := rand.New(rand.NewPCG(3, 4))
	for range 50 {
		points := make([]Point, 1+r.IntN(30))
		for i := range points {
			points[i] = Point{float64(r.IntN(8)), float64(r.IntN(8))}
		}
		var chain func(i int) int
		chain = func(i int) (most int) {
			for j := range points {
				if points[j].Dominates(points[i]) {
					most = max(most, 1+chain(j))
				}
			}
			return most
		}
		for i, got := range Ranks(points) {
			if want := chain(i); got != want {
				t.Fatalf("rank %d of %v in %v, want %d", got, points[i], points, want)
			}
		}
	}
}

func TestCrowding(t *testing.T) {
	// Distances are those of a front worked out by hand, and infinite at its ends and in a front of two.
	points := []Point{{1, 1}, {2, 2}, {4, 4}, {5, 9}, {0.5, 5}, {0.2, 4.5}}
	ranks := Ranks(points)
	if want := []int{0, 0, 0, 0, 1, 1}; !slices.Equal(ranks, want) {
		t.Fatalf("ranks %v, want %v", ranks, want)
	}
	inf := math.Inf(1)
	want := []float64{inf, 3.0/4 + 3.0/8, 3.0/4 + 7.0/8, inf, inf, inf}
	for i, got := range Crowding(points, ranks) {
		if got != want[i] && math.Abs(got-want[i]) > 1e-12 {
			t.Errorf("distance %d is %g, want %g", i, got, want[i])
		}
	}
}

// bits are the integers below 256; what one costs is its number of ones, and it scores that and its highest bit.
type bits struct{}

func (bits) Sample(r *rand.Rand) uint8          { return uint8(r.IntN(256)) }
func (bits) Mutate(a uint8, r *rand.Rand) uint8 { return a ^ 1<<r.IntN(8) }

func ones(a uint8) (n float64) {
	for ; a > 0; a &= a - 1 {
		n++
	}
	return n
}

func TestEvolutionWithCost(t *testing.T) {
	// The population covers more of the front of score and cost when cost is an objective than when only the score is.
	covered := func(cost func(uint8) float64) int {
		e := NewEvolution(bits{}, 20, 5)
		e.Cost = cost
		trials, err := Search(t.Context(), e, func(_ context.Context, a uint8) (float64, error) { return ones(a), nil }, 400, rand.New(rand.NewPCG(1, 2)))
		if err != nil {
			t.Fatal(err)
		}
		found := map[float64]bool{}
		for _, it := range trials[len(trials)-20:] {
			found[ones(it.Architecture)] = true
		}
		return len(found)
	}
	if with, without := covered(ones), covered(nil); with <= without {
		t.Errorf("%d costs with the objective, %d without", with, without)
	}
}
