package torch_test

import (
	"math"
	"testing"

	"godarts/torch"
	"godarts/torch/torchtest"
)

func TestHostileArguments(t *testing.T) {
	// Every exported function and method returns or panics with *Error, and the process goes on, when an argument makes no sense.
	x := func(shape ...int) torch.Tensor { return torch.Ones(shape, torch.Options{}) }
	whole := func(v ...int64) torch.Tensor { return torch.FromSlice(v, len(v)) }
	pool := torch.Pool2dOptions{Kernel: 3, Stride: 2, Padding: 1}
	torchtest.Hostile{
		Functions: []any{
			torch.AdaptiveAvgPool2d, torch.Arange, torch.Autocast, torch.AvgPool2d, torch.BatchNorm, torch.CUDA,
			torch.Call, torch.CaptureGraph, torch.Cat, torch.Conv2d, torch.Conv2dBackward, torch.Count, torch.CountAsGPU, torch.CrossEntropy,
			torch.Depthwise, torch.DepthwiseBackward, torch.DepthwiseGram, torch.Do,
			torch.Dropout, torch.Embedding, torch.Empty, torch.EmptyLike, torch.Enter, torch.Eye, torch.FromBytes,
			torch.ForeachCopy_, torch.FromSlice[float32],
			torch.FromSliceChannelsLast[int64], torch.FromSliceTo[bool], torch.Full, torch.GatedMixture, torch.GatedMixtureBackward, torch.Grad,
			torch.GradEnabled, torch.Gram, torch.InNoReads, torch.Inference, torch.Keep, torch.KeepWith, torch.Linear, torch.Live, torch.ManualSeed, torch.Misuse, torch.NeedFunction, torch.NewMailbox,
			torch.MaxPool2d, torch.MaxPool2dBackward, torch.MaxPool2dIndices, torch.MmOut, torch.NoGrad, torch.NoReads,
			torch.Ones, torch.OnesLike, torch.Parallel, torch.ParseDevice,
			torch.PeakReserved, torch.Folded, torch.FoldedMatrix, torch.Processor, torch.RNGState, torch.Rand, torch.RandInt,
			torch.Randn, torch.RanksFor, torch.ReLUOut, torch.ReLUSum, torch.Scalar, torch.ScaledSum, torch.Scoped, torch.Separable,
			torch.SetRNGState, torch.SetTF32, torch.SetThreads, torch.SoftmaxCrossEntropy_, torch.Stack, torch.SumProducts, torch.TF32, torch.Threads, torch.WithTF32,
			torch.TuneMalloc, torch.Version, torch.Where, torch.Zeros, torch.ZerosLike,
		},
		Values: []any{
			func() torch.Tensor { return x(2, 3) },
			func() torch.Dtype { return torch.Float32 },
			func() torch.Dtype { return torch.Int64 },
			func() torch.Device { return torch.CPU },
			func() torch.Conv2dOptions { return torch.Conv2dOptions{} },
			func() torch.Pool2dOptions { return torch.Pool2dOptions{Kernel: 2} },
			func() *torch.Error { return &torch.Error{Op: "add"} },
			func() *torch.Rank { return &torch.Rank{Count: 1} },
			func() *torch.Graph { return &torch.Graph{} },
			func() *torch.Mailbox { return torch.NewMailbox(torch.CPU, 4) },
			func() torch.Maxima {
				_, at := torch.MaxPool2dIndices(x(1, 1, 8, 8), pool)
				return at
			},
		},
		Wrong: []any{
			func() torch.Dtype { return torch.Bool },
			func() torch.Conv2dOptions { return torch.Conv2dOptions{StrideHW: [2]int{1, 0}} },
			func() torch.Pool2dOptions { return pool },
		},
		Refused: map[string]string{
			"Misuse":       "it is for what has to panic",
			"NeedFunction": "it is for what has to panic",
			"PeakReserved": "there may be no GPU",
			"Graph.Replay": "there may be no GPU",
		},
		Arguments: map[string]func() []any{
			"Call": func() []any { return args("aten::add.Tensor", args(x(2), x(2))) },
			"BatchNorm": func() []any {
				return args(x(2, 4, 6, 6), x(4), x(4), x(4), x(4), torch.BatchNormOptions{Training: true})
			},
			"Conv2d": func() []any { return args(x(2, 4, 6, 6), x(4, 4, 3, 3), x(4), torch.Conv2dOptions{}) },
			"Conv2dBackward": func() []any {
				return args(x(2, 4, 4, 4), x(2, 4, 6, 6), x(4, 4, 3, 3), torch.Conv2dOptions{}, true, true)
			},
			"CrossEntropy": func() []any { return args(x(2, 3), whole(0, 2), torch.CrossEntropyOptions{}) },
			"Depthwise":    func() []any { return args(x(2, 4, 6, 6), x(4, 1, 3, 3), x(4), torch.DepthwiseOptions{ReLU: true}) },
			"DepthwiseGram": func() []any {
				return args(x(4, 4), x(2, 4, 6, 6), x(4, 1, 3, 3), x(4), torch.DepthwiseOptions{ReLU: true})
			},
			"DepthwiseBackward": func() []any {
				to := torch.DepthwiseGradients{X: x(2, 4, 6, 6), Beside: x(2, 4, 6, 6), Gram: x(4, 4), Sums: torch.Ones([]int{4}, double)}
				ways := []torch.DepthwiseWay{
					{Pixels: []torch.Tensor{x(72, 3)}, Matrices: []torch.Tensor{x(3, 4)}, Weight: x(4, 1, 3, 3), DWeight: x(4, 1, 3, 3), Dilation: 2},
					{G: x(2, 4, 6, 6), Weight: x(4, 1, 5, 5)},
				}
				return args(to, x(2, 4, 6, 6), torch.DepthwiseOptions{Through: x(4, 4)}, ways)
			},
			"FromBytes":    func() []any { return args([]byte{1, 0, 0, 0}, torch.Int16, []int{2}, torch.Options{}) },
			"Embedding":    func() []any { return args(x(2, 3), whole(1, 0)) },
			"GatedMixture": func() []any { return args(x(2, 3), x(5, 2, 3), x(5, 2, 6), x(5, 4)) },
			"GatedMixtureBackward": func() []any {
				return args(x(2, 3), x(5, 2, 3), x(5, 2, 6), x(5, 4), x(5, 2, 3), torch.Ones([]int{5, 4}, double))
			},
			"Grad": func() []any {
				leaf := x(2).RequiresGrad_(true)
				return args(tensors(leaf.Sum()), tensors(leaf), torch.GradOptions{})
			},
			"Gram": func() []any { return args(x(1, 16, 16), true, x(40, 16), tensors(x(40, 16))) },
			"MaxPool2dBackward": func() []any {
				_, at := torch.MaxPool2dIndices(x(1, 1, 8, 8), pool)
				return args(x(1, 1, 4, 4), x(1, 1, 8, 8), at, pool)
			},
			"Folded": func() []any {
				w := torch.FoldedWeights{Depthwise: x(4, 1, 3, 3), Matrix: torch.FoldedMatrix(x(8, 4, 1, 1), x(8), x(8)), Outs: 8}
				return args(x(2, 4, 6, 6), w, torch.FoldedOptions{Add: x(2, 8, 6, 6), Out: x(2, 8, 6, 6)})
			},
			"ScaledSum": func() []any {
				return args(x(8, 4), true, tensors(x(8, 4), x(4, 8)), tensors(x(1, 4), x(1)))
			},
			"Separable": func() []any {
				stage := torch.SeparableStage{Depthwise: x(4, 1, 3, 3), Weight: x(4, 4, 1, 1), Scale: x(4), Shift: x(4), RunningMean: x(4), RunningVar: x(4)}
				return args(x(2, 4, 6, 6), []torch.SeparableStage{stage, stage}, x(2))
			},
			"SetRNGState":          func() []any { return args(torch.CPU, torch.RNGState(torch.CPU)) },
			"SoftmaxCrossEntropy_": func() []any { return args(x(2, 3), x(3), whole(0, 2), torch.Scalar(0, double)) },
			"SumProducts": func() []any {
				return args(x(40, 16), false, tensors(x(40, 16), x(40, 4)), tensors(x(16, 16), x(4, 16)))
			},
			"Where":            func() []any { return args(truths([]bool{true, false}, 2), x(2), x(2)) },
			"Tensor.AsStrided": func() []any { return args(x(6), []int{2, 2}, []int{1, 3}, 1) },
			"Tensor.Gather":    func() []any { return args(x(2, 3), 0, integers([]int64{0, 1}, 1, 2)) },
			"Tensor.IndexAdd_": func() []any { return args(x(2, 3), 0, whole(1), x(1, 3)) },
			"Tensor.Scatter_":  func() []any { return args(x(2, 3), 0, integers([]int64{0, 1}, 1, 2), x(1, 2)) },
			"Tensor.SetGrad":   func() []any { return args(x(2).RequiresGrad_(true), x(2)) },
			"Tensor.Uniform_":  func() []any { return args(x(2), -math.Pi, math.Pi) },
		},
	}.Run(t)
}
