package cells

import (
	"godarts/torch"
	"godarts/torch/nn"
)

// DropPath sets whole images of x [N,C,H,W] to zero with probability p = m.DropPath
// and scales the others by 1/(1−p). The factors come from m.Paths, or else from
// libtorch's generator of x's device. Reference cnn/utils.py drop_path.
func DropPath(x torch.Tensor, m nn.Mode) torch.Tensor {
	if m.DropPath == 0 {
		return x
	}
	return x.Mul(pathFactors(x, m).View(-1, 1, 1, 1))
}

func drawFactors(n int, p float64, o torch.Options) torch.Tensor {
	keep := 1 - p
	return torch.Empty([]int{n}, o).Bernoulli_(keep).DivScalar_(keep)
}

// DropFactors draws what a training pass over that many images, with m.DropPath = p, multiplies paths by: [paths,images].
// They are the draws of the pass itself on a CPU, from libtorch's generator of the CPU. With them in m.Paths a pass on any
// device draws nothing, so that it can be captured in a graph. It panics with *torch.Error unless 0 <= p < 1.
func (n *Network) DropFactors(images int, p float64) torch.Tensor {
	if !(p >= 0 && p < 1) {
		torch.Misuse("cells.DropFactors", "p is %g, want 0 <= p < 1", p)
	}
	if images < 0 {
		torch.Misuse("cells.DropFactors", "%d images", images)
	}
	rows := torch.Zeros([]int{n.paths, images}, torch.Options{Dtype: n.o.Dtype})
	torch.Scoped(func() {
		torch.NoGrad(func() {
			for i := range n.paths {
				rows.Select(0, i).Copy_(drawFactors(images, p, rows.Options()))
			}
		})
	})
	return rows.To(n.o.Options)
}

// RowsOf gives rows one after the other: those of DropFactors for nn.Mode.Paths of one pass, those of DrawMasks for
// nn.Batch.Masks of several. Of the zero Tensor, which has none, it is nil.
func RowsOf(rows torch.Tensor) func() torch.Tensor {
	if !rows.Defined() {
		return nil
	}
	next := 0
	return func() torch.Tensor {
		next++
		return rows.Select(0, next-1)
	}
}

// pathFactors are the factors [N] of the next path, with the type of the images x [N,C,H,W].
func pathFactors(x torch.Tensor, m nn.Mode) torch.Tensor {
	if m.Paths == nil {
		return drawFactors(x.Size(0), m.DropPath, x.Options())
	}
	return m.Paths().ToDtype(x.Dtype())
}
