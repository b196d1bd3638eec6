package torch_test

import (
	"errors"
	"strings"
	"testing"

	"godarts/torch"
	"godarts/torch/torchtest"
)

func TestNoReads(t *testing.T) {
	// NoReads refuses whatever makes the host wait for a tensor, and only until it ends, when it is called on the CPU.
	torchtest.Scope(t)
	x, whole := torch.Ones([]int{2}, torch.Options{}), torch.Scalar(3, torch.Options{Dtype: torch.Int64})
	state := torch.RNGState(torch.CPU)
	for name, fn := range map[string]func(){
		"Item":                  func() { x.Sum().Item() },
		"ItemInt":               func() { whole.ItemInt() },
		"Float64s":              func() { x.Float64s() },
		"Float32s":              func() { x.Float32s() },
		"Int64s":                func() { whole.Int64s() },
		"Raw":                   func() { x.Raw() },
		"FromSlice":             func() { torch.FromSlice([]float32{1}, 1) },
		"FromSliceChannelsLast": func() { torch.FromSliceChannelsLast([]float32{1}, []int{1, 1, 1, 1}, torch.Options{}) },
		"FromBytes":             func() { torch.FromBytes([]byte{1}, torch.Uint8, []int{1}, torch.Options{}) },
		"RNGState":              func() { torch.RNGState(torch.CPU) },
		"SetRNGState":           func() { torch.SetRNGState(torch.CPU, state) },
		"nonzero":               func() { torch.Call("aten::nonzero", x) },
		"masked_select":         func() { torch.Call("aten::masked_select", x, x.GeScalar(0)) },
		"item":                  func() { torch.Call("aten::item", x.Sum()) },
		"rank":                  func() { torch.Parallel(2, func(r *torch.Rank) { x.Narrow(0, r.Index, 1).Float64s() }) },
		"nested":                func() { torch.NoReads(func() {}); x.Sum().Item() },
	} {
		fn() // a call that is sound
		err := torch.Do(func() error { torch.NoReads(fn); return nil })
		var e *torch.Error
		if !errors.As(err, &e) || !strings.HasSuffix(e.Message, "the host reads or writes a tensor within NoReads") {
			t.Errorf("%s: error %v", name, err)
		}
		if torch.InNoReads() {
			t.Fatalf("%s: reads are refused after NoReads", name)
		}
	}
	torch.NoReads(func() {
		y := torch.Call("aten::mul.Tensor", x.ToDtype(torch.Float64), x)[0]
		y.Copy_(x)
		torch.CrossEntropy(torch.Ones([]int{1, 2}, torch.Options{}), torch.Zeros([]int{1}, torch.Options{Dtype: torch.Int64}), torch.CrossEntropyOptions{})
		torch.Parallel(2, func(*torch.Rank) { x.Clone() })
	})
	torch.Parallel(2, func(*torch.Rank) { x.Float64s() }) // the workers are those of before
}
