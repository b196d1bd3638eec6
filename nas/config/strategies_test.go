package config_test

import (
	"testing"

	"github.com/google/go-cmp/cmp"

	"godarts/nas/config"
	"godarts/nas/search" // whose strategies all tests of this package, this file's and the internal ones, find registered
)

func TestParseDefaults(t *testing.T) {
	// Parse gives the values of the authors' code when a key is absent.
	tests := []struct {
		name, text string
		want       *config.Config
	}{
		{"search", "experiment: search", &config.Config{
			Experiment: "search",
			Strategy: config.Strategy{Name: "darts", Keys: search.DARTSKeys{Order: 1, SkipLimit: -1, EarlyStop: search.EarlyStop{Window: 5, Start: 10, Delta: 4, Factor: 1.3},
				Selection: "alpha", Perturbation: search.Perturbation{Interval: 5, LR: 0.0025}}},
			Data:    config.Data{Name: "cifar10", TrainPortion: 0.5, Batch: 64, Augment: "crop", Labels: "fine", OnBadFile: "error", Check: "decode", MaxPixels: 100_000_000},
			Network: config.Network{Channels: 16, Layers: 8, Nodes: 4, StemMultiplier: 3, Dtype: "float32", Form: "fast"},
			Space:   config.Space{Name: "darts"},
			W:       config.W{LR: 0.025, LRMin: 0.001, Schedule: "cosine", LRDecay: 0.97, Restart: 10, RestartFactor: 2, Momentum: 0.9, WeightDecay: 0.0003, GradClip: 5, Precision: config.Full},
			Alpha:   config.Alpha{LR: 0.0003, Betas: [2]float64{0.5, 0.999}, WeightDecay: 0.001, Cost: config.Cost{Of: "multiply-adds"}, HVP: config.HVP{Method: "finite-difference", Radius: 0.01}},
			Epochs:  50,
			Seed:    2,
		}},
		{"train", "experiment: train", &config.Config{
			Experiment: "train",
			Data:       config.Data{Name: "cifar10", TrainPortion: 1, Batch: 96, Augment: "crop", Labels: "fine", OnBadFile: "error", Check: "decode", MaxPixels: 100_000_000},
			Network: config.Network{Channels: 36, Layers: 20, StemMultiplier: 3, Dtype: "float32", Stem: "cifar",
				AuxiliaryWeight: 0.4, DropPath: 0.2},
			W:        config.W{LR: 0.025, Schedule: "cosine", LRDecay: 0.97, Restart: 10, RestartFactor: 2, Momentum: 0.9, WeightDecay: 0.0003, GradClip: 5, Precision: config.Full},
			Epochs:   600,
			Genotype: "DARTS_V2",
		}},
		{"search of a text", "experiment: search\ndata: {name: wikitext2}", &config.Config{
			Experiment: "search",
			Strategy:   config.Strategy{Name: "darts", Keys: search.DARTSKeys{Order: 1}},
			Data:       config.Data{Name: "wikitext2", Batch: 256, EvalBatch: 10, BPTT: 35},
			Network: config.Network{Nodes: 8, Dtype: "float32", Form: "fast", Hidden: 300, Slowness: 0.001,
				Dropout: config.Dropout{Output: 0.75, State: 0.25, Input: 0.75, Embedding: 0.2}},
			W:      config.W{LR: 20, WeightDecay: 5e-7, GradClip: 0.25},
			Alpha:  config.Alpha{LR: 0.003, Betas: [2]float64{0.9, 0.999}, WeightDecay: 0.001, HVP: config.HVP{Method: "finite-difference", Radius: 0.01}},
			Epochs: 50,
			Seed:   3,
		}},
		{"training on a text", "experiment: train\ndata: {name: ptb}", &config.Config{
			Experiment: "train",
			Data:       config.Data{Name: "ptb", Batch: 64, EvalBatch: 10, TestBatch: 1, BPTT: 35, BPTTDelta: 20},
			Network: config.Network{Dtype: "float32", Hidden: 850, Slowness: 0.001,
				Dropout: config.Dropout{Output: 0.75, State: 0.25, Input: 0.75, Embedding: 0.2, Word: 0.1}},
			W:        config.W{LR: 20, WeightDecay: 8e-7, GradClip: 0.25},
			Epochs:   8000,
			Nonmono:  5,
			Seed:     1267,
			Genotype: "DARTS_V2",
		}},
		{"compare", "experiment: compare", &config.Config{
			Experiment: "compare",
			Compare: config.Compare{Table: "nasbench201", Dataset: "cifar10", Queries: 100, Seeds: 500,
				Evolution: config.Evolution{Population: 10, Sample: 3}, Reinforce: config.Reinforce{LR: 0.5, Momentum: 0.9}},
		}},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			got, err := config.Parse("x.yaml", []byte(test.text))
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(test.want, got); diff != "" {
				t.Error(diff)
			}
		})
	}
}

func TestRunEpochs(t *testing.T) {
	// A selection by perturbation takes the paper's 81 epochs after the search's when the cells have 4 nodes.
	c, err := config.Parse("x", []byte("experiment: search\nstrategy: {selection: perturbation}"))
	if err != nil {
		t.Fatal(err)
	}
	if c.RunEpochs() != 50+81 {
		t.Errorf("%d epochs", c.RunEpochs())
	}
}
