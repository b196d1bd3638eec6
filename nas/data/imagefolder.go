package data

import (
	"errors"
	"fmt"
	"image"
	"io/fs"
	"math"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"godarts/nas/names"
	"godarts/nas/rng"
)

// heldOut is the part of every class that is for test where the folder has no
// part of its own for that.
const heldOut = 0.2

// folder are the images of ROOT/PART/CLASS/NAME. Names are kept alone, since
// there may be millions.
type folder struct {
	root      string
	part      string   // train, test or val; empty where the classes lie in root
	classes   []string // names, sorted
	inside    []string // of each class, the folder in it that holds its images, mostly none
	names     []string // of the files
	labels    []uint16 // index of the class of each
	maxPixels int      // of an image
}

// dir is where the classes lie.
func (f *folder) dir() string { return filepath.Join(f.root, f.part) }

// file is the path of image i from the root.
func (f *folder) file(i int) string {
	label := f.labels[i]
	return filepath.Join(f.part, f.classes[label], f.inside[label], f.names[i])
}

// Decode implements Pictures.
func (f *folder) Decode(i int) (image.Image, func(), error) {
	file := f.file(i)
	picture, free, err := decodeFile(filepath.Join(f.root, file), f.maxPixels)
	if err != nil {
		return nil, nil, &Unreadable{file, cause(err).Error(), f.root}
	}
	return picture, free, nil
}

// openFolder reads the names of an imagefolder's files: see Options.Open.
func openFolder(o Options) (*Set, error) {
	if o.Root == "" {
		return nil, errors.New("data: imagefolder: no root, want the folder that holds train")
	}
	if err := exists(o.Root, "no such folder"); err != nil {
		return nil, err
	}
	if err := chosenJPEG().err; err != nil {
		return nil, err
	}
	part, err := o.trainPart()
	if err != nil {
		return nil, err
	}
	train, err := o.scan(part)
	if err != nil {
		return nil, err
	}
	set := &Set{Name: imageFolder, ClassNames: train.folder.classes, Augment: Augment{Pad: o.Size / 8, Flip: true}}
	if part == "" {
		set.Notes = append(set.Notes, fmt.Sprintf("%s has no train: its %s are taken for the classes", names.Escape(o.Root), count(len(train.folder.classes), "folder")))
	}
	test, err := o.testPart(set, train)
	if err != nil {
		return nil, err
	}
	set.noteJPEG(train.folder, test)
	train.folder.shuffle(o.SplitSeed)
	classes := len(train.folder.classes)
	set.Train, set.Test = o.images(train.folder, train.folder.labels, classes), o.images(test, test.labels, classes)
	return set, nil
}

// parts are folders that are no class beside others.
var parts = []string{"test", "testing", "train", "training", "val", "valid", "validation"}

// trainPart is the folder of root that holds the training images: train, or root itself
// where all its folders are classes.
func (o Options) trainPart() (string, error) {
	missing := exists(filepath.Join(o.Root, "train"), "no such folder, want it to hold a folder of images for each class")
	if missing == nil {
		return "train", nil
	}
	entries, err := os.ReadDir(o.Root)
	if err != nil {
		return "", missing
	}
	classes, other := 0, ""
	for _, e := range entries {
		switch {
		case hidden(e) || !isFolder(filepath.Join(o.Root, e.Name())):
		case slices.Contains(parts, strings.ToLower(e.Name())):
			other = e.Name()
		default:
			c, err := readClass(o.Root, e.Name())
			if err != nil || len(c.names) == 0 {
				return "", missing
			}
			classes++
		}
	}
	switch {
	case classes < 2:
		return "", missing
	case other != "":
		return "", fmt.Errorf("data: imagefolder: %s has no train, but %s beside %s of images: move these into %[4]s",
			names.Escape(o.Root), other, count(classes, "folder"), names.Escape(filepath.Join(o.Root, "train")))
	}
	return "", nil
}

// testPart finds the images for test, which may be taken from train.
func (o Options) testPart(set *Set, train *scanned) (*folder, error) {
	var parts []string
	for _, name := range []string{"test", "val"} {
		if train.folder.part != "" && isFolder(filepath.Join(o.Root, name)) {
			parts = append(parts, name)
		}
	}
	set.files = []Part{train.part}
	if len(parts) == 0 {
		set.Notes = append(set.Notes, fmt.Sprintf("%s has neither test nor val: a fifth of each class%s, drawn by data.split_seed %d, is for test",
			names.Escape(o.Root), map[bool]string{true: " of train"}[train.folder.part != ""], o.SplitSeed))
		set.passedOver(o.Root, train)
		return train.folder.split(o.SplitSeed)
	}
	if len(parts) == 2 {
		set.Notes = append(set.Notes, names.Escape(filepath.Join(o.Root, "val"))+" is not used, since there is test")
	}
	test, err := o.scan(parts[0])
	if err != nil {
		return nil, err
	}
	set.files = append(set.files, test.part)
	set.passedOver(o.Root, train, test)
	return test.folder, sameClasses(train.folder, test.folder)
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

// exists is an error, with the nearest folder beside it, if dir is none.
func exists(dir, want string) error {
	info, err := os.Stat(dir)
	switch {
	case err == nil && info.IsDir():
		return nil
	case err == nil:
		return fmt.Errorf("data: imagefolder: %s is a file, want a folder", names.Escape(dir))
	case !errors.Is(err, fs.ErrNotExist):
		return fmt.Errorf("data: imagefolder: %s: %w", names.Escape(dir), cause(err))
	}
	beside, _ := os.ReadDir(filepath.Dir(filepath.Clean(dir))) // none where the parent is missing too
	var near []string
	for _, e := range beside {
		if e.IsDir() && !hidden(e) {
			near = append(near, e.Name())
		}
	}
	if len(near) > 0 {
		want += fmt.Sprintf(" (nearest: %s)", names.Escape(filepath.Join(filepath.Dir(filepath.Clean(dir)), names.Nearest(filepath.Base(dir), near))))
	}
	return fmt.Errorf("data: imagefolder: %s: %s", names.Escape(dir), want)
}

// sameClasses is an error that names the classes which one of two parts lacks.
func sameClasses(train, test *folder) error {
	only := func(a, b *folder) (classes []string) {
		for _, class := range a.classes {
			if _, found := slices.BinarySearch(b.classes, class); !found {
				classes = append(classes, names.Print(class))
			}
		}
		return classes
	}
	var differ []string
	for _, pair := range [][2]*folder{{train, test}, {test, train}} {
		if classes := only(pair[0], pair[1]); len(classes) > 0 {
			differ = append(differ, fmt.Sprintf("only %s has %s", names.Print(pair[0].dir()), first(classes)))
		}
	}
	if len(differ) > 0 {
		return fmt.Errorf("data: imagefolder: classes differ: %s", strings.Join(differ, "; "))
	}
	return nil
}

// first lists the first few of texts, and how many more there are.
func first(texts []string) string {
	const most = 5
	list := strings.Join(texts[:min(len(texts), most)], ", ")
	if len(texts) > most {
		list += fmt.Sprintf(" and %d more", len(texts)-most)
	}
	return list
}

// split moves a part of every class from f to a folder of its own.
func (f *folder) split(seed int64) (*folder, error) {
	kept, held := f.empty(), f.empty()
	for from := 0; from < len(f.names); {
		class := f.labels[from]
		to := from
		for to < len(f.labels) && f.labels[to] == class {
			to++
		}
		n := to - from
		if n < 2 {
			return nil, fmt.Errorf("data: imagefolder: %s has 1 image, of which none can be held out for test: want two or more, or a folder test or val",
				names.Escape(filepath.Join(f.dir(), f.classes[class])))
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

// empty is f without its files.
func (f *folder) empty() *folder {
	out := *f
	out.names, out.labels = nil, nil
	return &out
}

// shuffle puts the images in an order by seed.
func (f *folder) shuffle(seed int64) {
	rng.Stream(seed, "imagefolder.order").Shuffle(len(f.names), func(i, j int) {
		f.names[i], f.names[j] = f.names[j], f.names[i]
		f.labels[i], f.labels[j] = f.labels[j], f.labels[i]
	})
}
