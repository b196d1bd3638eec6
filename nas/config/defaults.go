package config

import "godarts/nas/config/axes"

// Defaults returns the values of absent keys in an experiment, on images if the experiment has data. For Search
// and Train they are the option defaults of the authors' cnn/train_search.py and cnn/train.py, for Repeat the
// numbers of the paper, for Comparison those of NAS-Bench-201's paper and code. Evaluate and Expect are nil. For
// another experiment it returns nil.
//
// The auxiliary head and cutout are off, as in the authors' code. The published training command turns both on,
// and so does configs/cifar10-train.yaml.
func Defaults(experiment string) *Config {
	switch experiment {
	case Search:
		return defaultsOf(Search, images, DefaultStrategy)
	case Train:
		return trainDefaults()
	case Repeat:
		return &Config{Experiment: Repeat, Repeat: Protocol{Searches: 4, Brief: Brief{Epochs: 100, TrainPortion: 0.5}, Trains: 10}}
	case Comparison:
		return compareDefaults()
	case Sweep:
		return &Config{Experiment: Sweep, SweepKeys: SweepKeys{Seeds: axes.Seeds{Count: 1}, Halving: Halving{Keep: 0.33}}}
	}
	return nil
}

// defaultsOf returns the defaults of an experiment on images or on texts, for a search those of a strategy; nil if
// the experiment has no texts. Defaults on texts are the options of the authors' rnn/train_search.py and
// rnn/train.py, on Penn Treebank.
func defaultsOf(experiment, kind, strategy string) *Config {
	if experiment == Search {
		c := searchDefaults()
		if kind == texts {
			c = textSearchDefaults()
		}
		c.setStrategy(strategy, kind)
		return c
	}
	switch {
	case kind == images:
		return Defaults(experiment)
	case experiment == Train:
		return textTrainDefaults()
	}
	return nil
}

// setStrategy gives the search c a strategy with the defaults of its keys, on images or texts, and the numbers of
// the strategy's authors.
func (c *Config) setStrategy(name, kind string) {
	m := current.Load().method(name)
	if m == nil {
		c.Strategy.Name = name
		return
	}
	if m.Trials != nil {
		*c = *c.fromScratch()
	}
	c.Strategy = Strategy{Name: name, Keys: m.Keys}
	if kind == texts && m.TextKeys != nil {
		c.Strategy.Keys = m.TextKeys
	}
	if m.Defaults != nil {
		m.Defaults(c)
	}
}

// fromScratch returns the defaults of a search that trains every cell it tries, made of those of a search by
// shared weights. Cells train as the authors train one, but on the search's part of the images and for the 100
// epochs, or 300 on a text, of the paper's random search (arXiv 1806.09055, sec. 3.3).
func (c *Config) fromScratch() *Config {
	t := trainDefaults()
	t.Epochs = 100
	if c.Data.IsText() {
		t = textTrainDefaults()
		t.Epochs = 300
	}
	t.Experiment, t.Genotype = Search, ""
	t.Network.Nodes = c.Network.Nodes
	t.Data.TrainPortion = c.Data.TrainPortion
	t.Space, t.Seed = c.Space, c.Seed
	return t
}

func textSearchDefaults() *Config {
	return &Config{
		Experiment: Search,
		Data:       Data{Name: PTB, Batch: 256, EvalBatch: 10, BPTT: 35},
		Network: Network{
			Nodes:    8,
			Dtype:    Float32,
			Form:     Fast,
			Hidden:   300,
			Dropout:  Dropout{Output: 0.75, State: 0.25, Input: 0.75, Embedding: 0.2},
			Slowness: 1e-3,
		},
		W:      W{LR: 20, WeightDecay: 5e-7, GradClip: 0.25},
		Alpha:  Alpha{LR: 3e-3, Betas: [2]float64{0.9, 0.999}, WeightDecay: 1e-3, HVP: HVP{Method: FiniteDifference, Radius: 0.01}},
		Epochs: 50,
		Seed:   3,
	}
}

// DefaultUnits are the units of a language model that is trained from scratch.
const DefaultUnits = 850

func textTrainDefaults() *Config {
	return &Config{
		Experiment: Train,
		Data:       Data{Name: PTB, Batch: 64, EvalBatch: 10, TestBatch: 1, BPTT: 35, BPTTDelta: 20},
		Network: Network{
			Dtype:    Float32,
			Hidden:   DefaultUnits,
			Dropout:  Dropout{Output: 0.75, State: 0.25, Input: 0.75, Embedding: 0.2, Word: 0.1},
			Slowness: 1e-3,
		},
		W:        W{LR: 20, WeightDecay: 8e-7, GradClip: 0.25},
		Epochs:   8000,
		Nonmono:  5,
		Seed:     1267,
		Genotype: "DARTS_V2",
	}
}

func searchDefaults() *Config {
	return &Config{
		Experiment: Search,
		Data:       Data{Name: CIFAR10, TrainPortion: 0.5, Batch: 64, Augment: Crop, Labels: Fine, OnBadFile: Fail, Check: Decode, MaxPixels: 100_000_000},
		Network:    Network{Channels: 16, Layers: 8, Nodes: 4, StemMultiplier: 3, Dtype: Float32, Form: Fast},
		Space:      Space{Name: AllOperations},
		W:          W{LR: 0.025, LRMin: 0.001, Schedule: Cosine, LRDecay: 0.97, Restart: 10, RestartFactor: 2, Momentum: 0.9, WeightDecay: 3e-4, GradClip: 5, Precision: Full},
		Alpha:      Alpha{LR: 3e-4, Betas: [2]float64{0.5, 0.999}, WeightDecay: 1e-3, Cost: Cost{Of: MultiplyAdds}, HVP: HVP{Method: FiniteDifference, Radius: 0.01}},
		Epochs:     50,
		Seed:       2,
	}
}

func trainDefaults() *Config {
	return &Config{
		Experiment: Train,
		Data:       Data{Name: CIFAR10, TrainPortion: 1, Batch: 96, Augment: Crop, Labels: Fine, OnBadFile: Fail, Check: Decode, MaxPixels: 100_000_000},
		Network: Network{
			Channels:        36,
			Layers:          20,
			StemMultiplier:  3,
			Dtype:           Float32,
			Stem:            SmallImages,
			AuxiliaryWeight: 0.4,
			DropPath:        0.2,
		},
		W:        W{LR: 0.025, LRMin: 0, Schedule: Cosine, LRDecay: 0.97, Restart: 10, RestartFactor: 2, Momentum: 0.9, WeightDecay: 3e-4, GradClip: 5, Precision: Full},
		Epochs:   600,
		Seed:     0,
		Genotype: "DARTS_V2", // their --arch DARTS is an alias of it
	}
}

// evaluateDefaults returns the section evaluate whose Training has the defaults of a train experiment.
func evaluateDefaults() *Evaluate {
	t := trainDefaults()
	return &Evaluate{Train: EvaluationTraining{
		Data: EvaluationData{Batch: t.Data.Batch, Cutout: t.Data.Cutout},
		Network: EvaluationNetwork{
			Channels:        t.Network.Channels,
			Layers:          t.Network.Layers,
			StemMultiplier:  t.Network.StemMultiplier,
			Auxiliary:       t.Network.Auxiliary,
			AuxiliaryWeight: t.Network.AuxiliaryWeight,
			DropPath:        t.Network.DropPath,
			LabelSmoothing:  t.Network.LabelSmoothing,
		},
		W:      t.W,
		Epochs: t.Epochs,
	}}
}

// compareDefaults returns the settings of arXiv 2001.00326 and of its authors' scripts.
func compareDefaults() *Config {
	return &Config{
		Experiment: Comparison,
		Compare: Compare{
			Table:     NASBench201,
			Dataset:   CIFAR10,
			Queries:   100,
			Seeds:     500,
			Evolution: Evolution{Population: 10, Sample: 3},
			Reinforce: Reinforce{LR: 0.5, Momentum: 0.9},
		},
	}
}
