package bench

import (
	"math/rand/v2"

	"godarts/cells"
	"godarts/cells/genotype"
	"godarts/darts"
	"godarts/nas/rng"
	"godarts/torch"
	"godarts/torch/nn"
	"godarts/torch/optim"
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

// text is a chunk that every pass reads, with the hidden state of the last pass.
type text struct {
	nn.Batch
	first nn.Batch // the chunk with no state
}

// randomText draws tokens and the tokens that follow them from the CPU's default generator,
// as randomBatch does. name is the name of the stream of masks.
func (w Work) randomText(name string) *text {
	x := torch.RandInt(0, w.Tokens, []int{w.Steps, w.Batch}, torch.Options{Dtype: torch.Int64})
	y := torch.RandInt(0, w.Tokens, []int{w.Steps * w.Batch}, torch.Options{Dtype: torch.Int64})
	o := torch.Options{Dtype: torch.Int64, Device: w.Device}
	t := &text{first: nn.Batch{X: x.To(o), Y: y.To(o)}}
	t.Batch = t.first
	t.Hidden = torch.Zeros([]int{1, w.Batch, w.Units}, torch.Options{Device: w.Device})
	pass := 0
	t.Masks = func() *rand.Rand {
		pass++
		return rng.Stream(int64(w.Seed), name, pass)
	}
	return t
}

// after keeps the state after a pass.
func (t *text) after(hidden torch.Tensor) { torch.NoGrad(func() { t.Hidden.Copy_(hidden) }) }

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
	net, err := form.recurrent(darts.RecurrentOptions{Nodes: 8, LanguageOptions: w.languageOptions(textSearchDropout)})
	if err != nil {
		return nil, err
	}
	sgd := optim.NewSGD([]torch.Tensor{net.W()}, textSearchSteps)
	architect := darts.NewArchitect(net, sgd, optim.NewAdam(net.Alphas(), textAlphaSteps))
	architect.Clip = textClip
	train, valid := w.randomText("bench.train"), w.randomText("bench.valid")
	xi := 0.0
	if w.Row == recurrentSecondOrder {
		xi = textLR
	}
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
		valid.after(architect.Step(train.Batch, valid.Batch, xi).Hidden)
		g := net.Gradients(net.W(), train.Batch, darts.Need{W: true, Regularised: true})
		train.after(g.Hidden)
		optim.ClipNorm(textClip, g.W)
		sgd.Step(g.W)
		return g.Loss
	}), nil
}

// prepareRecurrentTraining makes the network of the recurrent DARTS_V2 and its optimizer.
func prepareRecurrentTraining(w Work) (step, error) {
	g, err := genotype.LookupRecurrent("DARTS_V2")
	if err != nil {
		return nil, err
	}
	net, err := cells.NewRecurrentNetwork(g, cells.RecurrentOptions{
		LanguageOptions: w.languageOptions(textTrainDropout), Plain: w.Form == plainForm,
	})
	if err != nil {
		return nil, err
	}
	weights := net.Weights()
	sgd := optim.NewSGD([]torch.Tensor{weights.W}, textTrainSteps)
	train := w.randomText("bench.train")
	gradient := torch.Empty(weights.W.Shape(), weights.W.Options())
	without := func() (loss torch.Tensor) {
		torch.NoGrad(func() { loss = net.Forward(train.first, nn.Mode{}).Loss })
		return loss
	}
	return firstLoss(without, func() torch.Tensor {
		out := net.Gradients(train.Batch, gradient)
		train.after(out.Hidden)
		optim.ClipNorm(textClip, gradient)
		sgd.Step(gradient)
		return out.Loss
	}), nil
}
