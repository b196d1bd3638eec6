package torch

// Indices are the places as libtorch has them, for the comparison with Call.
func (m Maxima) Indices() Tensor { return m.indices }
