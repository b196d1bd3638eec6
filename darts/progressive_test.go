package darts

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"godarts/cells/genotype"
	"godarts/torch"
	"godarts/torch/nn"
	"godarts/torch/torchtest"
)

func TestStages(t *testing.T) {
	// Edges have 8, 5, 3 operations and one, the most probable at each end, when α is random.
	torchtest.Scope(t)
	o := Options{Channels: 2, Layers: 3, Nodes: 3, Classes: 4, InputChannels: 1, StemMultiplier: 1}
	torch.ManualSeed(9)
	space := FullSpace(3)
	for stage, want := range []int{8, 5, 3} {
		o.Normal, o.Reduce = space.Normal, space.Reduce
		net, err := NewPlain(o)
		if err != nil {
			t.Fatal(err)
		}
		torch.NoGrad(func() {
			for _, alpha := range net.Alphas() {
				alpha.Copy_(torch.Randn(alpha.Shape(), torch.Options{}))
			}
		})
		if width := net.Alphas()[0].Size(1); width != want {
			t.Errorf("stage %d: α has %d columns, want %d", stage, width, want)
		}
		if stage == 2 {
			g := net.LimitedGenotype(2)
			if err := g.Validate(); err != nil {
				t.Error(err)
			}
			break
		}
		drop := []int{3, 2}[stage]
		space = net.Remaining(drop)
		if err := space.Validate(); err != nil {
			t.Error(err)
		}
		for e, p := range net.Architecture(genotype.Normal).probabilities() {
			var kept, gone []float64
			for k, op := range net.Architecture(genotype.Normal).Ops[e] {
				if slices.Contains(space.Normal[e], op) {
					kept = append(kept, p[k])
				} else {
					gone = append(gone, p[k])
				}
			}
			if len(gone) != drop || slices.Min(kept) < slices.Max(gone) {
				t.Errorf("stage %d, edge %d: kept %v, dropped %v", stage, e, kept, gone)
			}
			if !slices.IsSortedFunc(space.Normal[e], func(a, b genotype.Op) int {
				return slices.Index(genotype.Primitives, a) - slices.Index(genotype.Primitives, b)
			}) {
				t.Errorf("stage %d, edge %d: order %v", stage, e, space.Normal[e])
			}
		}
	}
}

func TestDropWeakest(t *testing.T) {
	// The first of equally weak operations goes, "none" as any other, when two are dropped.
	ops := [][]genotype.Op{{genotype.None, genotype.SkipConnect, genotype.SepConv3x3, genotype.DilConv3x3}}
	for _, test := range []struct {
		p    []float64
		want []genotype.Op
	}{
		{[]float64{0.1, 0.2, 0.2, 0.5}, []genotype.Op{genotype.SepConv3x3, genotype.DilConv3x3}},
		{[]float64{0.7, 0.1, 0.1, 0.1}, []genotype.Op{genotype.None, genotype.DilConv3x3}},
	} {
		if got := dropWeakest([][]float64{test.p}, ops, 2)[0]; !slices.Equal(got, test.want) {
			t.Errorf("%v: got %v, want %v", test.p, got, test.want)
		}
	}
}

func TestLastOperation(t *testing.T) {
	// An edge ends with its most probable operation that is not "none", the last of equal ones, when it has three.
	withNone := []genotype.Op{genotype.None, genotype.SkipConnect, genotype.SepConv3x3}
	without := []genotype.Op{genotype.SkipConnect, genotype.SepConv3x3, genotype.DilConv3x3}
	for _, test := range []struct {
		ops  []genotype.Op
		p    []float64
		want int
	}{
		{withNone, []float64{0.8, 0.15, 0.05}, 1},
		{withNone, []float64{0.2, 0.4, 0.4}, 2},
		{withNone, []float64{0, 0, 0.1}, 2},
		{withNone, []float64{0, 0.1, 0}, 1},
		{without, []float64{0.5, 0.3, 0.2}, 0},
		{without, []float64{0.4, 0.4, 0.2}, 1},
	} {
		if got := lastOperation(test.p, test.ops); got != test.want {
			t.Errorf("%v of %v: operation %d, want %d", test.p, test.ops, got, test.want)
		}
	}
}

func TestStrongInputs(t *testing.T) {
	// A node keeps its two strongest edges in the order of inputs, the larger of equal ones.
	for _, test := range []struct {
		strengths []float64
		want      []int
	}{
		{[]float64{0.1, 0.9}, []int{0, 1}},
		{[]float64{0.9, 0.1, 0.5}, []int{0, 2}},
		{[]float64{0.5, 0.5, 0.5, 0.5}, []int{2, 3}},
		{[]float64{0.5, 0.6, 0.5, 0.1, 0.2}, []int{1, 2}},
	} {
		var p [][]float64
		for _, s := range test.strengths {
			p = append(p, []float64{0, s})
		}
		if got := strongInputs(p); !slices.Equal(got, test.want) {
			t.Errorf("%v: got %v, want %v", test.strengths, got, test.want)
		}
	}
}

// lastStage is a table of a last stage whose cell has 4 skip connections: one on each of
// the first edges of 4 nodes.
func lastStage() (p [][]float64, ops [][]genotype.Op) {
	for i := range 4 {
		for j := range i + 2 {
			if j == 0 {
				ops = append(ops, []genotype.Op{genotype.None, genotype.SkipConnect, genotype.SepConv3x3})
				p = append(p, []float64{0.2, 0.5 + 0.05*float64(i), 0.3 - 0.05*float64(i)})
			} else {
				ops = append(ops, []genotype.Op{genotype.SkipConnect, genotype.SepConv3x3, genotype.DilConv5x5})
				p = append(p, []float64{0.25, 0.4 - 0.01*float64(j), 0.35 + 0.01*float64(j)})
			}
		}
	}
	return p, ops
}

func skipsOf(c genotype.Cell) (edges []int) {
	for i, e := range c.Edges {
		if e.Op == genotype.SkipConnect {
			edges = append(edges, i)
		}
	}
	return edges
}

func TestLimitSkips(t *testing.T) {
	// The least probable skip connections go, one after the other, when fewer may stay, and the table is left as it is.
	p, ops := lastStage()
	before := fmt.Sprint(p)
	for most, want := range map[int]string{8: "[0 2 4 6]", 4: "[0 2 4 6]", 3: "[2 4 6]", 2: "[4 6]", 1: "[6]", 0: "[]"} {
		c := deriveProgressive(p, ops, most)
		if got := fmt.Sprint(skipsOf(c)); got != want {
			t.Errorf("at most %d: skip connections on edges %s of %v, want %s", most, got, c.Edges, want)
		}
	}
	if fmt.Sprint(p) != before {
		t.Error("the table has changed")
	}
	// Node 2's first edge ends with its convolution; node 3's loses its place, for its convolution is weak.
	got := deriveProgressive(p, ops, 2).Edges[:4]
	want := []genotype.Edge{{Op: genotype.SepConv3x3, From: 0}, {Op: genotype.SepConv3x3, From: 1}, {Op: genotype.SepConv3x3, From: 1}, {Op: genotype.SepConv3x3, From: 2}}
	if !slices.Equal(got, want) {
		t.Errorf("got %v, want %v", got, want)
	}
}

func TestLimitSkipsAnywhere(t *testing.T) {
	// The normal cell has at most as many skip connections as may stay, the other is not touched, when tables are random.
	torchtest.Scope(t)
	r := rand.New(rand.NewPCG(1, 2))
	for range 50 {
		p, ops := lastStage()
		for e := range p {
			for k := range p[e] {
				p[e][k] = r.Float64()
			}
		}
		free := deriveProgressive(p, ops, 8)
		for most := range 4 {
			if got := len(skipsOf(deriveProgressive(p, ops, most))); got > most {
				t.Errorf("%d skip connections, want at most %d", got, most)
			}
		}
		if !slices.Equal(free.Edges, deriveProgressive(p, ops, len(skipsOf(free))).Edges) {
			t.Error("a limit that is kept changes the cell")
		}
		flat := table32(p)
		a := &Architecture{Ops: ops, Alpha: flat}
		g := (&Plain{architectures: [2]*Architecture{a, a}}).LimitedGenotype(0)
		if len(skipsOf(g.Normal)) != 0 {
			t.Errorf("normal cell %v", g.Normal)
		}
		if unlimited := (&Plain{architectures: [2]*Architecture{a, a}}).LimitedGenotype(8); !slices.Equal(g.Reduce.Edges, unlimited.Normal.Edges) {
			t.Errorf("reduction cell %v, want %v", g.Reduce, unlimited.Normal)
		}
	}
	// Where edges have only skip connections the search for others ends.
	only := slices.Repeat([][]genotype.Op{{genotype.SkipConnect}}, Edges(2))
	if c := deriveProgressive(slices.Repeat([][]float64{{1}}, Edges(2)), only, 0); len(c.Edges) != 4 {
		t.Errorf("got %v", c)
	}
}

func table32(p [][]float64) torch.Tensor {
	var flat []float32
	for _, row := range p {
		for _, v := range row {
			flat = append(flat, float32(v))
		}
	}
	return torch.FromSlice(flat, len(p), len(p[0]))
}

func TestSkipDropout(t *testing.T) {
	// Identities drop elements in training and scale the others, factorized reductions and networks without a rate do not.
	torchtest.Scope(t)
	o := torch.Options{Dtype: torch.Float64}
	build := func(rate float64) *Plain {
		torch.ManualSeed(1)
		net, err := NewPlain(Options{Channels: 4, Layers: 3, Nodes: 2, Classes: 4, InputChannels: 1, StemMultiplier: 1, SkipDropout: rate, Options: o})
		if err != nil {
			t.Fatal(err)
		}
		return net
	}
	net := build(0.3)
	net.SetSkipDropout(0.75)
	x := torch.Randn([]int{4, 8, 8, 8}, o)
	const skip = 3
	training, frozen := nn.Mode{Training: true, FreezeStatistics: true}, nn.Mode{}
	reduction := net.Cells[1]
	for e := range Edges(2) {
		halves := e == 0 || e == 1 || e == 2 || e == 3 // inputs 0 and 1
		op := reduction.edges[e].ops[skip]
		if _, drops := op.(skipDropout); drops == halves {
			t.Errorf("edge %d drops: %v", e, drops)
		}
		if halves {
			torchtest.Close(t, fmt.Sprint("edge ", e), op.Forward(x, training), op.Forward(x, training), 0)
			continue
		}
		torchtest.Close(t, "evaluation", op.Forward(x, frozen), x, 0)
		y, zeros := op.Forward(x, training).Contiguous().Float64s(), 0
		for i, v := range x.Float64s() {
			switch y[i] {
			case 0:
				zeros++
			case v * 4:
			default:
				t.Fatalf("element %d of %g became %g", i, v, y[i])
			}
		}
		if part := float64(zeros) / float64(len(y)); part < 0.7 || part > 0.8 {
			t.Errorf("%g of the elements are dropped, want 0.75", part)
		}
	}
	b := nn.Batch{X: torch.Randn([]int{4, 1, 8, 8}, o), Y: torch.RandInt(0, 4, []int{4}, torch.Options{Dtype: torch.Int64})}
	loss := func(net *Plain) torch.Tensor {
		return net.Gradients(net.W(), b, Need{FreezeStatistics: true}).Loss
	}
	without := build(0)
	want := loss(without)
	without.SetSkipDropout(0.9)
	torchtest.Close(t, "without a rate", loss(without), want, 0)
	if loss(net).Item() == want.Item() {
		t.Error("dropout changes nothing")
	}
	net.SetSkipDropout(0)
	torchtest.Close(t, "at rate 0", loss(net), want, 0)
}

func TestSkipDropoutErrors(t *testing.T) {
	// NewPlain refuses a dropout rate of 1.
	torchtest.Scope(t)
	o := Options{Channels: 4, Layers: 3, Nodes: 2, Classes: 4, InputChannels: 1, StemMultiplier: 2, SkipDropout: 1}
	if _, err := NewPlain(o); err == nil || !strings.Contains(err.Error(), "skip dropout 1, want a rate in [0,1)") {
		t.Errorf("got %v", err)
	}
}

func TestProgressiveSizes(t *testing.T) {
	// The network of the first stage has the number of weights that the authors' has.
	torchtest.Scope(t)
	net, err := NewPlain(Options{Channels: 16, Layers: 5, Nodes: 4, Classes: 10, InputChannels: 3, StemMultiplier: 3, SkipDropout: 0.1})
	if err != nil {
		t.Fatal(err)
	}
	if got, want := net.ParameterCount(), 1275834; got != want {
		t.Errorf("%d weights, want %d", got, want)
	}
}
