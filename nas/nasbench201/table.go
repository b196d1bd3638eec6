package nasbench201

import (
	"bytes"
	"encoding/csv"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strconv"
)

// Name is the name of the table, of its folder among the data sets, and of its file
// without the extension.
const Name = "nasbench201"

// HowToGet says how to make the file.
const HowToGet = "take NATS-Bench's or NAS-Bench-201's topology files (github.com/D-X-Y/NATS-Bench, MIT licence) and write with its Python API " +
	"a line for each of the 15625 cells, after one with the columns index,cell,D_valid_12,D_test_12 for D = cifar10, cifar100, imagenet16, then D_test_200: " +
	"accuracies in percent after 12 and 200 epochs, cifar10_valid_12 from the set cifar10-valid, 200 epochs as mean over seeds"

// Dataset is one of the three datasets on which every cell was trained.
type Dataset int

// The datasets, in the order of the table's columns.
const (
	CIFAR10 Dataset = iota
	CIFAR100
	ImageNet16
	datasets
)

// String returns the published name.
func (d Dataset) String() string {
	return [...]string{"CIFAR-10", "CIFAR-100", "ImageNet16-120"}[d]
}

// Result holds the accuracies of a cell, in percent on each dataset.
type Result struct {
	Valid12 [datasets]float64 // of validation images after 12 epochs
	Test12  [datasets]float64 // of test images after 12 epochs
	Test200 [datasets]float64 // of test images after 200 epochs, mean over the seeds trained
}

// columns of the file, in order. The accuracies begin at firstAccuracy.
var columns = []string{
	"index", "cell",
	"cifar10_valid_12", "cifar10_test_12", "cifar100_valid_12", "cifar100_test_12", "imagenet16_valid_12", "imagenet16_test_12",
	"cifar10_test_200", "cifar100_test_200", "imagenet16_test_200",
}

const firstAccuracy = 2

// field returns the field of r for a column.
func (r *Result) field(column int) *float64 {
	i := column - firstAccuracy
	if i >= 2*int(datasets) {
		return &r.Test200[i-2*int(datasets)]
	}
	if i%2 == 0 {
		return &r.Valid12[i/2]
	}
	return &r.Test12[i/2]
}

// Table holds the results of all cells.
type Table struct {
	Title   string
	results [Cells]Result
}

// Result looks a cell up.
func (t *Table) Result(c Cell) Result { return t.results[c.number()] }

// Best returns the highest test accuracy of any cell after 200 epochs on d.
func (t *Table) Best(d Dataset) float64 {
	best := 0.0
	for _, r := range t.results {
		best = max(best, r.Test200[d])
	}
	return best
}

// File returns the path of the table below a folder of data sets.
func File(root string) string { return filepath.Join(root, Name, Name+".csv") }

// maxFileBytes bounds the file; the published table has 2.3 MB.
const maxFileBytes = 16 << 20

// Open reads the table below a folder of data sets. Its errors are those of Read. If the
// file is not there the error says how to get it.
func Open(root string) (*Table, error) {
	file := File(root)
	f, err := os.Open(file)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, fmt.Errorf("nasbench201: there is no %s: `darts data get %s` says how to get it", file, Name)
	}
	if err != nil {
		return nil, fmt.Errorf("nasbench201: %w", err)
	}
	defer f.Close()
	return Read(file, f)
}

// Read reads a table, whose first line names the columns:
//
//	index,cell,cifar10_valid_12,cifar10_test_12,cifar100_valid_12,cifar100_test_12,
//	imagenet16_valid_12,imagenet16_test_12,cifar10_test_200,cifar100_test_200,imagenet16_test_200
//
// Every cell has one line. The index counts the lines from 0, and accuracies are percent.
// Any other content is an error of one line, with name and the line number.
func Read(name string, r io.Reader) (*Table, error) {
	text, err := io.ReadAll(io.LimitReader(r, maxFileBytes+1))
	if err != nil {
		return nil, fmt.Errorf("nasbench201: %s: %w", name, err)
	}
	if len(text) > maxFileBytes {
		return nil, fmt.Errorf("nasbench201: %s: more than %d bytes, no table of %d cells", name, maxFileBytes, Cells)
	}
	t := &Table{Title: "NAS-Bench-201"}
	if err := t.read(text); err != nil {
		return nil, fmt.Errorf("nasbench201: %s:%w", name, err)
	}
	return t, nil
}

// read fills t. Its errors begin with the line number.
func (t *Table) read(text []byte) error {
	rows := csv.NewReader(bytes.NewReader(text))
	rows.FieldsPerRecord = -1 // add counts them, since its error says what is wanted
	rows.ReuseRecord = true
	line := 1
	var known [Cells]int // line of each cell, 0 if it has none yet
	for n := -1; ; n++ {
		row, err := rows.Read()
		var bad *csv.ParseError
		switch {
		case err == io.EOF && n == Cells:
			if text[len(text)-1] != '\n' {
				return fmt.Errorf("%d: the line has no end: the file is cut off", line)
			}
			return nil
		case err == io.EOF && n < 0:
			return errors.New("1: empty, want a line with the names of the columns")
		case err == io.EOF:
			return fmt.Errorf("%d: the file ends after %d cells, want %d", line, n, Cells)
		case errors.As(err, &bad):
			return fmt.Errorf("%d: column %d: %w", bad.Line, bad.Column, bad.Err)
		case err != nil:
			return err
		}
		line, _ = rows.FieldPos(0)
		if n < 0 {
			err = checkHeader(row)
		} else {
			err = t.add(row, n, line, &known)
		}
		if err != nil {
			return fmt.Errorf("%d: %w", line, err)
		}
	}
}

func checkHeader(row []string) error {
	for i, want := range columns {
		if i >= len(row) || row[i] != want {
			return fmt.Errorf("column %d is %s, want %q", i+1, given(row, i), want)
		}
	}
	if len(row) > len(columns) {
		return fmt.Errorf("column %d is %s, want %d columns", len(columns)+1, given(row, len(columns)), len(columns))
	}
	return nil
}

// given writes field i of a row for an error.
func given(row []string, i int) string {
	if i >= len(row) {
		return "missing"
	}
	return strconv.Quote(row[i][:min(len(row[i]), 40)])
}

// add stores row n.
func (t *Table) add(row []string, n, line int, known *[Cells]int) error {
	if len(row) != len(columns) {
		return fmt.Errorf("%d columns, want %d", len(row), len(columns))
	}
	c, err := ParseCell(row[1])
	if err != nil {
		return err
	}
	if first := known[c.number()]; first > 0 {
		return fmt.Errorf("cell %v is on line %d already", c, first)
	}
	known[c.number()] = line
	index, err := strconv.Atoi(row[0])
	switch {
	case err != nil:
		return fmt.Errorf("index: given %s, want %d", given(row, 0), n)
	case index > n:
		return fmt.Errorf("index: given %d, want %d: a line is missing before this one", index, n)
	case index < n:
		return fmt.Errorf("index: given %d, want %d", index, n)
	}
	for i := firstAccuracy; i < len(columns); i++ {
		x, err := strconv.ParseFloat(row[i], 64)
		if err != nil || !(x >= 0 && x <= 100) {
			return fmt.Errorf("%s: given %s, want an accuracy of 0 to 100 percent", columns[i], given(row, i))
		}
		*t.results[c.number()].field(i) = x
	}
	return nil
}
