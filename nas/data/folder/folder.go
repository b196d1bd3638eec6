// Package folder reads image folders: ROOT/train/CLASS/IMAGE and the like.
package folder

import (
	"context"
	"errors"
	"fmt"
	"image"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"godarts/nas/data"
	"godarts/nas/data/fingerprint"
	"godarts/nas/data/picture"
	"godarts/nas/data/sets"
	"godarts/nas/names"
	"godarts/nas/rng"
	"godarts/nas/wholefile"
)

func init() {
	sets.Register(sets.DataSet{
		Name: "imagefolder", Doc: "data.root/train/CLASS/IMAGE", Side: 32, Channels: 3, Scaled: true,
		Open: func(o sets.Options) (*data.Set, error) {
			return Options{Root: o.Root, Size: o.Size, Channels: o.Channels, SplitSeed: o.SplitSeed, MaxPixels: o.MaxPixels}.Open()
		},
		Get: func(context.Context, string, func(done, total int64)) error {
			return errors.New("there is nothing to download: it is a folder of your own, with train/CLASS/IMAGE")
		},
	})
}

// Options select a folder and the form of its images.
type Options struct {
	Root           string // the folder that holds train
	Size, Channels int    // of the images
	SplitSeed      int64  // draws the order, and the images held out for test
	MaxPixels      int    // of an image file: a larger one cannot be used; 0 is picture.DefaultMaxPixels
}

// heldOut is the fraction of each class that is held out for test in a folder without test
// and val.
const heldOut = 0.2

// part are the images of ROOT/PART/CLASS/NAME. It keeps only the names, since there may be
// millions.
type part struct {
	root      string
	name      string   // train, test or val; empty where the classes lie in root
	classes   []string // names, sorted
	inside    []string // for each class the folder inside its own that holds the images, mostly none
	names     []string // of the files
	labels    []uint16 // index of the class of each
	maxPixels int      // of an image
}

// dir is where the classes lie.
func (p *part) dir() string { return filepath.Join(p.root, p.name) }

// File implements data.Files.
func (p *part) File(i int) string {
	label := p.labels[i]
	return filepath.Join(p.name, p.classes[label], p.inside[label], p.names[i])
}

// ClassFolder implements data.Files.
func (p *part) ClassFolder(i int) string { return filepath.Join(p.dir(), p.classes[p.labels[i]]) }

// CheckHeader implements data.Files.
func (p *part) CheckHeader(i int) *data.Unreadable {
	if err := picture.CheckHeader(filepath.Join(p.root, p.File(i)), p.maxPixels); err != nil {
		return p.unreadable(i, err)
	}
	return nil
}

// unreadable says that image i cannot be used.
func (p *part) unreadable(i int, err error) *data.Unreadable {
	return &data.Unreadable{File: p.File(i), Why: wholefile.Cause(err).Error(), Root: p.root}
}

// Decode implements data.Pictures.
func (p *part) Decode(i int) (image.Image, func(), error) {
	decoded, free, err := picture.Decode(filepath.Join(p.root, p.File(i)), p.maxPixels)
	if err != nil {
		return nil, nil, p.unreadable(i, err)
	}
	return decoded, free, nil
}

// jpegDecoder is picture.JPEGDecoder, for tests to replace.
var jpegDecoder = picture.JPEGDecoder

// Open reads the names of the files in Root/train/CLASS/IMAGE, or in Root/CLASS/IMAGE if
// there is no train and no other part.
//
// Train is that folder, shuffled by SplitSeed so that any first part of it holds every
// class: a search takes both its halves from there. Test is Root/test/CLASS/IMAGE if there
// is such a folder, else Root/val/CLASS/IMAGE, else a fifth of each class of train, drawn
// by SplitSeed, which is then not in Train. The seed of a run does not change these, so
// that a search never sees the images on which a training is tested.
//
// Images are files of JPEG, PNG, GIF (the first frame), BMP, TIFF and WebP with one of
// [picture.Suffixes]; those of a class may all lie in the folder images within it. Open
// leaves out other files and folders within a class, with a note unless they are hidden.
// Decoding ignores orientation marks and colour profiles, puts transparent pixels on black
// and cuts sixteen bits to eight.
func (o Options) Open() (*data.Set, error) {
	if o.Root == "" {
		return nil, errors.New("data: imagefolder: no root, want the folder that holds train")
	}
	if err := exists(o.Root, "no such folder"); err != nil {
		return nil, err
	}
	if o.MaxPixels == 0 {
		o.MaxPixels = picture.DefaultMaxPixels
	}
	_, jpegMissing, err := jpegDecoder()
	if err != nil {
		return nil, err
	}
	name, err := o.trainPart()
	if err != nil {
		return nil, err
	}
	train, err := o.scan(name)
	if err != nil {
		return nil, err
	}
	classes := len(train.part.classes)
	set := &data.Set{Name: "imagefolder", ClassNames: train.part.classes, Augment: data.Augment{Pad: o.Size / 8, Flip: true}}
	if name == "" {
		set.Notes = append(set.Notes, fmt.Sprintf("%s has no train: its %s are taken for the classes", names.Escape(o.Root), names.Count(classes, "folder")))
	}
	test, err := o.testPart(set, train)
	if err != nil {
		return nil, err
	}
	if jpegMissing != nil && (train.part.hasJPEG() || test.hasJPEG()) {
		set.Notes = append(set.Notes, picture.NoteJPEG(jpegMissing))
	}
	train.part.shuffle(o.SplitSeed)
	set.Train = data.Photographs(train.part, train.part.labels, classes, o.Size, o.Channels)
	set.Test = data.Photographs(test, test.labels, classes, o.Size, o.Channels)
	return set, nil
}

// partNames are names of folders that are no class where there are other folders.
var partNames = []string{"test", "testing", "train", "training", "val", "valid", "validation"}

// trainPart returns the name of the folder in Root that holds the training images: train,
// or none where all folders of Root are classes.
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
		case slices.Contains(partNames, strings.ToLower(e.Name())):
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
		return "", fmt.Errorf("data: imagefolder: %s has no train, but %s and %s of images: move these into %[4]s",
			names.Escape(o.Root), other, names.Count(classes, "folder"), names.Escape(filepath.Join(o.Root, "train")))
	}
	return "", nil
}

// testPart finds the images for test. Where the folder has no such part it takes them from
// train.
func (o Options) testPart(set *data.Set, train *scanned) (*part, error) {
	var found []string
	for _, name := range []string{"test", "val"} {
		if train.part.name != "" && isFolder(filepath.Join(o.Root, name)) {
			found = append(found, name)
		}
	}
	set.Files = []fingerprint.Part{train.contents}
	if len(found) == 0 {
		set.Notes = append(set.Notes, fmt.Sprintf("%s has neither test nor val: a fifth of each class%s, drawn by data.split_seed %d, is for test",
			names.Escape(o.Root), map[bool]string{true: " of train"}[train.part.name != ""], o.SplitSeed))
		noteLeftOut(set, o.Root, train)
		return train.part.split(o.SplitSeed)
	}
	if len(found) == 2 {
		set.Notes = append(set.Notes, names.Escape(filepath.Join(o.Root, "val"))+" is not used, since there is a folder test")
	}
	test, err := o.scan(found[0])
	if err != nil {
		return nil, err
	}
	set.Files = append(set.Files, test.contents)
	noteLeftOut(set, o.Root, train, test)
	return test.part, sameClasses(train.part, test.part)
}

// exists returns an error if dir is not a folder. The error names the nearest folder next to
// it.
func exists(dir, want string) error {
	info, err := os.Stat(dir)
	switch {
	case err == nil && info.IsDir():
		return nil
	case err == nil:
		return fmt.Errorf("data: imagefolder: %s is a file, want a folder", names.Escape(dir))
	case !errors.Is(err, fs.ErrNotExist):
		return fmt.Errorf("data: imagefolder: %s: %w", names.Escape(dir), wholefile.Cause(err))
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

// sameClasses returns an error that names the classes which one of two parts lacks.
func sameClasses(train, test *part) error {
	only := func(a, b *part) (classes []string) {
		for _, class := range a.classes {
			if _, found := slices.BinarySearch(b.classes, class); !found {
				classes = append(classes, names.Print(class))
			}
		}
		return classes
	}
	var differ []string
	for _, pair := range [][2]*part{{train, test}, {test, train}} {
		if classes := only(pair[0], pair[1]); len(classes) > 0 {
			differ = append(differ, fmt.Sprintf("only %s has %s", names.Print(pair[0].dir()), names.Few(classes)))
		}
	}
	if len(differ) > 0 {
		return fmt.Errorf("data: imagefolder: classes differ: %s", strings.Join(differ, "; "))
	}
	return nil
}

// split moves a fifth of each class of p to a new part, and returns that.
func (p *part) split(seed int64) (*part, error) {
	kept, held := p.empty(), p.empty()
	for from := 0; from < len(p.names); {
		class := p.labels[from]
		to := from
		for to < len(p.labels) && p.labels[to] == class {
			to++
		}
		n := to - from
		if n < 2 {
			return nil, fmt.Errorf("data: imagefolder: %s has 1 image, too few to hold one out for test: want two or more, or a folder test or val",
				names.Escape(filepath.Join(p.dir(), p.classes[class])))
		}
		out := make([]bool, n)
		for _, i := range rng.Permutation(rng.Stream(seed, "imagefolder.split", int(class)), n, max(1, int(heldOut*float64(n)))) {
			out[i] = true
		}
		for i := range n {
			to := kept
			if out[i] {
				to = held
			}
			to.names, to.labels = append(to.names, p.names[from+i]), append(to.labels, class)
		}
		from = to
	}
	*p = *kept
	return held, nil
}

// empty returns p without its files.
func (p *part) empty() *part {
	out := *p
	out.names, out.labels = nil, nil
	return &out
}

// shuffle puts the images into an order that seed draws.
func (p *part) shuffle(seed int64) {
	rng.Stream(seed, "imagefolder.order").Shuffle(len(p.names), func(i, j int) {
		p.names[i], p.names[j] = p.names[j], p.names[i]
		p.labels[i], p.labels[j] = p.labels[j], p.labels[i]
	})
}

// hasJPEG tells whether a file is named as JPEG.
func (p *part) hasJPEG() bool {
	return slices.ContainsFunc(p.names, func(name string) bool {
		suffix := strings.ToLower(filepath.Ext(name))
		return suffix == ".jpg" || suffix == ".jpeg"
	})
}
