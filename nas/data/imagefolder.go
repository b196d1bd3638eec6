package data

import (
	"cmp"
	"errors"
	"fmt"
	"image"
	"io/fs"
	"math"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"godarts/nas/rng"
)

// suffixes are those of the files that count as images, in small letters.
var suffixes = []string{".jpeg", ".jpg", ".png"}

// heldOut is the part of every class that is for test where the folder has no
// part of its own for that.
const heldOut = 0.2

// folder are the images of ROOT/PART/CLASS/NAME. Names are kept alone, since
// there may be millions.
type folder struct {
	dir     string   // ROOT/PART
	classes []string // names, sorted
	names   []string // of the files
	labels  []uint16 // index of the class of each
}

// Decode implements Pictures.
func (f *folder) Decode(i int) (image.Image, error) {
	file := f.file(i)
	picture, err := decodeFile(file)
	if err != nil {
		var path *fs.PathError // names the file itself
		if errors.As(err, &path) {
			err = path.Err
		}
		return nil, fmt.Errorf("data: imagefolder: %s: %w", file, err)
	}
	return picture, nil
}

func (f *folder) file(i int) string { return filepath.Join(f.dir, f.classes[f.labels[i]], f.names[i]) }

// openFolder reads the names of an imagefolder's files: see Options.Open.
func openFolder(o Options) (*Set, error) {
	if o.Root == "" {
		return nil, errors.New("data: imagefolder: no root, want the folder that holds train")
	}
	if err := exists(o.Root, "no such folder"); err != nil {
		return nil, err
	}
	train, err := scan(filepath.Join(o.Root, "train"))
	if err != nil {
		return nil, err
	}
	set := &Set{Name: imageFolder, ClassNames: train.classes, Augment: Augment{Pad: o.Size / 8, Flip: true}}
	test, err := o.testPart(set, train)
	if err != nil {
		return nil, err
	}
	train.shuffle(o.SplitSeed)
	set.Train, set.Test = o.images(train, train.labels, len(train.classes)), o.images(test, test.labels, len(train.classes))
	return set, nil
}

// testPart finds the images for test, which may be taken from train.
func (o Options) testPart(set *Set, train *folder) (*folder, error) {
	var parts []string
	for _, name := range []string{"test", "val"} {
		if isFolder(filepath.Join(o.Root, name)) {
			parts = append(parts, name)
		}
	}
	if len(parts) == 0 {
		set.Notes = append(set.Notes, fmt.Sprintf("%s has neither test nor val: a fifth of each class of train, drawn by data.split_seed %d, is for test", o.Root, o.SplitSeed))
		return train.split(o.SplitSeed)
	}
	if len(parts) == 2 {
		set.Notes = append(set.Notes, filepath.Join(o.Root, "val")+" is not used, since there is test")
	}
	test, err := scan(filepath.Join(o.Root, parts[0]))
	if err != nil {
		return nil, err
	}
	return test, sameClasses(train, test)
}

// images are pictures of the size and channels of o.
func (o Options) images(p Pictures, labels []uint16, classes int) *Images {
	m := &Images{
		N: len(labels), Channels: o.Channels, Height: o.Size, Width: o.Size, Classes: classes,
		Pictures: p, Labels: labels, Max: math.MaxUint8,
		// Of ImageNet, as networks for photographs are used to; of one channel the mean of the three.
		Mean: []float32{0.485, 0.456, 0.406}, Std: []float32{0.229, 0.224, 0.225},
	}
	if o.Channels == 1 {
		m.Mean, m.Std = []float32{0.449}, []float32{0.226}
	}
	return m
}

// scan reads the names of DIR/CLASS/IMAGE.
func scan(dir string) (*folder, error) {
	if err := exists(dir, "no such folder, want it to hold a folder of images for each class"); err != nil {
		return nil, err
	}
	entries, err := os.ReadDir(dir)
	if err != nil {
		return nil, fmt.Errorf("data: imagefolder: %w", err)
	}
	f := &folder{dir: dir}
	own := "" // an image beside the classes
	for _, e := range entries {
		switch {
		case hidden(e):
		case isFolder(filepath.Join(dir, e.Name())):
			if err := f.addClass(e.Name()); err != nil {
				return nil, err
			}
		case own == "" && isImage(e.Name()):
			own = e.Name()
		}
	}
	switch n := len(f.classes); {
	case n == 0 && own != "":
		return nil, fmt.Errorf("data: imagefolder: %s has no folder of a class: %s lies in it directly, want CLASS/%[2]s", dir, own)
	case n == 0:
		return nil, fmt.Errorf("data: imagefolder: %s has no folder of a class", dir)
	case n == 1:
		return nil, fmt.Errorf("data: imagefolder: %s has the class %q alone, want two or more", dir, f.classes[0])
	case n > math.MaxUint16:
		return nil, fmt.Errorf("data: imagefolder: %s has %d classes, want at most %d", dir, n, math.MaxUint16)
	}
	return f, nil
}

// addClass reads the names of the images of a class, of which there has to be one.
func (f *folder) addClass(class string) error {
	dir := filepath.Join(f.dir, class)
	entries, err := os.ReadDir(dir)
	if err != nil {
		return fmt.Errorf("data: imagefolder: %w", err)
	}
	before, others, other := len(f.names), 0, ""
	for _, e := range entries {
		switch {
		case hidden(e) || e.IsDir():
		case isImage(e.Name()):
			f.names = append(f.names, e.Name())
			f.labels = append(f.labels, uint16(len(f.classes)))
		default:
			others, other = others+1, cmp.Or(other, e.Name())
		}
	}
	if len(f.names) > before {
		f.classes = append(f.classes, class)
		return nil
	}
	what := "it is empty"
	if others > 0 {
		what = fmt.Sprintf("its %s, such as %s, end otherwise", count(others, "file"), other)
	}
	return fmt.Errorf("data: imagefolder: %s has no image (%s): %s", dir, strings.Join(suffixes, ", "), what)
}

func hidden(e fs.DirEntry) bool { return strings.HasPrefix(e.Name(), ".") }

func isImage(name string) bool {
	return slices.Contains(suffixes, strings.ToLower(filepath.Ext(name)))
}

// isFolder follows links: large sets are often put together by them.
func isFolder(path string) bool {
	info, err := os.Stat(path)
	return err == nil && info.IsDir()
}

// exists is an error, with the nearest folder beside it, if dir is none.
func exists(dir, want string) error {
	info, err := os.Stat(dir)
	switch {
	case err == nil && info.IsDir():
		return nil
	case err == nil:
		return fmt.Errorf("data: imagefolder: %s is a file, want a folder", dir)
	case !errors.Is(err, fs.ErrNotExist):
		return fmt.Errorf("data: imagefolder: %w", err)
	}
	beside, _ := os.ReadDir(filepath.Dir(filepath.Clean(dir))) // none where the parent is missing too
	var near []string
	for _, e := range beside {
		if e.IsDir() && !hidden(e) {
			near = append(near, e.Name())
		}
	}
	if len(near) > 0 {
		want += fmt.Sprintf(" (nearest: %s)", filepath.Join(filepath.Dir(filepath.Clean(dir)), nearest(filepath.Base(dir), near)))
	}
	return fmt.Errorf("data: imagefolder: %s: %s", dir, want)
}

// sameClasses is an error that names the classes which one of two parts lacks.
func sameClasses(train, test *folder) error {
	only := func(a, b *folder) (names []string) {
		for _, class := range a.classes {
			if !slices.Contains(b.classes, class) {
				names = append(names, class)
			}
		}
		return names
	}
	var differ []string
	for _, pair := range [][2]*folder{{train, test}, {test, train}} {
		const most = 5
		names := only(pair[0], pair[1])
		if len(names) == 0 {
			continue
		}
		text := strings.Join(names[:min(len(names), most)], ", ")
		if len(names) > most {
			text += fmt.Sprintf(" and %d more", len(names)-most)
		}
		differ = append(differ, fmt.Sprintf("only %s has %s", pair[0].dir, text))
	}
	if len(differ) > 0 {
		return fmt.Errorf("data: imagefolder: classes differ: %s", strings.Join(differ, "; "))
	}
	return nil
}

// split moves a part of every class from f to a folder of its own.
func (f *folder) split(seed int64) (*folder, error) {
	kept, held := &folder{dir: f.dir, classes: f.classes}, &folder{dir: f.dir, classes: f.classes}
	for from := 0; from < len(f.names); {
		class := f.labels[from]
		to := from
		for to < len(f.labels) && f.labels[to] == class {
			to++
		}
		n := to - from
		if n < 2 {
			return nil, fmt.Errorf("data: imagefolder: %s has 1 image, of which none can be held out for test: want two or more, or a folder test or val",
				filepath.Join(f.dir, f.classes[class]))
		}
		out := make([]bool, n)
		for _, i := range shuffled(rng.Stream(seed, "imagefolder.split", int(class)), n, max(1, int(heldOut*float64(n)))) {
			out[i] = true
		}
		for i := range n {
			part := kept
			if out[i] {
				part = held
			}
			part.names, part.labels = append(part.names, f.names[from+i]), append(part.labels, class)
		}
		from = to
	}
	*f = *kept
	return held, nil
}

// shuffle puts the images in an order by seed.
func (f *folder) shuffle(seed int64) {
	rng.Stream(seed, "imagefolder.order").Shuffle(len(f.names), func(i, j int) {
		f.names[i], f.names[j] = f.names[j], f.names[i]
		f.labels[i], f.labels[j] = f.labels[j], f.labels[i]
	})
}
