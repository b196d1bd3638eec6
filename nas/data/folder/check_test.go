package folder

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"godarts/nas/data"
	"godarts/nas/data/datatest"
)

func TestCheck(t *testing.T) {
	// Check lists broken files in order, truncated ones only if it decodes; Without keeps the order of the others.
	whole := string(datatest.PNG(t, 7))
	root := datatest.Plant(t, datatest.Merged(datatest.Grown("train", 6, "cat", "dog"), datatest.Grown("val", 2, "cat", "dog"), map[string]string{
		"train/dog/b.png": "no picture", "train/cat/c.png": whole[:len(whole)-20], "val/cat/a.png": "",
	}))
	if err := os.WriteFile(filepath.Join(root, "val", "dog", "b.png"), []byte("\x89PNG\r\n"), 0o644); err != nil {
		t.Fatal(err)
	}
	open := func() *data.Set {
		set, err := Options{Root: root, Size: 4, Channels: 3}.Open()
		if err != nil {
			t.Fatal(err)
		}
		return set
	}
	cat, dog, test := data.Unreadable{File: "train/cat/c.png", Why: "png: invalid format: unexpected EOF"}, data.Unreadable{File: "train/dog/b.png", Why: "image: unknown format"},
		data.Unreadable{File: "val/dog/b.png", Why: "image: unknown format"}
	for _, c := range []struct {
		name, how string
		test      bool
		want      []data.Unreadable
	}{
		{"all", data.CheckDecode, true, []data.Unreadable{cat, dog, test}},
		{"headers", data.CheckHeader, true, []data.Unreadable{dog, test}},
		{"training images", data.CheckDecode, false, []data.Unreadable{cat, dog}},
	} {
		t.Run(c.name, func(t *testing.T) {
			set := open()
			last, all := 0, 0
			got, err := set.Check(t.Context(), c.how, c.test, func(done, of int) { last, all = done, of })
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(c.want, got, cmpopts.IgnoreFields(data.Unreadable{}, "Root")); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
			if want := map[bool]int{true: 16, false: 12}[c.test]; last != want || all != want {
				t.Errorf("told of %d of %d files, want %d", last, all, want)
			}
			if err := set.Without(got); err != nil {
				t.Fatal(err)
			}
			left := allFiles(set.Train)
			want := slices.DeleteFunc(allFiles(open().Train), func(file string) bool {
				return slices.ContainsFunc(c.want, func(u data.Unreadable) bool { return u.File == file })
			})
			if diff := cmp.Diff(want, left); diff != "" {
				t.Errorf("what is left (-want +got):\n%s", diff)
			}
			for i, file := range left {
				if class := set.ClassNames[set.Train.Labels[i]]; !strings.Contains(file, "/"+class+"/") {
					t.Errorf("%s has the label of %s", file, class)
				}
			}
		})
	}
	first := open()
	first.Train = first.Train.Slice(0, 4)
	if got, err := first.Check(t.Context(), data.CheckDecode, false, nil); err != nil || len(got) > 2 {
		t.Errorf("of the first four images %v are broken, %v", got, err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := open().Check(ctx, data.CheckDecode, true, nil); !errors.Is(err, context.Canceled) {
		t.Errorf("got %v, want %v", err, context.Canceled)
	}
}

// allFiles lists the files of the images, in order.
func allFiles(m *data.Images) (files []string) {
	for i := range m.N {
		files = append(files, m.File(i))
	}
	return files
}

func TestWithoutAClass(t *testing.T) {
	// The error names the class when none of its images can be read.
	root := datatest.Plant(t, datatest.Merged(datatest.Grown("train", 3, "cat", "dog"), datatest.Grown("val", 1, "cat", "dog"), map[string]string{"val/dog/a.png": "x"}))
	set, err := open(root)
	if err != nil {
		t.Fatal(err)
	}
	bad, err := set.Check(t.Context(), data.CheckHeader, true, nil)
	if err != nil {
		t.Fatal(err)
	}
	want := "data: imagefolder: " + root + "/val/dog: none of the 1 image of the class can be read, and data.on_bad_file: skip would leave the class empty"
	if err := set.Without(bad); err == nil || err.Error() != want {
		t.Errorf("got  %v\nwant %s", err, want)
	}
}
