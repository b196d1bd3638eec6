package fast

import (
	"reflect"
	"testing"
	"unsafe"

	"godarts/cells/genotype"
	"godarts/darts"
	"godarts/torch"
	"godarts/torch/nn"
	"godarts/torch/torchtest"
)

// everywhere has the same operations on both edges of a node.
func everywhere(ops ...genotype.Op) [][]genotype.Op { return [][]genotype.Op{ops, ops} }

func TestFormsCost(t *testing.T) {
	// Both forms take the multiply-adds and keep the numbers that are worked out here by hand, when every edge has one separable convolution.
	torchtest.Scope(t)
	plain := small(t, 1, everywhere(genotype.SepConv3x3))
	// 8x8 pixels and 4 channels after the stem; cells of 2, 4 and 8 channels that end with 64, 16 and 4 pixels.
	products := 64*4*9 + // stem
		2*64*2*4 + 64*4*4 + 64*4*2 + 16*8*2 + 16*8*4 + // inputs of the three cells
		2*2*(64*2*9+64*2*2) + 2*2*(16*4*9+16*4*4) + 2*2*(4*8*9+4*8*8) + // two halves on two edges
		8*4 // classifier
	kept := 64 + 256 + // images, and what the stem's batch norm takes
		2*(256+128) + 2*(6*128+128) + // inputs: ReLU and batch norm; edges: two halves and the result
		256 + 256 + 128 + 256 + 2*(256+5*64+64) +
		128 + 2*32 + 128 + 64 + 128 + 2*(128+5*32+32) +
		8
	checkCost(t, "plain", plain.Cost(1, 8), products, kept, plain.ParameterCount())

	fast := fastOf(t, plain)
	moments := func(pixels, c int) int { return pixels*c + pixels*c*c }
	products += moments(64, 4) + 2*moments(64, 2) + 2*moments(64, 4) + 2*moments(16, 8) + // batch norms of stem and inputs
		2*2*64*2*2 + 2*2*16*4*4 + 2*2*4*8*8 // Gram matrices of the halves
	kept = 64 + 2*256 + // images, the stem before and after its affine part
		2*128 + 2*2*128 + 128 + // inputs; edges; the node's ReLU
		2*256 + 2*2*64 + 64 +
		2*32 + 2*128 + 2*2*32 + 32 + // the last node as it is
		8
	checkCost(t, "fast", fast.Cost(1, 8), products, kept, plain.ParameterCount())

	if got, want := fast.Cost(1, 10), plain.Cost(1, 10); got.KeptBytes != want.KeptBytes || got.MultiplyAdds != want.MultiplyAdds {
		t.Error("where images have an odd side on the way, the cost is not the plain form's")
	}
}

func checkCost(t *testing.T, form string, got nn.Cost, products, kept, parameters int) {
	t.Helper()
	if got.MultiplyAdds != products || got.KeptBytes != 8*kept || got.Parameters != parameters {
		t.Errorf("%s: %d multiply-adds, %d bytes kept, %d parameters; want %d, %d, %d",
			form, got.MultiplyAdds, got.KeptBytes, got.Parameters, products, 8*kept, parameters)
	}
}

// fastOf is the fast form of a supernet's sizes.
func fastOf(t *testing.T, plain *darts.Plain) *Supernet {
	t.Helper()
	fast, err := New(darts.Options{
		Channels: 2, Layers: 3, Nodes: plain.Cells[0].Nodes, Classes: 4, InputChannels: 1, StemMultiplier: 2,
		Normal: plain.Architecture(genotype.Normal).Ops, Reduce: plain.Architecture(genotype.Reduce).Ops, Options: plain.W().Options(),
	})
	if err != nil {
		t.Fatal(err)
	}
	return fast
}

func TestFastMultiplyAdds(t *testing.T) {
	// The fast form takes the multiply-adds that are worked out here by hand, when edges have operations of one sort.
	const rest = 64*4*9 + 64*4*5 + 2*(64*2*4+64*2*3) + 64*4*4 + 64*4*2 + 2*64*4*5 + 16*8*2 + 16*8*4 + 2*16*8*9 + 8*4
	for _, test := range []struct {
		name string
		ops  []genotype.Op
		want int
	}{
		{"dilated", []genotype.Op{genotype.DilConv5x5}, // convolution, Gram matrix and product
			2 * (64*2*25 + 2*64*2*2 + 16*4*25 + 2*16*4*4 + 4*8*25 + 2*4*8*8)},
		{"poolings", []genotype.Op{genotype.MaxPool3x3, genotype.AvgPool3x3}, // two means and Gram matrices, windows of ones
			2 * (64*2*(2*3+9) + 16*4*(2*5+9) + 4*8*(2*9+9))},
		{"skips", []genotype.Op{genotype.None, genotype.SkipConnect}, // in reduction cells mean, Gram matrix and product of pixels of twice the channels
			2 * (16*8*(1+8+4) + 4*16*(1+16+8))},
	} {
		t.Run(test.name, func(t *testing.T) {
			torchtest.Scope(t)
			plain := small(t, 1, everywhere(test.ops...))
			if got := fastOf(t, plain).Cost(1, 8).MultiplyAdds; got != rest+test.want {
				t.Errorf("%d multiply-adds, want %d", got, rest+test.want)
			}
		})
	}
}

func TestFastKept(t *testing.T) {
	// Cost says how much of an image the fast form keeps: the tensors that forward leaves grow by that when a batch has one more image.
	for _, test := range []struct {
		name        string
		nodes, side int
		ops         []genotype.Op
	}{
		{"all operations", 4, 16, genotype.Primitives},
		{"small images", 2, 8, genotype.Primitives},
		{"convolutions", 2, 16, []genotype.Op{genotype.SepConv5x5, genotype.DilConv3x3}},
		{"no convolution", 3, 16, []genotype.Op{genotype.None, genotype.MaxPool3x3, genotype.SkipConnect}},
	} {
		t.Run(test.name, func(t *testing.T) {
			torchtest.Scope(t)
			var ops [][]genotype.Op
			for range darts.Edges(test.nodes) {
				ops = append(ops, test.ops)
			}
			plain := small(t, test.nodes, ops)
			net := fastOf(t, plain)
			held := func(images int) int {
				b := nn.Batch{
					X: torch.Randn([]int{images, 1, test.side, test.side}, net.W().Options()),
					Y: torch.Zeros([]int{images}, torch.Options{Dtype: torch.Int64}),
				}
				work, bytes := net.newBatchwork(net.W(), b, darts.Need{W: true, Alphas: true}), 0
				torch.Parallel(1, func(r *torch.Rank) {
					torch.Inference(func() {
						p := work.newPass(r, b.X)
						p.forward(b.X, b.Y)
						bytes = bytesIn([]any{&p.stem, &p.saved, &p.outputs, &p.pooled})
					})
				})
				return bytes
			}
			if got, want := net.Cost(1, test.side).KeptBytes, held(3)-held(2); got != want {
				t.Errorf("%d bytes an image, tensors grow by %d", got, want)
			}
		})
	}
}

// bytesIn adds up the tensors that live in what roots point to, each once.
func bytesIn(roots []any) (bytes int) {
	seen := map[any]bool{}
	var visit func(v reflect.Value)
	visit = func(v reflect.Value) {
		if v.Type() == reflect.TypeFor[torch.Tensor]() {
			x := *(*torch.Tensor)(unsafe.Pointer(v.UnsafeAddr()))
			if x.Defined() && !seen[x] {
				seen[x] = true
				bytes += x.Numel() * x.Dtype().Size()
			}
			return
		}
		switch v.Kind() {
		case reflect.Pointer:
			if !v.IsNil() && !seen[v.Pointer()] {
				seen[v.Pointer()] = true
				visit(v.Elem())
			}
		case reflect.Struct:
			for i := range v.NumField() {
				visit(v.Field(i))
			}
		case reflect.Slice, reflect.Array:
			for i := range v.Len() {
				visit(v.Index(i))
			}
		}
	}
	for _, root := range roots {
		visit(reflect.ValueOf(root))
	}
	return bytes
}

// small is a plain supernet of 2 channels and 3 cells in float64, with ops on the edges of both kinds of cells.
func small(t *testing.T, nodes int, ops [][]genotype.Op) *darts.Plain {
	t.Helper()
	net, err := darts.NewPlain(darts.Options{
		Channels: 2, Layers: 3, Nodes: nodes, Classes: 4, InputChannels: 1, StemMultiplier: 2, Normal: ops, Reduce: ops,
		Options: torch.Options{Dtype: torch.Float64},
	})
	if err != nil {
		t.Fatal(err)
	}
	return net
}
