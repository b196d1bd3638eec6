package onnx

import (
	"fmt"
	"slices"
)

// Graph is the network of an [ImageNetwork] as integers of 8 bits compute it: the nodes from the normalised
// images to the logits, with batch norms folded. A ReLU is part of the node before it where no other node reads
// what comes before the ReLU.
//
// Values are the tensors that are kept as integers q of 8 bits, each of which stands for Scale·(q − Zero).
// Values of one group have one scale and zero point, so that no rounding is between them.
type Graph struct {
	Input, Output string // the normalised images [N,C,H,W], and the logits [N,classes]
	Nodes         []Node // each after those whose results it reads
	Values        []Value
	Groups        int
	Constants     map[string]Tensor

	network ImageNetwork
	before  []node // normalise the images
	scalars []Tensor
}

// Node computes a tensor from others, among them constants of the graph.
type Node struct {
	Op     string // of ONNX
	Inputs []string
	Output string
	Kind   NodeKind
	ReLU   bool // at the end

	of node
}

// NodeKind is how a node computes in integers.
type NodeKind int

const (
	// InFloats nodes have no form in integers: they read and give floating-point numbers.
	InFloats NodeKind = iota
	// InIntegers nodes read integers and round their result once.
	InIntegers
	// Moving nodes give integers that they read, with the same scale and zero point.
	Moving
)

// Value is a tensor of integers.
type Value struct {
	Name     string
	Group    int
	Positive bool // all of the group are results of a ReLU: the zero point is 0
}

// Ints returns an attribute that is a list, nil if the node has none of that name.
func (n *Node) Ints(name string) []int { return n.of.attribute(name).ints }

// Int returns an attribute that is a number, 0 if the node has none of that name.
func (n *Node) Int(name string) int { return n.of.attribute(name).i }

// Float returns an attribute that is a floating-point number, 0 if the node has none of that name.
func (n *Node) Float(name string) float32 { return n.of.attribute(name).f }

// Integers returns the elements of a constant of sizes or indices.
func (t Tensor) Integers() []int64 { return t.ints }

// ReLUOp is the Op of nodes max(x, 0).
const ReLUOp = "Relu"

// kinds are the operators that have a form in integers.
var kinds = map[string]NodeKind{
	"Conv": InIntegers, "Gemm": InIntegers, "Add": InIntegers, "Concat": InIntegers, "AveragePool": InIntegers, "GlobalAveragePool": InIntegers,
	ReLUOp: Moving, "MaxPool": Moving, "Slice": Moving, "Flatten": Moving,
}

// IntegerGraph returns the graph of a network with these weights: a state dict or, if folded is set, the
// Constants of such a graph. Errors are those of [Images].
func IntegerGraph(n ImageNetwork, w Weights, folded bool) (*Graph, error) {
	m, err := n.model(w, Options{Fold: true}, folded)
	if err != nil {
		return nil, fmt.Errorf("onnx: %w", err)
	}
	g := &Graph{Input: normalisedValue, Output: LogitsOutput, network: n, Constants: map[string]Tensor{}}
	for _, t := range m.graph.initializers {
		g.Constants[t.Name] = t
	}
	nodes := m.graph.nodes
	first := 1 + slices.IndexFunc(nodes, func(k node) bool { return k.outputs[0] == normalisedValue })
	g.before, nodes = nodes[:first], nodes[first:]
	for i := range g.before {
		for _, name := range g.before[i].inputs {
			if t, ok := g.Constants[name]; ok {
				g.scalars = append(g.scalars, t)
				delete(g.Constants, name)
			}
		}
	}
	for _, k := range nodes {
		if len(k.outputs) != 1 {
			return nil, fmt.Errorf("onnx: node %s (%s) has %d results: it has no place in a network of integers", k.name, k.op, len(k.outputs))
		}
		g.Nodes = append(g.Nodes, Node{Op: k.op, Inputs: k.inputs, Output: k.outputs[0], of: k})
	}
	g.liftReLUs()
	g.findKinds()
	g.shareReLUs()
	g.findValues()
	return g, nil
}

// readers returns the nodes that read each value.
func (g *Graph) readers() map[string][]*Node {
	readers := map[string][]*Node{}
	for i := range g.Nodes {
		for _, x := range g.Nodes[i].Inputs {
			readers[x] = append(readers[x], &g.Nodes[i])
		}
	}
	return readers
}

// onlyReLUs reports whether all readers are ReLUs, and there are some.
func onlyReLUs(readers []*Node) bool {
	return len(readers) > 0 && !slices.ContainsFunc(readers, func(n *Node) bool { return n.Op != ReLUOp })
}

// liftReLUs moves ReLUs after a concatenation before it: each part then may take part in one that is there
// already, or in the node that gives it.
func (g *Graph) liftReLUs() {
	for at := len(g.Nodes) - 1; at >= 0; at-- { // a part of a concatenation may be one itself
		concat := g.Nodes[at]
		if concat.Op != "Concat" || !onlyReLUs(g.readers()[concat.Output]) {
			continue
		}
		g.rename(func(n *Node) bool { return n.Op == ReLUOp && n.Inputs[0] == concat.Output }, concat.Output)
		at = slices.IndexFunc(g.Nodes, func(n Node) bool { return n.Output == concat.Output })
		var lifted []Node
		parts := slices.Clone(concat.Inputs)
		for i, part := range parts {
			parts[i] = fmt.Sprintf("%s.part_%d", concat.Output, i)
			lifted = append(lifted, Node{Op: ReLUOp, Inputs: []string{part}, Output: parts[i]})
		}
		g.Nodes[at].Inputs = parts
		g.Nodes = slices.Insert(g.Nodes, at, lifted...)
	}
}

// rename removes the nodes that are chosen; their readers read to.
func (g *Graph) rename(chosen func(n *Node) bool, to string) {
	gone := map[string]bool{}
	g.Nodes = slices.DeleteFunc(g.Nodes, func(n Node) bool {
		if chosen(&n) {
			gone[n.Output] = true
			return true
		}
		return false
	})
	for i := range g.Nodes {
		inputs := slices.Clone(g.Nodes[i].Inputs)
		for k, x := range inputs {
			if gone[x] {
				inputs[k] = to
			}
		}
		g.Nodes[i].Inputs = inputs
	}
}

// shareReLUs leaves one ReLU of each value, right after it: as a part of the node that gives the value where
// the ReLU is its only reader, else as a node.
func (g *Graph) shareReLUs() {
	for at := 0; at < len(g.Nodes); at++ {
		n := g.Nodes[at]
		readers := g.readers()[n.Output]
		isReLU := func(k *Node) bool { return k.Op == ReLUOp && k.Inputs[0] == n.Output }
		switch {
		case !slices.ContainsFunc(readers, isReLU):
		case onlyReLUs(readers) && n.Kind == InIntegers:
			g.rename(isReLU, n.Output)
			g.Nodes[at].ReLU = true
		default:
			to := n.Output + ".positive"
			g.rename(isReLU, to)
			g.Nodes = slices.Insert(g.Nodes, at+1, Node{Op: ReLUOp, Inputs: []string{n.Output}, Output: to, Kind: Moving})
		}
	}
}

// findKinds sets the kinds of nodes.
func (g *Graph) findKinds() {
	for i := range g.Nodes {
		n := &g.Nodes[i]
		n.Kind = kinds[n.Op]
		for k, x := range n.Inputs {
			_, constant := g.Constants[x]
			weights := (n.Op == "Conv" || n.Op == "Gemm") && k > 0 || n.Op == "Slice" && k > 0
			if constant != weights {
				n.Kind = InFloats
			}
		}
	}
}

// findValues lists the values that are kept as integers, those that a node reads or gives as integers, and
// groups them: what a moving node reads and gives, and what is concatenated where each reader is the
// concatenation or all are results of ReLUs.
func (g *Graph) findValues() {
	readers := g.readers()
	group, positive := map[string]string{}, map[string]bool{} // by value; positive of a root is of its group
	var root func(x string) string
	root = func(x string) string {
		if group[x] == x {
			return x
		}
		return root(group[x])
	}
	join := func(x, y string) {
		if x, y = root(x), root(y); x != y {
			group[y] = x
			positive[x] = positive[x] && positive[y]
		}
	}
	reads := func(x string) bool {
		return slices.ContainsFunc(readers[x], func(n *Node) bool { return n.Kind != InFloats })
	}
	if reads(g.Input) {
		group[g.Input] = g.Input
		g.Values = append(g.Values, Value{Name: g.Input})
	}
	negative := map[string]bool{} // values of which some elements may be
	for i := range g.Nodes {
		n := &g.Nodes[i]
		takes := slices.Contains([]string{"Conv", "Gemm", "Add"}, n.Op) || n.Kind == InFloats
		negative[n.Output] = !n.ReLU && n.Op != ReLUOp && (takes || slices.ContainsFunc(n.Inputs, func(x string) bool { return negative[x] || x == g.Input }))
		if n.Output == g.Output || n.Kind == InFloats && !reads(n.Output) {
			continue
		}
		group[n.Output], positive[n.Output] = n.Output, !negative[n.Output]
		g.Values = append(g.Values, Value{Name: n.Output})
		if n.Kind == Moving {
			join(n.Inputs[0], n.Output)
		}
	}
	for i := range g.Nodes {
		n := &g.Nodes[i]
		if n.Op != "Concat" || n.Kind != InIntegers || n.Output == g.Output {
			continue
		}
		for _, x := range n.Inputs {
			alike := positive[root(x)] == positive[root(n.Output)]
			if alike && (len(readers[x]) == 1 || positive[root(x)]) {
				join(x, n.Output)
			}
		}
	}
	numbers := map[string]int{}
	for i := range g.Values {
		v := &g.Values[i]
		r := root(v.Name)
		if _, known := numbers[r]; !known {
			numbers[r] = len(numbers)
		}
		v.Group, v.Positive = numbers[r], positive[r]
	}
	g.Groups = len(numbers)
}

// Floating returns the operators of the nodes that have no form in integers, with their numbers.
func (g *Graph) Floating() map[string]int {
	all := map[string]int{}
	for i := range g.Nodes {
		if g.Nodes[i].Kind == InFloats {
			all[g.Nodes[i].Op]++
		}
	}
	return all
}
