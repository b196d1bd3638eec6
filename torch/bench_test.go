package torch_test

import (
	"testing"

	"godarts/torch"
	"godarts/torch/torchtest"
)

// BenchmarkOp is a product of small tensors, freed at once: what the binding adds.
func BenchmarkOp(b *testing.B) {
	torchtest.Scope(b)
	x := torch.Ones([]int{4}, torch.Options{})
	b.ReportAllocs()
	for b.Loop() {
		x.Mul(x).Free()
	}
}

// BenchmarkScope is a scope with ten products, as a training step has thousands.
func BenchmarkScope(b *testing.B) {
	torchtest.Scope(b)
	x := torch.Ones([]int{4}, torch.Options{})
	b.ReportAllocs()
	for b.Loop() {
		torch.Scoped(func() {
			y := x
			for range 10 {
				y = y.Mul(x)
			}
		})
	}
}
