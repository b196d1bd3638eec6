package onnx

import (
	"math/rand/v2"
	"slices"
	"testing"

	"godarts/cells/genotype"
)

// zeros returns a state dict of zeros for an image network, by its sizes.
func zeros(n ImageNetwork, stem int) Weights {
	w := Weights{}
	add := func(name string, shape ...int) {
		w[name] = Tensor{Shape: shape, Floats: make([]float32, numel(shape))}
	}
	norm := func(name string, c int) {
		for _, of := range normTensors {
			add(name+"."+of, c)
		}
	}
	last := stem
	if n.ImageNet {
		last = n.Channels
		add("stem0.0.weight", n.Channels/2, n.InputChannels, 3, 3)
		norm("stem0.1", n.Channels/2)
		add("stem0.3.weight", n.Channels, n.Channels/2, 3, 3)
		norm("stem0.4", n.Channels)
		add("stem1.1.weight", n.Channels, n.Channels, 3, 3)
		norm("stem1.2", n.Channels)
	} else {
		add("stem.0.weight", stem, n.InputChannels, 3, 3)
		norm("stem.1", stem)
	}
	before, reducedBefore, c := last, n.ImageNet, n.Channels
	reduce := func(at string, in, c int) {
		add(at+".conv_1.weight", c/2, in, 1, 1)
		add(at+".conv_2.weight", c/2, in, 1, 1)
		norm(at+".bn", c)
	}
	for layer := range n.Layers {
		kind := genotype.KindOfLayer(layer, n.Layers)
		if kind == genotype.Reduce {
			c *= 2
		}
		at := Scope{}.At("cells").Index(layer)
		pointwise := func(at string, in int) {
			add(at+".op.1.weight", c, in, 1, 1)
			norm(at+".op.2", c)
		}
		if reducedBefore {
			reduce(at.name("preprocess0"), before, c)
		} else {
			pointwise(at.name("preprocess0"), before)
		}
		pointwise(at.name("preprocess1"), last)
		cell := n.Genotype.Cell(kind)
		for i, e := range cell.Edges {
			at := at.At("_ops").Index(i)
			separable := func(first, kernel int) {
				add(at.At("op").Index(first+1).name("weight"), c, 1, kernel, kernel)
				add(at.At("op").Index(first+2).name("weight"), c, c, 1, 1)
				norm(at.At("op").Index(first+3).place, c)
			}
			kernels := map[genotype.Op]int{
				genotype.SepConv3x3: 3, genotype.SepConv5x5: 5, genotype.SepConv7x7: 7, genotype.DilConv3x3: 3, genotype.DilConv5x5: 5,
			}
			switch kernel := kernels[e.Op]; {
			case kernel > 0:
				separable(0, kernel)
				separable(4, kernel)
			case e.Op == genotype.SkipConnect:
				reduce(at.place, c, c)
			case e.Op == genotype.Conv7x1_1x7:
				add(at.Index(1).name("weight"), c, c, 1, 7)
				add(at.Index(2).name("weight"), c, c, 7, 1)
				norm(at.Index(3).place, c)
			}
		}
		before, last = last, len(cell.Concat)*c
		reducedBefore = kind == genotype.Reduce
	}
	add("classifier.weight", n.Classes, last)
	add("classifier.bias", n.Classes)
	return w
}

// cellOf draws a cell.
func cellOf(r *rand.Rand, kind genotype.Kind, ops []genotype.Op, first int) (c genotype.Cell) {
	nodes := 1 + r.IntN(5)
	for i := range nodes * kind.EdgesPerNode() {
		c.Edges = append(c.Edges, genotype.Edge{Op: ops[r.IntN(len(ops))], From: r.IntN(kind.Inputs() + i/kind.EdgesPerNode())})
	}
	for s := first; s < kind.Inputs()+nodes; s++ {
		if r.IntN(2) == 0 || s == kind.Inputs()+nodes-1 {
			c.Concat = append(c.Concat, s)
		}
	}
	return c
}

func FuzzGenotypes(f *testing.F) {
	// Every valid genotype exports, and its file passes the check of names, order and shapes, whatever the sizes.
	for seed := range uint64(24) {
		f.Add(seed, seed%8)
	}
	f.Fuzz(func(t *testing.T, seed, form uint64) {
		r := rand.New(rand.NewPCG(seed, 1))
		o := Options{Fold: form&1 != 0, Softmax: form&4 != 0}
		n := ImageNetwork{
			Genotype: genotype.Genotype{
				Normal: cellOf(r, genotype.Normal, genotype.ConvolutionalOps, 0), Reduce: cellOf(r, genotype.Reduce, genotype.ConvolutionalOps, 2),
			},
			Channels: 2 + 2*r.IntN(3), Layers: 3 + r.IntN(4), Classes: 2 + r.IntN(3), InputChannels: 1 + r.IntN(3), Size: 16, ImageNet: form&2 != 0,
		}
		if n.ImageNet {
			n.Size = 224
		}
		n.Mean, n.Std = make([]float32, n.InputChannels), make([]float32, n.InputChannels)
		m, err := n.model(zeros(n, 3*n.Channels), o, false)
		if err != nil {
			t.Fatalf("%v: %v", n.Genotype, err)
		}
		checkEnd(t, m)
		language := LanguageModel{
			Genotype: genotype.Genotype{Recurrent: cellOf(r, genotype.Recurrent, genotype.RecurrentPrimitives[1:], 0)},
			Units:    1 + r.IntN(5), Tokens: 2 + r.IntN(9),
		}
		w := Weights{}
		for name, shape := range map[string][]int{
			"encoder.weight": {language.Tokens, language.Units}, "decoder.bias": {language.Tokens}, "rnns.0._W0": {2 * language.Units, 2 * language.Units},
		} {
			w[name] = Tensor{Shape: shape, Floats: make([]float32, numel(shape))}
		}
		for i := range language.Genotype.Recurrent.Edges {
			w[Scope{}.At("rnns.0._Ws").Index(i).place] = Tensor{Shape: []int{language.Units, 2 * language.Units}, Floats: make([]float32, 2*language.Units*language.Units)}
		}
		if m, err = language.model(w, o); err != nil {
			t.Fatalf("%v: %v", language.Genotype, err)
		}
		checkEnd(t, m)
	})
}

// checkEnd checks that a file can be written, twice with equal bytes.
func checkEnd(t *testing.T, m *model) {
	t.Helper()
	a, err := m.encode()
	if err != nil {
		t.Fatal(err)
	}
	if b, err := m.encode(); err != nil || !slices.Equal(a, b) {
		t.Fatalf("two files of one model differ, %v", err)
	}
}

func TestCheckRefuses(t *testing.T) {
	// A graph that reads what is not there, gives a name twice or joins shapes that do not fit is refused with the node's name.
	x := port{"x", "", float32Element, dims(2, 3)}
	for want, g := range map[string]*graph{
		`node a (Relu): nothing gives its input "y"`: {inputs: []port{x}, nodes: []node{{name: "a", op: "Relu", inputs: []string{"y"}, outputs: []string{"a"}}}},
		`node a (Relu): the name "x" is given twice, or empty`: {
			inputs: []port{x}, nodes: []node{{name: "a", op: "Relu", inputs: []string{"x"}, outputs: []string{"x"}}}},
		`nothing gives the output "z"`: {inputs: []port{x}, outputs: []port{{"z", "", float32Element, nil}}},
		`the output "x" has shape [{ 2} { 3}], not [{ 3} { 2}]`: {
			inputs: []port{x}, outputs: []port{{"x", "", float32Element, dims(3, 2)}}},
		`"w" has 1 elements and shape [2]`: {initializers: []Tensor{{Name: "w", Shape: []int{2}, Floats: []float32{1}}}},
		`node a (Add): shapes [{ 2} { 3}] and [{ 2}]`: {inputs: []port{x, {"v", "", float32Element, dims(2)}},
			nodes: []node{{name: "a", op: "Add", inputs: []string{"x", "v"}, outputs: []string{"a"}}}},
		`node a (Split): 1 inputs, cut into 2 parts`: {inputs: []port{x}, nodes: []node{
			{name: "a", op: "Split", inputs: []string{"x"}, outputs: []string{"a", "b"}, attributes: []Attribute{Int("axis", 1)}}}},
		`node a (Conv): the input is no image`: {inputs: []port{x}, nodes: []node{{name: "a", op: "Conv", inputs: []string{"x"}, outputs: []string{"a"}}}},
	} {
		if err := g.check(); err == nil || err.Error() != want {
			t.Errorf("got  %v\nwant %s", err, want)
		}
	}
}

func TestTooLarge(t *testing.T) {
	// More weights than one message holds are an error that says both sizes.
	want := "the network takes 2147483652 bytes, an ONNX file holds at most 2147483647"
	if err := checkSize(1<<29 + 1); err == nil || err.Error() != want {
		t.Errorf("got %v, want %s", err, want)
	}
	if err := checkSize(1<<29 - 1); err != nil {
		t.Error(err)
	}
}
