package folder

import (
	"image"
	"math/rand/v2"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"godarts/nas/data"
	_ "godarts/nas/data/builtin"
	"godarts/nas/data/picture"
	"godarts/nas/data/sets"
)

// colours returns a set of images of noise in three channels and ten classes.
func colours(train, test int) *data.Set {
	r := rand.New(rand.NewPCG(1, 0))
	images := func(n int) *data.Images {
		m := &data.Images{N: n, Channels: 3, Height: 32, Width: 32, Classes: 10, Max: 255}
		for range n {
			m.Labels = append(m.Labels, uint16(r.IntN(10)))
		}
		for range n * 3 * 32 * 32 {
			m.Pixels = append(m.Pixels, uint8(r.IntN(256)))
		}
		return m
	}
	return data.NewSet("colours", images(train), images(test), strings.Split("abcdefghij", ""), data.Augment{})
}

func TestExport(t *testing.T) {
	// An exported imagefolder holds the pixels of the exported images, colour and grey.
	digits, err := sets.Open("digits", "")
	if err != nil {
		t.Fatal(err)
	}
	for _, set := range []*data.Set{colours(500, 100), digits} {
		t.Run(set.Name, func(t *testing.T) {
			dir := filepath.Join(t.TempDir(), "images")
			if err := set.Export(dir, 300); err != nil {
				t.Fatal(err)
			}
			m := set.Test
			got, err := Options{Root: dir, Size: m.Height, Channels: m.Channels}.Open()
			if err != nil {
				t.Fatal(err)
			}
			if got.Train.N != 240 || got.Test.N != 60 {
				t.Fatalf("%d and %d images, want 240 and 60", got.Train.N, got.Test.N)
			}
			f := got.Test.Pictures.(*part)
			for i, name := range f.names {
				from := slices.Index(fileNames(got.Test), "val/"+f.classes[f.labels[i]]+"/"+name) // the file is there
				at := int(name[4]-'0') + 10*int(name[3]-'0')
				if from < 0 || set.ClassNames[m.Labels[at]] != f.classes[f.labels[i]] {
					t.Fatalf("%s is of class %s", name, f.classes[f.labels[i]])
				}
				decoded, _, err := got.Test.Decode(i)
				if err != nil {
					t.Fatal(err)
				}
				want, _, _ := m.Decode(at)
				if !slices.Equal(picture.Planes(picture.Whole.Scale(decoded, m.Width, m.Height, nil), 3), picture.Planes(want.(*image.RGBA), 3)) {
					t.Fatalf("%s holds other pixels", name)
				}
			}
		})
	}
	dir := t.TempDir()
	for _, c := range []struct {
		dir  string
		n    int
		want string
	}{
		{dir, 300, "data: export digits: mkdir " + dir + ": file exists"},
		{filepath.Join(dir, "x"), 1801, "data: export digits: 1801 images take 1441 of its 1437 for train, want at most 1796 in all"},
		{filepath.Join(dir, "x"), 10, `data: export digits: of 10 images none for train is of class "8", want more`},
	} {
		if err := digits.Export(c.dir, c.n); err == nil || err.Error() != c.want {
			t.Errorf("got  %v\nwant %s", err, c.want)
		}
	}
}
