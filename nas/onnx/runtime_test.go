package onnx_test

import (
	"bytes"
	"encoding/binary"
	"encoding/json"
	"fmt"
	"maps"
	"math"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"godarts/cells"
	"godarts/cells/genotype"
	"godarts/nas/checks"
	"godarts/nas/onnx"
	"godarts/torch"
	"godarts/torch/nn"
	"godarts/torch/torchtest"
)

// runtimeCase is a model, what to run it on, and what it has to give.
type runtimeCase struct {
	Model  string                  `json:"model"`
	Inputs map[string]runtimeInput `json:"inputs"`

	name string
	want map[string]torch.Tensor
}

type runtimeInput struct {
	Type  string `json:"type"`
	Shape []int  `json:"shape"`
	File  string `json:"file"`
}

// input writes an input to a file.
func input(t *testing.T, dir string, x torch.Tensor) runtimeInput {
	t.Helper()
	in := runtimeInput{Type: "float32", Shape: x.Shape()}
	var content bytes.Buffer
	var values any = x.Float32s()
	if x.Dtype() == torch.Int64 {
		in.Type, values = "int64", x.Int64s()
	}
	if err := binary.Write(&content, binary.LittleEndian, values); err != nil {
		t.Fatal(err)
	}
	f, err := os.CreateTemp(dir, "input")
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	if _, err := f.Write(content.Bytes()); err != nil {
		t.Fatal(err)
	}
	in.File = f.Name()
	return in
}

// file writes a model to a file.
func file(t *testing.T, dir string, content []byte) string {
	t.Helper()
	f, err := os.CreateTemp(dir, "*.onnx")
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	if _, err := f.Write(content); err != nil {
		t.Fatal(err)
	}
	return f.Name()
}

// inRuntime checks all models with onnx.checker, runs them in ONNX Runtime, and compares each output with what it has
// to be: within 1e-5 of the largest element.
func inRuntime(t *testing.T, python string, all []runtimeCase) {
	t.Helper()
	text, err := json.Marshal(all)
	if err != nil {
		t.Fatal(err)
	}
	p := exec.Command(python, "testdata/run.py")
	p.Stdin = bytes.NewReader(text)
	out, err := p.Output()
	if err != nil {
		if exit, ok := err.(*exec.ExitError); ok {
			t.Fatalf("%v: %s", err, exit.Stderr)
		}
		t.Fatal(err)
	}
	var results []map[string]struct {
		Shape  []int
		Values []float64
	}
	if err := json.Unmarshal(out, &results); err != nil || len(results) != len(all) {
		t.Fatalf("%v: %.200s", err, out)
	}
	for i, c := range all {
		if got, want := slices.Sorted(maps.Keys(results[i])), slices.Sorted(maps.Keys(c.want)); !slices.Equal(got, want) {
			t.Errorf("%s: outputs %q, want %q", c.name, got, want)
			continue
		}
		for output, want := range c.want {
			got := results[i][output]
			if !slices.Equal(got.Shape, want.Shape()) {
				t.Errorf("%s: %s has shape %v, want %v", c.name, output, got.Shape, want.Shape())
				continue
			}
			largest, worst := 0., 0.
			for k, v := range want.Float64s() {
				largest, worst = max(largest, math.Abs(v)), max(worst, math.Abs(v-got.Values[k]))
				if math.IsNaN(got.Values[k]) {
					worst = math.Inf(1)
				}
			}
			if worst > 1e-5*largest || largest == 0 {
				t.Errorf("%s: %s differs by %.3g of the largest, %.3g", c.name, output, worst/largest, largest)
			}
		}
	}
}

// weightsOf are the tensors of a network.
func weightsOf(net nn.Module) onnx.Weights {
	w := onnx.Weights{}
	for name, t := range net.StateDict() {
		w[name] = onnx.Tensor{Shape: t.Shape(), Floats: t.Float32s()}
	}
	return w
}

// imageNetwork makes a network of g for images, whose batch norms have seen some, and its description.
func imageNetwork(t testing.TB, g genotype.Genotype, imageNet, pruned bool) (*cells.Network, onnx.ImageNetwork) {
	t.Helper()
	o := cells.NetworkOptions{Channels: 4, Layers: 4, Classes: 3, InputChannels: 3, Size: 32, StemMultiplier: 2, Auxiliary: true}
	if imageNet {
		o.ImageNet, o.Size = true, 224
	}
	if pruned {
		var keep [][]bool
		for i, g := range o.Groups(g) {
			kept := make([]bool, g.Size())
			for k := range kept {
				kept[k] = (i+k)%2 == 0 || k == 0 || k == g.Halves[0]
			}
			keep = append(keep, kept)
		}
		w := o.Left(g, keep)
		o.Widths = &w
	}
	torch.ManualSeed(5)
	net, err := cells.NewNetwork(g, o)
	if err != nil {
		t.Fatal(err)
	}
	x := torch.Randn([]int{4, 3, o.Size, o.Size}, torch.Options{})
	net.Forward(nn.Batch{X: x, Y: torch.Zeros([]int{4}, torch.Options{Dtype: torch.Int64})}, nn.Mode{Training: true})
	return net, onnx.ImageNetwork{
		Genotype: g, Channels: o.Channels, Layers: o.Layers, Classes: o.Classes, InputChannels: 3, Size: o.Size, ImageNet: imageNet,
		Mean: []float32{0.4, 0.5, 0.6}, Std: []float32{0.2, 0.25, 0.3}, ClassNames: []string{"cat", "dog", "\"other\""},
	}
}

// imageCases are the network of g in both forms of the file.
func imageCases(t *testing.T, dir, name string, g genotype.Genotype, imageNet, pruned bool) (all []runtimeCase) {
	t.Helper()
	net, n := imageNetwork(t, g, imageNet, pruned)
	images := torch.Rand([]int{2, 3, n.Size, n.Size}, torch.Options{})
	mean, std := torch.FromSlice(n.Mean, 1, 3, 1, 1), torch.FromSlice(n.Std, 1, 3, 1, 1)
	logits := net.Logits(images.Sub(mean).Div(std))
	in := input(t, dir, images)
	for _, o := range []onnx.Options{{}, {Fold: true}, {Fold: true, Softmax: true}} {
		content, err := onnx.Images(n, weightsOf(net), o)
		if err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		want := map[string]torch.Tensor{onnx.LogitsOutput: logits}
		if o.Softmax {
			want = map[string]torch.Tensor{onnx.ProbabilitiesOutput: logits.Softmax(1)}
		}
		all = append(all, runtimeCase{
			Model: file(t, dir, content), Inputs: map[string]runtimeInput{onnx.ImagesInput: in},
			name: fmt.Sprintf("%s, ImageNet %v, pruned %v, %+v", name, imageNet, pruned, o), want: want,
		})
	}
	return all
}

// everywhere is a cell whose edges all have op.
func everywhere(op genotype.Op) genotype.Genotype {
	c := genotype.Cell{Edges: []genotype.Edge{{Op: op, From: 0}, {Op: op, From: 1}, {Op: op, From: 2}, {Op: genotype.SkipConnect, From: 1}}, Concat: []int{2, 3}}
	return genotype.Genotype{Normal: c, Reduce: c}
}

func TestImagesInRuntime(t *testing.T) {
	// ONNX Runtime gives our logits for every published cell, with both stems, and for every operation with both strides, pruned or not.
	python := checks.Python(t, "onnx", "onnxruntime")
	torchtest.Scope(t)
	dir := t.TempDir()
	var all []runtimeCase
	for _, k := range genotype.Published {
		all = append(all, imageCases(t, dir, k.Name, k.Genotype, false, false)...)
		if !testing.Short() {
			all = append(all, imageCases(t, dir, k.Name, k.Genotype, true, false)...)
		}
	}
	all = append(all, imageCases(t, dir, "the last published", genotype.Published[len(genotype.Published)-1].Genotype, true, true)...)
	for _, op := range append(slices.Clone(genotype.ConvolutionalOps), "blur_3x3") {
		all = append(all, imageCases(t, dir, string(op), everywhere(op), false, false)...)
		all = append(all, imageCases(t, dir, string(op), everywhere(op), false, true)...)
	}
	inRuntime(t, python, all)
}

func init() {
	cells.RegisterOp("blur_3x3", cells.CustomOp{New: func(p nn.Path, c, stride int, affine bool) nn.Layer {
		return nn.Sequential{
			nn.NewConv2d(p.At("op").Index(0), c, c, [2]int{3, 3}, torch.Conv2dOptions{Stride: stride, Padding: 1, Groups: c}),
			nn.NewBatchNorm2d(p.At("op").Index(1), c, affine),
		}
	}})
	onnx.RegisterOp("blur_3x3", func(s onnx.Scope, x string, c, stride int) string {
		op := s.At("op")
		return op.Index(0).ConvNorm(x, onnx.Square(stride, 1, 1, c), op.Index(1))
	})
	cells.RegisterOp("untold", cells.CustomOp{New: func(nn.Path, int, int, bool) nn.Layer { return cells.Identity{} }})
}

// languageModel makes a language model with a cell that varies.
func languageModel(t testing.TB, g genotype.Genotype, tokens int) (*cells.RecurrentNetwork, onnx.LanguageModel) {
	t.Helper()
	const units = 12
	torch.ManualSeed(7)
	net, err := cells.NewRecurrentNetwork(g, cells.RecurrentOptions{LanguageOptions: cells.LanguageOptions{Tokens: tokens, Units: units}})
	if err != nil {
		t.Fatal(err)
	}
	torch.NoGrad(func() { net.Weights().W.MulScalar_(10) }) // the first weights hardly differ from 0
	words := make([]string, tokens)
	for i := range words {
		words[i] = fmt.Sprintf("word%d", i)
	}
	return net, onnx.LanguageModel{Genotype: g, Units: units, Tokens: tokens, Words: words, Dictionary: "sum"}
}

func TestLanguageInRuntime(t *testing.T) {
	// ONNX Runtime gives our logits and states over chunks of different lengths, each from the state after the one before, for every published cell and activation.
	python := checks.Python(t, "onnx", "onnxruntime")
	torchtest.Scope(t)
	dir := t.TempDir()
	cellsOf := slices.Clone(genotype.PublishedRecurrent)
	g, err := genotype.Parse("Genotype(recurrent=[('identity', 0), ('sigmoid', 0), ('relu', 2), ('tanh', 1)], concat=[0, 3, 4])")
	if err != nil {
		t.Fatal(err)
	}
	cellsOf = append(cellsOf, genotype.Named{Name: "all activations", Genotype: g})
	const tokens, columns = 31, 3
	var all []runtimeCase
	for _, k := range cellsOf {
		net, n := languageModel(t, k.Genotype, tokens)
		for _, o := range []onnx.Options{{}, {Softmax: true}} {
			content, err := onnx.Language(n, weightsOf(net), o)
			if err != nil {
				t.Fatal(err)
			}
			model := file(t, dir, content)
			hidden := torch.Zeros([]int{1, columns, n.Units}, torch.Options{})
			for chunk, steps := range []int{7, 1, 12} {
				x := torch.Rand([]int{steps, columns}, torch.Options{}).MulScalar(tokens).ToDtype(torch.Int64)
				out := net.Forward(nn.Batch{X: x, Y: torch.Zeros([]int{steps * columns}, torch.Options{Dtype: torch.Int64}), Hidden: hidden}, nn.Mode{})
				logits := out.Logits.View(steps, columns, tokens)
				want := map[string]torch.Tensor{onnx.LogitsOutput: logits, onnx.HiddenOutput: out.Hidden}
				if o.Softmax {
					want = map[string]torch.Tensor{onnx.ProbabilitiesOutput: logits.Softmax(2), onnx.HiddenOutput: out.Hidden}
				}
				all = append(all, runtimeCase{
					Model: model, name: fmt.Sprintf("%s, %+v, chunk %d", k.Name, o, chunk), want: want,
					Inputs: map[string]runtimeInput{onnx.TokensInput: input(t, dir, x), onnx.HiddenInput: input(t, dir, hidden)},
				})
				hidden = out.Hidden
			}
		}
	}
	inRuntime(t, python, all)
}

// recordedImages and recordedLanguage are small networks with weights that depend on no generator.
func recordedImages(t testing.TB) []byte {
	t.Helper()
	g, err := genotype.Parse("Genotype(normal=[('sep_conv_3x3', 0), ('none', 1), ('dil_conv_3x3', 2), ('skip_connect', 1)], normal_concat=[2, 3], " +
		"reduce=[('max_pool_3x3', 0), ('skip_connect', 1), ('avg_pool_3x3', 0), ('none', 1)], reduce_concat=[2, 3])")
	if err != nil {
		t.Fatal(err)
	}
	o := cells.NetworkOptions{Channels: 2, Layers: 3, Classes: 2, InputChannels: 1, Size: 8, StemMultiplier: 1}
	net, err := cells.NewNetwork(g, o)
	if err != nil {
		t.Fatal(err)
	}
	content, err := onnx.Images(onnx.ImageNetwork{
		Genotype: g, Channels: 2, Layers: 3, Classes: 2, InputChannels: 1, Size: 8, Mean: []float32{0.5}, Std: []float32{0.25}, ClassNames: []string{"a", "b"},
	}, counted(net), onnx.Options{Fold: true, Softmax: true})
	if err != nil {
		t.Fatal(err)
	}
	return content
}

func recordedLanguage(t testing.TB) []byte {
	t.Helper()
	g, err := genotype.Parse("Genotype(recurrent=[('relu', 0), ('tanh', 1)], concat=[1, 2])")
	if err != nil {
		t.Fatal(err)
	}
	net, err := cells.NewRecurrentNetwork(g, cells.RecurrentOptions{LanguageOptions: cells.LanguageOptions{Tokens: 3, Units: 2}})
	if err != nil {
		t.Fatal(err)
	}
	content, err := onnx.Language(onnx.LanguageModel{Genotype: g, Units: 2, Tokens: 3, Words: []string{"a", "b", "<eos>"}}, counted(net), onnx.Options{})
	if err != nil {
		t.Fatal(err)
	}
	return content
}

// counted are weights like those of net whose elements are multiples of 1/64.
func counted(net nn.Module) onnx.Weights {
	w := weightsOf(net)
	for i, name := range slices.Sorted(maps.Keys(w)) {
		for k := range w[name].Floats {
			w[name].Floats[k] = float32((31*i+7*k)%64+1) / 64
		}
	}
	return w
}

func TestRecordedFiles(t *testing.T) {
	// Small networks give the bytes that were recorded, where ONNX Runtime read them.
	torchtest.Scope(t)
	for name, content := range map[string][]byte{"images.onnx": recordedImages(t), "language.onnx": recordedLanguage(t)} {
		recorded := filepath.Join("testdata", name)
		if os.Getenv("GODARTS_RECORD") != "" {
			text, err := json.Marshal([]string{file(t, t.TempDir(), content)})
			if err != nil {
				t.Fatal(err)
			}
			const read = "import json, sys, onnx, onnxruntime; [(onnx.checker.check_model(f, full_check=True), onnxruntime.InferenceSession(f)) for f in json.load(sys.stdin)]"
			p := exec.Command(checks.Python(t, "onnx", "onnxruntime"), "-c", read)
			p.Stdin = bytes.NewReader(text)
			if out, err := p.CombinedOutput(); err != nil {
				t.Fatalf("%s: %v: %s", name, err, out)
			}
			if err := os.WriteFile(recorded, content, 0o644); err != nil {
				t.Fatal(err)
			}
		}
		want, err := os.ReadFile(recorded)
		if err != nil {
			t.Fatal(err)
		}
		if !bytes.Equal(content, want) {
			t.Errorf("%s has %d bytes, and is not what was recorded, of %d; GODARTS_RECORD=1 records anew", name, len(content), len(want))
		}
	}
}

func TestErrors(t *testing.T) {
	// What no file can be made of is an error that names it.
	torchtest.Scope(t)
	v2, err := genotype.Lookup("DARTS_V2")
	if err != nil {
		t.Fatal(err)
	}
	net, n := imageNetwork(t, v2, false, false)
	recurrent, err := genotype.LookupRecurrent("DARTS_V2")
	if err != nil {
		t.Fatal(err)
	}
	for _, test := range []struct {
		name   string
		change func(n *onnx.ImageNetwork, w onnx.Weights)
		want   string
	}{
		{"operation without nodes", func(n *onnx.ImageNetwork, _ onnx.Weights) { n.Genotype = everywhere("untold") },
			"onnx: the cells have untold, which was registered without its nodes in ONNX (onnx.RegisterOp)"},
		{"missing weight", func(_ *onnx.ImageNetwork, w onnx.Weights) { delete(w, "cells.0._ops.2.op.1.weight") },
			`onnx: the weights have no "cells.0._ops.2.op.1.weight"`},
		{"another shape", func(_ *onnx.ImageNetwork, w onnx.Weights) {
			w["stem.0.weight"] = onnx.Tensor{Shape: []int{8, 1, 3, 3}, Floats: make([]float32, 72)}
		}, "onnx: node stem.0 (Conv): weights of shape [{ 8} { 1} { 3} { 3}] in 1 groups for images of shape [{batch 0} { 3} { 32} { 32}]"},
		{"too few elements", func(_ *onnx.ImageNetwork, w onnx.Weights) { w["classifier.bias"] = onnx.Tensor{Shape: []int{3}} },
			`onnx: the weights have 0 elements of "classifier.bias", whose shape is [3]`},
		{"recurrent cell", func(n *onnx.ImageNetwork, _ onnx.Weights) { n.Genotype = recurrent },
			"onnx: no network of images has 4 layers, 3 means and 3 deviations of 3 channels"},
		{"no cell", func(n *onnx.ImageNetwork, _ onnx.Weights) { n.Genotype = genotype.Genotype{} }, "onnx: genotype: normal cell: has no edges"},
		{"no mean", func(n *onnx.ImageNetwork, _ onnx.Weights) { n.Mean = nil }, "onnx: no network of images has 4 layers, 0 means and 3 deviations of 3 channels"},
	} {
		for _, fold := range []bool{false, true} {
			n, w := n, weightsOf(net)
			test.change(&n, w)
			if _, err := onnx.Images(n, w, onnx.Options{Fold: fold}); err == nil || !strings.HasPrefix(err.Error(), test.want) {
				t.Errorf("%s: got %v, want %s", test.name, err, test.want)
			}
		}
	}
	lm, about := languageModel(t, recurrent, 5)
	about.Words = about.Words[:4]
	if _, err := onnx.Language(about, weightsOf(lm), onnx.Options{}); err == nil || !strings.HasPrefix(err.Error(), "onnx: no language model has 4 words for 5 tokens") {
		t.Errorf("got %v", err)
	}
}

func TestRegisterOpAgain(t *testing.T) {
	// A name that has nodes already is refused by a panic.
	for _, op := range []genotype.Op{"blur_3x3", genotype.SepConv3x3} {
		func() {
			defer func() {
				if recover() == nil {
					t.Errorf("%s: no panic", op)
				}
			}()
			onnx.RegisterOp(op, func(_ onnx.Scope, x string, _, _ int) string { return x })
		}()
	}
}
