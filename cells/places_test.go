package cells

import (
	"math/rand/v2"
	"slices"
	"testing"

	"godarts/cells/genotype"
	"godarts/torch"
	"godarts/torch/nn"
	"godarts/torch/torchtest"
)

// placed are the places at which operations of the name "placed" have been passed, in order.
var placed []Place

// recorder is a max pooling that records its place.
type recorder struct {
	nn.MaxPool
	channels, stride int
}

func (r recorder) Forward(x torch.Tensor, m nn.Mode) torch.Tensor {
	if x.Size(1) != r.channels || x.Size(2) != x.Size(3) {
		panic("cells: other channels than the layer was made for, or no square")
	}
	placed = append(placed, Place{r.channels, x.Size(2), r.stride})
	return r.MaxPool.Forward(x, m)
}

func TestPlaces(t *testing.T) {
	// The places of an edge are those that its operation is made for and passed at when a network of any sizes runs.
	RegisterOp("placed", CustomOp{New: func(_ nn.Path, c, stride int, _ bool) nn.Layer {
		return recorder{nn.MaxPool{Kernel: 3, Stride: stride, Padding: 1}, c, stride}
	}})
	for _, o := range []NetworkOptions{
		{Channels: 2, Layers: 3, Classes: 2, InputChannels: 1, Size: 8, StemMultiplier: 1},
		{Channels: 4, Layers: 8, Classes: 2, InputChannels: 3, Size: 20, StemMultiplier: 3},
		{Channels: 2, Layers: 5, Classes: 2, InputChannels: 1, Size: 28, StemMultiplier: 2},
		{Channels: 4, Layers: 6, Classes: 2, InputChannels: 3, Size: 224, ImageNet: true},
	} {
		for kind := range genotype.ConvolutionalKinds {
			for from := range 3 {
				torchtest.Scope(t)
				g := uniformGenotype(genotype.AvgPool3x3)
				cell := g.Cell(kind)
				cell.Edges = slices.Clone(cell.Edges)
				cell.Edges[3] = genotype.Edge{Op: "placed", From: from}
				net, err := NewNetwork(g, o)
				if err != nil {
					t.Fatal(err)
				}
				placed = nil
				x := torch.Ones([]int{1, o.InputChannels, o.Size, o.Size}, torch.Options{})
				torch.NoGrad(func() { net.logits(x, nn.Mode{}) })
				if got := o.Places(kind, from); len(got) == 0 || !slices.Equal(got, placed) {
					t.Errorf("%+v, %v, from %d: %v, the network has %v", o, kind, from, got, placed)
				}
			}
		}
	}
	if got := (NetworkOptions{Channels: 2, Layers: 3, Size: 8}).Places(genotype.Recurrent, 0); got != nil {
		t.Errorf("places of a recurrent cell: %v", got)
	}
}

func TestPlacesOfUnsoundOptions(t *testing.T) {
	// Places returns, of whatever sizes, when Check does not accept the options.
	r := rand.New(rand.NewPCG(3, 3))
	for range 50 {
		o := NetworkOptions{Channels: int(r.Int64()), Layers: r.IntN(40) - 5, Size: int(r.Int64()) - 1<<40, ImageNet: r.IntN(2) == 0}
		if got, most := len(o.Places(genotype.Normal, r.IntN(9)-3)), max(o.Layers, 0); got > most {
			t.Errorf("%+v: %d places in %d layers", o, got, most)
		}
	}
}
