package cells

import (
	"fmt"
	"strings"
	"testing"

	"godarts/cells/genotype"
	"godarts/torch"
	"godarts/torch/nn"
	"godarts/torch/torchtest"
)

func TestEstimate(t *testing.T) {
	// The estimate counts the weights of the network, auxiliary head included, for every operation and both stems.
	published := NetworkOptions{Channels: 36, Layers: 20, Classes: 10, InputChannels: 3, Size: 32, StemMultiplier: 3, Auxiliary: true}
	imageNet := NetworkOptions{Channels: 48, Layers: 14, Classes: 1000, InputChannels: 3, Size: 224, ImageNet: true, Auxiliary: true}
	small := NetworkOptions{Channels: 2, Layers: 5, Classes: 3, InputChannels: 1, Size: 8, StemMultiplier: 2}
	type network struct {
		g genotype.Genotype
		o NetworkOptions
	}
	networks := []network{{genotype.Published[0].Genotype, published}, {genotype.Published[0].Genotype, imageNet}}
	for _, op := range genotype.ConvolutionalOps {
		networks = append(networks, network{uniformGenotype(op), small})
	}
	for _, it := range networks {
		torchtest.Scope(t)
		net, err := NewNetwork(it.g, it.o)
		if err != nil {
			t.Fatal(err)
		}
		own, auxiliary := net.ParameterCount()
		if got := it.o.Estimate(it.g); got.Weights != float64(own+auxiliary) || got.PerImage <= 0 {
			t.Errorf("%v, %v: %v weights, want %d", it.g, it.o, got.Weights, own+auxiliary)
		}
	}
}

func TestNormedSide(t *testing.T) {
	// A training pass of one image fails exactly where the smallest normed maps have one pixel, evaluation never does.
	pools, skips := uniformGenotype(genotype.MaxPool3x3), uniformGenotype(genotype.SkipConnect)
	mixed := uniformGenotype(genotype.MaxPool3x3)
	mixed.Normal = uniformGenotype(genotype.SepConv3x3).Normal
	for _, g := range []genotype.Genotype{pools, skips, mixed, uniformGenotype(genotype.DilConv5x5)} {
		for _, layers := range []int{3, 4, 6} {
			for _, size := range []int{1, 2, 4, 8, 32} {
				o := NetworkOptions{Channels: 2, Layers: layers, Classes: 2, InputChannels: 1, Size: size, StemMultiplier: 1, Auxiliary: size == 32}
				if o.Check(g) != nil {
					continue
				}
				t.Run(fmt.Sprint(g.Reduce.Edges[0].Op, g.Normal.Edges[0].Op, layers, size), func(t *testing.T) {
					torchtest.Scope(t)
					net, err := NewNetwork(g, o)
					if err != nil {
						t.Fatal(err)
					}
					b := nn.Batch{X: torch.Randn([]int{1, 1, size, size}, torch.Options{}), Y: torch.Zeros([]int{1}, torch.Options{Dtype: torch.Int64})}
					pass := func(m nn.Mode) error { return torch.Do(func() error { net.Forward(b, m); return nil }) }
					err = pass(nn.Mode{Training: true})
					if refused := err != nil; refused != (o.NormedSide(g) == 1) {
						t.Errorf("error %v, the smallest side is %d", err, o.NormedSide(g))
					}
					if err != nil && !strings.Contains(err.Error(), "more than one value per channel") {
						t.Error(err)
					}
					torch.NoGrad(func() { net.Forward(b, nn.Mode{}) })
				})
			}
		}
	}
}

func TestMost(t *testing.T) {
	// A genotype is refused by its size, early, when no machine could hold its network.
	edges := func(n int) string { return strings.Repeat("('skip_connect', 0), ", n) }
	text := func(n int, concat string) string {
		return "Genotype(normal=[" + edges(n) + "], normal_concat=" + concat + ", reduce=[" + edges(n) + "], reduce_concat=" + concat + ")"
	}
	if _, err := genotype.Parse(text(2*genotype.MaxNodes, "[2]")); err != nil {
		t.Errorf("%d nodes: %v", genotype.MaxNodes, err)
	}
	for want, text := range map[string]string{
		"cells: parse genotype: offset 4217: more than 200 edges, want at most 100 nodes": text(100_000, "[2]"),
		"cells: parse genotype: offset 383: more than 102 states, want at most 100 nodes": text(2, "["+strings.Repeat("2, ", 100_000)+"]"),
	} {
		if _, err := genotype.Parse(text); err == nil || err.Error() != want {
			t.Errorf("got error %v, want %s", err, want)
		}
	}
	var g genotype.Genotype
	for range genotype.MaxNodes + 1 {
		g.Recurrent.Edges = append(g.Recurrent.Edges, genotype.Edge{Op: genotype.ActTanh, From: 0})
	}
	g.Recurrent.Concat = []int{1}
	if err := g.Validate(); err == nil || err.Error() != "cells: genotype: recurrent cell: has 101 nodes, want at most 100" {
		t.Errorf("got error %v", err)
	}
	o := NetworkOptions{Channels: 2, Layers: MaxLayers + 1, Classes: 2, InputChannels: 1, Size: 8, StemMultiplier: 1}
	if err := o.Check(genotype.Published[0].Genotype); err == nil || err.Error() != "cells: network: 1001 layers, want at most 1000" {
		t.Errorf("got error %v", err)
	}
}
