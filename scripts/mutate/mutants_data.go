package main

var ofOptimizers = []mutant{
	{
		"sgd: decay is not part of the momentum", "torch/optim/sgd.go",
		"MulScalar_(s.o.Momentum).Add_(d)",
		"MulScalar_(s.o.Momentum).Add_(g)",
		inOptim("TestSGD"),
	},
	{"sgd: Nesterov is plain momentum", "torch/optim/sgd.go", "d = d.AddScaled(buf, s.o.Momentum)", "d = buf", inOptim("TestSGD")},
	{
		"adam: no correction of the bias", "torch/optim/adam.go",
		"stepSize = a.lr.Tensor().Div(oneMinus(pow(beta1, a.count)))",
		"stepSize = a.lr.Tensor()",
		inOptim("TestAdam"),
	},
	{
		"adam: the square has no decay", "torch/optim/adam.go",
		"Addcmul_(d, d, 1-beta2)",
		"Addcmul_(g, g, 1-beta2)",
		inOptim("TestAdam"),
	},
	{
		"replay: the first inputs for ever", "torch/replay/replay.go",
		"	overwrite(p.inputs, inputs)\n	p.graph.Replay()",
		"	p.graph.Replay()",
		inReplay("TestReplayEqualsRun"),
	},
	{"replay: a capture moves the state", "torch/replay/replay.go", "defer r.saved()()", "_ = r.saved", inReplay("TestReplayEqualsRun")},
	{
		"replay: one graph for all keys", "torch/replay/replay.go",
		"k := kind{key, shapes(inputs)}",
		"k := kind{nil, shapes(inputs)}",
		inReplay("TestReplayEqualsRun"),
	},
	{
		"steps: a checkpoint between has the state of the step after", "nas/steps.go",
		"s.read != nil && !now {",
		"s.read != nil {\n					_ = now",
		inNAS("TestRecordsLate"),
	},
	{"asgd: a new rate acts at once", "torch/optim/asgd.go", "a.count.LtScalar(1)", "a.count.GeScalar(0)", inOptim("TestASGD")},
	{"asgd: the average is the last", "torch/optim/asgd.go", "a.mu.GeScalar(1)", "a.mu.GeScalar(0)", inOptim("TestASGD")},
	{
		"clip: each gradient by its own norm", "torch/optim/clip.go",
		"sum = sum.Add(g.Norm().ToDtype(torch.Float64).Square())",
		"_ = g",
		inOptim("TestClipNorm"),
	},
	{
		"clip: small gradients grow", "torch/optim/clip.go",
		"Clamp(math.Inf(-1), 1)",
		"Clamp(math.Inf(-1), math.Inf(1))",
		inOptim("TestClipNorm"),
	},
	{
		"cosine: the last epoch has the least rate", "torch/optim/cosine.go",
		"float64(epoch) / float64(epochs)",
		"float64(epoch) / (float64(epochs) - 1)",
		inOptim("TestCosine"),
	},
	{
		"restarts: each as long as the first", "torch/optim/cosine.go",
		"length *= factor",
		"length *= 1 + 0*factor",
		inOptim("TestCosineRestarts"),
	},
}

var ofData = []mutant{
	{
		"data: the first channel's mean is used for all channels", "nas/data/augment.go",
		"float32(p)/float32(limit) - m.Mean[c]",
		"float32(p)/float32(limit) - m.Mean[0]",
		inData("TestAugmentEqualsDefinition"),
	},
	{
		"feed: the halves are swapped", "nas/images/feed.go",
		`Train:      source("train", images.Slice(0, split), data.Shuffled),`,
		`Train:      source("train", half, data.Shuffled),`,
		inImages("TestFeedOfSearch"),
	},
	{
		"feed: α learns from the half of w", "nas/images/feed.go",
		`f.Valid = source("valid", half, data.Resampled)`,
		`f.Valid = source("valid", images.Slice(0, split), data.Resampled)`,
		inImages("TestFeedOfSearch"),
	},
	{
		"feed: a search measures the test images", "nas/images/feed.go",
		`Validation: source("validation", half, data.Shuffled),`,
		`Validation: source("validation", set.Test, data.Shuffled),`,
		inImages("TestFeedOfSearch"),
	},
	{
		"feed: α learns from the test images", "nas/images/feed.go",
		`f.Valid = source("valid", half, data.Resampled)`,
		`f.Valid = source("valid", set.Test, data.Resampled)`,
		inImages("TestFeedOfSearch"),
	},
	{
		"feed: a training trains on the test images", "nas/images/feed.go",
		`Train: source("train", images.Slice(0, split), data.Shuffled), Validation`,
		`Train: source("train", set.Test, data.Shuffled), Validation`,
		inImages("TestFeedOfTraining"),
	},
	{
		"feed: a training measures augmented images", "nas/images/feed.go",
		"measured.Augment = augment.Evaluation()",
		"",
		inImages("TestFeedOfTraining"),
	},
	{
		"feed: a training trains on plain images", "nas/images/feed.go",
		"Images: images, Augment: augment, Seed: c.Seed",
		"Images: images, Augment: augment.Evaluation(), Seed: c.Seed",
		inImages("TestFeedOfTraining"),
	},
	{"feed: no cutout", "nas/images/feed.go", "augment.Cutout = c.Data.Cutout", "", inImages("TestFeedOfTraining")},
	{
		"feed: each epoch has the same order", "nas/data/source.go",
		`rng.Permutation(rng.Stream(s.Seed, s.Name+".order", epoch), of.n, of.n)`,
		`rng.Permutation(rng.Stream(s.Seed, s.Name+".order", 0), of.n, of.n)`,
		inData("TestShuffled$"),
	},
	{
		"augment: the image is always mirrored", "nas/data/augment.go",
		"flip: r.IntN(2) == 1 && a.Flip,",
		"flip: r.IntN(2) >= 0 && a.Flip,",
		inData("TestFlipIsFair"),
	},
	{
		"augment: no crop", "nas/data/augment.go",
		"left: r.IntN(2*a.Pad+1) - a.Pad,",
		"left: r.IntN(2*a.Pad+1) * 0,",
		inData("TestCropIsUniform"),
	},
	{
		"augment: nothing is cut out", "nas/data/augment.go",
		"clear(out[(y*m.Width+x0)*m.Channels : (y*m.Width+x1)*m.Channels])",
		"clear(out[(y*m.Width+x0)*m.Channels : (y*m.Width+x0)*m.Channels+0*x1])",
		inData("TestCutoutIsUniform"),
	},
	{
		"feed: chunks of a text have one length", "nas/texts/feed.go",
		"if r.Float64() < half {",
		"if r.Float64() < 0*half {",
		inTexts("TestChunks"),
	},
	{
		"feed: α reads the training text", "nas/texts/feed.go",
		"step.Valid = f.Batch(f.valid, s.chunk.from%(f.valid.Rows-1), d.BPTT)",
		"step.Valid = f.Batch(f.train, s.chunk.from%(f.valid.Rows-1), d.BPTT)",
		inTexts("TestChunks"),
	},
	{
		"feed: a text search measures the test text", "nas/texts/feed.go",
		`{&f.Validation, "validation", text.Valid, "data.eval_batch"`,
		`{&f.Validation, "Validation", text.Test, "data.eval_batch"`,
		inTexts("TestChunks"),
	},
	{
		"data: pixels are not normalised", "nas/data/augment.go",
		"(float32(p)/float32(limit) - m.Mean[c]) / m.Std[c]",
		"float32(p) / float32(limit)",
		inData("TestAugmentValues"),
	},
	{
		"feed: the config's augmentation is not used", "nas/images/feed.go",
		"set.Augment = data.Augment{}",
		"_ = set.Augment",
		inNAS("TestImageKeys/darts$"),
	},
}

var ofResuming = []mutant{
	{
		"resume: the generator is not put back", "nas/checkpoint.go",
		"	torch.SetRNGState(torch.CPU, cpu)\n",
		"",
		inTrain("TestTrainingResumes"),
	},
	{
		"resume: α's Adam starts over", "nas/search/darts.go",
		"return nas.Load(nas.Part{State: d.net, Entries: net}, nas.Part{State: d.w, Entries: w}, nas.Part{State: d.alpha, Entries: alpha})",
		"_ = alpha\n\treturn nas.Load(nas.Part{d.net, net}, nas.Part{d.w, w})",
		inSearch("TestStrategies/^darts,_first_order$/interrupted"),
	},
	{
		"resume: w's momentum starts over", "nas/search/darts.go",
		"return nas.Load(nas.Part{State: d.net, Entries: net}, nas.Part{State: d.w, Entries: w}, nas.Part{State: d.alpha, Entries: alpha})",
		"_ = w\n\treturn nas.Load(nas.Part{d.net, net}, nas.Part{d.alpha, alpha})",
		inSearch("TestStrategies/^darts,_first_order$/interrupted"),
	},
	{
		"resume: the steps of Adam start over", "torch/optim/adam.go",
		"a.count.Fill_(float64(step))",
		"_ = step",
		inOptim("TestResume"),
	},
	{"resume: a step is taken again", "nas/steps.go", "r.At.Step = s.Index + 1", "r.At.Step = s.Index", inTrain("TestTrainingResumes")},
	{
		"resume: training's momentum starts over", "nas/train/train.go",
		"return nas.Load(nas.Part{State: t.Net.Weights(), Entries: net}, nas.Part{State: t.W, Entries: w})",
		"_ = w\n\treturn nas.Load(nas.Part{State: t.Net.Weights(), Entries: net})",
		inTrain("TestTrainingResumes"),
	},
	{
		"resume: gdas forgets α's gradient", "nas/search/gdas.go",
		"g.dAlpha[i].Copy_(d)",
		"g.dAlpha[i].Copy_(d.MulScalar(0))",
		inSearch("TestClippedWithAlpha"),
	},
	{
		"resume: the baseline of enas starts over", "darts/enas/state.go",
		"torch.NoGrad(func() { c.baseline.Copy_(baseline) })",
		"_ = baseline",
		inENAS("TestControllerState"),
	},
	{
		"resume: the mean over an epoch starts over", "nas/checkpoint.go",
		"	r.At = at\n",
		"	at.Meter = Meter{}\n	r.At = at\n",
		inTrain("TestTrainingResumes"),
	},
	{
		"resume: decisions of the perturbation are lost", "nas/search/perturbation.go",
		"return p.net.SetRows(rows)",
		"_ = rows\n	return nil",
		inSearch("TestStrategies/darts,_selection_by_perturbation"),
	},
	{
		"resume: the state of the second text is lost", "nas/search/recurrent.go",
		"texts.NameHidden: d.hidden, texts.NameHiddenValid: d.hiddenValid}",
		"texts.NameHidden: d.hidden, texts.NameHiddenValid: torch.ZerosLike(d.hiddenValid)}",
		inSearch("TestStrategies/^recurrent_darts,_first_order$"),
	},
}
