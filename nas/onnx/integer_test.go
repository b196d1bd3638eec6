package onnx_test

import (
	"maps"
	"slices"
	"strings"
	"testing"

	"godarts/cells/genotype"
	"godarts/nas/onnx"
	"godarts/torch/torchtest"
)

// integerGraph is the graph of a network of g in integers.
func integerGraph(t *testing.T, g genotype.Genotype) *onnx.Graph {
	t.Helper()
	net, n := imageNetwork(t, g, false, false)
	graph, err := onnx.IntegerGraph(n, weightsOf(net), false)
	if err != nil {
		t.Fatal(err)
	}
	return graph
}

func TestIntegerGraph(t *testing.T) {
	// Each value has at most one ReLU, as a part of its node where nothing else reads it, and only operations without a form stay in floating point.
	torchtest.Scope(t)
	for _, k := range genotype.Published {
		g := integerGraph(t, k.Genotype)
		read, relus := map[string]int{}, map[string]int{}
		for i := range g.Nodes {
			n := &g.Nodes[i]
			for _, x := range n.Inputs {
				read[x]++
				if n.Op == onnx.ReLUOp {
					relus[x]++
				}
			}
		}
		for x, n := range relus {
			if n > 1 || read[x] == n {
				t.Errorf("%s: %s has %d readers, %d of them ReLUs", k.Name, x, read[x], n)
			}
		}
		if all := g.Floating(); len(all) > 0 && !strings.Contains(k.Genotype.String(), "none") {
			t.Errorf("%s: in floating point stay %v", k.Name, all)
		}
		groups := map[int]bool{}
		for _, v := range g.Values {
			groups[v.Group] = true
		}
		if len(groups) != g.Groups {
			t.Errorf("%s: %d groups, said are %d", k.Name, len(groups), g.Groups)
		}
	}
	if got := integerGraph(t, everywhere(genotype.None)).Floating(); !maps.Equal(got, map[string]int{"Mul": 12}) {
		t.Errorf("of none stay %v", got)
	}
}

func TestIntegerGroups(t *testing.T) {
	// What moves keeps its scale, the nodes of a cell share one with the output where all are results of ReLUs, and signed values of two nodes have two.
	torchtest.Scope(t)
	g := integerGraph(t, everywhere(genotype.MaxPool3x3))
	of := map[string]onnx.Value{}
	for _, v := range g.Values {
		of[v.Name] = v
	}
	for i := range g.Nodes {
		n := &g.Nodes[i]
		if n.Kind == onnx.Moving && of[n.Inputs[0]].Group != of[n.Output].Group {
			t.Errorf("%s is in another group than what it moves", n.Output)
		}
	}
	g = integerGraph(t, everywhere(genotype.SepConv3x3))
	of = map[string]onnx.Value{}
	for _, v := range g.Values {
		of[v.Name] = v
	}
	if v := of["cells.0"]; !v.Positive || v.Group != of["cells.0.state_2"].Group || v.Group != of["cells.0.state_3"].Group {
		t.Errorf("the output of the first cell is %+v, its nodes %+v and %+v", v, of["cells.0.state_2"], of["cells.0.state_3"])
	}
	if a, b := of["cells.0._ops.0.op.1"], of["cells.0._ops.1.op.1"]; a.Positive || a.Group == b.Group {
		t.Errorf("two depthwise convolutions are %+v and %+v", a, b)
	}
}

func TestEncodeErrors(t *testing.T) {
	// A file lacks nothing: scales and weights that are missing are errors.
	torchtest.Scope(t)
	g := integerGraph(t, everywhere(genotype.SepConv3x3))
	if _, err := g.Encode(onnx.Quantisation{}, onnx.Options{}); err == nil || !strings.HasPrefix(err.Error(), "onnx: 0 scales for ") {
		t.Errorf("got %v", err)
	}
	q := onnx.Quantisation{Groups: slices.Repeat([]onnx.Scale{{Scale: 1}}, g.Groups)}
	if _, err := g.Encode(q, onnx.Options{}); err == nil || err.Error() != `onnx: no integers of "stem.0.weight"` {
		t.Errorf("got %v", err)
	}
}
