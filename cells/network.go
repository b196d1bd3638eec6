package cells

import (
	"fmt"

	"godarts/cells/genotype"
	"godarts/torch"
	"godarts/torch/nn"
)

// Network classifies images by a stack of derived cells. The paper trains it from scratch to evaluate a genotype.
// Reference cnn/model.py NetworkCIFAR and NetworkImageNet.
type Network struct {
	weights *nn.Weights
	o       NetworkOptions

	stems      []nn.Sequential // one, or for ImageNet two: inputs of the first cell
	cells      []*networkCell
	pool       nn.Layer       // of the last cell's output, to one pixel
	auxiliary  *auxiliaryHead // nil if there is none
	classifier *nn.Linear
	paths      int // edges that drop-path can drop
}

var _ nn.Module = (*Network)(nil)

// NewNetwork makes the network of g with fresh weights, drawn from the default generator in the reference's order.
// Its tensors belong to the present scope.
//
// It returns an error if g is not valid or recurrent, and for sizes that no network has.
func NewNetwork(g genotype.Genotype, o NetworkOptions) (*Network, error) {
	if err := o.Check(g); err != nil {
		return nil, err
	}
	var b nn.Builder
	root := b.Root()
	n := &Network{o: o, pool: globalPool{}}
	w := o.widths(g)

	reducedBefore := o.ImageNet // the last input is half as large as the one before
	if o.ImageNet {
		n.stems, n.pool = imageNetStems(root, o.InputChannels, w.Stem), imageNetPool
	} else {
		c := w.Stem[0]
		n.stems = []nn.Sequential{{
			nn.NewConv2d(root.At("stem").Index(0), o.InputChannels, c, [2]int{3, 3}, torch.Conv2dOptions{Padding: 1}),
			nn.NewBatchNorm2d(root.At("stem").Index(1), c, true),
		}}
	}
	before, last := stemOutputs(w.Stem) // channels of the two inputs of a cell
	auxiliaryChannels := 0
	c := o.Channels
	for layer := range o.Layers {
		kind := genotype.KindOfLayer(layer, o.Layers)
		if kind == genotype.Reduce {
			c *= 2
		}
		cell := *g.Cell(kind)
		n.cells = append(n.cells, newNetworkCell(root.At("cells").Index(layer), cell, networkCellOptions{
			before: before, last: last, channels: c, widths: w.Cells[layer], kind: kind, reducedBefore: reducedBefore,
		}))
		reducedBefore = kind == genotype.Reduce
		before, last = last, joined(w.Cells[layer], cell)
		if layer == auxiliaryLayer(o.Layers) {
			auxiliaryChannels = last
		}
	}
	if o.Auxiliary {
		n.auxiliary = newAuxiliaryHead(root.At("auxiliary_head"), auxiliaryChannels, o.Classes, o.ImageNet)
	}
	for _, cell := range n.cells {
		for _, e := range cell.edges {
			if !e.identity() {
				n.paths++
			}
		}
	}
	n.classifier = nn.NewLinear(root.At("classifier"), last, o.Classes)
	n.weights = b.Build(o.Options)
	return n, nil
}

// Check returns the error that NewNetwork would return.
func (o NetworkOptions) Check(g genotype.Genotype) error {
	if err := o.validate(g); err != nil {
		return fmt.Errorf("cells: network: %w", err)
	}
	return nil
}

func (o NetworkOptions) validate(g genotype.Genotype) error {
	if err := g.Check(); err != nil {
		return fmt.Errorf("genotype: %w", err)
	}
	if g.IsRecurrent() {
		return fmt.Errorf("the genotype is of a recurrent cell, want a normal and a reduction cell")
	}
	type least struct {
		name     string
		got, min int
	}
	sizes := []least{
		{"channels", o.Channels, 2}, {"layers", o.Layers, 3}, {"classes", o.Classes, 2},
		{"input channels", o.InputChannels, 1}, {"pixels a side", o.Size, 1},
	}
	if !o.ImageNet {
		sizes = append(sizes, least{"as stem multiplier", o.StemMultiplier, 1})
	}
	for _, size := range sizes {
		if size.got < size.min {
			return fmt.Errorf("%d %s, want at least %d", size.got, size.name, size.min)
		}
	}
	if o.Channels%2 != 0 {
		return fmt.Errorf("%d channels, want an even number (nearest: %d)", o.Channels, o.Channels+1)
	}
	if o.Layers > MaxLayers {
		return fmt.Errorf("%d layers, want at most %d", o.Layers, MaxLayers)
	}
	if err := o.checkWidths(g); err != nil {
		return err
	}
	return o.validateSize(g)
}

// Forward classifies the images b.X [N,InputChannels,Size,Size]. In training the loss is
//
//	Loss = CE(logits, b.Y) + AuxiliaryWeight·CE(auxiliary logits, b.Y)
//
// with labels smoothed by LabelSmoothing; else it is the first term with plain labels. Logits [N,Classes] are those
// of the main classifier. Both belong to the caller's scope. Forward is fastest on images that lie channels last.
func (n *Network) Forward(b nn.Batch, m nn.Mode) (out nn.Output) {
	torch.Scoped(func() {
		var logits, auxiliary torch.Tensor
		if m.Training || torch.GradEnabled() {
			logits, auxiliary = n.logits(b.X, m)
		} else {
			logits = n.Logits(b.X)
		}
		var o torch.CrossEntropyOptions
		if m.Training {
			o.LabelSmoothing = n.o.LabelSmoothing
		}
		loss := torch.CrossEntropy(logits, b.Y, o)
		if auxiliary.Defined() {
			loss = loss.AddScaled(torch.CrossEntropy(auxiliary, b.Y, o), n.o.AuxiliaryWeight)
		}
		out = nn.Output{Loss: torch.Keep(loss), Logits: torch.Keep(logits)}
	})
	return out
}

// Logits classifies images x [N,InputChannels,Size,Size] as evaluation does and returns [N,Classes]. It shares the
// images out to ranks: the result of an image depends on no other.
func (n *Network) Logits(x torch.Tensor) torch.Tensor {
	logits := torch.Empty([]int{x.Size(0), n.o.Classes}, n.o.Options)
	for _, c := range n.cells {
		c.fold()
	}
	torch.NoGrad(func() {
		torch.Parallel(torch.RanksFor(x.Size(0), x.Device()), func(r *torch.Rank) {
			torch.Inference(func() {
				first, own := r.Share(x.Size(0))
				for end := first + own; first < end; {
					count := min(imagesAtOnce(x.Device(), own), end-first)
					torch.Scoped(func() {
						l, _ := n.logits(x.Narrow(0, first, count), nn.Mode{})
						logits.Narrow(0, first, count).Copy_(l)
					})
					first += count
				}
			})
		})
	})
	return logits
}

// logits computes the logits of the main classifier and, in training, of the auxiliary head; the zero Tensor stands
// for none.
func (n *Network) logits(x torch.Tensor, m nn.Mode) (logits, auxiliary torch.Tensor) {
	s0 := n.stems[0].Forward(x, m)
	s1 := s0
	if n.o.ImageNet {
		s1 = n.stems[1].Forward(s0, m)
	}
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
	pooled := n.pool.Forward(s1, m).Reshape(x.Size(0), -1) // [N, concat·C]
	return n.classifier.Forward(pooled, m), auxiliary
}

// globalPool takes the mean of each channel.
type globalPool struct{}

// Forward implements nn.Layer.
func (globalPool) Forward(x torch.Tensor, _ nn.Mode) torch.Tensor {
	return torch.AdaptiveAvgPool2d(x, 1, 1)
}

// Trace implements nn.Layer.
func (globalPool) Trace(x *nn.Value, _ *nn.Trace) *nn.Value {
	return &nn.Value{Channels: x.Channels, Height: 1, Width: 1}
}

// Weights returns the storage of the network's parameters and running statistics.
func (n *Network) Weights() *nn.Weights { return n.weights }

// StateDict implements nn.Module.
func (n *Network) StateDict() torch.StateDict { return n.weights.StateDict() }

// LoadStateDict implements nn.Module.
func (n *Network) LoadStateDict(sd torch.StateDict) error { return n.weights.LoadStateDict(sd) }

// CheckStateDict returns LoadStateDict's error for entries of these names and shapes.
func (n *Network) CheckStateDict(shapes map[string][]int) error {
	return n.weights.CheckStateDict(shapes)
}

// ParameterCount counts the weights of the network without the auxiliary head, as papers do, and those of the head.
// Reference cnn/utils.py count_parameters_in_MB.
func (n *Network) ParameterCount() (network, auxiliary int) {
	network = n.weights.Count("auxiliary")
	return network, n.weights.Count("") - network
}

// networkCell is a derived cell. Reference cnn/model.py Cell.
type networkCell struct {
	preprocess0, preprocess1 nn.Layer
	edges                    []networkEdge // node i is the sum of 2i and 2i+1
	concat                   []int         // the states that make the output
	channels                 []int         // of each state
	stride                   int           // of the cell
}

type networkCellOptions struct {
	before, last  int // channels of the outputs of the last but one and the last cell
	channels      int // of each state before pruning
	widths        genotype.CellWidths
	kind          genotype.Kind
	reducedBefore bool // the last cell halved the image: the last but one's output is twice as large
}

func newNetworkCell(p nn.Path, g genotype.Cell, o networkCellOptions) *networkCell {
	c := &networkCell{concat: g.Concat, stride: o.kind.Stride(0)}
	for _, own := range o.widths.States {
		c.channels = append(c.channels, total(own))
	}
	if o.reducedBefore {
		c.preprocess0 = reduction(p.At("preprocess0"), o.before, o.widths.States[0], true)
	} else {
		c.preprocess0 = ReLUConvBN(p.At("preprocess0"), o.before, total(o.widths.States[0]), true)
	}
	c.preprocess1 = ReLUConvBN(p.At("preprocess1"), o.last, total(o.widths.States[1]), true)
	for i, e := range g.Edges {
		op := operation(p.At("_ops").Index(i), e.Op, edge(o.widths, g, i, o.channels), o.kind.Stride(e.From), true)
		c.edges = append(c.edges, networkEdge{op: op, name: e.Op, from: e.From})
	}
	return c
}

// forward maps the outputs of the two cells before to the cell's own, [N, concat·C, H', W'].
func (c *networkCell) forward(s0, s1 torch.Tensor, m nn.Mode) (out torch.Tensor) {
	if !m.Training && !torch.GradEnabled() && !s0.Device().GPUForm() {
		return c.evaluate(s0, s1)
	}
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
	name genotype.Op
	from int
}

// forward computes the operation. In training it drops the result for some images, unless the operation is the
// identity: a path of identities stays open for every image. Skip connections of stride 2 and poolings are dropped.
func (e networkEdge) forward(states []torch.Tensor, m nn.Mode) torch.Tensor {
	x := states[e.from]
	if e.identity() || !m.Training || m.DropPath == 0 {
		return e.op.Forward(x, m)
	}
	if op, ok := e.op.(nn.Scaler); ok {
		return op.Scaled(x, pathFactors(x, m), m)
	}
	return DropPath(e.op.Forward(x, m), m)
}

// identity tells whether the operation is the identity.
func (e networkEdge) identity() bool {
	_, identity := e.op.(Identity)
	return identity
}
