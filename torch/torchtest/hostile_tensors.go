package torchtest

import (
	"fmt"
	"math"
	"reflect"

	"godarts/torch"
)

// tensor is a value of a tensor.
func tensor(label string, make func(*pool) torch.Tensor) value {
	return value{label, func(p *pool) reflect.Value { return reflect.ValueOf(make(p)) }}
}

func ones(shape ...int) torch.Tensor { return torch.Ones(shape, torch.Options{}) }

// soundTensors are of the types and shapes that operators take.
func (v *hostileValues) soundTensors() (all []value) {
	for _, shape := range [][]int{{2, 3}, {3, 2}, {3}, {2}, {2, 2}, {}, {2, 4, 6, 6}, {4, 4, 1, 1}, {4, 4, 3, 3}, {4, 1, 3, 3}, {4}, {2, 2, 2}} {
		all = append(all, tensor(fmt.Sprint(shape), func(*pool) torch.Tensor {
			return torch.Full(shape, 0.5, torch.Options{})
		}))
	}
	whole := torch.Options{Dtype: torch.Int64}
	return append(all,
		tensor("int64[2]", func(*pool) torch.Tensor { return torch.FromSlice([]int64{0, 1}, 2) }),
		tensor("int64[2 3]", func(*pool) torch.Tensor { return torch.Zeros([]int{2, 3}, whole) }),
		tensor("int64[]", func(*pool) torch.Tensor { return torch.Scalar(1, whole) }),
		tensor("bool[2 3]", func(*pool) torch.Tensor { return torch.Ones([]int{2, 3}, torch.Options{Dtype: torch.Bool}) }),
		tensor("float64[]", func(*pool) torch.Tensor { return torch.Scalar(1, torch.Options{Dtype: torch.Float64}) }),
		tensor("leaf[]", func(*pool) torch.Tensor { return torch.Scalar(1, torch.Options{}).RequiresGrad_(true) }),
	)
}

// unsoundTensors have no elements, or none that can be used, or types, shapes and places of
// elements that few operators take.
func (v *hostileValues) unsoundTensors() (all []value) {
	add := func(label string, make func() torch.Tensor) {
		all = append(all, tensor(label, func(*pool) torch.Tensor { return make() }))
	}
	full := func(x float64, d torch.Dtype, shape ...int) {
		add(fmt.Sprintf("%v%s%v", x, d, shape), func() torch.Tensor { return torch.Full(shape, x, torch.Options{Dtype: d}) })
	}
	add("zero Tensor", func() torch.Tensor { return torch.Tensor{} })
	add("of another goroutine", func() torch.Tensor { return v.foreign })
	add("freed", func() (t torch.Tensor) {
		torch.Scoped(func() { t = ones(2, 3) })
		return t
	})
	add("freed by hand", func() torch.Tensor {
		t := ones(2, 3)
		t.Free()
		return t
	})
	for _, shape := range [][]int{{0}, {0, 3}, {3, 0}, {1 << 40, 0}, {0, 4, 6, 6}, {2, 0, 6, 6}, {2, 4, 0, 6}, {1, 1, 1, 1, 1, 1, 1, 1, 1}, {1}, {64, 64}, {7, 5},
		{1, 4, 1, 1}, {2, 4, 7, 5}, {1, 16, 33, 31}, {2, 16, 4}, {16, 16, 1, 1}, {16}} {
		full(1, torch.Float32, shape...)
	}
	for _, d := range []torch.Dtype{torch.Float64, torch.Float16, torch.BFloat16, torch.Uint8, torch.Int8, torch.Int16, torch.Int32, torch.Int64, torch.Bool} {
		full(1, d, 2, 3)
	}
	for _, x := range []float64{-1, -100, 1 << 40, -(1 << 62), 7} {
		full(x, torch.Int64, 2)
		full(x, torch.Int64, 2, 3)
	}
	for _, x := range []float64{math.NaN(), math.Inf(1), math.Inf(-1), 1e38} {
		full(x, torch.Float32, 2, 3)
		full(x, torch.Float32, 2, 4, 6, 6)
	}
	add("int64 not in order", func() torch.Tensor { return torch.FromSlice([]int64{1, 0, 1, 1, 0, 0}, 2, 3).T() })
	add("expanded[2 3]", func() torch.Tensor { return ones(1, 3).Expand(2, 3) })
	add("expanded images", func() torch.Tensor { return ones(1, 1, 1, 1).Expand(2, 4, 6, 6) })
	add("overlapping[3 3]", func() torch.Tensor { return ones(5).AsStrided([]int{3, 3}, []int{1, 1}, 0) })
	add("transposed[2 3]", func() torch.Tensor { return ones(3, 2).T() })
	add("every other[2 3]", func() torch.Tensor { return ones(4, 6).Slice(0, 0, 4, 2).Slice(1, 0, 6, 2) })
	add("channels last", func() torch.Tensor { return ones(2, 4, 6, 6).ChannelsLast() })
	add("leaf[2 3]", func() torch.Tensor { return ones(2, 3).RequiresGrad_(true) })
	add("of a graph[2 3]", func() torch.Tensor { return ones(2, 3).RequiresGrad_(true).MulScalar(2) })
	add("of inference[2 3]", func() (t torch.Tensor) {
		torch.Inference(func() { t = ones(2, 3) })
		return t
	})
	shared := tensor("shared[2 3]", func(p *pool) torch.Tensor {
		if !p.shared.Defined() {
			p.shared = ones(2, 3)
		}
		return p.shared
	})
	return append(all, shared, shared)
}
