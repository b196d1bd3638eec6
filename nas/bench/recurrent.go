package bench

import (
	"maps"
	"math/rand/v2"
	"slices"

	"godarts/cells"
	"godarts/cells/genotype"
	"godarts/darts"
	"godarts/nas/rng"
	"godarts/torch"
	"godarts/torch/nn"
	"godarts/torch/optim"
	"godarts/torch/replay"
)

// Settings of the paper for recurrent networks on Penn Treebank. A text of random tokens
// takes as long as another.
const (
	textLR       = 20
	textClip     = 0.25
	textSlowness = 1e-3
)

var (
	textAlphaSteps    = optim.AdamOptions{LR: 3e-3, Betas: [2]float64{0.9, 0.999}, WeightDecay: 1e-3}
	textSearchSteps   = optim.SGDOptions{LR: textLR, WeightDecay: 5e-7}
	textTrainSteps    = optim.SGDOptions{LR: textLR, WeightDecay: 8e-7}
	textSearchDropout = cells.Dropout{Output: 0.75, State: 0.25, Input: 0.75, Embedding: 0.2}
	textTrainDropout  = cells.Dropout{Output: 0.75, State: 0.25, Input: 0.75, Embedding: 0.2, Word: 0.1}
)

func (w Work) languageOptions(d cells.Dropout) cells.LanguageOptions {
	return cells.LanguageOptions{Tokens: w.Tokens, Units: w.Units, Dropout: d, TAR: textSlowness, Options: torch.Options{Device: w.Device}}
}

// text is a chunk that every pass reads.
type text struct {
	first  nn.Batch // the chunk with no state and no masks
	hidden torch.Tensor
	seed   int64
	name   string // of the stream of masks
	passes int    // whose masks have been drawn
	o      cells.LanguageOptions
}

// randomText draws tokens and the tokens that follow them from the CPU's default generator,
// as randomBatch does. name is the name of the stream of masks.
func (w Work) randomText(name string, o cells.LanguageOptions) *text {
	x := torch.RandInt(0, w.Tokens, []int{w.Steps, w.Batch}, torch.Options{Dtype: torch.Int64})
	y := torch.RandInt(0, w.Tokens, []int{w.Steps * w.Batch}, torch.Options{Dtype: torch.Int64})
	to := torch.Options{Dtype: torch.Int64, Device: w.Device}
	return &text{
		first: nn.Batch{X: x.To(to), Y: y.To(to)}, hidden: torch.Zeros([]int{1, w.Batch, w.Units}, o.Options),
		seed: int64(w.Seed), name: name, o: o,
	}
}

// inputs are those of a step with that many passes over the text.
func (t *text) inputs(passes int) []torch.Tensor {
	var streams []*rand.Rand
	for range passes {
		t.passes++
		streams = append(streams, rng.Stream(t.seed, t.name, t.passes))
	}
	return []torch.Tensor{t.first.X, t.first.Y, t.o.DrawMasks(t.first.X.Size(1), streams...)}
}

// batch is the chunk of inputs, after the last pass.
func (t *text) batch(in []torch.Tensor) nn.Batch {
	return nn.Batch{X: in[0], Y: in[1], Hidden: t.hidden, Masks: cells.RowsOf(in[2])}
}

// after keeps the state after a pass.
func (t *text) after(hidden torch.Tensor) { torch.NoGrad(func() { t.hidden.Copy_(hidden) }) }

// firstLoss returns a step whose first call returns the loss before it, without dropout. Only
// this loss is the same in all programs, since masks differ.
func firstLoss(without func() (loss torch.Tensor), step func() (trained torch.Tensor)) step {
	fresh := true
	return func() (loss *float64) {
		if fresh {
			torch.Scoped(func() { loss = number(without()) })
			fresh = false
		}
		number(step()) // waits for the device
		return loss
	}
}

// prepareRecurrentSearch makes a recurrent search network and its optimizers.
func prepareRecurrentSearch(w Work) (step, error) {
	form, err := findForm(w.Form)
	if err != nil {
		return nil, err
	}
	o := w.languageOptions(textSearchDropout)
	net, err := form.recurrent(darts.RecurrentOptions{Nodes: 8, LanguageOptions: o})
	if err != nil {
		return nil, err
	}
	sgd, adam := optim.NewSGD([]torch.Tensor{net.W()}, textSearchSteps), optim.NewAdam(net.Alphas(), textAlphaSteps)
	architect := darts.NewArchitect(net, sgd, adam)
	architect.Clip = textClip
	train, valid := w.randomText("bench.train", o), w.randomText("bench.valid", o)
	xi := 0.0
	if w.Row == recurrentSecondOrder {
		xi = textLR
	}
	architect.SetXi(xi)
	region := replay.New(net.W(), func() []torch.Tensor { // until the process ends
		state := slices.Concat(slices.Collect(maps.Values(net.StateDict())), sgd.Overwritten(), adam.Overwritten())
		return append(state, train.hidden, valid.hidden)
	})
	without := func() torch.Tensor {
		bare, err := form.recurrent(darts.RecurrentOptions{Nodes: 8, LanguageOptions: w.languageOptions(cells.Dropout{})})
		if err == nil {
			err = bare.LoadStateDict(net.StateDict())
		}
		if err != nil {
			panic(err) // a network of these sizes was made before
		}
		return bare.Gradients(bare.W(), train.first, darts.Need{}).Loss
	}
	return firstLoss(without, func() torch.Tensor {
		in := slices.Concat(train.inputs(architect.TrainMasks(xi)+1), valid.inputs(1))
		return region.Run(nil, in, func(in []torch.Tensor) []torch.Tensor {
			b := train.batch(in[:3])
			valid.after(architect.Step(b, valid.batch(in[3:]), xi).Hidden)
			g := net.Gradients(net.W(), b, darts.Need{W: true, Regularised: true})
			train.after(g.Hidden)
			optim.Clip(textClip, g.W)
			sgd.Step(g.W)
			return []torch.Tensor{g.Loss}
		})[0]
	}), nil
}

// prepareRecurrentTraining makes the network of the recurrent DARTS_V2 and its optimizer.
func prepareRecurrentTraining(w Work) (step, error) {
	g, err := genotype.LookupRecurrent("DARTS_V2")
	if err != nil {
		return nil, err
	}
	o := w.languageOptions(textTrainDropout)
	net, err := cells.NewRecurrentNetwork(g, cells.RecurrentOptions{LanguageOptions: o, Plain: w.Form == plainForm})
	if err != nil {
		return nil, err
	}
	weights := net.Weights()
	sgd := optim.NewSGD([]torch.Tensor{weights.W}, textTrainSteps)
	train := w.randomText("bench.train", o)
	gradient := torch.Empty(weights.W.Shape(), weights.W.Options())
	region := replay.New(weights.W, func() []torch.Tensor { return append(sgd.Overwritten(), train.hidden, gradient) })
	without := func() (loss torch.Tensor) {
		torch.NoGrad(func() { loss = net.Forward(train.first, nn.Mode{}).Loss })
		return loss
	}
	return firstLoss(without, func() torch.Tensor {
		return region.Run(nil, train.inputs(1), func(in []torch.Tensor) []torch.Tensor {
			out := net.Gradients(train.batch(in), gradient)
			train.after(out.Hidden)
			optim.Clip(textClip, gradient)
			sgd.Step(gradient)
			return []torch.Tensor{out.Loss}
		})[0]
	}), nil
}
