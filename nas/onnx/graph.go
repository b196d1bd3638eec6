package onnx

// model is a whole file.
type model struct {
	graph    *graph
	doc      string
	metadata []property // in the order of the file
}

type property struct{ key, value string }

// graph is a network, or the body of a loop in one.
type graph struct {
	name            string
	inputs, outputs []port
	initializers    []Tensor
	nodes           []node // each after those whose results it reads
	values          []port // shapes of results, for readers
}

// port is a named value with its type.
type port struct {
	name, doc string
	element   elementType
	shape     []dim
}

// dim is a size, or the name of one that a caller chooses.
type dim struct {
	name string
	size int
}

// dims returns fixed sizes.
func dims(sizes ...int) []dim {
	all := make([]dim, len(sizes))
	for i, n := range sizes {
		all[i].size = n
	}
	return all
}

// node applies an operator.
type node struct {
	name, op        string
	inputs, outputs []string
	attributes      []Attribute
}

// Attribute is a constant argument of an operator.
type Attribute struct {
	name string
	kind attributeKind
	i    int
	f    float32
	ints []int
	body *graph
}

// Int returns an attribute that is a number.
func Int(name string, value int) Attribute {
	return Attribute{name: name, kind: intAttribute, i: value}
}

// Ints returns an attribute that is a list of numbers.
func Ints(name string, values ...int) Attribute {
	return Attribute{name: name, kind: intsAttribute, ints: values}
}

// Float returns an attribute that is a floating-point number.
func Float(name string, value float32) Attribute {
	return Attribute{name: name, kind: floatAttribute, f: value}
}

// bodyOf returns an attribute that is a graph.
func bodyOf(name string, g *graph) Attribute {
	return Attribute{name: name, kind: graphAttribute, body: g}
}

// attribute returns an attribute of n; the zero Attribute stands for none.
func (n *node) attribute(name string) Attribute {
	for _, a := range n.attributes {
		if a.name == name {
			return a
		}
	}
	return Attribute{}
}

// Tensor is a constant of a graph. Floats hold its elements, or ints where it has sizes or indices, or raw
// where it has integers of another type.
type Tensor struct {
	Name   string
	Shape  []int
	Floats []float32
	ints   []int64
	raw    []byte // little endian
	of     elementType
}

// element returns the type of the elements, and how many there are.
func (t Tensor) element() (e elementType, n int) {
	switch {
	case t.raw != nil:
		return t.of, len(t.raw) / t.of.size()
	case t.ints != nil:
		return int64Element, len(t.ints)
	}
	return float32Element, len(t.Floats)
}

// Weights are the tensors of a state dict by their names.
type Weights map[string]Tensor

// numel returns the number of elements that a shape has.
func numel(shape []int) int {
	n := 1
	for _, s := range shape {
		n *= s
	}
	return n
}
