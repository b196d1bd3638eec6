package onnx

import (
	"fmt"
	"strings"

	"godarts/cells/genotype"
	"godarts/nas/finite"
)

// ImageNetwork describes a network that classifies images: fields of model.Description.
type ImageNetwork struct {
	Genotype      genotype.Genotype
	Channels      int // of the first cell
	Layers        int
	Classes       int
	InputChannels int
	Size          int // side of the images in pixels
	ImageNet      bool
	Mean, Std     []float32 // by channel, of pixels from 0 to 1
	ClassNames    []string
}

// Images returns the ONNX file of a network with these weights. The network takes images [batch,
// InputChannels, Size, Size] of any batch, with pixels from 0 to 1 in the order red, green, blue, and
// normalises them itself. Metadata name the classes, as a JSON list "class_names". Weights of an auxiliary
// head are left out.
//
// It returns an error if a weight is missing or does not fit, or if the cells have an operation that has no
// nodes in ONNX.
func Images(n ImageNetwork, w Weights, o Options) ([]byte, error) {
	m, err := n.model(w, o, false)
	if err != nil {
		return nil, fmt.Errorf("onnx: %w", err)
	}
	file, err := m.encode()
	if err != nil {
		return nil, fmt.Errorf("onnx: %w", err)
	}
	return file, nil
}

// model builds and checks the graph. With folded the weights are those of a graph with folded batch norms.
func (n ImageNetwork) model(w Weights, o Options, folded bool) (*model, error) {
	if err := n.Genotype.Check(); err != nil {
		return nil, fmt.Errorf("genotype: %w", err)
	}
	if n.Genotype.IsRecurrent() || n.Layers < 1 || len(n.Mean) != n.InputChannels || len(n.Std) != n.InputChannels {
		return nil, fmt.Errorf("no network of images has %d layers, %d means and %d deviations of %d channels", n.Layers, len(n.Mean), len(n.Std), n.InputChannels)
	}
	b, root := newBuilder("network", w, o)
	b.folded = folded
	b.model.inputs = []port{n.input()}
	last := n.cells(root, n.stems(root, n.normalised(root)))
	pooled := root.At("global_pooling")
	if n.ImageNet {
		last = pooled.Node("AveragePool", []string{last}, Ints("kernel_shape", 7, 7), Ints("strides", 7, 7))
	} else {
		last = pooled.Node("GlobalAveragePool", []string{last})
	}
	flat := root.At("flat").Node("Flatten", []string{last}, Int("axis", 1))
	classifier := root.At("classifier")
	logits := root.At(LogitsOutput).Node("Gemm", []string{flat, classifier.Weight("weight"), classifier.Weight("bias")}, Int("transB", 1))
	b.model.outputs = []port{root.output(logits, o, []dim{{name: batch}, {size: n.Classes}})}
	if b.err != nil {
		return nil, b.err
	}
	return n.finish(b.model)
}

// batch is the name of the number of images.
const batch = "batch"

// input returns the input of the network.
func (n ImageNetwork) input() port {
	return port{ImagesInput, "images with pixels from 0 to 1, rows from the top", float32Element,
		append([]dim{{name: batch}}, dims(n.InputChannels, n.Size, n.Size)...)}
}

// finish checks the graph of the network and describes it.
func (n ImageNetwork) finish(g *graph) (*model, error) {
	metadata, err := n.metadata()
	if err == nil {
		err = g.check()
	}
	return &model{graph: g, metadata: metadata, doc: fmt.Sprintf("classifies images of %dx%d into %d classes", n.Size, n.Size, n.Classes)}, err
}

// output returns the output for logits: itself, or its softmax over the last dimension.
func (s Scope) output(logits string, o Options, shape []dim) port {
	if o.Softmax {
		logits = s.At(ProbabilitiesOutput).Node("Softmax", []string{logits}, Int("axis", -1))
	}
	return port{name: logits, element: float32Element, shape: shape}
}

// finish checks the graph and adds the shapes of all results to it.
func (b *builder) finish() error {
	if b.err != nil {
		return b.err
	}
	return b.model.check()
}

// normalisedValue is the name of the normalised images.
const normalisedValue = "normalised"

// normalised adds (images − mean)/std.
func (n ImageNetwork) normalised(root Scope) string {
	s := root.At(normalisedValue)
	by := func(name string, values []float32) string {
		return s.b.constant(Tensor{Name: s.name(name), Shape: []int{1, n.InputChannels, 1, 1}, Floats: values})
	}
	centred := s.At("centred").Node("Sub", []string{ImagesInput, by("mean", n.Mean)})
	return s.Node("Div", []string{centred, by("std", n.Std)})
}

// stems adds what comes before the cells and returns the two inputs of the first cell.
func (n ImageNetwork) stems(root Scope, x string) [2]string {
	if !n.ImageNet {
		stem := root.At("stem")
		x = stem.Index(0).ConvNorm(x, Square(1, 1, 1, 1), stem.Index(1))
		return [2]string{x, x}
	}
	halve := Square(2, 1, 1, 1)
	stem0, stem1 := root.At("stem0"), root.At("stem1")
	x = stem0.Index(0).ConvNorm(x, halve, stem0.Index(1))
	x = stem0.Index(3).ConvNorm(stem0.Index(2).ReLU(x), halve, stem0.Index(4))
	return [2]string{x, stem1.Index(1).ConvNorm(stem1.Index(0).ReLU(x), halve, stem1.Index(2))}
}

// cells adds the cells and returns the result of the last.
func (n ImageNetwork) cells(root Scope, inputs [2]string) string {
	c, reducedBefore := n.Channels, n.ImageNet
	for layer := range n.Layers {
		kind := genotype.KindOfLayer(layer, n.Layers)
		if kind == genotype.Reduce {
			c *= 2
		}
		place := root.At("cells").Index(layer)
		inputs = [2]string{inputs[1], place.cell(*n.Genotype.Cell(kind), kind, inputs, c, reducedBefore)}
		reducedBefore = kind == genotype.Reduce
	}
	return inputs[1]
}

// cell adds a cell on the results of the two before it.
func (s Scope) cell(g genotype.Cell, kind genotype.Kind, inputs [2]string, c int, reducedBefore bool) string {
	first := s.At("preprocess0")
	var states []string
	if reducedBefore {
		states = append(states, first.factorizedReduce(inputs[0]))
	} else {
		states = append(states, first.reluConvNorm(inputs[0]))
	}
	states = append(states, s.At("preprocess1").reluConvNorm(inputs[1]))
	edge := func(i int) string {
		e := g.Edges[i]
		return s.At("_ops").Index(i).operation(e.Op, states[e.From], c, kind.Stride(e.From))
	}
	for i := 0; i < len(g.Edges); i += 2 {
		a, b := edge(i), edge(i+1)
		states = append(states, s.At(fmt.Sprintf("state_%d", len(states))).Node("Add", []string{a, b}))
	}
	var joined []string
	for _, state := range g.Concat {
		joined = append(joined, states[state])
	}
	return s.Node("Concat", joined, Int("axis", 1))
}

// metadata describes the network for programs that run it.
func (n ImageNetwork) metadata() ([]property, error) {
	names, err := finite.Marshal(n.ClassNames)
	if err != nil {
		return nil, err
	}
	return []property{
		{"class_names", string(names)},
		{"genotype", n.Genotype.String()},
		{"input", fmt.Sprintf("float32 [batch, %d, %d, %d], %s, from 0 to 1; the network normalises them", n.InputChannels, n.Size, n.Size, colours(n.InputChannels))},
		{"mean", list(n.Mean)},
		{"std", list(n.Std)},
	}, nil
}

func colours(channels int) string {
	switch channels {
	case 1:
		return "grey"
	case 3:
		return "red, green and blue"
	}
	return "channels"
}

// list writes numbers as a JSON list.
func list(values []float32) string {
	return strings.ReplaceAll(fmt.Sprint(values), " ", ", ")
}
