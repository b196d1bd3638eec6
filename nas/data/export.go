package data

import (
	"bytes"
	"fmt"
	"image"
	"image/png"
	"os"
	"path/filepath"
	"strings"

	"godarts/nas/data/picture"
)

// Export writes n images of the set as PNG files that an imagefolder reads. Four fifths
// of them are the first ones of Train, in dir/train/CLASS; the others are the first ones
// of Test, in dir/val/CLASS. It is an error if dir exists, if the set has fewer images,
// or if a class is left without one.
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

// exportImage writes image i of m below dir.
func (s *Set) exportImage(dir string, m *Images, i int) error {
	decoded, free, err := m.Decode(i)
	if err != nil {
		return err
	}
	defer free()
	if rgba, ok := decoded.(*image.RGBA); ok && m.Channels == 1 {
		grey := image.NewGray(rgba.Rect)
		copy(grey.Pix, picture.Planes(rgba, 1))
		decoded = grey
	}
	var b bytes.Buffer
	if err := png.Encode(&b, decoded); err != nil {
		return err
	}
	class := filepath.Join(dir, strings.ReplaceAll(s.ClassNames[m.Labels[i]], "/", "-"))
	if err := os.MkdirAll(class, 0o755); err != nil {
		return err
	}
	return os.WriteFile(filepath.Join(class, fmt.Sprintf("%05d.png", i)), b.Bytes(), 0o644)
}
