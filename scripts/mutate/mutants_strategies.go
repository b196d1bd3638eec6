package main

var ofPCDARTS = []mutant{
	{"pc-darts: the cells found ignore β", "darts/plain.go", "copy(betas[:], alphas[len(betas):])", "", inSearch("TestFoundByPCDARTS")},
	{
		"pc-darts: the cells derived ignore β", "darts/discretize.go",
		"func (a *Architecture) probabilities() [][]float64 { return a.rows(a.Alpha, a.beta) }",
		"func (a *Architecture) probabilities() [][]float64 { return a.rows(a.Alpha, torch.Tensor{}) }",
		inDARTS("TestWeighedDerivation"),
	},
	{
		"pc-darts: no shuffle", "darts/partial.go",
		"return shuffle(torch.Cat([]torch.Tensor{sum, bypass}, 1), edge.partial)",
		"return torch.Cat([]torch.Tensor{sum, bypass}, 1)",
		inDARTS("TestPartialEdge"),
	},
	{
		"pc-darts: the shuffle's inverse", "darts/partial.go",
		"Reshape(n, h, w, groups, c/groups)",
		"Reshape(n, h, w, c/groups, groups)",
		inDARTS("TestShuffle"),
	},
	{
		"pc-darts: softmax of β over all edges", "darts/partial.go",
		"weights = append(weights, a.beta.Narrow(0, from, to-from).Softmax(0).Chunk(to-from, 0)...)",
		"weights = append(weights, a.beta.Softmax(0).Narrow(0, from, to-from).Chunk(to-from, 0)...)",
		inDARTS("TestPartialEdge"),
	},
	{"pc-darts: β has no part in a pass", "darts/searchcell.go", "edge = edge.Mul(weights[e])", "", inDARTS("TestWeighedNodes")},
	{
		"pc-darts: the bypass is averaged", "darts/partial.go",
		"torch.MaxPool2d(bypass,",
		"torch.AvgPool2d(bypass,",
		inDARTS("TestPartialEdge"),
	},
	{
		"pc-darts: β does not move", "darts/plain.go",
		"return append(alphas, betas...)",
		"return alphas",
		inSearch("TestWarmUp"),
	},
	{"pc-darts: no warm-up", "nas/search/darts.go", "warmup: warmup, skips", "skips", inSearch("TestStepsOfDARTS/pc-darts")},
	{
		"pc-darts: operations have the last channels", "darts/partial.go",
		"return x.Narrow(1, 0, first), x.Narrow(1, first, all-first)",
		"return x.Narrow(1, all-first, first), x.Narrow(1, 0, all-first)",
		inDARTS("TestPartialEdge"),
	},
	{
		"pc-darts: the bypass comes first", "darts/partial.go",
		"[]torch.Tensor{sum, bypass}",
		"[]torch.Tensor{bypass, sum}",
		inDARTS("TestPartialEdge"),
	},
}

var ofPDARTS = []mutant{
	{"p-darts: α is not clipped", "nas/search/pdarts.go", "optim.Clip(c.W.GradClip, g.Alphas...)", "torch.Tensor{}", inSearch("TestStepsOfPDARTS")},
	{"p-darts: w is not clipped", "nas/search/pdarts.go", "optim.Clip(c.W.GradClip, g.W)", "torch.Tensor{}", inSearch("TestStepsOfPDARTS")},
	{
		"p-darts: no warm-up", "nas/search/pdarts.go",
		"p.step(s, of >= p.keys.Warmup)",
		"p.step(s, true)",
		inSearch("TestStageWarmUp"),
	},
	{
		"p-darts: the most probable operations are dropped", "darts/progressive.go",
		"weakest := ascending(p[e])[:n]",
		"weakest := ascending(p[e])[len(p[e])-n:]",
		inDARTS("TestDropWeakest"),
	},
	{
		"p-darts: α learns from the images of w", "nas/search/pdarts.go",
		"g := p.net.Gradients(p.net.W(), s.Valid, darts.Need{Alphas: true})",
		"g := p.net.Gradients(p.net.W(), s.Train, darts.Need{Alphas: true})",
		inSearch("TestStepsOfPDARTS"),
	},
	{
		"p-darts: one depth for all stages", "nas/search/pdarts.go",
		"o.Layers, o.SkipDropout = k.Layers[stage], k.SkipDropout[stage]",
		"o.Layers, o.SkipDropout = k.Layers[0], k.SkipDropout[stage]",
		inSearch("TestStages"),
	},
	{
		"p-darts: dropout falls in the warm-up already", "nas/search/pdarts.go",
		"return rate * math.Exp(-0.2*float64(epoch-warmup))",
		"return rate * math.Exp(-0.2*float64(epoch))",
		inSearch("TestSkipDropoutRates"),
	},
	{
		"p-darts: the dropout of skips does not fall", "nas/search/pdarts.go",
		"skipDropout(p.keys.SkipDropout[p.stage], of, each, p.keys.Warmup)",
		"p.keys.SkipDropout[p.stage]",
		inSearch("TestStepsOfPDARTS"),
	},
	{
		"p-darts: the dropout of skips is the first stage's", "nas/search/pdarts.go",
		"skipDropout(p.keys.SkipDropout[p.stage], of",
		"skipDropout(p.keys.SkipDropout[0], of",
		inSearch("TestStepsOfPDARTS"),
	},
	{
		"p-darts: the rate does not begin again in a stage", "nas/search/pdarts.go",
		"epoch%max(each, 1), each)",
		"epoch, each)",
		inSearch("TestStepsOfPDARTS"),
	},
	{
		"p-darts: the last cell has any number of skips", "nas/search/pdarts.go",
		"return p.net.LimitedGenotype(p.keys.Skips)",
		"return p.net.Genotype()",
		inSearch("TestSkipsOfPDARTS"),
	},
	{
		"p-darts: the most probable skip goes", "darts/skips.go",
		"(weakest == nil || *skip < *weakest)",
		"(weakest == nil || *skip > *weakest)",
		inDARTS("TestLimitSkips"),
	},
	{
		"p-darts: dropout on factorized reductions", "darts/progressive.go",
		"identity := c.Kind.Stride(j) == 1",
		"identity := true",
		inDARTS("TestSkipDropout"),
	},
	{
		"p-darts: as many operations go after each stage", "nas/search/pdarts.go",
		"p.net.Remaining(p.keys.Drop[p.stage])",
		"p.net.Remaining(p.keys.Drop[0])",
		inSearch("TestStages"),
	},
	{
		"p-darts: the reduction cell has the normal one's operations", "darts/progressive.go",
		"Reduce: left[genotype.Reduce]}",
		"Reduce: left[genotype.Normal]}",
		inSearch("TestUpstreamPDARTS"),
	},
	{
		"p-darts: none counts for an edge's strength", "darts/skips.go",
		"table[e][k] = 0",
		"_ = k",
		inDARTS("TestUpstreamPDARTSDerivation"),
	},
	{
		"p-darts: none can be an edge's operation", "darts/progressive.go",
		"if last := order[len(order)-1]; ops[last] != genotype.None {",
		"if last := order[len(order)-1]; ops[last] != \"\" {",
		inDARTS("TestLastOperation"),
	},
	{
		"p-darts: α learns from resampled images", "nas/search/pdarts.go",
		"AlphaTurns: true",
		"AlphaTurns: false",
		inSearch("TestPlaceOfAlphaImages"),
	},
	{
		"p-darts: the images of α begin in the same order again", "nas/images/feed.go",
		"return epoch + round*f.epochs, step % f.Valid.Steps()",
		"return epoch + 0*round, step % f.Valid.Steps()",
		inSearch("TestPlaceOfAlphaImages"),
	},
}

var ofGDAS = []mutant{
	{"gdas: α moves before w", "nas/search/gdas.go",
		`	g.w.Step(train.W)

	valid := g.net.Gradients(g.net.W(), s.Valid, darts.Need{Alphas: true})
	if g.cost != nil {
		g.cost.AddGradient(valid.Alphas, g.net.Alphas())
	}
	g.alpha.Step(valid.Alphas...)`,
		`	valid := g.net.Gradients(g.net.W(), s.Valid, darts.Need{Alphas: true})
	if g.cost != nil {
		g.cost.AddGradient(valid.Alphas, g.net.Alphas())
	}
	g.alpha.Step(valid.Alphas...)
	g.w.Step(train.W)`, inSearch("TestStepsOfGDAS")},
	{"gdas: w is not clipped", "nas/search/gdas.go", "optim.Clip(g.gradClip, clipped...)", "_ = clipped", inSearch("TestClippedWithAlpha")},
	{
		"gdas: the norm is of w's gradient alone", "nas/search/gdas.go",
		"optim.Clip(g.gradClip, clipped...)",
		"optim.Clip(g.gradClip, clipped[:1]...)",
		inSearch("TestClippedWithAlpha"),
	},
	{"gdas: τ stays", "nas/search/gdas.go", "g.net.Tau = temperature(g.tau, epoch, run.Config.Epochs)", "", inSearch("TestStepsOfGDAS")},
	{
		"gdas: τ reaches its end an epoch late", "nas/search/gdas.go",
		"float64(epoch)/float64(epochs-1)",
		"float64(epoch)/float64(epochs)",
		inSearch("TestTemperature"),
	},
	{
		"gdas: no gradient through the choice", "darts/gdas.go",
		"Sub(picked.Detach()).Add(picked)",
		"Sub(picked.Detach()).Add(picked.Detach())",
		inDARTS("TestSampleGradient"),
	},
	{
		"gdas: the most probable operation without noise", "darts/gdas.go",
		"a.scores().LogSoftmax(-1).Add(g).DivScalar(tau)",
		"a.scores().LogSoftmax(-1).Add(g.MulScalar(0)).DivScalar(tau)",
		inDARTS("TestSampleFrequencies"),
	},
	{
		"gdas: the least probable operation", "darts/gdas.go",
		"chosen := p.Detach().Argmax(-1, true)",
		"chosen := p.Detach().Neg().Argmax(-1, true)",
		inDARTS("TestSampleFrequencies"),
	},
	{
		"gdas: the noise is not divided by τ", "darts/gdas.go",
		"a.scores().LogSoftmax(-1).Add(g).DivScalar(tau)",
		"a.scores().LogSoftmax(-1).DivScalar(tau).Add(g)",
		inDARTS("TestSampleFrequencies"),
	},
	{"gdas: none is derived", "darts/gdas.go", "if op != genotype.None {", "if op != \"\" {", inDARTS("TestStrongest")},
	{
		"gdas: measured by the mixture", "darts/gdas.go",
		"return s.eval(b, func() mixtures { return s.mixBy((*Architecture).likeliest) })",
		"return s.Plain.Eval(b)",
		inDARTS("TestSampledCost"),
	},
	{
		"gdas: noise of the wrong sign", "darts/gdas.go",
		"g = e.Log().Neg().To(a.Alpha.Options())",
		"g = e.Log().To(a.Alpha.Options())",
		inDARTS("TestSampleFrequencies"),
	},
	{
		"gdas: cells are derived by the rule of DARTS", "nas/search/gdas.go",
		"	return g.net.Genotype(), run.Err()",
		"	return g.net.Plain.Genotype(), run.Err()",
		inSearch("TestFoundByGDAS"),
	},
}

var ofEarlyStop = []mutant{
	{
		"early stop: the cells of the last measurement", "nas/search/earlystop.go",
		"return good, mean(k) > o.Factor*mean(good)",
		"return k, mean(k) > o.Factor*mean(good)",
		inSearch("TestStops"),
	},
	{
		"early stop: when the eigenvalue falls", "nas/search/earlystop.go",
		"return good, mean(k) > o.Factor*mean(good)",
		"return good, mean(k) < o.Factor*mean(good)",
		inSearch("TestStops"),
	},
	{
		"early stop: a window of one entry less", "nas/search/earlystop.go",
		"end := k + o.Window/2 + 1",
		"end := k + o.Window/2",
		inSearch("TestStops"),
	},
	{
		"early stop: before its start", "nas/search/earlystop.go",
		"if good < 0 || good*o.Every < o.Start {",
		"if good < 0 {",
		inSearch("TestStops"),
	},
	{
		"early stop: the eigenvalue of the images of w", "nas/images/feed.go",
		"b := f.Valid.Load(epoch, f.Train.Steps()-1)",
		"b := f.Train.Load(epoch, f.Train.Steps()-1)",
		inSearch("TestMeasuredEigenvalue"),
	},
	{
		"early stop: the eigenvalue without decay", "nas/search/earlystop.go",
		"s.net.DominantEigenvalue(b, s.decay)",
		"s.net.DominantEigenvalue(b, 0)",
		inSearch("TestMeasuredEigenvalue"),
	},
	{
		"early stop: the last α is found", "nas/search/earlystop.go",
		"alphas = append(alphas, alpha.Select(0, row))",
		"_ = row\n			alphas = append(alphas, alpha.Select(0, -1))",
		inSearch("TestEarlyStop$"),
	},
	{
		"early stop: the last epoch decides, too", "nas/search/earlystop.go",
		"if epoch%s.Every != 0 {\n			return // this measurement of the last epoch is only for the report\n		}",
		"",
		inSearch("TestEveryOtherEpoch"),
	},
}

var ofPerturbation = []mutant{
	{
		"perturbation: the operation that matters least", "darts/perturbation.go",
		"if i == 0 || a < best {",
		"if i == 0 || a > best {",
		inDARTS("TestDecisions"),
	},
	{
		"perturbation: the edge that matters most goes", "darts/perturbation.go",
		"for _, i := range ascending(without)[min(EdgesKept, len(without)):] {",
		"for _, i := range ascending(without)[:len(edges)-EdgesKept] {",
		inDARTS("TestDecideNode"),
	},
	{
		"perturbation: the first undecided edge", "nas/search/perturbation.go",
		"int(kind)).IntN(len(undecided))]",
		"int(kind)).IntN(1)]",
		inSearch("TestDecidedEdges"),
	},
	{"perturbation: the momentum goes on", "nas/search/darts.go", "buffer.Zero_()", "_ = buffer", inSearch("TestStepsOfPerturbation")},
	{
		"perturbation: the search's learning rate goes on", "nas/search/dartskeys.go",
		"return config.KeysAs[DARTSKeys](c).Perturbation.LR",
		"return c.W.LR",
		inSearch("TestStepsOfPerturbation"),
	},
	{"perturbation: training goes on with softmax(α)", "nas/search/darts.go", "		d.net, d.region = net, nil //", "		d.region = nil //", inSearch("TestStepsOfPerturbation")},
	{
		"perturbation: measured in running statistics", "nas/search/perturbation.go",
		"return p.net.Measure(b)",
		"return p.net.Eval(b)",
		inSearch("TestDecisionsMeasured"),
	},
	{
		"perturbation: the removed operation stays", "darts/perturbation.go",
		"row[r.column] = torch.Tensor{}",
		"_ = row[r.column]",
		inDARTS("TestRemoval"),
	},
	{
		"perturbation: the reduction cell is not decided", "nas/search/perturbation.go",
		"for kind := range genotype.ConvolutionalKinds {\n		if err := p.decideOne",
		"for kind := range genotype.Reduce {\n		if err := p.decideOne",
		inSearch("TestPerturbation|TestDecideOnce"),
	},
	{
		"perturbation: the cells of α are found", "nas/search/darts.go",
		"return d.selection.net.Genotype()",
		"return d.plain.Derive(d.net.Alphas(), d.skips)",
		inSearch("TestPerturbation"),
	},
	{
		"perturbation: a decided edge keeps its mixture", "darts/perturbation.go",
		"clear(mix.of[kind][e])",
		"",
		inDARTS("TestProjectedPasses"),
	},
	{
		"perturbation: measuring moves the statistics", "darts/perturbation.go",
		"Need{FreezeStatistics: true}).Output",
		"Need{}).Output",
		inDARTS("TestRemoval"),
	},
}
