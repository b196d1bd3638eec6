package cells

import (
	"fmt"
	"maps"
	"math"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"godarts/cells/genotype"
	"godarts/torch"
	"godarts/torch/nn"
	"godarts/torch/torchtest"
)

// whole3x3 is an operation from outside, which takes and gives all channels of its cell.
const whole3x3 = genotype.Op("whole_3x3")

func init() {
	RegisterOp(whole3x3, CustomOp{
		New: func(p nn.Path, c, stride int, affine bool) nn.Layer {
			return nn.Sequential{
				nn.NewConv2d(p.Index(0), c, c, [2]int{3, 3}, torch.Conv2dOptions{Stride: stride, Padding: 1}),
				nn.NewBatchNorm2d(p.Index(1), c, affine),
			}
		},
		Traits: genotype.Traits{
			Weights: func(c float64, _ int, _ bool) float64 { return 9*c*c + 2*c },
			MultiplyAdds: func(c, side float64, stride int) float64 {
				out := math.Ceil(side / float64(stride))
				return 9 * c * c * out * out
			},
		},
	})
}

// prunings are networks with every operation, both stems and the auxiliary head.
func prunings(r *rand.Rand) (all []struct {
	g genotype.Genotype
	o NetworkOptions
}) {
	for i := range 12 {
		ops := genotype.ConvolutionalOps
		if i%4 == 3 {
			ops = append(slices.Clone(ops), whole3x3)
		}
		o := NetworkOptions{Channels: 8, Layers: 3 + i%3, Classes: 3, InputChannels: 1, Size: 8, StemMultiplier: 1 + i%3}
		switch i {
		case 1:
			o.Size, o.Auxiliary = 32, true
		case 2:
			o.Size, o.ImageNet = 224, true
		}
		o.Dtype = torch.Float64
		var g genotype.Genotype
		for kind := range genotype.ConvolutionalKinds {
			c := g.Cell(kind)
			for node := range 1 + i%4 {
				for range 2 {
					c.Edges = append(c.Edges, genotype.Edge{Op: ops[r.IntN(len(ops))], From: r.IntN(node + 2)})
				}
				c.Concat = append(c.Concat, node+2)
			}
		}
		if i == 0 {
			g = genotype.Published[len(genotype.Published)-1].Genotype
		}
		all = append(all, struct {
			g genotype.Genotype
			o NetworkOptions
		}{g, o})
	}
	return all
}

// someKept keeps about half of the channels of each group, at least two of each half.
func someKept(r *rand.Rand, groups []*Group) (keep [][]bool) {
	for _, g := range groups {
		kept := make([]bool, g.Size())
		for k := range kept {
			kept[k] = r.IntN(2) == 0
		}
		for half, at := range []int{0, g.Halves[0]} {
			for i, k := range r.Perm(g.Halves[half]) {
				kept[at+k] = kept[at+k] || i < 2
			}
		}
		keep = append(keep, kept)
	}
	return keep
}

// silence sets the channels that are not kept to zero where batch norms give them.
func silence(sd torch.StateDict, groups []*Group, keep [][]bool) {
	for i, g := range groups {
		for _, norm := range g.Norms {
			for _, name := range []string{".weight", ".bias"} {
				for k, kept := range keep[i] {
					if !kept {
						torch.NoGrad(func() { sd[norm+name].Narrow(0, k, 1).Zero_() })
					}
				}
			}
		}
	}
}

// shaken makes a network with weights and statistics far from those of a fresh one.
func shaken(t *testing.T, g genotype.Genotype, o NetworkOptions) *Network {
	t.Helper()
	net := newTestNetwork(t, g, o)
	torch.NoGrad(func() {
		sd := net.StateDict()
		for _, name := range slices.Sorted(maps.Keys(sd)) {
			switch x := sd[name]; {
			case strings.HasSuffix(name, "running_var"):
				x.Uniform_(0.5, 2)
			case x.Dim() == 1:
				x.Normal_(0, 1)
			}
		}
	})
	return net
}

// orderless makes the sums over channels exact, in whatever order a product of matrices takes them: each filter has one
// weight, which is a power of two, as the factors of batch norms are.
func orderless(r *rand.Rand, net *Network) {
	power := func() float64 { return []float64{-2, -1, -0.5, 0.5, 1, 2}[r.IntN(6)] }
	torch.NoGrad(func() {
		sd := net.StateDict()
		for _, name := range slices.Sorted(maps.Keys(sd)) {
			x := sd[name]
			values := make([]float64, x.Numel())
			switch {
			case strings.HasSuffix(name, "running_var"):
				for i := range values {
					values[i] = 1 - torch.BatchNormEps // the factor of the batch norm is its weight
				}
			case x.Dim() > 1:
				filter := x.Numel() / x.Size(0)
				for row := range x.Size(0) {
					values[row*filter+r.IntN(filter)] = power()
				}
			case strings.HasSuffix(name, ".weight"):
				for i := range values {
					values[i] = power()
				}
			default:
				continue
			}
			x.Copy_(torch.FromSlice(values, x.Shape()...))
		}
	})
}

func TestCutEqualsMasked(t *testing.T) {
	// A cut network gives the same logits as the whole one with zeros in place of the channels, in float64: bit by bit where the order of sums
	// does not matter, and within rounding with any weights. So does a network that is cut twice.
	masks, felt := 0, 0 // with one weight in each filter many channels reach no logit
	for i, it := range prunings(rand.New(rand.NewPCG(1, 1))) {
		for _, exact := range []bool{true, false} {
			t.Run(fmt.Sprint(i, exact), func(t *testing.T) {
				torchtest.Scope(t)
				torch.ManualSeed(uint64(i))
				r := rand.New(rand.NewPCG(uint64(i), 2))
				g, o, net := it.g, it.o, shaken(t, it.g, it.o)
				if exact {
					orderless(r, net)
				}
				b := randomBatch(o, 3)
				for range 2 {
					groups := o.Groups(g)
					keep := someKept(r, groups)
					smaller, widths := o, o.Left(g, keep)
					smaller.Widths = &widths
					cut := newTestNetwork(t, g, smaller)
					if err := cut.LoadStateDict(Cut(net.StateDict(), groups, keep)); err != nil {
						t.Fatal(err)
					}
					whole := net.Logits(b.X)
					silence(net.StateDict(), groups, keep)
					compareCut(t, cut, net, b, exact)
					switch same := slices.Equal(net.Logits(b.X).Float64s(), whole.Float64s()); {
					case !same && exact:
						felt++
						fallthrough
					case exact:
						masks++
					case same:
						t.Errorf("the mask changes no logit")
					}
					net, o = cut, smaller
				}
			})
		}
	}
	if 2*felt < masks {
		t.Errorf("%d of %d masks change a logit, want half of them or more", felt, masks)
	}
}

// compareCut compares the logits of two networks, without a graph and with one.
func compareCut(t *testing.T, cut, masked *Network, b nn.Batch, exact bool) {
	t.Helper()
	for name, pass := range map[string]func(*Network) torch.Tensor{
		"logits":              func(n *Network) torch.Tensor { return n.Logits(b.X) },
		"logits with a graph": func(n *Network) torch.Tensor { return n.Forward(b, nn.Mode{}).Logits.Detach() },
	} {
		got, want := pass(cut), pass(masked)
		if !exact {
			torchtest.Close(t, name, got, want, 1e-10)
		} else if !slices.Equal(got.Float64s(), want.Float64s()) {
			t.Errorf("%s of the cut network are %v, of the masked one %v", name, got.Float64s(), want.Float64s())
		}
	}
}

func TestWholeOperations(t *testing.T) {
	// The states at an operation from outside keep all channels, and those of a widths text that does not say so are refused.
	g := uniformGenotype(genotype.DilConv3x3)
	g.Normal.Edges[3] = genotype.Edge{Op: whole3x3, From: 2}
	o := NetworkOptions{Channels: 4, Layers: 3, Classes: 3, InputChannels: 1, Size: 8, StemMultiplier: 1}
	for _, group := range o.Groups(g) {
		if strings.HasPrefix(group.Place, "state 2 of cell 0") || strings.HasPrefix(group.Place, "state 3 of cell 0") {
			t.Errorf("%s may be cut", group.Place)
		}
	}
	w := o.fullWidths(g)
	w.Cells[0].States[2], w.Cells[0].States[3] = [2]int{1, 1}, [2]int{1, 1}
	o.Widths = &w
	const want = "cells: network: widths of cell 0: state 2 has [1 1] channels, want [2 2]: an operation at it takes all"
	if err := o.Check(g); err == nil || err.Error() != want {
		t.Errorf("%v, want %s", err, want)
	}
}

func TestCountOfPruned(t *testing.T) {
	// Count and Estimate give the numbers of a pruned network, which are fewer than those of the whole one.
	r := rand.New(rand.NewPCG(2, 2))
	for _, it := range prunings(r) {
		torchtest.Scope(t)
		g, o := it.g, it.o
		wholeParameters, wholeAdds := o.Count(g)
		groups := o.Groups(g)
		widths := o.Left(g, someKept(r, groups))
		o.Widths = &widths
		net := newTestNetwork(t, g, o)
		cost := net.Cost()
		parameters, adds := o.Count(g)
		if want := int64(cost.Parameters - cost.Auxiliary.Parameters); parameters != want || parameters >= wholeParameters {
			t.Errorf("%d parameters, want %d, below %d", parameters, want, wholeParameters)
		}
		if want := int64(cost.MultiplyAdds - cost.Auxiliary.MultiplyAdds); adds != want || adds >= wholeAdds {
			t.Errorf("%d multiply-adds, want %d, below %d", adds, want, wholeAdds)
		}
		if got := o.Estimate(g).Weights; got != float64(cost.Parameters) {
			t.Errorf("an estimate of %v weights, want %d", got, cost.Parameters)
		}
		if again, err := genotype.ParseWidths(widths.String()); err != nil || again.String() != widths.String() {
			t.Errorf("%s reads as %s, %v", widths, again, err)
		}
	}
}

func TestWrongWidths(t *testing.T) {
	// Check refuses widths that no pruning leaves, and names the cell and the state.
	skips := uniformGenotype(genotype.SkipConnect)
	o := NetworkOptions{Channels: 4, Layers: 3, Classes: 3, InputChannels: 1, Size: 8, StemMultiplier: 1}
	for _, test := range []struct {
		g      genotype.Genotype
		change func(w *genotype.Widths)
		want   string
	}{
		{skips, func(w *genotype.Widths) {}, ""},
		{skips, func(w *genotype.Widths) { w.Cells = w.Cells[1:] }, "cells: network: widths of 1 convolutions of the stem and of 2 cells, want 1 and 3"},
		{skips, func(w *genotype.Widths) { w.Stem[0] = 5 }, "cells: network: convolution 0 of the stem has 5 channels, want 1 to 4"},
		{skips, func(w *genotype.Widths) { w.Cells[1].States[2] = [2]int{0, 1} }, "cells: network: widths of cell 1: half 0 of state 2 has 0 channels, want 1 to 4"},
		{skips, func(w *genotype.Widths) { w.Cells[0].States[2] = [2]int{1, 1} },
			"cells: network: widths of cell 0: states 0 and 2 have [2 2] and [1 1] channels, want the same: an operation between them keeps each channel"},
		{skips, func(w *genotype.Widths) { w.Cells[0].Inner[1] = 1 }, "cells: network: widths of cell 0: the inside of edge 1 has 1 channels, want 0: only a sep_conv has some"},
		{uniformGenotype(genotype.SepConv3x3), func(w *genotype.Widths) { w.Cells[0].Inner[1] = 5 }, "cells: network: widths of cell 0: the inside of edge 1 has 5 channels, want 1 to 4"},
		{skips, func(w *genotype.Widths) { w.Cells[0].Inner = nil }, "cells: network: widths of cell 0: 4 states and 0 edges, want 4 and 4"},
	} {
		w := o.fullWidths(test.g)
		test.change(&w)
		o.Widths = &w
		got := ""
		if err := o.Check(test.g); err != nil {
			got = err.Error()
		}
		if got != test.want {
			t.Errorf("error %q, want %q", got, test.want)
		}
	}
}
