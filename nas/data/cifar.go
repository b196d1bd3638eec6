package data

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
)

// The binary version of CIFAR-10 (https://www.cs.toronto.edu/~kriz/cifar.html):
// a record is one label byte, then the pixels [3, 32, 32] of its image.
const (
	cifarFolder  = "cifar-10-batches-bin"
	cifarClasses = 10
	cifarPixels  = 3 * 32 * 32
	cifarRecord  = 1 + cifarPixels
	cifarRecords = 10000 // in each of the six files
	cifarNames   = "batches.meta.txt"
	cifarTest    = "test_batch.bin"
)

var cifarTrain = []string{"data_batch_1.bin", "data_batch_2.bin", "data_batch_3.bin", "data_batch_4.bin", "data_batch_5.bin"}

// openCIFAR10 reads root/cifar-10-batches-bin.
func openCIFAR10(root string) (*Set, error) {
	return readCIFAR(root, cifarRecords)
}

// readCIFAR reads the set below root from files of that many records each, or
// of any whole number of them if records is 0.
func readCIFAR(root string, records int) (*Set, error) {
	dir := filepath.Join(root, cifarFolder)
	set := &Set{Name: "cifar10", Train: emptyCIFAR(records * len(cifarTrain)), Test: emptyCIFAR(records), Augment: Augment{Pad: 4, Flip: true}}
	for _, name := range cifarTrain {
		if err := appendFile(set.Train, root, filepath.Join(dir, name), records); err != nil {
			return nil, err
		}
	}
	if err := appendFile(set.Test, root, filepath.Join(dir, cifarTest), records); err != nil {
		return nil, err
	}
	file := filepath.Join(dir, cifarNames)
	text, err := readFile(root, file)
	if err != nil {
		return nil, err
	}
	set.ClassNames = strings.Fields(string(text))
	if got := len(set.ClassNames); got != cifarClasses {
		return nil, fmt.Errorf("data: cifar10: %s: %d class names, want %d; %s", file, got, cifarClasses, getHint(root))
	}
	return set, nil
}

// emptyCIFAR returns a set without images that has room for n.
func emptyCIFAR(n int) *Images {
	return &Images{
		Channels: 3, Height: 32, Width: 32, Classes: cifarClasses,
		Pixels: make([]uint8, 0, n*cifarPixels),
		Labels: make([]uint8, 0, n),
		Max:    255,
		Mean:   []float32{0.49139968, 0.48215827, 0.44653124},
		Std:    []float32{0.24703233, 0.24348505, 0.26158768},
	}
}

// appendFile appends the images of one file to m.
func appendFile(m *Images, root, file string, records int) error {
	raw, err := readFile(root, file)
	if err != nil {
		return err
	}
	whole, over := len(raw)/cifarRecord, len(raw)%cifarRecord
	if over != 0 {
		return fmt.Errorf("data: cifar10: %s: truncated: %d bytes are %d records of %d and %d bytes more; %s",
			file, len(raw), whole, cifarRecord, over, getHint(root))
	}
	if records != 0 && whole != records {
		return fmt.Errorf("data: cifar10: %s: %d records, want %d; %s", file, whole, records, getHint(root))
	}
	return appendRecords(m, file, raw)
}

// appendRecords appends the images of raw, whose length is a multiple of a
// record's, to m. A label that is none is an error, and m is then unchanged.
// The memory it takes is that of raw.
func appendRecords(m *Images, file string, raw []byte) error {
	if len(raw)%cifarRecord != 0 {
		return fmt.Errorf("data: cifar10: %s: truncated: %d bytes are no multiple of %d", file, len(raw), cifarRecord)
	}
	for at := 0; at < len(raw); at += cifarRecord {
		if label := raw[at]; label >= cifarClasses {
			return fmt.Errorf("data: cifar10: %s: record %d (from byte %d): label %d, want 0 to %d",
				file, at/cifarRecord, at, label, cifarClasses-1)
		}
	}
	n := len(raw) / cifarRecord
	m.Pixels = slices.Grow(m.Pixels, n*cifarPixels)
	m.Labels = slices.Grow(m.Labels, n)
	for record := range slices.Chunk(raw, cifarRecord) {
		m.Labels = append(m.Labels, record[0])
		m.Pixels = append(m.Pixels, record[1:]...)
	}
	m.N += n
	return nil
}

// readFile reads a file of the set below root.
func readFile(root, file string) ([]byte, error) {
	raw, err := os.ReadFile(file)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, fmt.Errorf("data: cifar10: %s: %w; %s", file, fs.ErrNotExist, getHint(root))
	}
	if err != nil {
		return nil, fmt.Errorf("data: cifar10: %w", err)
	}
	return raw, nil
}

// getHint says how to come by the files.
func getHint(root string) string {
	return fmt.Sprintf("`darts data get cifar10 --root %s` gets it", root)
}
