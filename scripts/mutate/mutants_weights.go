package main

var ofSharedWeights = []mutant{
	{
		"rsps: the first finalist is found", "nas/sharedrandom.go",
		"return drawn[order[byAccuracy(finals)[0]]], run.Err()",
		"_ = finals\n	return drawn[order[0]], run.Err()",
		inNAS("TestFoundBySharedRandom"),
	},
	{
		"rsps: the last finalist is found", "nas/sharedrandom.go",
		"return drawn[order[byAccuracy(finals)[0]]], run.Err()",
		"return drawn[order[byAccuracy(finals)[len(finals)-1]]], run.Err()",
		inNAS("TestFoundBySharedRandom"),
	},
	{
		"rsps: the least accurate are finalists", "nas/sharedrandom.go",
		"cmp.Compare(meters[b].Accuracy(), meters[a].Accuracy())",
		"cmp.Compare(meters[a].Accuracy(), meters[b].Accuracy())",
		inNAS("TestFoundBySharedRandom"),
	},
	{
		"rsps: one architecture for all steps", "nas/sharedrandom.go",
		`s.draw("rsps", epoch, step.Index)`,
		`s.draw("rsps", epoch, 0)`,
		inNAS("TestStepsOfSharedWeights/rsps"),
	},
	{
		"shared weights: w is not clipped", "nas/sharedweights.go",
		"optim.Clip(s.gradClip, d.W)",
		"",
		inNAS("TestStepsOfSharedWeights/rsps"),
	},
	{
		"enas: one architecture for all steps", "nas/enas.go",
		`rng.Stream(seed, "enas", epoch, s.Index)`,
		`rng.Stream(seed, "enas", epoch, 0)`,
		inNAS("TestStepsOfSharedWeights/enas"),
	},
	{
		"enas: the controller learns after the first epoch alone", "nas/enas.go",
		"for e.controller.Updates() < o.Updates*(epoch+1) && !run.stopped(ctx) {",
		"for e.controller.Updates() < o.Updates && !run.stopped(ctx) {",
		inNAS("TestControllerSteps"),
	},
	{
		"enas: rewards of training images", "nas/enas.go",
		"of := r.feed.(*imageFeed).validation",
		"of := r.feed.(*imageFeed).train",
		inNAS("TestRewards"),
	},
	{
		"enas: rewards of augmented images", "nas/enas.go",
		"Augment: of.Augment.Evaluation()",
		"Augment: of.Augment",
		inNAS("TestRewards"),
	},
	{"enas: the last candidate is found", "nas/enas.go", "accuracy > highest {", "accuracy > highest-2 {", inNAS("TestFoundByENAS")},
	{
		"enas: the worst candidate is found", "nas/enas.go",
		"accuracy > highest {",
		"highest < 0 || accuracy < highest {",
		inNAS("TestFoundByENAS"),
	},
	{
		"controller: the baseline is none", "darts/controller.go",
		"mean.AddScaled_(dW, -(R-b)/float64(len(streams)))",
		"mean.AddScaled_(dW, -R/float64(len(streams)))",
		inDARTS("TestControllerUpdate"),
	},
	{
		"controller: away from rewards", "darts/controller.go",
		"mean.AddScaled_(dW, -(R-b)/float64(len(streams)))",
		"mean.AddScaled_(dW, (R-b)/float64(len(streams)))",
		inDARTS("TestControllerUpdate"),
	},
	{
		"controller: the baseline moves the wrong way", "darts/controller.go",
		"b -= (1 - c.o.Baseline) * (b - R)",
		"b += (1 - c.o.Baseline) * (b - R)",
		inDARTS("TestControllerUpdate"),
	},
	{
		"controller: entropy is taken off the reward", "darts/controller.go",
		"R := accuracy + c.o.Entropy*entropy",
		"R := accuracy - c.o.Entropy*entropy",
		inDARTS("TestControllerUpdate"),
	},
	{"controller: Adam's usual betas", "darts/controller.go", "Betas: [2]float64{0, 0.999}, ", "", inDARTS("TestControllerMoments")},
	{
		"controller: the bias of normal cells is everywhere", "darts/controller.go",
		"	if normal {\n		logits = logits.Add(d.fixed)\n	}",
		"	_ = normal\n	logits = logits.Add(d.fixed)",
		inDARTS("TestControllerByHand"),
	},
	{
		"path: the other operations are computed, too", "darts/path.go",
		"return s.eval(b, func() mixtures { return s.path(g) })",
		"return s.eval(b, s.mixed)",
		inDARTS("TestPath"),
	},
}

var ofScores = []mutant{
	{"trials: the last is found", "nas/trials.go", "if score > best {", "if score > best-1e300 {", inNAS("TestFoundByTrials")},
	{
		"trials: the worst is found", "nas/trials.go",
		"score = measured.Accuracy()",
		"score = -measured.Accuracy()",
		inNAS("TestFoundByTrials"),
	},
	{
		"evolution: the best dies", "nas/blackbox/evolution.go",
		"s.alive = append(s.alive[:0], s.alive[1:]...)",
		"s.alive = s.alive[:len(s.alive)-1]",
		inBlackbox("TestEvolution"),
	},
	{
		"evolution: the worst of the tournament", "nas/blackbox/evolution.go",
		"rival.Score > parent.Score",
		"rival.Score < parent.Score",
		inBlackbox("TestEvolution"),
	},
	{
		"evolution: one member less in the tournament", "nas/blackbox/evolution.go",
		"for range s.sample - 1 {",
		"for range s.sample - 2 {",
		inBlackbox("TestTournament"),
	},
	{
		"evolution: random architectures for ever", "nas/blackbox/evolution.go",
		"return s.space.Mutate(parent.Architecture, r)",
		"_ = parent\n	return s.space.Sample(r)",
		inBlackbox("TestEvolution"),
	},
	{
		"reinforce: no baseline", "nas/blackbox/reinforce.go",
		"advantage := score - s.sum/s.weight",
		"advantage := score",
		inBlackbox("TestReinforceStep"),
	},
	{
		"reinforce: the baseline of the scores before", "nas/blackbox/reinforce.go",
		"	s.weight = s.momentum*s.weight + (1 - s.momentum)\n	advantage := score - s.sum/s.weight",
		"	s.weight = s.momentum*s.weight + (1 - s.momentum)\n	advantage := score - s.sum",
		inBlackbox("TestReinforceStep"),
	},
	{
		"reinforce: towards bad scores", "nas/blackbox/reinforce.go",
		"d.logits[i] -= lr * mean",
		"d.logits[i] += lr * mean",
		inBlackbox("TestReinforceStep"),
	},
	{
		"random: one architecture for ever", "nas/blackbox/random.go",
		"return s.space.Sample(r)",
		"return s.space.Sample(rand.New(rand.NewPCG(1, 1)))",
		inBlackbox("TestTrials"),
	},
}
