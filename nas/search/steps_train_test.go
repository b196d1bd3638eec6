package search

import (
	"fmt"
	"math"
	"math/rand/v2"
	"testing"

	"godarts/cells"
	"godarts/cells/genotype"
	"godarts/darts"
	"godarts/darts/enas"
	"godarts/nas"
	"godarts/nas/config"
	"godarts/nas/fixture"
	"godarts/nas/images"
	"godarts/nas/rng"
	"godarts/nas/runfolder"
	"godarts/nas/texts"
	"godarts/torch"
	"godarts/torch/nn"
	"godarts/torch/optim"
)

func TestStepsOfSharedWeights(t *testing.T) {
	// w moves along the clipped gradient of the architecture that is drawn in each step of a search with shared weights.
	for _, test := range []struct {
		name string
		set  []string
	}{
		{"rsps", []string{"strategy.name=rsps", "strategy.candidates=1", "strategy.score_batches=1", "strategy.finalists=1"}},
		{"enas", []string{
			"strategy.name=enas", "strategy.controller.updates=1", "strategy.controller.aggregate=1", "strategy.candidates=1",
			"w.schedule=cosine", "data.train_portion=0.5",
		}},
	} {
		t.Run(test.name, func(t *testing.T) {
			c := fixture.Steps(t, "tiny.yaml", append(test.set, "data.subset=48", "w.grad_clip=1", "w.weight_decay=0.01")...)
			clips := 0
			follow(t, c, func(k *taken) {
				net, want := k.supernet(t), torch.StateDict{}
				var drawn genotype.Genotype
				if test.name == "rsps" {
					drawn = images.Space(c).Sample(rng.Stream(c.Seed, "rsps", k.Epoch, k.Index))
				} else {
					drawn = k.controller(t).Draw(rng.Stream(c.Seed, "enas", k.Epoch, k.Index))
				}
				g := net.PathGradients(drawn, k.Train, darts.Need{W: true}).W
				if clip(c.W.GradClip, g) {
					clips++
				}
				k.descend(want, net.W(), g, cosine(c.W, k.Epoch, c.Epochs))
				for name, x := range net.Views(net.W()) {
					want[name] = x
				}
				k.same(t, want)
			})
			if clips == 0 {
				t.Error("no step clips, which shows nothing")
			}
		})
	}
}

// controller is the run's of ENAS, as it was before the step.
func (k *taken) controller(t *testing.T) *enas.Controller {
	t.Helper()
	o := config.KeysAs[ENASKeys](k.run.Config).Controller
	c, err := enas.New(images.Space(k.run.Config), enas.Options{
		LR: o.LR, Entropy: o.Entropy, Baseline: 0.99, Squash: o.Squash, Dtype: torch.Float64,
	})
	if err != nil {
		t.Fatal(err)
	}
	_, own := nas.Cut(k.before, stateController)
	if err := c.LoadStateDict(own); err != nil {
		t.Fatal(err)
	}
	return c
}

func TestStepsOfGDAS(t *testing.T) {
	// α moves along the gradient at the w after the step, with the epoch's τ, in each step of GDAS.
	c := fixture.Steps(t, "tiny.yaml", "strategy.name=gdas", "network.layers=3", "data.subset=48", "alpha.lr=0.1", "epochs=3", "strategy.tau=[10, 1]")
	follow(t, c, func(k *taken) {
		o := images.SupernetOptions(c, images.Of(k.run).Images().Train)
		o.Options = k.run.Options()
		net, err := darts.NewGumbelSupernet(o, []float64{10, 5.5, 1}[k.Epoch])
		if err != nil {
			t.Fatal(err)
		}
		k.restore(t, net)
		net.Gradients(net.W(), k.Train, darts.Need{W: true, Alphas: true}) // takes its noise from the generator
		torch.NoGrad(func() {
			for name, w := range net.Views(net.W()) {
				w.Copy_(k.after[name])
			}
		})
		want := torch.StateDict{}
		dAlpha := net.Gradients(net.W(), k.Valid, darts.Need{Alphas: true}).Alphas
		want["gradient.alphas_normal"], want["gradient.alphas_reduce"] = dAlpha[0], dAlpha[1]
		k.adapt(want, net.Alphas(), dAlpha)
		want["alphas_normal"], want["alphas_reduce"] = net.Alphas()[0], net.Alphas()[1]
		k.same(t, want)
	})
}

func TestStepsOfPerturbation(t *testing.T) {
	// After the search each epoch trains the network of the decisions so far at its own learning rate, with a momentum that starts at 0.
	c := fixture.Steps(t, "tiny.yaml", "strategy.selection=perturbation", "strategy.perturbation.interval=1", "strategy.perturbation.lr=0.01", "epochs=1",
		"data.subset=24", "network.nodes=1", "space.operations=[none, skip_connect, max_pool_3x3, sep_conv_3x3]", "alpha.lr=0.1", "w.grad_clip=1", "w.lr=0.1")
	phase := 0
	follow(t, c, func(k *taken) {
		lr := c.W.LR
		net := darts.NewPerturbationSupernet(k.supernet(t))
		if k.Epoch >= c.Epochs {
			phase++
			lr = 0.01
			if err := net.SetRows(k.after[namePerturbation]); err != nil {
				t.Fatal(err)
			}
			for kind := range genotype.ConvolutionalKinds {
				if got := 2 - len(net.Undecided(kind)); got != min(phase, 2) {
					t.Errorf("epoch %d: %d edges of kind %d are decided", k.Epoch, got, kind)
				}
			}
			const momentum = nas.OptimizerW + "momentum_buffer.0"
			if k.Epoch == c.Epochs && k.Index == 0 {
				if k.before[momentum].Norm().Item() == 0 {
					t.Error("there is no momentum before, which shows nothing")
				}
				k.before[momentum] = torch.ZerosLike(k.before[momentum])
			}
		}
		want := torch.StateDict{}
		k.adapt(want, net.Alphas(), net.Gradients(net.W(), k.Valid, darts.Need{Alphas: true}).Alphas)
		g := net.Gradients(net.W(), k.Train, darts.Need{W: true}).W
		clip(c.W.GradClip, g)
		k.descend(want, net.W(), g, lr)
		k.same(t, want)
		k.same(t, net.StateDict())
	})
	if phase == 0 {
		t.Error("no edge is decided")
	}
}

func TestStepsOfTraining(t *testing.T) {
	// w moves along the clipped gradient, with paths dropped at a rate that grows by the epoch, in each step of a training.
	c := fixture.Steps(t, "tiny-train.yaml", "data.subset=24", "epochs=3", "w.grad_clip=1", "w.weight_decay=0.01")
	clips := 0
	follow(t, c, func(k *taken) {
		g, err := runfolder.GenotypeOf(c)
		if err != nil {
			t.Fatal(err)
		}
		net, err := cells.NewNetwork(g, images.NetworkOf(k.run))
		if err != nil {
			t.Fatal(err)
		}
		k.restore(t, net)
		w, want := net.Weights().W, torch.StateDict{}
		out := net.Forward(k.Train, nn.Mode{Training: true, DropPath: []float64{0, 0.1, 0.2}[k.Epoch]})
		d := torch.ZerosLike(w)
		net.Weights().Gradient(out.Loss, d, nil)
		if clip(c.W.GradClip, d) {
			clips++
		}
		k.descend(want, w, d, cosine(c.W, k.Epoch, c.Epochs))
		k.same(t, want)
		k.same(t, net.StateDict())
	})
	if clips == 0 {
		t.Error("no step clips, which shows nothing")
	}
}

// text gives the batches of the step again, with the masks that it had. states are the
// entries of the states that they go on from, which are 0 where an epoch begins.
func (k *taken) text(states ...string) (batches []nn.Batch) {
	f := k.run.Feed.(*texts.Feed)
	o := texts.LanguageOptions(k.run.Config, len(f.Corpus.Words))
	o.Options = k.run.Options()
	for i, name := range states {
		b, of := k.Train, "train"
		if i == 1 {
			b, of = k.Valid, "valid"
		}
		b.Hidden = k.before[name]
		stream := f.MaskStreams(of, nas.Position{Epoch: k.Epoch}, k.Index)
		shared := of == "train" && k.run.Config.Alpha.Corrected // the first masks are those of all passes for α
		b.Masks = func() torch.Tensor {
			r := stream()
			if shared {
				first, second := r.Uint64(), r.Uint64()
				r, shared = rand.New(rand.NewPCG(first, second)), false
			}
			return o.DrawMasks(b.X.Size(1), r).Select(0, 0)
		}
		if k.Index == 0 {
			b.Hidden = torch.ZerosLike(b.Hidden)
		}
		batches = append(batches, b)
	}
	return batches
}

// textLR is the learning rate of a step: w.lr times the length that was drawn for its chunk, in parts of data.bptt. Half
// of data.bptt is the mean of one draw in twenty. The last chunk of an epoch ends earlier where the text does.
func (k *taken) textLR(t *testing.T) float64 {
	t.Helper()
	c := k.run.Config
	r := rng.Stream(c.Seed, "chunk", k.Epoch, 0, k.Index)
	mean := float64(c.Data.BPTT)
	if r.Float64() < 0.05 {
		mean /= 2
	}
	tokens := int(mean)
	if c.Experiment == config.Train {
		tokens = min(max(5, int(mean+5*r.NormFloat64())), c.Data.BPTT+c.Data.BPTTDelta)
	}
	if rows := k.Train.X.Size(0); rows > tokens || rows < tokens && k.Index < k.Of-1 {
		t.Errorf("step %d: a chunk of %d tokens, want %d", k.Index, rows, tokens)
	}
	return c.W.LR * float64(tokens) / float64(c.Data.BPTT)
}

func TestStepsOfTextTraining(t *testing.T) {
	// w moves along the clipped gradient from the state before, and its average follows once there is one, in each step of a training on a text.
	c := fixture.Steps(t, "tiny-text-train.yaml", "epochs=7", "nonmono=1", "w.weight_decay=0.001", "network.activation=0.5", "network.slowness=0.5")
	g, err := runfolder.GenotypeOf(c)
	if err != nil {
		t.Fatal(err)
	}
	clips, averaged := 0, 0
	follow(t, c, func(k *taken) {
		o := texts.RecurrentOptions(c, len(texts.Of(k.run).Corpus.Words))
		o.Options = k.run.Options()
		net, err := cells.NewRecurrentNetwork(g, o)
		if err != nil {
			t.Fatal(err)
		}
		k.restore(t, net.Weights())
		w, want, lr := net.Weights().W, torch.StateDict{}, k.textLR(t)
		d := torch.ZerosLike(w)
		out := net.Gradients(k.text(texts.NameHidden)[0], d)
		want[texts.NameHidden] = out.Hidden
		if clip(c.W.GradClip, d) {
			clips++
		}
		const average = nas.OptimizerAveraged + "ax.0"
		if _, averages := k.after[average]; averages {
			averaged++
			taken, before := 0.0, k.before[average]
			eta := lr
			if before.Defined() {
				taken, eta = k.before[nas.OptimizerAveraged+"step"].Item(), k.before[nas.OptimizerAveraged+"lr"].Item() // that of the step before
			}
			k.descend(want, w, d, eta)
			want[average] = w
			if taken >= 2 {
				want[average] = before.Add(w.Sub(before).DivScalar(taken))
			}
		} else {
			k.descend(want, w, d, lr)
		}
		k.same(t, want)
		k.same(t, net.Weights().StateDict())
		if loss := out.Loss.Item(); math.Abs(k.Loss-loss) > 1e-9 {
			t.Errorf("epoch %d, step %d: loss %v, want %v", k.Epoch, k.Index, k.Loss, loss)
		}
	})
	if clips == 0 || averaged < 3 {
		t.Errorf("%d steps clip, %d average", clips, averaged)
	}
}

func TestStepsOfRecurrentDARTS(t *testing.T) {
	// α moves and then w, clipped and with the penalties only in its own loss, from the states that the chunks before left, in each step of DARTS on a text.
	for _, order := range []string{"1", "2", "2, corrected"} {
		t.Run("order "+order, func(t *testing.T) {
			c := fixture.Steps(t, "tiny-text.yaml", "strategy.order="+order[:1], fmt.Sprint("alpha.corrected=", len(order) > 1), "w.weight_decay=0.001", "alpha.lr=0.1", "network.activation=0.5", "network.slowness=0.5")
			clips := 0
			follow(t, c, func(k *taken) {
				net, err := darts.NewRecurrentPlain(RecurrentSupernetOptions(c, len(texts.Of(k.run).Corpus.Words), k.run.Options()))
				if err != nil {
					t.Fatal(err)
				}
				k.restore(t, net)
				lr, want := k.textLR(t), torch.StateDict{}
				both := k.text(texts.NameHidden, texts.NameHiddenValid)
				var dAlpha darts.Result
				if order == "1" {
					dAlpha = net.Gradients(net.W(), both[1], darts.Need{Alphas: true})
				} else {
					sgd := optim.NewSGD([]torch.Tensor{net.W()}, optim.SGDOptions{WeightDecay: c.W.WeightDecay})
					a := darts.NewArchitect(net, sgd, nil)
					a.Clip, a.Corrected = c.W.GradClip, c.Alpha.Corrected
					dAlpha = a.Gradient(both[0], both[1], lr)
				}
				want[texts.NameHiddenValid] = dAlpha.Hidden
				k.adapt(want, net.Alphas(), dAlpha.Alphas)
				g := net.Gradients(net.W(), both[0], darts.Need{W: true, Regularised: true})
				want[texts.NameHidden] = g.Hidden
				if clip(c.W.GradClip, g.W) {
					clips++
				}
				k.descend(want, net.W(), g.W, lr)
				k.same(t, want)
				k.same(t, net.StateDict())
			})
			if clips == 0 {
				t.Error("no step clips, which shows nothing")
			}
		})
	}
}
