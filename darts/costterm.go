package darts

import (
	"math"

	"godarts/cells/genotype"
	"godarts/torch"
)

// CostTerm adds what the network of a derived cell is expected to cost to the loss that α minimises.
//
// Edge e has operation o with probability p_eo = softmax(α_e)_o. A derived cell keeps two edges into each node, so that
// one of n is kept with probability 2/n. With the cost c_eo of o on e in all cells of the network, and the cost Fixed
// of the rest of it, the network is expected to cost
//
//	E(α) = Fixed + Σ_e 2/n_e Σ_o p_eo·c_eo
//
// The term is Weight·E(α)/E(0), or with a target Weight·|E(α)/Target − 1|. The first is Eq. 4 of ProxylessNAS (Cai, Zhu,
// Han, ICLR 2019, arXiv 1812.00332) with a cost instead of a latency, the second the absolute reward of TuNAS (Bender et
// al., CVPR 2020, arXiv 2008.06120). Neither depends on w, so that the second order's product is the same with them.
type CostTerm struct {
	fixed  float64
	costs  []torch.Tensor // 2/n_e·c_eo of each kind [edges, columns of α]; 0 where an edge has no operation
	absent []torch.Tensor // where an edge has no operation; the zero Tensor if each has one in all columns
	weight float64
	target float64
	unit   float64 // E(0)
}

// CostOptions say what cells cost and how much that counts.
type CostOptions struct {
	Fixed  float64 // ≥ 0
	Cost   func(kind genotype.Kind, from int, op genotype.Op) float64
	Weight float64 // > 0
	Target float64 // ≥ 0; 0 for none
	torch.Options
}

// NewCostTerm makes a term for α over the operations of a space. Its tensors belong to the current scope. It panics with
// *torch.Error for options that no term has, and if nothing in the space costs anything.
func NewCostTerm(space Space, o CostOptions) *CostTerm {
	torch.NeedFunction("darts.NewCostTerm", o.Cost == nil)
	if !(o.Weight > 0 && o.Target >= 0 && o.Fixed >= 0 && o.Weight+o.Target+o.Fixed <= math.MaxFloat64) {
		torch.Misuse("darts.NewCostTerm", "weight %g, target %g, fixed %g", o.Weight, o.Target, o.Fixed)
	}
	t := &CostTerm{fixed: o.Fixed, weight: o.Weight, target: o.Target}
	var zero []torch.Tensor
	for kind := range genotype.ConvolutionalKinds {
		ops := space.Ops(kind)
		columns := 0
		for _, of := range ops {
			columns = max(columns, len(of))
		}
		var costs []float64
		var absent []bool
		missing := false
		inputs, from := kind.Inputs(), 0
		for _, of := range ops {
			for k := range columns {
				cost := 0.0
				if k < len(of) {
					cost = 2 / float64(inputs) * o.Cost(kind, from, of[k])
				}
				if !(cost >= 0 && cost <= math.MaxFloat64) {
					torch.Misuse("darts.NewCostTerm", "%s costs %g", of[k], cost)
				}
				costs, absent = append(costs, cost), append(absent, k >= len(of))
				missing = missing || k >= len(of)
			}
			if from++; from == inputs {
				inputs, from = inputs+1, 0
			}
		}
		shape := []int{len(ops), columns}
		t.costs = append(t.costs, torch.FromSliceTo(costs, shape, o.Options))
		t.absent = append(t.absent, torch.Tensor{})
		if missing {
			t.absent[kind] = torch.FromSlice(absent, shape...).To(torch.Options{Dtype: torch.Bool, Device: o.Device})
		}
		zero = append(zero, torch.Zeros(shape, o.Options))
	}
	torch.Scoped(func() { t.unit = t.Expected(zero).Item() })
	if t.unit == 0 {
		torch.Misuse("darts.NewCostTerm", "no operation of the space costs anything")
	}
	return t
}

// Expected returns E(α) without dimensions. alphas are the tables of normal and reduction cells; others after them, such
// as β, are not read.
func (t *CostTerm) Expected(alphas []torch.Tensor) torch.Tensor {
	t.needTables(alphas)
	var sum torch.Tensor
	torch.Scoped(func() {
		sum = torch.Scalar(t.fixed, t.costs[0].Options())
		for kind, costs := range t.costs {
			sum = sum.Add(t.mix(alphas, kind).Mul(costs).Sum())
		}
		torch.Keep(sum)
	})
	return sum
}

// needTables panics with *torch.Error unless there is a table of each kind.
func (t *CostTerm) needTables(tables []torch.Tensor) {
	if t == nil || len(t.costs) == 0 || len(tables) < len(t.costs) {
		torch.Misuse("darts.CostTerm", "%d tables, want one of each kind of cell", len(tables))
	}
}

// mix returns softmax(α) of the operations that the edges of a kind have.
func (t *CostTerm) mix(alphas []torch.Tensor, kind int) torch.Tensor {
	alpha := alphas[kind].Detach()
	if t.absent[kind].Defined() {
		alpha = alpha.MaskedFill(t.absent[kind], math.Inf(-1))
	}
	return alpha.Softmax(-1)
}

// AddGradient adds the gradient of the term at alphas to gradients, table by table:
//
//	∂E/∂α_eo = 2/n_e·p_eo·(c_eo − Σ_k p_ek·c_ek)
func (t *CostTerm) AddGradient(gradients, alphas []torch.Tensor) {
	t.needTables(alphas)
	t.needTables(gradients)
	torch.NoGrad(func() {
		torch.Scoped(func() {
			scale := torch.Scalar(t.weight/t.unit, t.costs[0].Options())
			if t.target > 0 {
				above := t.Expected(alphas).GeScalar(t.target).ToDtype(scale.Dtype()) // 1 or 0
				scale = above.MulScalar(2).AddScalar(-1).MulScalar(t.weight / t.target)
			}
			for kind, costs := range t.costs {
				p := t.mix(alphas, kind)
				pc := p.Mul(costs)
				gradients[kind].Add_(pc.Sub(p.Mul(pc.SumDims([]int{-1}, true))).Mul(scale))
			}
		})
	})
}
