package darts

import (
	"slices"

	"godarts/cells/genotype"
)

// ReducedSpaces are S1 to S3 of arXiv 1909.09656, by name: cells of 4 nodes in the paper's topology, in spaces so
// small that DARTS' failures show. Operations are in the order of α's columns in the authors' code. S4, which has an
// operation that is only noise, is missing.
var ReducedSpaces = map[string]Space{
	"s1": {Nodes: 4, Normal: s1Normal, Reduce: s1Reduce},
	"s2": Everywhere(4, []genotype.Op{genotype.SkipConnect, genotype.SepConv3x3}),
	"s3": Everywhere(4, []genotype.Op{genotype.None, genotype.SkipConnect, genotype.SepConv3x3}),
}

// The two operations of each edge that weighed most in a search of the full space.
var (
	s1Normal = slices.Concat(
		[][]genotype.Op{{genotype.SkipConnect, genotype.DilConv3x3}, {genotype.SkipConnect, genotype.DilConv5x5}},
		[][]genotype.Op{{genotype.SkipConnect, genotype.DilConv5x5}, {genotype.SkipConnect, genotype.SepConv3x3}, {genotype.SkipConnect, genotype.DilConv3x3}},
		[][]genotype.Op{{genotype.MaxPool3x3, genotype.SkipConnect}, {genotype.SkipConnect, genotype.SepConv3x3}, {genotype.SkipConnect, genotype.SepConv3x3}, {genotype.SkipConnect, genotype.DilConv3x3}},
		[][]genotype.Op{{genotype.SkipConnect, genotype.SepConv3x3}, {genotype.MaxPool3x3, genotype.SkipConnect}, {genotype.SkipConnect, genotype.DilConv3x3}, {genotype.DilConv3x3, genotype.DilConv5x5}, {genotype.DilConv3x3, genotype.DilConv5x5}},
	)
	s1Reduce = slices.Concat(
		[][]genotype.Op{{genotype.MaxPool3x3, genotype.AvgPool3x3}, {genotype.MaxPool3x3, genotype.DilConv3x3}},
		[][]genotype.Op{{genotype.MaxPool3x3, genotype.AvgPool3x3}, {genotype.MaxPool3x3, genotype.AvgPool3x3}, {genotype.SkipConnect, genotype.DilConv5x5}},
		[][]genotype.Op{{genotype.MaxPool3x3, genotype.AvgPool3x3}, {genotype.MaxPool3x3, genotype.SepConv3x3}, {genotype.SkipConnect, genotype.DilConv3x3}, {genotype.SkipConnect, genotype.DilConv5x5}},
		[][]genotype.Op{{genotype.MaxPool3x3, genotype.AvgPool3x3}, {genotype.MaxPool3x3, genotype.AvgPool3x3}, {genotype.SkipConnect, genotype.DilConv5x5}, {genotype.SkipConnect, genotype.DilConv5x5}, {genotype.SkipConnect, genotype.DilConv5x5}},
	)
)
