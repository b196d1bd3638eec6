package cells

import (
	"fmt"
	"math/rand/v2"
	"testing"

	"godarts/cells/genotype"
	"godarts/torch"
	"godarts/torch/nn"
	"godarts/torch/torchtest"
)

// equal is how far the fast form may be from the plain one in float64, relative.
const equal = 1e-12

// bothNetworks makes the same recurrent network in both forms, in float64.
func bothNetworks(t *testing.T, g genotype.Genotype, o LanguageOptions) (plain, fast *RecurrentNetwork) {
	t.Helper()
	o.Options = float64s
	var both []*RecurrentNetwork
	for _, plain := range []bool{true, false} {
		torch.ManualSeed(3)
		n, err := NewRecurrentNetwork(g, RecurrentOptions{LanguageOptions: o, Plain: plain})
		if err != nil {
			t.Fatal(err)
		}
		torch.NoGrad(func() { n.Weights().W.MulScalar_(20) })
		both = append(both, n)
	}
	return both[0], both[1]
}

// masksOf gives every pass over that many columns the masks of the stream of seed, in float64.
func masksOf(o LanguageOptions, columns int, seed uint64) func() torch.Tensor {
	o.Options = float64s
	return func() torch.Tensor { return o.DrawMasks(columns, rand.New(rand.NewPCG(seed, seed+1))).Select(0, 0) }
}

func randomText(o LanguageOptions, steps, columns int) nn.Batch {
	integers := torch.Options{Dtype: torch.Int64}
	return nn.Batch{
		X: torch.RandInt(0, o.Tokens, []int{steps, columns}, integers), Y: torch.RandInt(0, o.Tokens, []int{steps * columns}, integers),
		Hidden: torch.Randn([]int{1, columns, o.Units}, float64s), Masks: masksOf(o, columns, 7),
	}
}

func TestRecurrentFastEqualsPlain(t *testing.T) {
	// Both forms give the same loss, penalty, state and gradients in training, and logits in evaluation, whatever cell, sizes and dropout are.
	every := Dropout{Output: 0.6, State: 0.25, Input: 0.4, Embedding: 0.2, Word: 0.1}
	some := genotype.Genotype{Recurrent: genotype.Cell{Edges: []genotype.Edge{{Op: genotype.ActTanh, From: 0}, {Op: genotype.ActSigmoid, From: 0}, {Op: genotype.ActReLU, From: 2}, {Op: genotype.ActIdentity, From: 1}}, Concat: []int{0, 3, 4}}}
	for _, test := range []struct {
		name                    string
		dropout                 Dropout
		activation, slowness    float64
		steps, columns, threads int
	}{
		{"no dropout", Dropout{}, 0, 0, 4, 6, 2},
		{"no dropout, penalties", Dropout{}, 0.7, 0.3, 4, 6, 2},
		{"one step", every, 0.7, 0.3, 1, 6, 2},
		{"one column", every, 0.7, 0.3, 3, 1, 2},
		{"one thread", every, 0, 0.3, 3, 5, 1},
		{"three threads", every, 0, 0.3, 3, 5, 3},
		{"more threads than columns", every, 0.7, 0, 3, 2, 8},
		{"output dropout", Dropout{Output: 0.6}, 0, 0.3, 3, 5, 2},
		{"state dropout", Dropout{State: 0.6}, 0, 0.3, 3, 5, 2},
		{"input dropout", Dropout{Input: 0.6}, 0, 0.3, 3, 5, 2},
		{"embedding dropout", Dropout{Embedding: 0.6}, 0, 0.3, 3, 5, 2},
		{"word dropout", Dropout{Word: 0.3}, 0, 0.3, 3, 5, 2},
	} {
		for name, g := range map[string]genotype.Genotype{"DARTS_V2": lookupRecurrent(t, "DARTS_V2"), "ENAS": lookupRecurrent(t, "ENAS"), "mean of some": some} {
			t.Run(fmt.Sprint(test.name, "/", name), func(t *testing.T) {
				torchtest.Scope(t)
				defer torch.SetThreads(torch.Threads()) // of this thread, which another test may get
				torch.SetThreads(test.threads)
				o := LanguageOptions{Tokens: 13, Units: 21, Dropout: test.dropout, AR: test.activation, TAR: test.slowness}
				plain, fast := bothNetworks(t, g, o)
				b := randomText(o, test.steps, test.columns)
				wants, gradients := torch.Empty(plain.Weights().W.Shape(), float64s), torch.Empty(plain.Weights().W.Shape(), float64s)
				want, got := plain.Gradients(b, wants), fast.Gradients(b, gradients)
				torchtest.Close(t, "loss", got.Loss, want.Loss, equal)
				torchtest.Close(t, "penalty", got.Penalty, want.Penalty, equal)
				torchtest.Close(t, "hidden", got.Hidden, want.Hidden, equal)
				of := fast.Weights().Views(gradients)
				for name, d := range plain.Weights().Views(wants) {
					torchtest.Close(t, "gradient of "+name, of[name], d, equal)
				}
				torch.NoGrad(func() {
					want, got := plain.Forward(b, nn.Mode{}), fast.Forward(b, nn.Mode{})
					torchtest.Close(t, "loss in evaluation", got.Loss, want.Loss, equal)
					torchtest.Close(t, "logits in evaluation", got.Logits, want.Logits, equal)
					torchtest.Close(t, "hidden in evaluation", got.Hidden, want.Hidden, equal)
				})
			})
		}
	}
}

func lookupRecurrent(t *testing.T, name string) genotype.Genotype {
	t.Helper()
	g, err := genotype.LookupRecurrent(name)
	if err != nil {
		t.Fatal(err)
	}
	return g
}

func TestRecurrentFastIsFlat(t *testing.T) {
	// Gradients leaves no tensor but its result.
	torchtest.Scope(t)
	o := LanguageOptions{Tokens: 13, Units: 8}
	_, fast := bothNetworks(t, lookupRecurrent(t, "DARTS_V1"), o)
	b, g := randomText(o, 3, 4), torch.Empty(fast.Weights().W.Shape(), float64s)
	before := torch.Live()
	fast.Gradients(b, g)
	if after, want := torch.Live(), before+3; after != want {
		t.Errorf("%d live tensors after Gradients, want %d", after, want)
	}
}
