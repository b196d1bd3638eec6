package nn

import "godarts/torch"

// Separable is a separable convolution: stages one after the other. In training, if all batch norms are affine, it
// computes them together (torch.Separable).
type Separable []Stage

// Stage is a depthwise convolution, a 1x1 convolution, and the batch norm of its result.
type Stage struct {
	ReLU      bool       // without Depthwise, which has a ReLU of its own: the 1x1 convolution is of max(x, 0)
	Depthwise *Depthwise // or nil
	Pointwise *Pointwise
	Norm      *BatchNorm2d
}

// Forward implements Layer. The result is channels last.
func (l Separable) Forward(x torch.Tensor, m Mode) torch.Tensor {
	return l.forward(x, torch.Tensor{}, m)
}

// Scaled implements Scaler.
func (l Separable) Scaled(x, factors torch.Tensor, m Mode) torch.Tensor {
	return l.forward(x, factors, m)
}

func (l Separable) forward(x, factors torch.Tensor, m Mode) torch.Tensor {
	if affine := l.affine(); affine && m.Training {
		return l.train(x, factors, m)
	}
	if m.Training || torch.GradEnabled() {
		for _, s := range l {
			x = s.forward(x, m)
		}
	} else {
		x = l.evaluate(x, torch.FoldedOptions{})
	}
	if factors.Defined() {
		return scaled(x, factors)
	}
	return x
}

// affine tells whether all batch norms have weight and bias. It panics with *torch.Error if a stage lacks a layer.
func (l Separable) affine() bool {
	affine := true
	for i, s := range l {
		if s.Pointwise == nil || s.Norm == nil {
			torch.Misuse("nn.Separable", "stage %d has no 1x1 convolution or no batch norm", i)
		}
		affine = affine && s.Norm.weight != nil
	}
	return affine
}

// train computes the layer by the batch's statistics, and each image's result times its number of factors [N] if they
// are defined.
func (l Separable) train(x, factors torch.Tensor, m Mode) (y torch.Tensor) {
	torch.Scoped(func() {
		var stages []torch.SeparableStage
		for _, s := range l {
			mean, variance := s.Norm.statistics(m)
			stage := torch.SeparableStage{ReLU: s.ReLU, Weight: s.Pointwise.weight.value(), Scale: s.Norm.weight.Tensor,
				Shift: s.Norm.bias.Tensor, RunningMean: mean, RunningVar: variance}
			if d := s.Depthwise; d != nil {
				stage.Depthwise, stage.ReLU, stage.Stride, stage.Dilation = d.weight.value(), d.o.ReLU, d.o.Stride, d.o.Dilation
			}
			stages = append(stages, stage)
		}
		y = torch.Keep(torch.Separable(x, stages, factors))
	})
	return y
}

// forward computes a stage, one layer after the other.
func (s Stage) forward(x torch.Tensor, m Mode) torch.Tensor {
	if s.Depthwise != nil {
		x = s.Depthwise.Forward(x, m)
	} else if s.ReLU {
		x = x.ReLU()
	}
	return s.Norm.Forward(s.Pointwise.Forward(x, m), m)
}

// Trace implements Layer. Together the stages keep x and the input of each batch norm, where torch.Separable has loops
// for them.
func (l Separable) Trace(x *Value, t *Trace) *Value {
	together := l.affine() && l.fits()
	for i, s := range l {
		if together && i == 0 {
			t.Keep(x)
		}
		switch {
		case s.Depthwise != nil && together:
			x = s.Depthwise.result(x, t)
		case s.Depthwise != nil:
			x = s.Depthwise.Trace(x, t)
		case s.ReLU && !together:
			x = ReLU{}.Trace(x, t)
		}
		if !together {
			t.Keep(x)
		}
		x = s.Norm.Trace(s.Pointwise.result(x, t), t)
	}
	return x
}

// fits tells whether torch.Separable has loops for all stages.
func (l Separable) fits() bool {
	for _, s := range l {
		shape := s.Pointwise.weight.sizes()
		if shape[0]%4 != 0 || shape[1]%4 != 0 || s.Depthwise != nil && !s.Depthwise.fits() {
			return false
		}
	}
	return true
}
