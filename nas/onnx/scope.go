package onnx

import (
	"fmt"
	"math"
	"slices"
	"strconv"
)

// builder collects the graph of a network. It keeps the first error, and then goes on with values that
// nobody reads.
type builder struct {
	weights Weights
	fold    bool
	folded  bool   // the weights are folded already: convolutions have biases in place of batch norms
	model   *graph // what has the initializers
	has     map[string]bool
	err     error
}

func newBuilder(name string, w Weights, o Options) (*builder, Scope) {
	b := &builder{weights: w, fold: o.Fold, model: &graph{name: name}, has: map[string]bool{}}
	return b, Scope{b: b, graph: b.model}
}

func (b *builder) fail(format string, args ...any) {
	if b.err == nil {
		b.err = fmt.Errorf(format, args...)
	}
}

// weight returns a tensor of the state dict.
func (b *builder) weight(name string) Tensor {
	t, ok := b.weights[name]
	if !ok {
		b.fail("the weights have no %q", name)
	} else if len(t.Floats) != numel(t.Shape) {
		b.fail("the weights have %d elements of %q, whose shape is %v", len(t.Floats), name, t.Shape)
		ok = false
	}
	if !ok {
		return Tensor{Name: name}
	}
	t.Name = name
	return t
}

// constant makes t an initializer, once for each name, and returns its name.
func (b *builder) constant(t Tensor) string {
	if !b.has[t.Name] {
		b.has[t.Name] = true
		b.model.initializers = append(b.model.initializers, t)
	}
	return t.Name
}

// integers makes a list of numbers an initializer.
func (b *builder) integers(name string, values ...int64) string {
	return b.constant(Tensor{Name: name, Shape: []int{len(values)}, ints: values})
}

// Scope is a place in the tree of a network's names, to which nodes are added. Values that pass between
// nodes are known by their names.
type Scope struct {
	b     *builder
	graph *graph
	place string
}

// At returns the place name below s, as nn.Path has it.
func (s Scope) At(name string) Scope {
	s.place = s.name(name)
	return s
}

// Index returns the place of entry i of a list at s.
func (s Scope) Index(i int) Scope { return s.At(strconv.Itoa(i)) }

func (s Scope) name(name string) string {
	if s.place == "" {
		return name
	}
	return s.place + "." + name
}

// Node adds a node of the ONNX operator op at s and returns its result. s.At(...) has to be a place that
// has no node yet.
func (s Scope) Node(op string, inputs []string, attributes ...Attribute) string {
	return s.nodes(op, inputs, []string{s.place}, attributes...)[0]
}

// nodes adds a node of several results.
func (s Scope) nodes(op string, inputs, outputs []string, attributes ...Attribute) []string {
	s.graph.nodes = append(s.graph.nodes, node{name: s.place, op: op, inputs: inputs, outputs: outputs, attributes: attributes})
	return outputs
}

// Weight returns the tensor of the state dict that has this name below s.
func (s Scope) Weight(name string) string {
	return s.b.constant(s.b.weight(s.name(name)))
}

// ReLU adds max(x, 0).
func (s Scope) ReLU(x string) string { return s.Node("Relu", []string{x}) }

// Conv2d says how a convolution without bias reads an image: the options of torch.Conv2dOptions by row and
// column.
type Conv2d struct {
	Stride, Padding, Dilation [2]int // zeros: stride 1, no padding, dilation 1
	Groups                    int    // 0: 1
}

// Square returns the options for a convolution that has them alike for rows and columns.
func Square(stride, padding, dilation, groups int) Conv2d {
	return Conv2d{[2]int{stride, stride}, [2]int{padding, padding}, [2]int{dilation, dilation}, groups}
}

func (o Conv2d) attributes(kernel []int) []Attribute {
	one := func(n int) int { return max(n, 1) }
	return []Attribute{
		Ints("dilations", one(o.Dilation[0]), one(o.Dilation[1])),
		Int("group", one(o.Groups)),
		Ints("kernel_shape", kernel...),
		Ints("pads", o.Padding[0], o.Padding[1], o.Padding[0], o.Padding[1]),
		Ints("strides", one(o.Stride[0]), one(o.Stride[1])),
	}
}

// filters returns the number of filters of the convolution with the tensor "weight" below s.
func (s Scope) filters() int {
	t := s.b.weight(s.name("weight"))
	if len(t.Shape) == 0 {
		return 0
	}
	return t.Shape[0]
}

// Conv adds a convolution with the tensor "weight" below s.
func (s Scope) Conv(x string, o Conv2d) string {
	return s.conv(x, o, s.b.weight(s.name("weight")), nil)
}

// conv adds a convolution with the weights t and a bias, unless it is nil.
func (s Scope) conv(x string, o Conv2d, t Tensor, bias []float32) string {
	if len(t.Shape) != 4 {
		s.b.fail("%q has shape %v, want 4 dimensions", t.Name, t.Shape)
		return s.place
	}
	inputs := []string{x, s.b.constant(t)}
	if bias != nil {
		inputs = append(inputs, s.b.constant(Tensor{Name: s.name("bias"), Shape: []int{len(bias)}, Floats: bias}))
	}
	return s.Node("Conv", inputs, o.attributes(t.Shape[2:])...)
}

// BatchNorm adds a batch norm by the running statistics below s.
func (s Scope) BatchNorm(x string) string {
	inputs := []string{x}
	for _, name := range normTensors {
		inputs = append(inputs, s.Weight(name))
	}
	return s.Node("BatchNormalization", inputs, Float("epsilon", normEpsilon))
}

// ConvNorm adds a convolution at s and the batch norm at norm on its result: one node where the export
// folds batch norms.
func (s Scope) ConvNorm(x string, o Conv2d, norm Scope) string {
	switch {
	case s.b.folded:
		return s.conv(x, o, s.b.weight(s.name("weight")), s.b.weight(s.name("bias")).Floats)
	case !s.b.fold:
		return norm.BatchNorm(s.Conv(x, o))
	}
	scale, shift := norm.affine()
	return s.folded(x, o, scale, shift)
}

// folded adds a convolution whose results are multiplied by scale, and shift added, for each channel.
func (s Scope) folded(x string, o Conv2d, scale, shift []float64) string {
	t := s.b.weight(s.name("weight"))
	if len(scale) == 0 || len(t.Shape) == 0 || t.Shape[0] != len(scale) {
		s.b.fail("%q has shape %v, its batch norm %d channels", t.Name, t.Shape, len(scale))
		return s.place
	}
	t.Floats = slices.Clone(t.Floats)
	each := len(t.Floats) / len(scale)
	for i := range t.Floats {
		t.Floats[i] = float32(float64(t.Floats[i]) * scale[i/each])
	}
	bias := make([]float32, len(shift))
	for i, v := range shift {
		bias[i] = float32(v)
	}
	return s.conv(x, o, t, bias)
}

// normTensors are the tensors of a batch norm in the order in which ONNX takes them.
var normTensors = []string{"weight", "bias", "running_mean", "running_var"}

// normEpsilon is PyTorch's ε of batch norms.
const normEpsilon = 1e-5

// affine returns the batch norm at s as scale·x + shift for each channel.
func (s Scope) affine() (scale, shift []float64) {
	var of [4]Tensor
	for i, name := range normTensors {
		of[i] = s.b.weight(s.name(name))
		if len(of[i].Floats) != len(of[0].Floats) {
			s.b.fail("%q has shape %v, %q has %v", of[i].Name, of[i].Shape, of[0].Name, of[0].Shape)
			return nil, nil
		}
	}
	weight, bias, mean, variance := of[0].Floats, of[1].Floats, of[2].Floats, of[3].Floats
	for c := range weight {
		factor := float64(weight[c]) / math.Sqrt(float64(variance[c])+normEpsilon)
		scale = append(scale, factor)
		shift = append(shift, float64(bias[c])-float64(mean[c])*factor)
	}
	return scale, shift
}
