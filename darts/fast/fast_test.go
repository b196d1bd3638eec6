package fast_test

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"godarts/cells/genotype"
	"godarts/darts"
	"godarts/darts/fast"
	"godarts/torch"
	"godarts/torch/nn"
	"godarts/torch/optim"
	"godarts/torch/torchtest"
)

// equal is how far the fast form may be from the plain one in float64, relative.
const equal = 1e-12

// bothForms makes the same network in both forms.
func bothForms(t testing.TB, o darts.Options) (*darts.Plain, *fast.Supernet) {
	t.Helper()
	o.Dtype = torch.Float64
	torch.ManualSeed(3)
	plain, err := darts.NewPlain(o)
	if err != nil {
		t.Fatal(err)
	}
	fast, err := fast.New(o)
	if err != nil {
		t.Fatal(err)
	}
	torch.NoGrad(func() { // α far from 0, so that each term has its own share
		for _, alpha := range plain.Alphas() {
			alpha.Copy_(torch.Randn(alpha.Shape(), alpha.Options()))
		}
	})
	if err := fast.LoadStateDict(plain.StateDict()); err != nil {
		t.Fatal(err)
	}
	return plain, fast
}

func randomBatch(o darts.Options, n, h, w int) nn.Batch {
	return nn.Batch{
		X: torch.Randn([]int{n, o.InputChannels, h, w}, torch.Options{Dtype: torch.Float64}),
		Y: torch.RandInt(0, o.Classes, []int{n}, torch.Options{Dtype: torch.Int64}),
	}
}

// compareGrad compares all that Gradients returns, and the state afterwards.
func compareGrad(t testing.TB, plain *darts.Plain, net network, want, got darts.Result) {
	t.Helper()
	closeResults(t, want, got)
	if want.W.Defined() {
		wants := plain.Views(want.W)
		for name, g := range net.Views(got.W) {
			closeOrTiny(t, "gradient of "+name, g, wants[name], want.W)
		}
	}
	compareState(t, plain, net)
}

// closeResults compares loss, logits and the gradients of α, on whatever devices.
func closeResults(t testing.TB, want, got darts.Result) {
	t.Helper()
	torchtest.Close(t, "loss", got.Loss, want.Loss, equal)
	torchtest.Close(t, "logits", got.Logits, want.Logits, equal)
	for i := range want.Alphas {
		torchtest.Close(t, fmt.Sprint("gradient of alpha ", i), got.Alphas[i], want.Alphas[i], equal)
	}
}

// compareState compares weights, α and running statistics.
func compareState(t testing.TB, plain *darts.Plain, net network) {
	t.Helper()
	closeStates(t, net.StateDict(), plain.StateDict())
}

// closeStates compares two state dictionaries on the CPU.
func closeStates(t testing.TB, own, want torch.StateDict) {
	t.Helper()
	for name, x := range want {
		got := own[name].Detach()
		x = x.Detach()
		if norm, ok := strings.CutSuffix(name, ".running_mean"); ok {
			// A mean of 0 has no relative error: its scale is the deviation.
			deviation := want[norm+".running_var"].Sqrt()
			got, x = got.Add(deviation), x.Add(deviation)
		}
		torchtest.Close(t, name, got, x, equal)
	}
}

// closeOrTiny compares the gradient of one parameter. Some are zero but for
// rounding, as that of a single kernel before a batch norm: of those the scale is
// the whole gradient.
func closeOrTiny(t testing.TB, what string, got, want, whole torch.Tensor) {
	t.Helper()
	if got.Sub(want).Norm().Item() > equal*1e-3*whole.Norm().Item() {
		torchtest.Close(t, what, got, want, equal)
	}
}

// sizes are those of a small network; a test changes some.
func sizes() darts.Options {
	return darts.Options{Channels: 4, Layers: 3, Nodes: 2, Classes: 5, InputChannels: 3, StemMultiplier: 3}
}

// only gives every edge the same operations.
func only(ops ...genotype.Op) func(*darts.Options) {
	return func(o *darts.Options) {
		o.Normal = slices.Repeat([][]genotype.Op{ops}, darts.Edges(o.Nodes))
		o.Reduce = o.Normal
	}
}

// sized is a network and images for it.
type sized struct {
	name    string
	change  func(*darts.Options)
	n, h, w int
}

// allSizes are networks of all operations, alone and in random lists, and of other sizes; with short only two.
func allSizes(short bool) []sized {
	random := rand.New(rand.NewPCG(1, 1))
	rows := []sized{
		{"all operations", func(*darts.Options) {}, 4, 8, 8},
		{"four nodes", func(o *darts.Options) { o.Nodes, o.Channels = 4, 2 }, 3, 8, 8},
		{"one node", func(o *darts.Options) { o.Nodes = 1 }, 4, 8, 8},
		{"odd last cells, not square", func(o *darts.Options) { o.Channels = 6 }, 3, 12, 20},
		{"more cells", func(o *darts.Options) { o.Layers, o.Channels = 7, 2 }, 8, 8, 8},
		{"grey images, narrow stem", func(o *darts.Options) { o.InputChannels, o.StemMultiplier = 1, 1 }, 4, 8, 8},
		{"34 channels", func(o *darts.Options) { o.Channels, o.Nodes = 34, 1 }, 2, 8, 8},
		{"none and skip_connect", only(genotype.None, genotype.SkipConnect), 4, 8, 8},
	}
	for _, op := range genotype.Primitives[1:] {
		rows = append(rows, sized{string(op), only(op), 4, 8, 8})
	}
	for i := range 5 {
		rows = append(rows, sized{fmt.Sprint("random operations ", i), func(o *darts.Options) {
			o.Nodes = 1 + random.IntN(3)
			o.Normal, o.Reduce = randomOperations(random, o.Nodes), randomOperations(random, o.Nodes)
		}, 4 + random.IntN(3), 4 * (2 + random.IntN(2)), 8})
	}
	if short {
		rows = rows[:2]
	}
	return rows
}

// allNeeds is every kind of pass.
var allNeeds = []darts.Need{{W: true, Alphas: true}, {W: true}, {Alphas: true}, {Alphas: true, FreezeStatistics: true}, {}}

func TestFastEqualsPlain(t *testing.T) {
	// Both forms give the same gradients and running statistics whatever the sizes and operations are.
	for _, row := range allSizes(testing.Short()) {
		t.Run(row.name, func(t *testing.T) {
			torchtest.Scope(t)
			o := sizes()
			row.change(&o)
			plain, fast := bothForms(t, o)
			b := randomBatch(o, row.n, row.h, row.w)
			if why := fast.FallbackReason(row.h, row.w); why != "" {
				t.Fatalf("not in the fast form: %s", why)
			}
			for _, need := range allNeeds {
				want, got := plain.Gradients(plain.W(), b, need), fast.Gradients(fast.W(), b, need)
				compareGrad(t, plain, fast, want, got)
			}
		})
	}
}

// randomOperations gives every edge some operations, one of them real.
func randomOperations(r *rand.Rand, nodes int) (ops [][]genotype.Op) {
	for range darts.Edges(nodes) {
		var of []genotype.Op
		for _, k := range r.Perm(len(genotype.Primitives))[:1+r.IntN(len(genotype.Primitives))] {
			of = append(of, genotype.Primitives[k])
		}
		if slices.Equal(of, []genotype.Op{genotype.None}) {
			of = append(of, genotype.DilConv5x5)
		}
		ops = append(ops, of)
	}
	return ops
}

func TestFastRanks(t *testing.T) {
	// Gradients are the plain form's however many ranks share the images, fairly or not, and the same to the last bit each time.
	for _, threads := range []int{1, 2, 3, 5, 8} {
		t.Run(fmt.Sprint(threads, " threads"), func(t *testing.T) {
			torchtest.Scope(t)
			defer torch.SetThreads(torch.Threads()) // of this thread, which another test may get
			torch.SetThreads(threads)
			plain, fast := bothForms(t, sizes())
			b := randomBatch(sizes(), 5, 8, 8)
			need := darts.Need{W: true, Alphas: true, FreezeStatistics: true}
			want, got := plain.Gradients(plain.W(), b, need), fast.Gradients(fast.W(), b, need)
			compareGrad(t, plain, fast, want, got)
			again := fast.Gradients(fast.W(), b, need)
			torchtest.Close(t, "gradient again", again.W, got.W, 0)
			torchtest.Close(t, "logits again", again.Logits, got.Logits, 0)
		})
	}
}

func TestFastElsewhere(t *testing.T) {
	// Gradients at another vector equal the plain form's and leave w as it is.
	torchtest.Scope(t)
	plain, fast := bothForms(t, sizes())
	b := randomBatch(sizes(), 4, 8, 8)
	before := fast.W().Detach().Clone()
	other := before.AddScalar(0.01)
	need := darts.Need{W: true, Alphas: true, FreezeStatistics: true}
	compareGrad(t, plain, fast, plain.Gradients(other, b, need), fast.Gradients(other, b, need))
	torchtest.Close(t, "w", fast.W().Detach(), before, 0)
}

func TestFastSteps(t *testing.T) {
	// Weights, alpha, statistics and cells are the plain form's after search steps of either order.
	for _, xi := range []float64{0, 0.025} {
		t.Run(fmt.Sprint("xi ", xi), func(t *testing.T) {
			torchtest.Scope(t)
			plain, fast := bothForms(t, sizes())
			wide := wideOf(t, plain, sizes())
			train, valid := randomBatch(sizes(), 6, 8, 8), randomBatch(sizes(), 6, 8, 8)
			for _, net := range []darts.Supernet{plain, fast, wide} {
				w := optim.NewSGD([]torch.Tensor{net.W()}, optim.SGDOptions{LR: 0.025, Momentum: 0.9, WeightDecay: 3e-4})
				alpha := optim.NewAdam(net.Alphas(), optim.AdamOptions{LR: 3e-4, Betas: [2]float64{0.5, 0.999}, WeightDecay: 1e-3})
				architect := darts.NewArchitect(net, w, alpha)
				for range 3 {
					torch.Scoped(func() {
						architect.Step(train, valid, xi)
						g := net.Gradients(net.W(), train, darts.Need{W: true})
						optim.ClipNorm(5, g.W)
						w.Step(g.W)
					})
				}
			}
			for _, net := range []network{fast, wide} {
				compareState(t, plain, net)
				if got, want := net.Genotype().String(), plain.Genotype().String(); got != want {
					t.Errorf("genotype\n got %s\nwant %s", got, want)
				}
			}
		})
	}
}

func TestFastFallsBack(t *testing.T) {
	// The plain form runs, and FallbackReason says why, when a reduction cell would meet an odd side.
	torchtest.Scope(t)
	o := sizes()
	o.Layers = 3
	only(genotype.SepConv3x3)(&o)
	plain, fast := bothForms(t, o)
	if why, want := fast.FallbackReason(8, 6), "images of 8x6 reach the reduction in cell 2 as 4x3, an odd side"; why != want {
		t.Errorf("8x6 images: got %q, want %q", why, want)
	}
	b := randomBatch(o, 3, 8, 6)
	need := darts.Need{W: true, Alphas: true}
	want, got := plain.Gradients(plain.W(), b, need), fast.Gradients(fast.W(), b, need)
	torchtest.Close(t, "gradient of w", got.W, want.W, 0)
	for i, d := range got.Alphas {
		torchtest.Close(t, "gradient of alpha", d, want.Alphas[i], 0)
	}
	if why := fast.FallbackReason(8, 8); why != "" {
		t.Errorf("8x8 images: got %q, want none", why)
	}
}

func TestFastIsFlat(t *testing.T) {
	// Gradients leaves no tensor but its result.
	torchtest.Scope(t)
	_, fast := bothForms(t, sizes())
	b := randomBatch(sizes(), 4, 8, 8)
	before := torch.Live()
	g := fast.Gradients(fast.W(), b, darts.Need{W: true, Alphas: true})
	if after, want := torch.Live(), before+3+len(g.Alphas); after != want {
		t.Errorf("%d live tensors after Gradients, want %d", after, want)
	}
}

func TestFastRefuses(t *testing.T) {
	// There is no fast form of partial channels, nor of skip connections with dropout.
	torchtest.Scope(t)
	for name, change := range map[string]func(*darts.Options){
		"partial channels": func(o *darts.Options) { o.Partial = 4 },
		"skip dropout":     func(o *darts.Options) { o.SkipDropout = 0.5 },
	} {
		o := darts.Options{Channels: 8, Layers: 3, Nodes: 2, Classes: 4, InputChannels: 1, StemMultiplier: 2}
		change(&o)
		if _, err := fast.New(o); err == nil || !strings.Contains(err.Error(), "fast form") {
			t.Errorf("%s: got %v", name, err)
		}
	}
}
