package model

import (
	"encoding/binary"
	"encoding/json"
	"fmt"
	"math"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"godarts/cells"
	"godarts/cells/genotype"
	"godarts/nas/config"
	"godarts/nas/runfolder"
	"godarts/torch"
	"godarts/torch/nn"
	"godarts/torch/torchtest"
)

// Pytorch is a Python that has PyTorch: what GODARTS_PYTORCH names, else that of
// scripts/bench. Without one the test is skipped, with the reason.
func Pytorch(t *testing.T) string {
	t.Helper()
	python := os.Getenv("GODARTS_PYTORCH")
	if python == "" {
		python = filepath.Join("..", "..", ".bench", "bin", "python")
		if _, err := os.Stat(python); err != nil {
			t.Skip("no PyTorch: GODARTS_PYTORCH names no Python, and scripts/bench has made none in .bench")
		}
	}
	if out, err := exec.Command(python, "-c", "import torch").CombinedOutput(); err != nil {
		t.Fatalf("no PyTorch: %s: %v: %s", python, err, lastLine(out))
	}
	return python
}

func lastLine(out []byte) string {
	lines := strings.Split(strings.TrimSpace(string(out)), "\n")
	return lines[len(lines)-1]
}

// InPyTorch runs the exported module of dir on images [N,C,Size,Size] with values
// from 0 to 1 and gives the logits.
func InPyTorch(t *testing.T, python, dir string, images []float32) []float64 {
	t.Helper()
	const script = `
import json, sys
sys.dont_write_bytecode = True
sys.path.insert(0, sys.argv[1])
import torch, network
model, about = network.load()
images = torch.frombuffer(bytearray(sys.stdin.buffer.read()), dtype=torch.float32)
images = images.reshape(-1, about["input_channels"], about["size"], about["size"])
x = network.normalise(images, about)
with torch.no_grad():
    logits = model(x)
    if not about["auxiliary"]:
        assert torch.equal(torch.jit.script(model)(x), logits), "torch.jit.script"
    assert torch.equal(torch.export.export(model, (x,)).module()(x), logits), "torch.export"
    torch._dynamo.reset()
    compiled = torch.compile(model, backend="eager", fullgraph=True)  # traced whole; inductor needs a compiler
    assert torch.equal(compiled(x), logits), "torch.compile"
print(json.dumps(logits.flatten().tolist()))
`
	var input []byte
	for _, v := range images {
		input = binary.LittleEndian.AppendUint32(input, math.Float32bits(v))
	}
	p := exec.Command(python, "-c", script, dir)
	p.Stdin = strings.NewReader(string(input))
	out, err := p.Output()
	if err != nil {
		if exit, ok := err.(*exec.ExitError); ok {
			t.Fatalf("%v: %s", err, exit.Stderr)
		}
		t.Fatal(err)
	}
	var logits []float64
	if err := json.Unmarshal(out, &logits); err != nil {
		t.Fatalf("%v: %s", err, out)
	}
	return logits
}

func TestExportInPyTorch(t *testing.T) {
	// The exported module gives the same logits in PyTorch, for both forms of the network and all operations.
	if testing.Short() {
		t.Skip("-short: imports PyTorch seven times")
	}
	python := Pytorch(t)
	for _, test := range []struct {
		name, genotype string
		change         func(*Description)
	}{
		{"NASNet", "NASNet", func(*Description) {}},
		{"AmoebaNet with auxiliary head", "AmoebaNet", func(d *Description) { d.Auxiliary, d.Layers = true, 4 }},
		{"DARTS_V2 for ImageNet", "DARTS_V2", func(d *Description) { d.ImageNet, d.Auxiliary, d.Size, d.Layers = true, true, 224, 4 }},
		{"NASNet, pruned", "NASNet", halve},
		{"DARTS_V2 for ImageNet, pruned", "DARTS_V2", func(d *Description) {
			d.ImageNet, d.Size, d.Layers = true, 224, 4
			halve(d)
		}},
		{"an operation from outside", withCustomOp("blur_3x3"), func(*Description) {}},
	} {
		t.Run(test.name, func(t *testing.T) {
			torchtest.Scope(t)
			torch.ManualSeed(3)
			d := Description{
				Channels: 4, Layers: 3, Classes: 3, InputChannels: 3, Size: 32, StemMultiplier: 2,
				Mean: []float32{0.4, 0.5, 0.6}, Std: []float32{0.2, 0.25, 0.3}, ClassNames: []string{"a", "b", "c"},
			}
			var err error
			if d.Genotype, err = genotype.Parse(test.genotype); err != nil {
				t.Fatal(err)
			}
			test.change(&d)
			net := newNetwork(t, d)
			shape := []int{4, 3, d.Size, d.Size}
			x := torch.Randn(shape, torch.Options{})
			net.Forward(nn.Batch{X: x, Y: torch.Zeros([]int{4}, torch.Options{Dtype: torch.Int64})}, nn.Mode{Training: true}) // moves the running statistics
			dir := t.TempDir()
			weights := filepath.Join(dir, runfolder.WeightsFile)
			content, err := EncodeWeights(net.StateDict(), d)
			if err != nil {
				t.Fatal(err)
			}
			if err := os.WriteFile(weights, content, 0o644); err != nil {
				t.Fatal(err)
			}
			to := filepath.Join(dir, "exported")
			if _, err := export(weights, to, someTraining(t), d.Auxiliary); err != nil {
				t.Fatal(err)
			}
			var images, normalised []float32
			draws := rand.New(rand.NewPCG(1, 2))
			for i := range 2 * 3 * d.Size * d.Size {
				c := i / (d.Size * d.Size) % 3
				v := draws.Float32()
				images, normalised = append(images, v), append(normalised, (v-d.Mean[c])/d.Std[c])
			}
			want := net.Logits(torch.FromSlice(normalised, 2, 3, d.Size, d.Size))
			got := torch.FromSlice(InPyTorch(t, python, to, images), want.Shape()...)
			torchtest.Close(t, "logits", got, want, 1e-5)
		})
	}
}

// halve prunes every second channel.
func halve(d *Description) {
	o := d.NetworkOptions(torch.Options{})
	groups := o.Groups(d.Genotype)
	keep := make([][]bool, len(groups))
	for i, g := range groups {
		for k := range g.Size() {
			keep[i] = append(keep[i], k%2 == 0)
		}
	}
	w := o.Left(d.Genotype, keep)
	d.Widths = &w
}

func init() {
	blur := cells.CustomOp{
		New: func(p nn.Path, c, stride int, affine bool) nn.Layer {
			return nn.Sequential{
				nn.NewConv2d(p.At("op").Index(0), c, c, [2]int{3, 3}, torch.Conv2dOptions{Stride: stride, Padding: 1, Groups: c}),
				nn.NewBatchNorm2d(p.At("op").Index(1), c, affine),
			}
		},
		Python: `
def blur_3x3(c, stride):
    return Wrapped(conv(c, c, 3, stride, 1, groups=c), nn.BatchNorm2d(c))
`,
	}
	cells.RegisterOp("blur_3x3", blur)
	blur.Python = ""
	cells.RegisterOp("untold", blur)
}

// withCustomOp is the text of cells of two nodes that have op.
func withCustomOp(op string) string {
	edges := fmt.Sprintf("[('%s', 0), ('skip_connect', 1), ('%[1]s', 2), ('max_pool_3x3', 0)]", op)
	return fmt.Sprintf("Genotype(normal=%s, normal_concat=[2, 3], reduce=%[1]s, reduce_concat=[2, 3])", edges)
}

func TestModuleOfCustomOp(t *testing.T) {
	// The exported module ends in the Python text of a registered operation that the cells have; without a text it is refused.
	for op, want := range map[string]string{
		"sep_conv_3x3": "",
		"blur_3x3":     "",
		"untold":       "nas: export: the cells have untold, which was registered without its text in Python: no module could rebuild the network",
	} {
		g, err := genotype.Parse(withCustomOp(op))
		if err != nil {
			t.Fatal(err)
		}
		module, err := moduleOf(g)
		if want != "" {
			if err == nil || err.Error() != want {
				t.Errorf("%s: %v, want %s", op, err, want)
			}
			continue
		}
		own, ok := strings.CutPrefix(string(module), string(slices.Concat(imageModule, []byte("\n\n"), readerModule)))
		if err != nil || !ok {
			t.Fatalf("%s: %v, the module begins otherwise: %v", op, err, !ok)
		}
		custom := strings.Contains(own, "def blur_3x3(c, stride):") && strings.Contains(own, `{"blur_3x3": blur_3x3}`)
		if custom != (op == "blur_3x3") || !custom && own != "" {
			t.Errorf("%s: the module ends in %q", op, own)
		}
	}
}

func TestExportAuxiliary(t *testing.T) {
	// An export has the auxiliary head, in weights and description alike, when it is asked for; otherwise it loads where none is expected.
	torchtest.Scope(t)
	d := toy(t)
	d.Auxiliary, d.Size, d.Layers = true, 32, 3
	net := newNetwork(t, d)
	content, err := EncodeWeights(net.StateDict(), d)
	if err != nil {
		t.Fatal(err)
	}
	weights := filepath.Join(t.TempDir(), runfolder.WeightsFile)
	if err := os.WriteFile(weights, content, 0o644); err != nil {
		t.Fatal(err)
	}
	bare := d
	bare.Auxiliary = false
	x := torch.Randn([]int{2, d.InputChannels, d.Size, d.Size}, torch.Options{})
	for _, auxiliary := range []bool{true, false} {
		to := t.TempDir()
		if _, err := export(weights, to, someTraining(t), auxiliary); err != nil {
			t.Fatal(err)
		}
		m, err := LoadModel(to, torch.Device{})
		if err != nil {
			t.Fatal(err)
		}
		if m.about.Auxiliary != auxiliary {
			t.Errorf("auxiliary %t: the description says %t", auxiliary, m.about.Auxiliary)
		}
		torchtest.Close(t, "logits", m.net.Logits(x), net.Logits(x), 0)
		of := map[bool]Description{true: d, false: bare}[auxiliary]
		if err := LoadWeights(newNetwork(t, of), filepath.Join(to, runfolder.WeightsFile)); err != nil {
			t.Errorf("auxiliary %t: %v", auxiliary, err)
		}
	}
	to := t.TempDir()
	if _, err := export(weights, to, someTraining(t), false); err != nil {
		t.Fatal(err)
	}
	want := "nas: export: the network in " + filepath.Join(to, runfolder.WeightsFile) + " has no auxiliary head"
	if _, err := export(filepath.Join(to, runfolder.WeightsFile), t.TempDir(), someTraining(t), true); err == nil || err.Error() != want {
		t.Errorf("got %v, want %s", err, want)
	}
}

// someTraining is a config of a training, for exports that no test of the data reads.
func someTraining(t *testing.T) *config.Config {
	t.Helper()
	c, err := config.Parse("train.yaml", []byte("experiment: train\ndata: {name: digits}\n"))
	if err != nil {
		t.Fatal(err)
	}
	return c
}
