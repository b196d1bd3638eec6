package onnx

import (
	"errors"
	"fmt"
	"slices"
)

// value is what a checker knows of a tensor.
type value struct {
	element elementType
	shape   []dim
	unknown bool    // the shape, of a result of an operation from outside
	ints    []int64 // its elements, of a constant
}

// checker follows the shapes through a graph.
type checker struct{ values map[string]value }

// check returns an error unless every node reads what the graph's inputs, initializers and earlier nodes
// give, no name is given twice, shapes fit, and each output has the shape that the graph says. It then adds
// the shapes of all results to the graph.
func (g *graph) check() error {
	c := checker{map[string]value{}}
	if err := c.graph(g); err != nil {
		return err
	}
	for _, n := range g.nodes {
		for _, name := range n.outputs {
			v := c.values[name]
			if !v.unknown && !slices.ContainsFunc(g.outputs, func(p port) bool { return p.name == name }) {
				g.values = append(g.values, port{name: name, element: v.element, shape: v.shape})
			}
		}
	}
	return nil
}

// graph checks g, which may read what surrounds it.
func (c checker) graph(g *graph) error {
	for _, p := range g.inputs {
		if err := c.define(p.name, value{element: p.element, shape: p.shape}); err != nil {
			return err
		}
	}
	for _, t := range g.initializers {
		element, have := t.element()
		v := value{element: element, shape: dims(t.Shape...), ints: t.ints}
		if have != numel(t.Shape) {
			return fmt.Errorf("%q has %d elements and shape %v", t.Name, have, t.Shape)
		}
		if err := c.define(t.Name, v); err != nil {
			return err
		}
	}
	for i := range g.nodes {
		if err := c.node(&g.nodes[i]); err != nil {
			return fmt.Errorf("node %s (%s): %w", g.nodes[i].name, g.nodes[i].op, err)
		}
	}
	for _, p := range g.outputs {
		v, ok := c.values[p.name]
		if !ok {
			return fmt.Errorf("nothing gives the output %q", p.name)
		}
		if !v.unknown && (v.element != p.element || !slices.Equal(v.shape, p.shape)) {
			return fmt.Errorf("the output %q has shape %v, not %v", p.name, v.shape, p.shape)
		}
	}
	return nil
}

func (c checker) define(name string, v value) error {
	if _, there := c.values[name]; there || name == "" {
		return fmt.Errorf("the name %q is given twice, or empty", name)
	}
	c.values[name] = v
	return nil
}

// node checks n and defines its results.
func (c checker) node(n *node) error {
	var in []value
	unknown := false
	for _, name := range n.inputs {
		v, ok := c.values[name]
		if !ok {
			return fmt.Errorf("nothing gives its input %q", name)
		}
		unknown = unknown || v.unknown
		in = append(in, v)
	}
	out := []value{{unknown: true, element: float32Element}}
	if infer := inferences[n.op]; infer != nil && !unknown {
		var err error
		if out, err = infer(c, n, in); err != nil {
			return err
		}
	}
	if len(out) != len(n.outputs) && !out[0].unknown {
		return fmt.Errorf("%d results, want %d", len(n.outputs), len(out))
	}
	for i, name := range n.outputs {
		if err := c.define(name, out[min(i, len(out)-1)]); err != nil {
			return err
		}
	}
	return nil
}

// inference returns the results of a node for inputs of known shapes.
type inference func(c checker, n *node, in []value) ([]value, error)

// inferences are those of the operators in use.
var inferences map[string]inference

func init() { // an entry checks the bodies of loops, by inferences
	inferences = map[string]inference{
		"Add": broadcast, "Sub": broadcast, "Mul": broadcast, "Div": broadcast, "Sum": broadcast,
		"Relu": same, "Sigmoid": same, "Tanh": same, "Softmax": same, "Identity": same,
		"BatchNormalization": batchNorm, "Conv": conv, "MaxPool": pool, "AveragePool": pool, "GlobalAveragePool": globalPool,
		"Concat": concat, "Slice": slice, "Flatten": flatten, "Gemm": gemm, "MatMul": matMul,
		"QuantizeLinear": quantise, "DequantizeLinear": dequantise, "Clip": clip,
		"Transpose": transpose, "Split": split, "Gather": gather, "Squeeze": squeeze, "Unsqueeze": unsqueeze, "Scan": scan,
	}
}

func one(element elementType, shape []dim) ([]value, error) {
	return []value{{element: element, shape: shape}}, nil
}

// takes returns an error unless there are from least to most inputs.
func takes(in []value, least, most int) error {
	if len(in) < least || len(in) > most {
		return fmt.Errorf("%d inputs", len(in))
	}
	return nil
}

// image returns the shape of an input [N,C,H,W].
func image(in []value) ([]dim, error) {
	if len(in) == 0 || len(in[0].shape) != 4 {
		return nil, errors.New("the input is no image")
	}
	return in[0].shape, nil
}

func same(_ checker, _ *node, in []value) ([]value, error) {
	if err := takes(in, 1, 1); err != nil {
		return nil, err
	}
	return one(in[0].element, in[0].shape)
}

// broadcast follows numpy's rules.
func broadcast(_ checker, _ *node, in []value) ([]value, error) {
	if len(in) == 0 {
		return nil, errors.New("no input")
	}
	shape := in[0].shape
	for _, v := range in[1:] {
		a, b := shape, v.shape
		if len(a) < len(b) {
			a, b = b, a
		}
		joined := slices.Clone(a)
		for i := range b {
			at := len(a) - len(b) + i
			switch {
			case a[at] == b[i] || b[i].size == 1:
			case a[at].size == 1:
				joined[at] = b[i]
			default:
				return nil, fmt.Errorf("shapes %v and %v", shape, v.shape)
			}
		}
		if v.element != in[0].element {
			return nil, errors.New("inputs of two types")
		}
		shape = joined
	}
	return one(in[0].element, shape)
}

// quantise knows one scale and zero point for all elements.
func quantise(_ checker, _ *node, in []value) ([]value, error) {
	if err := takes(in, 3, 3); err != nil || in[0].element != float32Element || len(in[1].shape) > 0 {
		return nil, fmt.Errorf("%d inputs, or no floats by one scale", len(in))
	}
	return one(in[2].element, in[0].shape)
}

// dequantise knows one scale and zero point, or one for each entry of the first dimension.
func dequantise(_ checker, n *node, in []value) ([]value, error) {
	if err := takes(in, 3, 3); err != nil || in[0].element != in[2].element || !slices.Equal(in[1].shape, in[2].shape) {
		return nil, fmt.Errorf("%d inputs, or a zero point of another type than the numbers", len(in))
	}
	if scales := in[1].shape; len(scales) > 0 && (len(in[0].shape) == 0 || !slices.Equal(scales, in[0].shape[:1]) || n.attribute("axis").i != 0) {
		return nil, fmt.Errorf("%d scales for numbers of shape %v", scales[0].size, in[0].shape)
	}
	return one(float32Element, in[0].shape)
}

// clip knows a lower bound.
func clip(_ checker, _ *node, in []value) ([]value, error) {
	if err := takes(in, 2, 2); err != nil || in[0].element != in[1].element || len(in[1].shape) > 0 {
		return nil, fmt.Errorf("%d inputs, or a bound of another type", len(in))
	}
	return one(in[0].element, in[0].shape)
}

func batchNorm(_ checker, _ *node, in []value) ([]value, error) {
	x, err := image(in)
	if err != nil || len(in) != 5 {
		return nil, errors.Join(err, takes(in, 5, 5))
	}
	for _, v := range in[1:] {
		if !slices.Equal(v.shape, x[1:2]) {
			return nil, fmt.Errorf("a tensor of shape %v for %d channels", v.shape, x[1].size)
		}
	}
	return one(float32Element, x)
}

// window returns the sides that a sliding window leaves of an image.
func window(n *node, x []dim, kernel []int) ([]dim, error) {
	pads, strides, dilations := n.attribute("pads").ints, n.attribute("strides").ints, n.attribute("dilations").ints
	sides := make([]dim, 2)
	for i := range sides {
		pad, stride, dilation := 0, 1, 1
		if pads != nil {
			pad = pads[i] + pads[i+2]
		}
		if strides != nil {
			stride = strides[i]
		}
		if dilations != nil {
			dilation = dilations[i]
		}
		sides[i].size = (x[2+i].size+pad-dilation*(kernel[i]-1)-1)/stride + 1
		if x[2+i].size+pad < dilation*(kernel[i]-1)+1 {
			return nil, fmt.Errorf("an image of shape %v is smaller than the window", x)
		}
	}
	return sides, nil
}

func conv(_ checker, n *node, in []value) ([]value, error) {
	x, err := image(in)
	if err == nil {
		err = takes(in, 2, 3)
	}
	if err != nil {
		return nil, err
	}
	w := in[1].shape
	if len(w) != 4 || w[1].size*n.attribute("group").i != x[1].size {
		return nil, fmt.Errorf("weights of shape %v in %d groups for images of shape %v", w, n.attribute("group").i, x)
	}
	if len(in) == 3 && !slices.Equal(in[2].shape, w[:1]) {
		return nil, fmt.Errorf("a bias of shape %v for %d channels", in[2].shape, w[0].size)
	}
	sides, err := window(n, x, []int{w[2].size, w[3].size})
	return []value{{element: float32Element, shape: append([]dim{x[0], w[0]}, sides...)}}, err
}

func pool(_ checker, n *node, in []value) ([]value, error) {
	x, err := image(in)
	if err != nil {
		return nil, err
	}
	sides, err := window(n, x, n.attribute("kernel_shape").ints)
	return []value{{element: in[0].element, shape: append([]dim{x[0], x[1]}, sides...)}}, err
}

func globalPool(_ checker, _ *node, in []value) ([]value, error) {
	x, err := image(in)
	if err != nil {
		return nil, err
	}
	return one(float32Element, append([]dim{x[0], x[1]}, dims(1, 1)...))
}

func concat(_ checker, n *node, in []value) ([]value, error) {
	axis := n.attribute("axis").i
	if len(in) == 0 || axis >= len(in[0].shape) {
		return nil, errors.New("nothing to join")
	}
	shape := slices.Clone(in[0].shape)
	for _, v := range in[1:] {
		if len(v.shape) != len(shape) {
			return nil, fmt.Errorf("shapes %v and %v", shape, v.shape)
		}
		for i := range shape {
			if i != axis && v.shape[i] != shape[i] {
				return nil, fmt.Errorf("shapes %v and %v", shape, v.shape)
			}
		}
		shape[axis].size += v.shape[axis].size
	}
	return one(in[0].element, shape)
}

// slice knows slices to the end.
func slice(_ checker, _ *node, in []value) ([]value, error) {
	if err := takes(in, 4, 5); err != nil {
		return nil, err
	}
	shape := slices.Clone(in[0].shape)
	for i, axis := range in[3].ints {
		every := 1
		if len(in) == 5 {
			every = int(in[4].ints[i])
		}
		shape[axis].size = (shape[axis].size - int(in[1].ints[i]) + every - 1) / every
	}
	return one(in[0].element, shape)
}

func flatten(_ checker, _ *node, in []value) ([]value, error) {
	x, err := image(in)
	if err != nil {
		return nil, err
	}
	return one(in[0].element, []dim{x[0], {size: x[1].size * x[2].size * x[3].size}})
}

func gemm(_ checker, _ *node, in []value) ([]value, error) {
	if err := takes(in, 3, 3); err != nil {
		return nil, err
	}
	x, w, bias := in[0].shape, in[1].shape, in[2].shape
	if len(x) != 2 || len(w) != 2 || x[1] != w[1] || !slices.Equal(bias, w[:1]) {
		return nil, fmt.Errorf("shapes %v, %v and %v", x, w, bias)
	}
	return one(float32Element, []dim{x[0], w[0]})
}

func matMul(_ checker, _ *node, in []value) ([]value, error) {
	if err := takes(in, 2, 2); err != nil {
		return nil, err
	}
	x, w := in[0].shape, in[1].shape
	if len(x) < 2 || len(w) != 2 || x[len(x)-1] != w[0] {
		return nil, fmt.Errorf("shapes %v and %v", x, w)
	}
	return one(float32Element, append(slices.Clone(x[:len(x)-1]), w[1]))
}

func transpose(_ checker, _ *node, in []value) ([]value, error) {
	if err := takes(in, 1, 1); err != nil {
		return nil, err
	}
	shape := slices.Clone(in[0].shape)
	slices.Reverse(shape)
	return one(in[0].element, shape)
}

// split knows equal parts.
func split(_ checker, n *node, in []value) ([]value, error) {
	axis, parts := n.attribute("axis").i, len(n.outputs)
	if err := takes(in, 1, 1); err != nil || axis >= len(in[0].shape) || in[0].shape[axis].size%parts != 0 {
		return nil, fmt.Errorf("%d inputs, cut into %d parts", len(in), parts)
	}
	shape := slices.Clone(in[0].shape)
	shape[axis].size /= parts
	return slices.Repeat([]value{{element: in[0].element, shape: shape}}, parts), nil
}

func gather(_ checker, _ *node, in []value) ([]value, error) {
	if err := takes(in, 2, 2); err != nil || len(in[0].shape) != 2 || in[1].element != int64Element {
		return nil, fmt.Errorf("%d inputs, of another kind than a matrix and numbers of its rows", len(in))
	}
	return one(in[0].element, append(slices.Clone(in[1].shape), in[0].shape[1]))
}

// squeeze removes the first dimension.
func squeeze(_ checker, _ *node, in []value) ([]value, error) {
	if err := takes(in, 2, 2); err != nil || len(in[0].shape) == 0 || in[0].shape[0].size != 1 {
		return nil, fmt.Errorf("%d inputs, whose first dimension is not 1", len(in))
	}
	return one(in[0].element, in[0].shape[1:])
}

// unsqueeze adds a first dimension.
func unsqueeze(_ checker, _ *node, in []value) ([]value, error) {
	if err := takes(in, 2, 2); err != nil {
		return nil, err
	}
	return one(in[0].element, append(dims(1), in[0].shape...))
}

// scan knows loops of one state and one input by step, whose body returns the state and one result.
func scan(c checker, n *node, in []value) ([]value, error) {
	body := n.attribute("body").body
	if err := takes(in, 2, 2); err != nil || body == nil || len(body.inputs) != 2 || len(body.outputs) != 2 {
		return nil, fmt.Errorf("%d inputs, or no body of two", len(in))
	}
	if err := c.graph(body); err != nil {
		return nil, err
	}
	sequence := in[1].shape
	if !slices.Equal(in[0].shape, body.inputs[0].shape) || len(sequence) == 0 || !slices.Equal(sequence[1:], body.inputs[1].shape) ||
		!slices.Equal(in[0].shape, body.outputs[0].shape) {
		return nil, fmt.Errorf("shapes %v and %v for a body that takes %v and %v", in[0].shape, sequence, body.inputs[0].shape, body.inputs[1].shape)
	}
	return []value{in[0], {element: body.outputs[1].element, shape: append(sequence[:1:1], body.outputs[1].shape...)}}, nil
}
