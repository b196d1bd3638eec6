package darts

import (
	"errors"
	"fmt"
	"maps"
	"slices"

	"godarts/cells"
	"godarts/cells/genotype"
	"godarts/torch"
	"godarts/torch/nn"
)

// Plain is the supernet as the paper and the reference write it: every operation of every edge is a module, and
// autograd computes the gradients. Tests compare faster forms with it. Reference cnn/model_search.py Network.
type Plain struct {
	Weights *nn.Weights

	architectures [genotype.ConvolutionalKinds]*Architecture // by kind
	skipDropout   *float64                                   // the rate, of all cells

	stem       nn.Sequential
	Cells      []*SearchCell
	Classifier *nn.Linear
	classes    int
}

var _ Supernet = (*Plain)(nil)

// NewPlain makes a supernet with fresh weights and α, drawn from the default generator in the reference's order. It
// returns an error for sizes that no network has. Its tensors belong to the present scope.
func NewPlain(o Options) (*Plain, error) {
	o.Partial = max(o.Partial, 1)
	if err := o.validate(); err != nil {
		return nil, err
	}
	var b nn.Builder
	root := b.Root()
	s := &Plain{classes: o.Classes, skipDropout: &o.SkipDropout}
	for kind := range genotype.ConvolutionalKinds {
		s.architectures[kind] = newArchitecture(o.Nodes, o.ops(kind))
	}

	stemChannels := o.StemMultiplier * o.Channels
	s.stem = nn.Sequential{
		nn.NewConv2d(root.At("stem.0"), o.InputChannels, stemChannels, [2]int{3, 3}, torch.Conv2dOptions{Padding: 1}),
		nn.NewBatchNorm2d(root.At("stem.1"), stemChannels, true),
	}
	c := o.Channels
	before, last := stemChannels, stemChannels // channels of the two inputs of a cell
	reducedBefore := false
	for layer := range o.Layers {
		kind := genotype.KindOfLayer(layer, o.Layers)
		if kind == genotype.Reduce {
			c *= 2
		}
		cell := newSearchCell(root.At("cells").Index(layer), searchCellOptions{
			ops: s.architectures[kind].Ops, nodes: o.Nodes,
			before: before, last: last, channels: c, partial: o.Partial, kind: kind, reducedBefore: reducedBefore,
		})
		if o.SkipDropout > 0 {
			cell.dropSkips(s.architectures[kind].Ops, s.skipDropout)
		}
		s.Cells = append(s.Cells, cell)
		reducedBefore = kind == genotype.Reduce
		before, last = last, o.Nodes*c
	}
	s.Classifier = nn.NewLinear(root.At("classifier"), last, o.Classes)
	s.Weights = b.Build(o.Options)
	for _, a := range s.architectures {
		a.draw(o.Options)
	}
	if o.EdgeNormalisation {
		for _, a := range s.architectures {
			a.drawBeta(o.Options)
		}
	}
	return s, nil
}

// Architecture returns α of the cells of that kind. It panics with *torch.Error for recurrent cells.
func (s *Plain) Architecture(kind genotype.Kind) *Architecture {
	if kind < 0 || kind >= genotype.ConvolutionalKinds {
		torch.Misuse("darts.Plain", "a convolutional supernet has no %s cells", kind)
	}
	return s.architectures[kind]
}

func (o Options) validate() error {
	for _, size := range []struct {
		name     string
		got, min int
	}{
		{"channels", o.Channels, 2}, {"layers", o.Layers, 3}, {"nodes", o.Nodes, 1}, {"classes", o.Classes, 2},
		{"input channels", o.InputChannels, 1}, {"stem multiplier", o.StemMultiplier, 1},
	} {
		if size.got < size.min {
			return fmt.Errorf("darts: supernet: %d %s, want at least %d", size.got, size.name, size.min)
		}
	}
	if o.Layers > cells.MaxLayers || o.Nodes > genotype.MaxNodes {
		return fmt.Errorf("darts: supernet: %d layers and %d nodes, want at most %d and %d", o.Layers, o.Nodes, cells.MaxLayers, genotype.MaxNodes)
	}
	if n := o.operations(); n > maxOperations {
		return fmt.Errorf("darts: supernet: %d layers of %d nodes make %d operations, want at most %d", o.Layers, o.Nodes, n, maxOperations)
	}
	if !(o.SkipDropout >= 0 && o.SkipDropout < 1) {
		return fmt.Errorf("darts: supernet: skip dropout %g, want a rate in [0,1)", o.SkipDropout)
	}
	if o.Channels%2 != 0 {
		return fmt.Errorf("darts: supernet: %d channels: a factorized reduction halves them, they must be even", o.Channels)
	}
	if o.Partial > o.Channels/2 || o.Channels%(2*o.Partial) != 0 {
		return fmt.Errorf("darts: supernet: %d channels: a factorized reduction halves 1/%d of them, they must be a multiple of %d", o.Channels, o.Partial, 2*o.Partial)
	}
	for kind := range genotype.ConvolutionalKinds {
		if ops := o.ops(kind); ops != nil {
			if err := validateOperations(o.Nodes, ops); err != nil {
				return fmt.Errorf("darts: supernet: operations of %s: %w", cellsOf(kind), err)
			}
		}
	}
	return nil
}

// W implements Supernet.
func (s *Plain) W() torch.Tensor { return s.Weights.W }

// Alphas implements Supernet.
func (s *Plain) Alphas() []torch.Tensor {
	var alphas, betas []torch.Tensor
	for _, a := range s.architectures {
		alphas = append(alphas, a.Alpha)
		if a.beta.Defined() {
			betas = append(betas, a.beta)
		}
	}
	return append(alphas, betas...)
}

// mixtures are the mixtures of a pass.
type mixtures struct {
	of  [genotype.ConvolutionalKinds]mixture // by kind of cell
	all bool                                 // in training the running statistics of all operations move, see mixedOp.forward
}

// mixBy makes the mixtures of a pass by mix.
func (s *Plain) mixBy(mix func(*Architecture) mixture) (by mixtures) {
	for kind, a := range s.architectures {
		by.of[kind] = mix(a)
	}
	return by
}

// mixed is softmax(α) of both kinds of cells.
func (s *Plain) mixed() mixtures { return s.mixBy((*Architecture).mixture) }

// deriveBy makes the genotype of the cells that derive gives.
func (s *Plain) deriveBy(derive func(*Architecture) genotype.Cell) (g genotype.Genotype) {
	for kind := range genotype.ConvolutionalKinds {
		*g.Cell(kind) = derive(s.architectures[kind])
	}
	return g
}

// Gradients implements Supernet.
func (s *Plain) Gradients(w torch.Tensor, b nn.Batch, need Need) Result {
	return s.gradients(w, b, need, s.mixed)
}

// gradients is Gradients with the mixtures that mix makes, instead of softmax(α). mix runs inside of the graph.
func (s *Plain) gradients(w torch.Tensor, b nn.Batch, need Need, mix func() mixtures) (g Result) {
	if need.TF32 {
		return need.InTF32(func(n Need) Result { return s.gradients(w, b, n, mix) })
	}
	if w != s.W() {
		defer swapWeights(s.W(), w)()
	}
	torch.Scoped(func() {
		var logits, loss torch.Tensor
		forward := func() {
			logits = s.forward(b.X, mix(), nn.Mode{Training: true, FreezeStatistics: need.FreezeStatistics})
			loss = torch.CrossEntropy(logits, b.Y, torch.CrossEntropyOptions{})
		}
		if need.BFloat16 {
			torch.Autocast(s.W().Device(), torch.BFloat16, forward)
		} else {
			forward()
		}
		g.differentiate(loss, s.Weights, s.Alphas(), need)
		g.Loss, g.Logits = torch.Keep(loss.Detach()), torch.Keep(logits.Detach())
	})
	return g
}

// swapWeights overwrites the network's own weights by w. It returns the function that restores them, from a copy:
// exactly.
func swapWeights(own, w torch.Tensor) (restore func()) {
	var before torch.Tensor
	torch.NoGrad(func() {
		before = own.Clone()
		own.Copy_(w)
	})
	return func() {
		torch.NoGrad(func() { own.Copy_(before) })
		before.Free()
	}
}

// Eval implements Supernet.
func (s *Plain) Eval(b nn.Batch) (out nn.Output) { return s.eval(b, s.mixed) }

// eval is Eval with the mixtures that mix makes. Ranks share the images: the result of an image depends on no other.
func (s *Plain) eval(b nn.Batch, mix func() mixtures) (out nn.Output) {
	torch.Scoped(func() {
		torch.NoGrad(func() {
			logits := torch.Empty([]int{b.X.Size(0), s.classes}, s.W().Options())
			torch.Parallel(torch.RanksFor(b.X.Size(0), b.X.Device()), func(r *torch.Rank) {
				torch.Inference(func() {
					first, count := r.Share(b.X.Size(0))
					logits.Narrow(0, first, count).Copy_(s.forward(b.X.Narrow(0, first, count), mix(), nn.Mode{}))
				})
			})
			loss := torch.CrossEntropy(logits, b.Y, torch.CrossEntropyOptions{})
			out = nn.Output{Loss: torch.Keep(loss), Logits: torch.Keep(logits)}
		})
	})
	return out
}

// forward maps images x [N,C,H,W] to logits [N,classes].
func (s *Plain) forward(x torch.Tensor, by mixtures, m nn.Mode) torch.Tensor {
	x = x.ChannelsLast()
	s0 := s.stem.Forward(x, m)
	s1 := s0
	var weights [genotype.ConvolutionalKinds][]torch.Tensor
	for kind, a := range s.architectures {
		weights[kind] = a.edgeWeights()
	}
	for _, cell := range s.Cells {
		s0, s1 = s1, cell.forward(s0, s1, by.of[cell.Kind], weights[cell.Kind], by.all && m.Training && !m.FreezeStatistics, m)
	}
	pooled := torch.AdaptiveAvgPool2d(s1, 1, 1).Reshape(x.Size(0), -1) // [N, nodes·channels]
	return s.Classifier.Forward(pooled, m)
}

// Genotype implements Supernet.
func (s *Plain) Genotype() genotype.Genotype { return s.deriveBy((*Architecture).derive) }

// Derive derives the genotype of other tables of α, and β, than Alphas; their shapes are the same. The normal cell
// has at most skips skip_connects, where the space allows that; a negative number means any number. It panics with
// *torch.Error for tables of other shapes.
func (s *Plain) Derive(alphas []torch.Tensor, skips int) (g genotype.Genotype) {
	own := s.Alphas()
	if len(alphas) != len(own) {
		torch.Misuse("darts.Derive", "%d tables, the network has %d", len(alphas), len(own))
	}
	for i, t := range own {
		if got, want := alphas[i].Shape(), t.Shape(); !slices.Equal(got, want) {
			torch.Misuse("darts.Derive", "table %d has shape %v, the network's %v", i, got, want)
		}
	}
	var betas [genotype.ConvolutionalKinds]torch.Tensor
	copy(betas[:], alphas[len(betas):])
	for kind := range genotype.ConvolutionalKinds {
		a := s.architectures[kind]
		rows := a.rows(alphas[kind], betas[kind])
		if kind == genotype.Normal && skips >= 0 {
			g.Normal = deriveLimited(rows, a.Ops, skips)
		} else {
			*g.Cell(kind) = discretize(rows, a.Ops)
		}
	}
	return g
}

// alphaNames are the names of Alphas in state dicts. The references have attributes of these names.
var alphaNames = []string{"alphas_normal", "alphas_reduce", "betas_normal", "betas_reduce"}

// namedAlphas returns Alphas by name.
func (s *Plain) namedAlphas() map[string]torch.Tensor {
	named := map[string]torch.Tensor{}
	for i, table := range s.Alphas() {
		named[alphaNames[i]] = table
	}
	return named
}

// StateDict implements nn.Module. It contains α, and β.
func (s *Plain) StateDict() torch.StateDict {
	sd := s.Weights.StateDict()
	maps.Copy(sd, s.namedAlphas())
	return sd
}

// LoadStateDict implements nn.Module.
func (s *Plain) LoadStateDict(sd torch.StateDict) error {
	return loadWithAlphas(s.Weights, sd, s.namedAlphas())
}

// loadWithAlphas loads the tables of α from sd, and all other entries to m.
func loadWithAlphas(m nn.Module, sd torch.StateDict, alphas map[string]torch.Tensor) error {
	rest := maps.Clone(sd)
	var errs []error
	for name, alpha := range alphas {
		if t, ok := sd[name]; !ok {
			errs = append(errs, fmt.Errorf("darts: load state dict: %q is missing", name))
		} else if fmt.Sprint(t.Shape()) != fmt.Sprint(alpha.Shape()) {
			errs = append(errs, fmt.Errorf("darts: load state dict: %q has shape %v, the network %v", name, t.Shape(), alpha.Shape()))
		}
		delete(rest, name)
	}
	if err := errors.Join(errs...); err != nil {
		return err
	}
	if err := m.LoadStateDict(rest); err != nil {
		return err
	}
	torch.NoGrad(func() {
		for name, alpha := range alphas {
			alpha.Copy_(sd[name])
		}
	})
	return nil
}

// ParameterCount counts the weights, without α.
func (s *Plain) ParameterCount() int { return s.Weights.Count("") }

// Views cuts a vector like w, such as a gradient, into tensors under the parameters' names.
func (s *Plain) Views(flat torch.Tensor) torch.StateDict { return s.Weights.Views(flat) }
