package cells

import (
	"fmt"

	"godarts/cells/genotype"
	"godarts/torch"
	"godarts/torch/nn"
)

// RecurrentOptions are the options of the language model around a derived cell.
type RecurrentOptions struct {
	LanguageOptions
	Plain bool // Gradients and evaluation by autograd's operators, not by formulas
}

// RecurrentNetwork is the language model around a derived recurrent cell. The paper trains it from scratch to
// evaluate a genotype. Reference rnn/model.py.
type RecurrentNetwork struct {
	*Language
	cell  genotype.Cell
	plain bool
}

var _ nn.Module = (*RecurrentNetwork)(nil)

// NewRecurrentNetwork makes the network of g with fresh weights, drawn from the default generator in the reference's
// order. Its tensors belong to the present scope.
//
// It returns an error if g is not valid or not recurrent, and for options that no network has.
func NewRecurrentNetwork(g genotype.Genotype, o RecurrentOptions) (*RecurrentNetwork, error) {
	if err := o.Check(g); err != nil {
		return nil, err
	}
	l, err := NewLanguage(len(g.Recurrent.Edges), o.LanguageOptions, nil)
	if err != nil {
		return nil, err
	}
	return &RecurrentNetwork{Language: l, cell: g.Recurrent.Clone(), plain: o.Plain}, nil
}

// Check returns the error that NewRecurrentNetwork would return.
func (o RecurrentOptions) Check(g genotype.Genotype) error {
	if err := g.Check(); err != nil {
		return fmt.Errorf("cells: recurrent network: genotype: %w", err)
	}
	if !g.IsRecurrent() {
		return fmt.Errorf("cells: recurrent network: the genotype is of convolutional cells, want a recurrent one")
	}
	return o.LanguageOptions.Check()
}

// Forward predicts the tokens of b. In training it applies dropout, and Penalty is what AR and TAR add. The graph is
// autograd's, Hidden is detached, and all of the output belongs to the caller's scope. Without grad mode an
// evaluation runs in the fast form.
func (n *RecurrentNetwork) Forward(b nn.Batch, m nn.Mode) (out nn.Output) {
	if !m.Training && !torch.GradEnabled() && n.fast() {
		return n.Fast(FastPass{W: n.weights.W, Batch: b, Logits: true}, n.newDerivedCell)
	}
	torch.Scoped(func() {
		out = keepOutput(n.Pass(b, m, n.step))
	})
	return out
}

// keepOutput keeps the tensors of an output that are defined.
func keepOutput(out nn.Output) nn.Output {
	for _, t := range []torch.Tensor{out.Loss, out.Logits, out.Hidden, out.Penalty} {
		if t.Defined() {
			torch.Keep(t)
		}
	}
	return out
}

// step makes a time step of the plain form. Reference rnn/model.py DARTSCell.cell.
func (n *RecurrentNetwork) step(m Masks) Step {
	return func(x, h torch.Tensor) torch.Tensor {
		states := []torch.Tensor{n.State0(x, h, m)}
		for i, e := range n.cell.Edges {
			from := states[e.From]
			states = append(states, Gate(from, masked(from, m.State).Mm(n.Ws[i].Tensor), Activation(e.Op)))
		}
		var sum torch.Tensor
		for i, s := range n.cell.Concat {
			if i == 0 {
				sum = states[s]
				continue
			}
			sum = sum.Add(states[s])
		}
		return sum.DivScalar(float64(len(n.cell.Concat)))
	}
}

// fast reports whether passes without a graph run in the fast form, which exists for CPUs.
func (n *RecurrentNetwork) fast() bool { return !n.plain && !n.o.Device.GPUForm() }

// Gradients runs a training pass over b and writes the gradient of Loss + Penalty to g [P]. Its result, without
// logits, belongs to the caller's scope and has no graph.
func (n *RecurrentNetwork) Gradients(b nn.Batch, g torch.Tensor) (out nn.Output) {
	if n.fast() {
		torch.NoGrad(func() {
			out = n.Fast(FastPass{W: n.weights.W, Batch: b, Training: true, Gradient: g, Regularised: true}, n.newDerivedCell)
		})
		return out
	}
	torch.Scoped(func() {
		out = n.Pass(b, nn.Mode{Training: true}, n.step)
		n.weights.Gradient(out.Loss.Add(out.Penalty), g, nil)
		out = keepOutput(nn.Output{Loss: out.Loss.Detach(), Hidden: out.Hidden, Penalty: out.Penalty.Detach()})
	})
	return out
}

// ParameterCount counts the weights, the tied matrix once.
func (n *RecurrentNetwork) ParameterCount() int { return n.weights.Count("") }
