package cells

import (
	"encoding/json"
	"fmt"
	"math"
	"os"
	"slices"
	"strconv"
	"strings"
	"testing"

	"godarts/cells/genotype"
	"godarts/torch"
	"godarts/torch/nn"
	"godarts/torch/safetensors"
	"godarts/torch/torchtest"
)

// toyOptions are of a network that takes a moment.
func toyOptions() NetworkOptions {
	return NetworkOptions{
		Channels: 4, Layers: 4, Classes: 5, InputChannels: 3, Size: 32, StemMultiplier: 2,
		Auxiliary: true, AuxiliaryWeight: 0.4, Options: float64s,
	}
}

// uniformGenotype has one operation everywhere, on the two states before.
func uniformGenotype(op genotype.Op) genotype.Genotype {
	c := genotype.Cell{Edges: []genotype.Edge{{Op: op, From: 0}, {Op: op, From: 1}, {Op: op, From: 1}, {Op: op, From: 2}}, Concat: []int{2, 3}}
	return genotype.Genotype{Normal: c, Reduce: c.Clone()}
}

func newTestNetwork(t *testing.T, g genotype.Genotype, o NetworkOptions) *Network {
	t.Helper()
	n, err := NewNetwork(g, o)
	if err != nil {
		t.Fatal(err)
	}
	return n
}

func known(t *testing.T, name string) genotype.Genotype {
	t.Helper()
	g, err := genotype.Lookup(name)
	if err != nil {
		t.Fatal(err)
	}
	return g
}

func randomBatch(o NetworkOptions, n int) nn.Batch {
	return nn.Batch{
		X: torch.Randn([]int{n, o.InputChannels, o.Size, o.Size}, o.Options),
		Y: torch.RandInt(0, o.Classes, []int{n}, torch.Options{Dtype: torch.Int64}),
	}
}

// networkRecording is a pass through the reference's evaluation network.
type networkRecording struct {
	t testing.TB
	*safetensors.File
	o torch.Options
}

func (r networkRecording) tensor(name string, o torch.Options) torch.Tensor {
	x, err := r.Load(name, o)
	if err != nil {
		r.t.Fatal(err)
	}
	return x
}

// state gives the tensors under a prefix, without it.
func (r networkRecording) state(prefix string) torch.StateDict {
	sd := torch.StateDict{}
	for _, name := range r.Names() {
		if short, ok := strings.CutPrefix(name, prefix); ok {
			sd[short] = r.tensor(name, r.o)
		}
	}
	if len(sd) == 0 {
		r.t.Fatalf("the recording has no %s*", prefix)
	}
	return sd
}

// network makes the recorded network. Sizes that the metadata leaves out are
// those of the tensors.
func (r networkRecording) network() *Network {
	number := func(key string) float64 {
		v, err := strconv.ParseFloat(r.Metadata()[key], 64)
		if err != nil {
			r.t.Fatalf("metadata %s: %v", key, err)
		}
		return v
	}
	g, err := genotype.Parse(r.Metadata()["genotype"])
	if err != nil {
		r.t.Fatal(err)
	}
	init := r.state("init.")
	imageNet := r.Metadata()["imagenet"] == "true"
	stem := init["stem.0.weight"]
	if imageNet {
		stem = init["stem0.0.weight"]
	}
	_, auxiliary := init["auxiliary_head.classifier.weight"]
	n, err := NewNetwork(g, NetworkOptions{
		Channels: int(number("C")), Layers: int(number("layers")), Classes: int(number("classes")),
		InputChannels: stem.Size(1), Size: int(number("image")), StemMultiplier: stem.Size(0) / int(number("C")), ImageNet: imageNet,
		Auxiliary: auxiliary, AuxiliaryWeight: number("auxiliary_weight"), Options: r.o,
	})
	if err != nil {
		r.t.Fatal(err)
	}
	if err := n.LoadStateDict(init); err != nil {
		r.t.Fatal(err)
	}
	return n
}

// compare holds got against the recording, at the tolerance that its README sets
// for the type of the run and the type of the stored tensor.
func (r networkRecording) compare(name string, got torch.Tensor) {
	r.t.Helper()
	stored, _, err := r.Info(name)
	if err != nil {
		r.t.Fatal(err)
	}
	tolerance := torchtest.Float64
	switch {
	case r.o.Dtype == torch.Float32:
		tolerance = torchtest.Float32
	case stored == torch.Float32:
		tolerance = torchtest.StoredFloat32
	}
	torchtest.Close(r.t, name, got.ToDtype(torch.Float64), r.tensor(name, float64s), tolerance)
}

// compareAll holds every recorded tensor under a prefix against got.
func (r networkRecording) compareAll(prefix string, got torch.StateDict) {
	r.t.Helper()
	for short := range r.state(prefix) {
		if _, ok := got[short]; !ok {
			r.t.Errorf("the network has no %s%s", prefix, short)
			continue
		}
		r.compare(prefix+short, got[short])
	}
}

func TestNetworkRecordings(t *testing.T) {
	// The network gives the reference's logits, loss, gradients and running statistics when it has its weights.
	for _, name := range []string{"cnn_eval_darts_v2", "cnn_eval_nasnet", "cnn_eval_amoebanet", "imagenet_eval_darts_v1"} {
		for _, dtype := range []torch.Dtype{torch.Float64, torch.Float32} {
			t.Run(name+"/"+dtype.String(), func(t *testing.T) {
				torchtest.Scope(t)
				r := networkRecording{t, torchtest.Golden(t, torchtest.Fixture(t, name+".safetensors")), torch.Options{Dtype: dtype}}
				n := r.network()
				b := nn.Batch{X: r.tensor("input", r.o), Y: r.tensor("target", torch.Options{Dtype: torch.Int64})}

				// The recorded pass moves the running statistics once, so the look at the auxiliary logits must not.
				_, auxiliary := n.logits(b.X, nn.Mode{Training: true, FreezeStatistics: true})
				r.compare("train_logits_aux", auxiliary)

				out := n.Forward(b, nn.Mode{Training: true})
				r.compare("train_logits", out.Logits)
				r.compare("loss", out.Loss)
				if dtype == torch.Float64 {
					g := torch.Empty(n.Weights().W.Shape(), r.o)
					n.Weights().Gradient(out.Loss, g, nil)
					r.compareAll("grad.", n.Weights().Views(g))
					r.compareAll("after.", n.StateDict())
				}
				r.compare("eval_logits", n.Forward(b, nn.Mode{}).Logits)
			})
		}
	}
}

func TestNetworkOfLooseEnds(t *testing.T) {
	// A cell whose output takes the nodes that no other takes makes a network when it is ENAS_MICRO.
	torchtest.Scope(t)
	o := toyOptions()
	n := newTestNetwork(t, known(t, "ENAS_MICRO"), o)
	out := n.Forward(randomBatch(o, 2), nn.Mode{Training: true})
	if shape := out.Logits.Shape(); !slices.Equal(shape, []int{2, o.Classes}) || out.Loss.IsFinite().ToDtype(torch.Float32).Item() != 1 {
		t.Errorf("logits of shape %v, loss %v", shape, out.Loss.Item())
	}
}

func TestNetworkChannelsLast(t *testing.T) {
	// Loss and gradients are the same when images lie channels last.
	torchtest.Scope(t)
	torch.ManualSeed(5)
	o := toyOptions()
	n := newTestNetwork(t, known(t, "AmoebaNet"), o)
	b := randomBatch(o, 3)
	pass := func(b nn.Batch) (loss, g torch.Tensor) {
		out := n.Forward(b, nn.Mode{Training: true})
		g = torch.Empty(n.Weights().W.Shape(), o.Options)
		n.Weights().Gradient(out.Loss, g, nil)
		return out.Loss, g
	}
	loss, g := pass(b)
	lossLast, gLast := pass(nn.Batch{X: b.X.ChannelsLast(), Y: b.Y})
	torchtest.Close(t, "loss", lossLast, loss, 1e-12)
	torchtest.Close(t, "gradient", gLast, g, 1e-10)
}

func TestNetworkInitialisation(t *testing.T) {
	// A fresh network has PyTorch's weights when the generator has its seed.
	data, err := os.ReadFile(torchtest.Fixture(t, "init_cnn.json"))
	if err != nil {
		t.Fatal(err)
	}
	var records []struct {
		Network            string
		Seed               uint64
		C, Layers, Classes int
		GenotypeName       string `json:"genotype_name"`
		Auxiliary          bool
		Tensors            map[string]torchtest.Drawn
	}
	if err := json.Unmarshal(data, &records); err != nil {
		t.Fatal(err)
	}
	tested := map[string]bool{}
	for _, r := range records {
		imageNet := r.Network == "cnn-eval-imagenet"
		if r.Network != "cnn-eval-cifar" && !imageNet {
			continue
		}
		tested[r.Network] = true
		t.Run(fmt.Sprintf("%s/%s/seed%d", r.Network, r.GenotypeName, r.Seed), func(t *testing.T) {
			torchtest.Scope(t)
			torch.ManualSeed(r.Seed)
			o := NetworkOptions{
				Channels: r.C, Layers: r.Layers, Classes: r.Classes, InputChannels: 3, Size: 32, StemMultiplier: 3,
				Auxiliary: r.Auxiliary, ImageNet: imageNet,
			}
			if imageNet {
				o.Size = 224
			}
			n := newTestNetwork(t, known(t, r.GenotypeName), o)
			if got, want := len(n.Weights().Names()), len(r.Tensors); got != want {
				t.Errorf("%d parameters, want %d", got, want)
			}
			own := n.StateDict()
			for name, want := range r.Tensors {
				if w, ok := own[name]; ok {
					want.Compare(t, name, w)
				} else {
					t.Errorf("no parameter %s", name)
				}
			}
		})
	}
	if len(tested) != 2 {
		t.Errorf("the recording has the evaluation networks %v, want CIFAR's and ImageNet's", tested)
	}
}

// The networks that the paper trains.
var (
	paperCIFAR = NetworkOptions{
		Channels: 36, Layers: 20, Classes: 10, InputChannels: 3, Size: 32, StemMultiplier: 3, Auxiliary: true,
	}
	paperImageNet = NetworkOptions{
		Channels: 48, Layers: 14, Classes: 1000, InputChannels: 3, Size: 224, ImageNet: true, Auxiliary: true,
	}
)

func TestNetworkSizes(t *testing.T) {
	// Networks of published cells have the published numbers of weights and saved tensors.
	for _, test := range []struct {
		name, genotype     string
		o                  NetworkOptions
		network, auxiliary int
		saved, parameters  int // tensors; 0 where nothing is published
	}{
		{"cifar/DARTS_V1", "DARTS_V1", paperCIFAR, 3_169_414, 476_426, 1301, 855},
		{"cifar/DARTS_V2", "DARTS_V2", paperCIFAR, 3_349_342, 476_426, 1409, 927},
		{"cifar/NASNet", "NASNet", paperCIFAR, 3_830_950, 457_994, 0, 0},
		{"cifar/AmoebaNet", "AmoebaNet", paperCIFAR, 3_145_078, 457_994, 0, 0},
		{"cifar/PCDARTS", "PCDARTS", paperCIFAR, 3_634_678, 476_426, 0, 0},
		{"cifar/GDAS_V1", "GDAS_V1", paperCIFAR, 3_368_782, 476_426, 0, 0},
		{"cifar/PDARTS", "PDARTS", paperCIFAR, 3_433_798, 476_426, 0, 0},
		{"imagenet/PDARTS", "PDARTS", paperImageNet, 4_944_352, 1_260_776, 0, 0},
		{"imagenet/PCDARTS_IMAGENET", "PCDARTS_IMAGENET", paperImageNet, 5_342_464, 1_260_776, 0, 0},
		{"imagenet/DARTS_V1", "DARTS_V1", paperImageNet, 4_510_432, 1_260_776, 888, 584},
		{"imagenet/DARTS_V2", "DARTS_V2", paperImageNet, 4_718_752, 1_260_776, 960, 632},
	} {
		t.Run(test.name, func(t *testing.T) {
			torchtest.Scope(t)
			n := newTestNetwork(t, known(t, test.genotype), test.o)
			if network, auxiliary := n.ParameterCount(); network != test.network || auxiliary != test.auxiliary {
				t.Errorf("%d weights and %d auxiliary, want %d and %d", network, auxiliary, test.network, test.auxiliary)
			}
			if saved, parameters := len(n.StateDict()), len(n.Weights().Names()); test.saved > 0 &&
				(saved != test.saved || parameters != test.parameters) {
				t.Errorf("%d tensors of which %d are parameters, want %d and %d", saved, parameters, test.saved, test.parameters)
			}
			o := test.o
			o.Auxiliary = false
			n = newTestNetwork(t, known(t, test.genotype), o)
			if network, auxiliary := n.ParameterCount(); network != test.network || auxiliary != 0 {
				t.Errorf("without auxiliary head: %d weights and %d auxiliary, want %d and 0", network, auxiliary, test.network)
			}
		})
	}
}

func TestNetworkLeavesNothing(t *testing.T) {
	// The caller's scope gets the network's tensors, loss and logits, and no others.
	torchtest.Scope(t)
	o := toyOptions()
	b := randomBatch(o, 2)
	before := torch.Live()
	n := newTestNetwork(t, known(t, "NASNet"), o)
	flat := 2 // weights and running statistics; the rest are views
	if got, want := torch.Live()-before, flat+len(n.StateDict()); got != want {
		t.Errorf("the constructor left %d tensors, want %d", got, want)
	}
	for _, m := range []nn.Mode{{}, {Training: true, DropPath: 0.3}} {
		before = torch.Live()
		n.Forward(b, m)
		if got := torch.Live() - before; got != 2 {
			t.Errorf("a pass with %+v left %d tensors, want 2", m, got)
		}
	}
	before = torch.Live()
	o.Size = 30
	if _, err := NewNetwork(known(t, "NASNet"), o); err == nil {
		t.Error("no error for images of 30x30")
	}
	if got := torch.Live() - before; got != 0 {
		t.Errorf("an error left %d tensors, want 0", got)
	}
}

func TestAuxiliaryOnlyInTraining(t *testing.T) {
	// The loss has the auxiliary head's part and smoothed labels in training, and neither in evaluation.
	for _, training := range []bool{true, false} {
		t.Run(fmt.Sprint("training=", training), func(t *testing.T) {
			torchtest.Scope(t)
			torch.ManualSeed(6)
			o := toyOptions()
			o.LabelSmoothing = 0.2
			n := newTestNetwork(t, known(t, "DARTS_V2"), o)
			b := randomBatch(o, 4)
			crossEntropy := func(logits torch.Tensor) float64 {
				plain := torch.CrossEntropy(logits, b.Y, torch.CrossEntropyOptions{}).Item()
				if !training {
					return plain
				}
				return 0.8*plain - 0.2*logits.LogSoftmax(1).Mean().Item() // a fifth of the label lies on all classes alike
			}
			m := nn.Mode{Training: training, FreezeStatistics: true}
			logits, auxiliary := n.logits(b.X, m)
			if auxiliary.Defined() != training {
				t.Fatalf("auxiliary logits: %v, want %v", auxiliary.Defined(), training)
			}
			want := crossEntropy(logits)
			if training {
				want += 0.4 * crossEntropy(auxiliary)
			}
			if got := n.Forward(b, m).Loss.Item(); math.Abs(got-want) > 1e-12 {
				t.Errorf("loss %v, want %v", got, want)
			}
		})
	}
}

func TestAuxiliaryFirstReLUInPlace(t *testing.T) {
	// The head rectifies the second reduction's output, so the classifier sees that where no cell follows.
	for _, test := range []struct {
		layers int
		sees   bool
	}{{3, true}, {4, false}} {
		t.Run(fmt.Sprint(test.layers, " layers"), func(t *testing.T) {
			torchtest.Scope(t)
			torch.ManualSeed(7)
			o := toyOptions()
			o.Layers = test.layers
			n := newTestNetwork(t, known(t, "DARTS_V2"), o)
			o.Auxiliary = false
			plain := newTestNetwork(t, known(t, "DARTS_V2"), o)
			shared := torch.StateDict{}
			own := n.StateDict()
			for name := range plain.StateDict() {
				shared[name] = own[name]
			}
			if err := plain.LoadStateDict(shared); err != nil {
				t.Fatal(err)
			}
			b := randomBatch(o, 2)
			m := nn.Mode{Training: true}
			got := n.Forward(b, m).Logits

			s0 := plain.stems[0].Forward(b.X, m)
			s1 := s0
			for _, cell := range plain.cells {
				s0, s1 = s1, cell.forward(s0, s1, m)
			}
			if test.sees {
				s1 = s1.ReLU()
			}
			want := plain.classifier.Forward(s1.MeanDims([]int{2, 3}, false), m)
			torchtest.Close(t, "logits", got, want, 1e-12)
			if same := plain.Forward(b, m).Logits; (same.Sub(want).Norm().Item() < 1e-9) == test.sees {
				t.Errorf("without the head: logits %v, with it %v", same, want)
			}
		})
	}
}

func TestDropPathOnEdges(t *testing.T) {
	// Results are dropped image by image in training, those of poolings and skips of stride 2 too, but not of identities.
	for _, c := range layerCases() {
		if c.op == genotype.None {
			continue // gives zeros at all times
		}
		for _, training := range []bool{true, false} {
			t.Run(fmt.Sprintf("%v/training=%v", c, training), func(t *testing.T) {
				torchtest.Scope(t)
				torch.ManualSeed(8)
				layer, _ := c.build(4, float64s)
				x := torch.Randn([]int{32, 4, 6, 6}, float64s)
				edge := networkEdge{op: layer}
				y := edge.forward([]torch.Tensor{x}, nn.Mode{Training: training, FreezeStatistics: true, DropPath: 0.5})
				dropped := 0
				for i := range 32 {
					if y.Select(0, i).Norm().Item() == 0 {
						dropped++
					}
				}
				exempt := c == layerCase{genotype.SkipConnect, 1}
				if wants := training && !exempt; wants != (dropped > 4 && dropped < 28) || !wants && dropped > 0 {
					t.Errorf("%d of 32 images dropped", dropped)
				}
			})
		}
	}
}

func TestDropPathInCells(t *testing.T) {
	// Drop-path changes a cell of skip connections only when the cell reduces.
	for kind := range genotype.ConvolutionalKinds {
		t.Run(kind.String(), func(t *testing.T) {
			torchtest.Scope(t)
			torch.ManualSeed(9)
			var b nn.Builder
			skips := uniformGenotype(genotype.SkipConnect).Normal
			cell := newNetworkCell(b.Root(), skips, networkCellOptions{
				before: 3, last: 3, channels: 4, widths: fullCell(skips, 4), kind: kind,
			})
			b.Build(float64s)
			x := torch.Randn([]int{16, 3, 8, 8}, float64s)
			all := cell.forward(x, x, nn.Mode{Training: true})
			some := cell.forward(x, x, nn.Mode{Training: true, DropPath: 0.5})
			if changed := all.Sub(some).Norm().Item() != 0; changed != (kind == genotype.Reduce) {
				t.Errorf("changed: %v, want the opposite", changed)
			}
		})
	}
}

func TestNetworkOfEveryOperation(t *testing.T) {
	// A network trains and evaluates when all its edges have one operation, and a normal cell passes on its inputs.
	for _, op := range genotype.ConvolutionalOps {
		t.Run(string(op), func(t *testing.T) {
			torchtest.Scope(t)
			torch.ManualSeed(10)
			g := uniformGenotype(op)
			g.Normal.Concat = []int{0, 1, 3}
			o := toyOptions()
			o.Size, o.Auxiliary, o.InputChannels = 8, false, 1
			n := newTestNetwork(t, g, o)
			b := randomBatch(o, 2)
			for _, m := range []nn.Mode{{Training: true}, {}} {
				out := n.Forward(b, m)
				if want := []int{2, 5}; !slices.Equal(out.Logits.Shape(), want) {
					t.Errorf("logits of shape %v, want %v", out.Logits.Shape(), want)
				}
				if loss := out.Loss.Item(); math.IsNaN(loss) || math.IsInf(loss, 0) || loss <= 0 {
					t.Errorf("loss %v", loss)
				}
			}
		})
	}
}

func TestNetworkErrors(t *testing.T) {
	// NewNetwork says what to change when genotype or sizes give no network.
	skip, pool := uniformGenotype(genotype.SkipConnect), uniformGenotype(genotype.MaxPool3x3)
	imageNet := func(size int) func(*NetworkOptions) {
		return func(o *NetworkOptions) { o.ImageNet, o.Size = true, size }
	}
	for _, test := range []struct {
		name   string
		g      genotype.Genotype
		change func(*NetworkOptions)
		want   string // empty for none
	}{
		{"fits", skip, func(o *NetworkOptions) {}, ""},
		{"recurrent", genotype.PublishedRecurrent[0].Genotype, func(o *NetworkOptions) {},
			"cells: network: the genotype is of a recurrent cell, want a normal and a reduction cell"},
		{"unknown op", uniformGenotype("sep_conv_9x9"), func(o *NetworkOptions) {},
			`cells: network: genotype: normal cell: edge 0 of node 0: unknown op "sep_conv_9x9" (nearest: "sep_conv_7x7")`},
		{"empty genotype", genotype.Genotype{}, func(o *NetworkOptions) {}, "cells: network: genotype: normal cell: has no edges"},
		{"odd channels", skip, func(o *NetworkOptions) { o.Channels = 7 },
			"cells: network: 7 channels, want an even number (nearest: 8)"},
		{"no channels", skip, func(o *NetworkOptions) { o.Channels = 0 }, "cells: network: 0 channels, want at least 2"},
		{"two layers", skip, func(o *NetworkOptions) { o.Layers = 2 }, "cells: network: 2 layers, want at least 3"},
		{"one class", skip, func(o *NetworkOptions) { o.Classes = 1 }, "cells: network: 1 classes, want at least 2"},
		{"no input channels", skip, func(o *NetworkOptions) { o.InputChannels = 0 },
			"cells: network: 0 input channels, want at least 1"},
		{"no size", skip, func(o *NetworkOptions) { o.Size = 0 }, "cells: network: 0 pixels a side, want at least 1"},
		{"no stem", skip, func(o *NetworkOptions) { o.StemMultiplier = 0 },
			"cells: network: 0 as stem multiplier, want at least 1"},
		{"odd size", skip, func(o *NetworkOptions) { o.Size = 33 },
			"cells: network: images of 33x33 reach the reduction in cell 1 as 33x33, want an even size there"},
		{"odd at the second reduction", skip, func(o *NetworkOptions) { o.Size = 34 },
			"cells: network: images of 34x34 reach the reduction in cell 2 as 17x17, want an even size there"},
		{"odd, pools in the last cell", pool, func(o *NetworkOptions) { o.Layers, o.Size = 3, 34 }, ""},
		{"odd, skips in the last cell", skip, func(o *NetworkOptions) { o.Layers, o.Size = 3, 34 },
			"cells: network: images of 34x34 reach the reduction in cell 2 as 17x17, want an even size there"},
		{"small auxiliary", skip, func(o *NetworkOptions) { o.Size = 28 },
			"cells: network: images of 28x28 reach the auxiliary head as 7x7, want 8 to 10 pixels there: images of 32x32, or no auxiliary head"},
		{"large auxiliary", skip, func(o *NetworkOptions) { o.Size = 44 },
			"cells: network: images of 44x44 reach the auxiliary head as 11x11, want 8 to 10 pixels there: images of 32x32, or no auxiliary head"},
		{"imagenet", skip, imageNet(224), ""},
		{"imagenet, 223 and 222 round up", skip, imageNet(222), ""},
		{"imagenet without stem multiplier", skip, func(o *NetworkOptions) { imageNet(224)(o); o.StemMultiplier = 0 }, ""},
		{"imagenet, small images", skip, imageNet(32),
			"cells: network: images of 32x32 reach the last pooling as 1x1, want 7 to 13 pixels there: images of 224x224, or the stem for small images"},
		{"imagenet, large images", skip, imageNet(448),
			"cells: network: images of 448x448 reach the last pooling as 14x14, want 7 to 13 pixels there: images of 224x224, or the stem for small images"},
		{"imagenet, odd", skip, imageNet(230), "cells: network: images of 230x230 reach the reduction in cell 1 as 29x29, want an even size there"},
		{"imagenet, odd at once", skip, imageNet(218), "cells: network: images of 218x218 reach cell 0 as 55x55, want an even size there"},
		{"imagenet, large auxiliary", skip, imageNet(288),
			"cells: network: images of 288x288 reach the auxiliary head as 9x9, want 7 to 8 pixels there: images of 224x224, or no auxiliary head"},
		{"imagenet, 8x8 at the end", skip, imageNet(256), ""},
		{"imagenet, 12x12 without auxiliary", skip, func(o *NetworkOptions) { imageNet(384)(o); o.Auxiliary = false }, ""},
		{"largest auxiliary", skip, func(o *NetworkOptions) { o.Size = 40 }, ""},
		{"small without auxiliary", skip, func(o *NetworkOptions) { o.Size, o.Auxiliary = 4, false }, ""},
	} {
		t.Run(test.name, func(t *testing.T) {
			torchtest.Scope(t)
			o := toyOptions()
			test.change(&o)
			n, err := NewNetwork(test.g, o)
			if err != nil || test.want != "" {
				if err == nil || err.Error() != test.want {
					t.Fatalf("got %v, want %s", err, test.want)
				}
				return
			}
			if loss := n.Forward(randomBatch(o, 2), nn.Mode{Training: true}).Loss.Item(); math.IsNaN(loss) {
				t.Error("loss is not a number")
			}
		})
	}
}

func TestDropFactors(t *testing.T) {
	// Factors that are drawn ahead give the pass and the draws of a pass that draws them itself, and leave nothing to read, when the network has paths of all kinds.
	torchtest.Scope(t)
	g, err := genotype.Lookup("DARTS_V2")
	if err != nil {
		t.Fatal(err)
	}
	o := toyOptions()
	o.Options = float64s
	n := newTestNetwork(t, g, o)
	b := nn.Batch{X: torch.Randn([]int{6, o.InputChannels, o.Size, o.Size}, float64s), Y: torch.Zeros([]int{6}, torch.Options{Dtype: torch.Int64})}
	mode := nn.Mode{Training: true, DropPath: 0.4, FreezeStatistics: true}
	torch.ManualSeed(12)
	want, wantNext := n.Forward(b, mode), torch.Rand([]int{1}, float64s).Item()
	torch.ManualSeed(12)
	rows := n.DropFactors(6, 0.4)
	next := torch.Rand([]int{1}, float64s).Item()
	mode.Paths = RowsOf(rows)
	var got nn.Output
	torch.NoReads(func() { got = n.Forward(b, mode) })
	torchtest.Close(t, "loss", got.Loss, want.Loss, 0)
	torchtest.Close(t, "logits", got.Logits, want.Logits, 0)
	if next != wantNext {
		t.Error("other draws were taken")
	}
	if other := n.Forward(b, nn.Mode{Training: true, DropPath: 0.4, FreezeStatistics: true}); other.Loss.Item() == want.Loss.Item() {
		t.Error("the case does not tell draws apart")
	}
	if err := torch.Do(func() error { mode.Paths(); return nil }); err == nil {
		t.Errorf("%v rows, more than the pass takes", rows.Shape())
	}
}
