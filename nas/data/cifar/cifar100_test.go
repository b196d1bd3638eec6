package cifar

import (
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestCIFAR100(t *testing.T) {
	// CIFAR-100 reads back with fine or coarse labels when its files are whole, and the error names the file when a label is out of range.
	root := t.TempDir()
	dir := filepath.Join(root, "cifar-100-binary")
	if err := os.MkdirAll(dir, 0o755); err != nil {
		t.Fatal(err)
	}
	write := func(name string, content []byte) {
		t.Helper()
		if err := os.WriteFile(filepath.Join(dir, name), content, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	images := noise(9, 3)
	record := func(coarse, fine byte, i int) []byte {
		return append([]byte{coarse, fine}, images.Pixels[i*pixels:(i+1)*pixels]...)
	}
	write("train.bin", slices.Concat(record(19, 99, 0), record(0, 7, 1)))
	write("test.bin", record(4, 50, 2))
	write("fine_label_names.txt", []byte(strings.Repeat("fine\n", 100)))
	write("coarse_label_names.txt", []byte(strings.Repeat("coarse\n", 20)))
	for _, c := range []struct {
		name        string
		layout      layout
		classes     int
		train, test []uint16
	}{
		{"fine", cifar100, 100, []uint16{99, 7}, []uint16{50}},
		{"coarse", cifar100.coarse(), 20, []uint16{19, 0}, []uint16{4}},
	} {
		t.Run(c.name, func(t *testing.T) {
			set, err := c.layout.read(root, 2, 1)
			if err != nil {
				t.Fatal(err)
			}
			if !slices.Equal(set.Train.Labels, c.train) || !slices.Equal(set.Test.Labels, c.test) || set.Train.Classes != c.classes || len(set.ClassNames) != c.classes {
				t.Errorf("labels %v and %v of %d classes", set.Train.Labels, set.Test.Labels, set.Train.Classes)
			}
			if !slices.Equal(set.Train.Pixels, images.Pixels[:2*pixels]) || set.ClassNames[0] != c.name {
				t.Errorf("other pixels, or names %q", set.ClassNames[0])
			}
		})
	}
	_, err := cifar100.open(root)
	if want := "data: cifar100: " + filepath.Join(dir, "train.bin") + ": 2 records, want 50000; `darts data get cifar100 --root " + root + "` downloads it"; err == nil || err.Error() != want {
		t.Errorf("got %v, want %s", err, want)
	}
	write("test.bin", record(20, 100, 2))
	for _, c := range []layout{cifar100, cifar100.coarse()} {
		if _, err := c.read(root, 2, 1); err == nil || !strings.Contains(err.Error(), "test.bin: record 0 (from byte 0): label ") {
			t.Errorf("got %v", err)
		}
	}
	want := []string{cifar100.coarse().names, cifar100.names, "test.bin", "train.bin"}
	slices.Sort(want)
	if diff := cmp.Diff(want, slices.Sorted(maps.Keys(cifar100.published().Files))); diff != "" {
		t.Errorf("files of cifar100 (-want +got):\n%s", diff)
	}
}
