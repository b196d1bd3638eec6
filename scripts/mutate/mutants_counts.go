package main

// ofCounts are mistakes in the counts of operators.
var ofCounts = []mutant{
	{
		"count: recurrent networks by formulas as on a GPU", "cells/rnn.go",
		"!n.o.Device.GPUForm()",
		"!n.o.Device.IsCUDA()",
		tests{"nas/bench", "TestCount$"},
	},
	{
		"count: the step in the CPU's form", "nas/bench/count.go",
		"operators := count(func()",
		"operators := torch.Count(func()",
		tests{"nas/bench", "TestCount$"},
	},
	{
		"count: the quickest operator first", "nas/report/count.go",
		"cmp.Compare(b.Seconds, a.Seconds)",
		"cmp.Compare(a.Seconds, b.Seconds)",
		tests{"nas/report", "TestCounts$"},
	},
	{
		"count: an operator is missing in the rest", "nas/report/count.go",
		"r.Operators[most-1:]",
		"r.Operators[most:]",
		tests{"nas/report", "TestCountsOfMany"},
	},
	{
		"count: means are repeated by four kernels", "darts/fast/norm.go",
		"v.View(1, g.c).Expand(together, g.c).Contiguous().View(1, together*g.c)",
		"v.View(1, g.c).Repeat(1, together)",
		inFast("TestKernels"),
	},
}
