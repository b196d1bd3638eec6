package darts

import (
	"slices"

	"godarts/cells"
)

// ReducedSpaces are S1 to S3 of arXiv 1909.09656, by name: cells of 4 nodes in the
// paper's topology, small enough that DARTS' failures show. Their operations stand in
// the order of α's columns in the authors' code. (S4 has an operation that is noise
// and nothing else; it is not here.)
var ReducedSpaces = map[string]Space{
	"s1": {Nodes: 4, Normal: s1Normal, Reduce: s1Reduce},
	"s2": Everywhere(4, []cells.Op{cells.SkipConnect, cells.SepConv3x3}),
	"s3": Everywhere(4, []cells.Op{cells.None, cells.SkipConnect, cells.SepConv3x3}),
}

// The two operations of each edge that weighed most in a search of the full space.
var (
	s1Normal = slices.Concat(
		[][]cells.Op{{cells.SkipConnect, cells.DilConv3x3}, {cells.SkipConnect, cells.DilConv5x5}},
		[][]cells.Op{{cells.SkipConnect, cells.DilConv5x5}, {cells.SkipConnect, cells.SepConv3x3}, {cells.SkipConnect, cells.DilConv3x3}},
		[][]cells.Op{{cells.MaxPool3x3, cells.SkipConnect}, {cells.SkipConnect, cells.SepConv3x3}, {cells.SkipConnect, cells.SepConv3x3}, {cells.SkipConnect, cells.DilConv3x3}},
		[][]cells.Op{{cells.SkipConnect, cells.SepConv3x3}, {cells.MaxPool3x3, cells.SkipConnect}, {cells.SkipConnect, cells.DilConv3x3}, {cells.DilConv3x3, cells.DilConv5x5}, {cells.DilConv3x3, cells.DilConv5x5}},
	)
	s1Reduce = slices.Concat(
		[][]cells.Op{{cells.MaxPool3x3, cells.AvgPool3x3}, {cells.MaxPool3x3, cells.DilConv3x3}},
		[][]cells.Op{{cells.MaxPool3x3, cells.AvgPool3x3}, {cells.MaxPool3x3, cells.AvgPool3x3}, {cells.SkipConnect, cells.DilConv5x5}},
		[][]cells.Op{{cells.MaxPool3x3, cells.AvgPool3x3}, {cells.MaxPool3x3, cells.SepConv3x3}, {cells.SkipConnect, cells.DilConv3x3}, {cells.SkipConnect, cells.DilConv5x5}},
		[][]cells.Op{{cells.MaxPool3x3, cells.AvgPool3x3}, {cells.MaxPool3x3, cells.AvgPool3x3}, {cells.SkipConnect, cells.DilConv5x5}, {cells.SkipConnect, cells.DilConv5x5}, {cells.SkipConnect, cells.DilConv5x5}},
	)
)
