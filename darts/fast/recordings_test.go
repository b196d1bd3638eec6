package fast_test

import (
	"encoding/json"
	"fmt"
	"os"
	"strconv"
	"strings"
	"testing"

	"godarts/darts"
	"godarts/darts/fast"
	"godarts/torch"
	"godarts/torch/nn"
	"godarts/torch/optim"
	"godarts/torch/safetensors"
	"godarts/torch/torchtest"
)

// recording is three search steps of the reference.
type recording struct {
	t testing.TB
	*safetensors.File
	o torch.Options
}

func (r recording) number(key string) float64 {
	v, err := strconv.ParseFloat(r.Metadata()[key], 64)
	if err != nil {
		r.t.Fatalf("metadata %s: %v", key, err)
	}
	return v
}

func (r recording) tensor(name string) torch.Tensor {
	x, err := r.Load(name, r.o)
	if err != nil {
		r.t.Fatal(err)
	}
	return x
}

func (r recording) batch(step int, half string) nn.Batch {
	name := fmt.Sprintf("step%d.%s", step, half)
	y, err := r.Load(name+"_target", torch.Options{Dtype: torch.Int64})
	if err != nil {
		r.t.Fatal(err)
	}
	return nn.Batch{X: r.tensor(name + "_input"), Y: y}
}

// state gives the tensors under a prefix, without it.
func (r recording) state(prefix string) torch.StateDict {
	sd := torch.StateDict{}
	for _, name := range r.Names() {
		if short, ok := strings.CutPrefix(name, prefix); ok {
			sd[short] = r.tensor(name)
		}
	}
	if len(sd) == 0 {
		r.t.Fatalf("the recording has no %s*", prefix)
	}
	return sd
}

// tolerance of a tensor against the recording: what the README of the
// recordings demands for the type of the run and the type it was stored in.
func (r recording) tolerance(name string) float64 {
	if r.o.Dtype == torch.Float32 {
		return torchtest.Float32
	}
	stored, _, err := r.Info(name)
	if err != nil {
		r.t.Fatal(err)
	}
	if stored == torch.Float64 {
		return torchtest.Float64
	}
	return torchtest.StoredFloat32
}

func (r recording) compare(name string, got torch.Tensor) {
	r.t.Helper()
	torchtest.Close(r.t, name, got.ToDtype(torch.Float64), r.tensor(name).ToDtype(torch.Float64), r.tolerance(name))
}

func TestRecordings(t *testing.T) {
	// A search in float64 takes the reference's steps when it starts from the reference's state; with -short each form takes those of one order.
	forms := map[string]func(darts.Options) (network, error){
		"plain": func(o darts.Options) (network, error) { return darts.NewPlain(o) },
		"fast":  func(o darts.Options) (network, error) { return fast.New(o) },
		"wide":  func(o darts.Options) (network, error) { return fast.NewWide(o) },
	}
	for _, file := range []string{"cnn_search_first_order", "cnn_search_second_order"} {
		for form, build := range forms {
			if testing.Short() && (form == "fast") != strings.Contains(file, "second") {
				continue
			}
			t.Run(file+"/"+form, func(t *testing.T) {
				torchtest.Scope(t)
				golden := torchtest.Golden(t, torchtest.Fixture(t, file+".safetensors"))
				r := recording{t, golden, torch.Options{Dtype: torch.Float64}}
				net, err := build(r.options())
				if err != nil {
					t.Fatal(err)
				}
				follow(r, net)
			})
		}
	}
}

// network is a supernet in either form.
type network interface {
	darts.Supernet
	Views(flat torch.Tensor) torch.StateDict
}

func follow(r recording, net network) {
	t := r.t
	if err := net.LoadStateDict(r.state("init.")); err != nil {
		t.Fatal(err)
	}
	w, adam := r.optimizers(net)
	architect := darts.NewArchitect(net, w, adam)
	xi := 0.0
	if r.number("order") == 2 {
		xi = r.number("lr")
	}
	steps := 0
	for ; ; steps++ {
		step := fmt.Sprintf("step%d.", steps)
		if _, _, err := r.Info(step + "train_input"); err != nil {
			break
		}
		train, valid := r.batch(steps, "train"), r.batch(steps, "valid")
		dAlpha := architect.Gradient(train, valid, xi).Alphas
		r.compare(step+"alpha_grad_normal", dAlpha[0])
		r.compare(step+"alpha_grad_reduce", dAlpha[1])
		adam.Step(dAlpha...)
		r.compare(step+"alphas_normal", net.Alphas()[0])
		r.compare(step+"alphas_reduce", net.Alphas()[1])

		g := net.Gradients(net.W(), train, darts.Need{W: true})
		r.compare(step+"loss", g.Loss)
		if steps == 0 {
			r.compare(step+"logits", g.Logits)
			r.compareGradients(net, step+"grad.", g.W)
		}
		norm := optim.ClipNorm(r.number("grad_clip"), g.W)
		r.compare(step+"grad_norm", torch.Scalar(norm, torch.Options{Dtype: torch.Float64}))
		w.Step(g.W)
	}
	if steps < 2 {
		t.Fatalf("the recording has %d steps", steps)
	}
	final := r.state("final.")
	eval := final["eval_logits"]
	delete(final, "eval_logits")
	own := net.StateDict()
	for name := range final {
		if strings.HasPrefix(name, "alphas_") {
			continue
		}
		got, ok := own[name]
		if !ok {
			t.Errorf("the network has no %s", name)
			continue
		}
		r.compare("final."+name, got)
	}
	out := net.Eval(r.batch(steps-1, "train"))
	torchtest.Close(t, "final.eval_logits", out.Logits.ToDtype(torch.Float64), eval.ToDtype(torch.Float64), r.tolerance("final.eval_logits"))
	if got, want := net.Genotype().String(), r.Metadata()["genotype"]; got != want {
		t.Errorf("genotype\n got %s\nwant %s", got, want)
	}
}

// optimizers are the recorded ones, fresh, of w and of α.
func (r recording) optimizers(net network) (*optim.SGD, *optim.Adam) {
	var betas [2]float64
	if err := json.Unmarshal([]byte(r.Metadata()["arch_betas"]), &betas); err != nil {
		r.t.Fatal(err)
	}
	w := optim.SGDOptions{LR: r.number("lr"), Momentum: r.number("momentum"), WeightDecay: r.number("weight_decay")}
	alpha := optim.AdamOptions{LR: r.number("arch_lr"), Betas: betas, WeightDecay: r.number("arch_weight_decay")}
	return optim.NewSGD([]torch.Tensor{net.W()}, w), optim.NewAdam(net.Alphas(), alpha)
}

// options are the recorded network's.
func (r recording) options() darts.Options {
	alpha := r.tensor("init.alphas_normal")
	nodes := 0
	for darts.Edges(nodes) < alpha.Size(0) {
		nodes++
	}
	classifier, stem := r.tensor("init.classifier.weight"), r.tensor("init.stem.0.weight")
	c := int(r.number("C"))
	return darts.Options{
		Channels: c, Layers: int(r.number("layers")), Nodes: nodes, Classes: classifier.Size(0),
		InputChannels: stem.Size(1), StemMultiplier: stem.Size(0) / c, Options: r.o,
	}
}

// compareGradients compares each parameter's gradient that was recorded.
func (r recording) compareGradients(net network, prefix string, g torch.Tensor) {
	r.t.Helper()
	views := net.Views(g)
	seen := 0
	for name, got := range views {
		if _, _, err := r.Info(prefix + name); err == nil {
			r.compare(prefix+name, got)
			seen++
		}
	}
	if want := len(r.state(prefix)); seen != want {
		r.t.Errorf("%d of the %d recorded gradients have a parameter", seen, want)
	}
}

func TestInitialisation(t *testing.T) {
	// A fresh supernet equals PyTorch's when the seed is the same.
	torchtest.Scope(t)
	for _, row := range readInit(t) {
		if row.Network != "cnn-search" {
			continue
		}
		torch.ManualSeed(row.Seed)
		net, err := darts.NewPlain(darts.Options{
			Channels: row.C, Layers: row.Layers, Nodes: 4, Classes: row.Classes, InputChannels: 3, StemMultiplier: 3,
		})
		if err != nil {
			t.Fatal(err)
		}
		compareDrawn(t, net.StateDict(), row.Tensors)
	}
}

func compareDrawn(t testing.TB, own torch.StateDict, recorded map[string]torchtest.Drawn) {
	t.Helper()
	for name, want := range recorded {
		if got, ok := own[name]; ok {
			want.Compare(t, name, got.Detach())
		} else {
			t.Errorf("the network has no %s", name)
		}
	}
}

type initRow struct {
	Network            string
	Seed               uint64
	C, Layers, Classes int
	Tensors            map[string]torchtest.Drawn
}

func readInit(t testing.TB) (rows []initRow) {
	text, err := os.ReadFile(torchtest.Fixture(t, "init_cnn.json"))
	if err != nil {
		t.Fatal(err)
	}
	if err := json.Unmarshal(text, &rows); err != nil {
		t.Fatal(err)
	}
	return rows
}
