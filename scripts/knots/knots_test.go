package main

import (
	"slices"
	"testing"
)

func TestKnots(t *testing.T) {
	// The knots are a triangle and a pair; a file that only uses them is in neither.
	files := []string{"a", "b", "c", "d", "e", "f"}
	uses := map[string]map[string]bool{
		"a": {"b": true}, "b": {"c": true, "made by cgo": true}, "c": {"a": true, "d": true},
		"d": {"e": true}, "e": {"d": true}, "f": {"a": true, "d": true},
	}
	got := knots(files, uses)
	want := [][]string{{"a", "b", "c"}, {"d", "e"}}
	if !slices.EqualFunc(got, want, slices.Equal) {
		t.Errorf("got %v, want %v", got, want)
	}
}

// most is how many files of a package may need each other: a reader can keep as many in mind.
const most = 5

// larger are the knots above that. They may only shrink: lower the number when one gets smaller.
var larger = map[string]int{}

func TestKnotsOfTheModule(t *testing.T) {
	// No package has a knot above the bound, and the larger ones do not grow.
	if testing.Short() {
		t.Skip("-short: the types of the whole module")
	}
	found, err := measure("../..", "./...")
	if err != nil {
		t.Fatal(err)
	}
	for _, p := range found {
		knot := len(p.largest())
		switch bound, ok := larger[p.path]; {
		case !ok && knot > most:
			t.Errorf("%s: %d files need each other, at most %d may: %v", p.path, knot, most, p.largest())
		case ok && knot > bound:
			t.Errorf("%s: %d files need each other, %d did before: %v", p.path, knot, bound, p.largest())
		case ok && knot < bound:
			t.Errorf("%s: %d files need each other: write that in place of %d, or nothing if it is %d or less", p.path, knot, bound, most)
		}
	}
}
