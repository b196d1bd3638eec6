package genotype

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"strings"
)

// Widths are the channels that pruning has left of an evaluation network.
type Widths struct {
	Stem  []int        `json:"stem"`  // of each convolution of the stem
	Cells []CellWidths `json:"cells"` // of each cell of the network
}

// CellWidths are the channels that pruning has left of a cell. Those of a state are given by halves, since a factorized
// reduction computes each half of its channels by a convolution of its own.
type CellWidths struct {
	States [][2]int `json:"states"` // of the two inputs, as they are preprocessed, and of the nodes
	Inner  []int    `json:"inner"`  // of each edge: between the two separable convolutions of a sep_conv, 0 for other operations
}

// String returns the widths as JSON, in one line.
func (w Widths) String() string {
	text, err := json.Marshal(w)
	if err != nil {
		return err.Error() // numbers and lists have none
	}
	return string(text)
}

// ParseWidths reads what String returns.
func ParseWidths(text string) (w Widths, err error) {
	d := json.NewDecoder(strings.NewReader(text))
	d.DisallowUnknownFields()
	if err := d.Decode(&w); err != nil {
		return Widths{}, fmt.Errorf("cells: widths: %w", err)
	}
	if _, err := d.Token(); err != io.EOF {
		return Widths{}, errors.New("cells: widths: there is more text after them")
	}
	return w, nil
}

// Channels are those of an operation in a network that may be pruned.
type Channels struct{ In, Inner, Out float64 }

// Same returns channels of an operation that pruning has not touched.
func Same(c float64) Channels { return Channels{c, c, c} }

// HasInner reports whether op is two separable convolutions, with channels between them that pruning may cut.
func (op Op) HasInner() bool { return op == SepConv3x3 || op == SepConv5x5 || op == SepConv7x7 }

// Ties reports whether each channel of the result of op is made of the same channel of what it reads, so that pruning
// cuts both or neither.
func (op Op) Ties(stride int) bool {
	switch op {
	case None, MaxPool3x3, AvgPool3x3:
		return true
	case SkipConnect:
		return stride == 1
	}
	return op.Fixed()
}

// Fixed reports whether op is from outside of this module: it takes and gives all channels of its cell.
func (op Op) Fixed() bool {
	_, registered := op.traits()
	return registered
}
