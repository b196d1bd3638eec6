package nas

import (
	"context"
	"fmt"
	"os"
	"path/filepath"

	"godarts/nas/config"
	"godarts/nas/data"
	"godarts/nas/rng"
	"godarts/torch"
	"godarts/torch/nn"
	"godarts/torch/optim"

	"godarts/cells"
	"godarts/darts"
)

// Settings are what an experiment takes from its caller rather than from its
// config: where it runs and who watches.
type Settings struct {
	Device torch.Device
	Every  CheckpointEvery
	Hooks  []Hooks

	// Guard, if not nil, is asked after each step and epoch, before anything of it is
	// saved. An error ends the run as it was last saved.
	Guard func() error
}

// SearchResult is what a complete search found.
type SearchResult struct {
	Genotype    cells.Genotype `json:"genotype"`
	Evaluations []TrainResult  `json:"evaluations,omitempty"` // the found cell first, then the random ones
}

// TrainResult is what a complete training reached, after its last epoch.
type TrainResult struct {
	Name       string         `json:"name,omitempty"` // in a search: "found", "random-1", ...
	Genotype   cells.Genotype `json:"genotype"`
	*Tested                   // nil if the training held images out
	*Validated                // nil if it did not
	Parameters int            `json:"parameters"` // without the auxiliary head
}

// Tested is what a network reached on the test images.
type Tested struct {
	TestError float64 `json:"test_error"` // percent
	TestLoss  float64 `json:"test_loss"`
}

// Validated is what a network reached on the training images that were held out
// from its training (data.train_portion below 1): such a training reads no test image.
type Validated struct {
	ValidError float64 `json:"valid_error"` // percent
	ValidLoss  float64 `json:"valid_loss"`
}

// measured takes the result on the images that r measures after an epoch.
func (t *TrainResult) measured(r *Run, m Meter) {
	percent := 100 * (1 - m.Accuracy())
	if r.holdsOut() {
		t.Validated = &Validated{percent, m.MeanLoss()}
	} else {
		t.Tested = &Tested{percent, m.MeanLoss()}
	}
}

// holdsOut tells whether a training is measured on training images that it does
// not train on.
func (r *Run) holdsOut() bool { return r.Config.Data.TrainPortion < 1 }

// Search runs the search experiment c in the new folder dir, or goes on with it
// where its checkpoint says if dir holds it already.
func Search(ctx context.Context, dir string, c *config.Config, s Settings) (result SearchResult, err error) {
	file := filepath.Join(dir, resultFile)
	if Finished(dir) {
		return result, readJSON(file, &result)
	}
	r, leave, err := enter(dir, c, s)
	if err != nil {
		return result, err
	}
	defer leave()
	if err := r.search(ctx, &result); err != nil {
		return result, err
	}
	if c.Evaluate != nil {
		if result.Evaluations, err = r.evaluate(ctx, result.Genotype, s); err != nil {
			return result, err
		}
	}
	return result, writeJSON(file, result)
}

// Train trains the cell that c names, in the new folder dir, or goes on with it
// where its checkpoint says.
func Train(ctx context.Context, dir string, c *config.Config, s Settings) (result TrainResult, err error) {
	file := filepath.Join(dir, resultFile)
	if Finished(dir) {
		return result, readJSON(file, &result)
	}
	g, err := cells.ParseGenotype(c.Genotype)
	if err != nil {
		return result, err
	}
	r, leave, err := enter(dir, c, s)
	if err != nil {
		return result, err
	}
	defer leave()
	result.Genotype = g
	if err := r.train(ctx, &result); err != nil {
		return result, err
	}
	return result, writeJSON(file, result)
}

// enter opens the data, takes the run folder and, if it is new, writes its
// config and what it says of the program. leave gives the folder back.
func enter(dir string, c *config.Config, s Settings) (r *Run, leave func(), err error) {
	set, err := data.Open(c.Data.Name, c.Data.Root)
	if err != nil {
		return nil, nil, err
	}
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return nil, nil, fmt.Errorf("nas: run folder: %w", err)
	}
	leave, err = lock(dir)
	if err != nil {
		return nil, nil, err
	}
	if HoldsRun(dir) {
		err = sameRun(dir, c)
	} else {
		err = create(dir, c, about(c, s.Device))
	}
	if err != nil {
		leave()
		return nil, nil, err
	}
	r = &Run{Config: c, Dir: dir, Set: set, Device: s.Device}
	r.feed = newFeed(c, set, r.options())
	r.hooks = append([]Hooks{guard(s.Guard), metrics(), checkpoints(s.Every)}, s.Hooks...)
	return r, leave, nil
}

// HoldsRun tells whether dir is a run folder.
func HoldsRun(dir string) bool {
	_, err := os.Stat(filepath.Join(dir, configFile))
	return err == nil
}

// sameRun is an error if the run in dir has another config than c.
func sameRun(dir string, c *config.Config) error {
	own, err := ReadConfig(dir)
	if err != nil {
		return err
	}
	if differences := differences(own, c, "in its "+configFile, "given"); differences != "" {
		return fmt.Errorf("nas: the run in %s has another config: %s", dir, differences)
	}
	return nil
}

// newFeed chooses the images of the steps. In a search the first part of the
// training images trains w and the rest α, both augmented; in training the first
// part, mostly all, trains w.
func newFeed(c *config.Config, set *data.Set, to torch.Options) feed {
	images := set.Train
	if c.Data.Subset > 0 {
		images = images.Slice(0, min(c.Data.Subset, images.N))
	}
	augment := set.Augment
	augment.Cutout = c.Data.Cutout
	source := func(name string, images *data.Images, order data.Order) *data.Source {
		return &data.Source{Images: images, Augment: augment, Seed: c.Seed, Name: name, Size: c.Data.Batch, Order: order}
	}
	split := int(c.Data.TrainPortion * float64(images.N))
	half := images.Slice(split, images.N)
	if c.Experiment == config.Train {
		measured := source("test", set.Test, data.Sequential)
		if c.Data.TrainPortion < 1 {
			measured = source("validation", half, data.Sequential)
		}
		measured.Augment = data.Augment{}
		return feed{train: source("train", images.Slice(0, split), data.Shuffled), validation: measured, to: to}
	}
	return feed{
		train:      source("train", images.Slice(0, split), data.Shuffled),
		valid:      source("valid", half, data.Resampled),
		validation: source("validation", half, data.Shuffled),
		to:         to,
	}
}

// options are the type and device of the run's networks.
func (r *Run) options() torch.Options {
	dtype := torch.Float32
	if r.Config.Network.Dtype == config.Float64 {
		dtype = torch.Float64
	}
	return torch.Options{Dtype: dtype, Device: r.Device}
}

// LR is the learning rate of w in an epoch: the closed form of the cosine.
func (r *Run) LR(epoch int) float64 {
	return optim.Cosine(r.Config.W.LR, r.Config.W.LRMin, epoch, r.Config.Epochs)
}

// Validate measures forward on the validation half of a search, or on the test
// images of a training, or on those it holds out.
func (r *Run) Validate(ctx context.Context, epoch int, forward func(nn.Batch) nn.Output) Meter {
	if r.err != nil {
		return Meter{}
	}
	m, err := r.feed.validate(ctx, epoch, forward)
	r.err = err
	return m
}

// do runs body with the experiment's state made by start, from the checkpoint
// if there is one.
func (r *Run) do(start func() (State, error), body func() error) error {
	return torch.Do(func() (err error) {
		torch.ManualSeed(uint64(r.Config.Seed))
		if r.state, err = start(); err != nil {
			return err
		}
		if err := r.restore(); err != nil {
			return err
		}
		if err := r.trimMetrics(); err != nil {
			return err
		}
		if err := r.onStart(); err != nil {
			return err
		}
		return r.onEnd(body())
	})
}

func (r *Run) search(ctx context.Context, result *SearchResult) error {
	var strategy Strategy
	err := r.do(func() (State, error) {
		var err error
		strategy, err = newStrategy(r)
		return strategy, err
	}, func() (err error) {
		result.Genotype, err = strategy.Search(ctx, r)
		return err
	})
	if err != nil {
		return err
	}
	if err := writeJSON(filepath.Join(r.Dir, GenotypeFile), result.Genotype); err != nil {
		return err
	}
	return r.draw(result.Genotype)
}

// draw writes both cells as pictures.
func (r *Run) draw(g cells.Genotype) error {
	for name, cell := range map[string]cells.Cell{"normal": g.Normal, "reduce": g.Reduce} {
		if err := DrawFile(filepath.Join(r.Dir, name+".svg"), cell, false); err != nil {
			return err
		}
	}
	return nil
}

// evaluate trains the found cell and random cells of the same space from
// scratch, each in a run folder inside the search's.
func (r *Run) evaluate(ctx context.Context, found cells.Genotype, s Settings) ([]TrainResult, error) {
	type candidate struct {
		name string
		cell cells.Genotype
	}
	candidates := []candidate{{"found", found}}
	for i := range r.Config.Evaluate.Random {
		cell := darts.Sample(rng.Stream(r.Config.Seed, "random", i), r.Config.Network.Nodes)
		candidates = append(candidates, candidate{fmt.Sprintf("random-%d", i+1), cell})
	}
	var results []TrainResult
	for _, it := range candidates {
		c := r.Config.Training()
		c.Genotype = it.cell.String()
		result, err := Train(ctx, filepath.Join(r.Dir, it.name), c, s)
		if err != nil {
			return nil, err
		}
		result.Name = it.name
		results = append(results, result)
	}
	return results, nil
}

func (r *Run) train(ctx context.Context, result *TrainResult) error {
	var t *trainer
	return r.do(func() (State, error) {
		var err error
		t, err = newTrainer(r, result.Genotype)
		return t, err
	}, func() error {
		test, err := t.train(ctx, r)
		if err != nil {
			return err
		}
		result.measured(r, test)
		result.Parameters, _ = t.net.ParameterCount()
		if err := writeJSON(filepath.Join(r.Dir, GenotypeFile), result.Genotype); err != nil {
			return err
		}
		return writeWeights(filepath.Join(r.Dir, WeightsFile), t.net)
	})
}
