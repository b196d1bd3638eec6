package nas

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"math"
	"path/filepath"
	"slices"

	"godarts/cells"
	"godarts/cells/genotype"
	"godarts/nas/data/texts"
	"godarts/nas/runfolder"
	"godarts/nas/wholefile"
	"godarts/torch"
	"godarts/torch/nn"
	"godarts/torch/optim"
	"godarts/torch/safetensors"
)

// beside is the perplexity of what was measured on columns, beside the unigram model's.
func (f *textFeed) beside(m Meter, columns texts.Columns) *runfolder.Perplexity {
	return &runfolder.Perplexity{Perplexity: m.Perplexity(), Unigram: math.Exp(f.corpus.UnigramLoss(columns))}
}

// textTrainer trains the language model of a derived cell from scratch: by SGD, and
// by averaged SGD once validation stops getting better. Reference rnn/train.py.
type textTrainer struct {
	net      *cells.RecurrentNetwork
	sgd      *optim.SGD
	asgd     *optim.ASGD
	gradClip float64
	columns  int // in memory at a time
	nonmono  int

	averaging bool         // by asgd, else by sgd
	hidden    torch.Tensor // [1,B,H]: the state before the next chunk
	losses    []float64    // validation losses of the epochs before averaging
	best      float64      // the least validation loss; +Inf before the first epoch
	bestEpoch int          // counted from 1
}

func newTextTrainer(r *Run, g genotype.Genotype) (*textTrainer, error) {
	c := r.Config
	o := recurrentOptions(c, len(r.Corpus.Words))
	o.Options = r.options()
	net, err := cells.NewRecurrentNetwork(g, o)
	if err != nil {
		return nil, err
	}
	w := net.Weights().W
	return &textTrainer{
		net: net, gradClip: c.W.GradClip, columns: c.Data.Columns(), nonmono: c.Nonmono,
		sgd:    newSGD(w, c.W),
		asgd:   optim.NewASGD([]torch.Tensor{w}, optim.ASGDOptions{LR: c.W.LR, WeightDecay: c.W.WeightDecay}),
		hidden: torch.Zeros([]int{1, c.Data.Batch, c.Network.Hidden}, r.options()),
		best:   math.Inf(1),
	}, nil
}

// train runs the epochs that are left.
func (t *textTrainer) train(ctx context.Context, run *Run) error {
	if t.bestEpoch > 0 { // its end needs the best model: better known now
		st, err := readBest(filepath.Join(run.Dir, runfolder.BestFile))
		if err != nil {
			return err
		}
		st.Close()
	}
	for epoch := range run.Epochs(ctx) {
		if run.at.Step == 0 {
			t.hidden.Zero_()
		}
		for s := range run.Steps(ctx, epoch) {
			s.Record(t.step(s), torch.Tensor{})
		}
		var valid Meter
		t.averaged(func() { valid = run.Validate(ctx, epoch, t.eval) })
		e := Epoch{Index: epoch, Valid: valid}
		t.judge(run, e)
		run.Finish(e)
		t.goBack(run)
	}
	return run.Err()
}

// step takes one step and gives its loss.
func (t *textTrainer) step(s *Step) (loss torch.Tensor) {
	w := t.net.Weights().W
	mean := meanOver(t.hidden.Size(1), t.columns, func(from int) []torch.Tensor {
		g := torch.Empty(w.Shape(), w.Options())
		out := t.net.Gradients(columnsOf(s.Train, t.hidden, from, t.columns), g)
		keepState(t.hidden, out.Hidden, from)
		return []torch.Tensor{g, out.Loss}
	})
	optim.Clip(t.gradClip, mean[0])
	if t.averaging {
		t.asgd.SetLR(s.LR)
		t.asgd.Step(mean[0])
	} else {
		t.sgd.SetLR(s.LR)
		t.sgd.Step(mean[0])
	}
	return mean[1]
}

// eval passes b through the network without dropout.
func (t *textTrainer) eval(b nn.Batch) (out nn.Output) {
	torch.NoGrad(func() { out = t.net.Forward(b, nn.Mode{}) })
	return out
}

// averaged runs fn with the averaged weights in place, once there are any.
func (t *textTrainer) averaged(fn func()) {
	if !t.averaging {
		fn()
		return
	}
	t.apart(func() {
		torch.NoGrad(func() { t.net.Weights().W.Copy_(t.asgd.Averages()[0]) })
		fn()
	})
}

// apart runs fn, which may write to the weights, and puts them back.
func (t *textTrainer) apart(fn func()) {
	torch.Scoped(func() {
		w := t.net.Weights().W
		var own torch.Tensor
		torch.NoGrad(func() { own = w.Clone() })
		defer torch.NoGrad(func() { w.Copy_(own) })
		fn()
	})
}

// judge looks at how the epoch e validated: it saves the run if that was best, and
// turns to averaging if it was worse than the best before the last nonmono epochs.
func (t *textTrainer) judge(run *Run, e Epoch) {
	if run.err != nil {
		return
	}
	loss := e.Valid.MeanLoss()
	better := loss < t.best
	if better {
		t.best, t.bestEpoch = loss, e.Index+1
	}
	if !t.averaging {
		old := len(t.losses) - t.nonmono
		t.averaging = old > 0 && loss > slices.Min(t.losses[:old])
		t.losses = append(t.losses, loss)
	}
	if better { // before the checkpoint, which is never ahead of it
		run.err = run.saveAs(runfolder.BestFile, run.at.after(e))
	}
}

// goBack puts a run that diverged back to where it was best. From there it draws
// other chunks and masks. If it diverges again before it gets better, it ends.
func (t *textTrainer) goBack(run *Run) {
	var diverged *runfolder.DivergedError
	if !errors.As(run.err, &diverged) {
		return
	}
	restarts := run.at.Restarts
	there, err := run.restoreFile(runfolder.BestFile)
	switch {
	case err != nil:
		run.err = err
		return
	case !there:
		return // nothing to go back to
	case restarts > run.at.Restarts:
		run.err = fmt.Errorf("%w; it had gone back to its best model, of epoch %d, before and has not got better since: w.lr %g may be too high",
			diverged, t.bestEpoch, run.Config.W.LR)
		return
	}
	run.at.Restarts = restarts + 1
	run.note("%s: %s; the run goes back to its best model, of epoch %d", diverged.Where(), diverged.What, t.bestEpoch)
	if run.err = run.trimMetrics(); run.err == nil {
		run.err = run.save()
	}
}

// Names of a training's state in checkpoints.
const (
	nameLosses = "validation.losses" // [epochs]
	nameBest   = "validation.best"   // loss and epoch
)

// StateDict implements State.
func (t *textTrainer) StateDict() torch.StateDict {
	sd := t.net.Weights().StateDict()
	sd[nameHidden] = t.hidden
	maps.Copy(sd, prefixed(optimizerW, t.sgd.StateDict()))
	if t.averaging {
		maps.Copy(sd, prefixed(optimizerAveraged, t.asgd.StateDict()))
	}
	if len(t.losses) > 0 {
		sd[nameLosses] = torch.FromSlice(t.losses, len(t.losses))
		sd[nameBest] = torch.FromSlice([]float64{t.best, float64(t.bestEpoch)}, 2)
	}
	return sd
}

// LoadStateDict implements State.
func (t *textTrainer) LoadStateDict(sd torch.StateDict) error {
	net, w := cut(sd, optimizerW)
	net, averaged := cut(net, optimizerAveraged)
	averaging := len(averaged) > 0
	if !averaging {
		averaged = t.fresh()
	}
	losses, best, bestEpoch := []float64(nil), math.Inf(1), 0
	if history, ok := net[nameLosses]; ok {
		at := torch.Zeros([]int{2}, torch.Options{Dtype: torch.Float64})
		if err := take(net, map[string]torch.Tensor{nameBest: at}); err != nil {
			return err
		}
		numbers := at.Float64s()
		losses, best, bestEpoch = history.Float64s(), numbers[0], int(numbers[1])
		delete(net, nameLosses)
	}
	if err := take(net, map[string]torch.Tensor{nameHidden: t.hidden}); err != nil {
		return err
	}
	if err := load(part{t.net.Weights(), net}, part{t.sgd, w}, part{t.asgd, averaged}); err != nil {
		return err
	}
	t.averaging, t.losses, t.best, t.bestEpoch = averaging, losses, best, bestEpoch
	return nil
}

// standsAt implements placed: the best epoch is one that is done.
func (t *textTrainer) standsAt(at position) error {
	known := t.bestEpoch > 0 && t.best >= 0 && !math.IsInf(t.best, 1)
	if (at.Epoch > 0) != known || t.bestEpoch > at.Epoch || len(t.losses) > at.Epoch {
		return fmt.Errorf("after %d epochs the best is epoch %d with loss %v, and there are %d losses", at.Epoch, t.bestEpoch, t.best, len(t.losses))
	}
	return nil
}

// fresh is the state of an averaging optimizer that has taken no step.
func (t *textTrainer) fresh() torch.StateDict {
	sd := t.asgd.StateDict()
	o := torch.Options{Dtype: torch.Float64}
	sd["step"], sd["eta"], sd["mu"] = torch.Scalar(0, o), torch.Scalar(0, o), torch.Scalar(1, o)
	return sd
}

// trainText trains the cell on a text and measures the best model.
func (r *Run) trainText(ctx context.Context, result *runfolder.TrainResult) error {
	var t *textTrainer
	return r.do(func() (State, error) {
		var err error
		t, err = newTextTrainer(r, result.Genotype)
		return t, err
	}, func() error {
		if err := t.train(ctx, r); err != nil {
			return err
		}
		var err error
		t.apart(func() {
			if err = t.loadBest(r); err != nil {
				return
			}
			feed := r.feed.(*textFeed)
			if err = t.test(ctx, r, result); err != nil {
				return
			}
			if t.bestEpoch > 0 {
				result.Valid = feed.beside(Meter{Loss: t.best, Count: 1}, feed.validation)
				result.BestEpoch, result.Restarts = t.bestEpoch, r.at.Restarts
			}
			about := description{Genotype: result.Genotype, Units: r.Config.Network.Hidden, Dictionary: r.Corpus.Dictionary()}
			err = r.writeWeights(t.net, about)
		})
		if err != nil {
			return err
		}
		if err := r.draw(result.Genotype); err != nil {
			return err
		}
		return r.writeJSON(runfolder.GenotypeFile, result.Genotype)
	})
}

// readBest reads the run as it stood when it was best, and checks it.
func readBest(file string) (*safetensors.File, error) {
	content, err := wholefile.Read(file)
	if err != nil {
		return nil, fmt.Errorf("nas: best model: %w; restore the file, or delete %s too and resume: the training then begins anew", err, runfolder.CheckpointFile)
	}
	return runfolder.OpenCheckpoint(file, content)
}

// loadBest puts the weights of the best model in place: the averaged ones where there
// were any. Without an epoch the first weights are as good as any.
func (t *textTrainer) loadBest(r *Run) error {
	if t.bestEpoch == 0 {
		return nil
	}
	file := filepath.Join(r.Dir, runfolder.BestFile)
	st, err := readBest(file)
	if err != nil {
		return err
	}
	sd, err := st.LoadAll()
	if err != nil {
		return fmt.Errorf("nas: best model %s: %w", file, err)
	}
	w := t.net.Weights()
	own := torch.StateDict{}
	for name := range w.StateDict() {
		own[name] = sd[name]
	}
	if err := w.LoadStateDict(own); err != nil {
		return fmt.Errorf("nas: best model %s: %w", file, err)
	}
	if average, ok := sd[optimizerAveraged+"ax.0"]; ok {
		torch.NoGrad(func() { w.W.Copy_(average) })
	}
	return nil
}

// test measures the weights in place on the test text.
func (t *textTrainer) test(ctx context.Context, r *Run, result *runfolder.TrainResult) error {
	feed := r.feed.(*textFeed)
	m, err := feed.measure(ctx, feed.test, t.eval)
	if err == nil {
		err = r.measuredFinite("test", m)
	}
	result.Modelled = &runfolder.Modelled{Test: feed.beside(m, feed.test)}
	result.Parameters = t.net.ParameterCount()
	return err
}

// testText measures weights in a file on the test text.
func (r *Run) testText(ctx context.Context, file string, result *runfolder.TrainResult) error {
	t, err := newTextTrainer(r, result.Genotype)
	if err != nil {
		return err
	}
	if err := loadWeights(t.net, file); err != nil {
		return err
	}
	return t.test(ctx, r, result)
}
