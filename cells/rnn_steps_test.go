package cells

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"testing"

	"godarts/torch"
	"godarts/torch/nn"
	"godarts/torch/optim"
	"godarts/torch/replay"
	"godarts/torch/torchtest"
)

// everyMask is a small language model with all dropouts and both penalties.
func everyMask() LanguageOptions {
	return LanguageOptions{
		Tokens: 13, Units: 8, AR: 0.7, TAR: 0.3, Options: float64s,
		Dropout: Dropout{Output: 0.6, State: 0.25, Input: 0.4, Embedding: 0.2, Word: 0.1},
	}
}

// recurrentSteps takes training steps by SGD and then by ASGD, over chunks of two lengths with that many columns and with
// learning rates in their proportion, and an evaluation after each. It returns the numbers on the way, and weights,
// averages and state at the end. Steps that are replayed are captured where there are graphs.
func recurrentSteps(n *RecurrentNetwork, columns int, replayed bool) []torch.Tensor {
	const steps, sgdSteps = 9, 3
	o, w := n.Options(), n.Weights().W
	sgd := optim.NewSGD([]torch.Tensor{w}, optim.SGDOptions{LR: 1, WeightDecay: 1e-3})
	asgd := optim.NewASGD([]torch.Tensor{w}, optim.ASGDOptions{LR: 1, WeightDecay: 1e-3})
	hidden := torch.Zeros([]int{1, columns, o.Units}, o.Options)
	var region *replay.Region
	if replayed {
		region = replay.New(w, func() []torch.Tensor {
			return slices.Concat(sgd.Overwritten(), asgd.Overwritten(), []torch.Tensor{hidden})
		})
		defer region.Forget()
	}
	var numbers []float64
	for step := range steps {
		torch.Scoped(func() {
			r := rand.New(rand.NewPCG(1, uint64(step)))
			tokens := 3 + step%2
			text := func(shape ...int) torch.Tensor {
				words := make([]int64, tokens*columns)
				for i := range words {
					words[i] = int64(r.IntN(o.Tokens))
				}
				return torch.FromSliceTo(words, shape, torch.Options{Dtype: torch.Int64, Device: o.Device})
			}
			in := []torch.Tensor{text(tokens, columns), text(tokens * columns), o.DrawMasks(columns, r)}
			averages, lr := step >= sgdSteps, 0.2*float64(tokens)
			move := sgd.Step
			if averages {
				move = asgd.Step
				asgd.SetLR(lr)
			} else {
				sgd.SetLR(lr)
			}
			out := region.Run(averages, in, func(in []torch.Tensor) []torch.Tensor {
				g := torch.Empty(w.Shape(), w.Options())
				out := n.Gradients(nn.Batch{X: in[0], Y: in[1], Hidden: hidden, Masks: RowsOf(in[2])}, g)
				torch.NoGrad(func() { hidden.Copy_(out.Hidden) })
				norm := optim.Clip(0.5, g)
				move(g)
				return []torch.Tensor{out.Loss, out.Penalty, norm}
			})
			out = append(out, region.Run("evaluation", in[:2], func(in []torch.Tensor) (results []torch.Tensor) {
				torch.NoGrad(func() {
					out := n.Forward(nn.Batch{X: in[0], Y: in[1], Hidden: hidden}, nn.Mode{})
					results = []torch.Tensor{out.Loss, out.Hidden.Sum()}
				})
				return results
			})...)
			for _, t := range out {
				numbers = append(numbers, t.Item())
			}
		})
	}
	return []torch.Tensor{torch.FromSlice(numbers, len(numbers)), w, asgd.Averages()[0], hidden}
}

func TestRecurrentStepsImitated(t *testing.T) {
	// Training steps of a recurrent network that are replayed give the bits of steps that run as they are, in either form, when all is dropped, chunks and rates change, and averaging begins.
	for _, plain := range []bool{false, true} {
		t.Run(fmt.Sprint("plain ", plain), func(t *testing.T) {
			torchtest.Scope(t)
			var ends [][]torch.Tensor
			defer replay.Imitate()()
			for _, replayed := range []bool{false, true} {
				torch.ManualSeed(3)
				n, err := NewRecurrentNetwork(lookupRecurrent(t, "DARTS_V2"), RecurrentOptions{LanguageOptions: everyMask(), Plain: plain})
				if err != nil {
					t.Fatal(err)
				}
				torch.NoGrad(func() { n.Weights().W.MulScalar_(20) })
				ends = append(ends, recurrentSteps(n, 4, replayed))
			}
			for i, name := range []string{"numbers", "weights", "averages", "state"} {
				torchtest.Close(t, name, ends[1][i].Detach(), ends[0][i].Detach(), 0)
			}
			if w, average := ends[0][1].Detach(), ends[0][2]; w.Sub(average).Norm().Item() == 0 {
				t.Error("nothing is averaged, which shows nothing")
			}
		})
	}
}
