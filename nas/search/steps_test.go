package search

import (
	"fmt"
	"math"
	"path/filepath"
	"strings"
	"testing"

	"godarts/darts"
	"godarts/nas"
	"godarts/nas/config"
	"godarts/nas/fixture"
	"godarts/nas/images"
	"godarts/nas/train"
	"godarts/torch"
	"godarts/torch/nn"
	"godarts/torch/torchtest"
)

// The tests of steps recompute each step of a whole run from the state before it, by the
// formulas of the method in plain vector arithmetic, and compare the state after it.

// taken is a step that a run has taken.
type taken struct {
	*nas.Step
	run           *nas.Run
	before, after torch.StateDict // the state around the step, copied
	generator     torch.Tensor    // libtorch's, before the step
}

// follow runs c and shows each of its steps.
func follow(t *testing.T, c *config.Config, show func(k *taken)) {
	t.Helper()
	var before torch.StateDict
	var generator torch.Tensor
	steps := 0
	look := nas.Hooks{
		OnStart: func(r *nas.Run) error {
			before, generator = copied(r.State), torch.RNGState(torch.CPU)
			return nil
		},
		OnStep: func(r *nas.Run, s *nas.Step) error {
			after, next := copied(r.State), torch.Keep(torch.RNGState(torch.CPU))
			for _, x := range after {
				torch.Keep(x)
			}
			torch.Scoped(func() { show(&taken{s, r, before, after, generator}) })
			torch.SetRNGState(torch.CPU, next)
			before, generator = after, next
			steps++
			return nil
		},
	}
	dir, settings := filepath.Join(t.TempDir(), "run"), nas.Settings{Hooks: []nas.Hooks{look}}
	var err error
	if c.Experiment == config.Train {
		_, err = train.Run(t.Context(), dir, c, settings)
	} else {
		_, err = Run(t.Context(), dir, c, settings)
	}
	if err != nil {
		t.Fatal(err)
	}
	if steps == 0 {
		t.Error("no step was taken")
	}
}

func copied(s nas.State) torch.StateDict {
	sd := torch.StateDict{}
	torch.NoGrad(func() {
		for name, x := range s.StateDict() {
			sd[name] = x.Clone()
		}
	})
	return sd
}

// restore puts net where the run's was before the step.
func (k *taken) restore(t *testing.T, net nn.Module) {
	t.Helper()
	own := torch.StateDict{}
	for name := range net.StateDict() {
		own[name] = k.before[name]
	}
	if err := net.LoadStateDict(own); err != nil {
		t.Fatal(err)
	}
	torch.SetRNGState(torch.CPU, k.generator)
}

// supernet is the run's in the plain form, as it was before the step.
func (k *taken) supernet(t *testing.T) *darts.Plain {
	t.Helper()
	o := images.SupernetOptions(k.run.Config, images.Of(k.run).Images().Train)
	o.Options = k.run.Options()
	net, err := darts.NewPlain(o)
	if err != nil {
		t.Fatal(err)
	}
	k.restore(t, net)
	return net
}

// same compares the state after the step.
func (k *taken) same(t *testing.T, want torch.StateDict) {
	t.Helper()
	for name, x := range want {
		got := k.after[name]
		if !got.Defined() {
			t.Errorf("there is no %s", name)
			continue
		}
		if strings.HasSuffix(name, ".running_mean") { // some are 0 but for rounding
			got, x = got.AddScalar(1), x.AddScalar(1)
		}
		torchtest.Close(t, fmt.Sprintf("epoch %d, step %d: %s", k.Epoch, k.Index, name), got, x, torchtest.Float64)
	}
}

// clip scales gradients by max/(‖all of them‖ + 1e-6) where that is below 1, and tells
// whether it is.
func clip(most float64, gradients ...torch.Tensor) (clips bool) {
	squares := 0.0
	for _, g := range gradients {
		squares += g.Square().Sum().Item()
	}
	factor := most / (math.Sqrt(squares) + 1e-6)
	if factor >= 1 {
		return false
	}
	for _, g := range gradients {
		g.MulScalar_(factor)
	}
	return true
}

// descend takes a step of SGD along g: w is moved, and sd has the momentum after it.
func (k *taken) descend(sd torch.StateDict, w, g torch.Tensor, lr float64) {
	o := k.run.Config.W
	torch.NoGrad(func() {
		d := g.AddScaled(w, o.WeightDecay)
		if o.Momentum == 0 {
			w.AddScaled_(d, -lr)
			return
		}
		const name = nas.OptimizerW + "momentum_buffer.0"
		buffer := k.before[name].MulScalar(o.Momentum).Add(d)
		if o.Nesterov {
			d = d.AddScaled(buffer, o.Momentum)
		} else {
			d = buffer
		}
		w.AddScaled_(d, -lr)
		sd[name] = buffer
	})
}

// adapt takes a step of Adam along gradients: the tables are moved, and sd has the moments
// and the number of steps after it.
func (k *taken) adapt(sd torch.StateDict, tables, gradients []torch.Tensor) {
	o := k.run.Config.Alpha
	const eps = 1e-8
	n := k.before[nas.OptimizerAlpha+"step"].Item() + 1
	sd[nas.OptimizerAlpha+"step"] = torch.Scalar(n, torch.Options{Dtype: torch.Float64})
	torch.NoGrad(func() {
		for i, alpha := range tables {
			d := gradients[i].AddScaled(alpha, o.WeightDecay)
			first, second := fmt.Sprintf("%sexp_avg.%d", nas.OptimizerAlpha, i), fmt.Sprintf("%sexp_avg_sq.%d", nas.OptimizerAlpha, i)
			m := k.before[first].MulScalar(o.Betas[0]).AddScaled(d, 1-o.Betas[0])
			v := k.before[second].MulScalar(o.Betas[1]).AddScaled(d.Square(), 1-o.Betas[1])
			root := v.DivScalar(1 - math.Pow(o.Betas[1], n)).Sqrt().AddScalar(eps)
			alpha.AddScaled_(m.DivScalar(1-math.Pow(o.Betas[0], n)).Div(root), -o.LR)
			sd[first], sd[second] = m, v
		}
	})
}

// cosine returns the learning rate of an epoch in a stage of this many epochs.
func cosine(w config.W, epoch, epochs int) float64 {
	return w.LRMin + (w.LR-w.LRMin)*(1+math.Cos(math.Pi*float64(epoch)/float64(epochs)))/2
}

// secondOrder is ∇α of L_val(w'(α), α) as the paper approximates it, Eq. 7 and 8.
func (k *taken) secondOrder(net darts.Supernet, xi float64) []torch.Tensor {
	o := k.run.Config
	w := net.W()
	var ahead torch.Tensor // w'
	d := net.Gradients(w, k.Train, darts.Need{W: true}).W
	torch.NoGrad(func() {
		ahead = w.Sub(d.AddScaled(w, o.W.WeightDecay).AddScaled(k.before[nas.OptimizerW+"momentum_buffer.0"], o.W.Momentum).MulScalar(xi))
	})
	valid := net.Gradients(ahead, k.Valid, darts.Need{W: true, Alphas: true, FreezeStatistics: true})
	eps := 0.01 / math.Sqrt(valid.W.Square().Sum().Item())
	at := func(eps float64) (dAlpha []torch.Tensor) {
		var moved torch.Tensor
		torch.NoGrad(func() { moved = w.AddScaled(valid.W, eps) })
		return net.Gradients(moved, k.Train, darts.Need{Alphas: true}).Alphas
	}
	plus, minus := at(eps), at(-eps)
	for i, dAlpha := range valid.Alphas {
		dAlpha.Sub_(plus[i].Sub(minus[i]).MulScalar(xi / (2 * eps)))
	}
	return valid.Alphas
}

func TestStepsOfDARTS(t *testing.T) {
	// α moves, at the old w, and then w, at the new α and clipped, in each step of DARTS and of PC-DARTS after its warm-up.
	for _, test := range []struct {
		name string
		set  []string
	}{
		{"first order", []string{"strategy.order=1"}},
		{"second order", []string{"strategy.order=2"}},
		{"pc-darts", []string{"strategy.name=pc-darts", "strategy.partial=2", "strategy.warmup=1", "network.channels=4"}},
	} {
		t.Run(test.name, func(t *testing.T) {
			c := fixture.Steps(t, "tiny.yaml", append(test.set, "data.subset=48", "alpha.lr=0.1", "w.grad_clip=1", "w.weight_decay=0.01")...)
			warmup := config.KeysAs[PCDARTSKeys](c).Warmup
			clips, still := 0, 0
			follow(t, c, func(k *taken) {
				net, want, lr := k.supernet(t), torch.StateDict{}, cosine(c.W, k.Epoch, c.Epochs)
				switch {
				case k.Epoch < warmup:
					still++
				case config.KeysAs[DARTSKeys](c).Order == 2:
					k.adapt(want, net.Alphas(), k.secondOrder(net, lr))
				default:
					k.adapt(want, net.Alphas(), net.Gradients(net.W(), k.Valid, darts.Need{Alphas: true}).Alphas)
				}
				g := net.Gradients(net.W(), k.Train, darts.Need{W: true})
				if clip(c.W.GradClip, g.W) {
					clips++
				}
				k.descend(want, net.W(), g.W, lr)
				k.same(t, want)
				k.same(t, net.StateDict())
				if loss := g.Loss.Item(); math.Abs(k.Loss-loss) > 1e-9 {
					t.Errorf("epoch %d, step %d: loss %v, want %v", k.Epoch, k.Index, k.Loss, loss)
				}
			})
			if clips == 0 || (still > 0) != (warmup > 0) {
				t.Errorf("%d steps clip and in %d α rests", clips, still)
			}
		})
	}
}

func TestStepsOfPDARTS(t *testing.T) {
	// The gradient of α and then that of w are clipped, each by its own norm, under the stage's rates of dropout and learning in each step of P-DARTS.
	c := fixture.Steps(t, "tiny-p-darts.yaml", "data.subset=48", "data.batch=12", "epochs=6", "strategy.warmup=1", "alpha.lr=0.1",
		"w.grad_clip=0.01", "w.weight_decay=0.01")
	each := c.Epochs / stages
	keys := config.KeysAs[PDARTSKeys](c)
	clips, moving := 0, map[int]bool{}
	follow(t, c, func(k *taken) {
		stage, of := k.Epoch/each, k.Epoch%each
		if k.before[nameStage].ItemInt() != stage {
			return // the first step of a stage starts from what was not seen
		}
		o := images.SupernetOptions(c, images.Of(k.run).Images().Train)
		o.Options, o.Layers, o.SkipDropout = k.run.Options(), keys.Layers[stage], keys.SkipDropout[stage]
		var err error
		if o.Normal, err = operationLists(k.before[nameNormalOps], images.Space(c).Normal); err != nil {
			t.Fatal(err)
		}
		if o.Reduce, err = operationLists(k.before[nameReduceOps], images.Space(c).Reduce); err != nil {
			t.Fatal(err)
		}
		net, err := darts.NewPlain(o)
		if err != nil {
			t.Fatal(err)
		}
		k.restore(t, net)
		rate := keys.SkipDropout[stage] // as it is again in the first epoch after the warm-up, the last of a stage
		if of == 0 {
			rate /= 2
		}
		net.SetSkipDropout(rate)
		want := torch.StateDict{}
		if of >= keys.Warmup {
			moving[stage] = true
			dAlpha := net.Gradients(net.W(), k.Valid, darts.Need{Alphas: true}).Alphas
			if clip(c.W.GradClip, dAlpha...) {
				clips++
			}
			k.adapt(want, net.Alphas(), dAlpha)
		}
		g := net.Gradients(net.W(), k.Train, darts.Need{W: true}).W
		if !clip(c.W.GradClip, g) {
			t.Error("w's gradient is not clipped, which shows nothing")
		}
		k.descend(want, net.W(), g, cosine(c.W, of, each))
		k.same(t, want)
		k.same(t, net.StateDict())
	})
	if clips == 0 || len(moving) != stages {
		t.Errorf("α's gradient is clipped in %d steps, α moves in %d stages", clips, len(moving))
	}
}
