package cells

import (
	"fmt"
	"math"
	"slices"
	"testing"

	"godarts/cells/genotype"
	"godarts/torch"
	"godarts/torch/nn"
	"godarts/torch/torchtest"
)

var float64s = torch.Options{Dtype: torch.Float64}

// layerCase is an operation with its stride.
type layerCase struct {
	op     genotype.Op
	stride int
}

func (c layerCase) String() string { return fmt.Sprintf("%s/stride%d", c.op, c.stride) }

func layerCases() []layerCase {
	var all []layerCase
	for _, op := range genotype.ConvolutionalOps {
		all = append(all, layerCase{op, 1}, layerCase{op, 2})
	}
	return all
}

// build makes the operation from c to c channels, with random weights in affine
// batch norms too: their first values would hide a missing one.
func (c layerCase) build(channels int, o torch.Options) (nn.Layer, *nn.Weights) {
	var b nn.Builder
	layer := Operation(b.Root(), c.op, channels, c.stride, true)
	w := b.Build(o)
	torch.NoGrad(func() { w.W.Normal_(0, 1) })
	return layer, w
}

func TestOperationValues(t *testing.T) {
	// Every operation equals the direct sum over its definition when it trains on images that are not square.
	for _, c := range layerCases() {
		t.Run(c.String(), func(t *testing.T) {
			torchtest.Scope(t)
			torch.ManualSeed(1)
			layer, w := c.build(4, float64s)
			x := torch.Randn([]int{2, 4, 6, 8}, float64s)
			got := layer.Forward(x, nn.Mode{Training: true})
			want := directOperation(c, imagesOf(x), weightsOf(w))
			torchtest.Close(t, "result", got, want.tensor(), 1e-12)
		})
	}
}

func TestOperationGradients(t *testing.T) {
	// Gradients of every operation equal finite differences, for its input and every weight.
	for _, c := range layerCases() {
		t.Run(c.String(), func(t *testing.T) {
			torchtest.Scope(t)
			torch.ManualSeed(2)
			layer, w := c.build(2, float64s)
			x := torch.Randn([]int{3, 2, 4, 4}, float64s).RequiresGrad_(true)
			mode := nn.Mode{Training: true, FreezeStatistics: true}
			var direction torch.Tensor // weighs the results, so that no gradient is zero by symmetry
			f := func() torch.Tensor {
				y := layer.Forward(x, mode)
				if !direction.Defined() {
					direction = torch.Randn(y.Shape(), float64s)
				}
				return y.Mul(direction).Sum()
			}
			var dW torch.Tensor
			if w.W.Numel() > 0 {
				dW = torch.Empty(w.W.Shape(), float64s)
			}
			dX := w.Gradient(f(), dW, []torch.Tensor{x})[0]
			compareDifferences(t, "input", dX, x, f)
			if dW.Defined() {
				compareDifferences(t, "weights", dW, w.W, f)
			}
		})
	}
}

// compareDifferences checks d, the gradient of f with respect to x, by central
// differences along random directions, each of which moves every element of x.
func compareDifferences(t *testing.T, name string, d, x torch.Tensor, f func() torch.Tensor) {
	t.Helper()
	const directions, step = 8, 1e-5
	slopes, differences := make([]float64, directions), make([]float64, directions)
	torch.NoGrad(func() {
		at := x.Detach() // shares x's elements
		for i := range directions {
			torch.Scoped(func() {
				v := torch.Randn(x.Shape(), float64s)
				at.AddScaled_(v, step)
				above := f().Item()
				at.AddScaled_(v, -2*step)
				below := f().Item()
				at.AddScaled_(v, step)
				slopes[i] = d.Mul(v).Sum().Item()
				differences[i] = (above - below) / (2 * step)
			})
		}
	})
	torchtest.Close(t, name, torch.FromSlice(slopes, directions), torch.FromSlice(differences, directions), 1e-7)
}

func TestOperationShapes(t *testing.T) {
	// Operations keep the size at stride 1 and halve it, rounded up, at stride 2, whatever the kernel and dilation.
	for _, c := range layerCases() {
		for _, size := range [][2]int{{8, 8}, {8, 12}, {5, 7}} {
			if c.op == genotype.SkipConnect && c.stride == 2 && size[0]%2 != 0 {
				continue // a factorized reduction needs even sizes
			}
			t.Run(fmt.Sprintf("%v/%dx%d", c, size[0], size[1]), func(t *testing.T) {
				torchtest.Scope(t)
				layer, _ := c.build(4, torch.Options{})
				got := layer.Forward(torch.Randn([]int{2, 4, size[0], size[1]}, torch.Options{}), nn.Mode{}).Shape()
				want := []int{2, 4, (size[0] + c.stride - 1) / c.stride, (size[1] + c.stride - 1) / c.stride}
				if !slices.Equal(got, want) {
					t.Errorf("shape %v, want %v", got, want)
				}
			})
		}
	}
}

func TestOperationMemoryFormat(t *testing.T) {
	// Results and gradients lie channels last when the images do, but for the zero gradient of "none".
	for _, c := range layerCases() {
		t.Run(c.String(), func(t *testing.T) {
			torchtest.Scope(t)
			layer, _ := c.build(8, torch.Options{})
			x := torch.Randn([]int{4, 8, 8, 8}, torch.Options{}).ChannelsLast().RequiresGrad_(true)
			y := layer.Forward(x, nn.Mode{Training: true})
			if !y.IsChannelsLast() {
				t.Errorf("result has strides %v", y.Strides())
			}
			direction := torch.Randn(y.Shape(), torch.Options{}).ChannelsLast()
			d := torch.Grad([]torch.Tensor{y.Mul(direction).Sum()}, []torch.Tensor{x}, torch.GradOptions{})[0]
			if c.op != genotype.None && !d.IsChannelsLast() {
				t.Errorf("gradient has strides %v", d.Strides())
			}
		})
	}
}

func TestZero(t *testing.T) {
	// The operation "none" gives zeros, at stride 2 of half the size, rounded up.
	for stride, want := range map[int][]int{1: {2, 3, 5, 6}, 2: {2, 3, 3, 3}} {
		t.Run(fmt.Sprint("stride", stride), func(t *testing.T) {
			torchtest.Scope(t)
			y := zero(stride).Forward(torch.Ones([]int{2, 3, 5, 6}, torch.Options{}), nn.Mode{})
			if !slices.Equal(y.Shape(), want) {
				t.Errorf("shape %v, want %v", y.Shape(), want)
			}
			if norm := y.Norm().Item(); norm != 0 {
				t.Errorf("norm %v, want 0", norm)
			}
		})
	}
}

func TestIdentity(t *testing.T) {
	// A skip connection of stride 1 gives its very input, without a copy.
	torchtest.Scope(t)
	x := torch.Randn([]int{2, 4, 4, 4}, torch.Options{})
	layer := Operation((&nn.Builder{}).Root(), genotype.SkipConnect, 4, 1, true)
	if y := layer.Forward(x, nn.Mode{Training: true}); y != x {
		t.Errorf("got %v, want the input %v", y, x)
	}
}

func TestFactorizedReduceShift(t *testing.T) {
	// The halves of a factorized reduction's channels see the pixels at even and at odd rows and columns, and no others.
	for _, test := range []struct {
		row, column   int
		first, second bool // the halves that see the pixel
	}{
		{0, 0, true, false}, {2, 4, true, false}, {1, 1, false, true}, {3, 5, false, true},
		{0, 1, false, false}, {3, 2, false, false},
	} {
		t.Run(fmt.Sprintf("%d,%d", test.row, test.column), func(t *testing.T) {
			torchtest.Scope(t)
			torch.ManualSeed(3)
			var b nn.Builder
			layer := FactorizedReduce(b.Root(), 3, 6, false)
			b.Build(float64s)
			x := torch.Zeros([]int{1, 3, 4, 6}, float64s)
			x.Narrow(2, test.row, 1).Narrow(3, test.column, 1).Fill_(1)
			y := layer.Forward(x, nn.Mode{}) // [1,6,2,3]; running mean 0, so nothing seen gives 0
			at := y.Narrow(2, test.row/2, 1).Narrow(3, test.column/2, 1)
			if first := at.Narrow(1, 0, 3).Norm().Item() > 0; first != test.first {
				t.Errorf("first half sees the pixel: %v, want %v", first, test.first)
			}
			if second := at.Narrow(1, 3, 3).Norm().Item() > 0; second != test.second {
				t.Errorf("second half sees the pixel: %v, want %v", second, test.second)
			}
			if elsewhere := math.Abs(y.Norm().Item() - at.Norm().Item()); elsewhere > 1e-15 {
				t.Errorf("other places see the pixel: norm %v", elsewhere)
			}
		})
	}
}

func TestAvgPoolDivisor(t *testing.T) {
	// Average pooling of ones gives ones, at the border too, when the divisor leaves the padding out.
	for _, stride := range []int{1, 2} {
		t.Run(fmt.Sprint("stride", stride), func(t *testing.T) {
			torchtest.Scope(t)
			layer, _ := layerCase{genotype.AvgPool3x3, stride}.build(2, float64s)
			y := layer.Forward(torch.Ones([]int{1, 2, 6, 6}, float64s), nn.Mode{})
			torchtest.Close(t, "result", y, torch.OnesLike(y), 1e-15)
		})
	}
}

func TestOperationPanics(t *testing.T) {
	// Operation panics when the operation is one of recurrent cells.
	defer func() {
		if got, want := fmt.Sprint(recover()), `torch: cells.Operation: "tanh" is no operation of a convolutional cell`; got != want {
			t.Errorf("got %s, want %s", got, want)
		}
	}()
	Operation((&nn.Builder{}).Root(), genotype.ActTanh, 4, 1, true)
}

func TestDropPath(t *testing.T) {
	// Drop-path zeroes whole images and scales the others and their gradients by 1/(1-p).
	for _, p := range []float64{0.2, 0.5, 0.9} {
		t.Run(fmt.Sprint(p), func(t *testing.T) {
			torchtest.Scope(t)
			torch.ManualSeed(4)
			const images, pixels = 2000, 2 * 2 * 3
			x := torch.Rand([]int{images, 2, 2, 3}, float64s).AddScalar_(1).RequiresGrad_(true)
			y := DropPath(x, nn.Mode{DropPath: p})
			d := torch.Grad([]torch.Tensor{y.Sum()}, []torch.Tensor{x}, torch.GradOptions{})[0].Float64s()
			kept := 0
			xs, ys := x.Float64s(), y.Float64s()
			for i := range images {
				scale := 1 / (1 - p)
				if ys[i*pixels] == 0 {
					scale = 0
				} else {
					kept++
				}
				for j := i * pixels; j < (i+1)*pixels; j++ {
					if math.Abs(ys[j]-scale*xs[j]) > 1e-12 || math.Abs(d[j]-scale) > 1e-12 {
						t.Fatalf("image %d: %v with gradient %v, want %v and %v", i, ys[j], d[j], scale*xs[j], scale)
					}
				}
			}
			// Five standard deviations: the mean of the result is that of x.
			if want := (1 - p) * images; math.Abs(float64(kept)-want) > 5*math.Sqrt(p*want) {
				t.Errorf("%d of %d images kept, want about %v", kept, images, want)
			}
		})
	}
}

func TestDropPathOff(t *testing.T) {
	// Drop-path gives its very input when the probability is 0.
	torchtest.Scope(t)
	x := torch.Randn([]int{2, 1, 1, 1}, torch.Options{})
	if y := DropPath(x, nn.Mode{}); y != x {
		t.Errorf("got %v, want the input %v", y, x)
	}
}

func TestDropPathMemoryFormat(t *testing.T) {
	// Drop-path's result lies channels last when its input does.
	torchtest.Scope(t)
	y := DropPath(torch.Randn([]int{2, 3, 4, 5}, torch.Options{}).ChannelsLast(), nn.Mode{DropPath: 0.5})
	if !y.IsChannelsLast() {
		t.Errorf("result has strides %v", y.Strides())
	}
}

// images are numbers [n,c,h,w] for computations that share nothing with libtorch.
type images struct {
	n, c, h, w int
	v          []float64
}

func newImages(n, c, h, w int) images { return images{n, c, h, w, make([]float64, n*c*h*w)} }

func imagesOf(x torch.Tensor) images {
	s := x.Shape()
	return images{s[0], s[1], s[2], s[3], x.Float64s()}
}

func (x images) tensor() torch.Tensor { return torch.FromSlice(x.v, x.n, x.c, x.h, x.w) }

func (x images) at(n, c, row, column int) *float64 {
	return &x.v[((n*x.c+c)*x.h+row)*x.w+column]
}

// apply sets every element of x to what f makes of its place.
func (x images) apply(f func(n, c, row, column int) float64) images {
	for n := range x.n {
		for c := range x.c {
			for row := range x.h {
				for column := range x.w {
					*x.at(n, c, row, column) = f(n, c, row, column)
				}
			}
		}
	}
	return x
}

// window calls see for the pixels in the image of a window centred at a place:
// their place in the kernel k, and their value.
func (x images) window(n, c, row, column int, k [2]int, dilation int, see func(i, j int, v float64)) {
	for i := range k[0] {
		for j := range k[1] {
			r, s := row+(i-k[0]/2)*dilation, column+(j-k[1]/2)*dilation
			if r >= 0 && r < x.h && s >= 0 && s < x.w {
				see(i, j, *x.at(n, c, r, s))
			}
		}
	}
}

func (x images) relu() images {
	return newImages(x.n, x.c, x.h, x.w).apply(func(n, c, row, column int) float64 {
		return max(*x.at(n, c, row, column), 0)
	})
}

// conv convolves with centred kernels weight [out, x.c/groups, k...].
func (x images) conv(weight images, groups int, stride [2]int, dilation int) images {
	k := [2]int{weight.h, weight.w}
	y := newImages(x.n, weight.n, (x.h+stride[0]-1)/stride[0], (x.w+stride[1]-1)/stride[1])
	return y.apply(func(n, out, row, column int) (sum float64) {
		first := out / (weight.n / groups) * weight.c
		for in := range weight.c {
			x.window(n, first+in, row*stride[0], column*stride[1], k, dilation, func(i, j int, v float64) {
				sum += v * *weight.at(out, in, i, j)
			})
		}
		return sum
	})
}

// batchNorm normalises by the batch's statistics.
func (x images) batchNorm(weight, bias images) images {
	count := float64(x.n * x.h * x.w)
	mean, square := make([]float64, x.c), make([]float64, x.c)
	y := newImages(x.n, x.c, x.h, x.w)
	y.apply(func(n, c, row, column int) float64 { mean[c] += *x.at(n, c, row, column) / count; return 0 })
	y.apply(func(n, c, row, column int) float64 {
		d := *x.at(n, c, row, column) - mean[c]
		square[c] += d * d / count
		return 0
	})
	return y.apply(func(n, c, row, column int) float64 {
		return (*x.at(n, c, row, column)-mean[c])/math.Sqrt(square[c]+1e-5)*weight.v[c] + bias.v[c]
	})
}

// pool gives f of the pixels of each 3x3 window that lie in the image.
func (x images) pool(stride int, f func([]float64) float64) images {
	y := newImages(x.n, x.c, (x.h+stride-1)/stride, (x.w+stride-1)/stride)
	return y.apply(func(n, c, row, column int) float64 {
		var seen []float64
		x.window(n, c, row*stride, column*stride, [2]int{3, 3}, 1, func(_, _ int, v float64) { seen = append(seen, v) })
		return f(seen)
	})
}

func mean(v []float64) float64 {
	sum := 0.0
	for _, x := range v {
		sum += x
	}
	return sum / float64(len(v))
}

// weightsOf gives every parameter as images: kernels [out,in,kH,kW], vectors [C,1,1,1].
func weightsOf(w *nn.Weights) map[string]images {
	all := map[string]images{}
	for name, v := range w.Views(w.W) {
		s := append(v.Shape(), 1, 1, 1)
		all[name] = images{s[0], s[1], s[2], s[3], v.Float64s()}
	}
	return all
}

// directOperation is the table of operations of the paper and the reference,
// written out.
func directOperation(c layerCase, x images, w map[string]images) images {
	s, one := [2]int{c.stride, c.stride}, [2]int{1, 1}
	separable := func(x images, depthwise, pointwise, bn string, stride [2]int, dilation int) images {
		y := x.relu().conv(w[depthwise+".weight"], x.c, stride, dilation).conv(w[pointwise+".weight"], 1, one, 1)
		return y.batchNorm(w[bn+".weight"], w[bn+".bias"])
	}
	switch c.op {
	case genotype.None:
		return x.pool(c.stride, func([]float64) float64 { return 0 })
	case genotype.MaxPool3x3:
		return x.pool(c.stride, slices.Max[[]float64])
	case genotype.AvgPool3x3:
		return x.pool(c.stride, mean)
	case genotype.SepConv3x3, genotype.SepConv5x5, genotype.SepConv7x7:
		return separable(separable(x, "op.1", "op.2", "op.3", s, 1), "op.5", "op.6", "op.7", one, 1)
	case genotype.DilConv3x3, genotype.DilConv5x5:
		return separable(x, "op.1", "op.2", "op.3", s, 2)
	case genotype.Conv7x1_1x7:
		y := x.relu().conv(w["1.weight"], 1, [2]int{1, c.stride}, 1).conv(w["2.weight"], 1, [2]int{c.stride, 1}, 1)
		return y.batchNorm(w["3.weight"], w["3.bias"])
	}
	if c.stride == 1 {
		return x // skip connection
	}
	half := newImages(x.n, x.c, x.h/2, x.w/2)
	return half.apply(func(n, out, row, column int) (sum float64) {
		kernel, shift, o := w["conv_1.weight"], 0, out
		if out >= x.c/2 {
			kernel, shift, o = w["conv_2.weight"], 1, out-x.c/2
		}
		for in := range x.c {
			sum += max(*x.at(n, in, 2*row+shift, 2*column+shift), 0) * *kernel.at(o, in, 0, 0)
		}
		return sum
	}).batchNorm(w["bn.weight"], w["bn.bias"])
}
