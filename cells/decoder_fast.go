package cells

import "godarts/torch"

// decoderNumbers is about how many logits a rank has in memory at once.
const decoderNumbers = 4 << 20

// decode computes the loss and the penalty of the outputs, and returns the gradient of the outputs [T,b,H], if
// needed.
func (c *Columns) decode(f *fastWork) (d torch.Tensor) {
	raw := c.states.Narrow(0, 1, c.Steps)
	dropped := masked(raw, c.masks.Output)
	if c.Needs() {
		d = torch.Empty(raw.Shape(), c.Options.Options)
	}
	loss := f.sums.Select(0, c.Index).Select(0, 0)
	c.decodeBlocks(f, dropped, d, loss)
	loss.DivScalar_(float64(c.Steps * c.All))
	if !c.Training {
		return d
	}
	penalty := f.sums.Select(0, c.Index).Select(0, 1)
	return c.regularise(raw, dropped, d, penalty)
}

// decodeBlocks adds the cross-entropies of all steps to loss and writes the gradient of the dropped outputs to d. It
// takes some steps at a time.
func (c *Columns) decodeBlocks(f *fastWork, dropped, d, loss torch.Tensor) {
	o := c.Options
	steps := max(1, min(c.Steps, decoderNumbers/(c.Own*o.Tokens)))
	torch.Scoped(func() {
		p := torch.Empty([]int{steps * c.Own, o.Tokens}, o.Options)
		for t := 0; t < c.Steps; t += steps {
			n := min(steps, c.Steps-t)
			torch.Scoped(func() { c.decodeSteps(f, p.Narrow(0, 0, n*c.Own), dropped, d, loss, t, n) })
		}
	})
}

// decodeSteps decodes n steps from t on, with room for the logits in p [n·b,tokens]. With p = softmax(logits) the
// gradient of the mean loss is
//
//	dL/dlogits = (p − onehot(y))/(T·B)
func (c *Columns) decodeSteps(f *fastWork, p, dropped, d, loss torch.Tensor, t, n int) {
	units := c.Options.Units
	x, y := dropped.Narrow(0, t, n).View(-1, units), c.y.Narrow(0, t*c.Own, n*c.Own)
	torch.MmOut(p, x, c.Weights.Encoder.T())
	if c.Logits {
		c.own(f.logits, 1).Narrow(0, t, n).Copy_(p.Add(c.Weights.Bias).View(n, c.Own, -1))
	}
	torch.SoftmaxCrossEntropy_(p, c.Weights.Bias, y, loss)
	if !c.Needs() {
		return
	}
	share := 1 / float64(c.Steps*c.All)
	dX := d.Narrow(0, t, n).View(-1, units)
	WriteProduct(dX, p, c.Weights.Encoder)
	dX.MulScalar_(share)
	if c.Gradient.Defined() {
		torch.Gram(c.DWeights.Encoder, true, p, x.MulScalar(share))
		c.DWeights.Bias.AddScaled_(p.SumDims([]int{0}, false), share)
	}
}

// regularise computes this rank's share of the penalty
//
//	AR·mean(dropped²) + TAR·mean((h[t+1] − h[t])²)
//
// and turns d, the gradient of the dropped outputs, into the gradient of the outputs before the mask. It adds the
// penalty's gradient if gradients are regularised.
func (c *Columns) regularise(raw, dropped, d, penalty torch.Tensor) torch.Tensor {
	o := c.Options
	regularised := c.Needs() && c.Regularised
	if o.AR != 0 {
		k := o.AR / float64(c.Steps*c.All*o.Units)
		penalty.AddScaled_(dropped.Square().Sum(), k)
		if regularised {
			d.AddScaled_(dropped, 2*k)
		}
	}
	if c.Needs() && c.masks.Output.Defined() {
		d.Mul_(c.masks.Output)
	}
	if last := c.Steps - 1; o.TAR != 0 && last > 0 {
		k := o.TAR / float64(last*c.All*o.Units)
		change := raw.Narrow(0, 1, last).Sub(raw.Narrow(0, 0, last))
		penalty.AddScaled_(change.Square().Sum(), k)
		if regularised {
			d.Narrow(0, 1, last).AddScaled_(change, 2*k)
			d.Narrow(0, 0, last).AddScaled_(change, -2*k)
		}
	}
	return d
}
