package images_test

import (
	"maps"
	"math"
	"math/rand/v2"
	"slices"
	"testing"

	"godarts/cells/genotype"
	"godarts/nas/config"
	"godarts/nas/data"
	"godarts/nas/fixture"
	"godarts/nas/images"
	"godarts/nas/latency"
	_ "godarts/nas/search" // registers the strategies
)

// madeUp gives each layer a time of its own.
func madeUp(l latency.Layer) float64 {
	return float64(len(l.Op)) + float64(l.Channels)/8 + float64(l.Side)/1024 + float64(l.Stride)/65536
}

func TestLatencyLayers(t *testing.T) {
	// The layers of a search are those that some cell of its space has in the counted network, and a cell takes the sum of them.
	sizes := &data.Images{N: 64, Channels: 1, Height: 12, Width: 12, Classes: 10}
	for _, set := range [][]string{
		{"evaluate={}", "evaluate.train.network.channels=4", "evaluate.train.network.layers=5", "space.operations=[none, max_pool_3x3, sep_conv_3x3]"},
		{"strategy.name=random", "network.layers=4", "network.nodes=3"},
		{"network.nodes=1", "space.normal=[[max_pool_3x3], [sep_conv_3x3]]", "space.reduce=[[skip_connect], [dil_conv_3x3, sep_conv_5x5]]"},
	} {
		c := fixture.Tiny(t, set...)
		layers, err := images.LatencyLayers(c, sizes)
		if err != nil {
			t.Fatal(err)
		}
		var rows []latency.Row
		for _, l := range layers {
			rows = append(rows, latency.Row{Layer: l, Seconds: madeUp(l)})
		}
		if err := latency.Check(rows); err != nil {
			t.Fatal(err)
		}
		times := images.NewLatencies(c, sizes, rows)
		seen := map[latency.Layer]bool{}
		r := rand.New(rand.NewPCG(7, 7))
		for range 300 {
			g := images.Space(c).Sample(r)
			want := 0.0
			for _, l := range layersByHand(c, g) {
				seen[l] = true
				want += madeUp(l)
			}
			if got := times.Cell(g); math.Abs(got-want) > 1e-9*want {
				t.Fatalf("%v: %s takes %v, want %v", set, g, got, want)
			}
		}
		if got := slices.SortedFunc(maps.Keys(seen), latency.Layer.Compare); !slices.Equal(got, layers) {
			t.Errorf("%v: layers %v, the cells have %v", set, layers, got)
		}
	}
}

// layersByHand lists the operations of the network of g on images of 12x12, whose sizes are those of c's trainings.
func layersByHand(c *config.Config, g genotype.Genotype) (layers []latency.Layer) {
	channels, count := 36, 20 // the paper's
	switch {
	case c.Evaluate != nil:
		channels, count = c.Evaluate.Train.Network.Channels, c.Evaluate.Train.Network.Layers
	case c.FromScratch():
		channels, count = c.Network.Channels, c.Network.Layers
	}
	side := 12
	for layer := range count {
		cell, stride := g.Normal, 1
		reduces := layer == count/3 || layer == 2*count/3
		if reduces {
			cell, stride, channels = g.Reduce, 2, 2*channels
		}
		for _, e := range cell.Edges {
			switch {
			case e.Op == genotype.None:
			case reduces && e.From >= 2:
				layers = append(layers, latency.Layer{Op: e.Op, Channels: channels, Side: side / 2, Stride: 1})
			default:
				layers = append(layers, latency.Layer{Op: e.Op, Channels: channels, Side: side, Stride: stride})
			}
		}
		if reduces {
			side /= 2
		}
	}
	return layers
}
