package cells

import (
	"strconv"
	"strings"
	"testing"

	"godarts/torch"
	"godarts/torch/nn"
	"godarts/torch/torchtest"
)

func TestRecurrentRecordings(t *testing.T) {
	// The evaluation network gives the reference's outputs and gradients when it has its weights, in either form.
	for _, file := range []string{"rnn_eval_darts_v2", "rnn_eval_enas"} {
		for _, dtype := range []torch.Dtype{torch.Float64, torch.Float32} {
			for form, plain := range map[string]bool{"plain": true, "fast": false} {
				t.Run(file+"/"+dtype.String()+"/"+form, func(t *testing.T) {
					torchtest.Scope(t)
					replayRecurrent(t, file, torch.Options{Dtype: dtype}, plain)
				})
			}
		}
	}
}

func replayRecurrent(t *testing.T, file string, o torch.Options, plain bool) {
	golden := torchtest.Golden(t, torchtest.Fixture(t, file+".safetensors"))
	load := func(name string, o torch.Options) torch.Tensor {
		x, err := golden.Load(name, o)
		if err != nil {
			t.Fatal(err)
		}
		return x
	}
	compare := func(name string, got torch.Tensor) {
		t.Helper()
		tolerance := torchtest.Float32
		if o.Dtype == torch.Float64 {
			tolerance = torchtest.Float64
			if stored, _, err := golden.Info(name); err != nil || stored != torch.Float64 {
				tolerance = torchtest.StoredFloat32
			}
		}
		torchtest.Close(t, name, got, load(name, torch.Options{Dtype: torch.Float64}), tolerance)
	}
	number := func(key string) float64 {
		v, err := strconv.ParseFloat(golden.Metadata()[key], 64)
		if err != nil {
			t.Fatal(err)
		}
		return v
	}
	g, err := ParseGenotype(golden.Metadata()["genotype"])
	if err != nil {
		t.Fatal(err)
	}
	n, err := NewRecurrentNetwork(g, RecurrentOptions{Plain: plain, LanguageOptions: LanguageOptions{
		Tokens: int(number("ntoken")), Units: int(number("nhid")), Slowness: number("beta"), Options: o,
	}})
	if err != nil {
		t.Fatal(err)
	}
	state := torch.StateDict{}
	gradients := 0
	for _, name := range golden.Names() {
		if short, ok := strings.CutPrefix(name, "init."); ok {
			state[short] = load(name, o)
		}
		if strings.HasPrefix(name, "grad.") {
			gradients++
		}
	}
	if err := n.LoadStateDict(state); err != nil {
		t.Fatal(err)
	}
	integers := torch.Options{Dtype: torch.Int64}
	b := nn.Batch{X: load("input", integers), Y: load("target", integers), Hidden: load("hidden", o)}
	shape := load("log_prob", o).Shape()

	compare("log_prob", n.Forward(b, nn.Mode{Training: true}).Logits.Detach().LogSoftmax(-1).View(shape...))
	gradient := torch.Empty(n.Weights().W.Shape(), o)
	out := n.Gradients(b, gradient)
	compare("raw_loss", out.Loss)
	compare("loss", out.Loss.Add(out.Penalty))
	compare("hidden_next", out.Hidden)
	views := n.Weights().Views(gradient)
	if len(views) != gradients {
		t.Errorf("%d parameters, recorded are the gradients of %d", len(views), gradients)
	}
	for name, d := range views {
		compare("grad."+name, d)
	}
	torch.NoGrad(func() {
		compare("eval_log_prob", n.Forward(b, nn.Mode{}).Logits.LogSoftmax(-1).View(shape...))
	})
}

func TestRecurrentSizes(t *testing.T) {
	// The networks have the published number of weights when they have the paper's sizes.
	torchtest.Scope(t)
	for _, test := range []struct {
		name          string
		tokens, units int
		want          int
	}{
		{"Penn Treebank", 10_000, 850, 22_960_000}, {"WikiText-2", 33_278, 700, 33_127_878},
	} {
		torch.Scoped(func() {
			g, err := RecurrentLookup("DARTS_V2")
			if err != nil {
				t.Fatal(err)
			}
			n, err := NewRecurrentNetwork(g, RecurrentOptions{LanguageOptions: LanguageOptions{Tokens: test.tokens, Units: test.units}})
			if err != nil {
				t.Fatal(err)
			}
			if got := n.ParameterCount(); got != test.want {
				t.Errorf("%s: %d weights, want %d", test.name, got, test.want)
			}
		})
	}
}
