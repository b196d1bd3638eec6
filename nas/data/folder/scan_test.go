package folder

import (
	"errors"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"

	"godarts/nas/data"
	"godarts/nas/data/datatest"
)

func TestLayouts(t *testing.T) {
	// Classes are found, with a note, when they lie in the root itself or hold their images in a folder images.
	for _, c := range []struct {
		name        string
		files       map[string]string
		train, note string
	}{
		{"root of classes", datatest.Grown(".", 5, "cat", "dog"), "cat/b.png",
			"ROOT has no train: its 2 folders are taken for the classes; ROOT has neither test nor val: a fifth of each class, drawn by data.split_seed 0, is for test"},
		{"Tiny ImageNet", datatest.Merged(datatest.Grown("train/n1", 5, "images"), datatest.Grown("train/n2", 5, "images"), map[string]string{"train/n1/n1_boxes.txt": "x"}), "train/n1/images/b.png",
			"ROOT has neither test nor val: a fifth of each class of train, drawn by data.split_seed 0, is for test; 1 file of ROOT is no image and is left out, such as train/n1/n1_boxes.txt"},
	} {
		t.Run(c.name, func(t *testing.T) {
			root := datatest.Plant(t, c.files)
			set, err := Options{Root: root, Size: 4, Channels: 3}.Open()
			if err != nil {
				t.Fatal(err)
			}
			if set.Train.N != 8 || set.Test.N != 2 || len(set.ClassNames) != 2 {
				t.Errorf("%d and %d images of %v", set.Train.N, set.Test.N, set.ClassNames)
			}
			f := set.Train.Pictures.(*part)
			var files []string
			for i := range f.names {
				files = append(files, f.File(i))
			}
			if !slices.Contains(files, c.train) {
				t.Errorf("the files are %q", files)
			}
			if note := strings.ReplaceAll(strings.Join(set.Notes, "; "), root, "ROOT"); note != c.note {
				t.Errorf("got  %s\nwant %s", note, c.note)
			}
			if b := (&data.Source{Images: set.Train, Size: 8}).Load(0, 0); b.Err != nil {
				t.Error(b.Err)
			}
		})
	}
}

func TestPipeIsNoImage(t *testing.T) {
	// A named pipe with the name of an image is left out, since reading it would wait.
	root := datatest.Plant(t, datatest.Merged(datatest.Grown("train", 5, "cat", "dog"), datatest.Grown("val", 1, "cat", "dog")))
	if err := syscall.Mkfifo(filepath.Join(root, "train", "cat", "0.png"), 0o644); err != nil {
		t.Fatal(err)
	}
	set, err := open(root)
	if err != nil {
		t.Fatal(err)
	}
	if set.Train.N != 10 || len(set.Notes) != 1 {
		t.Errorf("%d images, notes %q", set.Train.N, set.Notes)
	}
}

func TestFingerprint(t *testing.T) {
	// Changes names by class the files and classes that have changed, and nothing when only the folder has moved.
	files := datatest.Merged(datatest.Grown("train", 3, "cat", "dog"), datatest.Grown("val", 1, "cat", "dog"))
	open := func(root string) *data.Set {
		set, err := open(root)
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
		{"another file", func(root string) error { return os.WriteFile(root+"/train/cat/notes.txt", nil, 0o644) }, ""},
		{"files more", func(root string) error {
			content, _ := os.ReadFile(root + "/train/dog/a.png")
			return os.WriteFile(root+"/train/dog/zz.png", content, 0o644)
		}, "class dog of train: 1 file more"},
		{"a file fewer", func(root string) error { return os.Remove(root + "/train/dog/a.png") }, "class dog of train: 1 file fewer"},
		{"a file renamed", func(root string) error { return os.Rename(root+"/train/dog/a.png", root+"/train/dog/x.png") }, "class dog of train: the same number of files, but other names or sizes"},
		{"a file longer", func(root string) error { return os.WriteFile(root+"/train/dog/a.png", make([]byte, 999), 0o644) }, "class dog of train: the same number of files, but other names or sizes"},
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
			before := open(datatest.Plant(t, files)).Fingerprint()
			root := datatest.Plant(t, files)
			if err := c.change(root); err != nil {
				t.Fatal(err)
			}
			if got := before.Changes(open(root).Fingerprint()); got != c.want {
				t.Errorf("got  %q\nwant %q", got, c.want)
			}
		})
	}
}

func TestJPEGNoted(t *testing.T) {
	// A folder's notes say that JPEG is decoded by Go's decoder when it holds such files and the library is missing, and a wrong choice is an error.
	before := jpegDecoder
	defer func() { jpegDecoder = before }()
	missing, wrong := errors.New("no such library"), error(nil)
	jpegDecoder = func() (name string, why, err error) { return "image/jpeg", missing, wrong }
	root := t.TempDir()
	for _, class := range []string{"a", "b"} {
		dir := filepath.Join(root, class)
		if err := os.Mkdir(dir, 0o755); err != nil {
			t.Fatal(err)
		}
		for _, name := range []string{"1.png", "2.png"} {
			if err := os.WriteFile(filepath.Join(dir, name), datatest.PNG(t, 1), 0o644); err != nil {
				t.Fatal(err)
			}
		}
	}
	noted := func() bool {
		set, err := open(root)
		if err != nil {
			t.Fatal(err)
		}
		return strings.Contains(strings.Join(set.Notes, "\n"), "there is no libturbojpeg (no such library)")
	}
	if noted() {
		t.Error("noted without a file of JPEG")
	}
	if err := os.Rename(filepath.Join(root, "a", "1.png"), filepath.Join(root, "a", "1.JPEG")); err != nil {
		t.Fatal(err)
	}
	if !noted() {
		t.Error("not noted")
	}
	wrong = errors.New("no decoder")
	if _, err := open(root); err == nil || err.Error() != "no decoder" {
		t.Errorf("a wrong choice: %v", err)
	}
}
