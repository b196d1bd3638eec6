package darts

import (
	"encoding/json"
	"math/rand/v2"
	"os"
	"testing"

	"godarts/cells"
	"godarts/cells/genotype"
	"godarts/torch"
	"godarts/torch/nn"
	"godarts/torch/optim"
	"godarts/torch/torchtest"
)

func TestRecurrentDerivation(t *testing.T) {
	// The genotype of recorded α equals the reference's, also where rows tie.
	torchtest.Scope(t)
	text, err := os.ReadFile(torchtest.Fixture(t, "genotypes_rnn.json"))
	if err != nil {
		t.Fatal(err)
	}
	var rows []struct {
		Alphas   struct{ Weights [][]float32 }
		Genotype json.RawMessage
	}
	if err := json.Unmarshal(text, &rows); err != nil {
		t.Fatal(err)
	}
	if len(rows) == 0 {
		t.Fatal("no genotypes were recorded")
	}
	net := tinyRecurrent(t, cells.Dropout{})
	for i, row := range rows {
		var want genotype.Genotype
		if err := json.Unmarshal(row.Genotype, &want); err != nil {
			t.Fatal(err)
		}
		torch.Scoped(func() {
			net.Architecture = newRecurrentArchitecture(8)
			net.Architecture.Alpha = table(row.Alphas.Weights)
			if got := net.Genotype(); got.String() != want.String() {
				t.Errorf("row %d\n got %s\nwant %s", i, got, want)
			}
		})
	}
}

func TestSampleRecurrent(t *testing.T) {
	// Sampled cells are valid and hold every state and activation when many are drawn.
	r := rand.New(rand.NewPCG(1, 2))
	seen := map[genotype.Edge]bool{}
	for range 1000 {
		g := RecurrentSpace{8}.Sample(r)
		if err := g.Validate(); err != nil {
			t.Fatal(err)
		}
		seen[g.Recurrent.Edges[7]] = true
	}
	if want := 8 * 4; len(seen) != want {
		t.Errorf("%d kinds of the last edge, want %d", len(seen), want)
	}
}

func tinyLanguage(dropout cells.Dropout) cells.LanguageOptions {
	return cells.LanguageOptions{Tokens: 11, Units: 6, Dropout: dropout, TAR: 0.5, AR: 0.3, Options: torch.Options{Dtype: torch.Float64}}
}

// tinyRecurrent is a supernet of 4 nodes and 6 units for 11 tokens, in float64.
func tinyRecurrent(t testing.TB, dropout cells.Dropout) *RecurrentPlain {
	t.Helper()
	torch.ManualSeed(1)
	net, err := NewRecurrentPlain(RecurrentOptions{Nodes: 4, LanguageOptions: tinyLanguage(dropout)})
	if err != nil {
		t.Fatal(err)
	}
	torch.NoGrad(func() { // away from the small first values, where cells are nearly linear
		net.W().MulScalar_(20)
		net.Architecture.Alpha.MulScalar_(1e3)
	})
	return net
}

func tinyTokens(steps, columns int) nn.Batch {
	o := torch.Options{Dtype: torch.Int64}
	return nn.Batch{
		X: torch.RandInt(0, 11, []int{steps, columns}, o), Y: torch.RandInt(0, 11, []int{steps * columns}, o),
		Hidden: torch.Randn([]int{1, columns, 6}, torch.Options{Dtype: torch.Float64}),
		Masks:  tinyMasks(columns, 3),
	}
}

// tinyMasks gives every pass over that many columns the masks of the stream of seed, with every dropout.
func tinyMasks(columns int, seed uint64) func() torch.Tensor {
	return func() torch.Tensor {
		return tinyLanguage(everyDropout).DrawMasks(columns, rand.New(rand.NewPCG(seed, seed+1))).Select(0, 0)
	}
}

var everyDropout = cells.Dropout{Output: 0.6, State: 0.25, Input: 0.4, Embedding: 0.2, Word: 0.1}

func TestRecurrentGradients(t *testing.T) {
	// Gradients of w and α equal finite differences when every dropout is on, with and without regularisation.
	for _, regularised := range []bool{false, true} {
		torchtest.Scope(t)
		net := tinyRecurrent(t, everyDropout)
		b := tinyTokens(3, 4)
		need := Need{W: true, Alphas: true, FreezeStatistics: true, Regularised: regularised}
		g := net.Gradients(net.W(), b, need)
		loss := func() float64 {
			g := net.Gradients(net.W(), b, Need{FreezeStatistics: true, Regularised: regularised})
			if regularised {
				return g.Loss.Item() + g.Penalty.Item()
			}
			return g.Loss.Item()
		}
		const eps = 1e-6
		for name, pair := range map[string][2]torch.Tensor{"w": {net.W(), g.W}, "alpha": {net.Alphas()[0], g.Alphas[0]}} {
			x, dx := pair[0], pair[1]
			direction := torch.Randn(x.Shape(), x.Options())
			move := func(by float64) { torch.NoGrad(func() { x.AddScaled_(direction, by) }) }
			move(eps)
			up := loss()
			move(-2 * eps)
			down := loss()
			move(eps)
			torchtest.Close(t, name, direction.Mul(dx).Sum(), torch.Scalar((up-down)/(2*eps), x.Options()), 1e-6)
		}
	}
}

func TestRecurrentElsewhere(t *testing.T) {
	// Gradients at another vector leave w and frozen statistics bit-equal, and masks that are not the same change the loss.
	torchtest.Scope(t)
	net := tinyRecurrent(t, everyDropout)
	b := tinyTokens(3, 4)
	before := torch.StateDict{}
	for name, x := range net.StateDict() {
		before[name] = x.Detach().Clone()
	}
	other := net.W().Detach().AddScalar(0.01)
	there := net.Gradients(other, b, Need{W: true, FreezeStatistics: true})
	for name, x := range net.StateDict() {
		torchtest.Close(t, name, x, before[name], 0)
	}
	here := net.Gradients(net.W(), b, Need{FreezeStatistics: true})
	if here.Loss.Item() == there.Loss.Item() {
		t.Error("the loss at another vector is the same")
	}
	again := b
	again.Masks = tinyMasks(4, 5)
	if net.Gradients(net.W(), again, Need{FreezeStatistics: true}).Loss.Item() == here.Loss.Item() {
		t.Error("other masks give the same loss")
	}
}

func TestRecurrentExactProduct(t *testing.T) {
	// The exact product equals a finite difference, and moves the statistics as often, when both draw the same masks.
	torchtest.Scope(t)
	net := tinyRecurrent(t, everyDropout)
	b := tinyTokens(3, 4)
	v := torch.Randn(net.W().Shape(), net.W().Options())
	start := net.Weights().Stats.Clone()
	exact := net.HessianVectorProduct(v, b)
	moved := net.Weights().Stats.Clone()
	torch.NoGrad(func() { net.Weights().Stats.Copy_(start) })
	difference := FiniteDifference{Net: net, Radius: 1e-6}.HessianVectorProduct(v, b)
	torchtest.Close(t, "product", exact[0], difference[0], 1e-6)
	torchtest.Close(t, "statistics", moved, net.Weights().Stats, 1e-6)
}

func TestTrainMasks(t *testing.T) {
	// The gradient of α takes as many masks of the training batch as TrainMasks says, and one of the validation batch, in both orders and by either product.
	torchtest.Scope(t)
	net := tinyRecurrent(t, everyDropout)
	for _, exact := range []bool{false, true} {
		for _, corrected := range []bool{false, true} {
			for _, xi := range []float64{0, 0.1} {
				a := NewArchitect(net, optim.NewSGD([]torch.Tensor{net.W()}, optim.SGDOptions{}), nil)
				a.Corrected = corrected
				if exact {
					a.Hessian = net
				}
				var taken [2]int
				var batches [2]nn.Batch
				for i := range batches {
					batches[i] = tinyTokens(3, 4)
					masks := batches[i].Masks
					batches[i].Masks = func() torch.Tensor { taken[i]++; return masks() }
				}
				a.Gradient(batches[0], batches[1], xi)
				if want := [2]int{a.TrainMasks(xi), 1}; taken != want {
					t.Errorf("exact %v, corrected %v, ξ %g: %v masks were taken, want %v", exact, corrected, xi, taken, want)
				}
			}
		}
	}
}

func TestRecurrentStateDict(t *testing.T) {
	// A network changes nothing when a state dict does not fit, and the tied matrix may stand once.
	torchtest.Scope(t)
	net := tinyRecurrent(t, cells.Dropout{})
	saved := torch.StateDict{}
	for name, x := range net.StateDict() {
		saved[name] = x.Detach().Clone()
	}
	with := func(name string, x torch.Tensor) torch.StateDict {
		sd := torch.StateDict{}
		for n, t := range saved {
			sd[n] = t
		}
		delete(sd, name)
		if x.Defined() {
			sd[name] = x
		}
		return sd
	}
	for _, test := range []struct {
		name string
		sd   torch.StateDict
		want string
	}{
		{"no alpha", with("weights", torch.Tensor{}), `darts: load state dict: "weights" is missing`},
		{"untied", with("decoder.weight", saved["encoder.weight"].AddScalar(1)), `cells: load state dict: "decoder.weight" is not "encoder.weight": they are one matrix here`},
		{"no bias", with("decoder.bias", torch.Tensor{}), `nn: load state dict: "decoder.bias" of shape [11] is missing`},
	} {
		torch.NoGrad(func() { net.W().Zero_() })
		if err := net.LoadStateDict(test.sd); err == nil || err.Error() != test.want {
			t.Errorf("%s: got %v, want %s", test.name, err, test.want)
		}
		if net.W().Norm().Item() != 0 {
			t.Errorf("%s: the weights changed", test.name)
		}
	}
	if err := net.LoadStateDict(with("decoder.weight", torch.Tensor{})); err != nil {
		t.Error(err)
	}
	torchtest.Close(t, "decoder", net.StateDict()["decoder.weight"], saved["encoder.weight"], 0)
}
