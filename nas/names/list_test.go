package names_test

import (
	"testing"

	"godarts/nas/names"
)

func TestCount(t *testing.T) {
	// One thing is named in the singular, none and several in the plural.
	for n, want := range map[int]string{0: "0 images", 1: "1 image", 2: "2 images"} {
		if got := names.Count(n, "image"); got != want {
			t.Errorf("%d: got %q, want %q", n, got, want)
		}
	}
}

func TestFew(t *testing.T) {
	// Up to five texts are listed as they are; of more the others are counted.
	all := []string{"a", "b", "c", "d", "e", "f", "g"}
	for n, want := range map[int]string{0: "", 1: "a", 5: "a, b, c, d, e", 7: "a, b, c, d, e and 2 more"} {
		if got := names.Few(all[:n]); got != want {
			t.Errorf("%d: got %q, want %q", n, got, want)
		}
	}
}
