package data

import (
	"bytes"
	"compress/gzip"
	_ "embed"
	"fmt"
	"io"
	"strconv"
	"strings"
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

// openDigits decodes the embedded digits.
func openDigits() (*Set, error) {
	all, err := readDigits(digitsFile)
	if err != nil {
		return nil, err
	}
	return &Set{
		Name:       "digits",
		Train:      all.Slice(0, digitsTrain),
		Test:       all.Slice(digitsTrain, all.N),
		ClassNames: strings.Split("0123456789", ""),
		Augment:    Augment{Pad: 1},
	}, nil
}

// readDigits decodes a gzipped text of images.
func readDigits(zipped []byte) (*Images, error) {
	unzip, err := gzip.NewReader(bytes.NewReader(zipped))
	if err != nil {
		return nil, fmt.Errorf("data: digits: %w", err)
	}
	text, err := io.ReadAll(unzip)
	if err != nil {
		return nil, fmt.Errorf("data: digits: %w", err)
	}
	m := &Images{
		Channels: 1, Height: digitsSide, Width: digitsSide, Classes: 10,
		Max: digitsMax, Mean: []float32{digitsMean}, Std: []float32{digitsStd},
	}
	for line := range strings.Lines(string(text)) {
		m.N++
		fields := strings.Split(strings.TrimSpace(line), ",")
		if len(fields) != m.size()+1 {
			return nil, fmt.Errorf("data: digits: line %d: %d values, want %d", m.N, len(fields), m.size()+1)
		}
		for i, field := range fields {
			limit := digitsMax
			if i == m.size() {
				limit = m.Classes - 1
			}
			v, err := strconv.Atoi(field)
			if err != nil || v < 0 || v > limit {
				return nil, fmt.Errorf("data: digits: line %d: value %d is %q, want 0 to %d", m.N, i+1, field, limit)
			}
			if i == m.size() {
				m.Labels = append(m.Labels, uint16(v))
			} else {
				m.Pixels = append(m.Pixels, uint8(v))
			}
		}
	}
	return m, nil
}
