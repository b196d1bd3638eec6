// Package datatest makes pictures and folders of them for tests, and checks draws.
package datatest

import (
	"bytes"
	"image"
	"image/color"
	"image/png"
	"maps"
	"math"
	"os"
	"path/filepath"
	"slices"
	"testing"
)

// Plant writes files below a new folder. A file without content becomes a picture of one
// colour, another shade for each.
func Plant(t *testing.T, files map[string]string) (root string) {
	t.Helper()
	root = t.TempDir()
	shade := uint8(0)
	for _, name := range slices.Sorted(maps.Keys(files)) {
		path := filepath.Join(root, filepath.FromSlash(name))
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			t.Fatal(err)
		}
		content := []byte(files[name])
		if len(content) == 0 {
			shade++
			content = PNG(t, shade)
		}
		if err := os.WriteFile(path, content, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	return root
}

// Grown lists the files of a part of an image folder for Plant: n in each class.
func Grown(part string, n int, classes ...string) map[string]string {
	files := map[string]string{}
	for _, class := range classes {
		for i := range n {
			files[part+"/"+class+"/"+string(rune('a'+i))+".png"] = ""
		}
	}
	return files
}

// Merged returns all files of several maps; of equal names the last one counts.
func Merged(all ...map[string]string) map[string]string {
	out := map[string]string{}
	for _, files := range all {
		maps.Copy(out, files)
	}
	return out
}

// PNG returns the file of a grey picture of 3 by 5 pixels.
func PNG(t *testing.T, shade uint8) []byte {
	t.Helper()
	m := image.NewRGBA(image.Rect(0, 0, 3, 5))
	for i := range m.Pix {
		m.Pix[i] = shade
		if i%4 == 3 {
			m.Pix[i] = 255
		}
	}
	var b bytes.Buffer
	if err := png.Encode(&b, m); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

// Formula returns a picture with the colours (11x+7y, xy, x²+3y) modulo 256.
func Formula(width, height int) *image.RGBA {
	m := image.NewRGBA(image.Rect(0, 0, width, height))
	for y := range height {
		for x := range width {
			m.SetRGBA(x, y, color.RGBA{uint8(11*x + 7*y), uint8(x * y), uint8(x*x + 3*y), 255})
		}
	}
	return m
}

// Uniform fails the test if counts do not follow a uniform distribution. Uniform draws fail
// about once in ten thousand times: chi-square then exceeds its degrees of freedom, which
// are len(counts)-1, by more than 4 standard deviations.
func Uniform(t *testing.T, what string, counts []int) {
	t.Helper()
	total := 0
	for _, k := range counts {
		total += k
	}
	want := float64(total) / float64(len(counts))
	chi2 := 0.0
	for _, k := range counts {
		chi2 += (float64(k) - want) * (float64(k) - want) / want
	}
	degrees := float64(len(counts) - 1)
	if limit := degrees + 4*math.Sqrt(2*degrees) + 4; chi2 > limit {
		t.Errorf("%s: chi-square %.1f with %.0f degrees of freedom, want at most %.1f: %v", what, chi2, degrees, limit, counts)
	}
}
