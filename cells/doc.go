// Package cells holds what a search ends in: genotypes, which say what the
// derived cells compute, and the networks built from them.
//
//	g, err := cells.Lookup("DARTS_V2")
//	...
//	net, err := cells.NewNetwork(g, cells.NetworkOptions{
//		Channels: 36, Layers: 20, Classes: 10, InputChannels: 3, Size: 32, StemMultiplier: 3,
//	})
//
// A cell is a small graph of operations. Its inputs, states 0 and 1, are the
// outputs of the two cells before it, brought to its own number of channels; each
// node is the sum of two operations on earlier states; its output is the
// concatenation of some states. Normal cells keep the size of the image,
// reduction cells halve it and double the channels. Operation makes the layers,
// for the search network too.
//
// Liu, Simonyan, Yang: DARTS: Differentiable Architecture Search, ICLR 2019,
// arXiv 1806.09055. "Reference" in comments is the authors' code.
package cells
