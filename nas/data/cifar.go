package data

import (
	"errors"
	"fmt"
	"io/fs"
	"path/filepath"
	"slices"
	"strings"

	"godarts/nas/names"
)

const cifarPixels = 3 * 32 * 32

// cifar is one of the binary versions of the CIFAR sets
// (https://www.cs.toronto.edu/~kriz/cifar.html): a record is some label bytes,
// then the pixels [3, 32, 32] of its image.
type cifar struct {
	name, folder string
	train        []string // files, in order
	test         string   // file
	trainRecords int      // in each file of train
	testRecords  int
	labels       int    // label bytes of a record
	label        int    // which of them counts
	classes      int    // of that label
	names        string // file of the names of that label's classes
	mean, std    []float32
}

var cifar10 = cifar{
	name:         "cifar10",
	folder:       "cifar-10-batches-bin",
	train:        []string{"data_batch_1.bin", "data_batch_2.bin", "data_batch_3.bin", "data_batch_4.bin", "data_batch_5.bin"},
	test:         "test_batch.bin",
	trainRecords: 10_000, testRecords: 10_000,
	labels: 1, classes: 10, names: "batches.meta.txt",
	mean: []float32{0.49139968, 0.48215827, 0.44653124},
	std:  []float32{0.24703233, 0.24348505, 0.26158768},
}

// cifar100 has a coarse label, of 20 superclasses, and a fine one, which counts.
var cifar100 = cifar{
	name:         "cifar100",
	folder:       "cifar-100-binary",
	train:        []string{"train.bin"},
	test:         "test.bin",
	trainRecords: 50_000, testRecords: 10_000,
	labels: 2, label: 1, classes: 100, names: "fine_label_names.txt",
	mean: []float32{0.50707516, 0.48654887, 0.44091784},
	std:  []float32{0.26733429, 0.25643846, 0.27615047},
}

// coarse is CIFAR-100 with the superclasses as labels.
func (c cifar) coarse() cifar {
	c.label, c.classes, c.names = 0, 20, "coarse_label_names.txt"
	return c
}

// open reads the set below root as it is published.
func (c cifar) open(root string) (*Set, error) { return c.read(root, c.trainRecords, c.testRecords) }

// read reads the set below root from files of that many records each, or of any
// whole number of them where it is 0.
func (c cifar) read(root string, trainRecords, testRecords int) (*Set, error) {
	dir := filepath.Join(root, c.folder)
	set := &Set{
		Name: c.name, Train: c.empty(trainRecords * len(c.train)), Test: c.empty(testRecords),
		Augment: Augment{Pad: 4, Flip: true},
	}
	for _, name := range c.train {
		if err := c.appendFile(set.Train, root, filepath.Join(dir, name), trainRecords); err != nil {
			return nil, err
		}
	}
	if err := c.appendFile(set.Test, root, filepath.Join(dir, c.test), testRecords); err != nil {
		return nil, err
	}
	file := filepath.Join(dir, c.names)
	text, err := c.readFile(root, file)
	if err != nil {
		return nil, err
	}
	set.ClassNames = strings.Fields(string(text))
	if got := len(set.ClassNames); got != c.classes {
		return nil, fmt.Errorf("data: %s: %s: %d class names, want %d; %s", c.name, names.Escape(file), got, c.classes, c.getHint(root))
	}
	return set, nil
}

// empty returns a set without images that has room for n.
func (c cifar) empty(n int) *Images {
	return &Images{
		Channels: 3, Height: 32, Width: 32, Classes: c.classes,
		Pixels: make([]uint8, 0, n*cifarPixels),
		Labels: make([]uint16, 0, n),
		Max:    255,
		Mean:   c.mean,
		Std:    c.std,
	}
}

// record is the length of a record in bytes.
func (c cifar) record() int { return c.labels + cifarPixels }

// appendFile appends the images of one file to m.
func (c cifar) appendFile(m *Images, root, file string, records int) error {
	raw, err := c.readFile(root, file)
	if err != nil {
		return err
	}
	whole, over := len(raw)/c.record(), len(raw)%c.record()
	if over != 0 {
		return fmt.Errorf("data: %s: %s: truncated: %d bytes are %d records of %d and %d bytes more; %s",
			c.name, names.Escape(file), len(raw), whole, c.record(), over, c.getHint(root))
	}
	if records != 0 && whole != records {
		return fmt.Errorf("data: %s: %s: %d records, want %d; %s", c.name, names.Escape(file), whole, records, c.getHint(root))
	}
	return c.appendRecords(m, file, raw)
}

// appendRecords appends the images of raw, whose length is a multiple of a
// record's, to m. A label that is none is an error, and m is then unchanged.
// The memory it takes is that of raw.
func (c cifar) appendRecords(m *Images, file string, raw []byte) error {
	if len(raw)%c.record() != 0 {
		return fmt.Errorf("data: %s: %s: truncated: %d bytes are no multiple of %d", c.name, names.Escape(file), len(raw), c.record())
	}
	for at := 0; at < len(raw); at += c.record() {
		if label := raw[at+c.label]; int(label) >= c.classes {
			return fmt.Errorf("data: %s: %s: record %d (from byte %d): label %d, want 0 to %d",
				c.name, names.Escape(file), at/c.record(), at, label, c.classes-1)
		}
	}
	n := len(raw) / c.record()
	m.Pixels = slices.Grow(m.Pixels, n*cifarPixels)
	m.Labels = slices.Grow(m.Labels, n)
	for record := range slices.Chunk(raw, c.record()) {
		m.Labels = append(m.Labels, uint16(record[c.label]))
		m.Pixels = append(m.Pixels, record[c.labels:]...)
	}
	m.N += n
	return nil
}

// readFile reads a file of the set below root.
func (c cifar) readFile(root, file string) ([]byte, error) {
	raw, err := readFile(file)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, fmt.Errorf("data: %s: %s: %w; %s", c.name, names.Escape(file), fs.ErrNotExist, c.getHint(root))
	}
	if err != nil {
		return nil, fmt.Errorf("data: %s: %s: %w", c.name, names.Escape(file), cause(err))
	}
	return raw, nil
}

// getHint says how to come by the files.
func (c cifar) getHint(root string) string {
	return fmt.Sprintf("`%s` gets it", names.Command("darts", "data", "get", c.name, "--root", root))
}
