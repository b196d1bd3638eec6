package cells

import (
	"fmt"

	"godarts/torch"
	"godarts/torch/nn"
)

// NetworkOptions are the sizes of an evaluation network for small images. The
// paper's, for CIFAR-10: 36 channels, 20 layers, stem multiplier 3, auxiliary
// weight 0.4.
type NetworkOptions struct {
	Channels        int // of the first cell, even; doubled by each reduction
	Layers          int // cells, at least 3; those at Layers/3 and 2·Layers/3 reduce
	Classes         int
	InputChannels   int     // of the images
	Size            int     // height and width of the images, in pixels
	StemMultiplier  int     // the stem has StemMultiplier·Channels channels
	Auxiliary       bool    // a second classifier on the second reduction's output, in training alone
	AuxiliaryWeight float64 // of the second classifier in the loss
	LabelSmoothing  float64 // part of each label spread over all classes, in training alone
	torch.Options           // type and device
}

// Network is a stack of derived cells that classifies images: what the paper
// trains from scratch to judge a genotype. Reference cnn/model.py NetworkCIFAR.
type Network struct {
	weights         *nn.Weights
	auxiliaryWeight float64
	labelSmoothing  float64

	stem       nn.Sequential
	cells      []*networkCell
	auxiliary  *auxiliaryHead // nil if there is none
	classifier *nn.Linear
}

var _ nn.Module = (*Network)(nil)

// NewNetwork makes the network of g with fresh weights, drawn from the default
// generator in the reference's order. Its tensors belong to the present scope.
//
// It returns an error if g is not valid or recurrent, and for sizes that give no
// network.
func NewNetwork(g Genotype, o NetworkOptions) (*Network, error) {
	if err := o.validate(g); err != nil {
		return nil, fmt.Errorf("cells: network: %w", err)
	}
	var b nn.Builder
	root := b.Root()
	n := &Network{auxiliaryWeight: o.AuxiliaryWeight, labelSmoothing: o.LabelSmoothing}

	c := o.StemMultiplier * o.Channels
	n.stem = nn.Sequential{
		nn.NewConv2d(root.At("stem").Index(0), o.InputChannels, c, [2]int{3, 3}, torch.Conv2dOptions{Padding: 1}),
		nn.NewBatchNorm2d(root.At("stem").Index(1), c, true),
	}
	before, last := c, c // channels of the two inputs of a cell
	reducedBefore := false
	auxiliaryChannels := 0
	c = o.Channels
	for layer := range o.Layers {
		cell := g.Normal
		reduce := reduces(layer, o.Layers)
		if reduce {
			cell = g.Reduce
			c *= 2
		}
		n.cells = append(n.cells, newNetworkCell(root.At("cells").Index(layer), cell, networkCellOptions{
			before: before, last: last, channels: c, reduce: reduce, reducedBefore: reducedBefore,
		}))
		reducedBefore = reduce
		before, last = last, len(cell.Concat)*c
		if layer == auxiliaryLayer(o.Layers) {
			auxiliaryChannels = last
		}
	}
	if o.Auxiliary {
		n.auxiliary = newAuxiliaryHead(root.At("auxiliary_head"), auxiliaryChannels, o.Classes)
	}
	n.classifier = nn.NewLinear(root.At("classifier"), last, o.Classes)
	n.weights = b.Build(o.Options)
	return n, nil
}

// reduces tells whether the cell at that layer is a reduction cell.
func reduces(layer, layers int) bool { return layer == layers/3 || layer == auxiliaryLayer(layers) }

// auxiliaryLayer is that of the second reduction cell, whose output the
// auxiliary head takes.
func auxiliaryLayer(layers int) int { return 2 * layers / 3 }

func (o NetworkOptions) validate(g Genotype) error {
	if err := g.check(); err != nil {
		return fmt.Errorf("genotype: %w", err)
	}
	if g.IsRecurrent() {
		return fmt.Errorf("the genotype is of a recurrent cell, want a normal and a reduction cell")
	}
	for _, size := range []struct {
		name     string
		got, min int
	}{
		{"channels", o.Channels, 2}, {"layers", o.Layers, 3}, {"classes", o.Classes, 2},
		{"input channels", o.InputChannels, 1}, {"pixels a side", o.Size, 1}, {"as stem multiplier", o.StemMultiplier, 1},
	} {
		if size.got < size.min {
			return fmt.Errorf("%d %s, want at least %d", size.got, size.name, size.min)
		}
	}
	if o.Channels%2 != 0 {
		return fmt.Errorf("%d channels, want an even number (nearest: %d)", o.Channels, o.Channels+1)
	}
	return o.validateSize(g)
}

// validateSize follows the images through both reductions. A factorized
// reduction needs an even size: one is in the cell after each reduction cell, and
// on skip connections from a reduction cell's inputs. The other operations of
// stride 2 round up.
func (o NetworkOptions) validateSize(g Genotype) error {
	skips := false
	for _, e := range g.Reduce.Edges {
		skips = skips || e.Op == SkipConnect && e.From < 2
	}
	size := o.Size
	for layer := range o.Layers {
		if !reduces(layer, o.Layers) {
			continue
		}
		if factorized := skips || layer+1 < o.Layers; factorized && size%2 != 0 {
			return fmt.Errorf("images of %dx%d reach the reduction in cell %d as %dx%d, want an even size there",
				o.Size, o.Size, layer, size, size)
		}
		size = (size + 1) / 2
	}
	if o.Auxiliary && (size < auxiliaryMinSize || size > auxiliaryMaxSize) {
		return fmt.Errorf("images of %dx%d reach the auxiliary head as %dx%d, want %d to %d pixels there: images of 32x32, or no auxiliary head",
			o.Size, o.Size, size, size, auxiliaryMinSize, auxiliaryMaxSize)
	}
	return nil
}

// Forward classifies the images b.X [N,InputChannels,Size,Size]. In training the
// loss is that of both classifiers,
//
//	Loss = CE(logits, b.Y) + AuxiliaryWeight·CE(auxiliary logits, b.Y)
//
// with labels smoothed by LabelSmoothing, otherwise the first term, with plain
// labels; Logits [N,Classes] are the main classifier's. Both
// belong to the caller's scope. It is fastest on images that lie channels last.
func (n *Network) Forward(b nn.Batch, m nn.Mode) (out nn.Output) {
	torch.Scoped(func() {
		logits, auxiliary := n.logits(b.X, m)
		var o torch.CrossEntropyOptions
		if m.Training {
			o.LabelSmoothing = n.labelSmoothing
		}
		loss := torch.CrossEntropy(logits, b.Y, o)
		if auxiliary.Defined() {
			loss = loss.AddScaled(torch.CrossEntropy(auxiliary, b.Y, o), n.auxiliaryWeight)
		}
		out = nn.Output{Loss: torch.Keep(loss), Logits: torch.Keep(logits)}
	})
	return out
}

// logits are those of the main classifier and, in training, of the auxiliary
// head: the zero Tensor if there is none.
func (n *Network) logits(x torch.Tensor, m nn.Mode) (logits, auxiliary torch.Tensor) {
	s0 := n.stem.Forward(x, m)
	s1 := s0
	for layer, cell := range n.cells {
		next := cell.forward(s0, s1, m)
		if s0 != s1 {
			s0.Free() // no later cell looks at it: without a graph its memory is free at once
		}
		s0, s1 = s1, next
		if layer == auxiliaryLayer(len(n.cells)) && n.auxiliary != nil && m.Training {
			auxiliary = n.auxiliary.forward(s1, m)
		}
	}
	pooled := torch.AdaptiveAvgPool2d(s1, 1, 1).Reshape(x.Size(0), -1) // [N, concat·C]
	return n.classifier.Forward(pooled, m), auxiliary
}

// Weights is the storage of the network's parameters and running statistics.
func (n *Network) Weights() *nn.Weights { return n.weights }

// StateDict implements nn.Module.
func (n *Network) StateDict() torch.StateDict { return n.weights.StateDict() }

// LoadStateDict implements nn.Module.
func (n *Network) LoadStateDict(sd torch.StateDict) error { return n.weights.LoadStateDict(sd) }

// ParameterCount is the number of weights without the auxiliary head, which is
// what papers report, and of the auxiliary head. Reference cnn/utils.py
// count_parameters_in_MB.
func (n *Network) ParameterCount() (network, auxiliary int) {
	network = n.weights.Count("auxiliary")
	return network, n.weights.Count("") - network
}

// networkCell is a derived cell. Reference cnn/model.py Cell.
type networkCell struct {
	preprocess0, preprocess1 nn.Layer
	edges                    []networkEdge // node i is the sum of 2i and 2i+1
	concat                   []int         // the states that make the output
}

type networkCellOptions struct {
	before, last  int // channels of the outputs of the last but one and the last cell
	channels      int
	reduce        bool
	reducedBefore bool // the last cell halved the image: the last but one's output is twice as large
}

func newNetworkCell(p nn.Path, g Cell, o networkCellOptions) *networkCell {
	c := &networkCell{concat: g.Concat}
	if o.reducedBefore {
		c.preprocess0 = FactorizedReduce(p.At("preprocess0"), o.before, o.channels, true)
	} else {
		c.preprocess0 = ReLUConvBN(p.At("preprocess0"), o.before, o.channels, true)
	}
	c.preprocess1 = ReLUConvBN(p.At("preprocess1"), o.last, o.channels, true)
	for i, e := range g.Edges {
		stride := 1
		if o.reduce && e.From < 2 {
			stride = 2
		}
		c.edges = append(c.edges, networkEdge{Operation(p.At("_ops").Index(i), e.Op, o.channels, stride, true), e.From})
	}
	return c
}

// forward maps the outputs of the two cells before to the cell's own,
// [N, concat·C, H', W'].
func (c *networkCell) forward(s0, s1 torch.Tensor, m nn.Mode) (out torch.Tensor) {
	torch.Scoped(func() {
		states := []torch.Tensor{c.preprocess0.Forward(s0, m), c.preprocess1.Forward(s1, m)}
		for i := 0; i < len(c.edges); i += 2 {
			torch.Scoped(func() {
				node := c.edges[i].forward(states, m).Add(c.edges[i+1].forward(states, m))
				states = append(states, torch.Keep(node))
			})
		}
		var joined []torch.Tensor
		for _, state := range c.concat {
			joined = append(joined, states[state])
		}
		out = torch.Keep(torch.Cat(joined, 1))
	})
	return out
}

// networkEdge is an operation on an earlier state.
type networkEdge struct {
	op   nn.Layer
	from int
}

// forward drops the operation's result for some images in training, unless it is
// the identity: a path of identities stays open for every image. Skip connections
// of stride 2 are no identity, and poolings are dropped as well.
func (e networkEdge) forward(states []torch.Tensor, m nn.Mode) torch.Tensor {
	y := e.op.Forward(states[e.from], m)
	if _, identity := e.op.(Identity); identity || !m.Training {
		return y
	}
	return DropPath(y, m.DropPath)
}

// auxiliaryHead is a second classifier, on the output of the second reduction
// cell. Reference cnn/model.py AuxiliaryHeadCIFAR.
type auxiliaryHead struct {
	features   nn.Sequential
	classifier *nn.Linear
}

// The images that the pooling (5, stride 3) and the 2x2 convolution of an
// auxiliary head make 1x1, in pixels a side.
const (
	auxiliaryMinSize = 8
	auxiliaryMaxSize = 10
)

func newAuxiliaryHead(p nn.Path, channels, classes int) *auxiliaryHead {
	features := p.At("features")
	return &auxiliaryHead{
		features: nn.Sequential{
			nn.Func(torch.Tensor.ReLU_), // changes the cell's output too: see forward
			nn.Func(func(x torch.Tensor) torch.Tensor {
				return torch.AvgPool2d(x, torch.Pool2dOptions{Kernel: 5, Stride: 3, ExcludePad: true}) // [N,C,2,2]
			}),
			nn.NewPointwise(features.Index(2), channels, 128, 1),
			nn.NewBatchNorm2d(features.Index(3), 128, true),
			nn.ReLU,
			nn.NewConv2d(features.Index(5), 128, 768, [2]int{2, 2}, torch.Conv2dOptions{}), // [N,768,1,1]
			nn.NewBatchNorm2d(features.Index(6), 768, true),
			nn.ReLU,
		},
		classifier: nn.NewLinear(p.At("classifier"), 768, classes),
	}
}

// forward maps a cell's output x [N,C,8,8] to logits [N,classes]. As in the
// reference, its first ReLU is in place. Later cells do not notice: they begin
// with a ReLU of their own. In a network of three cells x is the last cell's
// output, so the main classifier pools max(x, 0) in training, but x in evaluation.
func (h *auxiliaryHead) forward(x torch.Tensor, m nn.Mode) torch.Tensor {
	y := h.features.Forward(x, m)
	return h.classifier.Forward(y.Reshape(y.Size(0), -1), m)
}
