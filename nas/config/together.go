package config

import "fmt"

// checkTogether checks what must hold between keys, blaming the one written last.
func (l *layers) checkTogether(c *Config, file origin) error {
	switch c.Experiment {
	case Repeat:
		return nil // its keys are independent
	case Comparison:
		return l.checkCompare(c, file)
	}
	const population, trials = "strategy.evolution.population", "strategy.trials"
	if s := c.Strategy; s.Evolution.Population > s.Trials {
		return fmt.Errorf("config: %v: %s: %d is more than strategy.trials %d, which would leave none to evolve, want at most that",
			l.blame(file, population, trials), population, s.Evolution.Population, s.Trials)
	}
	const finalists, candidates = "strategy.finalists", "strategy.candidates"
	if s := c.Strategy; s.Finalists > s.Candidates {
		return fmt.Errorf("config: %v: %s: %d is more than strategy.candidates %d, of which they are the best, want at most that",
			l.blame(file, finalists, candidates), finalists, s.Finalists, s.Candidates)
	}
	if c.Data.IsText() {
		return l.checkText(c, file)
	}
	if err := l.checkData(c.Data, file); err != nil {
		return err
	}
	if err := l.checkSubset(c, file); err != nil {
		return err
	}
	if err := l.checkW("w", c.W, c, file); err != nil {
		return err
	}
	if err := l.checkImages(c.Data, "data.cutout", c.Data.Cutout, "network.auxiliary", c.Network.Auxiliary && c.Network.Stem != ImageNet, file); err != nil {
		return err
	}
	if err := l.checkStem(c, file); err != nil {
		return err
	}
	if c.Experiment == Search {
		if err := l.checkPartial(c, file); err != nil {
			return err
		}
		if c.Strategy.Name == PDARTS && c.Epochs%Stages != 0 {
			return fmt.Errorf("config: %v: epochs: %d are not shared evenly by the %d stages of %s, want a multiple of %d",
				l.blame(file, "epochs", "strategy.name"), c.Epochs, Stages, PDARTS, Stages)
		}
		if err := l.checkHVP(c, file); err != nil {
			return err
		}
		if err := l.checkSpace(c, file); err != nil {
			return err
		}
		if err := l.checkRobust(c, file); err != nil {
			return err
		}
	}
	if e := c.Evaluate; e != nil {
		if err := l.checkW("evaluate.w", e.W, c, file); err != nil {
			return err
		}
		return l.checkImages(c.Data, "evaluate.cutout", e.Cutout, "evaluate.network.auxiliary", e.Network.Auxiliary, file)
	}
	return nil
}

// checkData refuses keys that have no effect on the data set, and those it needs.
func (l *layers) checkData(d Data, file origin) error {
	refuse := func(key, format string, args ...any) error {
		return fmt.Errorf("config: %v: %s: %s", l.blame(file, key, "data.name"), key, fmt.Sprintf(format, args...))
	}
	f := d.facts()
	switch {
	case d.Name == ImageFolder && d.Root == "":
		return refuse("data.root", "imagefolder needs one, want the folder that holds train")
	case !d.scaled() && d.Size != 0:
		return refuse("data.size", "%d has no effect on %s, whose images are %dx%d, want 0", d.Size, d.Name, f.side, f.side)
	case !d.scaled() && d.Channels != 0:
		return refuse("data.channels", "%d has no effect on %s, whose images have %d, want 0", d.Channels, d.Name, f.channels)
	case d.Name != CIFAR100 && d.Labels != Fine:
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
	if d.Std == zero && d.Mean == zero {
		return nil
	}
	switch {
	case d.Std == zero:
		return refuse("data.mean", "has no effect without data.std, want both or neither")
	case d.Std[0] == 0 || d.Std[1] == 0 || d.Std[2] == 0:
		return refuse("data.std", "a deviation of 0, want more than 0 for each channel, or 0 for all")
	}
	same := func(v [3]float64) bool { return v[0] == v[1] && v[0] == v[2] }
	switch {
	case f.channels == 1 && !same(d.Mean):
		return refuse("data.mean", "three numbers for images of 1 channel, want one number")
	case f.channels == 1 && !same(d.Std):
		return refuse("data.std", "three numbers for images of 1 channel, want one number")
	}
	return nil
}

func (l *layers) checkSubset(c *Config, file origin) error {
	images := c.Data.facts().train
	if images == 0 {
		return nil // is known when the folder has been read
	}
	key, problem := c.CheckTrainImages(images)
	if key == "" {
		return nil
	}
	return fmt.Errorf("config: %v: %s: %s", l.blame(file, key, "data.subset", "data.name"), key, problem)
}

// CheckTrainImages tells which key does not fit so many training images, and why; key is
// empty if all do.
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

func (l *layers) checkW(path string, w W, c *Config, file origin) error {
	refuse := func(key, other, format string, args ...any) error {
		return fmt.Errorf("config: %v: %s: %s", l.blame(file, path+"."+key, other), path+"."+key, fmt.Sprintf(format, args...))
	}
	standard := defaultsOf(c.Experiment, images, c.Strategy.Name).W
	if path == "evaluate.w" {
		standard = trainDefaults().W
	}
	switch schedule := path + ".schedule"; {
	case w.Precision == BF16 && c.Network.Dtype != Float32:
		return refuse("precision", "network.dtype", "bf16 has no effect on network.dtype %s, want full, or float32 there", c.Network.Dtype)
	case w.Nesterov && w.Momentum == 0:
		return refuse("nesterov", path+".momentum", "true has no effect with %s.momentum 0, want more there, or false", path)
	case w.Nesterov && path == "w" && c.Strategy.Order == 2:
		return refuse("nesterov", "strategy.order", "the virtual step of strategy.order 2 has plain momentum, want false, or strategy.order 1")
	case w.Schedule == StepDecay && w.LRMin != standard.LRMin:
		return refuse("lr_min", schedule, "%v has no effect with %s step, want %s %s", w.LRMin, schedule, schedule, Cosine)
	case w.Schedule != StepDecay && w.LRDecay != standard.LRDecay:
		return refuse("lr_decay", schedule, "%v has no effect with %s %s, want %s %s", w.LRDecay, schedule, w.Schedule, schedule, StepDecay)
	case w.Schedule != Restarts && w.Restart != standard.Restart:
		return refuse("restart", schedule, "%v has no effect with %s %s, want %s %s", w.Restart, schedule, w.Schedule, schedule, Restarts)
	case w.Schedule != Restarts && w.RestartFactor != standard.RestartFactor:
		return refuse("restart_factor", schedule, "%v has no effect with %s %s, want %s %s", w.RestartFactor, schedule, w.Schedule, schedule, Restarts)
	case w.Schedule != StepDecay && w.LRMin > w.LR:
		return refuse("lr_min", path+".lr", "%v is above %s.lr %v, want at most that", w.LRMin, path, w.LR)
	}
	return nil
}

// checkStem refuses a multiplier of a stem that has none.
func (l *layers) checkStem(c *Config, file origin) error {
	const key, other = "network.stem_multiplier", "network.stem"
	if c.Network.Stem != ImageNet || c.Network.StemMultiplier == trainDefaults().Network.StemMultiplier {
		return nil
	}
	return fmt.Errorf("config: %v: %s: %d has no effect with %s %s, want %s %s",
		l.blame(file, key, other), key, c.Network.StemMultiplier, other, ImageNet, other, SmallImages)
}

// checkPartial refuses channels that can not be parted.
func (l *layers) checkPartial(c *Config, file origin) error {
	const key, other = "network.channels", "strategy.partial"
	k := c.Strategy.Partial
	if k == 0 || c.Network.Channels%(2*k) == 0 {
		return nil
	}
	return fmt.Errorf("config: %v: %s: operations have one in %d (%s) of %d, which a reduction halves, want a multiple of %d",
		l.blame(file, key, other), key, k, other, c.Network.Channels, 2*k)
}

// checkHVP refuses settings of the Hessian-vector product that cannot be met or have no effect.
func (l *layers) checkHVP(c *Config, file origin) error {
	h, standard := c.Alpha.HVP, searchDefaults().Alpha.HVP
	refuse := func(key, other, what string) error {
		return fmt.Errorf("config: %v: %s: %s", l.blame(file, key, other), key, what)
	}
	const method, radius, order = "alpha.hvp.method", "alpha.hvp.radius", "strategy.order"
	switch {
	case c.Strategy.Name != DARTS:
		return nil // has no second order
	case c.Strategy.Order == 1 && h.Method != standard.Method:
		return refuse(method, order, h.Method+" has no effect with strategy.order 1, want strategy.order 2")
	case c.Strategy.Order == 1 && h.Radius != standard.Radius:
		return refuse(radius, order, fmt.Sprintf("%v has no effect with strategy.order 1, want strategy.order 2", h.Radius))
	case h.Method != Exact:
		return nil
	case h.Radius != standard.Radius:
		return refuse(radius, method, fmt.Sprintf("%v has no effect with alpha.hvp.method exact, want alpha.hvp.method %s", h.Radius, FiniteDifference))
	}
	return nil
}

// checkImages checks what depends on the size of the data set's images.
func (l *layers) checkImages(d Data, cutoutKey string, cutout int, auxiliaryKey string, auxiliary bool, file origin) error {
	side, data := d.facts().side, d.Name
	if cutout > side {
		return fmt.Errorf("config: %v: %s: %d is wider than the %dx%d images of %s, want at most %d",
			l.blame(file, cutoutKey, "data.name", "data.size"), cutoutKey, cutout, side, side, data, side)
	}
	// The head pools 5x5 and then convolves 2x2 what two reductions leave: 8x8 of 32x32.
	if auxiliary && side != 32 {
		return fmt.Errorf("config: %v: %s: the auxiliary head needs 32x32 images, those of %s are %dx%d, want false",
			l.blame(file, auxiliaryKey, "data.name", "data.size"), auxiliaryKey, data, side, side)
	}
	return nil
}
