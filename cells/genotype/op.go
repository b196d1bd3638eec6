package genotype

import (
	"math"
	"slices"
	"strings"

	"godarts/cells/spelling"
)

// Op names what one edge of a cell computes: an operation of a convolutional cell, or the activation of a
// node of a recurrent cell. The strings are the reference's, letter for letter, as they stand in genotypes.
type Op string

// The operations of convolutional cells. Kernel sizes are in pixels; "sep" is depthwise-separable, applied
// twice, "dil" is depthwise-separable with dilation 2, applied once. Reference cnn/operations.py OPS.
const (
	None        Op = "none"
	MaxPool3x3  Op = "max_pool_3x3"
	AvgPool3x3  Op = "avg_pool_3x3"
	SkipConnect Op = "skip_connect"
	SepConv3x3  Op = "sep_conv_3x3"
	SepConv5x5  Op = "sep_conv_5x5"
	DilConv3x3  Op = "dil_conv_3x3"
	DilConv5x5  Op = "dil_conv_5x5"

	// Of published cells; not in the search space.
	SepConv7x7  Op = "sep_conv_7x7"
	Conv7x1_1x7 Op = "conv_7x1_1x7"
)

// The activations of recurrent cells. Reference rnn/genotypes.py PRIMITIVES; its first entry is None.
const (
	ActTanh     Op = "tanh"
	ActReLU     Op = "relu"
	ActSigmoid  Op = "sigmoid"
	ActIdentity Op = "identity"
)

// Primitives are the operations of the paper's convolutional search space; the position is the column of alpha.
// Register adds operations; an append to Primitives does not.
var Primitives = []Op{None, MaxPool3x3, AvgPool3x3, SkipConnect, SepConv3x3, SepConv5x5, DilConv3x3, DilConv5x5}

// RecurrentPrimitives are the activations of the recurrent search space; the position is the column of alpha.
var RecurrentPrimitives = []Op{None, ActTanh, ActReLU, ActSigmoid, ActIdentity}

// ConvolutionalOps are the operations of this module that a derived convolutional cell may have.
var ConvolutionalOps = slices.Concat(Primitives, []Op{SepConv7x7, Conv7x1_1x7})

// recurrentOps are the operations of a derived recurrent cell.
var recurrentOps = RecurrentPrimitives[1:]

// Convolutional reports whether op can stand on an edge of a convolutional cell.
func (op Op) Convolutional() bool {
	if slices.Contains(ConvolutionalOps, op) {
		return true
	}
	_, ok := op.traits()
	return ok
}

// Recurrent reports whether op can be the activation of a node of a derived recurrent cell. None cannot: the search
// weighs it, but no derived cell has it, and the reference has no formula for it.
func (op Op) Recurrent() bool {
	return slices.Contains(recurrentOps, op)
}

// Normed reports whether op has a batch norm in an evaluation network.
func (op Op) Normed(stride int) bool {
	if t, ok := op.traits(); ok && t.Normed != nil {
		return t.Normed(stride)
	}
	switch op {
	case None, MaxPool3x3, AvgPool3x3:
		return false
	case SkipConnect:
		return stride > 1
	}
	return true
}

// Weights returns the number of weights of op on c channels.
func (op Op) Weights(c float64, stride int, affine bool) float64 {
	return op.WeightsOf(Same(c), stride, affine)
}

// WeightsOf is Weights of an operation with these channels.
func (op Op) WeightsOf(c Channels, stride int, affine bool) float64 {
	if t, ok := op.traits(); ok && t.Weights != nil {
		return t.Weights(c.Out, stride, affine)
	}
	norm := func(c float64) float64 {
		if affine {
			return 2 * c
		}
		return 0
	}
	separable := func(area, in, out float64) float64 { return area*in + in*out + norm(out) }
	twice := func(area float64) float64 { return separable(area, c.In, c.Inner) + separable(area, c.Inner, c.Out) }
	switch op {
	case SkipConnect:
		if stride > 1 {
			return c.In*c.Out + norm(c.Out)
		}
	case SepConv3x3:
		return twice(9)
	case SepConv5x5:
		return twice(25)
	case SepConv7x7:
		return twice(49)
	case DilConv3x3:
		return separable(9, c.In, c.Out)
	case DilConv5x5:
		return separable(25, c.In, c.Out)
	case Conv7x1_1x7:
		return 7*c.In*c.Inner + 7*c.Inner*c.Out + norm(c.Out)
	}
	return 0
}

// MultiplyAdds returns the multiply-adds of op on one map of c channels and side pixels a side, which a stride halves;
// known is false for an operation from outside of this module that does not say.
func (op Op) MultiplyAdds(c, side float64, stride int) (n float64, known bool) {
	return op.MultiplyAddsOf(Same(c), side, stride)
}

// MultiplyAddsOf is MultiplyAdds of an operation with these channels.
func (op Op) MultiplyAddsOf(c Channels, side float64, stride int) (n float64, known bool) {
	if t, ok := op.traits(); ok {
		if t.MultiplyAdds == nil {
			return 0, false
		}
		return t.MultiplyAdds(c.Out, side, stride), true
	}
	out := side
	if stride > 1 {
		out = math.Ceil(side / 2)
	}
	area := out * out
	switch op {
	case SkipConnect, SepConv3x3, SepConv5x5, SepConv7x7, DilConv3x3, DilConv5x5:
		return op.WeightsOf(c, stride, false) * area, true
	case Conv7x1_1x7: // the first has the stride on columns only
		return 7 * c.Inner * (c.In*side*out + c.Out*area), true
	}
	return 0, true
}

// Without returns ops without some of them.
func Without(ops []Op, some ...Op) (rest []Op) {
	for _, op := range ops {
		if !slices.Contains(some, op) {
			rest = append(rest, op)
		}
	}
	return rest
}

// nearestOpAmong returns the one of ops whose name takes the fewest edits to reach from name. Between digits a near miss
// costs less than a far one, so "sep_conv_9x9" gives "sep_conv_7x7".
func nearestOpAmong(name string, ops []Op) Op {
	names := make([]string, len(ops))
	for i, op := range ops {
		names[i] = string(op)
	}
	return Op(nearestSpelling(name, names))
}

// nearestSpelling returns the first candidate that name abbreviates, else the first with the least
// spellingDistance from name, whatever the case.
func nearestSpelling(name string, candidates []string) string {
	// Nothing known is half as long; the cut keeps the work independent of what a damaged file holds.
	const longest = 64
	if len(name) > longest {
		name = name[:longest]
	}
	name = strings.ToLower(name)
	best, bestDistance := "", 0
	for _, c := range candidates {
		if len(name) > 1 && strings.HasPrefix(strings.ToLower(c), name) {
			return c
		}
		if d := spellingDistance(name, strings.ToLower(c)); best == "" || d < bestDistance {
			best, bestDistance = c, d
		}
	}
	return best
}

// spellingDistance is the Levenshtein distance over bytes in tenths of an edit, with one digit in place of
// another costing 1 + their difference.
func spellingDistance(a, b string) int {
	return spelling.Weighted(a, b, 10, func(x, y byte) int {
		if isDigit(x) && isDigit(y) {
			return 1 + int(max(x, y)-min(x, y))
		}
		return 10
	})
}

func isDigit(c byte) bool { return '0' <= c && c <= '9' }
