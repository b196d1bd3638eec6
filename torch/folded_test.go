package torch_test

import (
	"fmt"
	"math"
	"testing"

	"godarts/torch"
	"godarts/torch/torchtest"
)

// foldedCase is a stage in evaluation of images [n,c,h,w] to outs channels; one without a depthwise convolution
// has k 0.
type foldedCase struct {
	depthwiseCase
	outs int
}

// foldedCases are of every depthwise convolution, of channels for each number of vectors, and of pointwise
// convolutions alone.
func foldedCases() (all []foldedCase) {
	outs := []int{4, 36, 72, 20, 144, 7, 64}
	for i, d := range depthwiseCases() {
		all = append(all, foldedCase{d, outs[i%len(outs)]})
	}
	for i, s := range pointwiseShapes {
		all = append(all, foldedCase{depthwiseCase{s[0], s[1], s[3], s[4], 0, torch.DepthwiseOptions{ReLU: i%2 == 0}}, s[2]})
	}
	return all
}

// weights draws the weights of the case.
func (s foldedCase) weights(o torch.Options) (w torch.FoldedWeights, product, shift torch.Tensor) {
	weight, scale := torch.Randn([]int{s.outs, s.c, 1, 1}, o), torch.Randn([]int{s.outs}, o)
	shift = torch.Randn([]int{s.outs}, o)
	w = torch.FoldedWeights{Matrix: torch.FoldedMatrix(weight, scale, shift), Outs: s.outs}
	if s.k > 0 {
		w.Depthwise = torch.Randn([]int{s.c, 1, s.k, s.k}, o)
	}
	return w, weight.Mul(scale.View(-1, 1, 1, 1)), shift
}

func (s foldedCase) options() torch.FoldedOptions {
	return torch.FoldedOptions{DepthwiseOptions: s.o}
}

// part returns a copy of images as some of the channels of others.
func part(t torch.Tensor) torch.Tensor {
	n, c, h, w := t.Size(0), t.Size(1), t.Size(2), t.Size(3)
	return torch.Full([]int{n, h, w, c + 9}, math.NaN(), t.Options()).Permute(0, 3, 1, 2).Narrow(1, 5, c).Copy_(t)
}

func TestFolded(t *testing.T) {
	// The value is that of libtorch's operators one after the other, whatever the sizes, layouts, threads and the place of the result are.
	for i, s := range foldedCases() {
		t.Run(fmt.Sprint(s), func(t *testing.T) {
			torchtest.Scope(t)
			defer torch.SetThreads(torch.Threads())
			torch.SetThreads(1 + i%3)
			torch.ManualSeed(7)
			x := torch.Randn([]int{s.n, s.c, s.h, s.w}, double)
			w, product, shift := s.weights(double)
			between := x
			if s.k > 0 {
				between = s.libtorch(x, w.Depthwise, torch.Tensor{})
			} else if s.o.ReLU {
				between = x.ReLU()
			}
			want := torch.Conv2d(between, product, shift, torch.Conv2dOptions{})
			o := s.options()
			torchtest.Close(t, "value", torch.Folded(x, w, o), want, 1e-12)
			more := torch.Randn(want.Shape(), double)
			for name, layout := range map[string]func(torch.Tensor) torch.Tensor{
				"contiguous": torch.Tensor.Clone, "channels last": torch.Tensor.ChannelsLast, "a part of channels": part,
			} {
				torchtest.Close(t, name, torch.Folded(layout(x), w, o), want, 1e-12)
				o := o
				o.Out = layout(torch.EmptyLike(want))
				if got := torch.Folded(x, w, o); got != o.Out {
					t.Errorf("%s: a result of its own", name)
				}
				torchtest.Close(t, name+", written", o.Out, want, 1e-12)
				o.Add = layout(more)
				torch.Folded(layout(x), w, o)
				torchtest.Close(t, name+", with a sum", o.Out, want.Add(more), 1e-12)
				o.Add = o.Out
				torch.Folded(x, w, o)
				torchtest.Close(t, name+", added", o.Out, want.Add(more).Add(want), 1e-12)
			}
		})
	}
}

func TestFoldedPlaces(t *testing.T) {
	// Each image's result has the same bits alone and among others, in every layout, on one thread and on three, and what lies between its channels stays.
	for _, s := range foldedCases() {
		if s.c%4 != 0 || s.k > 5 || s.o.Stride > 2 {
			continue // libtorch's operators
		}
		if processor, err := torch.Processor(); err != nil || processor == "none" {
			t.Skipf("libtorch's operators: %s %v", processor, err)
		}
		t.Run(fmt.Sprint(s), func(t *testing.T) {
			torchtest.Scope(t)
			defer torch.SetThreads(torch.Threads())
			torch.ManualSeed(7)
			x := torch.Randn([]int{s.n, s.c, s.h, s.w}, single)
			w, _, _ := s.weights(single)
			o := s.options()
			torch.SetThreads(1)
			want := torch.Folded(x, w, o)
			torch.SetThreads(3)
			torchtest.Close(t, "on three threads", torch.Folded(x.ChannelsLast(), w, o), want, 0)
			for n := range s.n {
				torchtest.Close(t, "alone", torch.Folded(part(x.Narrow(0, n, 1)), w, o), want.Narrow(0, n, 1), 0)
			}
			shape := want.Shape()
			room := torch.Full([]int{shape[0], shape[2], shape[3], shape[1] + 9}, 3, single).Permute(0, 3, 1, 2)
			o.Out = room.Narrow(1, 4, s.outs)
			torch.Folded(x, w, o)
			torchtest.Close(t, "as a part of channels", o.Out, want, 0)
			torchtest.Close(t, "channels before", room.Narrow(1, 0, 4), torch.Full([]int{shape[0], 4, shape[2], shape[3]}, 3, single), 0)
			torchtest.Close(t, "channels after", room.Narrow(1, 4+s.outs, 5), torch.Full([]int{shape[0], 5, shape[2], shape[3]}, 3, single), 0)
		})
	}
}

func TestFoldedNaN(t *testing.T) {
	// A NaN among the images reaches the result, after ReLUs too, and no other image.
	torchtest.Scope(t)
	for _, k := range []int{0, 3} {
		s := foldedCase{depthwiseCase{2, 16, 3, 3, k, torch.DepthwiseOptions{ReLU: true}}, 20}
		x := torch.Randn([]int{2, 16, 3, 3}, single)
		x.Select(0, 1).Select(0, 3).Select(0, 2).Select(0, 1).Fill_(math.NaN())
		w, _, _ := s.weights(single)
		y := torch.Folded(x, w, s.options())
		if sums := y.SumDims([]int{1, 2, 3}, false).Float64s(); math.IsNaN(sums[0]) || !math.IsNaN(sums[1]) {
			t.Errorf("kernel of %d: sums %g, want a number and NaN", k, sums)
		}
	}
}

func TestFoldedMisfit(t *testing.T) {
	// An error tells what does not fit when channels, weights or places do not.
	torchtest.Scope(t)
	x, weight := torch.Randn([]int{2, 4, 6, 6}, double), torch.Randn([]int{8, 4, 1, 1}, double)
	four, eight := torch.Ones([]int{4}, double), torch.Ones([]int{8}, double)
	w := torch.FoldedWeights{Depthwise: torch.Ones([]int{4, 1, 3, 3}, double), Matrix: torch.FoldedMatrix(weight, eight, eight), Outs: 8}
	with := func(change func(*torch.FoldedWeights)) torch.FoldedWeights {
		other := w
		change(&other)
		return other
	}
	none := torch.FoldedOptions{}
	for name, call := range map[string]func(){
		"images":    func() { torch.Folded(x.Select(0, 0), w, none) },
		"channels":  func() { torch.Folded(x.Narrow(1, 0, 3), w, none) },
		"outs":      func() { torch.Folded(x, with(func(w *torch.FoldedWeights) { w.Outs = 17 }), none) },
		"no outs":   func() { torch.Folded(x, with(func(w *torch.FoldedWeights) { w.Outs = 0 }), none) },
		"kernel":    func() { torch.Folded(x, with(func(w *torch.FoldedWeights) { w.Depthwise = weight }), none) },
		"no matrix": func() { torch.Folded(x, with(func(w *torch.FoldedWeights) { w.Matrix = torch.Tensor{} }), none) },
		"a lone stride": func() {
			torch.Folded(x, with(func(w *torch.FoldedWeights) { w.Depthwise = torch.Tensor{} }), torch.FoldedOptions{DepthwiseOptions: torch.DepthwiseOptions{Stride: 2}})
		},
		"a large stride": func() {
			torch.Folded(x, w, torch.FoldedOptions{DepthwiseOptions: torch.DepthwiseOptions{Stride: 1 << 40}})
		},
		"what is added":   func() { torch.Folded(x, w, torch.FoldedOptions{Add: x}) },
		"the place":       func() { torch.Folded(x, w, torch.FoldedOptions{Out: x}) },
		"a folded weight": func() { torch.FoldedMatrix(x, four, four) },
		"a folded scale":  func() { torch.FoldedMatrix(weight, four, eight) },
		"a folded shift":  func() { torch.FoldedMatrix(weight, eight, four) },
		"another type":    func() { torch.Folded(x.ToDtype(torch.Float32), w, none) },
		"a kernel of even": func() {
			torch.Folded(x, with(func(w *torch.FoldedWeights) { w.Depthwise = torch.Ones([]int{4, 1, 2, 2}, double) }), none)
		},
	} {
		if e := caught(t, call); e == nil {
			t.Errorf("%s: no error", name)
		}
	}
}

func TestWrites(t *testing.T) {
	// Writes counts what is written in place to a tensor and its views when they share memory, and is -1 for what Inference makes.
	torchtest.Scope(t)
	x := torch.Zeros([]int{4}, single)
	view := x.Narrow(0, 1, 2).Detach()
	before := view.Writes()
	x.Fill_(1)
	if got := view.Writes(); got <= before {
		t.Errorf("%d writes after one to the whole, %d before", got, before)
	}
	before = x.Writes()
	view.Fill_(2)
	if got := x.Writes(); got <= before {
		t.Errorf("%d writes after one to the view, %d before", got, before)
	}
	torch.Inference(func() { x = torch.Zeros([]int{4}, single) })
	if got := x.Writes(); got != -1 {
		t.Errorf("%d writes to what Inference has made, want -1", got)
	}
}
