package darts

import (
	"fmt"
	"slices"

	"godarts/cells"
	"godarts/cells/genotype"
	"godarts/torch"
	"godarts/torch/nn"
)

// RecurrentOptions are the sizes of a recurrent supernet.
type RecurrentOptions struct {
	cells.LanguageOptions
	Nodes int // of the cell; 8 in the paper
}

// RecurrentEdges returns the number of edges of a recurrent cell with that many nodes: node i has one from each of
// the i+1 states before it.
func RecurrentEdges(nodes int) int { return nodes * (nodes + 1) / 2 }

// RecurrentPlain is the recurrent supernet as the paper and the reference write it, with gradients by autograd: a
// language model around a cell whose nodes mix all activations of all states before them. Tests compare the fast form
// with it. Reference rnn/model_search.py RNNModelSearch, DARTSCellSearch.
//
// One batch norm without scale and shift serves state 0 and all nodes, in all time steps. Its running statistics move
// at each use. A batch in training has at least two columns.
type RecurrentPlain struct {
	*cells.Language
	Nodes        int
	bn           *nn.BatchNorm2d
	Architecture *Architecture
}

var (
	_ Supernet = (*RecurrentPlain)(nil)
	_ Hessian  = (*RecurrentPlain)(nil)
)

// NewRecurrentPlain makes a supernet with fresh weights and α, drawn from the default generator in the reference's
// order. It returns an error for sizes that no network has. Its tensors belong to the present scope.
func NewRecurrentPlain(o RecurrentOptions) (*RecurrentPlain, error) {
	if o.Nodes < 1 || o.Nodes > genotype.MaxNodes {
		return nil, fmt.Errorf("darts: recurrent supernet: %d nodes, want 1 to %d", o.Nodes, genotype.MaxNodes)
	}
	s := &RecurrentPlain{Nodes: o.Nodes}
	var err error
	s.Language, err = cells.NewLanguage(o.Nodes, o.LanguageOptions, func(cell nn.Path) {
		s.bn = nn.NewBatchNorm2d(cell.At("bn"), o.Units, false)
	})
	if err != nil {
		return nil, err
	}
	s.Architecture = newRecurrentArchitecture(o.Nodes)
	s.Architecture.draw(o.Options)
	return s, nil
}

func newRecurrentArchitecture(nodes int) *Architecture {
	return &Architecture{Ops: slices.Repeat([][]genotype.Op{genotype.RecurrentPrimitives}, RecurrentEdges(nodes))}
}

// W implements Supernet.
func (s *RecurrentPlain) W() torch.Tensor { return s.Weights().W }

// Alphas implements Supernet.
func (s *RecurrentPlain) Alphas() []torch.Tensor { return []torch.Tensor{s.Architecture.Alpha} }

// Gradients implements Supernet. It takes the dropout masks that b.Masks gives next.
func (s *RecurrentPlain) Gradients(w torch.Tensor, b nn.Batch, need Need) (g Result) {
	if w != s.W() {
		defer swapWeights(s.W(), w)()
	}
	torch.Scoped(func() {
		out := s.pass(b, nn.Mode{Training: true, FreezeStatistics: need.FreezeStatistics})
		loss := out.Loss
		if need.Regularised {
			loss = loss.Add(out.Penalty)
			g.Penalty = torch.Keep(out.Penalty.Detach())
		}
		g.differentiate(loss, s.Weights(), s.Alphas(), need)
		g.Loss, g.Hidden = torch.Keep(out.Loss.Detach()), torch.Keep(out.Hidden)
		if need.Logits {
			g.Logits = torch.Keep(out.Logits.Detach())
		}
	})
	return g
}

// Eval implements Supernet. Logits are [T·B,tokens].
func (s *RecurrentPlain) Eval(b nn.Batch) (out nn.Output) {
	torch.Scoped(func() {
		torch.NoGrad(func() {
			o := s.pass(b, nn.Mode{})
			out = nn.Output{Loss: torch.Keep(o.Loss), Logits: torch.Keep(o.Logits), Hidden: torch.Keep(o.Hidden)}
		})
	})
	return out
}

func (s *RecurrentPlain) pass(b nn.Batch, m nn.Mode) nn.Output {
	return s.Pass(b, m, func(masks cells.Masks) cells.Step { return s.step(masks, m) })
}

// step makes a time step. Reference rnn/model_search.py DARTSCellSearch.cell.
func (s *RecurrentPlain) step(masks cells.Masks, m nn.Mode) cells.Step {
	columns := s.Architecture.Mix().Split(slices.Repeat([]int{1}, len(genotype.RecurrentPrimitives)), 1)
	return func(x, h torch.Tensor) torch.Tensor {
		s0 := s.bn.Forward(s.State0(x, h, masks), m)
		states := s0.Unsqueeze(0) // [i+1,B,H]
		for i, w := range s.Ws {
			in := states
			if masks.State.Defined() {
				in = states.Mul(masks.State)
			}
			ch := in.Matmul(w.Tensor) // [i+1,B,2H]
			var node torch.Tensor
			for k, op := range genotype.RecurrentPrimitives {
				if op == genotype.None {
					continue
				}
				mix := columns[k].Narrow(0, RecurrentEdges(i), i+1).Unsqueeze(1) // [i+1,1,1]
				part := cells.Gate(states, ch, cells.Activation(op)).Mul(mix).SumDims([]int{0}, false)
				if node.Defined() {
					part = node.Add(part)
				}
				node = part
			}
			states = torch.Cat([]torch.Tensor{states, s.bn.Forward(node, m).Unsqueeze(0)}, 0)
		}
		return states.Narrow(0, 1, s.Nodes).MeanDims([]int{0}, false)
	}
}

// HessianVectorProduct implements Hessian exactly, up to rounding, for one draw of dropout masks. The running
// statistics move as in two passes, see Plain.HessianVectorProduct.
func (s *RecurrentPlain) HessianVectorProduct(v torch.Tensor, b nn.Batch) (hvp []torch.Tensor) {
	torch.Scoped(func() {
		before := s.Weights().Stats.Clone()
		loss := s.pass(b, nn.Mode{Training: true}).Loss
		for _, product := range s.Weights().HessianVectorProduct(loss, v, s.Alphas()) {
			hvp = append(hvp, torch.Keep(product))
		}
		// s ↦ r·s + c twice, where once gave s₁ = r·s₀ + c: s₂ = s₁ + r·(s₁ − s₀).
		torch.NoGrad(func() {
			stats := s.Weights().Stats
			stats.AddScaled_(stats.Sub(before), retained(b.X.Size(0)*(s.Nodes+1)))
		})
	})
	return hvp
}

// retained returns the share of running statistics that is left after a number of batches.
func retained(batches int) float64 {
	r := 1.0
	for range batches {
		r *= 1 - StatisticsMomentum
	}
	return r
}

// Genotype implements Supernet.
func (s *RecurrentPlain) Genotype() genotype.Genotype {
	a := s.Architecture
	rows := func() [][]float64 {
		if a.Alpha.Dtype() == torch.Float64 {
			return softmaxRows(a.Alpha.Float64s(), len(genotype.RecurrentPrimitives), a.Ops)
		}
		return softmaxRows(a.Alpha.Float32s(), len(genotype.RecurrentPrimitives), a.Ops)
	}
	return genotype.Genotype{Recurrent: discretizeRecurrent(rows())}
}

// discretizeRecurrent derives a cell from mix = softmax(α). Each node keeps the state and the activation of the
// largest weight, "none" excluded. Of equal weights the smaller index wins. Reference rnn/model_search.py genotype.
func discretizeRecurrent(mix [][]float64) (c genotype.Cell) {
	for i := 0; RecurrentEdges(i) < len(mix); i++ {
		rows := mix[RecurrentEdges(i):RecurrentEdges(i+1)]
		from, best := 0, 0
		for j, row := range rows {
			k := bestOperation(row, genotype.RecurrentPrimitives)
			if j == 0 || row[k] > rows[from][best] {
				from, best = j, k
			}
		}
		c.Edges = append(c.Edges, genotype.Edge{Op: genotype.RecurrentPrimitives[best], From: from})
		c.Concat = append(c.Concat, i+1)
	}
	return c
}

// alphaName is the name of α in state dicts. The reference has an attribute of this name.
const alphaName = "weights"

// StateDict implements nn.Module. It contains α.
func (s *RecurrentPlain) StateDict() torch.StateDict {
	sd := s.Language.StateDict()
	sd[alphaName] = s.Architecture.Alpha
	return sd
}

// LoadStateDict implements nn.Module.
func (s *RecurrentPlain) LoadStateDict(sd torch.StateDict) error {
	return loadWithAlphas(s.Language, sd, map[string]torch.Tensor{alphaName: s.Architecture.Alpha})
}

// ParameterCount counts the weights, without α, the tied matrix once.
func (s *RecurrentPlain) ParameterCount() int { return s.Weights().Count("") }

// Views cuts a vector like w, such as a gradient, into tensors under the parameters' names.
func (s *RecurrentPlain) Views(flat torch.Tensor) torch.StateDict { return s.Weights().Views(flat) }
