package data

import (
	"crypto/sha256"
	"fmt"
	"io/fs"
	"math"
	"os"
	"path/filepath"
	"strings"

	"golang.org/x/sync/errgroup"

	"godarts/nas/names"
)

// classReaders is the number of classes whose files are listed at a time, which on a
// network file system is all waiting.
const classReaders = 16

// scanned is what a part of an imagefolder holds.
type scanned struct {
	folder  *folder
	part    Part
	others  stray // files that are no images
	folders stray // folders within classes
}

// stray are entries of a folder that are passed over: how many, and the first.
type stray struct {
	n    int
	such string // from the root
}

func (s *stray) add(o stray) {
	if s.n == 0 {
		s.such = o.such
	}
	s.n += o.n
}

// scan reads the names and sizes of the files in ROOT/PART/CLASS.
func (o Options) scan(part string) (*scanned, error) {
	dir := filepath.Join(o.Root, part)
	entries, err := os.ReadDir(dir)
	if err != nil {
		return nil, fmt.Errorf("data: imagefolder: %s: %w", names.Escape(dir), cause(err))
	}
	s := &scanned{folder: &folder{root: o.Root, part: part, maxPixels: o.MaxPixels}, part: Part{Name: part}}
	var classes []string
	own := "" // an image beside the classes
	for _, e := range entries {
		switch {
		case hidden(e):
		case isFolder(filepath.Join(dir, e.Name())):
			classes = append(classes, e.Name())
		case own == "" && isImage(e.Name()):
			own = e.Name()
			fallthrough
		default:
			s.others.add(stray{1, filepath.Join(part, e.Name())})
		}
	}
	if err := numberOfClasses(dir, classes, own); err != nil {
		return nil, err
	}
	return s, s.read(classes)
}

// numberOfClasses is an error if a part cannot have those classes.
func numberOfClasses(dir string, classes []string, own string) error {
	refuse := func(format string, args ...any) error {
		return fmt.Errorf("data: imagefolder: %s %s", names.Escape(dir), fmt.Sprintf(format, args...))
	}
	switch n := len(classes); {
	case n == 0 && own != "":
		return refuse("has no folder of a class: %s lies in it directly, want CLASS/%[1]s", names.Print(own))
	case n == 0:
		return refuse("has no folder of a class")
	case n == 1 && classes[0] == inner:
		return refuse("has the images of all classes in one folder, images, as the val of Tiny ImageNet: want a folder for each class " +
			"(val_annotations.txt says which), or none there: move it away")
	case n == 1:
		return refuse(`has the class "%s" alone, want two or more`, names.Print(classes[0]))
	case n > math.MaxUint16:
		return refuse("has %d classes, want at most %d", n, math.MaxUint16)
	}
	return nil
}

// read lists the files of the classes, many at a time.
func (s *scanned) read(classes []string) error {
	f := s.folder
	all := make([]class, len(classes))
	var readers errgroup.Group
	readers.SetLimit(classReaders)
	errs := make([]error, len(classes))
	for i, name := range classes {
		readers.Go(func() error {
			all[i], errs[i] = readClass(f.dir(), name)
			return nil
		})
	}
	_ = readers.Wait() // each has an error of its own, of which the first class's is told
	for i, c := range all {
		if errs[i] != nil {
			return errs[i]
		}
		if len(c.names) == 0 {
			return c.none(f.dir())
		}
		label := uint16(len(f.classes))
		f.classes, f.inside = append(f.classes, c.name), append(f.inside, c.inside)
		f.names = append(f.names, c.names...)
		for range c.names {
			f.labels = append(f.labels, label)
		}
		s.part.Classes = append(s.part.Classes, c.sum)
		for _, of := range []struct{ all, own *stray }{{&s.others, &c.others}, {&s.folders, &c.folders}} {
			of.own.such = filepath.Join(f.part, of.own.such)
			of.all.add(*of.own)
		}
	}
	return nil
}

// inner is the folder in that of a class that holds its images in Tiny ImageNet.
const inner = "images"

// class is what lies in the folder of one.
type class struct {
	name, inside    string
	names           []string // of its images, sorted
	sum             Class
	others, folders stray // paths begin with the class
}

// readClass reads the names and sizes of the files of a class. They lie in its folder or,
// where no image does, in that folder's own folder images.
func readClass(dir, name string) (class, error) {
	c, err := readImages(dir, name, "")
	if err != nil || len(c.names) > 0 || c.folders.n != 1 || filepath.Base(c.folders.such) != inner {
		return c, err
	}
	within, err := readImages(dir, name, inner)
	if err != nil || len(within.names) == 0 {
		return c, err
	}
	within.others.add(c.others)
	return within, nil
}

// readImages reads the names and sizes of the images in dir/name/inside.
func readImages(dir, name, inside string) (c class, err error) {
	c = class{name: name, inside: inside, sum: Class{Name: name}}
	within := filepath.Join(dir, name, inside)
	entries, err := os.ReadDir(within)
	if err != nil {
		return c, fmt.Errorf("data: imagefolder: %s: %w", names.Escape(within), cause(err))
	}
	sum := sha256.New()
	for _, e := range entries {
		such := stray{1, filepath.Join(name, inside, e.Name())}
		mode, size := status(within, e)
		switch {
		case hidden(e):
		case mode.IsDir():
			c.folders.add(such)
		case mode.IsRegular() && isImage(e.Name()):
			c.names = append(c.names, e.Name())
			c.sum.Bytes += size
			fmt.Fprintf(sum, "%s\x00%d\n", e.Name(), size)
		default:
			c.others.add(such)
		}
	}
	c.sum.Files, c.sum.Sum = len(c.names), sumOf(sum)
	return c, nil
}

// status is what e is, links followed, and its size. What is gone, and a link to nothing,
// counts as a file: reading it says what is wrong.
func status(dir string, e fs.DirEntry) (fs.FileMode, int64) {
	info, err := e.Info()
	if err == nil && info.Mode()&fs.ModeSymlink != 0 {
		info, err = os.Stat(filepath.Join(dir, e.Name()))
	}
	if err != nil {
		return 0, -1
	}
	return info.Mode(), info.Size()
}

// none is the error of a class without an image.
func (c *class) none(dir string) error {
	what := "it is empty"
	switch {
	case c.others.n > 0:
		what = fmt.Sprintf("its %s, such as %s, end otherwise", count(c.others.n, "file"), names.Print(filepath.Base(c.others.such)))
	case c.folders.n > 0:
		what = fmt.Sprintf("its images lie deeper, in %s: want them in %s, or in %[2]s/%s",
			names.Print(filepath.Base(c.folders.such)), names.Print(c.name), inner)
	}
	return fmt.Errorf("data: imagefolder: %s has no image (%s): %s", names.Escape(filepath.Join(dir, c.name)), strings.Join(suffixes, ", "), what)
}

// passedOver notes what the parts hold that is not read.
func (s *Set) passedOver(root string, parts ...*scanned) {
	var others, folders stray
	for _, p := range parts {
		others.add(p.others)
		folders.add(p.folders)
	}
	if others.n > 0 {
		s.Notes = append(s.Notes, fmt.Sprintf("%s of %s %s left out, such as %s",
			count(others.n, "file"), names.Escape(root), are(others.n, "is no image and is", "are no images and are"), names.Escape(others.such)))
	}
	if folders.n > 0 {
		s.Notes = append(s.Notes, fmt.Sprintf("%s within classes of %s %s not read, such as %s",
			count(folders.n, "folder"), names.Escape(root), are(folders.n, "is", "are"), names.Escape(folders.such)))
	}
}

func are(n int, one, more string) string {
	if n == 1 {
		return one
	}
	return more
}

func hidden(e fs.DirEntry) bool { return strings.HasPrefix(e.Name(), ".") }

// isFolder follows links: large sets are often put together by them.
func isFolder(path string) bool {
	info, err := os.Stat(path)
	return err == nil && info.IsDir()
}
