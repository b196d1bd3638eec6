// Package sets registers sets of images by their names, opens them and downloads them. The packages of the data sets
// that come with the program register them; a program that imports one of its own has that set too.
package sets

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"strings"
	"sync"

	"godarts/nas/data"
	"godarts/nas/names"
)

// DataSet is a set of images that a config can name: "data: {name: NAME}".
type DataSet struct {
	Name string
	Doc  string // what it is, for the meaning of data.name: "8x8, built in"

	// Side is the height and width of its images in pixels, Channels is 1 or 3. A set of images that are brought to
	// Options.Size and Options.Channels is Scaled: then these are the values in place of 0.
	Side, Channels int
	Scaled         bool
	// Classes and Train, the number of training images, are 0 where they are not known before the set is opened.
	// Coarse is the number of classes with Options.Coarse, 0 where the set has no such labels.
	Classes, Coarse, Train int

	// Open reads the set, or, of one whose images are decoded later, the names of its files.
	Open func(o Options) (*data.Set, error)
	// Get downloads the set below a folder, as Options.Root says. It is nil where there is nothing to download.
	Get func(ctx context.Context, root string, progress func(done, total int64)) error
}

var registered struct {
	sync.RWMutex
	byName map[string]DataSet
}

// Register makes a data set available under its name, as database/sql's drivers are. A package calls it in an init
// function. It panics if the name is taken, or if a name, Open, Side or Channels are missing.
func Register(s DataSet) {
	registered.Lock()
	defer registered.Unlock()
	_, taken := registered.byName[s.Name]
	switch {
	case s.Name == "" || strings.ContainsAny(s.Name, " \n\t"):
		panic(fmt.Sprintf("data: register %q: want a name without spaces", s.Name))
	case taken:
		panic(fmt.Sprintf("data: register %q: there is one of that name", s.Name))
	case s.Open == nil || s.Side < 1 || s.Channels != 1 && s.Channels != 3:
		panic(fmt.Sprintf("data: register %q: want Open, a Side, and 1 or 3 Channels", s.Name))
	}
	if registered.byName == nil {
		registered.byName = map[string]DataSet{}
	}
	registered.byName[s.Name] = s
}

// Find returns the data set of that name. Without one it returns false, and a DataSet of zeros.
func Find(name string) (DataSet, bool) {
	registered.RLock()
	defer registered.RUnlock()
	s, ok := registered.byName[name]
	return s, ok
}

// Names lists the registered data sets.
func Names() []string {
	registered.RLock()
	defer registered.RUnlock()
	return slices.Sorted(maps.Keys(registered.byName))
}

// Options select a data set and the form of its images.
type Options struct {
	Name string // one of Names
	Root string // folder of data sets, see [home.DataRoot]; of an imagefolder the folder that holds train

	Size, Channels int       // of the images of a set that is Scaled; 0 is the set's own
	Mean, Std      []float32 // of each channel, in place of the set's own; nil takes those
	Coarse         bool      // superclasses are the labels, where the set has them
	SplitSeed      int64     // draws the order of an imagefolder and the images it holds out for test
	MaxPixels      int       // of an image of an imagefolder: a larger one cannot be used; 0 is picture.DefaultMaxPixels
}

// Open is Options.Open for a data set as it is.
func Open(name, root string) (*data.Set, error) { return Options{Name: name, Root: root}.Open() }

// Open opens the data set. An unknown name is an error that names the nearest known one.
func (o Options) Open() (*data.Set, error) {
	s, ok := Find(o.Name)
	if !ok {
		return nil, unknown(o.Name)
	}
	if o.Size == 0 {
		o.Size = s.Side
	}
	if o.Channels == 0 {
		o.Channels = s.Channels
	}
	set, err := s.Open(o)
	if err != nil {
		return nil, err
	}
	if err := s.check(o, set); err != nil {
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

// check returns an error if the opened set is another than was registered.
func (s DataSet) check(o Options, set *data.Set) error {
	if !s.Scaled {
		o.Size, o.Channels = s.Side, s.Channels
	}
	classes := s.Classes
	if o.Coarse {
		classes = s.Coarse
	}
	for _, m := range []*data.Images{set.Train, set.Test} {
		if m.Height != o.Size || m.Width != o.Size || m.Channels != o.Channels || classes > 0 && m.Classes != classes {
			return fmt.Errorf("data: %s: images of %dx%dx%d in %d classes, registered as %dx%dx%d in %d",
				s.Name, m.Channels, m.Height, m.Width, m.Classes, o.Channels, o.Size, o.Size, classes)
		}
	}
	if s.Train > 0 && set.Train.N != s.Train {
		return fmt.Errorf("data: %s: %d training images, registered with %d", s.Name, set.Train.N, s.Train)
	}
	return nil
}

// Get downloads the data set of that name to the folder home.DataRoot(root). It does nothing for a set that is part of
// the program. For an imagefolder, which is the user's own, it returns an error.
func Get(ctx context.Context, name, root string, progress func(done, total int64)) error {
	s, ok := Find(name)
	switch {
	case !ok:
		return unknown(name)
	case s.Get == nil:
		return nil
	}
	if err := s.Get(ctx, root, progress); err != nil {
		return fmt.Errorf("data: get %s: %w", name, err)
	}
	return nil
}

// unknown is the error for a data set that does not exist.
func unknown(name string) error {
	known := Names()
	return fmt.Errorf("data: unknown data set %q, nearest is %q (known: %s)", name, names.Nearest(name, known), strings.Join(known, ", "))
}
