package data

import (
	"image"
	"path/filepath"
	"slices"
	"testing"
)

func TestExport(t *testing.T) {
	// An imagefolder holds the pixels of the images it was made of, colour and grey, when they are exported.
	root, _ := writeCIFAR(t, 100)
	cifar, err := cifar10.read(root, 0, 0)
	if err != nil {
		t.Fatal(err)
	}
	digits, err := openDigits()
	if err != nil {
		t.Fatal(err)
	}
	for _, set := range []*Set{cifar, digits} {
		t.Run(set.Name, func(t *testing.T) {
			dir := filepath.Join(t.TempDir(), "images")
			if err := set.Export(dir, 300); err != nil {
				t.Fatal(err)
			}
			m := set.Test
			got, err := Options{Name: "imagefolder", Root: dir, Size: m.Height, Channels: m.Channels}.Open()
			if err != nil {
				t.Fatal(err)
			}
			if got.Train.N != 240 || got.Test.N != 60 {
				t.Fatalf("%d and %d images, want 240 and 60", got.Train.N, got.Test.N)
			}
			f := got.Test.Pictures.(*folder)
			for i, name := range f.names {
				from := slices.Index(fileNames(got.Test), "val/"+f.classes[f.labels[i]]+"/"+name) // the file is there
				at := int(name[4]-'0') + 10*int(name[3]-'0')
				if from < 0 || set.ClassNames[m.Labels[at]] != f.classes[f.labels[i]] {
					t.Fatalf("%s is of class %s", name, f.classes[f.labels[i]])
				}
				picture, _, err := got.Test.decode(i)
				if err != nil {
					t.Fatal(err)
				}
				want, _, _ := m.decode(at)
				if !slices.Equal(planes(Whole.scale(picture, m.Width, m.Height, nil), 3), planes(want.(*image.RGBA), 3)) {
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
