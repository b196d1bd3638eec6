package model

import (
	"encoding/binary"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"unicode/utf8"

	"godarts/cells"
	"godarts/cells/genotype"
	"godarts/nas/runfolder"
	"godarts/torch"
	"godarts/torch/safetensors"
	"godarts/torch/torchtest"
)

// toy is the description of the network that PyTorch wrote to testdata/toy*.
func toy(t testing.TB) (d Description) {
	t.Helper()
	text, err := os.ReadFile("testdata/toy.json")
	if err != nil {
		t.Fatal(err)
	}
	if err := json.Unmarshal(text, &d); err != nil {
		t.Fatal(err)
	}
	return d
}

func newNetwork(t testing.TB, d Description) *cells.Network {
	t.Helper()
	net, err := cells.NewNetwork(d.Genotype, d.NetworkOptions(torch.Options{}))
	if err != nil {
		t.Fatal(err)
	}
	return net
}

func TestWeightsFromPyTorch(t *testing.T) {
	// A network gives the logits that it gave in PyTorch when it has the weights that torch.save wrote there.
	for _, file := range []string{"toy.pth", "toy_parallel.pth.tar"} {
		t.Run(file, func(t *testing.T) {
			torchtest.Scope(t)
			net := newNetwork(t, toy(t))
			if err := LoadWeights(net, filepath.Join("testdata", file)); err != nil {
				t.Fatal(err)
			}
			recorded, err := torchtest.Golden(t, "testdata/toy.safetensors").LoadAll()
			if err != nil {
				t.Fatal(err)
			}
			torchtest.Close(t, "logits", net.Logits(recorded["images"]), recorded["logits"], 1e-5)
		})
	}
}

func TestReadWeights(t *testing.T) {
	// A state dict is found below the entries and prefixes that programs save it with; only the network's names are left.
	for _, test := range []struct {
		name  string
		names []string
		want  []string // empty for what names are
	}{
		{"plain", []string{"a.weight", "b"}, nil},
		{"checkpoint", []string{"optimizer.a", "state_dict.a.weight", "state_dict.b"}, []string{"a.weight", "b"}},
		{"parallel", []string{"module.a.weight", "module.b"}, []string{"a.weight", "b"}},
		{"parallel checkpoint", []string{"best", "state_dict.module.a.weight", "state_dict.module.b"}, []string{"a.weight", "b"}},
		{"a layer of that name", []string{"module.a", "b"}, nil},
		{"layers of such names", []string{"_orig_mod.a", "module.b", "n_averaged"}, nil},
		{"compiled", []string{"_orig_mod.a.weight", "_orig_mod.b"}, []string{"a.weight", "b"}},
		{"compiled in parallel", []string{"module._orig_mod.a.weight", "module._orig_mod.b"}, []string{"a.weight", "b"}},
		{"parallel, compiled", []string{"_orig_mod.module.a.weight", "_orig_mod.module.b"}, []string{"a.weight", "b"}},
		{"attribute", []string{"net.a.weight", "net.b"}, []string{"a.weight", "b"}},
		{"attribute in parallel", []string{"module.model.a.weight", "module.model.b"}, []string{"a.weight", "b"}},
		{"model_state_dict", []string{"epoch", "model_state_dict.a.weight", "model_state_dict.b", "optimizer_state_dict.c"}, []string{"a.weight", "b"}},
		{"model beside others", []string{"model.a.weight", "model.b", "optimizer.state.0"}, []string{"a.weight", "b"}},
		{"net beside others, in parallel", []string{"net.module.a.weight", "net.module.b", "acc"}, []string{"a.weight", "b"}},
		{"average", []string{"n_averaged", "module.a.weight", "module.b"}, []string{"a.weight", "b"}},
		{"average in a checkpoint", []string{"state_dict.n_averaged", "state_dict.module._orig_mod.a.weight", "state_dict.module._orig_mod.b", "x"}, []string{"a.weight", "b"}},
		{"compiled average", []string{"_orig_mod.n_averaged", "_orig_mod.module.a.weight", "_orig_mod.module.b"}, []string{"a.weight", "b"}},
		{"a counter alone", []string{"n_averaged"}, nil},
	} {
		t.Run(test.name, func(t *testing.T) {
			torchtest.Scope(t)
			sd := torch.StateDict{}
			for _, name := range test.names {
				sd[name] = torch.Ones([]int{1}, torch.Options{})
			}
			file := filepath.Join(t.TempDir(), "x.safetensors")
			f, err := os.Create(file)
			if err != nil {
				t.Fatal(err)
			}
			if err := safetensors.Write(f, sd, nil); err != nil {
				t.Fatal(err)
			}
			if err := f.Close(); err != nil {
				t.Fatal(err)
			}
			got, err := ReadWeights(file)
			if err != nil {
				t.Fatal(err)
			}
			want := test.want
			if want == nil {
				want = test.names
			}
			if len(got) != len(want) {
				t.Errorf("got %v, want %q", got, want)
			}
			for _, name := range want {
				if !got[name].Defined() {
					t.Errorf("no %q", name)
				}
			}
		})
	}
}

func TestWeightsLayout(t *testing.T) {
	// One line names what is found and what is wanted when a file has several networks, or names that are not the network's.
	for _, test := range []struct {
		name  string
		names func(own string) []string
		want  string
	}{
		{"two networks", func(own string) []string { return []string{"model." + own, "net." + own} },
			`holds weights as "model" and as "net": save only one of them`},
		{"an unknown prefix", func(own string) []string { return []string{"backbone." + own} },
			`no name in it is one of the network's: found are "backbone.cells.0._ops.0.op.1.weight", "backbone.cells.0._ops.0.op.2.weight", "backbone.cells.0._ops.0.op.3.bias" and 59 more, ` +
				`wanted "cells.0._ops.0.op.1.weight", "cells.0._ops.0.op.2.weight", "cells.0._ops.0.op.3.bias" and 59 more`},
		{"a part with a prefix", func(own string) []string { return []string{strings.Replace(own, "cells.", "model.cells.", 1)} },
			`of the names below "model.": nn: load state dict: "stem.0.weight" of shape [2 1 3 3] is missing`},
		{"nothing", func(string) []string { return nil }, `no name in it is one of the network's: found are none, wanted "cells.0`},
	} {
		t.Run(test.name, func(t *testing.T) {
			torchtest.Scope(t)
			net := newNetwork(t, toy(t))
			sd := torch.StateDict{}
			for own, tensor := range net.StateDict() {
				for _, name := range test.names(own) {
					sd[name] = tensor
				}
			}
			file := filepath.Join(t.TempDir(), "x.safetensors")
			f, err := os.Create(file)
			if err != nil {
				t.Fatal(err)
			}
			if err := safetensors.Write(f, sd, nil); err != nil {
				t.Fatal(err)
			}
			if err := f.Close(); err != nil {
				t.Fatal(err)
			}
			if err := LoadWeights(net, file); err == nil || !strings.HasPrefix(err.Error(), "nas: weights "+file+": "+test.want) {
				t.Errorf("%v, want %s", err, test.want)
			}
		})
	}
}

func TestWeightsMismatch(t *testing.T) {
	// The error names the first entry that is missing, unknown or of another shape, with shapes, when weights are of another network.
	for _, test := range []struct {
		name   string
		change func(*Description)
		want   string
	}{
		{"more channels", func(d *Description) { d.Channels = 4 },
			`"stem.0.weight" has shape [2 1 3 3], the network [4 1 3 3]`},
		{"more classes", func(d *Description) { d.Classes = 4 },
			`"classifier.weight" has shape [3 8], the network [4 8]`},
		{"a cell more", func(d *Description) { d.Layers = 4 },
			`"cells.3.preprocess0.conv_1.weight" of shape [4 4 1 1] is missing`},
		{"an auxiliary head", func(d *Description) { d.Auxiliary = true },
			`"auxiliary_head.features.2.weight" of shape [128 8 1 1] is missing`},
		{"an operation without weights", func(d *Description) { d.Genotype.Normal.Edges[0].Op = genotype.SkipConnect },
			`the network has no "cells.0._ops.0.op.1.weight" of shape [2 1 3 3]`},
		{"an operation elsewhere", func(d *Description) {
			d.Genotype.Normal.Edges[0].Op, d.Genotype.Normal.Edges[1].Op = genotype.SkipConnect, genotype.SepConv3x3
		},
			`"cells.0._ops.1.op.1.weight" of shape [2 1 3 3] is missing, and the network has no "cells.0._ops.0.op.1.weight" of shape [2 1 3 3]`},
	} {
		t.Run(test.name, func(t *testing.T) {
			torchtest.Scope(t)
			d := toy(t)
			test.change(&d)
			err := LoadWeights(newNetwork(t, d), "testdata/toy.pth")
			if want := "nas: weights testdata/toy.pth: nn: load state dict: " + test.want; fmt.Sprint(err) != want {
				t.Errorf("got  %v\nwant %s", err, want)
			}
		})
	}
}

func TestWeightsCompareFirst(t *testing.T) {
	// A short error names the entries, and no tensor is read, when a file holds other tensors than the network's.
	torchtest.Scope(t)
	header := `{"` + strings.Repeat("a", 10_000) + `":{"dtype":"BOOL","shape":[1],"data_offsets":[0,1]}}`
	content := append(binary.LittleEndian.AppendUint64(nil, uint64(len(header))), header+"\x02"...) // 2 is no boolean
	file := filepath.Join(t.TempDir(), "x.safetensors")
	if err := os.WriteFile(file, content, 0o644); err != nil {
		t.Fatal(err)
	}
	want := `no name in it is one of the network's: found are "` + strings.Repeat("a", 60) + `...", wanted "cells.0._ops.0.op.1.weight", "cells.0._ops.0.op.2.weight", "cells.0._ops.0.op.3.bias" and 59 more`
	if err := LoadWeights(newNetwork(t, toy(t)), file); fmt.Sprint(err) != "nas: weights "+file+": "+want {
		t.Errorf("got %v", err)
	}
}

func TestWeightsLongMisfit(t *testing.T) {
	// The reason has 300 characters at most when a file has very many names, and shapes of very many sizes.
	sizes := strings.Repeat("0,", 63) + "0"
	for _, test := range []struct{ name, first string }{
		{"other names", strings.Repeat("y", 100)},
		{"a name of the network", "stem.0.weight"},
	} {
		t.Run(test.name, func(t *testing.T) {
			torchtest.Scope(t)
			header := []byte("{")
			for i := range 10_000 {
				header = fmt.Appendf(header, `"%s%d":{"dtype":"F32","shape":[%s],"data_offsets":[0,0]},`, strings.Repeat("x", 100), i, sizes)
			}
			header = fmt.Appendf(header, `"%s":{"dtype":"F32","shape":[%s],"data_offsets":[0,0]}}`, test.first, sizes)
			file := filepath.Join(t.TempDir(), "x.safetensors")
			if err := os.WriteFile(file, append(binary.LittleEndian.AppendUint64(nil, uint64(len(header))), header...), 0o644); err != nil {
				t.Fatal(err)
			}
			err := LoadWeights(newNetwork(t, toy(t)), file)
			reason, ok := strings.CutPrefix(fmt.Sprint(err), "nas: weights "+file+": ")
			if n := utf8.RuneCountInString(reason); !ok || n > 300 {
				t.Errorf("%d characters: %v", n, err)
			}
		})
	}
}

func TestReadDescription(t *testing.T) {
	// The error names file and fault when weights do not say what network they are of.
	for _, test := range []struct{ name, metadata, want string }{
		{"none", "", "does not say what network it is of: no training of this program wrote it"},
		{"no JSON", "{", `metadata "darts": unexpected end of JSON input`},
		{"an unknown operation", `{"genotype": {"normal": [["sep_conv_9x9", 0]]}}`, `unknown op "sep_conv_9x9"`},
		{"no means", `{"input_channels": 3}`, "0 means and 0 standard deviations for 3 channels"},
		{"no names", `{"classes": 10}`, "0 names for 10 classes"},
	} {
		t.Run(test.name, func(t *testing.T) {
			torchtest.Scope(t)
			dir := t.TempDir()
			metadata := map[string]string{DescriptionKey: test.metadata}
			if test.metadata == "" {
				metadata = nil
			}
			f, err := os.Create(filepath.Join(dir, runfolder.WeightsFile))
			if err != nil {
				t.Fatal(err)
			}
			if err := safetensors.Write(f, torch.StateDict{}, metadata); err != nil {
				t.Fatal(err)
			}
			if err := f.Close(); err != nil {
				t.Fatal(err)
			}
			for what, err := range map[string]error{"load": second(LoadModel(dir, torch.Device{})), "export": second(export(f.Name(), dir, someTraining(t), false))} {
				if err == nil || !strings.Contains(err.Error(), test.want) || !strings.HasPrefix(err.Error(), "nas: "+f.Name()) {
					t.Errorf("%s: %v, want %s", what, err, test.want)
				}
			}
		})
	}
}

func second[T any](_ T, err error) error { return err }
