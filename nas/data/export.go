package data

import (
	"bytes"
	"fmt"
	"image"
	"image/png"
	"os"
	"path/filepath"
	"strings"
)

// Export writes n images of the set as PNG files that an imagefolder reads: four
// fifths are the first ones of Train, in dir/train/CLASS, and the others the first
// ones of Test, in dir/val/CLASS. A folder that is there already is refused, and so
// is an n that the set does not have or that leaves a class without an image.
func (s *Set) Export(dir string, n int) error {
	parts := []struct {
		name   string
		images *Images
		n      int
	}{{"train", s.Train, n - n/5}, {"val", s.Test, n / 5}}
	for _, p := range parts {
		if p.n > p.images.N {
			return fmt.Errorf("data: export %s: %d images take %d of its %d for %s, want at most %d in all",
				s.Name, n, p.n, p.images.N, p.name, min(s.Train.N*5/4, s.Test.N*5))
		}
		counts := make([]int, p.images.Classes)
		for _, label := range p.images.Labels[:max(p.n, 0)] {
			counts[label]++
		}
		for label, c := range counts {
			if c == 0 {
				return fmt.Errorf("data: export %s: of %d images none for %s is of class %q, want more", s.Name, n, p.name, s.ClassNames[label])
			}
		}
	}
	if err := os.Mkdir(dir, 0o755); err != nil {
		return fmt.Errorf("data: export %s: %w", s.Name, err)
	}
	for _, p := range parts {
		for i := range p.n {
			if err := s.exportImage(filepath.Join(dir, p.name), p.images, i); err != nil {
				return fmt.Errorf("data: export %s: %w", s.Name, err)
			}
		}
	}
	return nil
}

func (s *Set) exportImage(dir string, m *Images, i int) error {
	picture, free, err := m.decode(i)
	if err != nil {
		return err
	}
	defer free()
	if rgba, ok := picture.(*image.RGBA); ok && m.Channels == 1 {
		grey := image.NewGray(rgba.Rect)
		copy(grey.Pix, planes(rgba, 1))
		picture = grey
	}
	var b bytes.Buffer
	if err := png.Encode(&b, picture); err != nil {
		return err
	}
	class := filepath.Join(dir, strings.ReplaceAll(s.ClassNames[m.Labels[i]], "/", "-"))
	if err := os.MkdirAll(class, 0o755); err != nil {
		return err
	}
	return os.WriteFile(filepath.Join(class, fmt.Sprintf("%05d.png", i)), b.Bytes(), 0o644)
}
