// Package enas has the controller of ENAS, a recurrent network that draws cells. Pham, Guan, Zoph, Le, Dean:
// Efficient Neural Architecture Search via Parameter Sharing, ICML 2018, arXiv 1802.03268.
package enas

import (
	"cmp"
	"fmt"
	"math"
	"math/rand/v2"
	"slices"

	"godarts/cells/genotype"
	"godarts/darts"
	"godarts/torch"
	"godarts/torch/nn"
	"godarts/torch/optim"
)

// Constants of the controller: those of the authors' search of convolutional cells.
const (
	controllerUnits  = 64
	controllerSpread = 0.1 // weights start uniform within ± it

	squashInput     = 1.10       // logits of inputs are this times a tanh
	squashOperation = 1.10 / 2.5 // and those of operations, unless Options.Squash says otherwise
	favour          = 10         // bias of the separable convolutions' logits at the start, before the tanh
	fixedFavour     = 0.25       // added after the tanh in normal cells, and subtracted from the other operations
)

// separable are the operations that the controller favours.
var separable = []genotype.Op{genotype.SepConv3x3, genotype.SepConv5x5}

// Options are the settings of a controller's training. The authors have LR 0.0035, Entropy 1e-4 and Baseline 0.99.
type Options struct {
	LR       float64 // of Adam, whose β are 0 and 0.999 and eps is 1e-3, added as TensorFlow does
	Entropy  float64 // what a nat of entropy adds to a reward
	Baseline float64 // part of the baseline that a new reward leaves

	// Squash bounds the logits of operations, before the bias of normal cells; 0 means the authors' 0.44, with which no
	// operation of seven has a probability above 0.29.
	Squash float64

	Dtype torch.Dtype
}

// Controller is the recurrent network of ENAS that draws cells, one decision after the
// other (Pham et al., ICML 2018, arXiv 1802.03268), in a Space: each node's inputs are
// distinct, its operations those of their edges. An LSTM of one layer goes on after
// each decision with what was decided. Of a cell with inputs 0 and 1:
//
//	twice:            LSTM of a start vector; anchor = 0, key = h·key
//	for each node:
//	  twice an input: LSTM; logits = 1.10·tanh(tanh(key_j + h·query)·v) over the states j before, the first input aside
//	                  for the second; next in comes anchor_j
//	  twice an op:    LSTM; logits = 0.44·tanh(h·weight + bias), ± 0.25 in normal cells; next in comes its embedding
//	  last:           LSTM; anchor = h, key = h·key; next in comes the start vector
//
// The reduction cell goes on from the LSTM's state after the normal cell. The authors'
// space has five operations and inputs that may coincide; what they favour at the start,
// separable convolutions, is favoured here.
//
// All of it is on the CPU: it is small, and each decision is read.
type Controller struct {
	space   darts.Space
	ops     []genotype.Op // all operations of the space
	weights *nn.Weights

	lstm, start, key, query, v      *nn.Parameter // [2·units, 4·units], [1,units], [units,units], [units,units], [units,1]
	embedding, toOperation, opsBias *nn.Parameter // [ops,units], [units,ops], [ops]
	fixed                           torch.Tensor  // [ops]
	coincide                        bool          // both inputs of a node may be one, as in the authors' space: for tests against their program

	o        Options
	adam     *optim.Adam
	baseline torch.Tensor // b, no dimensions, float64
}

// New makes a controller with fresh weights, drawn from the default generator. Its tensors belong to the present
// scope.
func New(s darts.Space, o Options) (*Controller, error) {
	if err := s.Validate(); err != nil {
		return nil, err
	}
	if !(o.Baseline >= 0 && o.Baseline < 1) {
		return nil, fmt.Errorf("darts: controller: baseline %g, want at least 0 and less than 1", o.Baseline)
	}
	c := &Controller{space: s, o: o}
	for _, op := range genotype.Without(genotype.SearchOps(), genotype.None) {
		if s.Has(op) {
			c.ops = append(c.ops, op)
		}
	}
	const units = controllerUnits
	var b nn.Builder
	root := b.Root()
	drawn := func(p nn.Path, name string, shape ...int) *nn.Parameter {
		return p.Parameter(name, nn.Uniform(shape, controllerSpread))
	}
	c.lstm = drawn(root.At("lstm"), "weight", 2*units, 4*units)
	c.start = drawn(root, "start", 1, units)
	c.key = drawn(root.At("attention"), "key", units, units)
	c.query = drawn(root.At("attention"), "query", units, units)
	c.v = drawn(root.At("attention"), "v", units, 1)
	c.embedding = drawn(root.At("operation"), "embedding", len(c.ops), units)
	c.toOperation = drawn(root.At("operation"), "weight", units, len(c.ops))
	first, fixed := make([]float32, len(c.ops)), make([]float32, len(c.ops))
	for k, op := range c.ops {
		fixed[k] = -fixedFavour
		if slices.Contains(separable, op) {
			first[k], fixed[k] = favour, fixedFavour
		}
	}
	c.opsBias = root.At("operation").Parameter("bias", torch.FromSlice(first, len(c.ops)))
	to := torch.Options{Dtype: o.Dtype}
	c.weights = b.Build(to)
	c.fixed = torch.FromSliceTo(fixed, []int{len(c.ops)}, to)
	c.adam = optim.NewAdam([]torch.Tensor{c.W()}, optim.AdamOptions{LR: o.LR, Betas: [2]float64{0, 0.999}, Eps: 1e-3, EpsFirst: true})
	c.baseline = torch.Scalar(0, torch.Options{Dtype: torch.Float64})
	return c, nil
}

// W returns the vector of all weights.
func (c *Controller) W() torch.Tensor { return c.weights.W }

// Sample draws cells, with edges in the order in which they were decided. It returns the log of their probability, of
// which a gradient can be taken, and the sum of all decisions' entropies, in nats. The cells depend only on r and the
// weights.
func (c *Controller) Sample(r *rand.Rand) (g genotype.Genotype, logP torch.Tensor, entropy float64) {
	defer onOneThread()()
	torch.Scoped(func() {
		zero := torch.Zeros([]int{1, controllerUnits}, c.start.Options())
		d := &draw{Controller: c, r: r, h: zero, c: zero, zero: zero}
		for kind := range genotype.ConvolutionalKinds {
			*g.Cell(kind) = d.cell(kind)
		}
		logP, entropy = torch.Keep(d.logP), d.entropy
	})
	return g, logP, entropy
}

// onOneThread keeps operators on the caller's thread until more is called. The controller's operators are too small
// for several threads, and their results do not depend on the number.
func onOneThread() (more func()) {
	threads := torch.Threads()
	torch.SetThreads(1)
	return func() { torch.SetThreads(threads) }
}

// gradient writes ∇ logP to dW.
func (c *Controller) gradient(logP, dW torch.Tensor) {
	defer onOneThread()()
	c.weights.Gradient(logP, dW, nil)
}

// Draw returns only the cells of Sample.
func (c *Controller) Draw(r *rand.Rand) (g genotype.Genotype) {
	torch.Scoped(func() {
		torch.NoGrad(func() { g, _, _ = c.Sample(r) })
	})
	return g
}

// draw is the state of cells being drawn.
type draw struct {
	*Controller
	r       *rand.Rand
	h, c    torch.Tensor // state of the LSTM, [1,units]
	zero    torch.Tensor // [1,units]
	logP    torch.Tensor // of the decisions so far, no dimensions
	entropy float64
}

// cell draws a cell of that kind.
func (d *draw) cell(kind genotype.Kind) (cell genotype.Cell) {
	var anchors, keys []torch.Tensor // of the states so far, [1,units]
	for range 2 {
		d.step(d.start.Tensor)
		anchors, keys = append(anchors, d.zero), append(keys, d.h.Mm(d.key.Tensor))
	}
	x := d.start.Tensor
	for i := range d.space.Nodes {
		var inputs [darts.EdgesKept]int
		for place := range inputs {
			d.step(x)
			inputs[place] = d.input(keys, inputs[:place])
			x = anchors[inputs[place]]
		}
		for _, from := range inputs {
			d.step(x)
			k := d.operation(d.space.Ops(kind)[darts.FirstEdge(i)+from], kind)
			cell.Edges = append(cell.Edges, genotype.Edge{Op: d.ops[k], From: from})
			x = d.embedding.Narrow(0, k, 1)
		}
		d.step(x)
		anchors, keys = append(anchors, d.h), append(keys, d.h.Mm(d.key.Tensor))
		x = d.start.Tensor
		cell.Concat = append(cell.Concat, i+2)
	}
	return cell
}

// step is one step of the LSTM, with x [1,units].
//
//	(i, f, o, g) = (x, h)·lstm,  c = σ(i)·tanh(g) + σ(f)·c,  h = σ(o)·tanh(c)
func (d *draw) step(x torch.Tensor) {
	gates := torch.Cat([]torch.Tensor{x, d.h}, 1).Mm(d.lstm.Tensor).Chunk(4, 1)
	i, f, o, g := gates[0].Sigmoid(), gates[1].Sigmoid(), gates[2].Sigmoid(), gates[3].Tanh()
	d.c = i.Mul(g).Add(f.Mul(d.c))
	d.h = o.Mul(d.c.Tanh())
}

// input decides on a state by its key, which must not be taken already.
func (d *draw) input(keys []torch.Tensor, taken []int) int {
	var states []int
	var open []torch.Tensor
	for j, key := range keys {
		if d.coincide || !slices.Contains(taken, j) {
			states, open = append(states, j), append(open, key)
		}
	}
	scores := torch.Cat(open, 0).Add(d.h.Mm(d.query.Tensor)).Tanh().Mm(d.v.Tensor) // [states,1]
	return states[d.decide(scores.Tanh().MulScalar(squashInput).Flatten())]
}

// operation decides on an operation of an edge, an index of d.ops.
func (d *draw) operation(of []genotype.Op, kind genotype.Kind) int {
	logits := d.operationLogits(d.h, kind).Flatten() // [ops]
	var own []int64
	for k, op := range d.ops {
		if slices.Contains(of, op) {
			own = append(own, int64(k))
		}
	}
	if len(own) < len(d.ops) {
		logits = logits.IndexSelect(0, torch.FromSlice(own, len(own)))
	}
	return int(own[d.decide(logits)])
}

// operationLogits returns the logits of all operations after the states h [n,units], [n,ops].
func (c *Controller) operationLogits(h torch.Tensor, kind genotype.Kind) torch.Tensor {
	logits := h.Mm(c.toOperation.Tensor).Add(c.opsBias.Tensor).Tanh().MulScalar(cmp.Or(c.o.Squash, squashOperation))
	if kind == genotype.Normal {
		logits = logits.Add(c.fixed)
	}
	return logits
}

// decide draws from softmax(logits [n]) and adds to logP and entropy.
func (d *draw) decide(logits torch.Tensor) int {
	logs := logits.LogSoftmax(0)
	each := logs.Detach().Float64s()
	chosen := len(each) - 1 // where rounding leaves the sum of all p below u, too
	u := d.r.Float64()
	for k, logP := range each {
		p := math.Exp(logP)
		d.entropy -= p * logP
		if u -= p; u < 0 && k < chosen {
			chosen = k
		}
	}
	if logP := logs.Select(0, chosen); d.logP.Defined() {
		d.logP = d.logP.Add(logP)
	} else {
		d.logP = logP
	}
	return chosen
}

// Update takes a step of REINFORCE (Williams, 1992) with the mean gradient over cells drawn from streams. For each
// cell, one after the other,
//
//	R = reward + Entropy·entropy,  b = Baseline·b + (1 − Baseline)·R,  loss = −log p·(R − b)
//
// The entropy has no part in the gradient. reward returns the reward of the cells drawn from streams[i]. If it
// returns an error, Update returns that and changes nothing.
func (c *Controller) Update(streams []*rand.Rand, reward func(i int, g genotype.Genotype) (float64, error)) (err error) {
	torch.NeedFunction("enas.Controller", reward == nil)
	torch.Scoped(func() {
		b := c.baseline.Item()
		dW, mean := torch.ZerosLike(c.W()), torch.ZerosLike(c.W())
		for i, r := range streams {
			torch.Scoped(func() {
				g, logP, entropy := c.Sample(r)
				var accuracy float64
				if accuracy, err = reward(i, g); err != nil {
					return
				}
				R := accuracy + c.o.Entropy*entropy
				b -= (1 - c.o.Baseline) * (b - R)
				c.gradient(logP, dW)
				mean.AddScaled_(dW, -(R-b)/float64(len(streams)))
			})
			if err != nil {
				return
			}
		}
		c.adam.Step(mean)
		c.baseline.Fill_(b)
	})
	return err
}

// Updates returns the number of updates so far.
func (c *Controller) Updates() int { return c.adam.Steps() }
