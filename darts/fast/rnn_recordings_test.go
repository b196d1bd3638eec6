package fast_test

import (
	"encoding/json"
	"fmt"
	"os"
	"testing"

	"godarts/cells"
	"godarts/darts"
	"godarts/darts/fast"
	"godarts/torch"
	"godarts/torch/nn"
	"godarts/torch/optim"
	"godarts/torch/torchtest"
)

// recurrentForms are the ways to compute the recurrent supernet.
var recurrentForms = map[string]func(darts.RecurrentOptions) (network, error){
	"plain": func(o darts.RecurrentOptions) (network, error) { return darts.NewRecurrentPlain(o) },
	"fast":  func(o darts.RecurrentOptions) (network, error) { return fast.NewRecurrent(o) },
}

func TestRecurrentRecordings(t *testing.T) {
	// A recurrent search takes the reference's steps when it starts from the reference's state.
	for _, test := range []struct {
		file  string
		dtype torch.Dtype
	}{
		{"rnn_search_first_order", torch.Float64},
		{"rnn_search_second_order", torch.Float64},
		{"rnn_search_first_order", torch.Float32},
	} {
		for form, build := range recurrentForms {
			t.Run(test.file+"/"+test.dtype.String()+"/"+form, func(t *testing.T) {
				torchtest.Scope(t)
				golden := torchtest.Golden(t, torchtest.Fixture(t, test.file+".safetensors"))
				r := recording{t, golden, torch.Options{Dtype: test.dtype}}
				net, err := build(r.recurrentOptions())
				if err != nil {
					t.Fatal(err)
				}
				replayRecurrent(r, net)
			})
		}
	}
}

// recurrentOptions are the recorded network's.
func (r recording) recurrentOptions() darts.RecurrentOptions {
	nodes := 0
	for darts.RecurrentEdges(nodes) < r.tensor("init.weights").Size(0) {
		nodes++
	}
	return darts.RecurrentOptions{Nodes: nodes, LanguageOptions: cells.LanguageOptions{
		Tokens: int(r.number("ntoken")), Units: int(r.number("nhid")), TAR: r.number("beta"), Options: r.o,
	}}
}

// tokens is a batch of tokens; it is the recording's whatever its type.
func (r recording) tokens(step int, half string, hidden torch.Tensor) nn.Batch {
	name := fmt.Sprintf("step%d.%s", step, half)
	load := func(name string) torch.Tensor {
		x, err := r.Load(name, torch.Options{Dtype: torch.Int64})
		if err != nil {
			r.t.Fatal(err)
		}
		return x
	}
	return nn.Batch{X: load(name + "_input"), Y: load(name + "_target"), Hidden: hidden}
}

func replayRecurrent(r recording, net network) {
	t := r.t
	if err := net.LoadStateDict(r.state("init.")); err != nil {
		t.Fatal(err)
	}
	w := optim.NewSGD([]torch.Tensor{net.W()}, optim.SGDOptions{LR: r.number("lr"), WeightDecay: r.number("wdecay")})
	adam := optim.NewAdam(net.Alphas(), optim.AdamOptions{
		LR: r.number("arch_lr"), Betas: [2]float64{0.9, 0.999}, WeightDecay: r.number("arch_wdecay"),
	})
	architect := darts.NewArchitect(net, w, adam)
	architect.Clip = r.number("clip")
	xi := 0.0
	if r.number("order") == 2 {
		xi = r.number("lr")
	}
	var hidden, hiddenValid torch.Tensor
	steps := int(r.number("steps"))
	for s := range steps {
		step := fmt.Sprintf("step%d.", s)
		train, valid := r.tokens(s, "train", hidden), r.tokens(s, "valid", hiddenValid)
		dAlpha := architect.Gradient(train, valid, xi)
		hiddenValid = dAlpha.Hidden
		r.compare(step+"alpha_grad", dAlpha.Alphas[0])
		adam.Step(dAlpha.Alphas...)
		r.compare(step+"alphas", net.Alphas()[0])

		g := net.Gradients(net.W(), train, darts.Need{W: true, Regularised: true, Logits: true})
		hidden = g.Hidden
		r.compare(step+"raw_loss", g.Loss)
		r.compare(step+"loss", g.Loss.Add(g.Penalty))
		if s == 0 {
			r.compare(step+"log_prob", g.Logits.LogSoftmax(-1).View(r.tensor(step+"log_prob").Shape()...))
			r.compareGradients(net, step+"grad.", g.W)
		}
		norm := optim.ClipNorm(r.number("clip"), g.W)
		r.compare(step+"grad_norm", torch.Scalar(norm, torch.Options{Dtype: torch.Float64}))
		w.Step(g.W)
	}
	own := net.StateDict()
	own["hidden"], own["hidden_valid"] = hidden, hiddenValid
	out := net.Eval(r.tokens(steps-1, "train", torch.Tensor{}))
	final := r.state("final.")
	own["eval_log_prob"] = out.Logits.LogSoftmax(-1).View(final["eval_log_prob"].Shape()...)
	for name := range final {
		got, ok := own[name]
		if !ok {
			t.Errorf("the network has no %s", name)
			continue
		}
		r.compare("final."+name, got.Detach())
	}
	if got, want := net.Genotype().String(), r.Metadata()["genotype"]; got != want {
		t.Errorf("genotype\n got %s\nwant %s", got, want)
	}
}

func TestRecurrentInitialisation(t *testing.T) {
	// A fresh recurrent supernet equals PyTorch's when the seed is the same.
	torchtest.Scope(t)
	text, err := os.ReadFile(torchtest.Fixture(t, "init_rnn.json"))
	if err != nil {
		t.Fatal(err)
	}
	var rows []struct {
		Seed         uint64
		NToken, NHid int
		Tensors      map[string]torchtest.Drawn
	}
	if err := json.Unmarshal(text, &rows); err != nil {
		t.Fatal(err)
	}
	if len(rows) == 0 {
		t.Fatal("no initialisation was recorded")
	}
	for _, row := range rows {
		torch.ManualSeed(row.Seed)
		net, err := darts.NewRecurrentPlain(darts.RecurrentOptions{
			Nodes: 8, LanguageOptions: cells.LanguageOptions{Tokens: row.NToken, Units: row.NHid},
		})
		if err != nil {
			t.Fatal(err)
		}
		compareDrawn(t, net.StateDict(), row.Tensors)
	}
}
