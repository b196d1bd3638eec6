// Package cells holds the networks that a search ends in, built from genotypes.
//
//	g, err := genotype.Lookup("DARTS_V2")
//	...
//	net, err := cells.NewNetwork(g, cells.NetworkOptions{
//		Channels: 36, Layers: 20, Classes: 10, InputChannels: 3, Size: 32, StemMultiplier: 3,
//	})
//
// Operation makes the layers of an edge, for the search network too. What a cell computes stands in
// package genotype.
//
// Liu, Simonyan, Yang: DARTS: Differentiable Architecture Search, ICLR 2019,
// arXiv 1806.09055. "Reference" in comments is the authors' code.
package cells
