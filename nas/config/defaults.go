package config

import (
	"slices"
	"strings"
)

// Defaults returns the values that absent keys take in the given experiment, on images if it has
// data: in Search and Train the option defaults of the authors' cnn/train_search.py and cnn/train.py, in Repeat
// the numbers of the paper, in Comparison those of NAS-Bench-201's paper and code. Evaluate
// and Expect are nil. It returns nil for another experiment.
//
// The auxiliary head and cutout are off, as in the authors' code; the published training
// command turns both on, and so does configs/cifar10-train.yaml.
func Defaults(experiment string) *Config {
	switch experiment {
	case Search:
		return searchDefaults()
	case Train:
		return trainDefaults()
	case Repeat:
		return &Config{Experiment: Repeat, Repeat: Protocol{Searches: 4, Brief: Brief{Epochs: 100, TrainPortion: 0.5}, Trains: 10}}
	case Comparison:
		return compareDefaults()
	}
	return nil
}

// defaultsOf is Defaults of an experiment on images or texts, nil if it has none of texts, a
// search's by a strategy. Those of texts are the options of the authors' rnn/train_search.py
// and rnn/train.py, on Penn Treebank.
func defaultsOf(experiment, kind, strategy string) *Config {
	if experiment == Search {
		c := searchDefaults()
		if kind == texts {
			c = textSearchDefaults()
		}
		if slices.Contains(strings.Fields(fromScratch), strategy) {
			c = c.fromScratch()
		}
		c.Strategy.setDefaults(strategy, kind)
		c.setDefaultsOf(strategy)
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

// fromScratch turns the defaults of a search into those of one that trains every cell it
// tries: as the authors train a cell, but on the search's part of the images and for the 100
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

// setDefaults fills in what the strategy of that name has of its own, on images or texts.
func (s *Strategy) setDefaults(name, kind string) {
	*s = Strategy{Name: name}
	switch name {
	case DARTS:
		*s = dartsDefaults(kind)
	case PDARTS:
		s.Layers, s.Drop, s.SkipDropout, s.Skips, s.Warmup = [3]int{5, 11, 17}, [2]int{3, 2}, [3]float64{0.1, 0.4, 0.7}, 2, 10
	case PCDARTS:
		s.Partial, s.Warmup = 4, 15
	case ENAS:
		s.Controller, s.Candidates = Controller{Updates: 30, Aggregate: 10, LR: 0.0035, Entropy: 1e-4, Squash: 0.44}, 10
	case SharedRandom:
		s.Candidates, s.ScoreBatches, s.Finalists = 1000, 10, 10
	case GDAS:
		s.Tau = [2]float64{10, 0.1}
	case Random:
		s.Trials = 24
	case Evolve:
		s.Trials, s.Evolution = 100, Evolution{Population: 10, Sample: 10}
	case Reinforced:
		s.Trials, s.Reinforce = 100, Reinforce{LR: 0.1, Momentum: 0.9}
	}
}

// setDefaultsOf puts the numbers of another method's authors in the place of those of DARTS.
func (c *Config) setDefaultsOf(strategy string) {
	switch strategy {
	case PDARTS:
		c.Data.Batch, c.Epochs, c.W.LRMin, c.Alpha.LR = 96, 75, 0, 6e-4
	case PCDARTS:
		c.Network.Form = Plain
		c.Data.Batch, c.W.LR, c.W.LRMin, c.Alpha.LR = 256, 0.1, 0, 6e-4
	case GDAS:
		c.Network.Form, c.Network.Layers = Plain, 6
		c.Data.Batch, c.Epochs, c.W.Nesterov, c.W.WeightDecay = 256, 250, true, 5e-4
	case ENAS:
		c.Data.TrainPortion, c.Data.Batch, c.Network.Channels, c.Epochs = 0.9, 160, 20, 150
		c.W.LR, c.W.LRMin, c.W.Schedule, c.W.Nesterov, c.W.WeightDecay = 0.05, 0.0005, Restarts, true, 2e-4
	}
}

func textSearchDefaults() *Config {
	return &Config{
		Experiment: Search,
		Strategy:   dartsDefaults(texts),
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

func textTrainDefaults() *Config {
	return &Config{
		Experiment: Train,
		Data:       Data{Name: PTB, Batch: 64, EvalBatch: 10, TestBatch: 1, BPTT: 35, BPTTDelta: 20},
		Network: Network{
			Dtype:    Float32,
			Hidden:   850,
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
		Strategy:   dartsDefaults(images),
		Data:       Data{Name: CIFAR10, TrainPortion: 0.5, Batch: 64, Augment: Crop, Labels: Fine, OnBadFile: Fail, Check: Decode, MaxPixels: 100_000_000},
		Network:    Network{Channels: 16, Layers: 8, Nodes: 4, StemMultiplier: 3, Dtype: Float32, Form: Fast},
		Space:      Space{Name: DARTS},
		W:          W{LR: 0.025, LRMin: 0.001, Schedule: Cosine, LRDecay: 0.97, Restart: 10, RestartFactor: 2, Momentum: 0.9, WeightDecay: 3e-4, GradClip: 5, Precision: Full},
		Alpha:      Alpha{LR: 3e-4, Betas: [2]float64{0.5, 0.999}, WeightDecay: 1e-3, HVP: HVP{Method: FiniteDifference, Radius: 0.01}},
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

// evaluateDefaults is the Evaluate section whose Training has the defaults of a train
// experiment.
func evaluateDefaults() *Evaluate {
	t := trainDefaults()
	return &Evaluate{
		Batch:  t.Data.Batch,
		Cutout: t.Data.Cutout,
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
	}
}
