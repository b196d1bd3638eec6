package cells

import (
	"godarts/cells/genotype"
	"godarts/torch"
	"godarts/torch/nn"
)

// FastPass says what Language.Fast computes.
type FastPass struct {
	W           torch.Tensor // [P], the weights: those of the model, or another vector
	Batch       nn.Batch
	Training    bool         // with dropout and Penalty
	Gradient    torch.Tensor // [P], room for the gradient of w; the zero Tensor if it is not needed
	Backward    bool         // the cell needs gradients of tensors other than w
	Regularised bool         // gradients are those of Loss + Penalty, not of Loss
	Logits      bool
}

// FastCell is a recurrent cell of some columns of a batch, from its state 0 on.
type FastCell interface {
	// State0 returns the place of state 0 of time step t, [b,H].
	State0(t int) torch.Tensor
	// Forward computes the state after the step from state 0 and writes it to out [b,H].
	Forward(t int, out torch.Tensor)
	// Backward takes d [b,H], the gradient of the state after the step, and returns the gradient of state 0, which
	// lives until the next call. Steps come from last to first.
	Backward(t int, d torch.Tensor) torch.Tensor
	// Finish writes gradients that are sums over all steps, after the first step.
	Finish()
}

// Fast runs a pass without a graph around the cells that cell makes, one for each rank. It computes the same function
// as Pass, in another order:
//
//   - On the CPU ranks share the columns of the batch. They wait for each other only where a cell needs sums over all
//     columns.
//   - One product takes all words through the upper half of W0. The weights' gradients of all time steps are one product
//     each, where the cell allows.
//   - The elementwise part of a state is one pass over memory (torch.GatedMixture).
//   - The decoder takes the outputs block by block, forward and backward. Softmax and loss of a block depend on no other
//     block, so [T·B,tokens] numbers are never in memory at once.
//
// It has to be called without grad mode. The result belongs to the present scope.
func (l *Language) Fast(p FastPass, cell func(*Columns) FastCell) (out nn.Output) {
	l.o.checkBatch(p.Batch)
	torch.NeedFunction("cells.Language", cell == nil)
	torch.Scoped(func() {
		steps, columns := p.Batch.X.Size(0), p.Batch.X.Size(1)
		ranks := torch.RanksFor(columns, p.Batch.X.Device())
		work := &fastWork{Language: l, FastPass: p, weights: l.At(p.W)}
		if p.Training {
			work.masks = l.o.masks(p.Batch)
		}
		work.hidden = torch.Empty([]int{1, columns, l.o.Units}, l.o.Options)
		work.sums = torch.Zeros([]int{ranks, 2}, torch.Options{Dtype: torch.Float64, Device: l.o.Device})
		if p.Logits {
			work.logits = torch.Empty([]int{steps, columns, l.o.Tokens}, l.o.Options)
		}
		if p.Gradient.Defined() {
			work.parts = append(work.parts, p.Gradient.Zero_())
			for len(work.parts) < ranks {
				work.parts = append(work.parts, torch.ZerosLike(p.Gradient))
			}
		}
		torch.Parallel(ranks, func(r *torch.Rank) { torch.Inference(func() { work.run(r, cell) }) })
		for _, part := range work.parts[min(1, len(work.parts)):] {
			p.Gradient.Add_(part)
		}
		sums := work.sums.SumDims([]int{0}, false).ToDtype(l.o.Dtype).Split([]int{1, 1}, 0)
		out.Loss, out.Hidden = torch.Keep(sums[0].View()), torch.Keep(work.hidden)
		if p.Training {
			out.Penalty = torch.Keep(sums[1].View())
		}
		if p.Logits {
			out.Logits = torch.Keep(work.logits.View(steps*columns, l.o.Tokens))
		}
	})
	return out
}

// fastWork is one run of Fast: what all ranks read, and where they write their results.
type fastWork struct {
	*Language
	FastPass
	weights LanguageWeights
	masks   Masks

	hidden torch.Tensor   // [1,B,H]
	logits torch.Tensor   // [T,B,tokens], if needed
	sums   torch.Tensor   // loss and penalty of each rank [ranks,2], float64
	parts  []torch.Tensor // of the gradient, one for each rank; none if it is not needed
}

// LanguageWeights are the weights of a language model or their gradient: views of a vector like w.
type LanguageWeights struct {
	Encoder        torch.Tensor   // [tokens,units]
	Words0, State0 torch.Tensor   // [units,2·units]: the rows of W0 that words and states meet
	Ws             []torch.Tensor // [units,2·units] of each node
	Bias           torch.Tensor   // [tokens]
}

// At views a vector like w.
func (l *Language) At(w torch.Tensor) LanguageWeights {
	views := l.weights.Views(w)
	w0 := views[l.W0.Name]
	at := LanguageWeights{
		Encoder: views[l.Encoder.Name], Bias: views[l.Bias.Name],
		Words0: w0.Narrow(0, 0, l.o.Units), State0: w0.Narrow(0, l.o.Units, l.o.Units),
	}
	for _, w := range l.Ws {
		at.Ws = append(at.Ws, views[w.Name])
	}
	return at
}

// Columns is one rank's part of a run of Fast: b columns of a batch of B.
type Columns struct {
	*torch.Rank
	FastPass
	Options  LanguageOptions
	Steps    int             // T
	Own, All int             // b, B
	Weights  LanguageWeights // w
	DWeights LanguageWeights // this rank's part of their gradient; zero Tensors if it is not needed
	State    torch.Tensor    // the state's mask [b,H]; the zero Tensor stands for ones

	first  int
	masks  Masks        // of these columns
	x, y   torch.Tensor // [T·b]
	cell   FastCell
	states torch.Tensor // h [T+1,b,H], from that before the first step
	entry  entry
}

// Needs reports whether the pass has a backward half.
func (p FastPass) Needs() bool { return p.Backward || p.Gradient.Defined() }

func (f *fastWork) run(r *torch.Rank, cell func(*Columns) FastCell) {
	b := f.Batch
	c := &Columns{Rank: r, FastPass: f.FastPass, Options: f.o, Steps: b.X.Size(0), All: b.X.Size(1), Weights: f.weights}
	c.first, c.Own = r.Share(c.All)
	c.x = c.own(b.X, 1).Contiguous().View(-1)
	c.y = c.own(b.Y.View(c.Steps, c.All), 1).Contiguous().View(-1)
	c.masks = Masks{Output: c.own(f.masks.Output, 0), State: c.own(f.masks.State, 0), Word: f.masks.Word,
		Embedding: c.own(f.masks.Embedding, 0), Input: c.own(f.masks.Input, 0)}
	c.State = c.masks.State
	if len(f.parts) > 0 {
		c.DWeights = f.At(f.parts[r.Index])
	}
	c.states = torch.Empty([]int{c.Steps + 1, c.Own, f.o.Units}, f.o.Options)
	c.states.Select(0, 0).Copy_(c.own(f.Language.initialState(b), 0))

	c.cell = cell(c)
	if c.cell == nil {
		torch.Misuse("cells.Language", "no cell for rank %d", c.Index)
	}
	c.forward()
	d := c.decode(f)
	if c.Needs() {
		c.backward(d)
	}
	c.own(f.hidden, 1).Copy_(c.states.Narrow(0, c.Steps, 1))
}

// own narrows t, if defined, to this rank's columns, which lie along dim.
func (c *Columns) own(t torch.Tensor, dim int) torch.Tensor {
	if !t.Defined() {
		return t
	}
	return t.Narrow(dim, c.first, c.Own)
}

// forward runs all time steps.
func (c *Columns) forward() {
	c.entry = c.newEntry()
	for t := range c.Steps {
		torch.Scoped(func() {
			c.entry.forward(t)
			c.cell.Forward(t, c.states.Select(0, t+1))
		})
	}
}

// backward takes d [T,b,H], the gradient of the outputs, back through all time steps.
func (c *Columns) backward(d torch.Tensor) {
	dh := torch.Zeros([]int{c.Own, c.Options.Units}, c.Options.Options) // of the state after step t, from the later steps
	for t := c.Steps - 1; t >= 0; t-- {
		torch.Scoped(func() { c.entry.backward(t, c.cell.Backward(t, d.Select(0, t).Add_(dh)), dh) })
	}
	c.cell.Finish()
	if c.Gradient.Defined() {
		c.entry.finish()
	}
}

// entry computes state 0 of all time steps: s₀ = h + σ(c)∘(tanh(g) − h), where [c | g] = (x∘mask)·W0[words] +
// (h∘mask)·W0[state].
type entry struct {
	*Columns
	scale    torch.Tensor // of embedded words [T·b,E]: all their masks together; the zero Tensor stands for ones
	words    torch.Tensor // [T·b,E], dropped
	products torch.Tensor // [T·b,2H]; their gradient, after backward
	tanh     torch.Tensor // the mixture [1,4] that is tanh
	none     torch.Tensor // room for its gradient, which is not needed
}

func (c *Columns) newEntry() entry {
	e := entry{Columns: c, tanh: oneActivation(genotype.ActTanh, c.Options.Options)}
	e.none = torch.Zeros([]int{1, 4}, torch.Options{Dtype: torch.Float64})
	e.scale = e.wordScale()
	e.words = masked(torch.Embedding(c.Weights.Encoder, c.x), e.scale)
	e.products = torch.Empty([]int{e.words.Size(0), 2 * c.Options.Units}, c.Options.Options)
	WriteProduct(e.products, e.words, c.Weights.Words0)
	return e
}

// wordScale multiplies the masks that apply to an embedded word before W0.
func (e *entry) wordScale() (scale torch.Tensor) {
	m := e.masks
	shape := []int{e.Steps, e.Own, e.Options.Units}
	for _, mask := range []torch.Tensor{m.Embedding, m.Input} {
		switch {
		case !mask.Defined():
		case scale.Defined():
			scale = scale.Mul(mask)
		default:
			scale = mask
		}
	}
	if scale.Defined() {
		scale = scale.Expand(shape...).Reshape(-1, e.Options.Units)
	}
	if m.Word.Defined() {
		word := torch.Embedding(m.Word, e.x) // [T·b,1]
		if !scale.Defined() {
			return word
		}
		scale = scale.Mul(word)
	}
	return scale
}

// at returns the products of time step t [b,2H].
func (e *entry) at(t int) torch.Tensor { return e.products.Narrow(0, t*e.Own, e.Own) }

func (e *entry) forward(t int) {
	h, ch := e.states.Select(0, t), e.at(t)
	AddProduct(ch, masked(h, e.State), e.Weights.State0)
	torch.GatedMixture(e.cell.State0(t), h.Unsqueeze(0), ch.Unsqueeze(0), e.tanh)
}

// backward writes the gradient of h to dh, from the gradient d of state 0.
func (e *entry) backward(t int, d, dh torch.Tensor) {
	h, ch := e.states.Select(0, t), e.at(t)
	dh.Zero_()
	torch.GatedMixtureBackward(d, h.Unsqueeze(0), ch.Unsqueeze(0), e.tanh, dh.Unsqueeze(0), e.none)
	e.addBack(dh, ch, e.Weights.State0)
}

// addBack adds (d·wᵀ)∘State to to, the gradient of x in the product (x∘State)·w. A search cell copies wᵀ; here the
// product reads w transposed, because it has few rows.
func (c *Columns) addBack(to, d, w torch.Tensor) {
	if !c.State.Defined() {
		to.Addmm_(d, w.T(), 1, 1)
		return
	}
	to.Addcmul_(d.Mm(w.T()), c.State, 1)
}

// WriteProduct writes x·w to out.
func WriteProduct(out, x, w torch.Tensor) {
	torch.SumProducts(out, false, []torch.Tensor{x}, []torch.Tensor{w})
}

// AddProduct adds x·w to to.
func AddProduct(to, x, w torch.Tensor) {
	torch.SumProducts(to, true, []torch.Tensor{x}, []torch.Tensor{w})
}

// finish computes the gradients of W0 and of the embedding.
func (e *entry) finish() {
	torch.Scoped(func() {
		units := e.Options.Units
		h := masked(e.states.Narrow(0, 0, e.Steps), e.State).View(-1, units)
		torch.Gram(e.DWeights.Words0, true, e.words, e.products)
		torch.Gram(e.DWeights.State0, true, h, e.products)
		dWords := masked(e.products.Mm(e.Weights.Words0.T()), e.scale)
		e.DWeights.Encoder.IndexAdd_(0, e.x, dWords)
	})
}

// oneActivation returns the mixture [1,4] of torch.GatedMixture that is only op.
func oneActivation(op genotype.Op, o torch.Options) torch.Tensor {
	mix := torch.Zeros([]int{1, 4}, o)
	for k, of := range genotype.RecurrentPrimitives[1:] {
		if of == op {
			mix.Narrow(1, k, 1).Fill_(1)
		}
	}
	return mix
}
