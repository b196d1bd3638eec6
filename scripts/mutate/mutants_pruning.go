package main

var ofPruning = []mutant{
	{"prune: an identity ties no channels", "cells/genotype/widths.go", "return stride == 1", "return false", inCells("TestCutEqualsMasked")},
	{
		"prune: both convolutions of a reduction lose the same filters", "cells/groups.go",
		`".conv_2.weight", 0, 0, halves[0], halves[1]}`,
		`".conv_2.weight", 0, 0, 0, halves[1]}`,
		inCells("TestCutEqualsMasked"),
	},
	{
		"prune: the second half of a sep_conv keeps its inputs", "cells/groups.go",
		`inner.along(at+".op.5.weight", 0)`,
		"",
		inCells("TestCutEqualsMasked"),
	},
	{
		"prune: the first channels of a tensor go", "cells/groups.go",
		"lost[at][a.at+k] = true",
		"lost[at][len(lost[at])] = true",
		inCells("TestCutEqualsMasked"),
	},
	{
		"prune: what matters most is cut", "nas/prune/choose.go",
		"return cmp.Compare(a.matters, b.matters)",
		"return cmp.Compare(b.matters, a.matters)",
		inPrune("TestScaleChooses"),
	},
	{"prune: channels go one by one", "nas/prune/choose.go", "size, left := multiple, g.Size()", "size, left := 1, g.Size()", inPrune("TestChunks")},
	{"prune: the first chunk leaves no multiple", "nas/prune/choose.go", "cmp.Or(left%size, size)", "size", inPrune("TestChunks")},
	{"compress: all rows are of the trained networks", "nas/plan/compression.go", "return p.file(r.parts[run])\n}", "return p.of.Runs[run]\n}", inPlan("TestCompress")},
	{"compress: a share says what goes", "nas/plan/compression.go", "Share: share / 100,", "Share: 1 - share/100,", inPlan("TestCompress")},
	{
		"prune: the slope has no part of the bias", "nas/prune/importance.go",
		`[]string{norm + ".weight", norm + ".bias"}`,
		`[]string{norm + ".weight"}`,
		inPrune("TestTaylor"),
	},
	{"prune: the mask is forgotten", "nas/train/train.go", "masked := t.mask.Defined()", "masked := t.mask.Defined() && t.epochs < 0", inPrune("TestMagnitude")},
	{
		"prune: the whole schedule is trained", "nas/train/pruned.go",
		"r.At = nas.Position{Epoch: p.Epoch}",
		"r.At = nas.Position{}",
		inPrune("TestPrune"),
	},
}
