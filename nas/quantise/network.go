// Package quantise computes trained networks in integers of 8 bits.
//
// A tensor x is kept as integers q that stand for scale·(q − zero): the results of nodes as uint8, with one
// scale and zero point for a group of tensors, weights as int8 with a scale for each output channel and zero
// point 0, biases as int32. Batch norms are joined with the convolutions before them. A node adds products of
// integers exactly and rounds once, to the nearest integer, halves to the even one:
//
//	q_y = clamp(round((Σ (q_x − z_x)·q_w + q_b) · s_x·s_w/s_y) + z_y, 0, 255)
//
// as programs that run the network in ONNX do. Here tensors hold q − zero in floating-point numbers, which are
// exact up to 2²⁴; rounding passes gradients on, unless it clamps, so that the same function trains
// (Jacob et al., arXiv 1712.05877).
package quantise

import (
	"fmt"
	"math"

	"godarts/nas/onnx"
	"godarts/torch"
	"godarts/torch/nn"
)

// Largest integers of weights.
const (
	Full    = 127 // of 8 bits
	Reduced = 64  // two products with uint8 fit into int16, as processors without VNNI add them
)

// Network classifies images in integers. Its floating-point weights are what training moves; the integers are
// made of them.
type Network struct {
	graph     *onnx.Graph
	most      int // of the integers of weights
	smoothing float64
	weights   *nn.Weights
	layers    map[string]*layer        // by the names of their weights
	constants map[string]*nn.Parameter // of nodes in floating-point numbers
	scales    *nn.Parameter            // [groups]
	zeros     *nn.Parameter            // [groups]
	groups    map[string]int           // of values
	lastRead  map[string]int           // the node that reads a value last
	classes   int
	o         torch.Options
}

var _ nn.Module = (*Network)(nil)

// layer is a convolution or the classifier.
type layer struct {
	name         string // of the weight
	weight, bias *nn.Parameter
	scale        torch.Tensor // [O], of integers from a file; the zero Tensor where the weights decide
}

// Options say how a network is made.
type Options struct {
	Most           int     // largest integer of weights: Full or Reduced
	LabelSmoothing float64 // in training
	torch.Options
}

// New makes the network of a graph, whose constants are the weights in floating-point numbers. Its tensors
// belong to the current scope. Calibrate or LoadStateDict gives it scales.
//
// It returns an error if a weight is not finite, or if the network has an operator that has no form here.
func New(g *onnx.Graph, o Options) (*Network, error) {
	n := &Network{
		graph: g, most: o.Most, smoothing: o.LabelSmoothing, o: o.Options, layers: map[string]*layer{}, constants: map[string]*nn.Parameter{},
		groups: map[string]int{}, lastRead: map[string]int{},
	}
	for name, t := range g.Constants {
		for _, v := range t.Floats {
			if math.IsNaN(float64(v)) || math.IsInf(float64(v), 0) {
				return nil, fmt.Errorf("quantise: %q holds %v: a network with numbers that are not finite has no integers", name, v)
			}
		}
	}
	var b nn.Builder
	tensor := func(name string) torch.Tensor {
		t := g.Constants[name]
		return torch.FromSlice(t.Floats, t.Shape...)
	}
	for i := range g.Nodes {
		k := &g.Nodes[i]
		if weights := k.Op == "Conv" || k.Op == "Gemm"; floating[k.Op] == nil || weights && k.Kind == onnx.InFloats {
			return nil, fmt.Errorf("quantise: %s is a node %s, which has no form here", k.Output, k.Op)
		}
		for at, x := range k.Inputs {
			n.lastRead[x] = i
			t, constant := g.Constants[x]
			switch {
			case !constant || t.Integers() != nil:
			case k.Kind == onnx.InIntegers && at == 1:
				l := &layer{name: x, weight: b.Root().Parameter(x, tensor(x))}
				if len(k.Inputs) > 2 {
					l.bias = b.Root().Parameter(k.Inputs[2], tensor(k.Inputs[2]))
				}
				n.layers[x], n.classes = l, t.Shape[0] // the classifier is the last
			case k.Kind == onnx.InFloats && n.constants[x] == nil:
				n.constants[x] = b.Root().Buffer(x, tensor(x))
			}
		}
	}
	n.scales = b.Root().Buffer(scaleName, torch.Zeros([]int{g.Groups}, torch.Options{}))
	n.zeros = b.Root().Buffer(zeroName, torch.Zeros([]int{g.Groups}, torch.Options{}))
	n.weights = b.Build(o.Options)
	for _, v := range g.Values {
		n.groups[v.Name] = v.Group
	}
	return n, nil
}

// Names in a state dict: of scales and zero points by group, and endings of a layer's.
const (
	scaleName   = "groups.scale"
	zeroName    = "groups.zero_point"
	scaleEnding = "_scale" // after the name of the weight
)

// Weights returns the storage of the floating-point weights and, as statistics, of scales and zero points.
func (n *Network) Weights() *nn.Weights { return n.weights }

// ParameterCount counts the weights; there is no auxiliary head.
func (n *Network) ParameterCount() (network, auxiliary int) { return n.weights.Count(""), 0 }

// Forward classifies the images b.X [N,C,H,W], normalised. The loss is the cross entropy, in training of
// labels smoothed by Options.LabelSmoothing.
func (n *Network) Forward(b nn.Batch, m nn.Mode) (out nn.Output) {
	torch.Scoped(func() {
		var logits torch.Tensor
		if m.Training || torch.GradEnabled() {
			logits = n.pass(b.X, n.readScales(), nil)
		} else {
			logits = n.Logits(b.X)
		}
		var o torch.CrossEntropyOptions
		if m.Training {
			o.LabelSmoothing = n.smoothing
		}
		out = nn.Output{Loss: torch.Keep(torch.CrossEntropy(logits, b.Y, o)), Logits: torch.Keep(logits)}
	})
	return out
}

// Logits classifies normalised images x [N,C,H,W] and returns [N,classes]. The result of an image depends on
// no other.
func (n *Network) Logits(x torch.Tensor) torch.Tensor { return n.shared(x, n.readScales()) }

// shared is Logits with these scales, nil for a pass in floating-point numbers. It shares the images out to ranks.
func (n *Network) shared(x torch.Tensor, scales []onnx.Scale) torch.Tensor {
	logits := torch.Empty([]int{x.Size(0), n.classes}, n.o)
	torch.NoGrad(func() {
		torch.Parallel(torch.RanksFor(x.Size(0), x.Device()), func(r *torch.Rank) {
			torch.Inference(func() {
				first, count := r.Share(x.Size(0))
				logits.Narrow(0, first, count).Copy_(n.pass(x.Narrow(0, first, count), scales, nil))
			})
		})
	})
	return logits
}

// Calibrated reports whether the network has scales.
func (n *Network) Calibrated() bool { return n.scales.Amin(nil, false).Item() > 0 }

// readScales returns the scales of the groups.
func (n *Network) readScales() []onnx.Scale {
	all := make([]onnx.Scale, n.graph.Groups)
	scales, zeros := n.scales.Float32s(), n.zeros.Float32s()
	for i := range all {
		all[i] = onnx.Scale{Scale: scales[i], Zero: uint8(zeros[i])}
	}
	return all
}

// setScales replaces the scales of the groups.
func (n *Network) setScales(all []onnx.Scale) {
	var scales, zeros []float32
	for _, s := range all {
		scales, zeros = append(scales, s.Scale), append(zeros, float32(s.Zero))
	}
	torch.NoGrad(func() {
		n.scales.Copy_(torch.FromSlice(scales, len(all)))
		n.zeros.Copy_(torch.FromSlice(zeros, len(all)))
	})
}

// integers returns the weight of a layer as integers, and their scale for each output channel.
func (n *Network) integers(l *layer) (q, scale torch.Tensor) {
	w := l.weight.Tensor
	each := make([]int, w.Dim())
	for i := range each {
		each[i] = 1
	}
	each[0] = w.Size(0)
	scale = l.scale
	if !scale.Defined() {
		others := make([]int, 0, w.Dim())
		for d := 1; d < w.Dim(); d++ {
			others = append(others, d)
		}
		scale = w.Detach().Abs().Amax(others, false).DivScalar(float64(n.most)) // [O]
		scale = scale.MaskedFill(scale.Eq(torch.ZerosLike(scale)), 1)
	}
	return round(w.Div(scale.View(each...)), -n.most, n.most), scale
}

// integerBias returns the bias of a layer as integers for inputs of this scale, the zero Tensor if there is none.
func (l *layer) integerBias(scale torch.Tensor, input float32) torch.Tensor {
	if l.bias == nil {
		return torch.Tensor{}
	}
	return round(l.bias.Tensor.Div(scale.MulScalar(float64(input))), math.MinInt32, math.MaxInt32)
}

// round rounds to integers from low to high. Gradients pass on where it does not clamp.
func round(x torch.Tensor, low, high int) torch.Tensor {
	if !torch.GradEnabled() { // the same numbers, by loops over vectors
		return torch.Call("aten::round", x.Clamp(float64(low), float64(high)))[0]
	}
	return torch.Call("aten::fake_quantize_per_tensor_affine", x, 1.0, 0, low, high)[0]
}
