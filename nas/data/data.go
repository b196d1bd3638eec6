// Package data reads image sets, from memory or from folders larger than it, and
// turns them into batches.
//
// Every batch is a pure function of (seed, stream name, epoch, step): loading
// needs no saved state, can be resumed at any step, and gives the same numbers
// with any number of goroutines.
package data

import (
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"godarts/nas/home"
	"godarts/nas/names"
	"godarts/nas/wholefile"
)

// Images is a set of labelled images of one size. They are held in memory as
// bytes, or come from Pictures, brought to that size when a batch is loaded.
type Images struct {
	N, Channels, Height, Width, Classes int

	Pixels   []uint8  // [N, Channels, Height, Width], 0..Max; nil where there are Pictures
	Pictures Pictures // of N images of any size; nil where there are Pixels
	Labels   []uint16 // [N], 0..Classes-1

	Max       uint8     // the value of full brightness: pixel/Max is in 0..1 (255, or 16 for digits)
	Mean, Std []float32 // [Channels], of pixel/Max
}

// Slice returns images from..to-1. It shares memory with m and panics if the
// range does not lie within 0..N.
func (m *Images) Slice(from, to int) *Images {
	if from < 0 || from > to || to > m.N {
		panic(fmt.Sprintf("data: slice %d..%d of %d images", from, to, m.N))
	}
	part, size := *m, m.size()
	part.N = to - from
	if m.Pictures != nil {
		part.Pictures = slicedPictures{m.Pictures, from}
	} else {
		part.Pixels = m.Pixels[from*size : to*size : to*size]
	}
	part.Labels = m.Labels[from:to:to]
	return &part
}

// size is the number of values of one image.
func (m *Images) size() int { return m.Channels * m.Height * m.Width }

// Set is a data set with its split.
type Set struct {
	Name        string
	Train, Test *Images
	ClassNames  []string // [Classes]
	Augment     Augment  // what suits training on these images; a flipped digit is none
	Notes       []string // what whoever uses the set should know of it

	whole [2]*Images // Train and Test as they were opened
	files []Part     // of an imagefolder: what its parts are made of
}

// Options say which data set is opened, and how its images are delivered.
type Options struct {
	Name string // one of Names
	Root string // folder of data sets, see [Root]; of an imagefolder the folder that holds train

	Size, Channels int       // of the images of an imagefolder and of synthetic ones; 0 is 32 pixels a side and 3 channels
	Mean, Std      []float32 // of each channel, instead of the set's own; nil takes those
	Coarse         bool      // cifar100: the 20 superclasses are the labels
	SplitSeed      int64     // of an imagefolder's order and of the images it holds out for test
	MaxPixels      int       // of an image of an imagefolder: one that has more cannot be used; 0 is DefaultMaxPixels
}

// imageFolder and synthetic are the names of the data sets whose images have the
// size that Options say.
const (
	imageFolder = "imagefolder"
	synthetic   = "synthetic"
)

// openers holds every data set: its name and how it is opened.
var openers = map[string]func(o Options) (*Set, error){
	"digits":  func(Options) (*Set, error) { return openDigits() },
	"cifar10": func(o Options) (*Set, error) { return cifar10.open(Root(o.Root)) },
	"cifar100": func(o Options) (*Set, error) {
		if o.Coarse {
			return cifar100.coarse().open(Root(o.Root))
		}
		return cifar100.open(Root(o.Root))
	},
	imageFolder: openFolder,
	synthetic:   openSynthetic,
}

// Open is Options.Open for a data set as it is.
func Open(name, root string) (*Set, error) { return Options{Name: name, Root: root}.Open() }

// Open reads the data set, or what it needs to know of one whose images are
// decoded later. Digits and synthetic images are part of the program and need no
// folder. An unknown name is an error that says which known one is nearest.
//
// An imagefolder is Root/train/CLASS/IMAGE, or Root/CLASS/IMAGE if there is no train
// and no other part. Train is that folder, shuffled by SplitSeed so that any first part
// of it holds every class: a search takes both its halves from there. Test is
// Root/test/CLASS/IMAGE if there is such a folder, else Root/val/CLASS/IMAGE, else a
// fifth of each class of train, drawn by SplitSeed, which is then not in Train. The seed
// of a run has no part in this, so that a search never sees what a training is tested
// on. Images are files of JPEG, PNG, GIF (its first frame), BMP, TIFF and WebP that are
// named so (see suffixes); those of a class may all lie in its folder images. Other
// files and folders within a class are passed over, with a note unless they are hidden.
// Orientation marks and colour profiles are ignored, what is transparent lies on black,
// and sixteen bits are cut to eight.
func (o Options) Open() (*Set, error) {
	open, ok := openers[o.Name]
	if !ok {
		return nil, unknown(o.Name)
	}
	if o.Size == 0 {
		o.Size = 32
	}
	if o.Channels == 0 {
		o.Channels = 3
	}
	if o.MaxPixels == 0 {
		o.MaxPixels = DefaultMaxPixels
	}
	set, err := open(o)
	if err != nil {
		return nil, err
	}
	set.whole = [2]*Images{set.Train, set.Test}
	if o.Mean == nil && o.Std == nil {
		return set, nil
	}
	for _, m := range []*Images{set.Train, set.Test} {
		if len(o.Mean) != m.Channels || len(o.Std) != m.Channels {
			return nil, fmt.Errorf("data: %s: mean of %d and std of %d channels, its images have %d", o.Name, len(o.Mean), len(o.Std), m.Channels)
		}
		m.Mean, m.Std = o.Mean, o.Std
	}
	return set, nil
}

// readFile reads a file of a data set. What is none, such as a pipe, which would be waited
// for, is an error.
func readFile(file string) ([]byte, error) {
	info, err := os.Stat(file)
	if err != nil {
		return nil, err
	}
	if what := wholefile.Kind(info.Mode()); what != "" {
		return nil, fmt.Errorf("it is %s, want a file", what)
	}
	return os.ReadFile(file)
}

// Root returns the folder that holds the data sets: given if it is not empty,
// else $GODARTS_DATA, else ~/.cache/godarts.
func Root(given string) string {
	if given != "" {
		return given
	}
	if dir := os.Getenv("GODARTS_DATA"); dir != "" {
		if expanded, err := home.Expand(dir); err == nil {
			return expanded
		}
		return dir // the first error that names it shows the ~
	}
	// Without a home the path is relative, and the first error that names it shows so.
	home, _ := os.UserHomeDir()
	return filepath.Join(home, ".cache", "godarts")
}

// Names lists the data sets that Open knows.
func Names() []string { return slices.Sorted(maps.Keys(openers)) }

// unknown is the error for a data set that does not exist.
func unknown(name string) error {
	known := Names()
	return fmt.Errorf("data: unknown data set %q, nearest is %q (known: %s)", name, names.Nearest(name, known), strings.Join(known, ", "))
}
