package info_test

import (
	"slices"
	"strings"
	"testing"

	"godarts/darts"
	"godarts/darts/fast"
	"godarts/nas/info"
	"godarts/torch/nn"
	"godarts/torch/torchtest"
)

func TestInfoOfForms(t *testing.T) {
	// What a search takes is counted in the form of the supernet that runs, which info names, for every strategy that has one.
	const pathNote = "a pass computes the path of one cell; what is counted is all operations of all edges"
	synthetic := []string{"data.name=synthetic", "data.channels=1", "data.size=6"}
	for _, test := range []struct {
		name  string
		items []string
		fast  bool
		words string
		note  string
	}{
		{"darts", nil, true, "search network, fast form: ", ""},
		{"plain", []string{"network.form=plain"}, false, "search network, plain form: ", ""},
		{"odd sides", synthetic, false, "search network, plain form: ",
			"the plain form of the supernet runs: images of 6x6 reach the reduction in cell 2 as 3x3, an odd side"},
		{"bf16", []string{"w.precision=bf16"}, false, "search network, plain form: ",
			"with w.precision bf16 the passes for w run in the plain form, which is counted, in full precision"},
		{"p-darts", nil, true, "search network of the first of 3 stages, fast form: ", ""},
		{"p-darts with dropout", []string{"strategy.skip_dropout=[0.1, 0.4, 0.7]"}, false, "search network of the first of 3 stages, plain form: ", ""},
		{"gdas", []string{"strategy.name=gdas"}, false, "search network, plain form: ",
			"a pass in training computes one operation of each edge; what is counted is all of them"},
		{"enas", []string{"strategy.name=enas"}, false, "search network, plain form: ", pathNote},
		{"rsps", []string{"strategy.name=rsps"}, false, "search network, plain form: ", pathNote},
	} {
		t.Run(test.name, func(t *testing.T) {
			torchtest.Scope(t)
			file := "../testdata/tiny.yaml"
			if strings.HasPrefix(test.name, "p-darts") {
				file = "../testdata/tiny-p-darts.yaml"
			}
			infos, err := info.ReadInfo(file, false, test.items...)
			if err != nil {
				t.Fatal(err)
			}
			side, classes := 8, 10
			if test.name == "odd sides" {
				side = 6
			}
			got := infos[0]
			want := costOf(t, darts.Options{Channels: 2, Layers: 3, Nodes: 2, Classes: classes, InputChannels: 1, StemMultiplier: 1}, test.fast, side)
			if got.Cost.Parameters != want.Parameters || got.Cost.MultiplyAdds != want.MultiplyAdds || got.Cost.KeptBytes != want.KeptBytes {
				t.Errorf("%d parameters, %d multiply-adds, %d bytes kept; want %d, %d, %d",
					got.Cost.Parameters, got.Cost.MultiplyAdds, got.Cost.KeptBytes, want.Parameters, want.MultiplyAdds, want.KeptBytes)
			}
			var notes []string
			if test.note != "" {
				notes = []string{test.note}
			}
			if !slices.Equal(got.Notes, notes) || !strings.HasPrefix(got.Network, test.words) {
				t.Errorf("%q, notes %q; want %q..., %q", got.Network, got.Notes, test.words, notes)
			}
		})
	}
}

// costOf is what a supernet takes in one form for images of that side.
func costOf(t *testing.T, o darts.Options, quick bool, side int) nn.Cost {
	t.Helper()
	plain, err := darts.NewPlain(o)
	if err != nil {
		t.Fatal(err)
	}
	if !quick {
		return plain.Cost(o.InputChannels, side)
	}
	net, err := fast.New(o)
	if err != nil {
		t.Fatal(err)
	}
	return net.Cost(o.InputChannels, side)
}
