package fast_test

import (
	"fmt"
	"math/rand/v2"
	"testing"

	"godarts/cells"
	"godarts/darts"
	"godarts/darts/fast"
	"godarts/torch"
	"godarts/torch/nn"
	"godarts/torch/optim"
	"godarts/torch/torchtest"
)

// bothRecurrent makes the same recurrent supernet in both forms, in float64.
func bothRecurrent(t testing.TB, o darts.RecurrentOptions) (*darts.RecurrentPlain, *fast.Recurrent) {
	t.Helper()
	o.Dtype = torch.Float64
	torch.ManualSeed(5)
	plain, err := darts.NewRecurrentPlain(o)
	if err != nil {
		t.Fatal(err)
	}
	fast, err := fast.NewRecurrent(o)
	if err != nil {
		t.Fatal(err)
	}
	torch.NoGrad(func() { // away from the first values, where cells are nearly linear and each activation has the same share
		plain.W().MulScalar_(20)
		alpha := plain.Alphas()[0]
		alpha.Copy_(torch.Randn(alpha.Shape(), alpha.Options()))
	})
	if err := fast.LoadStateDict(plain.StateDict()); err != nil {
		t.Fatal(err)
	}
	return plain, fast
}

// recurrentSizes are those of a small supernet; a test changes some.
func recurrentSizes() darts.RecurrentOptions {
	return darts.RecurrentOptions{Nodes: 3, LanguageOptions: cells.LanguageOptions{Tokens: 13, Units: 21}}
}

// randomTokens is a batch of tokens in T steps and B columns, with a state before it.
func randomTokens(o darts.RecurrentOptions, steps, columns int) nn.Batch {
	o.Options = torch.Options{Dtype: torch.Float64}
	integers := torch.Options{Dtype: torch.Int64}
	return nn.Batch{
		X: torch.RandInt(0, o.Tokens, []int{steps, columns}, integers), Y: torch.RandInt(0, o.Tokens, []int{steps * columns}, integers),
		Hidden: torch.Randn([]int{1, columns, o.Units}, o.Options),
		Masks:  func() torch.Tensor { return o.DrawMasks(columns, rand.New(rand.NewPCG(7, 8))).Select(0, 0) },
	}
}

// twoColumns is how far apart two ways to compute the gradients of plain at w, over two columns, may
// lie because they round differently: the distance over the norm, for each tensor.
//
// A batch norm over B columns, y = (x − μ)/√(var + ε), takes a gradient d to
// (d − Σd/B − y∘Σ(d∘y)/B)/√(var + ε). Over two columns y is ±√(var/(var + ε)), so that the subtractions
// leave the part 1 − y² = ε/(var + ε) of d: beside it the rounding of d is (var + ε)/ε times as large,
// 1e4 where var is 0.1. Over more columns something else of d is left, and equal holds.
//
// What that comes to is measured in float32: an error that small is proportional to the unit of
// rounding, 2⁻²⁴ there and 2⁻⁵³ in float64. Each of several weights close to w rounds in another
// way; the worst counts, twice, since both ways round.
func twoColumns(t testing.TB, plain *darts.RecurrentPlain, o darts.RecurrentOptions, w torch.Tensor, b nn.Batch) float64 {
	t.Helper()
	o.Dtype = torch.Float32
	single, err := darts.NewRecurrentPlain(o)
	if err != nil {
		t.Fatal(err)
	}
	if err := single.LoadStateDict(plain.StateDict()); err != nil {
		t.Fatal(err)
	}
	need := darts.Need{W: true, Regularised: true, FreezeStatistics: true}
	rounded, exact := b, b
	rounded.Hidden = b.Hidden.ToDtype(torch.Float32)
	exact.Hidden = rounded.Hidden.ToDtype(torch.Float64)
	worst := 0.0
	for range 8 {
		near := w.Detach().Mul(torch.Randn(w.Shape(), w.Options()).MulScalar(1e-6).AddScalar(1)).ToDtype(torch.Float32)
		got := single.Views(single.Gradients(near, rounded, need).W)
		for name, want := range plain.Views(plain.Gradients(near.ToDtype(torch.Float64), exact, need).W) {
			worst = max(worst, got[name].ToDtype(torch.Float64).Sub(want).Norm().Item()/want.Norm().Item())
		}
	}
	return max(equal, 2*worst*0x1p-53/0x1p-24)
}

// compareRecurrent compares all that Gradients returns, and the state afterwards.
func compareRecurrent(t testing.TB, equal float64, plain *darts.RecurrentPlain, fast *fast.Recurrent, want, got darts.Result) {
	t.Helper()
	torchtest.Close(t, "loss", got.Loss, want.Loss, equal)
	torchtest.Close(t, "hidden", got.Hidden, want.Hidden, equal)
	if want.Penalty.Defined() != got.Penalty.Defined() || want.Logits.Defined() != got.Logits.Defined() ||
		want.W.Defined() != got.W.Defined() || len(want.Alphas) != len(got.Alphas) {
		t.Fatal("one form returns what the other does not")
	}
	if want.Penalty.Defined() {
		torchtest.Close(t, "penalty", got.Penalty, want.Penalty, equal)
	}
	if want.Logits.Defined() {
		torchtest.Close(t, "logits", got.Logits, want.Logits, equal)
	}
	for i := range want.Alphas {
		torchtest.Close(t, "gradient of alpha", got.Alphas[i], want.Alphas[i], equal)
	}
	if want.W.Defined() {
		wants := plain.Views(want.W)
		for name, g := range fast.Views(got.W) {
			torchtest.Close(t, "gradient of "+name, g, wants[name], equal)
		}
	}
	compareRecurrentState(t, plain, fast)
}

func compareRecurrentState(t testing.TB, plain *darts.RecurrentPlain, fast *fast.Recurrent) {
	t.Helper()
	own := fast.StateDict()
	for name, x := range plain.StateDict() {
		torchtest.Close(t, name, own[name].Detach(), x.Detach(), equal)
	}
}

func TestRecurrentFastEqualsPlain(t *testing.T) {
	// Both forms give the same loss, penalty, state, logits, gradients and running statistics whatever sizes, dropout and penalties are.
	for _, test := range []struct {
		name           string
		change         func(*darts.RecurrentOptions)
		steps, columns int
		fresh          bool // no state before it
	}{
		{"no dropout", func(*darts.RecurrentOptions) {}, 4, 6, false},
		{"fresh state", func(*darts.RecurrentOptions) {}, 2, 5, true},
		{"one step", func(o *darts.RecurrentOptions) { o.TAR, o.Dropout.State = 0.5, 0.25 }, 1, 4, false},
		{"two columns", func(o *darts.RecurrentOptions) { o.Dropout.Output = 0.5 }, 3, 2, false},
		{"one node", func(o *darts.RecurrentOptions) { o.Nodes, o.Dropout.Input = 1, 0.5 }, 3, 5, false},
		{"eight nodes, wider than a vector", func(o *darts.RecurrentOptions) { o.Nodes, o.Units = 8, 40 }, 3, 5, false},
		{"narrower than a vector", func(o *darts.RecurrentOptions) { o.Units = 3 }, 3, 5, false},
		{"output dropout, both penalties", func(o *darts.RecurrentOptions) { o.Dropout.Output, o.AR, o.TAR = 0.5, 0.7, 0.3 }, 3, 5, false},
		{"state dropout, slowness", func(o *darts.RecurrentOptions) { o.Dropout.State, o.TAR = 0.25, 0.3 }, 3, 5, false},
		{"input dropout, activation", func(o *darts.RecurrentOptions) { o.Dropout.Input, o.AR = 0.4, 0.3 }, 3, 5, false},
		{"embedding dropout", func(o *darts.RecurrentOptions) { o.Dropout.Embedding = 0.2 }, 3, 5, false},
		{"word dropout", func(o *darts.RecurrentOptions) { o.Dropout.Word = 0.3 }, 3, 5, false},
		{"every dropout", func(o *darts.RecurrentOptions) {
			o.Dropout = cells.Dropout{Output: 0.6, State: 0.25, Input: 0.4, Embedding: 0.2, Word: 0.1}
			o.AR, o.TAR = 0.3, 0.5
		}, 4, 7, false},
	} {
		t.Run(test.name, func(t *testing.T) {
			torchtest.Scope(t)
			o := recurrentSizes()
			test.change(&o)
			plain, fast := bothRecurrent(t, o)
			b := randomTokens(o, test.steps, test.columns)
			if test.fresh {
				b.Hidden = torch.Tensor{}
			}
			elsewhere := plain.W().Detach().AddScalar(0.01)
			here, there := equal, equal
			if test.columns == 2 {
				here, there = twoColumns(t, plain, o, plain.W(), b), twoColumns(t, plain, o, elsewhere, b)
				t.Logf("tolerances %.2g and %.2g", here, there)
			}
			for _, need := range []darts.Need{
				{W: true, Alphas: true, Regularised: true, Logits: true}, {W: true}, {W: true, Regularised: true}, {Alphas: true},
				{Alphas: true, Regularised: true, FreezeStatistics: true}, {W: true, Alphas: true, FreezeStatistics: true}, {}, {Logits: true, Regularised: true},
			} {
				compareRecurrent(t, here, plain, fast, plain.Gradients(plain.W(), b, need), fast.Gradients(fast.W(), b, need))
			}
			need := darts.Need{W: true, Alphas: true, FreezeStatistics: true}
			compareRecurrent(t, there, plain, fast, plain.Gradients(elsewhere, b, need), fast.Gradients(elsewhere, b, need))
			want, got := plain.Eval(b), fast.Eval(b)
			torchtest.Close(t, "loss in evaluation", got.Loss, want.Loss, equal)
			torchtest.Close(t, "logits in evaluation", got.Logits, want.Logits, equal)
			torchtest.Close(t, "hidden in evaluation", got.Hidden, want.Hidden, equal)
		})
	}
}

func TestRecurrentFastRanks(t *testing.T) {
	// Gradients are the plain form's however many ranks share the columns, and the same to the last bit each time.
	for _, threads := range []int{1, 2, 3, 8} {
		t.Run(fmt.Sprint(threads, " threads"), func(t *testing.T) {
			torchtest.Scope(t)
			defer torch.SetThreads(torch.Threads()) // of this thread, which another test may get
			torch.SetThreads(threads)
			o := recurrentSizes()
			o.Dropout, o.TAR = cells.Dropout{Output: 0.6, State: 0.25}, 0.5
			plain, fast := bothRecurrent(t, o)
			b := randomTokens(o, 3, 5)
			need := darts.Need{W: true, Alphas: true, Regularised: true, Logits: true, FreezeStatistics: true}
			want, got := plain.Gradients(plain.W(), b, need), fast.Gradients(fast.W(), b, need)
			compareRecurrent(t, equal, plain, fast, want, got)
			again := fast.Gradients(fast.W(), b, need)
			torchtest.Close(t, "gradient again", again.W, got.W, 0)
			torchtest.Close(t, "gradient of alpha again", again.Alphas[0], got.Alphas[0], 0)
		})
	}
}

func TestRecurrentFastSteps(t *testing.T) {
	// Weights, alpha, statistics and cells are the plain form's after search steps of either order.
	for _, xi := range []float64{0, 2} {
		t.Run(fmt.Sprint("xi ", xi), func(t *testing.T) {
			torchtest.Scope(t)
			o := recurrentSizes()
			o.Dropout, o.TAR = cells.Dropout{Output: 0.5, State: 0.25, Input: 0.3}, 1e-3
			plain, fast := bothRecurrent(t, o)
			train, valid := randomTokens(o, 3, 6), randomTokens(o, 4, 6)
			for _, net := range []darts.Supernet{plain, fast} {
				w := optim.NewSGD([]torch.Tensor{net.W()}, optim.SGDOptions{LR: 2, WeightDecay: 5e-7})
				alpha := optim.NewAdam(net.Alphas(), optim.AdamOptions{LR: 3e-3, Betas: [2]float64{0.9, 0.999}, WeightDecay: 1e-3})
				architect := darts.NewArchitect(net, w, alpha)
				architect.Clip = 0.25
				for range 3 {
					torch.Scoped(func() {
						architect.Step(train, valid, xi)
						g := net.Gradients(net.W(), train, darts.Need{W: true, Regularised: true})
						optim.ClipNorm(0.25, g.W)
						w.Step(g.W)
					})
				}
			}
			compareRecurrentState(t, plain, fast)
			if got, want := fast.Genotype().String(), plain.Genotype().String(); got != want {
				t.Errorf("genotype\n got %s\nwant %s", got, want)
			}
		})
	}
}

func TestRecurrentFastIsFlat(t *testing.T) {
	// Gradients leaves no tensor but its result.
	torchtest.Scope(t)
	o := recurrentSizes()
	_, fast := bothRecurrent(t, o)
	b := randomTokens(o, 3, 4)
	before := torch.Live()
	fast.Gradients(fast.W(), b, darts.Need{W: true, Alphas: true, Regularised: true, Logits: true})
	if after, want := torch.Live(), before+6; after != want {
		t.Errorf("%d live tensors after Gradients, want %d", after, want)
	}
}

func TestRecurrentFastPrecision(t *testing.T) {
	// The fast form is at most half as far again from float64 as the plain form when both run in float32.
	if testing.Short() {
		t.Skip("-short: passes over three networks for each of several seeds")
	}
	torchtest.Scope(t)
	const seeds = 8
	o := recurrentSizes()
	o.Nodes, o.Units, o.Tokens = 4, 64, 200
	o.Dropout, o.TAR = cells.Dropout{Output: 0.5, State: 0.25, Input: 0.3}, 1e-3
	exactly := o
	exactly.Dtype = torch.Float64
	far := distances{}
	for seed := range uint64(seeds) {
		torch.Scoped(func() {
			torch.ManualSeed(seed)
			exact, err := darts.NewRecurrentPlain(exactly)
			if err != nil {
				t.Fatal(err)
			}
			plain, err := darts.NewRecurrentPlain(o)
			if err != nil {
				t.Fatal(err)
			}
			fast, err := fast.NewRecurrent(o)
			if err != nil {
				t.Fatal(err)
			}
			state := torchtest.Copied(exact.StateDict())
			b := randomTokens(o, 10, 32)
			b.Hidden = torch.Tensor{}
			need := darts.Need{W: true, Alphas: true, Regularised: true, Logits: true}
			want := exact.Gradients(exact.W(), b, need)
			for form, net := range []darts.Supernet{plain, fast} {
				if err := net.LoadStateDict(state); err != nil {
					t.Fatal(err)
				}
				got := net.Gradients(net.W(), b, need)
				for what, pair := range map[string][2]torch.Tensor{
					"logits": {got.Logits, want.Logits}, "gradient of w": {got.W, want.W}, "gradient of alpha": {got.Alphas[0], want.Alphas[0]},
				} {
					far.add(what, form, pair[0], pair[1])
				}
			}
		})
	}
	far.check(t, seeds)
}
