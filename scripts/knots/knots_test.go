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

func TestKnotsOfTheModule(t *testing.T) {
	// No package has a knot above the bound.
	if testing.Short() {
		t.Skip("-short: the types of the whole module")
	}
	found, err := measure("../..", "./...")
	if err != nil {
		t.Fatal(err)
	}
	for _, p := range found {
		if knot := p.largest(); len(knot) > most {
			t.Errorf("%s: %d files need each other, at most %d may: %v", p.path, len(knot), most, knot)
		}
	}
}
