// Package sets opens and downloads image sets by their names.
package sets

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"strings"

	"godarts/nas/data"
	"godarts/nas/data/builtin"
	"godarts/nas/data/cifar"
	"godarts/nas/data/download"
	"godarts/nas/data/folder"
	"godarts/nas/home"
	"godarts/nas/names"
)

// Options select a data set and the form of its images.
type Options struct {
	Name string // one of Names
	Root string // folder of data sets, see [home.DataRoot]; of an imagefolder the folder that holds train

	Size, Channels int       // of the images of an imagefolder and of synthetic ones; 0 is 32 pixels a side and 3 channels
	Mean, Std      []float32 // of each channel, in place of the set's own; nil takes those
	Coarse         bool      // cifar100: the 20 superclasses are the labels
	SplitSeed      int64     // draws the order of an imagefolder and the images it holds out for test
	MaxPixels      int       // of an image of an imagefolder: a larger one cannot be used; 0 is picture.DefaultMaxPixels
}

// openers holds every data set: its name and how it is opened.
var openers = map[string]func(o Options) (*data.Set, error){
	"digits":             func(Options) (*data.Set, error) { return builtin.Digits() },
	cifar.CIFAR10.Name(): func(o Options) (*data.Set, error) { return cifar.CIFAR10.Open(home.DataRoot(o.Root)) },
	cifar.CIFAR100.Name(): func(o Options) (*data.Set, error) {
		if o.Coarse {
			return cifar.CIFAR100.Coarse().Open(home.DataRoot(o.Root))
		}
		return cifar.CIFAR100.Open(home.DataRoot(o.Root))
	},
	folder.Name: func(o Options) (*data.Set, error) {
		return folder.Options{Root: o.Root, Size: o.Size, Channels: o.Channels, SplitSeed: o.SplitSeed, MaxPixels: o.MaxPixels}.Open()
	},
	"synthetic": func(o Options) (*data.Set, error) { return builtin.Synthetic(o.Size, o.Channels), nil },
}

// Names lists the data sets that Open knows.
func Names() []string { return slices.Sorted(maps.Keys(openers)) }

// Open is Options.Open for a data set as it is.
func Open(name, root string) (*data.Set, error) { return Options{Name: name, Root: root}.Open() }

// Open reads the data set, or, of one whose images are decoded later, the names of its
// files. Digits and synthetic images are part of the program and need no folder.
// [folder.Options.Open] describes an imagefolder. An unknown name is an error that names
// the nearest known one.
func (o Options) Open() (*data.Set, error) {
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
	set, err := open(o)
	if err != nil {
		return nil, err
	}
	if o.Mean == nil && o.Std == nil {
		return set, nil
	}
	for _, m := range []*data.Images{set.Train, set.Test} {
		if len(o.Mean) != m.Channels || len(o.Std) != m.Channels {
			return nil, fmt.Errorf("data: %s: mean of %d and std of %d channels, its images have %d", o.Name, len(o.Mean), len(o.Std), m.Channels)
		}
		m.Mean, m.Std = o.Mean, o.Std
	}
	return set, nil
}

// archives are the data sets that can be downloaded.
var archives = map[string]download.Archive{
	cifar.CIFAR10.Name():  cifar.CIFAR10.Archive(),
	cifar.CIFAR100.Name(): cifar.CIFAR100.Archive(),
}

// Get downloads the data set of that name to the folder home.DataRoot(root), as
// [download.Archive.Get] describes. Digits and synthetic images are part of the program:
// Get does nothing. For an imagefolder, which is the user's own, Get returns an error.
func Get(ctx context.Context, name, root string, progress func(done, total int64)) error {
	if _, ok := openers[name]; !ok {
		return unknown(name)
	}
	if name == folder.Name {
		return fmt.Errorf("data: get %s: there is nothing to download: it is a folder of your own, with train/CLASS/IMAGE", name)
	}
	a, ok := archives[name]
	if !ok {
		return nil
	}
	if err := a.Get(ctx, home.DataRoot(root), progress); err != nil {
		return fmt.Errorf("data: get %s: %w", name, err)
	}
	return nil
}

// unknown is the error for a data set that does not exist.
func unknown(name string) error {
	known := Names()
	return fmt.Errorf("data: unknown data set %q, nearest is %q (known: %s)", name, names.Nearest(name, known), strings.Join(known, ", "))
}
