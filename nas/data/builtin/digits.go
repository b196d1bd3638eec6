// Package builtin holds the data sets that are part of the program.
package builtin

import (
	"bytes"
	"compress/gzip"
	_ "embed"
	"fmt"
	"io"
	"strconv"
	"strings"

	"godarts/nas/data"
	"godarts/nas/data/sets"
)

// Optical Recognition of Handwritten Digits, E. Alpaydin, C. Kaynak, UCI Machine
// Learning Repository, CC BY 4.0; see digits.md. A line of the file is the 64
// pixels of one image, row by row, and its label.
//
//go:embed digits.csv.gz
var digitsFile []byte

const (
	digitsSide  = 8
	digitsMax   = 16
	digitsTrain = 1437 // of 1,797: four fifths, in file order; the last 360 are the test images
)

// Mean and standard deviation over all pixels of the training images.
const (
	digitsMean = 0.30538611
	digitsStd  = 0.37550711
)

func init() {
	sets.Register(sets.DataSet{
		Name: "digits", Doc: "8x8, built in", Side: digitsSide, Channels: 1, Classes: 10, Train: digitsTrain,
		Open: func(sets.Options) (*data.Set, error) { return digits() },
	})
}

// digits decodes the embedded digits.
func digits() (*data.Set, error) {
	all, err := readDigits(digitsFile)
	if err != nil {
		return nil, err
	}
	return data.NewSet("digits", all.Slice(0, digitsTrain), all.Slice(digitsTrain, all.N),
		strings.Split("0123456789", ""), data.Augment{Pad: 1}), nil
}

// readDigits decodes a gzipped text of images.
func readDigits(zipped []byte) (*data.Images, error) {
	unzip, err := gzip.NewReader(bytes.NewReader(zipped))
	if err != nil {
		return nil, fmt.Errorf("data: digits: %w", err)
	}
	text, err := io.ReadAll(unzip)
	if err != nil {
		return nil, fmt.Errorf("data: digits: %w", err)
	}
	m := &data.Images{
		Channels: 1, Height: digitsSide, Width: digitsSide, Classes: 10,
		Max: digitsMax, Mean: []float32{digitsMean}, Std: []float32{digitsStd},
	}
	const size = digitsSide * digitsSide
	for line := range strings.Lines(string(text)) {
		m.N++
		fields := strings.Split(strings.TrimSpace(line), ",")
		if len(fields) != size+1 {
			return nil, fmt.Errorf("data: digits: line %d: %d values, want %d", m.N, len(fields), size+1)
		}
		for i, field := range fields {
			limit := digitsMax
			if i == size {
				limit = m.Classes - 1
			}
			v, err := strconv.Atoi(field)
			if err != nil || v < 0 || v > limit {
				return nil, fmt.Errorf("data: digits: line %d: value %d is %q, want 0 to %d", m.N, i+1, field, limit)
			}
			if i == size {
				m.Labels = append(m.Labels, uint16(v))
			} else {
				m.Pixels = append(m.Pixels, uint8(v))
			}
		}
	}
	return m, nil
}
