package spelling_test

import (
	"testing"

	"godarts/cells/spelling"
)

func TestDistance(t *testing.T) {
	// A distance is the least sum of what the edits from one word to the other cost.
	difference := func(x, y byte) int { return int(max(x, y) - min(x, y)) }
	for _, test := range []struct {
		a, b            string
		plain, weighted int // weighted: a byte more or less is 3, another one their difference
	}{
		{"", "", 0, 0}, {"lr", "lr", 0, 0}, {"abc", "", 3, 9}, {"", "ab", 2, 6}, {"kitten", "sitting", 3, 6 + 4 + 3}, {"flaw", "lawn", 2, 6},
		{"9", "7", 1, 2}, {"a", "z", 1, 6}, {"abcd", "bcd", 1, 3},
	} {
		if got := spelling.Distance(test.a, test.b); got != test.plain {
			t.Errorf("%q to %q: %d, want %d", test.a, test.b, got, test.plain)
		}
		if got := spelling.Weighted(test.a, test.b, 3, difference); got != test.weighted {
			t.Errorf("%q to %q, weighted: %d, want %d", test.a, test.b, got, test.weighted)
		}
	}
}
