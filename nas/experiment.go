package nas

import (
	"bytes"
	"cmp"
	"context"
	"fmt"
	"math"
	"path/filepath"

	"godarts/cells/draw"
	"godarts/cells/genotype"
	"godarts/nas/config"
	"godarts/nas/rng"
	"godarts/torch"
	"godarts/torch/optim"

	"godarts/nas/runfolder"
	"godarts/nas/wholefile"
)

// Settings are what an experiment takes from its caller rather than from its
// config: where it runs and who watches.
type Settings struct {
	Device torch.Device
	Every  CheckpointEvery
	Hooks  []Hooks

	// Keep is how many checkpoints there are until the run is complete, 1 to MaxKeep. Zero is as
	// many as the run in the folder had kept before, or DefaultKeep.
	Keep int

	// Guard, if not nil, is asked after each step and epoch, before anything of it is
	// saved. An error ends the run as it was last saved.
	Guard func() error

	// Changed says that the config is of the function Changed: the run's folder has it from
	// the first step on.
	Changed bool

	data *runfolder.SharedData // of what the experiment is a part of, if this process has looked at that
}

// keep is Keep without its zero.
func (s Settings) keep() int { return cmp.Or(s.Keep, runfolder.DefaultKeep) }

// measuredOn takes the result on the images that r measures after an epoch.
func measuredOn(t *runfolder.TrainResult, r *Run, m Meter) {
	feed := r.feed.(*imageFeed)
	percent := func(right float64) float64 { return 100 * (1 - right) }
	var topFive *float64
	if feed.topFive() {
		e := percent(m.InFive / float64(max(m.Count, 1)))
		topFive = &e
	}
	if r.holdsOut() {
		t.Validated = &runfolder.Validated{ValidError: percent(m.Accuracy()), ValidLoss: m.MeanLoss(), ValidTopFiveError: topFive}
	} else {
		t.Tested = &runfolder.Tested{TestError: percent(m.Accuracy()), TestLoss: m.MeanLoss(), TestTopFiveError: topFive}
	}
	t.Skipped = len(r.data.Unreadable) + len(feed.left.files)
}

// holdsOut tells whether a training is measured on training images that it does
// not train on.
func (r *Run) holdsOut() bool { return r.Config.Data.TrainPortion < 1 }

// testsEpochs tells whether what is measured after an epoch are the test images.
func (r *Run) testsEpochs() bool {
	return r.Config.Experiment == config.Train && r.Corpus == nil && !r.holdsOut()
}

// Search runs the search experiment c in the new folder dir, or goes on with it
// where its checkpoint says if dir holds it already.
func Search(ctx context.Context, dir string, c *config.Config, s Settings) (result runfolder.SearchResult, err error) {
	if runfolder.Finished(dir) {
		if err := runfolder.ReadResult(dir, c, &result); err != nil {
			return result, err
		}
		return result, result.Failed()
	}
	r, leave, err := enter(ctx, dir, c, s)
	if err != nil {
		return result, err
	}
	defer leave()
	if err := r.search(ctx, &result); err != nil {
		return result, runfolder.RememberDiverged(dir, err)
	}
	if c.Evaluate != nil {
		if result.Evaluations, err = r.evaluate(ctx, result.Genotype, r.settings); err != nil {
			return result, err
		}
	}
	if err := r.complete(result); err != nil {
		return result, err
	}
	return result, result.Failed()
}

// Train trains the cell that c names, in the new folder dir, or goes on with it
// where its checkpoint says.
func Train(ctx context.Context, dir string, c *config.Config, s Settings) (result runfolder.TrainResult, err error) {
	if runfolder.Finished(dir) {
		return result, runfolder.ReadResult(dir, c, &result)
	}
	g, err := runfolder.GenotypeOf(c)
	if err != nil {
		return result, err
	}
	r, leave, err := enter(ctx, dir, c, s)
	if err != nil {
		return result, err
	}
	defer leave()
	result.Genotype = g
	if err := r.train(ctx, &result); err != nil {
		return result, runfolder.RememberDiverged(dir, err)
	}
	return result, r.complete(result)
}

// enter opens the data, takes the run folder and, if it is new, writes its
// config and what it says of the program. leave gives the folder back.
func enter(ctx context.Context, dir string, c *config.Config, s Settings) (r *Run, leave func(), err error) {
	if s.Keep < 0 || s.Keep > runfolder.MaxKeep {
		return nil, nil, fmt.Errorf("nas: keep: %d checkpoints, wanted 1 to %d, or 0 for as many as before", s.Keep, runfolder.MaxKeep)
	}
	if c, err = c.AbsoluteRoot(); err != nil {
		return nil, nil, err
	}
	r = &Run{Config: c, Dir: dir, Device: s.Device, settings: s}
	if err := r.openChecked(); err != nil {
		return nil, nil, err
	}
	isNew := !runfolder.HoldsRun(dir) || runfolder.Begun(dir)
	if isNew { // before anything is made: it may take a while, or fail
		if !runfolder.Begun(dir) {
			if err := runfolder.CheckEmpty(dir); err != nil {
				return nil, nil, err
			}
		}
		if err := r.look(ctx); err != nil {
			return nil, nil, err
		}
		if err := r.checkFewer(); err != nil {
			return nil, nil, err
		}
	}
	if err := wholefile.MakeFolder(dir); err != nil {
		return nil, nil, fmt.Errorf("nas: run folder: %w", err)
	}
	if r.lock, err = runfolder.Lock(dir); err != nil {
		return nil, nil, err
	}
	leave = func() { r.lock.Close() }
	err = r.settle()
	if err == nil {
		err = runfolder.ForgetDiverged(dir)
	}
	if err != nil {
		leave()
		return nil, nil, err
	}
	if !isNew {
		if err := r.leaveOut(); err != nil {
			leave()
			return nil, nil, err
		}
	}
	if c.Data.Name == config.ImageFolder {
		r.notes = append(r.notes, r.Set.Describe()...)
	}
	r.settings.data = &runfolder.SharedData{DataRecord: r.data, File: filepath.Join(dir, runfolder.DataFile)}
	r.hooks = append([]Hooks{guard(s.Guard), metrics(), checkpoints(s.Every)}, s.Hooks...)
	return r, leave, nil
}

// open opens the data.
func (r *Run) open() error {
	if r.Config.Data.IsText() {
		return r.openText()
	}
	set, err := openData(r.Config)
	if err != nil {
		return err
	}
	r.Set, r.notes = set, set.Notes
	r.feed = newImageFeed(r.Config, set, r.options())
	return nil
}

// options are the type and device of the run's networks.
func (r *Run) options() torch.Options {
	return torch.Options{Dtype: dtype(r.Config), Device: r.Device}
}

// LR is the learning rate of w in an epoch: the closed form of its schedule. On a
// text it is that of a step of data.bptt tokens.
func (r *Run) LR(epoch int) float64 {
	if r.Config.Data.IsText() {
		return r.Config.W.LR
	}
	if own := methodOf(r.Config).LR; own != nil {
		return own(r.Config, epoch)
	}
	return ScheduledLR(r.Config.W, epoch, r.Config.Epochs)
}

// ScheduledLR is the learning rate in an epoch by the schedule of w over some epochs, on images.
func ScheduledLR(w config.W, epoch, epochs int) float64 {
	switch w.Schedule {
	case config.StepDecay:
		return w.LR * math.Pow(w.LRDecay, float64(epoch))
	case config.Restarts:
		return optim.CosineRestarts(w.LR, w.LRMin, epoch, w.Restart, w.RestartFactor)
	default:
		return optim.Cosine(w.LR, w.LRMin, epoch, epochs)
	}
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

func (r *Run) search(ctx context.Context, result *runfolder.SearchResult) error {
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
	if feed, ok := r.feed.(*textFeed); ok && r.at.Valid.Count > 0 {
		result.Valid = feed.beside(r.at.Valid, feed.validation)
	}
	if err := r.writeJSON(runfolder.GenotypeFile, result.Genotype); err != nil {
		return err
	}
	return r.draw(result.Genotype)
}

// draw writes the cells as pictures.
func (r *Run) draw(g genotype.Genotype) error {
	for _, kind := range g.Kinds() {
		var b bytes.Buffer
		if err := draw.SVG(&b, *g.Cell(kind), kind); err != nil {
			return err
		}
		if err := r.write(kind.String()+".svg", b.Bytes()); err != nil {
			return err
		}
	}
	return nil
}

// evaluate trains the found cell and random cells of the same space from
// scratch, each in a run folder inside the search's. One that diverges leaves the
// others alone.
func (r *Run) evaluate(ctx context.Context, found genotype.Genotype, s Settings) ([]runfolder.TrainResult, error) {
	type candidate struct {
		name string
		cell genotype.Genotype
	}
	candidates := []candidate{{runfolder.FoundFolder, found}}
	for i := range r.Config.Evaluate.Random {
		cell := spaceOf(r.Config).Sample(rng.Stream(r.Config.Seed, "random", i))
		candidates = append(candidates, candidate{fmt.Sprintf("random-%d", i+1), cell})
	}
	var results []runfolder.TrainResult
	for _, it := range candidates {
		if err := r.owns(); err != nil {
			return nil, err
		}
		c := r.Config.Training()
		c.Genotype = it.cell.String()
		dir := filepath.Join(r.Dir, it.name)
		result, err := runfolder.RunPart(dir, func() (runfolder.TrainResult, error) { return Train(ctx, dir, c, s) })
		if err != nil {
			return nil, err
		}
		result.Name, result.Genotype = it.name, it.cell
		results = append(results, result)
	}
	return results, nil
}

func (r *Run) train(ctx context.Context, result *runfolder.TrainResult) error {
	if r.Config.Data.IsText() {
		return r.trainText(ctx, result)
	}
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
		measuredOn(result, r, test)
		result.Parameters, _ = t.net.ParameterCount()
		if err := r.writeJSON(runfolder.GenotypeFile, result.Genotype); err != nil {
			return err
		}
		return r.writeWeights(t.net, describe(result.Genotype, r.network(), r.Set))
	})
}
