package data

import (
	"testing"

	"godarts/nas/data/fingerprint"
)

func TestFingerprintOfMemory(t *testing.T) {
	// The fingerprint of a set in memory changes with a pixel, a label or a class name, and not when Train is replaced.
	images := func() *Images {
		return &Images{N: 2, Channels: 1, Height: 1, Width: 1, Classes: 2, Pixels: []uint8{3, 4}, Labels: []uint16{0, 1}}
	}
	made := func(change func(s *Set)) fingerprint.Fingerprint {
		s := NewSet("x", images(), images(), []string{"a", "b"}, Augment{})
		change(s)
		return s.Fingerprint()
	}
	same := made(func(*Set) {})
	for _, c := range []struct {
		name, want string
		change     func(*Set)
	}{
		{"nothing", "", func(*Set) {}},
		{"a subset", "", func(s *Set) { s.Train = images().Slice(0, 1) }},
		{"a pixel", "train: the same number of images, but other ones", func(s *Set) { s.whole[0].Pixels[1] = 9 }},
		{"a label", "test: the same number of images, but other ones", func(s *Set) { s.whole[1].Labels[1] = 0 }},
		{"a name", "train: the same number of images, but other ones, test: the same number of images, but other ones", func(s *Set) { s.ClassNames[0] = "c" }},
		{"an image", "train: 1 image, was 2", func(s *Set) { s.whole[0] = images().Slice(0, 1) }},
	} {
		if got := same.Changes(made(c.change)); got != c.want {
			t.Errorf("%s: got %q, want %q", c.name, got, c.want)
		}
	}
}
