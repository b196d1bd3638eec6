package fast

import (
	"fmt"

	"godarts/cells/genotype"
	"godarts/darts"
	"godarts/torch"
	"godarts/torch/nn"
)

// Wide is the supernet of Plain for GPUs: the same function of the same weights, in few operators. A GPU computes an
// operator of a small network faster than one can be launched, so what counts is their number.
//
//   - The edges that meet in a node are computed together (wideround.go): their channels lie side by side, and an
//     operation is one depthwise convolution, one batched product and one batch norm for all of them. α is the scale of
//     that batch norm, so that a mixed operation is one sum.
//   - Skip connections and normalised poolings of all states are columns of one table. What a node adds up of them is
//     one product by mix (widecell.go).
//   - Gradients are formulas without a graph, and stay in the shapes in which they arise: one join and one selection
//     make ∇w of them (widelayout.go).
//
// Gradients equal Plain's up to rounding.
type Wide struct {
	*darts.Plain
	layout     *layout
	gradientAt torch.Tensor // [P] int64: entry i of ∇w is entry gradientAt[i] of a pass's pieces, joined
	pieces     int

	stemWeight, stemScale, stemShift, classifierWeight, classifierBias wideWeight

	cells  []*wideCell
	tables [genotype.ConvolutionalKinds]wideTable
	eyes   map[int]torch.Tensor // unit matrices by size
}

var _ darts.Supernet = (*Wide)(nil)

// NewWide makes a supernet as NewPlain does, with the same first weights. It returns an error for what New has no
// formulas for.
func NewWide(o darts.Options) (*Wide, error) {
	if why := missing(o); why != "" {
		return nil, fmt.Errorf("darts: supernet: %s", why)
	}
	plain, err := darts.NewPlain(o)
	if err != nil {
		return nil, err
	}
	s := &Wide{Plain: plain, eyes: map[int]torch.Tensor{}}
	torch.Scoped(func() {
		b := &wideBuilder{layoutBuilder: newLayoutBuilder(plain.Weights)}
		s.layout = b.layout
		b.stem()
		s.stemWeight, s.stemScale, s.stemShift = b.whole(b.layout.stemWeight), b.whole(b.layout.stemScale), b.whole(b.layout.stemShift)
		for i, from := range plain.Cells {
			cell, items, terms := b.wide(i, from, plain.Architecture(from.Kind))
			s.cells = append(s.cells, cell)
			s.tables[from.Kind] = newWideTable(items, terms, o.Device)
			if !s.eyes[cell.c].Defined() {
				s.eyes[cell.c] = torch.Keep(torch.Eye(cell.c, o.Options))
			}
		}
		b.classifier()
		s.classifierWeight, s.classifierBias = b.whole(b.layout.classifierWeight), b.whole(b.layout.classifierBias)
		s.pieces = b.pieces
		place, positions := torch.Cat(b.places, 0), torch.Cat(b.positions, 0)
		s.gradientAt = torch.Keep(torch.EmptyLike(place).Scatter_(0, place, positions).To(torch.Options{Dtype: torch.Int64, Device: o.Device}))
		b.build(o.Device)
		for _, table := range s.tables {
			torch.Keep(table.items)
			torch.Keep(table.terms)
			torch.Keep(table.both)
		}
	})
	return s, nil
}

// newWideTable makes the table of a kind of cells. All cells of a kind have the same.
func newWideTable(items, terms []int64, d torch.Device) wideTable {
	to := func(entries []int64) torch.Tensor {
		return torch.FromSliceTo(entries, []int{len(entries)}, torch.Options{Dtype: torch.Int64, Device: d})
	}
	return wideTable{to(items), to(terms), to(append(items[:len(items):len(items)], terms...))}
}

// FallbackReason says why Gradients runs in the plain form on images of that size, in pixels. It is empty where
// the wide form runs.
func (s *Wide) FallbackReason(height, width int) string { return oddSide(s.Plain.Cells, height, width) }

// Gradients implements Supernet. In bfloat16 it runs in the plain form, whose operators libtorch casts.
func (s *Wide) Gradients(w torch.Tensor, b nn.Batch, need darts.Need) (g darts.Result) {
	if need.TF32 {
		return need.InTF32(func(n darts.Need) darts.Result { return s.Gradients(w, b, n) })
	}
	if need.BFloat16 || s.FallbackReason(b.X.Size(2), b.X.Size(3)) != "" {
		return s.Plain.Gradients(w, b, need)
	}
	refuseSingleValue(finalPixels(s.Plain.Cells, b.X), b.X)
	torch.Scoped(func() {
		torch.NoGrad(func() {
			var p *widePass
			var loss, logits torch.Tensor
			torch.Inference(func() {
				p = s.newPass(w, b, need)
				loss, logits = p.forward(b.X, b.Y)
				if need.W || need.Alphas {
					p.backward(logits, b.Y)
				}
			})
			g.Loss, g.Logits = torch.Keep(loss.Clone()), torch.Keep(logits.Clone())
			if !need.FreezeStatistics {
				s.layout.moveStatistics(s.Weights.Stats, p.statistics.flat)
			}
			if need.W {
				g.W = torch.Keep(torch.Cat(p.gradients, 0).IndexSelect(0, s.gradientAt))
			}
			if need.Alphas {
				for i, mix := range p.mix {
					entries := mix.Numel()
					g.Alphas = append(g.Alphas, torch.Keep(softmaxBackward(mix, p.dMix[i].Narrow(0, 0, entries).ViewAs(mix))))
				}
			}
		})
	})
	return g
}

// widePass is a run of Gradients.
type widePass struct {
	*Wide
	need       darts.Need
	w          segments       // w in the order of layout
	statistics segments       // the batch's means and unbiased variances
	gradients  []torch.Tensor // ∇w by piece, flat
	o          torch.Options

	mix  [genotype.ConvolutionalKinds]torch.Tensor // softmax(α) by kind of cell [edges, operations]
	dMix [genotype.ConvolutionalKinds]torch.Tensor // its gradient [edges·operations + 1], flat; the last entry is of no use
	// By kind of cell and channels:
	scales map[wideKind]torch.Tensor // mix of each item, for each channel [items·c]
	shares map[wideKind]torch.Tensor // mix of each term times the unit matrix [terms·c,c]

	outputs []wideOutput // of the stem and of each cell
	stem    struct {
		x    torch.Tensor // images
		norm normalised
	}
	saved  []*wideSaved
	pooled torch.Tensor // [n, nodes·c]

	constants map[constant]torch.Tensor
}

// wideKind is what the factors by mix depend on.
type wideKind struct {
	kind genotype.Kind
	c    int
}

// wideOutput is the result of a cell or of the stem: max(x, 0) of the pixels of its nodes, side by side.
type wideOutput struct {
	grid
	x torch.Tensor // [M,c]; of the last cell the zero Tensor
	d torch.Tensor // its gradient so far; the zero Tensor at first
}

func (s *Wide) newPass(w torch.Tensor, b nn.Batch, need darts.Need) *widePass {
	p := &widePass{
		Wide: s, need: need, w: segments{s.layout.gathered(w)}, gradients: make([]torch.Tensor, s.pieces),
		scales: map[wideKind]torch.Tensor{}, shares: map[wideKind]torch.Tensor{}, constants: map[constant]torch.Tensor{},
	}
	p.o = p.w.flat.Options()
	p.statistics = segments{torch.Zeros([]int{s.layout.statistics}, p.o)}
	var items, terms [genotype.ConvolutionalKinds]torch.Tensor
	for kind := range genotype.ConvolutionalKinds {
		p.mix[kind] = s.Architecture(kind).Mix()
		flat := torch.Cat([]torch.Tensor{p.mix[kind].Flatten(), torch.Zeros([]int{1}, p.o)}, 0)
		p.dMix[kind] = torch.Zeros(flat.Shape(), p.o)
		items[kind] = flat.IndexSelect(0, s.tables[kind].items)
		terms[kind] = flat.IndexSelect(0, s.tables[kind].terms)
	}
	for _, cell := range s.cells {
		k := wideKind{cell.kind, cell.c}
		if p.scales[k].Defined() {
			continue
		}
		n, m := items[k.kind].Numel(), terms[k.kind].Numel()
		p.scales[k] = items[k.kind].View(n, 1).Expand(n, k.c).Contiguous().View(n * k.c)
		p.shares[k] = terms[k.kind].View(m, 1, 1).Mul(s.eyes[k.c]).View(m*k.c, k.c)
	}
	return p
}

// keep moves t to the scope of the pass.
func (p *widePass) keep(t torch.Tensor) torch.Tensor { return torch.KeepWith(t, p.w.flat) }

// gradient keeps d as the gradient of w, in the shape of its piece.
func (p *widePass) gradient(w wideWeight, d torch.Tensor) { p.gradients[w.piece] = p.keep(d.Flatten()) }

// at views the weights as shape, or as [count, shape...].
func (p *widePass) at(w wideWeight, shape ...int) torch.Tensor { return p.w.at(w.segment, shape...) }

// statistic views the places of the statistics of all batch norms in n, flat.
func (p *widePass) statistic(n norm) (mean, variance torch.Tensor) {
	return p.statistics.at(n.mean, -1), p.statistics.at(n.variance, -1)
}

// forward maps images x [n,C,H,W] and targets y [n] to loss and logits.
func (p *widePass) forward(x, y torch.Tensor) (loss, logits torch.Tensor) {
	p.forwardStem(x)
	for i, cell := range p.cells {
		p.forwardCell(i, cell)
	}
	logits = p.forwardClassifier()
	return torch.CrossEntropy(logits, y, torch.CrossEntropyOptions{}), logits
}

// forwardStem computes the first convolution, its batch norm and the ReLU of all who read it.
func (p *widePass) forwardStem(x torch.Tensor) {
	torch.Scoped(func() {
		c := p.stemScale.shape[0]
		g := grid{x.Size(0), c, x.Size(2), x.Size(3)}
		p.stem.x = p.keep(x.ChannelsLast())
		z := torch.Conv2d(p.stem.x, p.at(p.stemWeight, p.stemWeight.dims()...), torch.Tensor{}, torch.Conv2dOptions{Padding: 1})
		mean, variance := p.statistic(norm{p.layout.stemMean, p.layout.stemVariance})
		out, n := batchNorm(z.ChannelsLast(), p.keep(p.at(p.stemScale, c)), p.at(p.stemShift, c), mean, variance)
		p.stem.norm = n.keep(p.w.flat)
		p.outputs = append(p.outputs, wideOutput{grid: g, x: p.keep(g.pixels(out.ReLU_()))})
	})
}

// forwardClassifier averages each node of the last cell over its pixels.
func (p *widePass) forwardClassifier() (logits torch.Tensor) {
	last := len(p.cells) - 1
	out, nodes := p.outputs[last+1], p.saved[last].nodes(p.cells[last])
	torch.Scoped(func() {
		c := p.cells[last].c
		images := byImage(nodes, out.n, p.cells[last].column(2)*c)
		p.pooled = p.keep(images.MeanDims([]int{1}, false).View(out.n, out.c))
		weight, bias := p.at(p.classifierWeight, p.classifierWeight.dims()...), p.at(p.classifierBias, p.classifierBias.dims()...)
		logits = p.keep(torch.Linear(p.pooled, weight, bias))
	})
	return logits
}

// backward runs after forward. It computes the gradients of mix and of w, and frees what forward saved.
func (p *widePass) backward(logits, y torch.Tensor) {
	p.backwardClassifier(logits, y)
	for i := len(p.cells) - 1; i >= 0; i-- {
		p.backwardCell(i, p.cells[i])
	}
	if p.need.W {
		p.backwardStem()
	}
}

// backwardClassifier starts with the gradient of the logits.
func (p *widePass) backwardClassifier(logits, y torch.Tensor) {
	out := &p.outputs[len(p.outputs)-1]
	torch.Scoped(func() {
		d := lossGradient(logits, y, out.n)
		if p.need.W {
			p.gradient(p.classifierWeight, d.T().Mm(p.pooled))
			p.gradient(p.classifierBias, d.SumDims([]int{0}, false))
		}
		weight := p.at(p.classifierWeight, p.classifierWeight.dims()...)
		out.d = p.keep(d.Mm(weight).DivScalar_(float64(out.h * out.w))) // [N, nodes·c]: the same for all pixels of an image
	})
}

func (p *widePass) backwardStem() {
	out := &p.outputs[0]
	torch.Scoped(func() {
		d, dScale, dShift := p.stem.norm.backward(out.image(out.d.ReLUBackward_(out.x)), true)
		p.gradient(p.stemScale, dScale)
		p.gradient(p.stemShift, dShift)
		weight := p.at(p.stemWeight, p.stemWeight.dims()...)
		_, dWeight := torch.Conv2dBackward(d, p.stem.x, weight, torch.Conv2dOptions{Padding: 1}, false, true)
		p.gradient(p.stemWeight, dWeight)
	})
}
