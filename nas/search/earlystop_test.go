package search

import (
	"slices"
	"testing"
)

func TestStops(t *testing.T) {
	// A search stops at the first measurement at which the mean has grown enough. With the paper's numbers it returns to six measurements before.
	paper := EarlyStop{Every: 2, Window: 5, Start: 10, Delta: 4, Factor: 1.3}
	grown := func(ones, n int, to float64) []float64 {
		return append(slices.Repeat([]float64{1}, ones), slices.Repeat([]float64{to}, n)...)
	}
	for _, test := range []struct {
		name    string
		o       EarlyStop
		values  []float64
		at      int // measurements taken when it stops, 0 if it does not
		returns int
	}{
		{"constant", paper, grown(25, 0, 0), 0, 0},
		// After epoch 22 the mean of 14 to 22 is (1 + 4·1.38)/5 = 1.304, that of 6 to 14 is 1.
		{"at the first epoch possible", paper, grown(8, 10, 1.38), 12, 5},
		// It is 1.296 after epoch 22, and 1.37 after epoch 24, but then 1.074 four before.
		{"a little less", paper, grown(8, 10, 1.37), 0, 0},
		{"early growth that is over", paper, grown(2, 20, 50), 0, 0},
		{"later", paper, grown(16, 9, 2), 18, 11},
		{"every epoch", EarlyStop{Every: 1, Window: 5, Start: 10, Delta: 4, Factor: 1.3}, grown(8, 20, 3), 0, 0},
		// Means of what there is: of 3 around the first, of 4 around the second.
		{"first means", EarlyStop{Every: 1, Window: 5, Delta: 1, Factor: 1.3}, []float64{1, 1, 1, 2.21}, 4, 0},
		{"first means, less", EarlyStop{Every: 1, Window: 5, Delta: 1, Factor: 1.3}, []float64{1, 1, 1, 2.19}, 0, 0},
		{"too few", EarlyStop{Every: 1, Window: 5, Delta: 1, Factor: 0.1}, []float64{1, 1, 1}, 0, 0},
		{"window of one", EarlyStop{Every: 3, Window: 1, Start: 4, Delta: 1, Factor: 0.5}, []float64{1, 1, 1, 1}, 4, 2},
	} {
		t.Run(test.name, func(t *testing.T) {
			for n := range len(test.values) + 1 {
				row, stop := stops(test.values[:n], test.o)
				if stop != (n == test.at && n > 0) {
					t.Fatalf("stops after %d measurements: %v", n, stop)
				}
				if stop {
					if row != test.returns {
						t.Errorf("returns measurement %d, want %d", row, test.returns)
					}
					return
				}
			}
		})
	}
}
