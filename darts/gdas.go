package darts

import (
	"fmt"
	"math"
	"slices"

	"godarts/cells/genotype"
	"godarts/torch"
	"godarts/torch/nn"
)

// GumbelSupernet is the supernet of GDAS. A pass in training computes one operation of every edge, which the
// Gumbel-max trick draws; all cells of a kind have the same. Dong, Yang: Searching for a Robust Neural Architecture
// in Four GPU Hours, CVPR 2019, arXiv 1910.04465; get_gumbel_prob in their code.
//
// The operations are DARTS', not those of the authors' code, where 1x1 convolutions have a bias and no batch norm
// follows poolings. Their network also has a batch norm and a ReLU before the last pooling.
type GumbelSupernet struct {
	*Plain
	Tau float64 // τ, above 0; it may change between passes

	// Noise returns the noise g of a pass for each table of α, normal cells first, with its shape and type. nil draws
	// Gumbel noise from the CPU's default generator.
	Noise func(alpha torch.Tensor) torch.Tensor

	chosen  [genotype.ConvolutionalKinds][][]bool // whether a pass has chosen it: of each edge, each operation
	first   bool                                  // the last pass has chosen an operation for the first time
	reached torch.Tensor                          // see Reached
}

var _ Supernet = (*GumbelSupernet)(nil)

// NewGumbelSupernet makes a supernet as NewPlain does.
func NewGumbelSupernet(o Options, tau float64) (*GumbelSupernet, error) {
	plain, err := NewPlain(o)
	if err != nil {
		return nil, err
	}
	return newGumbelSupernet(plain, tau), nil
}

func newGumbelSupernet(plain *Plain, tau float64) *GumbelSupernet {
	s := &GumbelSupernet{Plain: plain, Tau: tau, reached: torch.Ones(plain.W().Shape(), plain.W().Options())}
	for kind, a := range s.architectures {
		for _, ops := range a.Ops {
			s.chosen[kind] = append(s.chosen[kind], make([]bool, len(ops)))
		}
	}
	s.reach()
	return s
}

// Gradients implements Supernet. It draws the operations of each pass from the CPU's default generator. α has the
// gradient of softmax((log softmax(α) + g)/τ), straight through the choice; weights of other operations have a
// gradient of 0.
func (s *GumbelSupernet) Gradients(w torch.Tensor, b nn.Batch, need Need) Result {
	g := s.gradients(w, b, need, s.draw)
	if s.first {
		s.reach()
	}
	return g
}

// Reached returns a vector like w [P]: 1 where a weight has had a gradient, 0 where it belongs to an operation that
// no pass has chosen yet. In the authors' code an optimizer passes those over: they neither decay nor move. Passes
// change the vector.
func (s *GumbelSupernet) Reached() torch.Tensor { return s.reached }

// reach brings reached up to date with chosen.
func (s *GumbelSupernet) reach() {
	s.first = false
	torch.Scoped(func() {
		for name, view := range s.Weights.Views(s.reached) {
			var cell, edge, op int
			if n, _ := fmt.Sscanf(name, "cells.%d._ops.%d._ops.%d.", &cell, &edge, &op); n < 3 {
				continue // it is part of every pass
			}
			one := 0.0
			if s.chosen[s.Cells[cell].Kind][edge][op] {
				one = 1
			}
			view.Fill_(one)
		}
	})
}

// Chosen returns which operations passes have chosen so far, for a checkpoint: a number for each operation, normal
// cells before reduction cells, edge by edge.
func (s *GumbelSupernet) Chosen() torch.Tensor {
	var all []int64
	for _, edges := range s.chosen {
		for _, edge := range edges {
			for _, was := range edge {
				n := int64(0)
				if was {
					n = 1
				}
				all = append(all, n)
			}
		}
	}
	return torch.FromSlice(all, len(all))
}

// SetChosen takes what Chosen returned. It returns an error for another number of operations, and then changes
// nothing.
func (s *GumbelSupernet) SetChosen(chosen torch.Tensor) error {
	own := s.Chosen()
	defer own.Free()
	if chosen.Dtype() != torch.Int64 || !slices.Equal(chosen.Shape(), own.Shape()) {
		return fmt.Errorf("darts: chosen operations are %s %v, want int64 %v", chosen.Dtype(), chosen.Shape(), own.Shape())
	}
	all := chosen.Int64s()
	for _, edges := range s.chosen {
		for _, edge := range edges {
			for k := range edge {
				edge[k] = all[k] != 0
			}
			all = all[len(edge):]
		}
	}
	s.reach()
	return nil
}

// Eval implements Supernet with the most probable operation of each edge, so that a measurement does not depend on
// chance.
func (s *GumbelSupernet) Eval(b nn.Batch) nn.Output {
	return s.eval(b, func() mixtures { return s.mixBy((*Architecture).likeliest) })
}

// Genotype implements Supernet by the rule of the authors' code. Of all operations of all edges of a node, "none"
// excluded, it takes the two with the largest weights, strongest first. Both may be of one edge, where DARTS takes
// two edges with an operation each.
func (s *GumbelSupernet) Genotype() genotype.Genotype {
	return s.deriveBy(func(a *Architecture) genotype.Cell { return deriveGumbel(a.probabilities(), a.Ops) })
}

// draw draws the operations of both kinds of cells, again until all numbers are finite. It panics with *torch.Error
// if they never are.
func (s *GumbelSupernet) draw() mixtures {
	if !(s.Tau > 0 && s.Tau <= math.MaxFloat64) {
		torch.Misuse("darts.GumbelSupernet", "tau is %g, want a number above 0", s.Tau)
	}
	for range mostDraws {
		finite := true
		mix := s.mixBy(func(a *Architecture) mixture {
			sample, ok := a.sample(s.noise(a), s.Tau)
			finite = finite && ok
			return sample
		})
		if finite {
			s.note(mix)
			return mix
		}
	}
	torch.Misuse("darts.GumbelSupernet", "%d draws and none was finite: alpha or the noise is not", mostDraws)
	return mixtures{}
}

// mostDraws is far more than chance needs: noise in float32 is infinite once in millions of draws.
const mostDraws = 100

func (s *GumbelSupernet) noise(a *Architecture) torch.Tensor {
	if s.Noise != nil {
		g := s.Noise(a.Alpha.Detach())
		if !slices.Equal(g.Shape(), a.Alpha.Shape()) {
			torch.Misuse("darts.GumbelSupernet", "noise of shape %v for a table of %v", g.Shape(), a.Alpha.Shape())
		}
		return g
	}
	return a.gumbel()
}

// note adds the operations of a pass to chosen.
func (s *GumbelSupernet) note(drawn mixtures) {
	for kind, mix := range drawn.of {
		for e, of := range mix {
			for k, weight := range of {
				if weight.Defined() && !s.chosen[kind][e][k] {
					s.chosen[kind][e][k], s.first = true, true
				}
			}
		}
	}
}

// gumbel draws noise g = −log e, e ~ Exponential(1), for each entry of α. It draws in float32, so that one seed gives
// the same noise for every type.
func (a *Architecture) gumbel() (g torch.Tensor) {
	torch.NoGrad(func() {
		u := torch.Rand([]int{len(a.Ops), a.Width()}, torch.Options{})
		e := u.Neg().AddScalar(1).Log().Neg() // of 1 − u, which is above 0
		g = e.Log().Neg().To(a.Alpha.Options())
	})
	return g
}

// sample chooses one operation of each edge by the noise g [edges, operations]:
//
//	p = softmax((log softmax(α) + g)/τ)
//	chosen = argmax p,  h = onehot(chosen) − stop(p) + p
//
// The mixture has h only at the chosen operation of an edge: 1 up to rounding, with the gradient of p. finite reports
// whether g and p are finite.
func (a *Architecture) sample(g torch.Tensor, tau float64) (mix mixture, finite bool) {
	p := a.scores().LogSoftmax(-1).Add(g).DivScalar(tau).Softmax(-1)
	for _, x := range []torch.Tensor{g, p.Detach()} {
		if x.IsFinite().ToDtype(torch.Float32).Amin(nil, false).Item() == 0 {
			return nil, false
		}
	}
	chosen := p.Detach().Argmax(-1, true) // [edges, 1]
	picked := p.Gather(-1, chosen)
	h := torch.OnesLike(picked.Detach()).Sub(picked.Detach()).Add(picked)
	return a.only(chosen.Flatten().Int64s(), h.Flatten().Chunk(len(a.Ops), 0)), true
}

// likeliest returns the mixture of the most probable operation of each edge.
func (a *Architecture) likeliest() mixture {
	chosen := a.scores().Detach().Argmax(-1, false).Int64s()
	one := torch.Ones([]int{1}, a.Alpha.Detach().Options())
	return a.only(chosen, slices.Repeat([]torch.Tensor{one}, len(a.Ops)))
}

// only returns the mixture of one operation of each edge, each with its factor [1].
func (a *Architecture) only(chosen []int64, weights []torch.Tensor) mixture {
	mix := make(mixture, len(a.Ops))
	for e := range mix {
		mix[e] = make([]torch.Tensor, a.Width())
		mix[e][chosen[e]] = weights[e]
	}
	return mix
}

// deriveGumbel derives a cell by the rule of GumbelSupernet.Genotype. Of equal weights the smaller input wins, then
// the smaller column.
func deriveGumbel(mix [][]float64, ops [][]genotype.Op) (c genotype.Cell) {
	type entry struct {
		genotype.Edge
		weight float64
	}
	for i := 0; FirstEdge(i) < len(mix); i++ {
		var entries []entry
		for e := FirstEdge(i); e < FirstEdge(i+1); e++ {
			for k, op := range ops[e] {
				if op != genotype.None {
					entries = append(entries, entry{genotype.Edge{Op: op, From: e - FirstEdge(i)}, mix[e][k]})
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
		for _, it := range entries[:EdgesKept] {
			c.Edges = append(c.Edges, it.Edge)
		}
		c.Concat = append(c.Concat, i+2)
	}
	return c
}
