package folder

import (
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"godarts/nas/data"
	"godarts/nas/data/datatest"
)

// open opens a folder for images of the usual size.
func open(root string) (*data.Set, error) {
	return Options{Root: root, Size: 32, Channels: 3}.Open()
}

// fileNames lists CLASS/NAME of each image, sorted.
func fileNames(m *data.Images) []string {
	var out []string
	f := m.Pictures.(*part)
	for i := range m.N {
		out = append(out, f.name+"/"+f.classes[f.labels[i]]+"/"+f.names[i])
	}
	slices.Sort(out)
	return out
}

func TestImageFolder(t *testing.T) {
	// The parts of a folder are as documented, with size, channels, labels and normalisation, for folders with two, one or no part for test.
	train := datatest.Grown("train", 5, "cat", "dog")
	for _, c := range []struct {
		name  string
		files map[string]string
		test  []string // nil if they come from train
		note  string
	}{
		{"val", datatest.Merged(train, datatest.Grown("val", 1, "cat", "dog")), []string{"val/cat/a.png", "val/dog/a.png"}, ""},
		{"test", datatest.Merged(train, datatest.Grown("test", 1, "cat", "dog")), []string{"test/cat/a.png", "test/dog/a.png"}, ""},
		{"both", datatest.Merged(train, datatest.Grown("val", 2, "cat", "dog"), datatest.Grown("test", 1, "cat", "dog")), []string{"test/cat/a.png", "test/dog/a.png"},
			"ROOT/val is not used, since there is a folder test"},
		{"none", train, nil, "ROOT has neither test nor val: a fifth of each class of train, drawn by data.split_seed 0, is for test"},
		{"others between", datatest.Merged(train, datatest.Grown("val", 1, "cat", "dog"), map[string]string{
			"train/notes.txt": "x", "train/cat/notes.txt": "x", "train/cat/.hidden.png": "x", "train/.git/x.png": "x", "train/cat/more/a.png": "x",
		}), []string{"val/cat/a.png", "val/dog/a.png"},
			"2 files of ROOT are no images and are left out, such as train/notes.txt; 1 folder within classes of ROOT is not read, such as train/cat/more"},
	} {
		t.Run(c.name, func(t *testing.T) {
			root := datatest.Plant(t, c.files)
			set, err := Options{Root: root, Size: 4, Channels: 3}.Open()
			if err != nil {
				t.Fatal(err)
			}
			want := slices.Sorted(maps.Keys(train))
			if c.test == nil {
				held := fileNames(set.Test)
				if len(held) != 2 || !strings.HasPrefix(held[0], "train/cat/") || !strings.HasPrefix(held[1], "train/dog/") {
					t.Errorf("held out are %v", held)
				}
				want = slices.DeleteFunc(want, func(name string) bool { return slices.Contains(held, name) })
			} else if diff := cmp.Diff(c.test, fileNames(set.Test)); diff != "" {
				t.Errorf("test (-want +got):\n%s", diff)
			}
			if diff := cmp.Diff(want, fileNames(set.Train)); diff != "" {
				t.Errorf("train (-want +got):\n%s", diff)
			}
			if note := strings.ReplaceAll(strings.Join(set.Notes, "; "), root, "ROOT"); note != c.note {
				t.Errorf("note %q, want %q", note, c.note)
			}
			for i, m := range []*data.Images{set.Train, set.Test} {
				if m.Channels != 3 || m.Height != 4 || m.Width != 4 || m.Classes != 2 || len(m.Labels) != m.N || m.Mean[0] != 0.485 {
					t.Errorf("part %d: %+v", i, m)
				}
			}
			if want := (data.Augment{Flip: true}); set.Augment != want || !slices.Equal(set.ClassNames, []string{"cat", "dog"}) {
				t.Errorf("augment %+v, classes %v", set.Augment, set.ClassNames)
			}
		})
	}
}

func TestImageFolderLoads(t *testing.T) {
	// Every image has its own label and colours in one and in three channels.
	root := datatest.Plant(t, datatest.Merged(datatest.Grown("train", 2, "cat", "dog"), datatest.Grown("val", 2, "cat", "dog")))
	for _, c := range []struct {
		channels  int
		mean, std []float32
	}{{3, nil, nil}, {1, nil, nil}, {3, []float32{0, 0, 0}, []float32{1, 1, 1}}, {1, []float32{0.5}, []float32{0.25}}} {
		set, err := Options{Root: root, Size: 4, Channels: c.channels}.Open()
		if err != nil {
			t.Fatal(err)
		}
		mean, std := []float32{0.485, 0.456, 0.406}, []float32{0.229, 0.224, 0.225}
		if c.channels == 1 {
			mean, std = []float32{0.449}, []float32{0.226}
		}
		if c.mean != nil {
			mean, std = c.mean, c.std
			set.Test.Mean, set.Test.Std = mean, std
		}
		b := (&data.Source{Images: set.Test, Size: 4}).Load(0, 0)
		if b.Err != nil {
			t.Fatal(b.Err)
		}
		if !slices.Equal(b.Y, []int64{0, 0, 1, 1}) {
			t.Errorf("labels %v", b.Y)
		}
		for i := range b.N {
			image := b.X[i*16*c.channels : (i+1)*16*c.channels]
			for at, v := range image {
				// The shades of val follow those of the four images of train.
				if want := (float32(5+i)/255 - mean[at%c.channels]) / std[at%c.channels]; v != want {
					t.Fatalf("%d channels, image %d, value %d: %g, want %g", c.channels, i, at, v, want)
				}
			}
		}
	}
}

func TestImageFolderOrder(t *testing.T) {
	// Order and split are the recorded ones for a seed, differ for another seed, and no image is lost or in both parts.
	root := datatest.Plant(t, datatest.Grown("train", 10, "cat", "dog", "eel"))
	open := func(seed int64) (train, test []string) {
		set, err := Options{Root: root, Size: 32, Channels: 3, SplitSeed: seed}.Open()
		if err != nil {
			t.Fatal(err)
		}
		f := set.Train.Pictures.(*part)
		for i := range f.names {
			train = append(train, f.classes[f.labels[i]]+"/"+f.names[i])
		}
		return train, fileNames(set.Test)
	}
	train, test := open(0)
	again, testAgain := open(0)
	if !slices.Equal(train, again) || !slices.Equal(test, testAgain) {
		t.Error("the same seed gives another order")
	}
	if want := []string{"train/cat/c.png", "train/cat/f.png", "train/dog/c.png", "train/dog/d.png", "train/eel/b.png", "train/eel/d.png"}; !slices.Equal(test, want) {
		t.Errorf("held out are %q", test)
	}
	if want := []string{"cat/e.png"}; !slices.Equal(train[:1], want) {
		t.Errorf("the first are %q", train[:1])
	}
	other, testOther := open(1)
	if slices.Equal(train, other) || slices.Equal(test, testOther) {
		t.Error("another seed gives the same order or split")
	}
	all := slices.Clone(train)
	for _, name := range test {
		all = append(all, strings.TrimPrefix(name, "train/"))
	}
	slices.Sort(all)
	if len(slices.Compact(all)) != 30 || len(train) != 24 {
		t.Errorf("%d images for training, %d in all", len(train), len(all))
	}
}

func TestImageFolderErrors(t *testing.T) {
	// The error is one line that names what is wrong with a folder.
	const kinds = ".bmp, .gif, .jpeg, .jpg, .png, .tif, .tiff, .webp"
	good := datatest.Merged(datatest.Grown("train", 2, "cat", "dog"), datatest.Grown("val", 1, "cat", "dog"))
	without := func(prefix string) map[string]string {
		files := maps.Clone(good)
		maps.DeleteFunc(files, func(name, _ string) bool { return strings.HasPrefix(name, prefix) })
		return files
	}
	for _, c := range []struct {
		name  string
		files map[string]string
		at    string // below the root
		want  string
	}{
		{"missing folder", datatest.Merged(good, map[string]string{"photos/x": "x"}), "photo", "ROOT/photo: no such folder (nearest: ROOT/photos)"},
		{"missing parent", good, "a/b", "ROOT/a/b: no such folder"},
		{"a file", datatest.Merged(good, map[string]string{"x": "x"}), "x", "ROOT/x is a file, want a folder"},
		{"no train", datatest.Merged(without("train/"), datatest.Grown("training", 1, "cat")), "", "ROOT/train: no such folder, want it to hold a folder of images for each class (nearest: ROOT/training)"},
		{"no class", datatest.Merged(without("train/"), map[string]string{"train/x.txt": "x"}), "", "ROOT/train has no folder of a class"},
		{"no class but images", datatest.Merged(without("train/"), map[string]string{"train/x.png": "x"}), "", "ROOT/train has no folder of a class: x.png lies in it directly, want CLASS/x.png"},
		{"one class", without("train/dog"), "", `ROOT/train has only the class "cat", want two or more`},
		{"non-images", datatest.Merged(good, map[string]string{"train/eel/a.avif": "x", "train/eel/b.avif": "x"}), "",
			"ROOT/train/eel has no image (" + kinds + "): its 2 files, such as a.avif, have other suffixes"},
		{"deeper images", datatest.Merged(good, map[string]string{"train/eel/young/a.png": ""}), "",
			"ROOT/train/eel has no image (" + kinds + "): its images lie in subfolders such as young: want them in eel, or in eel/images"},
		{"Tiny ImageNet's val", datatest.Merged(without("val"), map[string]string{"val/images/a.png": "", "val/val_annotations.txt": "x"}), "",
			"ROOT/val has the images of all classes in one folder, images, as the val of Tiny ImageNet: want a folder for each class (val_annotations.txt says which), or none there: move it away"},
		{"classes next to val", datatest.Merged(without("train"), datatest.Grown("cat", 1, "."), datatest.Grown("dog", 1, ".")), "",
			"ROOT has no train, but val and 2 folders of images: move these into ROOT/train"},
		{"a class with an escape", datatest.Merged(good, datatest.Grown("train", 1, "\x1b[31mred")), "", `classes differ: only ROOT/train has \x1b[31mred`},
		{"empty class", datatest.Merged(good, map[string]string{"train/eel/.keep": "x"}), "", "ROOT/train/eel has no image (" + kinds + "): it is empty"},
		{"class missing in val", without("val/dog"), "", `ROOT/val has only the class "cat", want two or more`},
		{"a class only in train", datatest.Merged(good, datatest.Grown("train", 1, "eel", "fox")), "", "classes differ: only ROOT/train has eel, fox"},
		{"a class only in val", datatest.Merged(good, datatest.Grown("val", 1, "eel")), "", "classes differ: only ROOT/val has eel"},
		{"classes of both", datatest.Merged(good, datatest.Grown("train", 1, "a", "b", "c", "d", "e", "f", "g"), datatest.Grown("val", 1, "Cat")), "",
			"classes differ: only ROOT/train has a, b, c, d, e and 2 more; only ROOT/val has Cat"},
		{"too few to hold out", datatest.Merged(without("val"), datatest.Grown("train", 1, "eel")), "", "ROOT/train/eel has 1 image, too few to hold one out for test: want two or more, or a folder test or val"},
	} {
		t.Run(c.name, func(t *testing.T) {
			root := datatest.Plant(t, c.files)
			_, err := open(filepath.Join(root, c.at))
			if err == nil {
				t.Fatal("no error")
			}
			if got, want := strings.ReplaceAll(err.Error(), root, "ROOT"), "data: imagefolder: "+c.want; got != want {
				t.Errorf("got  %s\nwant %s", got, want)
			}
		})
	}
	if _, err := open(""); err == nil || err.Error() != "data: imagefolder: no root, want the folder that holds train" {
		t.Errorf("got %v", err)
	}
}

func TestBrokenFile(t *testing.T) {
	// The error of a batch names the file when one is broken or gone.
	root := datatest.Plant(t, datatest.Merged(datatest.Grown("train", 2, "cat", "dog"), datatest.Grown("val", 1, "cat", "dog"), map[string]string{"val/dog/a.png": "\x89PNG\r\n"}))
	set, err := open(root)
	if err != nil {
		t.Fatal(err)
	}
	s := &data.Source{Images: set.Test, Size: 2}
	file := filepath.Join(root, "val", "dog", "a.png")
	if err, want := s.Load(0, 0).Err, "data: imagefolder: "+file+": image: unknown format"; err == nil || err.Error() != want {
		t.Errorf("got %v, want %s", err, want)
	}
	if err := os.Remove(file); err != nil {
		t.Fatal(err)
	}
	if err, want := s.Load(0, 0).Err, "data: imagefolder: "+file+": no such file or directory"; err == nil || err.Error() != want {
		t.Errorf("got %v, want %s", err, want)
	}
}
