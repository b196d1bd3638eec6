package data

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestLayouts(t *testing.T) {
	// Classes are found, and a note tells how, when they lie in the root itself or hold their images in a folder images.
	for _, c := range []struct {
		name        string
		files       map[string]string
		train, note string
	}{
		{"root of classes", grown(".", 5, "cat", "dog"), "cat/b.png",
			"ROOT has no train: its 2 folders are taken for the classes; ROOT has neither test nor val: a fifth of each class, drawn by data.split_seed 0, is for test"},
		{"Tiny ImageNet", merged(grown("train/n1", 5, "images"), grown("train/n2", 5, "images"), map[string]string{"train/n1/n1_boxes.txt": "x"}), "train/n1/images/b.png",
			"ROOT has neither test nor val: a fifth of each class of train, drawn by data.split_seed 0, is for test; 1 file of ROOT is no image and is left out, such as train/n1/n1_boxes.txt"},
	} {
		t.Run(c.name, func(t *testing.T) {
			root := plant(t, c.files)
			set, err := Options{Name: "imagefolder", Root: root, Size: 4}.Open()
			if err != nil {
				t.Fatal(err)
			}
			if set.Train.N != 8 || set.Test.N != 2 || len(set.ClassNames) != 2 {
				t.Errorf("%d and %d images of %v", set.Train.N, set.Test.N, set.ClassNames)
			}
			f := set.Train.Pictures.(*folder)
			var files []string
			for i := range f.names {
				files = append(files, f.file(i))
			}
			if !slices.Contains(files, c.train) {
				t.Errorf("the files are %q", files)
			}
			if note := strings.ReplaceAll(strings.Join(set.Notes, "; "), root, "ROOT"); note != c.note {
				t.Errorf("got  %s\nwant %s", note, c.note)
			}
			if b := (&Source{Images: set.Train, Size: 8}).Load(0, 0); b.Err != nil {
				t.Error(b.Err)
			}
		})
	}
}

func TestPipeIsNoImage(t *testing.T) {
	// A named pipe is no image, which reading would wait for, when its name is that of one.
	root := plant(t, merged(grown("train", 5, "cat", "dog"), grown("val", 1, "cat", "dog")))
	if err := syscall.Mkfifo(filepath.Join(root, "train", "cat", "0.png"), 0o644); err != nil {
		t.Fatal(err)
	}
	set, err := Open("imagefolder", root)
	if err != nil {
		t.Fatal(err)
	}
	if set.Train.N != 10 || len(set.Notes) != 1 {
		t.Errorf("%d images, notes %q", set.Train.N, set.Notes)
	}
}

func TestPipeIsNoText(t *testing.T) {
	// The error names the file when a pipe or a folder stands where a text is read from.
	root := t.TempDir()
	file := filepath.Join(root, "train.txt")
	for what, put := range map[string]func() error{
		"a pipe":   func() error { return syscall.Mkfifo(file, 0o644) },
		"a folder": func() error { return os.Mkdir(file, 0o755) },
	} {
		if err := put(); err != nil {
			t.Fatal(err)
		}
		_, err := CorpusOptions{Name: "text", Root: root}.Open()
		if want := "data: text: " + file + ": it is " + what + ", want a file"; err == nil || err.Error() != want {
			t.Errorf("got %v, want %s", err, want)
		}
		if err := os.Remove(file); err != nil {
			t.Fatal(err)
		}
	}
}

func TestFingerprint(t *testing.T) {
	// What has changed in a folder is told, by class, when files or classes have, and nothing when only the folder has moved.
	files := merged(grown("train", 3, "cat", "dog"), grown("val", 1, "cat", "dog"))
	open := func(root string) *Set {
		set, err := Open("imagefolder", root)
		if err != nil {
			t.Fatal(err)
		}
		return set
	}
	for _, c := range []struct {
		name   string
		change func(root string) error
		want   string
	}{
		{"a moved folder", func(string) error { return nil }, ""},
		{"a text beside", func(root string) error { return os.WriteFile(root+"/train/cat/notes.txt", nil, 0o644) }, ""},
		{"files more", func(root string) error {
			content, _ := os.ReadFile(root + "/train/dog/a.png")
			return os.WriteFile(root+"/train/dog/zz.png", content, 0o644)
		}, "class dog of train: 1 file more"},
		{"a file fewer", func(root string) error { return os.Remove(root + "/train/dog/a.png") }, "class dog of train: 1 file fewer"},
		{"a file renamed", func(root string) error { return os.Rename(root+"/train/dog/a.png", root+"/train/dog/x.png") }, "class dog of train: as many files, but other names or sizes"},
		{"a file longer", func(root string) error { return os.WriteFile(root+"/train/dog/a.png", make([]byte, 999), 0o644) }, "class dog of train: as many files, but other names or sizes"},
		{"a class renamed", func(root string) error {
			for _, part := range []string{"/train/", "/val/"} {
				if err := os.Rename(root+part+"cat", root+part+"cats"); err != nil {
					return err
				}
			}
			return nil
		}, "class cat of train is gone, class cats of train is new, class cat of val is gone, class cats of val is new"},
		{"val away", func(root string) error { return os.RemoveAll(root + "/val") }, "val is gone"},
		{"val named test", func(root string) error { return os.Rename(root+"/val", root+"/test") }, "val is gone, test is new"},
	} {
		t.Run(c.name, func(t *testing.T) {
			before := open(plant(t, files)).Fingerprint()
			root := plant(t, files)
			if err := c.change(root); err != nil {
				t.Fatal(err)
			}
			if got := before.Changes(open(root).Fingerprint()); got != c.want {
				t.Errorf("got  %q\nwant %q", got, c.want)
			}
		})
	}
}

func TestFingerprintOfMemory(t *testing.T) {
	// One pixel, label or class name tells apart sets that are in memory, and what else is done with them does not.
	images := func() *Images {
		return &Images{N: 2, Channels: 1, Height: 1, Width: 1, Classes: 2, Pixels: []uint8{3, 4}, Labels: []uint16{0, 1}}
	}
	made := func(change func(s *Set)) Fingerprint {
		s := &Set{Name: "x", ClassNames: []string{"a", "b"}, whole: [2]*Images{images(), images()}}
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
		{"a pixel", "train: as many images, but other ones", func(s *Set) { s.whole[0].Pixels[1] = 9 }},
		{"a label", "test: as many images, but other ones", func(s *Set) { s.whole[1].Labels[1] = 0 }},
		{"a name", "train: as many images, but other ones, test: as many images, but other ones", func(s *Set) { s.ClassNames[0] = "c" }},
		{"an image", "train: 1 image, was 2", func(s *Set) { s.whole[0] = images().Slice(0, 1) }},
	} {
		if got := same.Changes(made(c.change)); got != c.want {
			t.Errorf("%s: got %q, want %q", c.name, got, c.want)
		}
	}
}

func TestFingerprintOfText(t *testing.T) {
	// The split whose tokens have changed is named, and white space is no change, when a text is written anew.
	write := func(train string) Fingerprint {
		root := t.TempDir()
		for name, text := range map[string]string{"train.txt": train, "valid.txt": "a b\n", "test.txt": "b a\n"} {
			if err := os.WriteFile(filepath.Join(root, name), []byte(text), 0o644); err != nil {
				t.Fatal(err)
			}
		}
		c, err := CorpusOptions{Name: "text", Root: root}.Open()
		if err != nil {
			t.Fatal(err)
		}
		return c.Fingerprint()
	}
	before := write("a b c\nd e\n")
	got := map[string]string{}
	for _, train := range []string{"a  b c\nd e", "a b c\n", "a b c\nd f\n"} {
		got[train] = before.Changes(write(train))
	}
	want := map[string]string{"a  b c\nd e": "", "a b c\n": "train.txt: 4 tokens, was 7", "a b c\nd f\n": "train.txt: as many tokens, but other words"}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}
