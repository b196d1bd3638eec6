// Package genotype says what derived cells compute: their operations and edges, the published cells, and the
// texts in which genotypes are written, the reference's and those of other programs. It knows no libtorch.
//
//	g, err := genotype.Lookup("DARTS_V2")
//
// A cell is a small graph of operations. Its inputs, states 0 and 1, are the
// outputs of the two cells before it, brought to its own number of channels; each
// node is the sum of two operations on earlier states; its output is the
// concatenation of some states. Normal cells keep the size of the image,
// reduction cells halve it and double the channels.
//
// Liu, Simonyan, Yang: DARTS: Differentiable Architecture Search, ICLR 2019,
// arXiv 1806.09055. "Reference" in comments is the authors' code.
package genotype
