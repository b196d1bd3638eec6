package darts

import (
	"fmt"
	"math"
	"slices"
	"strings"
	"testing"

	"godarts/cells/genotype"
	"godarts/torch"
	"godarts/torch/nn"
	"godarts/torch/torchtest"
)

func TestSampleFrequencies(t *testing.T) {
	// Operations come as often as softmax(α) says, whatever τ is, in 1e5 draws.
	torchtest.Scope(t)
	const nodes, times = 44, 100
	row := []float64{0.5, -1, 0, 1.5, -0.3, 0.2, 0, -2}
	a := newArchitecture(nodes, nil)
	edges := Edges(nodes)
	a.Alpha = torch.FromSlice(slices.Repeat(row, edges), edges, len(row))
	want := softmax(row)
	for _, tau := range []float64{0.1, 10} {
		torch.ManualSeed(7)
		count := make([]float64, len(row))
		for range times {
			torch.Scoped(func() {
				mix, finite := a.sample(a.gumbel(), tau)
				if !finite {
					t.Error("the sample is not finite")
				}
				for _, of := range mix {
					count[slices.IndexFunc(of, torch.Tensor.Defined)]++
				}
			})
		}
		n := float64(times * edges)
		for k, p := range want {
			if sigma := math.Sqrt(n * p * (1 - p)); math.Abs(count[k]-n*p) > 4*sigma {
				t.Errorf("tau %g, operation %d: %g of %g draws, want %.0f ± %.0f", tau, k, count[k], n, n*p, sigma)
			}
		}
	}
}

func TestSampleGradient(t *testing.T) {
	// α has the gradient ⟨G, o(x)⟩·p_o·(δ_ok − p_k)/τ, o the operation that the noise chooses, and the weight is 1, in float64.
	torchtest.Scope(t)
	a := newArchitecture(1, nil)
	edges, width := Edges(1), len(genotype.Primitives)
	torch.ManualSeed(2)
	a.Alpha = torch.Randn([]int{edges, width}, torch.Options{Dtype: torch.Float64})
	a.Alpha.RequiresGrad_(true)
	for _, tau := range []float64{0.3, 1, 10} {
		g := torch.Randn([]int{edges, width}, torch.Options{Dtype: torch.Float64})
		noise := g.Float64s()
		mix, finite := a.sample(g, tau)
		if !finite {
			t.Fatal("the sample is not finite")
		}
		product := []float64{0.7, -1.3} // ⟨G, o(x)⟩ of the edges
		var loss torch.Tensor
		var want []float64
		for e := range edges {
			z := make([]float64, width)
			for k := range z {
				z[k] = (a.Alpha.Float64s()[e*width+k] + noise[e*width+k]) / tau
			}
			p := softmax(z)
			chosen := slices.Index(p, slices.Max(p))
			for k, h := range mix[e] {
				if h.Defined() != (k == chosen) {
					t.Errorf("edge %d, operation %d: chosen %v, want operation %d", e, k, h.Defined(), chosen)
				}
				delta := 0.0
				if k == chosen {
					delta = 1
				}
				want = append(want, product[e]*p[chosen]*(delta-p[k])/tau)
			}
			h := mix[e][chosen]
			if math.Abs(h.Item()-1) > 1e-15 {
				t.Errorf("edge %d weighs %g", e, h.Item())
			}
			loss = addTo(loss, h.MulScalar(product[e]))
		}
		got := torch.Grad([]torch.Tensor{loss.Sum()}, []torch.Tensor{a.Alpha}, torch.GradOptions{})[0]
		torchtest.Close(t, "gradient", got, torch.FromSlice(want, edges, width), 1e-12)
	}
}

// sampledNetwork is a small one whose α differs from edge to edge.
func sampledNetwork(t *testing.T, tau float64) (*GumbelSupernet, nn.Batch) {
	net, b := smallNetwork(t, 2, nil)
	return newGumbelSupernet(net, tau), b
}

func TestSampleAgain(t *testing.T) {
	// A sample is refused when noise or probabilities are not finite.
	torchtest.Scope(t)
	a := newArchitecture(1, nil)
	a.Alpha = torch.Zeros([]int{Edges(1), len(genotype.Primitives)}, torch.Options{})
	g := a.gumbel()
	if _, finite := a.sample(g, 1); !finite {
		t.Error("finite noise is refused")
	}
	g.Select(0, 1).Select(0, 3).Fill_(math.Inf(1))
	if _, finite := a.sample(g, 1); finite {
		t.Error("infinite noise is taken")
	}
}

func TestSampledPass(t *testing.T) {
	// A pass computes the result of only the operations that were drawn, and gives the others no gradient.
	torchtest.Scope(t)
	net, b := sampledNetwork(t, 1)
	for seed := range uint64(3) {
		torch.ManualSeed(seed)
		got := net.Gradients(net.W(), b, Need{W: true, Alphas: true, FreezeStatistics: true})
		torch.ManualSeed(seed)
		drawn := net.draw()
		one := torch.Ones([]int{1}, net.W().Detach().Options())
		for _, mix := range drawn.of {
			for _, of := range mix {
				for k := range of {
					if of[k].Defined() {
						of[k] = one
					}
				}
			}
		}
		want := net.gradients(net.W(), b, Need{W: true, FreezeStatistics: true}, func() mixtures { return drawn })
		torchtest.Close(t, "logits", got.Logits, want.Logits, 1e-12)
		torchtest.Close(t, "gradient of w", got.W, want.W, 1e-11)
		if got.Alphas[0].Norm().Item() == 0 || got.Alphas[1].Norm().Item() == 0 {
			t.Error("α has no gradient")
		}
	}
}

// counted counts how often a layer is computed.
type counted struct {
	nn.Layer
	passes *int
}

func (c counted) Forward(x torch.Tensor, m nn.Mode) torch.Tensor {
	*c.passes++
	return c.Layer.Forward(x, m)
}

func TestSampledCost(t *testing.T) {
	// A pass computes one operation for each edge, in training and in evaluation.
	torchtest.Scope(t)
	net, b := sampledNetwork(t, 1)
	passes := 0
	for _, cell := range net.Cells {
		for _, edge := range cell.edges {
			for k, op := range edge.ops {
				edge.ops[k] = counted{op, &passes}
			}
		}
	}
	want := len(net.Cells) * Edges(2)
	net.Gradients(net.W(), b, Need{W: true, Alphas: true})
	if passes != want {
		t.Errorf("%d operations computed, want %d", passes, want)
	}
	passes = 0
	one := nn.Batch{X: b.X.Narrow(0, 0, 1), Y: b.Y.Narrow(0, 0, 1)} // images are shared out
	net.Eval(one)
	if passes != want {
		t.Errorf("%d operations computed, want %d", passes, want)
	}
}

func TestReached(t *testing.T) {
	// Weights of operations count as reached once a pass has chosen them, those of stem, preprocessing and classifier always, also in a network that takes over what was chosen.
	torchtest.Scope(t)
	net, b := sampledNetwork(t, 1)
	name := func(kind genotype.Kind, edge, op int) string {
		for i, cell := range net.Cells {
			if cell.Kind == kind {
				return fmt.Sprintf("cells.%d._ops.%d._ops.%d.", i, edge, op)
			}
		}
		panic("no such cell")
	}
	check := func(net *GumbelSupernet, chosen func(kind genotype.Kind, edge, op int) bool) {
		t.Helper()
		views := net.Views(net.Reached())
		operations := 0
		for kind := range genotype.ConvolutionalKinds {
			for edge := range Edges(2) {
				for op := range genotype.Primitives {
					prefix, want := name(kind, edge, op), 0.0
					if chosen(kind, edge, op) {
						want = 1
					}
					for at, view := range views {
						if !strings.HasPrefix(at, prefix) {
							continue
						}
						operations++
						if view.Amin(nil, false).Item() != want || view.Amax(nil, false).Item() != want {
							t.Errorf("%s: reached %v, want %v", at, view.Float64s(), want)
						}
					}
				}
			}
		}
		if operations == 0 {
			t.Error("no operation has weights")
		}
		for at, view := range views {
			if !strings.Contains(at, "._ops.") && view.Amin(nil, false).Item() != 1 {
				t.Errorf("%s is not reached", at)
			}
		}
	}
	check(net, func(genotype.Kind, int, int) bool { return false })
	seen := map[[3]int]bool{}
	for seed := range uint64(2) {
		torch.ManualSeed(seed)
		drawn := net.draw()
		for kind, mix := range drawn.of {
			for edge, of := range mix {
				seen[[3]int{kind, edge, slices.IndexFunc(of, torch.Tensor.Defined)}] = true
			}
		}
	}
	fresh, _ := sampledNetwork(t, 1)
	for seed := range uint64(2) {
		torch.ManualSeed(seed)
		fresh.Gradients(fresh.W(), b, Need{Alphas: true})
	}
	was := func(kind genotype.Kind, edge, op int) bool { return seen[[3]int{int(kind), edge, op}] }
	check(fresh, was)
	other, _ := sampledNetwork(t, 1)
	if err := other.SetChosen(fresh.Chosen()); err != nil {
		t.Fatal(err)
	}
	check(other, was)
	if err := other.SetChosen(torch.FromSlice([]int64{1}, 1)); err == nil {
		t.Error("one number is taken for all operations")
	}
}

func TestTemperature(t *testing.T) {
	// The gradient of α falls as 1/τ when τ is large.
	torchtest.Scope(t)
	net, b := sampledNetwork(t, 0)
	norm := func(tau float64) float64 {
		net.Tau = tau
		torch.ManualSeed(4)
		return net.Gradients(net.W(), b, Need{Alphas: true, FreezeStatistics: true}).Alphas[0].Norm().Item()
	}
	if ratio := norm(1000) / norm(2000); math.Abs(ratio-2) > 0.02 {
		t.Errorf("the gradient at τ 1000 is %g times that at 2000, want 2", ratio)
	}
}

func TestStrongest(t *testing.T) {
	// A node has its two strongest operations, of one edge where they are, and never "none".
	mix := slices.Repeat([][]float64{make([]float64, len(genotype.Primitives))}, Edges(2))
	for e := range mix {
		mix[e] = slices.Clone(mix[e])
		mix[e][0] = 0.9
	}
	mix[0][3], mix[0][5], mix[1][4] = 0.3, 0.4, 0.2 // node 2: both of input 0
	mix[3][1], mix[4][2], mix[4][6] = 0.1, 0.1, 0.1 // node 3: ties go to the smaller input and operation
	got := deriveGumbel(mix, newArchitecture(2, nil).Ops)
	want := []genotype.Edge{
		{Op: genotype.SepConv5x5, From: 0}, {Op: genotype.SkipConnect, From: 0},
		{Op: genotype.MaxPool3x3, From: 1}, {Op: genotype.AvgPool3x3, From: 2},
	}
	if !slices.Equal(got.Edges, want) || fmt.Sprint(got.Concat) != "[2 3]" {
		t.Errorf("got %v, want %v", got, want)
	}
	if err := (genotype.Genotype{Normal: got, Reduce: got}).Validate(); err != nil {
		t.Error(err)
	}
}
