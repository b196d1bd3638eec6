// Package data reads image sets and turns them into batches.
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
)

// Images is a set of labelled images of one size, held in memory as bytes.
type Images struct {
	N, Channels, Height, Width, Classes int

	Pixels []uint8 // [N, Channels, Height, Width], 0..Max
	Labels []uint8 // [N], 0..Classes-1

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
	part.Pixels = m.Pixels[from*size : to*size : to*size]
	part.Labels = m.Labels[from:to:to]
	return &part
}

// size is the number of values of one image.
func (m *Images) size() int { return m.Channels * m.Height * m.Width }

// Set is a data set with its published split.
type Set struct {
	Name        string
	Train, Test *Images
	ClassNames  []string // [Classes]
	Augment     Augment  // what suits training on these images; a flipped digit is none
}

// openers holds every data set: its name and how it is read from a root folder.
var openers = map[string]func(root string) (*Set, error){
	"cifar10": openCIFAR10,
	"digits":  func(string) (*Set, error) { return openDigits() },
}

// Open reads the data set of that name, "cifar10" or "digits", from the folder
// Root(root); digits are part of the program and need none. An unknown name is
// an error that says which known one is nearest.
func Open(name, root string) (*Set, error) {
	open, ok := openers[name]
	if !ok {
		return nil, unknown(name)
	}
	return open(Root(root))
}

// Root returns the folder that holds the data sets: given if it is not empty,
// else $GODARTS_DATA, else ~/.cache/godarts.
func Root(given string) string {
	if given != "" {
		return given
	}
	if dir := os.Getenv("GODARTS_DATA"); dir != "" {
		return dir
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
	nearest := slices.MinFunc(known, func(a, b string) int { return distance(name, a) - distance(name, b) })
	return fmt.Errorf("data: unknown data set %q, nearest is %q (known: %s)", name, nearest, strings.Join(known, ", "))
}

// distance is the Levenshtein distance in bytes.
func distance(a, b string) int {
	row := make([]int, len(b)+1)
	for j := range row {
		row[j] = j
	}
	for i := range len(a) {
		diagonal := row[0]
		row[0] = i + 1
		for j := range len(b) {
			replace := diagonal
			if a[i] != b[j] {
				replace++
			}
			diagonal = row[j+1]
			row[j+1] = min(replace, row[j]+1, row[j+1]+1)
		}
	}
	return row[len(b)]
}
