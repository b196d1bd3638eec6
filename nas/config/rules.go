package config

import (
	"fmt"

	"godarts/cells/genotype"
	"godarts/nas/data/corpus"
	"godarts/nas/data/sets"
)

// rules returns what is wrong between keys of c, nil if nothing is. Each value is in range.
func (c *Config) rules() *Problem {
	switch {
	case c.Experiment == Repeat:
		return nil // its keys are independent
	case c.Experiment == Sweep:
		return nil // LoadSweep checks them with the base
	case c.Experiment == Comparison:
		return c.Compare.rules(c.Data)
	case c.Data.IsText():
		return c.textRules()
	}
	return first(
		c.Data.rules,
		c.subsetRules,
		func() *Problem { return c.W.rules("w", defaultsOf(c.Experiment, images, c.Strategy.Name).W, c.Network) },
		func() *Problem {
			return c.Data.sideRules("data.cutout", c.Data.Cutout, "network.auxiliary", c.Network.Auxiliary && c.Network.Stem != ImageNet)
		},
		c.Network.stemRules,
		c.Alpha.Cost.rules,
		c.Space.Latency.rules,
		c.strategyRules,
		c.spaceRules,
		c.evaluateRules,
		c.prunedRules,
		c.quantiseRules,
	)
}

// first returns the first problem that a rule finds.
func first(rules ...func() *Problem) *Problem {
	for _, rule := range rules {
		if p := rule(); p != nil {
			return p
		}
	}
	return nil
}

// strategyRules checks the rules of the strategy of a search.
func (c *Config) strategyRules() *Problem {
	if rules := c.method().Rules; rules != nil {
		return rules(c)
	}
	return nil
}

// refuse returns the error for a problem. It blames the key that was written last.
func (l *layers) refuse(p *Problem, file origin) error {
	return fmt.Errorf("config: %v: %s: %s", l.blame(file, append([]string{p.Key}, p.Others...)...), p.Key, p.Text)
}

// rules checks a comparison.
func (o Compare) rules(d Data) *Problem {
	if p := o.Evolution.Population; p > o.Queries {
		return Conflict("compare.evolution.population", "compare.queries",
			"%d is more than compare.queries %d, which would leave none to evolve, want at most that", p, o.Queries)
	}
	if o.Table != NASBench201 && d.Root != "" {
		return Conflict("data.root", "compare.table", "has no effect with compare.table %s, want \"\"", o.Table)
	}
	return nil
}

// textRules checks an experiment on a text.
func (c *Config) textRules() *Problem {
	d := c.Data
	text, _ := corpus.Find(d.Name)
	switch {
	case text.NeedsRoot() && d.Root == "":
		return Conflict("data.root", "data.name", "%s needs one, want the folder that holds %s, %s and %s", d.Name, text.Files[0], text.Files[1], text.Files[2])
	case text.Contents != nil && d.Root != "":
		return Conflict("data.root", "data.name", "has no effect on %s, which is built in, want \"\"", d.Name)
	case d.SmallBatch > 0 && d.Batch%d.SmallBatch != 0:
		return Conflict("data.small_batch", "data.batch", "%d does not divide data.batch %d", d.SmallBatch, d.Batch)
	case c.Experiment == Search && !c.method().Texts:
		var want []string
		for _, m := range current.Load().methods {
			if m.Texts {
				want = append(want, m.Name)
			}
		}
		return Conflict("strategy.name", "data.name", "%s searches only cells of images, want %s for texts", c.Strategy.Name, listed(want))
	}
	return c.strategyRules()
}

// evaluateRules checks the section evaluate.
func (c *Config) evaluateRules() *Problem {
	e := c.Evaluate
	if e == nil {
		return nil
	}
	if p := e.Train.W.rules("evaluate.train.w", trainDefaults().W, c.Network); p != nil {
		return p
	}
	return c.Data.sideRules("evaluate.train.data.cutout", e.Train.Data.Cutout, "evaluate.train.network.auxiliary", e.Train.Network.Auxiliary)
}

// rules checks the optimizer at path, of a network n, whose defaults are standard.
func (w W) rules(path string, standard W, n Network) *Problem {
	schedule := path + ".schedule"
	conflict := func(key, other, format string, args ...any) *Problem {
		return Conflict(path+"."+key, other, format, args...)
	}
	switch {
	case (w.Precision == BF16 || w.Precision == TF32) && n.Dtype != Float32:
		return conflict("precision", "network.dtype", "%s has no effect on network.dtype %s, want full, or float32 there", w.Precision, n.Dtype)
	case w.Nesterov && w.Momentum == 0:
		return conflict("nesterov", path+".momentum", "true has no effect with %s.momentum 0, want more there, or false", path)
	case w.Schedule == StepDecay && w.LRMin != standard.LRMin:
		return conflict("lr_min", schedule, "%v has no effect with %s step, want %s %s", w.LRMin, schedule, schedule, Cosine)
	case w.Schedule != StepDecay && w.LRDecay != standard.LRDecay:
		return conflict("lr_decay", schedule, "%v has no effect with %s %s, want %s %s", w.LRDecay, schedule, w.Schedule, schedule, StepDecay)
	case w.Schedule != Restarts && w.Restart != standard.Restart:
		return conflict("restart", schedule, "%v has no effect with %s %s, want %s %s", w.Restart, schedule, w.Schedule, schedule, Restarts)
	case w.Schedule != Restarts && w.RestartFactor != standard.RestartFactor:
		return conflict("restart_factor", schedule, "%v has no effect with %s %s, want %s %s", w.RestartFactor, schedule, w.Schedule, schedule, Restarts)
	case w.Schedule != StepDecay && w.LRMin > w.LR:
		return conflict("lr_min", path+".lr", "%v is above %s.lr %v, want at most that", w.LRMin, path, w.LR)
	}
	return nil
}

// stemRules refuses a multiplier for a stem that has none.
func (n Network) stemRules() *Problem {
	if n.Stem != ImageNet || n.StemMultiplier == trainDefaults().Network.StemMultiplier {
		return nil
	}
	const other = "network.stem"
	return Conflict("network.stem_multiplier", other, "%d has no effect with %s %s, want %s %s", n.StemMultiplier, other, ImageNet, other, SmallImages)
}

// rules refuses keys without effect on the data set, and a data set without a key that it needs.
func (d Data) rules() *Problem {
	refuse := func(key, format string, args ...any) *Problem { return Conflict(key, "data.name", format, args...) }
	f := d.facts()
	set, _ := sets.Find(d.Name)
	switch {
	case d.Name == ImageFolder && d.Root == "":
		return refuse("data.root", "imagefolder needs one, want the folder that holds train")
	case !set.Scaled && d.Size != 0:
		return refuse("data.size", "%d has no effect on %s, whose images are %dx%d, want 0", d.Size, d.Name, f.side, f.side)
	case !set.Scaled && d.Channels != 0:
		return refuse("data.channels", "%d has no effect on %s, whose images have %d, want 0", d.Channels, d.Name, f.channels)
	case set.Coarse == 0 && d.Labels != Fine:
		return refuse("data.labels", "%s has no effect on %s, only on %s", d.Labels, d.Name, CIFAR100)
	case d.Name != ImageFolder && d.SplitSeed != 0:
		return refuse("data.split_seed", "%d has no effect on %s, only on %s", d.SplitSeed, d.Name, ImageFolder)
	case d.Name != ImageFolder && d.OnBadFile != Fail:
		return refuse("data.on_bad_file", "%s has no effect on %s, only on %s", d.OnBadFile, d.Name, ImageFolder)
	case d.Name != ImageFolder && d.Check != Decode:
		return refuse("data.check", "%s has no effect on %s, only on %s", d.Check, d.Name, ImageFolder)
	case d.Name != ImageFolder && d.MaxPixels != trainDefaults().Data.MaxPixels:
		return refuse("data.max_pixels", "%d has no effect on %s, only on %s", d.MaxPixels, d.Name, ImageFolder)
	}
	zero := [3]float64{}
	same := func(v [3]float64) bool { return v[0] == v[1] && v[0] == v[2] }
	switch {
	case d.Std == zero && d.Mean == zero:
		return nil
	case d.Std == zero:
		return refuse("data.mean", "has no effect without data.std, want both or neither")
	case d.Std[0] == 0 || d.Std[1] == 0 || d.Std[2] == 0:
		return refuse("data.std", "a deviation of 0, want more than 0 for each channel, or 0 for all")
	case f.channels == 1 && !same(d.Mean):
		return refuse("data.mean", "three numbers for images of 1 channel, want one number")
	case f.channels == 1 && !same(d.Std):
		return refuse("data.std", "three numbers for images of 1 channel, want one number")
	}
	return nil
}

// subsetRules refuses a split that leaves no image for a part, where the size of the data set is known.
func (c *Config) subsetRules() *Problem {
	images := c.Data.facts().train
	if images == 0 {
		return nil // is known when the folder has been read
	}
	key, problem := c.CheckTrainImages(images)
	if key == "" {
		return nil
	}
	return &Problem{key, []string{"data.subset", "data.name"}, problem}
}

// CheckTrainImages returns the key that does not fit the number of training images, and why; an empty key if all
// fit.
func (c *Config) CheckTrainImages(images int) (key, problem string) {
	if c.Data.Subset > images {
		return "data.subset", fmt.Sprintf("%d is more than the %d training images of %s, want at most that, or 0 for all", c.Data.Subset, images, c.Data.Name)
	}
	rest := "alpha"
	if c.Experiment == Train {
		if c.Data.TrainPortion == 1 {
			return "", "" // the test images validate
		}
		rest = "validation"
	}
	if c.Data.Subset > 0 {
		images = c.Data.Subset
	}
	// The first floor(portion·images) train the weights, as the authors' code splits.
	if weights := int(c.Data.TrainPortion * float64(images)); weights == 0 || weights == images {
		return "data.train_portion", fmt.Sprintf("%v of %d images leaves %d for the weights and %d for %s, want at least 1 for each",
			c.Data.TrainPortion, images, weights, images-weights, rest)
	}
	return "", ""
}

// sideRules checks what depends on the side of the images.
func (d Data) sideRules(cutoutKey string, cutout int, auxiliaryKey string, auxiliary bool) *Problem {
	side, others := d.facts().side, []string{"data.name", "data.size"}
	if cutout > side {
		return &Problem{cutoutKey, others, fmt.Sprintf("%d is wider than the %dx%d images of %s, want at most %d", cutout, side, side, d.Name, side)}
	}
	// The head pools 5x5 and then convolves 2x2 what two reductions leave: 8x8 of 32x32.
	if auxiliary && side != 32 {
		return &Problem{auxiliaryKey, others, fmt.Sprintf("the auxiliary head needs 32x32 images, those of %s are %dx%d, want false", d.Name, side, side)}
	}
	return nil
}

// spaceRules refuses keys that give no space.
func (c *Config) spaceRules() *Problem {
	if c.Experiment != Search {
		return nil
	}
	s, nodes := c.Space, c.Network.Nodes
	if s.Name != AllOperations && nodes != 4 {
		return Conflict("space.name", "network.nodes", "%s is a space of cells of 4 nodes, want network.nodes 4 instead of %d, or %s", s.Name, nodes, AllOperations)
	}
	if s.Name != AllOperations && len(s.Operations) > 0 {
		return Conflict("space.operations", "space.name", "takes the place of %s on every edge, want space.name %s", s.Name, AllOperations)
	}
	edges := nodes * (nodes + 3) / 2
	lists := []struct {
		key string
		ops [][]string
	}{{"space.operations", [][]string{s.Operations}}, {"space.normal", s.Normal}, {"space.reduce", s.Reduce}}
	for i, list := range lists {
		if i > 0 && len(list.ops) != 0 && len(list.ops) != edges {
			return Conflict(list.key, "network.nodes", "%d lists for the %d edges of cells with %d nodes", len(list.ops), edges, nodes)
		}
		for e, ops := range list.ops {
			if what := wrongOperations(ops); what != "" && (i > 0 || len(ops) > 0) {
				where := ""
				if i > 0 {
					where = fmt.Sprintf("edge %d: ", e)
				}
				return Conflict(list.key, list.key, "%s%s", where, what)
			}
		}
	}
	return nil
}

// wrongOperations returns why an edge cannot have the operations ops, nothing if it can.
func wrongOperations(ops []string) string {
	seen := map[string]bool{}
	for _, op := range ops {
		if seen[op] {
			return op + " is there twice"
		}
		seen[op] = true
	}
	if len(ops) == 0 || len(ops) == 1 && seen["none"] {
		return "no operation besides none"
	}
	return ""
}

// prunedRules checks the section pruned.
func (c *Config) prunedRules() *Problem {
	p := c.Pruned
	if p == nil {
		return nil
	}
	if p.Widths != "" {
		if _, err := genotype.ParseWidths(p.Widths); err != nil {
			return Conflict("pruned.widths", "pruned.widths", "%v, want what `darts prune` writes", err)
		}
	}
	switch {
	case p.Epoch > c.Epochs:
		return Conflict("pruned.epoch", "epochs", "%d is more than epochs %d, want at most that", p.Epoch, c.Epochs)
	case p.Mask && p.Weights == "":
		return Conflict("pruned.mask", "pruned.weights", "true has no effect without pruned.weights, want a file there")
	}
	return nil
}

// quantiseRules checks the section quantise, and refuses keys without effect on a network in integers.
func (c *Config) quantiseRules() *Problem {
	if c.Quantise == nil {
		return nil
	}
	const from = "quantise.from"
	refuse := func(key, format string, args ...any) *Problem { return Conflict(key, from, format, args...) }
	const on = "has no effect on a network in integers"
	switch n := c.Network; {
	case c.Quantise.From == "":
		return &Problem{Key: from, Others: []string{"quantise.method", "quantise.images", "quantise.range"}, Text: "is missing, want a run or an export"}
	case c.Pruned != nil && c.Pruned.Weights != "":
		return refuse("pruned.weights", "%s, want none", on)
	case n.Auxiliary:
		return refuse("network.auxiliary", "true %s, want false", on)
	case n.DropPath != 0:
		return refuse("network.drop_path", "%v %s, want 0", n.DropPath, on)
	case n.Dtype != Float32:
		return refuse("network.dtype", "%s %s, want %s", n.Dtype, on, Float32)
	case c.W.Precision == BF16:
		return refuse("w.precision", "%s does not hold the integers of a sum, want %s", BF16, Full)
	}
	return nil
}
