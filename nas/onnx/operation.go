package onnx

import (
	"fmt"
	"math"
	"sync"

	"godarts/cells/genotype"
)

// Nodes adds the nodes of an operation from outside of this module to a graph: of its evaluation form, from
// c to c channels, which maps x [N,c,H,W] to [N,c,⌈H/stride⌉,⌈W/stride⌉]. It returns the result. Its weights are
// below s, under the names of the operation's layer.
type Nodes func(s Scope, x string, c, stride int) string

var registered struct {
	sync.RWMutex
	nodes map[genotype.Op]Nodes
}

// RegisterOp makes an operation that cells.RegisterOp added part of ONNX exports. Without it, networks that
// have the operation do not export. A program calls it once for each operation.
//
// It panics if nodes is nil, or for a name that has nodes already.
func RegisterOp(op genotype.Op, nodes Nodes) {
	registered.Lock()
	defer registered.Unlock()
	if _, taken := registered.nodes[op]; taken || nodes == nil || builtin(op) {
		panic(fmt.Sprintf("onnx: register operation %q: it has no nodes, or has some already", op))
	}
	if registered.nodes == nil {
		registered.nodes = map[genotype.Op]Nodes{}
	}
	registered.nodes[op] = nodes
}

// builtin reports whether op is an operation of this module.
func builtin(op genotype.Op) bool {
	for _, own := range genotype.ConvolutionalOps {
		if own == op {
			return true
		}
	}
	return false
}

// operation adds the operation op from c to c channels, or what pruning has left of them.
func (s Scope) operation(op genotype.Op, x string, c, stride int) string {
	switch op {
	case genotype.None:
		return s.zero(x, stride)
	case genotype.MaxPool3x3:
		return s.Node("MaxPool", []string{x}, poolOf3x3(stride)...)
	case genotype.AvgPool3x3:
		return s.Node("AveragePool", []string{x}, append(poolOf3x3(stride), Int("count_include_pad", 0))...)
	case genotype.SkipConnect:
		if stride == 1 {
			return x
		}
		return s.factorizedReduce(x)
	case genotype.SepConv3x3:
		return s.separableTwice(x, 3, stride)
	case genotype.SepConv5x5:
		return s.separableTwice(x, 5, stride)
	case genotype.SepConv7x7:
		return s.separableTwice(x, 7, stride)
	case genotype.DilConv3x3:
		return s.At("op").separable(x, 0, 3, stride, 2)
	case genotype.DilConv5x5:
		return s.At("op").separable(x, 0, 5, stride, 2)
	case genotype.Conv7x1_1x7:
		return s.conv7x1(x, stride)
	}
	registered.RLock()
	nodes := registered.nodes[op]
	registered.RUnlock()
	if nodes == nil {
		s.b.fail("the cells have %s, which was registered without its nodes in ONNX (onnx.RegisterOp)", op)
		return x
	}
	return nodes(s, x, c, stride)
}

func poolOf3x3(stride int) []Attribute {
	return []Attribute{Ints("kernel_shape", 3, 3), Ints("pads", 1, 1, 1, 1), Ints("strides", stride, stride)}
}

// zero adds the operation "none". With stride 2 it takes every second row and column, times 0.
func (s Scope) zero(x string, stride int) string {
	if stride > 1 {
		x = s.At("strided").Node("Slice", []string{
			x, s.b.integers("constants.first", 0, 0), s.b.integers("constants.end", math.MaxInt64, math.MaxInt64),
			s.b.integers("constants.rows_and_columns", 2, 3), s.b.integers("constants.every_second", 2, 2),
		})
	}
	zero := s.b.constant(Tensor{Name: "constants.zero", Shape: []int{}, Floats: []float32{0}})
	return s.Node("Mul", []string{x, zero})
}

// separable adds [ReLU, depthwise, pointwise, batch norm], the entries of s from first on.
func (s Scope) separable(x string, first, kernel, stride, dilation int) string {
	x = s.Index(first).ReLU(x)
	depthwise := s.Index(first + 1)
	x = depthwise.Conv(x, Square(stride, dilation*(kernel-1)/2, dilation, depthwise.filters()))
	return s.Index(first+2).ConvNorm(x, Conv2d{}, s.Index(first+3))
}

// separableTwice adds a separable convolution of a stride and one of stride 1.
func (s Scope) separableTwice(x string, kernel, stride int) string {
	op := s.At("op")
	return op.separable(op.separable(x, 0, kernel, stride, 1), 4, kernel, 1, 1)
}

// conv7x1 adds [ReLU, 1x7 convolution, 7x1 convolution, batch norm].
func (s Scope) conv7x1(x string, stride int) string {
	x = s.Index(0).ReLU(x)
	x = s.Index(1).Conv(x, Conv2d{Stride: [2]int{1, stride}, Padding: [2]int{0, 3}})
	return s.Index(2).ConvNorm(x, Conv2d{Stride: [2]int{stride, 1}, Padding: [2]int{3, 0}}, s.Index(3))
}

// reluConvNorm adds [ReLU, 1x1 convolution, batch norm].
func (s Scope) reluConvNorm(x string) string {
	op := s.At("op")
	return op.Index(1).ConvNorm(op.Index(0).ReLU(x), Conv2d{}, op.Index(2))
}

// factorizedReduce adds two 1x1 convolutions of stride 2, the second on the image moved by a row and a
// column, and a batch norm over both.
func (s Scope) factorizedReduce(x string) string {
	x = s.At("relu").ReLU(x)
	shifted := s.At("shifted").Node("Slice", []string{
		x, s.b.integers("constants.second", 1, 1), s.b.integers("constants.end", math.MaxInt64, math.MaxInt64),
		s.b.integers("constants.rows_and_columns", 2, 3),
	})
	halve := Square(2, 0, 1, 1)
	conv1, conv2 := s.At("conv_1"), s.At("conv_2")
	if s.b.folded {
		return s.At("joined").Node("Concat", []string{conv1.ConvNorm(x, halve, Scope{}), conv2.ConvNorm(shifted, halve, Scope{})}, Int("axis", 1))
	}
	if !s.b.fold {
		return s.At("bn").BatchNorm(s.At("joined").Node("Concat", []string{conv1.Conv(x, halve), conv2.Conv(shifted, halve)}, Int("axis", 1)))
	}
	scale, shift := s.At("bn").affine()
	half := conv1.filters()
	if half > len(scale) {
		s.b.fail("%q has %d filters, its batch norm %d channels", conv1.name("weight"), half, len(scale))
		return x
	}
	return s.At("joined").Node("Concat", []string{
		conv1.folded(x, halve, scale[:half], shift[:half]), conv2.folded(shifted, halve, scale[half:], shift[half:]),
	}, Int("axis", 1))
}
