package torch

// #include "internal/shim/shim.h"
// #cgo noescape torch_batch_norm
// #cgo nocallback torch_batch_norm
import "C"

// BatchNormEps is what batch norms add to a variance: PyTorch's default.
const BatchNormEps = 1e-5

// BatchNormOptions: zero fields mean PyTorch's default.
type BatchNormOptions struct {
	Training bool    // normalise by the batch's statistics, and update the running ones
	Momentum float64 // of the running statistics; 0 is 0.1
	Eps      float64 // added to the variance; 0 is BatchNormEps
}

// BatchNorm normalises each channel: (x − mean)/√(var + Eps)·weight + bias.
//
//	x [N,C,...]   weight, bias [C] or none   runningMean, runningVar [C]
//
// In training mean and (biased) var are the batch's, and the running statistics
// move by Momentum towards mean and the unbiased variance, unless they are
// none. It panics with *Error if a channel has one value in training, as
// torch.nn.functional.batch_norm does.
func BatchNorm(x, weight, bias, runningMean, runningVar Tensor, o BatchNormOptions) Tensor {
	if o.Momentum == 0 {
		o.Momentum = 0.1
	}
	if o.Eps == 0 {
		o.Eps = BatchNormEps
	}
	if o.Training {
		if shape := x.shapeFor("batch_norm"); len(shape) > 1 && x.Numel() == shape[1] {
			misfit("batch_norm", []Tensor{x, weight, bias, runningMean, runningVar},
				"training needs more than one value per channel")
		}
	}
	var r Tensor
	if e := C.torch_batch_norm(x.h, weight.h, bias.h, runningMean.h, runningVar.h, flag(o.Training),
		C.double(o.Momentum), C.double(o.Eps), &r.h); e != nil {
		throw("batch_norm", e, x, weight, bias, runningMean, runningVar)
	}
	return r
}
