package darts

import (
	"slices"

	"godarts/cells"
	"godarts/torch"
	"godarts/torch/nn"
)

// Sampled is the supernet of GDAS: a pass in training computes one operation of every
// edge, drawn by the Gumbel-max trick, the same in all cells of a kind. Dong, Yang:
// Searching for a Robust Neural Architecture in Four GPU Hours, CVPR 2019, arXiv
// 1910.04465; get_gumbel_prob in their code.
//
// Operations are those of DARTS and not of the authors' table: their 1x1 convolutions
// have a bias, and their poolings no batch norm behind them.
type Sampled struct {
	*Plain
	Tau float64 // τ, above 0; it may change between passes
}

var _ Supernet = (*Sampled)(nil)

// NewSampled makes a supernet as NewPlain does.
func NewSampled(o Options, tau float64) (*Sampled, error) {
	plain, err := NewPlain(o)
	if err != nil {
		return nil, err
	}
	return &Sampled{Plain: plain, Tau: tau}, nil
}

// Gradients implements Supernet with operations that are drawn anew, from the CPU's
// default generator. α has the gradient of softmax((log softmax(α) + g)/τ), straight
// through the choice; weights of operations that were not chosen have a gradient of 0.
func (s *Sampled) Gradients(w torch.Tensor, b nn.Batch, need Need) Grad {
	return s.gradients(w, b, need, s.draw)
}

// Eval implements Supernet with the most probable operation of each edge: a pass that
// measures is not up to chance.
func (s *Sampled) Eval(b nn.Batch) nn.Output {
	return s.eval(b, func() mixtures { return mixtures{s.normal.likeliest(), s.reduce.likeliest()} })
}

// Genotype implements Supernet by the rule of the authors' code: of all operations of
// all edges of a node, "none" aside, the two that weigh most, strongest first. Both may
// be of one edge, where DARTS takes two edges with an operation each.
func (s *Sampled) Genotype() cells.Genotype {
	return cells.Genotype{
		Normal: strongest(s.normal.probabilities(), s.normal.ops),
		Reduce: strongest(s.reduce.probabilities(), s.reduce.ops),
	}
}

// draw draws the operations of both kinds of cell, and again until all is finite.
func (s *Sampled) draw() mixtures {
	for {
		normal, first := s.normal.sample(s.normal.gumbel(), s.Tau)
		reduce, second := s.reduce.sample(s.reduce.gumbel(), s.Tau)
		if first && second {
			return mixtures{normal, reduce}
		}
	}
}

// gumbel is noise g = −log e, e ~ Exponential(1), for each entry of α. It is drawn in
// float32, so that one seed draws alike for every type.
func (a *architecture) gumbel() (g torch.Tensor) {
	torch.NoGrad(func() {
		u := torch.Rand([]int{len(a.ops), a.width()}, torch.Options{})
		e := u.Neg().AddScalar(1).Log().Neg() // of 1 − u, which is above 0
		g = e.Log().Neg().To(a.alpha.Options())
	})
	return g
}

// sample chooses one operation of each edge by the noise g [edges, operations]:
//
//	p = softmax((log softmax(α) + g)/τ)
//	chosen = argmax p,  h = onehot(chosen) − stop(p) + p
//
// In the mixture an edge has h at what was chosen alone: 1 up to rounding, with the
// gradient of p. It tells whether g and p are finite.
func (a *architecture) sample(g torch.Tensor, tau float64) (mix mixture, finite bool) {
	p := a.scores().LogSoftmax(-1).Add(g).DivScalar(tau).Softmax(-1)
	for _, x := range []torch.Tensor{g, p.Detach()} {
		if x.IsFinite().ToDtype(torch.Float32).Amin(nil, false).Item() == 0 {
			return nil, false
		}
	}
	chosen := p.Detach().Argmax(-1, true) // [edges, 1]
	picked := p.Gather(-1, chosen)
	h := torch.OnesLike(picked.Detach()).Sub(picked.Detach()).Add(picked)
	return a.only(chosen.Flatten().Int64s(), h.Flatten().Chunk(len(a.ops), 0)), true
}

// likeliest is the mixture of the most probable operation of each edge.
func (a *architecture) likeliest() mixture {
	chosen := a.scores().Detach().Argmax(-1, false).Int64s()
	one := torch.Ones([]int{1}, a.alpha.Detach().Options())
	return a.only(chosen, slices.Repeat([]torch.Tensor{one}, len(a.ops)))
}

// only is the mixture of one operation of each edge, weighed by a number [1].
func (a *architecture) only(chosen []int64, weights []torch.Tensor) mixture {
	mix := make(mixture, len(a.ops))
	for e := range mix {
		mix[e] = make([]torch.Tensor, a.width())
		mix[e][chosen[e]] = weights[e]
	}
	return mix
}

// strongest derives a cell by GDAS' rule, see Genotype; ties go to the smaller input,
// then to the smaller column.
func strongest(mix [][]float64, ops [][]cells.Op) (c cells.Cell) {
	type entry struct {
		cells.Edge
		weight float64
	}
	for i := 0; firstEdge(i) < len(mix); i++ {
		var entries []entry
		for e := firstEdge(i); e < firstEdge(i+1); e++ {
			for k, op := range ops[e] {
				if op != cells.None {
					entries = append(entries, entry{cells.Edge{Op: op, From: e - firstEdge(i)}, mix[e][k]})
				}
			}
		}
		slices.SortStableFunc(entries, func(a, b entry) int {
			switch {
			case a.weight > b.weight:
				return -1
			case a.weight < b.weight:
				return 1
			}
			return 0
		})
		for _, it := range entries[:edgesKept] {
			c.Edges = append(c.Edges, it.Edge)
		}
		c.Concat = append(c.Concat, i+2)
	}
	return c
}
