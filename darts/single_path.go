package darts

import (
	"godarts/cells/genotype"
	"godarts/torch"
	"godarts/torch/nn"
)

// SinglePath is a supernet that can compute one architecture in a pass: weight sharing without mixing, as in ENAS and
// in random search with weight sharing. Plain is one.
type SinglePath interface {
	Supernet

	// PathGradients is Gradients of the operations of g only, with the statistics of the batch. Weights of other
	// operations have a gradient of 0. What need does not name is not computed: a zero Need with FreezeStatistics is
	// a pass that changes nothing. The running statistics of g's operations move, with Need.AllStatistics those of
	// all operations.
	PathGradients(g genotype.Genotype, b nn.Batch, need Need) Result

	// PathEval is Eval of the operations of g only.
	PathEval(g genotype.Genotype, b nn.Batch) nn.Output
}

var _ SinglePath = (*Plain)(nil)

// PathGradients implements SinglePath. It panics with *torch.Error if g has an operation that the supernet does not
// have.
func (s *Plain) PathGradients(g genotype.Genotype, b nn.Batch, need Need) (out Result) {
	path := func() mixtures {
		of := s.path(g)
		of.all = need.AllStatistics
		return of
	}
	pass := func() { out = s.gradients(s.W(), b, need, path) }
	if need.W || need.Alphas {
		pass()
	} else {
		torch.NoGrad(pass)
	}
	return out
}

// PathEval implements SinglePath.
func (s *Plain) PathEval(g genotype.Genotype, b nn.Batch) nn.Output {
	return s.eval(b, func() mixtures { return s.path(g) })
}

func (s *Plain) path(g genotype.Genotype) (by mixtures) {
	for kind := range genotype.ConvolutionalKinds {
		by.of[kind] = s.architectures[kind].path(*g.Cell(kind))
	}
	return by
}
