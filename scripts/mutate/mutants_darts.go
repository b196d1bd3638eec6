package main

var ofDARTS = []mutant{
	{
		"darts: stale α, whose step comes after the gradient of w", "nas/search/darts.go",
		`		if moves {
			norm = optim.Norm(d.architect.Step(train, valid, d.xi()).Alphas...) // 1. α
		}
		g := d.net.Gradients(d.net.W(), train, d.weights) // 2. w`,
		`		g := d.net.Gradients(d.net.W(), train, d.weights)
		if moves {
			d.architect.Step(train, valid, xi)
		}`,
		inSearch("TestStepsOfDARTS"),
	},
	{"darts: w is not clipped", "nas/search/darts.go", "optim.Clip(d.gradClip, g.W)", "torch.Tensor{}", inSearch("TestStepsOfDARTS")},
	{"darts: ξ is the first learning rate", "nas/search/darts.go", "return d.w.LR()", "return 0.025", inSearch("TestStepsOfDARTS/second")},
	{"darts: first order always", "nas/search/darts.go", "if d.order != 2 {", "if d.order >= 0 {", inSearch("TestStepsOfDARTS/second")},
	{
		"darts: α learns from the images of w", "nas/search/darts.go",
		"nn.Batch{X: in[2], Y: in[3]}",
		"nn.Batch{X: in[0], Y: in[1]}",
		inSearch("TestStepsOfDARTS/first"),
	},
	{
		"darts: w learns from the images of α", "nas/search/darts.go",
		"d.net.Gradients(d.net.W(), train, d.weights)",
		"d.net.Gradients(d.net.W(), valid, d.weights)",
		inSearch("TestStepsOfDARTS/first"),
	},
	{
		"darts: the learning rate does not fall", "nas/search/darts.go",
		"d.w.SetLR(run.LR(epoch))",
		"d.w.SetLR(run.LR(0))",
		inSearch("TestStepsOfDARTS/first"),
	},
	{
		"darts: α starts an epoch late", "nas/search/darts.go",
		"d.step(s, epoch >= d.warmup)",
		"d.step(s, epoch > d.warmup)",
		inSearch("TestStepsOfDARTS/first"),
	},
	{"darts: α's betas are Adam's usual ones", "nas/state.go", "Betas: o.Betas, ", "", inSearch("TestStepsOfDARTS/first")},
	{
		"darts: α does not decay", "nas/state.go",
		"Betas: o.Betas, WeightDecay: o.WeightDecay}",
		"Betas: o.Betas}",
		inSearch("TestStepsOfDARTS/first"),
	},
	{
		"darts: w does not decay", "nas/state.go",
		"Momentum: o.Momentum, WeightDecay: o.WeightDecay, Nesterov",
		"Momentum: o.Momentum, Nesterov",
		inSearch("TestStepsOfDARTS/first"),
	},
	{
		"darts: w has no momentum", "nas/state.go",
		"Momentum: o.Momentum, WeightDecay",
		"WeightDecay",
		inSearch("TestStepsOfDARTS/first"),
	},
}

var ofArchitect = []mutant{
	{
		"architect: hvp with the wrong sign", "darts/architect.go",
		"a.xi.Tensor().Mul(k).To(dAlpha.Options()), -1)",
		"a.xi.Tensor().Mul(k).To(dAlpha.Options()), 1)",
		inDARTS("TestArchitectOnBilinearLoss"),
	},
	{
		"architect: no hvp", "darts/architect.go",
		"a.xi.Tensor().Mul(k).To(dAlpha.Options()), -1)",
		"a.xi.Tensor().Mul(k).To(dAlpha.Options()), 0)",
		inDARTS("TestArchitectOnBilinearLoss"),
	},
	{
		"architect: hvp over the validation batch", "darts/architect.go",
		"a.Hessian.HessianVectorProduct(v, train)",
		"a.Hessian.HessianVectorProduct(v, valid)",
		inSearch("TestStepsOfDARTS/second"),
	},
	{
		"architect: v at w, not at w'", "darts/architect.go",
		"a.net.Gradients(step.w, valid, Need{W: true, Alphas: true, FreezeStatistics: true})",
		"a.net.Gradients(a.net.W(), valid, Need{W: true, Alphas: true, FreezeStatistics: true})",
		inDARTS("TestArchitectOnBilinearLoss"),
	},
	{
		"architect: the virtual step moves the running statistics", "darts/architect.go",
		"Need{W: true, Alphas: true, FreezeStatistics: true}",
		"Need{W: true, Alphas: true}",
		inSearch("TestStepsOfDARTS/second"),
	},
	{
		"architect: the virtual step does not decay", "darts/architect.go",
		"d.AddScaled_(w, o.WeightDecay)",
		"d.AddScaled_(w, 0*o.WeightDecay)",
		inDARTS("TestArchitectOnBilinearLoss"),
	},
	{
		"architect: the virtual step has no momentum", "darts/architect.go",
		"d.AddScaled_(buffers[0], o.Momentum)",
		"d.AddScaled_(buffers[0], 0*o.Momentum)",
		inDARTS("TestArchitectOnBilinearLoss"),
	},
	{
		"architect: the virtual step goes up", "darts/architect.go",
		"s.w = w.Clone().Addcmul_(d, a.xi.Beside(w), -1)",
		"s.w = w.Clone().Addcmul_(d, a.xi.Beside(w), 1)",
		inDARTS("TestArchitectOnBilinearLoss"),
	},
	{
		"architect: ε is not scaled by ‖v‖", "darts/architect.go",
		"norm := v.Norm().To(",
		"norm := torch.OnesLike(v.Norm()).To(",
		inSearch("TestStepsOfDARTS/second"),
	},
	{
		"architect: ε is scaled by the square of ‖v‖", "darts/architect.go",
		"norm := v.Norm().To(",
		"norm := v.Square().Sum().To(",
		inSearch("TestStepsOfDARTS/second"),
	},
	{
		"architect: the difference is times ε/2", "darts/architect.go",
		"Div(eps.MulScalar(2).To(v.Options()))",
		"Mul(eps.MulScalar(0.5).To(v.Options()))",
		inDARTS("TestArchitectOnBilinearLoss"),
	},
	{
		"architect: the difference is divided by ε", "darts/architect.go",
		"Div(eps.MulScalar(2).To(v.Options()))",
		"Div(eps.MulScalar(1).To(v.Options()))",
		inDARTS("TestArchitectOnBilinearLoss"),
	},
	{
		"architect: a one-sided difference", "darts/architect.go",
		"plus, minus := at(1), at(-1)",
		"plus, minus := at(2), at(0)",
		inSearch("TestStepsOfDARTS/second"),
	},
	{
		"architect: the virtual step is not clipped", "darts/architect.go",
		"s.norm = optim.Clip(a.Clip, d)",
		"s.norm = optim.Norm(d)",
		inDARTS("TestArchitectClips"),
	},
	{
		"architect: the implicit part is not clipped", "darts/architect.go",
		"			optim.Clip(s.Clip, v)\n",
		"",
		inDARTS("TestArchitectClips"),
	},
}

var ofSupernet = []mutant{
	{
		"supernet: a depthwise gradient replaces those of other edges", "darts/fast/node.go",
		"to.Add = b.room(&b.d[j], at.in)",
		"b.room(&b.d[j], at.in)",
		inFast("TestFastEqualsPlain"),
	},
	{
		"supernet: no ReLU before a factorized reduction", "darts/fast/state.go",
		"		s.pixels.ReLU_()\n",
		"",
		inFast("TestFastEqualsPlain"),
	},
	{
		"supernet: means of a stride without the stride", "darts/fast/state.go",
		"p.sides(kernel{5, dilation}, s.in, s.stride)",
		"p.sides(kernel{5, dilation}, s.in, 1)",
		inFast("TestFastEqualsPlain"),
	},
	{
		"supernet: a Gram matrix of another item", "darts/fast/node.go",
		"Gram: h.gram.Select(0, item),",
		"Gram: h.gram.Select(0, 0),",
		inFast("TestFastEqualsPlain"),
	},
	{
		"supernet: the exact product moves the statistics once", "darts/hessian.go",
		"torch.NoGrad(func() { repeatMove(s.Weights.Stats, before) })",
		"_ = before",
		inDARTS("TestExactProductMovesStatistics"),
	},
	{
		"supernet: w stays at the other vector", "darts/plain.go",
		"torch.NoGrad(func() { own.Copy_(before) })",
		"",
		inDARTS("TestGradientsElsewhere"),
	},
	{
		"supernet: reductions in other layers", "cells/genotype/kind.go",
		"if layer == layers/3 || layer == 2*layers/3 {",
		"if layer == layers/3 || layer == layers/2 {",
		inDARTS("TestSizes"),
	},
	{
		"supernet: one α for both kinds of cells", "darts/plain.go",
		"by.of[cell.Kind], ",
		"by.of[genotype.Normal], ",
		inFast("TestRecordings/cnn_search_first_order"),
	},
	{"supernet: α starts at 0", "darts/architecture.go", "MulScalar_(alphaScale)", "MulScalar_(0)", inFast("TestInitialisation")},
	{
		"supernet: pooling without a batch norm", "darts/searchcell.go",
		"if op == genotype.MaxPool3x3 || op == genotype.AvgPool3x3 {",
		"if op == genotype.MaxPool3x3 {",
		inFast("TestRecordings/cnn_search_first_order"),
	},
	{
		"wide form: every round takes the α of the first", "darts/fast/wideround.go",
		"Narrow(0, r.offset*c, r.items*c)",
		"Narrow(0, 0, r.items*c)",
		inFast("TestWideEqualsPlain/all_operations"),
	},
	{
		"wide form: both halves of a factorized reduction have the first one's gradient", "darts/fast/widelayout.go",
		`b.diagonal(c, c/2, with("conv_2.weight")...)`,
		`b.diagonal(c, 0, with("conv_2.weight")...)`,
		inFast("TestWideEqualsPlain/all_operations"),
	},
	{
		"wide form: gradients of w beside the diagonal", "darts/fast/widelayout.go",
		"arange(items, rows*row+in, items, 1, 1)",
		"arange(items, rows*row, items, 1, 1)",
		inFast("TestWideEqualsPlain/all_operations"),
	},
	{
		"wide form: nodes leave out all but the first stretch of items", "darts/fast/widecell.go",
		"x.Add_(b.view(items, c).SumDims([]int{1, 2}, false))",
		"_ = x",
		inFast("TestWideEqualsPlain"),
	},
	{
		"wide form: a pooling's gradient is not divided by the pixels inside", "darts/fast/widepool.go",
		"slot.Mul(p.inverseCounts(s))",
		"slot.Contiguous()",
		inFast("TestWideEqualsPlain/all_operations"),
	},
	{
		"wide form: statistics of the batch by the momentum twice", "darts/fast/wideops.go",
		"const all = 1.0",
		"const all = 0.1",
		inFast("TestWideEqualsPlain/all_operations"),
	},
	{
		"wide form: the states of a round all have the first edge's columns", "darts/fast/wideround.go",
		"b.d.Narrow(1, run.first*c, run.length*c)",
		"b.d.Narrow(1, 0, run.length*c)",
		inFast("TestWideEqualsPlain"),
	},
	{
		"supernet: the mixture is that of logits", "darts/architecture.go",
		"return a.scores().Softmax(-1)",
		"return a.scores()",
		inFast("TestRecordings/cnn_search_first_order"),
	},
}

var ofDerivation = []mutant{
	{
		"derivation: none is an operation", "darts/discretize.go",
		"if ops[k] != genotype.None && (best < 0 || weight > row[best]) {",
		"if best < 0 || weight > row[best] {",
		inDARTS("TestDiscretize"),
	},
	{
		"derivation: the weakest edges", "darts/discretize.go",
		"case x > y:\n				return -1\n			case x < y:\n				return 1",
		"case x > y:\n				return 1\n			case x < y:\n				return -1",
		inDARTS("TestDiscretize"),
	},
	{
		"derivation: the last of equal operations", "darts/discretize.go",
		"weight > row[best])",
		"weight >= row[best])",
		inDARTS("TestDerivation"),
	},
	{
		"derivation: the last of equal edges", "darts/discretize.go",
		"\t\t\treturn 0\n\t\t})\n\t\tfor _, j := range inputs[:EdgesKept] {",
		"\t\t\treturn b - a\n\t\t})\n\t\tfor _, j := range inputs[:EdgesKept] {",
		inDARTS("TestDerivation"),
	},
	{
		"derivation: one edge of a node", "darts/discretize.go",
		"for _, j := range inputs[:EdgesKept] {",
		"for _, j := range inputs[:1] {",
		inDARTS("TestDiscretize"),
	},
	{
		"derivation: the strongest skip is ruled out", "darts/skips.go",
		"(weakest == nil || *skip < *weakest)",
		"(weakest == nil || *skip > *weakest)",
		inDARTS("TestSkipLimit"),
	},
	{
		"derivation: the limit of skips is one more", "darts/skips.go",
		"if count <= l.most || weakest == nil {",
		"if count <= l.most+1 || weakest == nil {",
		inDARTS("TestSkipLimit"),
	},
	{
		"derivation: skips of the reduction cell count", "darts/plain.go",
		"if kind == genotype.Normal && skips >= 0 {\n\t\t\tg.Normal = deriveLimited",
		"if skips >= 0 {\n\t\t\t*g.Cell(kind) = deriveLimited",
		inDARTS("TestDerive"),
	},
}
