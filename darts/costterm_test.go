package darts

import (
	"fmt"
	"math"
	"testing"

	"godarts/cells/genotype"
	"godarts/torch"
	"godarts/torch/nn"
	"godarts/torch/optim"
	"godarts/torch/torchtest"
)

var float64s = torch.Options{Dtype: torch.Float64}

// smallCosts is a space of two nodes whose edges have different numbers of operations, and a cost for each.
func smallCosts() (space Space, cost func(genotype.Kind, int, genotype.Op) float64) {
	two := []genotype.Op{genotype.SkipConnect, genotype.SepConv3x3}
	three := []genotype.Op{genotype.None, genotype.MaxPool3x3, genotype.DilConv5x5}
	each := map[genotype.Op]float64{genotype.SepConv3x3: 3, genotype.DilConv5x5: 5, genotype.MaxPool3x3: 0.5}
	space = Space{Nodes: 2, Normal: [][]genotype.Op{two, three, two, two, three}, Reduce: [][]genotype.Op{three, two, two, three, two}}
	return space, func(kind genotype.Kind, from int, op genotype.Op) float64 {
		return each[op] * (1 + float64(from)) * (1 + 10*float64(kind))
	}
}

// smallAlphas draws α for the space of smallCosts.
func smallAlphas() []torch.Tensor {
	torch.ManualSeed(5)
	return []torch.Tensor{torch.Randn([]int{5, 3}, float64s), torch.Randn([]int{5, 3}, float64s)}
}

// enumerated is the mean cost over all derived cells: two edges into each node, all pairs alike, with any operations.
func enumerated(space Space, cost func(genotype.Kind, int, genotype.Op) float64, alphas []torch.Tensor) (sum float64) {
	for kind := range genotype.ConvolutionalKinds {
		ops, values := space.Ops(kind), alphas[kind].Float64s()
		p := func(e, k int) float64 {
			z := 0.0
			for i := range ops[e] {
				z += math.Exp(values[3*e+i])
			}
			return math.Exp(values[3*e+k]) / z
		}
		first := 0
		for node := range space.Nodes {
			n := node + 2
			pairs := float64(n*(n-1)) / 2
			for a := range n {
				for b := range a {
					for i, opA := range ops[first+a] {
						for j, opB := range ops[first+b] {
							sum += p(first+a, i) * p(first+b, j) / pairs * (cost(kind, a, opA) + cost(kind, b, opB))
						}
					}
				}
			}
			first += n
		}
	}
	return sum
}

func TestExpectedCost(t *testing.T) {
	// The expected cost is the mean over all cells that can be derived when α is any.
	torchtest.Scope(t)
	space, cost := smallCosts()
	const fixed = 7
	term := NewCostTerm(space, CostOptions{Fixed: fixed, Cost: cost, Weight: 1, Options: float64s})
	alphas := smallAlphas()
	got, want := term.Expected(alphas).Item(), fixed+enumerated(space, cost, alphas)
	if math.Abs(got-want) > 1e-12*want {
		t.Errorf("expected cost %.15g, by enumeration %.15g", got, want)
	}
}

func TestCostGradient(t *testing.T) {
	// The gradient is the one of finite differences of the term, and added to what is there, when α is any, with a target on either side and without.
	torchtest.Scope(t)
	space, cost := smallCosts()
	alphas := smallAlphas()
	expected := enumerated(space, cost, alphas)
	zero := []torch.Tensor{torch.Zeros([]int{5, 3}, float64s), torch.Zeros([]int{5, 3}, float64s)}
	for _, target := range []float64{0, expected / 2, 2 * expected} {
		const weight = 0.3
		term := NewCostTerm(space, CostOptions{Cost: cost, Weight: weight, Target: target, Options: float64s})
		value := func() float64 {
			e := enumerated(space, cost, alphas)
			if target > 0 {
				return weight * math.Abs(e/target-1)
			}
			return weight * e / enumerated(space, cost, zero)
		}
		gradients := []torch.Tensor{torch.Ones([]int{5, 3}, float64s), torch.Ones([]int{5, 3}, float64s)}
		term.AddGradient(gradients, alphas)
		for kind, alpha := range alphas {
			got := gradients[kind].Float64s()
			for i := range got {
				at := alpha.Flatten().Narrow(0, i, 1) // a view
				const step = 1e-5
				at.AddScalar_(step)
				up := value()
				at.AddScalar_(-2 * step)
				down := value()
				at.AddScalar_(step)
				if want := 1 + (up-down)/(2*step); math.Abs(got[i]-want) > 1e-9 {
					t.Errorf("target %.0f, table %d, entry %d: %.12g, by differences %.12g", target, kind, i, got[i], want)
				}
			}
		}
	}
}

func TestCostIsSecondOrderToo(t *testing.T) {
	// A step's gradient of α is the one without the cost plus the cost's, in both orders.
	torchtest.Scope(t)
	for _, xi := range []float64{0, 0.025} {
		ops := []genotype.Op{genotype.SkipConnect, genotype.DilConv3x3}
		space := Everywhere(2, ops)
		net, train := smallNetwork(t, 2, space.Normal)
		valid := nn.Batch{X: train.X.Neg(), Y: train.Y}
		w := optim.NewSGD([]torch.Tensor{net.W()}, optim.SGDOptions{LR: 0.1, Momentum: 0.9})
		architect := NewArchitect(net, w, optim.NewAdam(net.Alphas(), optim.AdamOptions{LR: 0.1}))
		term := NewCostTerm(space, CostOptions{Weight: 2, Options: float64s,
			Cost: func(_ genotype.Kind, from int, op genotype.Op) float64 { return float64(len(op) * (1 + from)) }})
		want := architect.Gradient(train, valid, xi).Alphas
		term.AddGradient(want, net.Alphas())
		architect.Cost = term
		for i, got := range architect.Gradient(train, valid, xi).Alphas {
			torchtest.Close(t, fmt.Sprintf("xi %g, table %d", xi, i), got, want[i], 1e-12)
		}
	}
}
