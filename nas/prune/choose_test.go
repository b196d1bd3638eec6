package prune

import (
	"fmt"
	"testing"

	"godarts/cells"
)

func TestChunks(t *testing.T) {
	// Channels go in the order in which they matter, down to multiples, smaller ones where there are few, and the best of each half stays.
	for _, test := range []struct {
		halves   [2]int
		matters  []float64
		multiple int
		want     string
	}{
		{[2]int{4, 0}, []float64{3, 1, 9, 2}, 1, "[1] 1, [3] 2, [0] 3, "},
		{[2]int{2, 2}, []float64{1, 2, 5, 7}, 1, "[0] 1, [2] 5, "},
		{[2]int{4, 0}, []float64{3, 1, 9, 2}, 2, "[1 3] 1.5, "},
		{[2]int{4, 0}, []float64{3, 1, 9, 2}, 8, "[1 3] 1.5, "},
		{[2]int{5, 0}, []float64{3, 1, 9, 2, 8}, 2, "[1] 1, [3 0] 2.5, "},
		{[2]int{3, 0}, []float64{3, 1, 9}, 2, "[1] 1, [0] 3, "},
		{[2]int{2, 2}, []float64{1, 2, 5, 7}, 2, "[0 2] 3, "},
	} {
		got := ""
		for _, c := range chunks(0, &cells.Group{Halves: test.halves}, test.matters, test.multiple) {
			got += fmt.Sprintf("%v %v, ", c.at, c.matters)
		}
		if got != test.want {
			t.Errorf("%v of %v in multiples of %d: got %s, want %s", test.matters, test.halves, test.multiple, got, test.want)
		}
	}
}
