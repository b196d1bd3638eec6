package torch_test

import (
	"errors"
	"testing"

	"godarts/torch"
	"godarts/torch/torchtest"
)

func TestErrors(t *testing.T) {
	// An error names the operator and the shapes of its tensors, on one line, when an operator fails.
	var none, freed, closed torch.Tensor
	torchtest.Scope(t)
	torch.Scoped(func() { closed = torch.Zeros(nil, single) })
	freed = torch.Zeros(nil, single)
	freed.Free()
	x := torch.Zeros([]int{2, 3}, single)
	half := torch.Zeros([]int{4}, torch.Options{Dtype: torch.Float16})
	spectrum := torch.Call("aten::fft_fft", x)[0]
	for _, test := range []struct {
		name string
		fn   func()
		want string
		kind error
	}{
		{"two shapes", func() { x.Mul(half) },
			"torch: mul [2, 3] float16[4]: The size of tensor a (3) must match the size of tensor b (4) at non-singleton dimension 1", nil},
		{"one shape", func() { x.View(4) }, "torch: view [2, 3]: shape '[4]' is invalid for input of size 6", nil},
		{"a list", func() { torch.Cat(tensors(x, half), 0) },
			"torch: cat [2, 3] float16[4]: Tensors must have same number of dimensions: got 2 and 1", nil},
		{"an optional tensor", func() { torch.Linear(x, half, none) },
			"torch: linear [2, 3] float16[4] none: size mismatch, got input (2), mat (2x3), vec (4)", nil},
		{"the zero Tensor", func() { x.Add(none) }, "torch: add [2, 3] none: the tensor is the zero Tensor", torch.ErrFreed},
		{"a freed tensor", func() { freed.Add(x) }, "torch: add freed [2, 3]: the tensor was freed: its scope has closed", torch.ErrFreed},
		{"a tensor of a closed scope", func() { x.Copy_(closed) }, "torch: copy_ [2, 3] freed: the tensor was freed: its scope has closed", torch.ErrFreed},
		{"a type without a name", func() { spectrum.View(4) }, "torch: view scalar type 9[2, 3]: shape '[4]' is invalid for input of size 6", nil},
		{"an operator by name", func() { torch.Call("aten::mm", x, x) },
			"torch: aten::mm [2, 3] [2, 3]: mat1 and mat2 shapes cannot be multiplied (2x3 and 2x3)", nil},
		{"no memory", func() { torch.Empty([]int{1 << 50}, single) },
			"torch: empty: can't allocate memory: you tried to allocate 4503599627370496 bytes. Error code 12 (Cannot allocate memory)", torch.ErrOutOfMemory},
		{"no memory for a result", func() { x.Select(0, 0).Select(0, 0).Expand(1 << 50).Neg() },
			"torch: neg [1125899906842624]: can't allocate memory: you tried to allocate 4503599627370496 bytes. Error code 12 (Cannot allocate memory)", torch.ErrOutOfMemory},
	} {
		e := caught(t, test.fn)
		if e == nil {
			t.Errorf("%s: no error", test.name)
			continue
		}
		if e.Error() != test.want {
			t.Errorf("%s\n got %s\nwant %s", test.name, e, test.want)
		}
		for _, kind := range []error{torch.ErrFreed, torch.ErrNoScope, torch.ErrOutOfMemory} {
			if got, want := errors.Is(e, kind), kind == test.kind; got != want {
				t.Errorf("%s: errors.Is(%v) is %v", test.name, kind, got)
			}
		}
	}
}

func TestNoScope(t *testing.T) {
	// A result or a mode is an error when no scope is open.
	for _, test := range []struct {
		name string
		fn   func()
		want string
		kind error
	}{
		{"creation", func() { torch.Zeros(nil, single) }, "torch: zeros: no scope is open: call it inside torch.Do", torch.ErrNoScope},
		{"a copy of a slice", func() { torch.FromSlice([]float32{1}, 1) }, "torch: from_slice: no scope is open: call it inside torch.Do", torch.ErrNoScope},
		{"call", func() { torch.Call("aten::ones", []int{1}) }, "torch: aten::ones: no scope is open: call it inside torch.Do", torch.ErrNoScope},
		{"no_grad", func() { torch.NoGrad(func() {}) }, "torch: no_grad: no scope is open: call it inside torch.Do", torch.ErrNoScope},
		{"autocast", func() { torch.Autocast(torch.CPU, torch.BFloat16, func() {}) }, "torch: autocast: no scope is open: call it inside torch.Do", torch.ErrNoScope},
	} {
		t.Run(test.name, func(t *testing.T) {
			before := torch.Live()
			e := caught(t, test.fn)
			if e == nil || e.Error() != test.want || !errors.Is(e, test.kind) {
				t.Errorf("error\n got %v\nwant %s", e, test.want)
			}
			liveTensors(t, before, 0)
		})
	}
}
