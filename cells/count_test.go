package cells

import (
	"math/rand/v2"
	"slices"
	"testing"

	"godarts/cells/genotype"
	"godarts/torch"
	"godarts/torch/torchtest"
)

func TestCount(t *testing.T) {
	// Count gives the numbers of Network.Cost when cells have any operations and images odd sizes.
	r := rand.New(rand.NewPCG(1, 1))
	ops := slices.DeleteFunc(slices.Clone(genotype.ConvolutionalOps), func(op genotype.Op) bool { return op == genotype.None })
	sizes := []NetworkOptions{
		{Channels: 4, Layers: 5, Classes: 10, InputChannels: 3, Size: 32, StemMultiplier: 3, Auxiliary: true},
		{Channels: 6, Layers: 3, Classes: 100, InputChannels: 1, Size: 28, StemMultiplier: 1},
		{Channels: 4, Layers: 14, Classes: 1000, InputChannels: 3, Size: 224, ImageNet: true, Auxiliary: true},
		{Channels: 2, Layers: 4, Classes: 2, InputChannels: 3, Size: 32, StemMultiplier: 2},
	}
	for i := range 40 {
		torchtest.Scope(t)
		var g genotype.Genotype
		for kind := range genotype.ConvolutionalKinds {
			c := g.Cell(kind)
			for node := range 1 + i%4 {
				for range 2 {
					c.Edges = append(c.Edges, genotype.Edge{Op: ops[r.IntN(len(ops))], From: r.IntN(node + 2)})
				}
				c.Concat = append(c.Concat, node+2)
			}
		}
		o := sizes[i%len(sizes)]
		parameters, multiplyAdds := o.Count(g)
		o.Auxiliary = false
		net, err := NewNetwork(g, o)
		if err != nil {
			t.Fatal(err)
		}
		if want := net.Cost(); parameters != int64(want.Parameters) || multiplyAdds != int64(want.MultiplyAdds) {
			t.Errorf("%+v: %d parameters, %d multiply-adds, want %d and %d, of %s", o, parameters, multiplyAdds, want.Parameters, want.MultiplyAdds, g)
		}
	}
}

func TestCountOfLanguageModels(t *testing.T) {
	// Count gives the weights that a language model has.
	torchtest.Scope(t)
	g := genotype.Genotype{Recurrent: genotype.Cell{Edges: []genotype.Edge{{Op: genotype.ActTanh}, {Op: genotype.ActReLU, From: 1}}, Concat: []int{1, 2}}}
	o := LanguageOptions{Tokens: 7, Units: 4, Options: torch.Options{}}
	net, err := NewRecurrentNetwork(g, RecurrentOptions{LanguageOptions: o})
	if err != nil {
		t.Fatal(err)
	}
	if parameters, multiplyAdds := o.Count(2); parameters != int64(net.ParameterCount()) || multiplyAdds != 7*4+4*4*4+2*2*4*4 {
		t.Errorf("%d parameters, want %d; %d multiply-adds", parameters, net.ParameterCount(), multiplyAdds)
	}
}
