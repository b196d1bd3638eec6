// Package cifar reads the binary versions of CIFAR-10 and CIFAR-100.
package cifar

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"path/filepath"
	"slices"
	"strings"

	"godarts/nas/data"
	"godarts/nas/data/download"
	"godarts/nas/data/sets"
	"godarts/nas/home"
	"godarts/nas/names"
	"godarts/nas/wholefile"
)

// pixels is the number of bytes of an image.
const pixels = 3 * 32 * 32

// layout describes the files of one of the sets
// (https://www.cs.toronto.edu/~kriz/cifar.html). A record is one or two label bytes,
// then the pixels [3, 32, 32] of its image.
type layout struct {
	name, folder string
	train        []string // files, in order
	test         string   // file
	trainRecords int      // in each file of train
	testRecords  int
	labels       int    // label bytes of a record
	label        int    // index of the one in use
	classes      int    // number of classes of that label
	names        string // file of the names of these classes
	mean, std    []float32
	archive      download.Archive // Files has only the files of the names of classes
}

// cifar10 is CIFAR-10.
var cifar10 = layout{
	name:         "cifar10",
	folder:       "cifar-10-batches-bin",
	train:        []string{"data_batch_1.bin", "data_batch_2.bin", "data_batch_3.bin", "data_batch_4.bin", "data_batch_5.bin"},
	test:         "test_batch.bin",
	trainRecords: 10_000, testRecords: 10_000,
	labels: 1, classes: 10, names: "batches.meta.txt",
	mean: []float32{0.49139968, 0.48215827, 0.44653124},
	std:  []float32{0.24703233, 0.24348505, 0.26158768},
	archive: download.Archive{
		URL:   "https://www.cs.toronto.edu/~kriz/cifar-10-binary.tar.gz",
		MD5:   "c32a1d4ab5d03f1284b67883e8d87530",
		Files: map[string]int64{"batches.meta.txt": 61},
	},
}

// cifar100 is CIFAR-100 with the 100 fine labels. Its files have 20 coarse ones too.
var cifar100 = layout{
	name:         "cifar100",
	folder:       "cifar-100-binary",
	train:        []string{"train.bin"},
	test:         "test.bin",
	trainRecords: 50_000, testRecords: 10_000,
	labels: 2, label: 1, classes: 100, names: "fine_label_names.txt",
	mean: []float32{0.50707516, 0.48654887, 0.44091784},
	std:  []float32{0.26733429, 0.25643846, 0.27615047},
	archive: download.Archive{
		URL:   "https://www.cs.toronto.edu/~kriz/cifar-100-binary.tar.gz",
		MD5:   "03b5dce01913d631647c71ecec9e9cb8",
		Files: map[string]int64{"fine_label_names.txt": download.AnySize, "coarse_label_names.txt": download.AnySize},
	},
}

// coarse returns cifar100 with the 20 superclasses as labels.
func (l layout) coarse() layout {
	l.label, l.classes, l.names = 0, 20, "coarse_label_names.txt"
	return l
}

func init() {
	for _, l := range []layout{cifar10, cifar100} {
		set := sets.DataSet{
			Name: l.name, Doc: "32x32, read from data.root", Side: 32, Channels: 3, Classes: l.classes, Train: len(l.train) * l.trainRecords,
			Open: func(o sets.Options) (*data.Set, error) {
				if o.Coarse {
					return l.coarse().open(home.DataRoot(o.Root))
				}
				return l.open(home.DataRoot(o.Root))
			},
			Get: func(ctx context.Context, root string, progress func(done, total int64)) error {
				return l.published().Get(ctx, home.DataRoot(root), progress)
			},
		}
		if l.labels > 1 {
			set.Coarse = l.coarse().classes
		}
		sets.Register(set)
	}
}

// open reads the set below root. The files have to be as long as the published ones.
func (l layout) open(root string) (*data.Set, error) {
	return l.read(root, l.trainRecords, l.testRecords)
}

// read reads the set below root from files of that many records each, or, where the number
// is 0, of any whole number of them.
func (l layout) read(root string, trainRecords, testRecords int) (*data.Set, error) {
	dir := filepath.Join(root, l.folder)
	set := data.NewSet(l.name, l.empty(trainRecords*len(l.train)), l.empty(testRecords), nil, data.Augment{Pad: 4, Flip: true})
	for _, name := range l.train {
		if err := l.appendFile(set.Train, root, filepath.Join(dir, name), trainRecords); err != nil {
			return nil, err
		}
	}
	if err := l.appendFile(set.Test, root, filepath.Join(dir, l.test), testRecords); err != nil {
		return nil, err
	}
	file := filepath.Join(dir, l.names)
	text, err := l.readFile(root, file)
	if err != nil {
		return nil, err
	}
	set.ClassNames = strings.Fields(string(text))
	if got := len(set.ClassNames); got != l.classes {
		return nil, fmt.Errorf("data: %s: %s: %d class names, want %d; %s", l.name, names.Escape(file), got, l.classes, l.getHint(root))
	}
	return set, nil
}

// empty returns a set without images that has room for n.
func (l layout) empty(n int) *data.Images {
	return &data.Images{
		Channels: 3, Height: 32, Width: 32, Classes: l.classes,
		Pixels: make([]uint8, 0, n*pixels),
		Labels: make([]uint16, 0, n),
		Max:    255,
		Mean:   l.mean,
		Std:    l.std,
	}
}

// record returns the length of a record in bytes.
func (l layout) record() int { return l.labels + pixels }

// appendFile appends the images of one file to m.
func (l layout) appendFile(m *data.Images, root, file string, records int) error {
	raw, err := l.readFile(root, file)
	if err != nil {
		return err
	}
	whole, over := len(raw)/l.record(), len(raw)%l.record()
	if over != 0 {
		return fmt.Errorf("data: %s: %s: truncated: %d bytes are %d records of %d and %d bytes more; %s",
			l.name, names.Escape(file), len(raw), whole, l.record(), over, l.getHint(root))
	}
	if records != 0 && whole != records {
		return fmt.Errorf("data: %s: %s: %d records, want %d; %s", l.name, names.Escape(file), whole, records, l.getHint(root))
	}
	return l.appendRecords(m, file, raw)
}

// appendRecords appends the images of raw, a whole number of records, to m. It takes as
// much memory as raw. A label out of range is an error, which leaves m unchanged.
func (l layout) appendRecords(m *data.Images, file string, raw []byte) error {
	if len(raw)%l.record() != 0 {
		return fmt.Errorf("data: %s: %s: truncated: %d bytes are no multiple of %d", l.name, names.Escape(file), len(raw), l.record())
	}
	for at := 0; at < len(raw); at += l.record() {
		if label := raw[at+l.label]; int(label) >= l.classes {
			return fmt.Errorf("data: %s: %s: record %d (from byte %d): label %d, want 0 to %d",
				l.name, names.Escape(file), at/l.record(), at, label, l.classes-1)
		}
	}
	n := len(raw) / l.record()
	m.Pixels = slices.Grow(m.Pixels, n*pixels)
	m.Labels = slices.Grow(m.Labels, n)
	for record := range slices.Chunk(raw, l.record()) {
		m.Labels = append(m.Labels, uint16(record[l.label]))
		m.Pixels = append(m.Pixels, record[l.labels:]...)
	}
	m.N += n
	return nil
}

// readFile reads a file of the set below root.
func (l layout) readFile(root, file string) ([]byte, error) {
	raw, err := wholefile.Read(file)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, fmt.Errorf("data: %s: %s: %w; %s", l.name, names.Escape(file), fs.ErrNotExist, l.getHint(root))
	}
	if err != nil {
		return nil, fmt.Errorf("data: %s: %s: %w", l.name, names.Escape(file), wholefile.Cause(err))
	}
	return raw, nil
}

// getHint names the command that downloads the files.
func (l layout) getHint(root string) string {
	return fmt.Sprintf("`%s` downloads it", names.Command("darts", "data", "get", l.name, "--root", root))
}

// published describes the published files: the images, and the names of the classes of every
// label.
func (l layout) published() download.Archive {
	a := l.archive
	a.Folder, a.Files = l.folder, maps.Clone(a.Files)
	for _, name := range l.train {
		a.Files[name] = int64(l.trainRecords * l.record())
	}
	a.Files[l.test] = int64(l.testRecords * l.record())
	return a
}
