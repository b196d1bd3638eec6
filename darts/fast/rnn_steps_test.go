package fast_test

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"testing"

	"godarts/cells"
	"godarts/darts"
	"godarts/darts/fast"
	"godarts/torch"
	"godarts/torch/nn"
	"godarts/torch/optim"
	"godarts/torch/replay"
	"godarts/torch/torchtest"
)

// recurrentOrder is a way to step α.
type recurrentOrder struct{ second, corrected, exact bool }

var recurrentOrders = []recurrentOrder{{}, {second: true}, {second: true, corrected: true}, {second: true, exact: true}}

// everyMask is a small recurrent supernet with all dropouts and both penalties.
func everyMask() darts.RecurrentOptions {
	o := recurrentSizes()
	o.Dropout = cells.Dropout{Output: 0.6, State: 0.25, Input: 0.4, Embedding: 0.2, Word: 0.1}
	o.AR, o.TAR, o.Dtype = 0.3, 0.5, torch.Float64
	return o
}

// recurrentSearch takes search steps over chunks of two lengths, with learning rates in their proportion, and an
// evaluation after each. It returns the numbers on the way, the states of both texts, and α. Steps that are replayed are
// captured where there are graphs.
func recurrentSearch(net darts.Supernet, o darts.RecurrentOptions, order recurrentOrder, replayed bool) []torch.Tensor {
	const columns, steps = 6, 5
	sgd := optim.NewSGD([]torch.Tensor{net.W()}, optim.SGDOptions{LR: 1, WeightDecay: 1e-3})
	adam := optim.NewAdam(net.Alphas(), optim.AdamOptions{LR: 3e-3, Betas: [2]float64{0.9, 0.999}, WeightDecay: 1e-3})
	architect := darts.NewArchitect(net, sgd, adam)
	architect.Clip, architect.Corrected = 0.5, order.corrected
	if order.exact {
		architect.Hessian = net.(darts.Hessian)
	}
	shape := []int{1, columns, o.Units}
	hidden, hiddenValid := torch.Zeros(shape, o.Options), torch.Zeros(shape, o.Options)
	var region *replay.Region
	if replayed {
		region = replay.New(net.W(), func() []torch.Tensor {
			return slices.Concat(stateOf(net), sgd.Overwritten(), adam.Overwritten(), []torch.Tensor{hidden, hiddenValid})
		})
		defer region.Forget()
	}
	xi := func() float64 {
		if !order.second {
			return 0
		}
		return sgd.LR()
	}
	var numbers []float64
	for step := range steps {
		torch.Scoped(func() {
			r := rand.New(rand.NewPCG(2, uint64(step)))
			text := func(tokens, passes int) []torch.Tensor {
				words := make([]int64, 2*tokens*columns)
				for i := range words {
					words[i] = int64(r.IntN(o.Tokens))
				}
				to := torch.Options{Dtype: torch.Int64, Device: o.Device}
				half := tokens * columns
				return []torch.Tensor{
					torch.FromSliceTo(words[:half], []int{tokens, columns}, to), torch.FromSliceTo(words[half:], []int{half}, to),
					o.DrawMasks(columns, slices.Repeat([]*rand.Rand{r}, passes)...),
				}
			}
			tokens := 3 + step%2
			sgd.SetLR(0.2 * float64(tokens))
			architect.SetXi(xi())
			in := slices.Concat(text(tokens, architect.TrainMasks(xi())+1), text(4, 1))
			out := region.Run(nil, in, func(in []torch.Tensor) []torch.Tensor {
				train := nn.Batch{X: in[0], Y: in[1], Hidden: hidden, Masks: cells.RowsOf(in[2])}
				valid := nn.Batch{X: in[3], Y: in[4], Hidden: hiddenValid, Masks: cells.RowsOf(in[5])}
				alpha := architect.Step(train, valid, xi())
				g := net.Gradients(net.W(), train, darts.Need{W: true, Regularised: true})
				torch.NoGrad(func() {
					hidden.Copy_(g.Hidden)
					hiddenValid.Copy_(alpha.Hidden)
				})
				norm := optim.Clip(0.5, g.W)
				sgd.Step(g.W)
				return []torch.Tensor{alpha.Loss, optim.Norm(alpha.Alphas...), g.Loss, g.Penalty, norm}
			})
			out = append(out, region.Run("evaluation", in[:2], func(in []torch.Tensor) []torch.Tensor {
				out := net.Eval(nn.Batch{X: in[0], Y: in[1], Hidden: hidden})
				return []torch.Tensor{out.Loss, out.Hidden.Sum()}
			})...)
			for _, t := range out {
				numbers = append(numbers, t.Item())
			}
		})
	}
	return []torch.Tensor{torch.FromSlice(numbers, len(numbers)), hidden, hiddenValid, net.Alphas()[0]}
}

func TestRecurrentSearchImitated(t *testing.T) {
	// Search steps of a recurrent supernet that are replayed give the bits of steps that run as they are, in either form and every order, when all is dropped, and chunks and rates change.
	for _, order := range recurrentOrders {
		t.Run(fmt.Sprintf("%+v", order), func(t *testing.T) {
			torchtest.Scope(t)
			defer replay.Imitate()()
			o := everyMask()
			plain, byFormulas := bothRecurrent(t, o)
			againPlain, again := bothRecurrent(t, o)
			for name, pair := range map[string][2]darts.Supernet{"plain": {plain, againPlain}, "fast": {byFormulas, again}} {
				want, got := recurrentSearch(pair[0], o, order, false), recurrentSearch(pair[1], o, order, true)
				for i, what := range []string{"numbers", "state", "state of the other text", "α"} {
					torchtest.Close(t, name+": "+what, got[i].Detach(), want[i].Detach(), 0)
				}
				own := pair[1].StateDict()
				for of, x := range pair[0].StateDict() {
					torchtest.Close(t, name+": "+of, own[of].Detach(), x.Detach(), 0)
				}
			}
		})
	}
}

func TestRecurrentSearchOnGPU(t *testing.T) {
	// A recurrent supernet is after search steps on the GPU, captured where there are graphs, what the plain one is on the CPU, losses too.
	gpu := torchtest.CUDA(t)
	for _, order := range recurrentOrders {
		t.Run(fmt.Sprintf("%+v", order), func(t *testing.T) {
			torchtest.Scope(t)
			o := everyMask()
			plain, _ := bothRecurrent(t, o)
			there := o
			there.Device = gpu
			net, err := fast.NewRecurrent(there)
			if err != nil {
				t.Fatal(err)
			}
			if err := net.LoadStateDict(plain.StateDict()); err != nil {
				t.Fatal(err)
			}
			want, got := recurrentSearch(plain, o, order, false), recurrentSearch(net, there, order, true)
			for i, what := range []string{"numbers", "state", "state of the other text", "α"} {
				torchtest.Close(t, what, got[i].Detach(), want[i].Detach(), 1e-8)
			}
		})
	}
}
