package torch_test

import (
	"fmt"
	"math"
	"slices"
	"strings"
	"testing"

	"godarts/torch"
	"godarts/torch/torchtest"
)

func TestInfo(t *testing.T) {
	// A tensor tells its shape, strides, sizes, type and layout when asked.
	torchtest.Scope(t)
	nhwc := torch.Empty([]int{2, 3, 4, 5}, torch.Options{Dtype: torch.Float16}).ChannelsLast()
	for _, test := range []struct {
		name           string
		x              torch.Tensor
		shape, strides []int
		bytes          int
		dtype          torch.Dtype
		rows, channels bool // contiguous, channels last
	}{
		{"no dimensions", torch.Empty(nil, double), []int{}, []int{}, 8, torch.Float64, true, false},
		{"empty", torch.Empty([]int{2, 0}, single), []int{2, 0}, []int{1, 1}, 0, torch.Float32, true, false},
		{"rows", torch.Empty([]int{2, 3}, integer), []int{2, 3}, []int{3, 1}, 48, torch.Int64, true, false},
		{"transposed", torch.Empty([]int{2, 3}, single).T(), []int{3, 2}, []int{1, 3}, 24, torch.Float32, false, false},
		{"channels last", nhwc, []int{2, 3, 4, 5}, []int{60, 1, 15, 3}, 240, torch.Float16, false, true},
		{"like channels last", torch.EmptyLike(nhwc), []int{2, 3, 4, 5}, []int{60, 1, 15, 3}, 240, torch.Float16, false, true},
	} {
		x, numel := test.x, 1
		for _, s := range test.shape {
			numel *= s
		}
		if !slices.Equal(x.Shape(), test.shape) || !slices.Equal(x.Strides(), test.strides) || x.Dim() != len(test.shape) {
			t.Errorf("%s: shape %v, strides %v, %d dimensions", test.name, x.Shape(), x.Strides(), x.Dim())
		}
		if x.Bytes() != test.bytes || x.Numel() != numel || x.Dtype() != test.dtype || x.Device() != torch.CPU {
			t.Errorf("%s: %d bytes, %d elements, %s, %s", test.name, x.Bytes(), x.Numel(), x.Dtype(), x.Device())
		}
		if x.IsContiguous() != test.rows || x.IsChannelsLast() != test.channels {
			t.Errorf("%s: contiguous %v, channels last %v", test.name, x.IsContiguous(), x.IsChannelsLast())
		}
	}
	if nhwc.Size(-1) != 5 || nhwc.Size(1) != 3 {
		t.Errorf("sizes %d and %d", nhwc.Size(-1), nhwc.Size(1))
	}
	if torch.EmptyLike(torch.Ones([]int{1}, single).RequiresGrad_(true)).RequiresGrad() {
		t.Error("EmptyLike of a leaf requires a gradient")
	}
}

func TestItem(t *testing.T) {
	// Item and ItemInt give the value when a tensor has one element, of any type.
	torchtest.Scope(t)
	for d := torch.Float32; d <= torch.Bool; d++ {
		x := torch.Full([]int{1, 1}, 1, torch.Options{Dtype: d})
		if x.Item() != 1 || x.ItemInt() != 1 {
			t.Errorf("%s: %v and %d", d, x.Item(), x.ItemInt())
		}
	}
	if got := integers([]int64{math.MaxInt64}, 1).ItemInt(); got != math.MaxInt64 {
		t.Errorf("got %d", got)
	}
}

// roundTrip reads back what FromSlice copied.
func roundTrip[E torch.Element](t *testing.T, d torch.Dtype, data []E, want []float64) {
	t.Helper()
	x := torch.FromSlice(data, 1, len(data))
	if x.Dtype() != d {
		t.Errorf("%T: type %s", data, x.Dtype())
	}
	if got := x.Float64s(); !slices.Equal(got, want) {
		t.Errorf("%T: got %v, want %v", data, got, want)
	}
	if x.Bytes() != len(x.Raw()) || len(data)*d.Size() != x.Bytes() {
		t.Errorf("%T: %d bytes", data, x.Bytes())
	}
}

func TestSlices(t *testing.T) {
	// Elements come back in row-major order when slices of every type were copied in.
	torchtest.Scope(t)
	roundTrip(t, torch.Float32, []float32{1.5, -2}, []float64{1.5, -2})
	roundTrip(t, torch.Float64, []float64{1e300, -2}, []float64{1e300, -2})
	roundTrip(t, torch.Uint8, []uint8{0, 255}, []float64{0, 255})
	roundTrip(t, torch.Int8, []int8{-128, 127}, []float64{-128, 127})
	roundTrip(t, torch.Int16, []int16{-300, 300}, []float64{-300, 300})
	roundTrip(t, torch.Int32, []int32{-70000, 1}, []float64{-70000, 1})
	roundTrip(t, torch.Int64, []int64{-1 << 40, 1}, []float64{-1 << 40, 1})
	roundTrip(t, torch.Bool, []bool{true, false}, []float64{1, 0})
	roundTrip(t, torch.Float32, []float32{}, []float64{})
	roundTrip[float32](t, torch.Float32, nil, []float64{})

	data := []float32{1, 2, 3, 4, 5, 6}
	x := torch.FromSlice(data, 2, 3)
	data[0] = 100
	if got := x.T().Float32s(); !slices.Equal(got, []float32{1, 4, 2, 5, 3, 6}) {
		t.Errorf("transposed: %v", got)
	}
	if got := torch.FromSliceTo([]uint8{1, 2}, []int{2}, integer).Int64s(); !slices.Equal(got, []int64{1, 2}) {
		t.Errorf("converted: %v", got)
	}
	image := torch.FromSliceChannelsLast([]uint8{1, 10, 2, 20, 3, 30, 4, 40}, []int{1, 2, 2, 2}, single)
	if got := image.Float32s(); !image.IsChannelsLast() || !slices.Equal(got, []float32{1, 2, 3, 4, 10, 20, 30, 40}) {
		t.Errorf("channels last: %v", got)
	}
	leaf := torch.Ones([]int{1}, single).RequiresGrad_(true)
	if got := leaf.MulScalar(2).Float32s(); !slices.Equal(got, []float32{2}) {
		t.Errorf("with a graph: %v", got)
	}
}

func TestString(t *testing.T) {
	// A tensor prints its type, shape and first elements when formatted, and makes no tensors.
	torchtest.Scope(t)
	freed := torch.Zeros(nil, single)
	freed.Free()
	before := torch.Live()
	for _, test := range []struct {
		x    torch.Tensor
		want string
	}{
		{torch.Tensor{}, "tensor(none)"},
		{freed, "tensor(the tensor was freed: its scope has closed)"},
		{torch.Scalar(0.5, double), "float64[]{0.5}"},
		{torch.Arange(0, 10, 1, integer).View(2, 5).T(), "int64[5, 2]{0, 5, 1, 6, 2, 7, 3, 8, ...}"},
		{torch.Zeros([]int{0, 2}, single), "float32[0, 2]{}"},
		{truths([]bool{true, false}, 2), "bool[2]{1, 0}"},
	} {
		made := torch.Live()
		if got := fmt.Sprint(test.x); got != test.want {
			t.Errorf("got %s, want %s", got, test.want)
		}
		liveTensors(t, made, 0)
	}
	if torch.Live() < before {
		t.Error("printing freed a tensor")
	}
}

func TestDtypes(t *testing.T) {
	// A type prints its name, and knows whether it is one of floating point.
	for d := torch.Float32; d <= torch.Bool; d++ {
		if d.IsFloat() != strings.Contains(d.String(), "float") {
			t.Errorf("%s: IsFloat %v", d, d.IsFloat())
		}
	}
	if got := torch.Dtype(-1).String(); got != "dtype(-1)" {
		t.Errorf("got %s", got)
	}
}

func TestDevices(t *testing.T) {
	// A device is found by PyTorch's name, and the error says what is wrong, when parsed.
	if d, err := torch.ParseDevice("cpu"); d != torch.CPU || err != nil || d.String() != "cpu" || d.IsCUDA() {
		t.Errorf("%v, %v", d, err)
	}
	for _, name := range []string{"", "gpu", "cpu:0", "cuda:", "cuda:-1", "cuda:x"} {
		if _, err := torch.ParseDevice(name); err == nil || err.Error() != fmt.Sprintf("torch: unknown device %q (wanted cpu, cuda or cuda:N)", name) {
			t.Errorf("%q: error %v", name, err)
		}
	}
	for _, name := range []string{"cuda:99", "cuda"} {
		d, err := torch.ParseDevice(name)
		if err == nil && d.String() != "cuda:0" || err != nil && !strings.HasPrefix(err.Error(), "torch: cuda:") {
			t.Errorf("%s: %v, %v", name, d, err)
		}
	}
	if _, err := torch.CUDA(-1); err == nil {
		t.Error("cuda:-1: no error")
	}
	before := torch.Threads()
	defer torch.SetThreads(before)
	torch.SetThreads(2)
	if got := torch.Threads(); got != 2 {
		t.Errorf("%d threads", got)
	}
	if major, _, _ := strings.Cut(torch.Version(), "."); major != "2" {
		t.Errorf("version %q", torch.Version())
	}
}

func TestTF32(t *testing.T) {
	// TF32 is off at the start, and on or off as it was set last.
	if torch.TF32() {
		t.Error("on at the start")
	}
	defer torch.SetTF32(false)
	for _, on := range []bool{true, false} {
		if torch.SetTF32(on); torch.TF32() != on {
			t.Errorf("set to %v: %v", on, torch.TF32())
		}
	}
}

func TestWithTF32(t *testing.T) {
	// TF32 is on while the function runs, and afterwards as it was before, also when it panics.
	defer torch.SetTF32(false)
	for _, before := range []bool{false, true} {
		torch.SetTF32(before)
		func() {
			defer func() { _ = recover() }()
			torch.WithTF32(func() {
				if !torch.TF32() {
					t.Error("off within")
				}
				panic("on purpose")
			})
		}()
		if torch.TF32() != before {
			t.Errorf("%v afterwards, %v before", torch.TF32(), before)
		}
	}
}

func TestCUDA(t *testing.T) {
	// A product on the GPU equals the one on the CPU when there is a GPU.
	device := torchtest.CUDA(t)
	torchtest.Scope(t)
	x := torch.Randn([]int{5, 4}, double)
	y := x.To(torch.Options{Dtype: torch.Float64, Device: device})
	if y.Device() != device || !y.Device().IsCUDA() {
		t.Errorf("device %s", y.Device())
	}
	torchtest.Close(t, "product", y.T().Matmul(y), x.T().Matmul(x), 1e-12)
	before := torch.PeakReserved(device)
	torch.Scoped(func() { torch.Zeros([]int{1 << 24}, torch.Options{Dtype: torch.Float64, Device: device}) })
	if peak := torch.PeakReserved(device); before == 0 || peak < before+1<<27 {
		t.Errorf("peak memory %d bytes, %d before 2^27 bytes more", peak, before)
	}
}

func TestGenerator(t *testing.T) {
	// Numbers repeat when the seed or the generator's state is set again.
	torchtest.Scope(t)
	draw := func() []float64 { return torch.Randn([]int{7}, single).Float64s() }
	torch.ManualSeed(5)
	first, state, second := draw(), torch.RNGState(torch.CPU), draw()
	if slices.Equal(first, second) {
		t.Error("two draws are equal")
	}
	torch.SetRNGState(torch.CPU, state)
	if got := draw(); !slices.Equal(got, second) {
		t.Errorf("after SetRNGState %v, want %v", got, second)
	}
	torch.ManualSeed(5)
	if got := draw(); !slices.Equal(got, first) {
		t.Errorf("after ManualSeed %v, want %v", got, first)
	}
	torch.ManualSeed(6)
	if got := draw(); slices.Equal(got, first) {
		t.Error("another seed gives the same numbers")
	}
}

func TestCall(t *testing.T) {
	// Call passes every kind of argument and gives tensors for numbers when an operator takes them.
	torchtest.Scope(t)
	x := torch.FromSlice([]float64{1, 2, 3, 4}, 2, 2)
	for _, test := range []struct {
		name string
		got  []torch.Tensor
		want []float64
	}{
		{"a string", torch.Call("aten::div.Tensor_mode", x, torch.Scalar(2, double), "floor"), []float64{0, 1, 1, 2}},
		{"numbers", torch.Call("aten::linspace", 0, 1.0, 3), []float64{0, 0.5, 1}},
		{"a list of numbers", torch.Call("aten::upsample_nearest2d.vec", x.View(1, 1, 2, 2), nil, []float64{1, 2}), []float64{1, 1, 2, 2, 3, 3, 4, 4}},
		{"optional indices", torch.Call("aten::index.Tensor", x, []torch.Tensor{{}, integers([]int64{1}, 1)}), []float64{2, 4}},
		{"a number comes back", torch.Call("aten::_local_scalar_dense", torch.Scalar(7, double)), []float64{7}},
		{"a truth comes back", torch.Call("aten::equal", x, x), []float64{1}},
		{"a whole number comes back", torch.Call("aten::size.int", x, 0), []float64{2}},
	} {
		if len(test.got) != 1 || !slices.Equal(test.got[0].Float64s(), test.want) {
			t.Errorf("%s: %v, want %v", test.name, test.got, test.want)
		}
	}
}

func TestFromBytes(t *testing.T) {
	// FromBytes gives little-endian elements wherever the bytes lie, and an error when they are no whole elements or no booleans.
	torchtest.Scope(t)
	content := append(make([]byte, 1, 9), 1, 0, 0xfe, 0xff, 0, 1, 0xff, 0x7f)
	for _, from := range []int{0, 1} {
		bytes := content[1:]
		if from == 0 {
			bytes = slices.Clone(bytes)
		}
		got := torch.FromBytes(bytes, torch.Int16, []int{2, 2}, torch.Options{Dtype: torch.Int64})
		if want := []int64{1, -2, 256, 32767}; !slices.Equal(got.Int64s(), want) || !slices.Equal(got.Shape(), []int{2, 2}) {
			t.Errorf("offset %d: %v, want %v", from, got, want)
		}
	}
	for _, test := range []struct {
		name  string
		bytes []byte
		dtype torch.Dtype
		shape []int
		want  string
	}{
		{"half an element", []byte{1, 0, 0}, torch.Int16, []int{1}, "torch: from_bytes: 3 bytes are no whole number of int16"},
		{"an element too many", []byte{1, 0, 0, 0}, torch.Int16, []int{1}, "torch: from_slice: 2 elements do not fill shape [1]"},
		{"a boolean of 2", []byte{1, 2}, torch.Bool, []int{2}, "torch: from_bytes: element 1 is the byte 2, which is no boolean"},
	} {
		if e := caught(t, func() { torch.FromBytes(test.bytes, test.dtype, test.shape, torch.Options{}) }); e == nil || e.Error() != test.want {
			t.Errorf("%s: %v, want %s", test.name, e, test.want)
		}
	}
}
