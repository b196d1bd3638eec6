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

func TestShuffle(t *testing.T) {
	// Channels come in turn from each group when there are 4 groups of 2.
	torchtest.Scope(t)
	x := torch.FromSlice([]float64{0, 1, 2, 3, 4, 5, 6, 7}, 1, 8, 1, 1)
	if got := shuffle(x, 4).Flatten().Float64s(); !slices.Equal(got, []float64{0, 2, 4, 6, 1, 3, 5, 7}) {
		t.Errorf("got %v", got)
	}
}

func TestPartialSizes(t *testing.T) {
	// The search network has the number of weights that the authors' has when it has their sizes.
	torchtest.Scope(t)
	for _, test := range []struct{ partial, want int }{{4, 299578}, {1, 1930618}} {
		net, err := NewPlain(Options{Channels: 16, Layers: 8, Nodes: 4, Classes: 10, InputChannels: 3, StemMultiplier: 3, Partial: test.partial, EdgeNormalisation: true})
		if err != nil {
			t.Fatal(err)
		}
		if got := net.ParameterCount(); got != test.want {
			t.Errorf("k %d: %d weights, want %d", test.partial, got, test.want)
		}
		if got := net.Cost(3, 32).Parameters; got != test.want {
			t.Errorf("k %d: the cost counts %d weights, want %d", test.partial, got, test.want)
		}
	}
}

func TestPartialErrors(t *testing.T) {
	// No network is made when channels are no multiple of 2k.
	torchtest.Scope(t)
	o := Options{Channels: 12, Layers: 3, Nodes: 2, Classes: 4, InputChannels: 1, StemMultiplier: 2, Partial: 4}
	if _, err := NewPlain(o); err == nil || !strings.Contains(err.Error(), "12 channels: a factorized reduction halves 1/4 of them, they must be a multiple of 8") {
		t.Errorf("got %v", err)
	}
}

// partialNetwork is a small one of edges as PC-DARTS has them, with α and β that differ.
func partialNetwork(t *testing.T) (*Plain, nn.Batch) {
	t.Helper()
	o := torch.Options{Dtype: torch.Float64}
	torch.ManualSeed(3)
	net, err := NewPlain(Options{Channels: 8, Layers: 3, Nodes: 2, Classes: 4, InputChannels: 1, StemMultiplier: 1, Partial: 4, EdgeNormalisation: true, Options: o})
	if err != nil {
		t.Fatal(err)
	}
	torch.NoGrad(func() {
		for _, table := range net.Alphas() {
			table.Copy_(torch.Randn(table.Shape(), o))
		}
	})
	return net, nn.Batch{X: torch.Randn([]int{3, 1, 8, 8}, o), Y: torch.RandInt(0, 4, []int{3}, torch.Options{Dtype: torch.Int64})}
}

func TestPartialEdge(t *testing.T) {
	// An edge gives what its definition does, channel by channel, when it keeps the image's size and when it halves it.
	torchtest.Scope(t)
	net, _ := partialNetwork(t)
	const channels, k = 16, 4
	cell := net.Cells[1]
	if cell.Kind != genotype.Reduce {
		t.Fatal("cell 1 does not reduce")
	}
	o := torch.Options{Dtype: torch.Float64}
	x := torch.Randn([]int{2, channels, 6, 6}, o)
	mode := nn.Mode{Training: true, FreezeStatistics: true}
	a := net.Architecture(genotype.Reduce)
	rows := a.probabilities()
	beta := a.beta.Float64s()
	weights := a.edgeWeights()
	for _, test := range []struct {
		edge, node, side int
	}{{0, 0, 3}, {4, 1, 6}} {
		got := cell.edges[test.edge].forward(x, a.mixture()[test.edge], false, mode).Mul(weights[test.edge]).Contiguous().Float64s()
		// β's share among the edges of the node, and the mix without it.
		var sum float64
		for _, b := range beta[FirstEdge(test.node):FirstEdge(test.node+1)] {
			sum += math.Exp(b)
		}
		share := math.Exp(beta[test.edge]) / sum
		active := torch.Zeros([]int{2, channels / k, test.side, test.side}, o)
		for n, op := range cell.edges[test.edge].ops {
			y := op.Forward(x.Slice(1, 0, channels/k, 1).Contiguous(), mode)
			active = active.Add(y.MulScalar(rows[test.edge][n] / share))
		}
		in, mixed := x.Float64s(), active.Contiguous().Float64s()
		at := func(values []float64, all, n, c, h, w, side int) float64 {
			return values[((n*all+c)*side+h)*side+w]
		}
		want := make([]float64, 0, len(got))
		for n := range 2 {
			for c := range channels {
				from := c%k*channels/k + c/k // before the shuffle
				for h := range test.side {
					for w := range test.side {
						var v float64
						switch {
						case from < channels/k:
							v = at(mixed, channels/k, n, from, h, w, test.side)
						case test.side == 6:
							v = at(in, channels, n, from, h, w, 6)
						default:
							v = max(at(in, channels, n, from, 2*h, 2*w, 6), at(in, channels, n, from, 2*h, 2*w+1, 6),
								at(in, channels, n, from, 2*h+1, 2*w, 6), at(in, channels, n, from, 2*h+1, 2*w+1, 6))
						}
						want = append(want, share*v)
					}
				}
			}
		}
		shape := []int{2, channels, test.side, test.side}
		torchtest.Close(t, fmt.Sprint(test), torch.FromSlice(got, shape...), torch.FromSlice(want, shape...), 1e-12)
	}
}

func TestWeighedNodes(t *testing.T) {
	// A node is the sum of its edges, each times its softmax(β), in both kinds of cells of a network that weighs edges.
	torchtest.Scope(t)
	net, b := partialNetwork(t)
	mode := nn.Mode{Training: true, FreezeStatistics: true}
	s0 := net.stem.Forward(b.X, mode)
	s1 := s0
	for layer, cell := range net.Cells {
		a := net.Architecture(cell.Kind)
		mix, beta := a.mixture(), a.beta.Float64s()
		states := []torch.Tensor{cell.preprocess0.Forward(s0, mode), cell.preprocess1.Forward(s1, mode)}
		for i := range cell.Nodes {
			sum := 0.0
			for j := range states {
				sum += math.Exp(beta[FirstEdge(i)+j])
			}
			var node torch.Tensor
			for j, state := range states {
				e := FirstEdge(i) + j
				node = addTo(node, cell.edges[e].forward(state, mix[e], false, mode).MulScalar(math.Exp(beta[e])/sum))
			}
			states = append(states, node)
		}
		want := torch.Cat(states[2:], 1)
		torchtest.Close(t, fmt.Sprintf("cell %d", layer), cell.forward(s0, s1, mix, a.edgeWeights(), false, mode), want, torchtest.Float64)
		s0, s1 = s1, want
	}
	pooled := torch.AdaptiveAvgPool2d(s1, 1, 1).Reshape(b.X.Size(0), -1)
	got := net.Gradients(net.W(), b, Need{FreezeStatistics: true}).Logits
	torchtest.Close(t, "logits", got, net.Classifier.Forward(pooled, mode), torchtest.Float64)
}

func TestBypass(t *testing.T) {
	// Channels beside the operations pass unchanged, but for their places, when the edge keeps the image's size.
	torchtest.Scope(t)
	net, _ := partialNetwork(t)
	x := torch.Randn([]int{2, 8, 4, 4}, torch.Options{Dtype: torch.Float64})
	mix := make([]torch.Tensor, len(genotype.Primitives))
	mix[slices.Index(genotype.Primitives, genotype.SepConv3x3)] = torch.Ones([]int{1}, x.Options())
	got := net.Cells[0].edges[0].forward(x, mix, false, nn.Mode{Training: true, FreezeStatistics: true})
	for i, from := range []int{0, 2, 4, 6, 1, 3, 5, 7} {
		if from >= 2 {
			torchtest.Close(t, fmt.Sprint("channel ", i), got.Select(1, i), x.Select(1, from), 0)
		} else if got.Select(1, i).Sub(x.Select(1, from)).Norm().Item() == 0 {
			t.Errorf("channel %d is none of the operation's", i)
		}
	}
}

func TestEdgeWeights(t *testing.T) {
	// The weights of the edges of each node are above 0 and sum to 1, and all edges have one, when β is random.
	torchtest.Scope(t)
	net, _ := partialNetwork(t)
	weights := net.Architecture(genotype.Normal).edgeWeights()
	if len(weights) != Edges(2) {
		t.Fatalf("%d weights", len(weights))
	}
	for i := range 2 {
		var sum float64
		for _, w := range weights[FirstEdge(i):FirstEdge(i+1)] {
			if !(w.Item() > 0) {
				t.Errorf("node %d: weight %g", i, w.Item())
			}
			sum += w.Item()
		}
		if math.Abs(sum-1) > 1e-15 {
			t.Errorf("node %d: weights sum to %g", i, sum)
		}
	}
}

func TestPartialGradients(t *testing.T) {
	// The gradients of α and β equal finite differences in float64.
	torchtest.Scope(t)
	net, b := partialNetwork(t)
	g := net.Gradients(net.W(), b, Need{W: true, Alphas: true, FreezeStatistics: true})
	loss := func() float64 {
		return net.Gradients(net.W(), b, Need{FreezeStatistics: true}).Loss.Item()
	}
	if len(g.Alphas) != 4 {
		t.Fatalf("gradients of %d tables, want of 4", len(g.Alphas))
	}
	const eps = 1e-6
	for i, table := range net.Alphas() {
		direction := torch.Randn(table.Shape(), table.Options())
		move := func(by float64) { torch.NoGrad(func() { table.AddScaled_(direction, by) }) }
		move(eps)
		up := loss()
		move(-2 * eps)
		down := loss()
		move(eps)
		want := torch.Scalar((up-down)/(2*eps), table.Options())
		torchtest.Close(t, alphaNames[i], direction.Mul(g.Alphas[i]).Sum(), want, 1e-5)
	}
}

func TestBetaOrder(t *testing.T) {
	// α of both kinds comes from the generator before β of both when a network is drawn.
	torchtest.Scope(t)
	o := Options{Channels: 8, Layers: 3, Nodes: 2, Classes: 4, InputChannels: 1, StemMultiplier: 1, Partial: 4}
	torch.ManualSeed(5)
	if _, err := NewPlain(o); err != nil {
		t.Fatal(err)
	}
	want := torch.Randn([]int{2 * Edges(2)}, torch.Options{}).MulScalar(alphaScale)
	o.EdgeNormalisation = true
	torch.ManualSeed(5)
	net, err := NewPlain(o)
	if err != nil {
		t.Fatal(err)
	}
	betas := net.Alphas()[2:]
	torchtest.Close(t, "first beta", betas[0].Narrow(0, 0, 1), want.Narrow(0, 0, 1), 0)
	sd := net.StateDict()
	for i, name := range []string{"betas_normal", "betas_reduce"} {
		if sd[name] != betas[i] {
			t.Errorf("the state dict has no %s", name)
		}
	}
}

func TestWeighedDerivation(t *testing.T) {
	// Edges are ranked by the product of operation's and edge's weight when edges are weighed.
	torchtest.Scope(t)
	a := newArchitecture(2, nil)
	a.Alpha = torch.Zeros([]int{Edges(2), len(genotype.Primitives)}, torch.Options{})
	set := func(edge int, op genotype.Op, v float64) {
		a.Alpha.Select(0, edge).Select(0, slices.Index(genotype.Primitives, op)).Fill_(v)
	}
	set(0, genotype.SkipConnect, 1)
	set(1, genotype.SepConv3x3, 1.1)
	set(2, genotype.MaxPool3x3, 3) // would be first
	set(3, genotype.DilConv5x5, 1)
	set(4, genotype.SepConv5x5, 1.2)
	a.beta = torch.FromSlice([]float32{0.5, 0, -4, 0, 0}, Edges(2))
	want := []genotype.Edge{
		{Op: genotype.SkipConnect, From: 0}, {Op: genotype.SepConv3x3, From: 1},
		{Op: genotype.SepConv5x5, From: 2}, {Op: genotype.DilConv5x5, From: 1},
	}
	if got := a.derive().Edges; !slices.Equal(got, want) {
		t.Errorf("got %v, want %v", got, want)
	}
}
