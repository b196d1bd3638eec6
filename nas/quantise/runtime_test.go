package quantise_test

import (
	"bytes"
	"encoding/binary"
	"encoding/json"
	"fmt"
	"math"
	"os"
	"os/exec"
	"path/filepath"
	"testing"

	"godarts/cells"
	"godarts/cells/genotype"
	"godarts/nas/checks"
	"godarts/nas/onnx"
	"godarts/nas/quantise"
	"godarts/torch"
	"godarts/torch/nn"
	"godarts/torch/torchtest"
)

// weightsOf are the tensors of a network.
func weightsOf(net nn.Module) onnx.Weights {
	w := onnx.Weights{}
	for name, t := range net.StateDict() {
		w[name] = onnx.Tensor{Shape: t.Shape(), Floats: t.Float32s()}
	}
	return w
}

// trained makes a network of g whose batch norms have seen images, and its description.
func trained(t testing.TB, g genotype.Genotype, imageNet bool) (*cells.Network, onnx.ImageNetwork) {
	t.Helper()
	o := cells.NetworkOptions{Channels: 4, Layers: 4, Classes: 3, InputChannels: 3, Size: 16, StemMultiplier: 2}
	if imageNet {
		o.ImageNet, o.Size = true, 224
	}
	torch.ManualSeed(5)
	net, err := cells.NewNetwork(g, o)
	if err != nil {
		t.Fatal(err)
	}
	for range 3 {
		x := torch.Randn([]int{4, 3, o.Size, o.Size}, torch.Options{})
		torch.Scoped(func() {
			net.Forward(nn.Batch{X: x, Y: torch.Zeros([]int{4}, torch.Options{Dtype: torch.Int64})}, nn.Mode{Training: true})
		})
	}
	return net, onnx.ImageNetwork{
		Genotype: g, Channels: o.Channels, Layers: o.Layers, Classes: o.Classes, InputChannels: 3, Size: o.Size, ImageNet: imageNet,
		Mean: []float32{0.4, 0.5, 0.6}, Std: []float32{0.2, 0.25, 0.3}, ClassNames: []string{"cat", "dog", "other"},
	}
}

// quantised makes the network of g in integers, calibrated on images.
func quantised(t testing.TB, g genotype.Genotype, imageNet bool, most int, method string) (*quantise.Network, onnx.ImageNetwork, torch.Tensor) {
	t.Helper()
	net, n := trained(t, g, imageNet)
	graph, err := onnx.IntegerGraph(n, weightsOf(net), false)
	if err != nil {
		t.Fatal(err)
	}
	q, err := quantise.New(graph, quantise.Options{Most: most})
	if err != nil {
		t.Fatal(err)
	}
	images := torch.Rand([]int{8, 3, n.Size, n.Size}, torch.Options{})
	if err := q.Calibrate(method, batches(normalised(images, n))); err != nil {
		t.Fatal(err)
	}
	return q, n, images
}

func batches(all ...torch.Tensor) quantise.Batches {
	return func(use func(torch.Tensor)) error {
		for _, x := range all {
			use(x)
		}
		return nil
	}
}

func normalised(images torch.Tensor, n onnx.ImageNetwork) torch.Tensor {
	return images.Sub(torch.FromSlice(n.Mean, 1, 3, 1, 1)).Div(torch.FromSlice(n.Std, 1, 3, 1, 1))
}

// everywhere is a cell whose edges all have op.
func everywhere(op genotype.Op) genotype.Genotype {
	c := genotype.Cell{Edges: []genotype.Edge{{Op: op, From: 0}, {Op: op, From: 1}, {Op: op, From: 2}, {Op: genotype.SkipConnect, From: 1}}, Concat: []int{2, 3}}
	return genotype.Genotype{Normal: c, Reduce: c}
}

// runtimeCase is a file, images, and the logits that it has to give.
type runtimeCase struct {
	Model  string `json:"model"`
	Shape  []int  `json:"shape"`
	Images string `json:"images"`

	name string
	want []float64
	last float64 // what an integer of the classifier's input changes a logit by, at most
}

func newCase(t *testing.T, dir, name string, g genotype.Genotype, imageNet bool, most int, method string) runtimeCase {
	t.Helper()
	q, n, images := quantised(t, g, imageNet, most, method)
	content, err := q.Encode(onnx.Options{})
	if err != nil {
		t.Fatal(err)
	}
	c := runtimeCase{Shape: images.Shape(), name: name, want: q.Logits(normalised(images, n)).Float64s(), last: q.LastQuantum()}
	c.Model, c.Images = filepath.Join(dir, fmt.Sprintf("%s.onnx", name)), filepath.Join(dir, name)
	var pixels bytes.Buffer
	if err := binary.Write(&pixels, binary.LittleEndian, images.Float32s()); err != nil {
		t.Fatal(err)
	}
	for file, content := range map[string][]byte{c.Model: content, c.Images: pixels.Bytes()} {
		if err := os.WriteFile(file, content, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	return c
}

func TestInRuntime(t *testing.T) {
	// ONNX Runtime gives our logits within one integer of the last layer's input, for every published cell and operation, and runs all convolutions in integers.
	python := checks.Python(t, "onnx", "onnxruntime")
	torchtest.Scope(t)
	dir := t.TempDir()
	var all []runtimeCase
	for i, k := range genotype.Published {
		method := []string{quantise.MinMax, quantise.Percentile, quantise.MSE}[i%3]
		all = append(all, newCase(t, dir, k.Name, k.Genotype, false, quantise.MostHere(), method))
	}
	for _, op := range genotype.ConvolutionalOps {
		all = append(all, newCase(t, dir, string(op), everywhere(op), false, quantise.Reduced, quantise.MinMax))
	}
	if !testing.Short() {
		all = append(all, newCase(t, dir, "ImageNet", genotype.Published[0].Genotype, true, quantise.MostHere(), quantise.MinMax))
	}
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
	var results []struct {
		Logits    []float64
		Operators map[string]int
	}
	if err := json.Unmarshal(out, &results); err != nil || len(results) != len(all) {
		t.Fatalf("%v: %.200s", err, out)
	}
	for i, c := range all {
		got := results[i]
		worst := 0.
		for k, want := range c.want {
			worst = max(worst, math.Abs(got.Logits[k]-want))
		}
		t.Logf("%s: %.3g of the last quantum; %v", c.name, worst/c.last, got.Operators)
		if len(got.Logits) != len(c.want) || !(worst <= c.last) {
			t.Errorf("%s: logits differ by %.3g, an integer of the classifier's input changes them by %.3g", c.name, worst, c.last)
		}
		if got.Operators["Conv"] > 0 || got.Operators["QLinearConv"] == 0 || got.Operators["Gemm"] > 0 {
			t.Errorf("%s runs %v", c.name, got.Operators)
		}
	}
}
