package main

var ofRecording = []mutant{
	{
		"recording: the seconds of work begin anew in each process", "nas/metrics.go",
		"r.worked + now.Sub(c.began).Seconds()",
		"now.Sub(c.began).Seconds()",
		inNAS("TestTimings"),
	},
	{
		"recording: a resumed epoch forgets the norms of its first steps", "nas/run.go",
		"`json:\"grad_w,omitzero\"`",
		"`json:\"-\"`",
		inSearch("TestStrategies/darts,_first_order"),
	},
	{
		"recording: no norm of the gradient of α", "nas/search/gdas.go",
		"s.NormAlpha = optim.Norm(valid.Alphas...)",
		"s.NormAlpha = optim.Norm()",
		inSearch("TestObservedAlpha/gdas"),
	},
	{
		"recording: the softmax of α in float32", "nas/search/observe.go",
		"x.Softmax(-1).Float64s()",
		"x.ToDtype(torch.Float32).Softmax(-1).Float64s()",
		inSearch("TestObservedAlpha/first_order"),
	},
	{
		"recording: the softmax of β over all edges", "nas/search/observe.go",
		"x.Narrow(0, len(shares), inputs).Softmax(0)",
		"x.Softmax(0).Narrow(0, len(shares), inputs)",
		inSearch("TestObservedBeta"),
	},
	{
		"recording: a deleted edge keeps its operations", "nas/search/perturbation.go",
		"if row == darts.Undecided {",
		"if row == darts.Undecided || row == darts.Deleted {",
		inSearch("TestObservedPerturbation"),
	},
	{
		"recording: shares of all draws in place of those that use the edge", "darts/enas/shares.go",
		"s.Operations[e][k] /= max(used, 1)",
		"s.Operations[e][k] /= float64(m.n)",
		inSearch("TestObservedController"),
	},
	{
		"recording: the top-5 accuracy is the accuracy", "nas/images/feed.go",
		"new(m.InFive / float64(max(m.Count, 1)))",
		"new(m.Accuracy())",
		inNAS("TestTopFive"),
	},
	{
		"recording: an incomplete line stays in the log", "nas/log.go",
		"|| !torn(text) {",
		"|| len(text) > 0 {",
		inNAS("TestLog"),
	},
}
