package config

import "fmt"

// rules says what is wrong between keys of c, whose values are each in range; nil if nothing is.
func (c *Config) rules() *Problem {
	switch {
	case c.Experiment == Repeat:
		return nil // its keys are independent
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
		c.strategyRules,
		c.spaceRules,
		c.evaluateRules,
	)
}

// first is the first problem that rules find.
func first(rules ...func() *Problem) *Problem {
	for _, rule := range rules {
		if p := rule(); p != nil {
			return p
		}
	}
	return nil
}

// strategyRules are those of the strategy of a search.
func (c *Config) strategyRules() *Problem {
	if rules := c.method().Rules; rules != nil {
		return rules(c)
	}
	return nil
}

// refuse is the error for a problem, which blames the key that was written last.
func (l *layers) refuse(p *Problem, file origin) error {
	return fmt.Errorf("config: %v: %s: %s", l.blame(file, append([]string{p.Key}, p.Others...)...), p.Key, p.Text)
}

// rules are those of a comparison.
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

// textRules are those of an experiment on a text.
func (c *Config) textRules() *Problem {
	d := c.Data
	switch {
	case d.Name == Text && d.Root == "":
		return Conflict("data.root", "data.name", "text needs one, want the folder that holds train.txt, valid.txt and test.txt")
	case d.Name == SyntheticText && d.Root != "":
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
		return Conflict("strategy.name", "data.name", "%s searches cells of images alone, want %s for texts", c.Strategy.Name, listed(want))
	}
	return c.strategyRules()
}

// evaluateRules are those of the section evaluate.
func (c *Config) evaluateRules() *Problem {
	e := c.Evaluate
	if e == nil {
		return nil
	}
	if p := e.W.rules("evaluate.w", trainDefaults().W, c.Network); p != nil {
		return p
	}
	return c.Data.sideRules("evaluate.cutout", e.Cutout, "evaluate.network.auxiliary", e.Network.Auxiliary)
}

// rules are those of the optimizer at path, of a network.
func (w W) rules(path string, standard W, n Network) *Problem {
	schedule := path + ".schedule"
	conflict := func(key, other, format string, args ...any) *Problem {
		return Conflict(path+"."+key, other, format, args...)
	}
	switch {
	case w.Precision == BF16 && n.Dtype != Float32:
		return conflict("precision", "network.dtype", "bf16 has no effect on network.dtype %s, want full, or float32 there", n.Dtype)
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

// stemRules refuse a multiplier of a stem that has none.
func (n Network) stemRules() *Problem {
	if n.Stem != ImageNet || n.StemMultiplier == trainDefaults().Network.StemMultiplier {
		return nil
	}
	const other = "network.stem"
	return Conflict("network.stem_multiplier", other, "%d has no effect with %s %s, want %s %s", n.StemMultiplier, other, ImageNet, other, SmallImages)
}
