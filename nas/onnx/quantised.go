package onnx

import (
	"encoding/binary"
	"fmt"
	"math"
	"slices"
)

// Scale says what integers q of 8 bits stand for: Scale·(q − Zero).
type Scale struct {
	Scale float32
	Zero  uint8
}

// Quantised are the weights of a convolution or a linear layer as integers. An element of output channel c
// stands for Scale[c]·Weight, and one of the bias for Scale[c]·(the scale of the input)·Bias.
type Quantised struct {
	Shape  []int // of the weight [O,...]
	Weight []int8
	Scale  []float32 // [O]
	Bias   []int32   // [O]; nil if there is none
}

// Quantisation is a Graph in integers: the scale of each group of values, and the weights by their names.
type Quantisation struct {
	Groups  []Scale
	Weights map[string]Quantised
}

// Encode returns the ONNX file of the graph in integers, as pairs QuantizeLinear and DequantizeLinear around
// the nodes that compute in integers; programs that run it fuse them. Input, output and metadata are those of
// [Images]; Options.Fold has no effect. It returns an error if q lacks something.
func (g *Graph) Encode(q Quantisation, o Options) ([]byte, error) {
	w := &integerWriter{g: g, q: q, groups: map[string]int{}, floats: map[string]bool{}, has: map[string]bool{}}
	file, err := w.encode(o)
	if err != nil {
		return nil, fmt.Errorf("onnx: %w", err)
	}
	return file, nil
}

// integerWriter collects the file of a graph in integers.
type integerWriter struct {
	g      *Graph
	q      Quantisation
	to     *graph
	groups map[string]int  // of values
	floats map[string]bool // values that have been made floating-point numbers
	has    map[string]bool // constants in the file
}

func (w *integerWriter) encode(o Options) ([]byte, error) {
	if len(w.q.Groups) != w.g.Groups {
		return nil, fmt.Errorf("%d scales for %d groups of values", len(w.q.Groups), w.g.Groups)
	}
	for _, v := range w.g.Values {
		w.groups[v.Name] = v.Group
	}
	n := w.g.network
	w.to = &graph{name: "network", inputs: []port{n.input()}, initializers: slices.Clone(w.g.scalars), nodes: slices.Clone(w.g.before)}
	w.quantise(w.g.Input)
	for i := range w.g.Nodes {
		if err := w.node(&w.g.Nodes[i]); err != nil {
			return nil, err
		}
	}
	b := &builder{model: w.to}
	w.to.outputs = []port{Scope{b: b, graph: w.to}.output(LogitsOutput, o, []dim{{name: batch}, {size: n.Classes}})}
	m, err := n.finish(w.to)
	if err != nil {
		return nil, err
	}
	return m.encode()
}

// Endings of names in the file: of a value or constant in integers, of what DequantizeLinear makes of it, of
// scales and zero points.
const (
	inIntegers = ".integers"
	again      = ".again"
	scaleOf    = ".scale"
	zeroOf     = ".zero"
)

func (w *integerWriter) constant(t Tensor) string {
	if !w.has[t.Name] {
		w.has[t.Name] = true
		w.to.initializers = append(w.to.initializers, t)
	}
	return t.Name
}

func (w *integerWriter) add(op string, inputs []string, output string, attributes ...Attribute) {
	w.to.nodes = append(w.to.nodes, node{name: output, op: op, inputs: inputs, outputs: []string{output}, attributes: attributes})
}

// scale returns the names of scale and zero point of a value.
func (w *integerWriter) scale(value string) (scale, zero string) {
	i := w.groups[value]
	s, name := w.q.Groups[i], fmt.Sprintf("scales.%d", i)
	return w.constant(Tensor{Name: name + scaleOf, Shape: []int{}, Floats: []float32{s.Scale}}),
		w.constant(Tensor{Name: name + zeroOf, Shape: []int{}, raw: []byte{s.Zero}, of: uint8Element})
}

// quantise makes integers of a value, if it is kept as such.
func (w *integerWriter) quantise(value string) {
	if _, kept := w.groups[value]; !kept {
		w.floats[value] = true
		return
	}
	scale, zero := w.scale(value)
	w.add("QuantizeLinear", []string{value, scale, zero}, value+inIntegers)
}

// float returns a value as floating-point numbers.
func (w *integerWriter) float(value string) string {
	if _, kept := w.groups[value]; !kept {
		return value
	}
	if !w.floats[value] {
		w.floats[value] = true
		scale, zero := w.scale(value)
		w.add("DequantizeLinear", []string{value + inIntegers, scale, zero}, value+again)
	}
	return value + again
}

// node adds a node of the graph.
func (w *integerWriter) node(n *Node) error {
	if n.Kind == Moving {
		w.move(n)
		return nil
	}
	var inputs []string
	for i, x := range n.Inputs {
		t, constant := w.g.Constants[x]
		switch {
		case constant && n.Kind == InIntegers && i > 1:
			continue // the bias comes with the weights
		case constant && n.Kind == InIntegers:
			weights, err := w.weights(x, w.q.Groups[w.groups[n.Inputs[0]]].Scale)
			if err != nil {
				return err
			}
			inputs = append(inputs, weights...)
		case constant:
			inputs = append(inputs, w.constant(t))
		default:
			inputs = append(inputs, w.float(x))
		}
	}
	w.add(n.Op, inputs, n.Output, n.of.attributes...)
	if n.Output != w.g.Output {
		w.quantise(n.Output)
	}
	return nil
}

// move adds a node that reads and gives integers.
func (w *integerWriter) move(n *Node) {
	x, y := n.Inputs[0]+inIntegers, n.Output+inIntegers
	if n.Op == ReLUOp {
		_, zero := w.scale(n.Output)
		w.add("Clip", []string{x, zero}, y)
		return
	}
	inputs := []string{x}
	for _, c := range n.Inputs[1:] {
		inputs = append(inputs, w.constant(w.g.Constants[c]))
	}
	w.add(n.Op, inputs, y, n.of.attributes...)
}

// weights adds the weights of a name, and their bias, which apply to numbers of a scale.
func (w *integerWriter) weights(name string, scale float32) ([]string, error) {
	q, ok := w.q.Weights[name]
	channels := len(q.Scale)
	if !ok || len(q.Shape) == 0 || q.Shape[0] != channels || len(q.Weight) != numel(q.Shape) || q.Bias != nil && len(q.Bias) != channels {
		return nil, fmt.Errorf("no integers of %q", name)
	}
	raw := make([]byte, len(q.Weight))
	for i, v := range q.Weight {
		raw[i] = byte(v)
	}
	all := []string{w.constants(name, Tensor{Shape: q.Shape, raw: raw, of: int8Element}, q.Scale)}
	if q.Bias == nil {
		return all, nil
	}
	raw = raw[:0:0]
	scales := make([]float32, channels)
	for c, v := range q.Bias {
		raw, scales[c] = binary.LittleEndian.AppendUint32(raw, uint32(v)), scale*q.Scale[c]
	}
	return append(all, w.constants(name+".bias", Tensor{Shape: []int{channels}, raw: raw, of: int32Element}, scales)), nil
}

// constants adds integers with a scale for each entry of the first dimension.
func (w *integerWriter) constants(name string, t Tensor, scales []float32) string {
	t.Name = name + inIntegers
	zero := Tensor{Name: name + zeroOf, Shape: []int{len(scales)}, raw: make([]byte, len(scales)*t.of.size()), of: t.of}
	inputs := []string{w.constant(t), w.constant(Tensor{Name: name + scaleOf, Shape: zero.Shape, Floats: scales}), w.constant(zero)}
	w.add("DequantizeLinear", inputs, name+again, Int("axis", 0))
	return name + again
}

// ScaleOf returns the scale of integers for numbers from low to high: 0 is one of the integers.
func ScaleOf(low, high float64) Scale {
	low, high = min(low, 0), max(high, 0)
	if high == low {
		return Scale{Scale: 1}
	}
	scale := float32((high - low) / math.MaxUint8)
	return Scale{scale, uint8(min(max(math.RoundToEven(-low/float64(scale)), 0), math.MaxUint8))}
}
