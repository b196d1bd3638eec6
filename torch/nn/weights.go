package nn

import (
	"fmt"
	"maps"
	"slices"
	"strings"

	"godarts/torch"
)

// Weights is the storage of a network: one flat tensor of all parameters and one
// of all buffers, so that clipping, an optimizer's step or a copy of the whole
// network are a few operations. The names of a state dict are views of them.
type Weights struct {
	W     torch.Tensor // [P] every parameter, in the order of registration
	Stats torch.Tensor // [S] every buffer

	parameters, buffers []*Parameter
	leaves              []torch.Tensor // the parameters, for torch.Grad
}

// Build lays the registered tensors out flat, with the type and on the device of
// o, and makes each parameter a leaf that gradients are taken for. All of it
// belongs to the present scope.
func (b *Builder) Build(o torch.Options) *Weights {
	w := &Weights{parameters: b.parameters, buffers: b.buffers}
	torch.NoGrad(func() {
		w.W = flatten(b.parameters, o)
		w.Stats = flatten(b.buffers, o)
	})
	for _, p := range b.parameters {
		p.RequiresGrad_(true)
		w.leaves = append(w.leaves, p.Tensor)
	}
	return w
}

func flatten(ps []*Parameter, o torch.Options) torch.Tensor {
	n := 0
	for _, p := range ps {
		n += p.Numel()
	}
	flat := torch.Empty([]int{n}, o)
	for i, view := range views(flat, ps) {
		view.Copy_(ps[i].Tensor)
		ps[i].Free()
		ps[i].Tensor = view
	}
	return flat
}

// views cuts flat [P] into tensors of the parameters' shapes.
func views(flat torch.Tensor, ps []*Parameter) []torch.Tensor {
	vs := make([]torch.Tensor, len(ps))
	offset := 0
	for i, p := range ps {
		n := product(p.shape)
		piece := flat.Narrow(0, offset, n)
		shaped := piece.View(p.shape...)
		vs[i] = shaped.Detach()
		piece.Free()
		shaped.Free()
		offset += n
	}
	return vs
}

func product(shape []int) int {
	n := 1
	for _, s := range shape {
		n *= s
	}
	return n
}

// Gradient takes the gradient of loss with respect to all parameters and writes
// it to g [P]; parameters that the loss does not depend on get zero. It returns
// the gradients with respect to the tensors in more, zero too where the loss does
// not depend on them. With a zero Tensor g it computes no gradients of parameters.
func (w *Weights) Gradient(loss, g torch.Tensor, more []torch.Tensor) []torch.Tensor {
	inputs := slices.Clone(more)
	if g.Defined() {
		inputs = append(inputs, w.leaves...)
	}
	grads := torch.Grad([]torch.Tensor{loss}, inputs, torch.GradOptions{AllowUnused: true})
	for i, d := range grads {
		if i < len(more) && !d.Defined() {
			grads[i] = torch.ZerosLike(more[i])
		}
	}
	if g.Defined() {
		torch.NoGrad(func() { gather(g, w.parameters, grads[len(more):]) })
	}
	return grads[:len(more)]
}

// HessianVectorProduct is ∇x(v·∇w loss) for each tensor x in others: the mixed
// second derivatives of loss in the direction v [P], by differentiating its
// gradient again. A tensor that the gradient does not depend on gets zero.
func (w *Weights) HessianVectorProduct(loss, v torch.Tensor, others []torch.Tensor) []torch.Tensor {
	gradient := torch.Grad([]torch.Tensor{loss}, w.leaves, torch.GradOptions{CreateGraph: true, AllowUnused: true})
	var slope torch.Tensor // v·∇w loss
	for i, direction := range views(v, w.parameters) {
		if !gradient[i].Defined() {
			continue
		}
		part := gradient[i].Mul(direction).Sum()
		if slope.Defined() {
			part = slope.Add(part)
		}
		slope = part
	}
	return w.Gradient(slope, torch.Tensor{}, others)
}

// gather writes gradients of single parameters to their places in g.
func gather(g torch.Tensor, ps []*Parameter, grads []torch.Tensor) {
	torch.Scoped(func() {
		var to, from []torch.Tensor
		for i, v := range views(g, ps) {
			if !grads[i].Defined() {
				v.Zero_()
				continue
			}
			to, from = append(to, v), append(from, grads[i])
		}
		if len(to) > 0 {
			torch.ForeachCopy_(to, from)
		}
	})
}

// Views cuts a vector of W's length, as a gradient, into tensors under the
// parameters' names.
func (w *Weights) Views(flat torch.Tensor) torch.StateDict {
	sd := torch.StateDict{}
	for i, v := range views(flat, w.parameters) {
		sd[w.parameters[i].Name] = v
	}
	return sd
}

// StatsViews is Views of a vector of Stats' length, under the buffers' names.
func (w *Weights) StatsViews(flat torch.Tensor) torch.StateDict {
	sd := torch.StateDict{}
	for i, v := range views(flat, w.buffers) {
		sd[w.buffers[i].Name] = v
	}
	return sd
}

// Names lists the parameters in the order of W.
func (w *Weights) Names() []string {
	names := make([]string, len(w.parameters))
	for i, p := range w.parameters {
		names[i] = p.Name
	}
	return names
}

// Count is the number of weights in the parameters whose name does not contain
// except; an empty except counts all.
func (w *Weights) Count(except string) int {
	n := 0
	for _, p := range w.parameters {
		if except == "" || !strings.Contains(p.Name, except) {
			n += product(p.shape)
		}
	}
	return n
}

// CountBelow is the number of weights in the parameters below a place of the
// tree of names: "cells.3" has those of "cells.3.preprocess0.op.1.weight".
func (w *Weights) CountBelow(place string) int {
	n := 0
	for _, p := range w.parameters {
		if strings.HasPrefix(p.Name, place+".") {
			n += product(p.shape)
		}
	}
	return n
}

// StateDict implements Module.
func (w *Weights) StateDict() torch.StateDict {
	sd := torch.StateDict{}
	for _, p := range slices.Concat(w.parameters, w.buffers) {
		sd[p.Name] = p.Tensor
	}
	return sd
}

// LoadStateDict implements Module. Counters that newer PyTorch saves with batch
// norms (num_batches_tracked) are passed over.
func (w *Weights) LoadStateDict(sd torch.StateDict) error {
	shapes := make(map[string][]int, len(sd))
	for name, t := range sd {
		shapes[name] = t.Shape()
	}
	if err := w.CheckStateDict(shapes); err != nil {
		return err
	}
	torch.NoGrad(func() {
		for _, p := range slices.Concat(w.parameters, w.buffers) {
			p.Copy_(sd[p.Name])
		}
	})
	return nil
}

// CheckStateDict is LoadStateDict's error for a state dict with entries of these
// names and shapes. It costs no memory for the entries themselves.
func (w *Weights) CheckStateDict(shapes map[string][]int) error {
	known := map[string]bool{}
	missing := ""
	for _, p := range slices.Concat(w.parameters, w.buffers) {
		known[p.Name] = true
		got, ok := shapes[p.Name]
		if !ok {
			if missing == "" {
				missing = fmt.Sprintf("%q of shape %v is missing", p.Name, p.shape)
			}
			continue
		}
		if missing == "" && !slices.Equal(got, p.shape) {
			return fmt.Errorf("nn: load state dict: %q has shape %v, the network %v", p.Name, got, p.shape)
		}
	}
	for _, name := range slices.Sorted(maps.Keys(shapes)) {
		if known[name] || strings.HasSuffix(name, ".num_batches_tracked") {
			continue
		}
		unknown := fmt.Sprintf("the network has no %.100q of shape %v", name, shapes[name])
		if missing != "" {
			return fmt.Errorf("nn: load state dict: %s, and %s", missing, unknown)
		}
		return fmt.Errorf("nn: load state dict: %s", unknown)
	}
	if missing != "" {
		return fmt.Errorf("nn: load state dict: %s", missing)
	}
	return nil
}
