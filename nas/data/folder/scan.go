package folder

import (
	"crypto/sha256"
	"fmt"
	"io/fs"
	"math"
	"os"
	"path/filepath"
	"strings"

	"golang.org/x/sync/errgroup"

	"godarts/nas/data"
	"godarts/nas/data/fingerprint"
	"godarts/nas/data/picture"
	"godarts/nas/names"
	"godarts/nas/wholefile"
)

// classReaders is the number of classes whose files are listed at a time: on a network file
// system listing is waiting.
const classReaders = 16

// scanned is a part of an imagefolder with what else lies in it.
type scanned struct {
	part     *part
	contents fingerprint.Part
	others   leftOut // files that are no images
	folders  leftOut // folders within classes
}

// leftOut counts the entries of a folder that are left out.
type leftOut struct {
	n    int
	such string // the first of them, from the root
}

// add counts the entries of o too.
func (s *leftOut) add(o leftOut) {
	if s.n == 0 {
		s.such = o.such
	}
	s.n += o.n
}

// scan reads the names and sizes of the files in ROOT/PART/CLASS.
func (o Options) scan(name string) (*scanned, error) {
	dir := filepath.Join(o.Root, name)
	entries, err := os.ReadDir(dir)
	if err != nil {
		return nil, fmt.Errorf("data: imagefolder: %s: %w", names.Escape(dir), wholefile.Cause(err))
	}
	s := &scanned{part: &part{root: o.Root, name: name, maxPixels: o.MaxPixels}, contents: fingerprint.Part{Name: name}}
	var classes []string
	own := "" // an image next to the classes
	for _, e := range entries {
		switch {
		case hidden(e):
		case isFolder(filepath.Join(dir, e.Name())):
			classes = append(classes, e.Name())
		case own == "" && picture.HasSuffix(e.Name()):
			own = e.Name()
			fallthrough
		default:
			s.others.add(leftOut{1, filepath.Join(name, e.Name())})
		}
	}
	if err := numberOfClasses(dir, classes, own); err != nil {
		return nil, err
	}
	return s, s.read(classes)
}

// numberOfClasses returns an error if these cannot be the classes of a part.
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
		return refuse(`has only the class "%s", want two or more`, names.Print(classes[0]))
	case n > math.MaxUint16:
		return refuse("has %d classes, want at most %d", n, math.MaxUint16)
	}
	return nil
}

// read lists the files of the classes, of many at a time.
func (s *scanned) read(classes []string) error {
	p := s.part
	all := make([]class, len(classes))
	var readers errgroup.Group
	readers.SetLimit(classReaders)
	errs := make([]error, len(classes))
	for i, name := range classes {
		readers.Go(func() error {
			all[i], errs[i] = readClass(p.dir(), name)
			return nil
		})
	}
	_ = readers.Wait() // errs holds their errors; the first class's one is returned
	for i, c := range all {
		if errs[i] != nil {
			return errs[i]
		}
		if len(c.names) == 0 {
			return c.none(p.dir())
		}
		label := uint16(len(p.classes))
		p.classes, p.inside = append(p.classes, c.name), append(p.inside, c.inside)
		p.names = append(p.names, c.names...)
		for range c.names {
			p.labels = append(p.labels, label)
		}
		s.contents.Classes = append(s.contents.Classes, c.sum)
		for _, of := range []struct{ all, own *leftOut }{{&s.others, &c.others}, {&s.folders, &c.folders}} {
			of.own.such = filepath.Join(p.name, of.own.such)
			of.all.add(*of.own)
		}
	}
	return nil
}

// inner is the folder within a class that holds its images in Tiny ImageNet.
const inner = "images"

// class is the content of the folder of a class.
type class struct {
	name, inside    string
	names           []string // of its images, sorted
	sum             fingerprint.Class
	others, folders leftOut // paths begin with the class
}

// readClass reads the names and sizes of the files of a class. They lie in its folder or, if
// there are none, in the folder images within that.
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
	c = class{name: name, inside: inside, sum: fingerprint.Class{Name: name}}
	within := filepath.Join(dir, name, inside)
	entries, err := os.ReadDir(within)
	if err != nil {
		return c, fmt.Errorf("data: imagefolder: %s: %w", names.Escape(within), wholefile.Cause(err))
	}
	sum := sha256.New()
	for _, e := range entries {
		such := leftOut{1, filepath.Join(name, inside, e.Name())}
		mode, size := status(within, e)
		switch {
		case hidden(e):
		case mode.IsDir():
			c.folders.add(such)
		case mode.IsRegular() && picture.HasSuffix(e.Name()):
			c.names = append(c.names, e.Name())
			c.sum.Bytes += size
			fmt.Fprintf(sum, "%s\x00%d\n", e.Name(), size)
		default:
			c.others.add(such)
		}
	}
	c.sum.Files, c.sum.Sum = len(c.names), fingerprint.Sum(sum)
	return c, nil
}

// status returns the type of e, after following links, and its size. A file that is gone and
// a dangling link count as files: reading them returns the error.
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

// none returns the error of a class without an image.
func (c *class) none(dir string) error {
	what := "it is empty"
	switch {
	case c.others.n > 0:
		what = fmt.Sprintf("its %s, such as %s, have other suffixes", names.Count(c.others.n, "file"), names.Print(filepath.Base(c.others.such)))
	case c.folders.n > 0:
		what = fmt.Sprintf("its images lie in subfolders such as %s: want them in %s, or in %[2]s/%s",
			names.Print(filepath.Base(c.folders.such)), names.Print(c.name), inner)
	}
	return fmt.Errorf("data: imagefolder: %s has no image (%s): %s", names.Escape(filepath.Join(dir, c.name)), strings.Join(picture.Suffixes, ", "), what)
}

// noteLeftOut notes what the parts hold that is not read.
func noteLeftOut(set *data.Set, root string, parts ...*scanned) {
	var others, folders leftOut
	for _, p := range parts {
		others.add(p.others)
		folders.add(p.folders)
	}
	if others.n > 0 {
		set.Notes = append(set.Notes, fmt.Sprintf("%s of %s %s left out, such as %s",
			names.Count(others.n, "file"), names.Escape(root), are(others.n, "is no image and is", "are no images and are"), names.Escape(others.such)))
	}
	if folders.n > 0 {
		set.Notes = append(set.Notes, fmt.Sprintf("%s within classes of %s %s not read, such as %s",
			names.Count(folders.n, "folder"), names.Escape(root), are(folders.n, "is", "are"), names.Escape(folders.such)))
	}
}

// are returns the verb for n things.
func are(n int, one, more string) string {
	if n == 1 {
		return one
	}
	return more
}

// hidden tells whether the name of e begins with a dot.
func hidden(e fs.DirEntry) bool { return strings.HasPrefix(e.Name(), ".") }

// isFolder follows links: large sets often consist of them.
func isFolder(path string) bool {
	info, err := os.Stat(path)
	return err == nil && info.IsDir()
}
