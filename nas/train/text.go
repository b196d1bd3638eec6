package train

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
	"godarts/nas"
	"godarts/nas/model"
	"godarts/nas/runfolder"
	"godarts/nas/texts"
	"godarts/nas/wholefile"
	"godarts/torch"
	"godarts/torch/nn"
	"godarts/torch/optim"
	"godarts/torch/replay"
	"godarts/torch/safetensors"
)

// textTrainer trains the language model of a derived cell from scratch by SGD, and by averaged SGD once
// the validation loss stops falling. Reference rnn/train.py.
type textTrainer struct {
	net      *cells.RecurrentNetwork
	sgd      *optim.SGD
	ASGD     *optim.ASGD
	gradClip float64
	columns  int // columns in memory at a time
	nonmono  int
	lr       float64
	region   *replay.Region // of whole steps

	averaging bool         // by ASGD, else by sgd
	hidden    torch.Tensor // [1,B,H]: the state before the next chunk
	masks     *texts.Masks
	losses    []float64 // validation losses of the epochs before averaging
	best      float64   // least validation loss; +Inf before the first epoch
	bestEpoch int       // counted from 1
}

// NewText makes the language model of the cell g and its optimizers. Their tensors belong to the
// current scope.
func NewText(r *nas.Run, g genotype.Genotype) (*textTrainer, error) {
	c := r.Config
	o := texts.RecurrentOptions(c, len(texts.Of(r).Corpus.Words))
	o.Options = r.Options()
	net, err := cells.NewRecurrentNetwork(g, o)
	if err != nil {
		return nil, err
	}
	w := net.Weights().W
	t := &textTrainer{
		net: net, gradClip: c.W.GradClip, columns: c.Data.Columns(), nonmono: c.Nonmono, lr: c.W.LR,
		sgd:    nas.NewSGD(w, c.W),
		ASGD:   optim.NewASGD([]torch.Tensor{w}, optim.ASGDOptions{LR: c.W.LR, WeightDecay: c.W.WeightDecay}),
		hidden: torch.Zeros([]int{1, c.Data.Batch, c.Network.Hidden}, r.Options()),
		best:   math.Inf(1),
	}
	t.masks = texts.Of(r).NewMasks("train", t.hidden)
	t.region = replay.New(w, t.overwritten)
	return t, nil
}

// overwritten is all that a step overwrites, by either optimizer.
func (t *textTrainer) overwritten() []torch.Tensor {
	return slices.Concat(t.sgd.Overwritten(), t.ASGD.Overwritten(), []torch.Tensor{t.hidden})
}

// train runs the remaining epochs.
func (t *textTrainer) train(ctx context.Context, run *nas.Run) error {
	if t.bestEpoch > 0 { // the end needs the best model: check it now
		st, err := readBest(filepath.Join(run.Dir, runfolder.BestFile))
		if err != nil {
			return err
		}
		st.Close()
	}
	for epoch := range run.Epochs(ctx) {
		if run.At.Step == 0 {
			t.hidden.Zero_()
		}
		for s := range run.Steps(ctx, epoch) {
			t.step(s)
		}
		var valid nas.Meter
		t.withAverages(func() { valid = run.Validate(ctx, epoch, t.eval) })
		e := nas.Epoch{Index: epoch, Valid: valid}
		t.updateBest(run, e)
		run.Finish(e)
		t.rollBack(run)
	}
	return run.Err()
}

// step takes one step, by ASGD if that averages already.
func (t *textTrainer) step(s *nas.Step) {
	move := t.sgd.Step
	if t.averaging {
		move = t.ASGD.Step
		t.ASGD.SetLR(s.LR)
	} else {
		t.sgd.SetLR(s.LR)
	}
	masks := t.masks.Draw(s, 0, t.hidden.Size(1)/t.columns)
	out := t.region.Run(t.averaging, []torch.Tensor{s.Train.X, s.Train.Y, masks}, func(in []torch.Tensor) []torch.Tensor {
		g, loss := t.gradient(nn.Batch{X: in[0], Y: in[1], Masks: cells.RowsOf(in[2])})
		norm := optim.Clip(t.gradClip, g)
		move(g)
		return []torch.Tensor{loss, norm}
	})
	s.NormW = out[1]
	s.RecordLater(out[0], torch.Tensor{})
}

// gradient returns the gradient of the weights, a mean over the parts of the batch b, and the loss. It moves the state
// on.
func (t *textTrainer) gradient(b nn.Batch) (g, loss torch.Tensor) {
	w := t.net.Weights().W
	mean := texts.MeanOver(t.hidden.Size(1), t.columns, func(from int) []torch.Tensor {
		g := torch.Empty(w.Shape(), w.Options())
		out := t.net.Gradients(texts.ColumnsOf(b, t.hidden, from, t.columns), g)
		texts.KeepState(t.hidden, out.Hidden, from)
		return []torch.Tensor{g, out.Loss}
	})
	return mean[0], mean[1]
}

// eval passes b through the network without dropout.
func (t *textTrainer) eval(b nn.Batch) nn.Output {
	return texts.EvalIn(t.region, b, func(b nn.Batch) (out nn.Output) {
		torch.NoGrad(func() { out = t.net.Forward(b, nn.Mode{}) })
		return out
	})
}

// withAverages runs fn with the averaged weights in place of the weights, if there are any.
func (t *textTrainer) withAverages(fn func()) {
	if !t.averaging {
		fn()
		return
	}
	t.withSavedWeights(func() {
		torch.NoGrad(func() { t.net.Weights().W.Copy_(t.ASGD.Averages()[0]) })
		fn()
	})
}

// withSavedWeights runs fn, which may overwrite the weights, and then restores them.
func (t *textTrainer) withSavedWeights(fn func()) {
	torch.Scoped(func() {
		w := t.net.Weights().W
		var own torch.Tensor
		torch.NoGrad(func() { own = w.Clone() })
		defer torch.NoGrad(func() { w.Copy_(own) })
		fn()
	})
}

// updateBest compares the validation loss of the epoch e with the best. It saves the run if the loss is
// better, and begins to average if the loss is worse than the best before the last nonmono epochs.
func (t *textTrainer) updateBest(run *nas.Run, e nas.Epoch) {
	if run.Err() != nil {
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
	if better { // before the checkpoint, which must not refer to a later best epoch
		run.Fail(run.SaveAs(runfolder.BestFile, run.At.After(e)))
	}
}

// rollBack returns a run that diverged to its best state, from which it draws other chunks and masks.
// If the run diverges again before it gets better, it ends.
func (t *textTrainer) rollBack(run *nas.Run) {
	var diverged *runfolder.DivergedError
	if !errors.As(run.Err(), &diverged) {
		return
	}
	restarts := run.At.Restarts
	there, err := run.RestoreFile(runfolder.BestFile)
	switch {
	case err != nil:
		run.Fail(err)
		return
	case !there:
		return // there is no best state yet
	case restarts > run.At.Restarts:
		run.Fail(fmt.Errorf("%w; it had gone back to its best model, of epoch %d, before and has not got better since: w.lr %g may be too high",
			diverged, t.bestEpoch, run.Config.W.LR))
		return
	}
	run.At.Restarts = restarts + 1
	run.Note("%s: %s; the run goes back to its best model, of epoch %d", diverged.Where(), diverged.What, t.bestEpoch)
	err = run.TrimMetrics()
	if err == nil {
		err = run.Save()
	}
	run.Fail(err)
}

// Names of a training's state in checkpoints.
const (
	nameLosses = "validation.losses" // [epochs]
	nameBest   = "validation.best"   // loss and epoch
)

// LR returns the constant learning rate of a step of data.bptt tokens.
func (t *textTrainer) LR(int) float64 { return t.lr }

// StateDict implements State.
func (t *textTrainer) StateDict() torch.StateDict {
	sd := t.net.Weights().StateDict()
	sd[texts.NameHidden] = t.hidden
	maps.Copy(sd, nas.Prefixed(nas.OptimizerW, t.sgd.StateDict()))
	if t.averaging {
		maps.Copy(sd, nas.Prefixed(nas.OptimizerAveraged, t.ASGD.StateDict()))
	}
	if len(t.losses) > 0 {
		sd[nameLosses] = torch.FromSlice(t.losses, len(t.losses))
		sd[nameBest] = torch.FromSlice([]float64{t.best, float64(t.bestEpoch)}, 2)
	}
	return sd
}

// LoadStateDict implements State.
func (t *textTrainer) LoadStateDict(sd torch.StateDict) error {
	net, w := nas.Cut(sd, nas.OptimizerW)
	net, averaged := nas.Cut(net, nas.OptimizerAveraged)
	averaging := len(averaged) > 0
	if !averaging {
		averaged = t.fresh()
	}
	losses, best, bestEpoch := []float64(nil), math.Inf(1), 0
	if history, ok := net[nameLosses]; ok {
		at := torch.Zeros([]int{2}, torch.Options{Dtype: torch.Float64})
		if err := nas.Take(net, map[string]torch.Tensor{nameBest: at}); err != nil {
			return err
		}
		numbers := at.Float64s()
		losses, best, bestEpoch = history.Float64s(), numbers[0], int(numbers[1])
		delete(net, nameLosses)
	}
	if err := nas.Take(net, map[string]torch.Tensor{texts.NameHidden: t.hidden}); err != nil {
		return err
	}
	t.region.Forget() // settings of the optimizers may be others
	if err := nas.Load(nas.Part{State: t.net.Weights(), Entries: net}, nas.Part{State: t.sgd, Entries: w}, nas.Part{State: t.ASGD, Entries: averaged}); err != nil {
		return err
	}
	t.averaging, t.losses, t.best, t.bestEpoch = averaging, losses, best, bestEpoch
	return nil
}

// MostRestarts returns how often a training can have restarted up to an epoch: at most once from each.
func (t *textTrainer) MostRestarts(epoch int) int { return epoch }

// CheckPosition returns an error if the best epoch or the losses do not fit the position.
func (t *textTrainer) CheckPosition(at nas.Position) error {
	known := t.bestEpoch > 0 && t.best >= 0 && !math.IsInf(t.best, 1)
	if (at.Epoch > 0) != known || t.bestEpoch > at.Epoch || len(t.losses) > at.Epoch {
		return fmt.Errorf("after %d epochs the best is epoch %d with loss %v, and there are %d losses", at.Epoch, t.bestEpoch, t.best, len(t.losses))
	}
	return nil
}

// fresh returns the state of an averaging optimizer that has taken no step.
func (t *textTrainer) fresh() torch.StateDict {
	sd := t.ASGD.StateDict()
	o := torch.Options{Dtype: torch.Float64}
	sd["step"], sd["eta"], sd["mu"] = torch.Scalar(0, o), torch.Scalar(0, o), torch.Scalar(1, o)
	return sd
}

// runTextTraining trains the cell on a text and measures the best model.
func runTextTraining(r *nas.Run, ctx context.Context, result *runfolder.TrainResult) error {
	var t *textTrainer
	return r.Do(func() (nas.State, error) {
		var err error
		t, err = NewText(r, result.Genotype)
		return t, err
	}, func() error {
		defer t.region.Forget()
		if err := t.train(ctx, r); err != nil {
			return err
		}
		var err error
		t.withSavedWeights(func() {
			if err = t.loadBest(r); err != nil {
				return
			}
			feed := texts.Of(r)
			if err = t.test(ctx, r, result); err != nil {
				return
			}
			if t.bestEpoch > 0 {
				result.Valid = feed.WithUnigram(nas.Meter{Loss: t.best, Count: 1}, feed.Validation)
				result.BestEpoch, result.Restarts = t.bestEpoch, r.At.Restarts
			}
			about := model.Description{Genotype: result.Genotype, Units: r.Config.Network.Hidden, Dictionary: texts.Of(r).Corpus.Dictionary()}
			err = model.WriteWeights(r, t.net, about)
		})
		if err != nil {
			return err
		}
		if err := r.Draw(result.Genotype); err != nil {
			return err
		}
		return r.WriteJSON(runfolder.GenotypeFile, result.Genotype)
	})
}

// readBest reads the file of the best state and checks it.
func readBest(file string) (*safetensors.File, error) {
	content, err := wholefile.Read(file)
	if err != nil {
		return nil, fmt.Errorf("nas: best model: %w; restore the file, or delete %s too and resume: the training then starts over", err, runfolder.CheckpointFile)
	}
	return runfolder.OpenCheckpoint(file, content)
}

// loadBest loads the weights of the best model: the averaged ones if there were any. Without a finished
// epoch it keeps the first weights.
func (t *textTrainer) loadBest(r *nas.Run) error {
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
	if average, ok := sd[nas.OptimizerAveraged+"ax.0"]; ok {
		torch.NoGrad(func() { w.W.Copy_(average) })
	}
	return nil
}

// test measures the current weights on the test text.
func (t *textTrainer) test(ctx context.Context, r *nas.Run, result *runfolder.TrainResult) error {
	feed := texts.Of(r)
	m, err := feed.Measure(ctx, feed.Test, t.eval)
	if err == nil {
		err = r.MeasuredFinite("test", m)
	}
	result.LanguageModelResult = &runfolder.LanguageModelResult{Test: feed.WithUnigram(m, feed.Test)}
	result.Parameters = t.net.ParameterCount()
	return err
}

// testText measures the weights in a file on the test text.
func testText(r *nas.Run, ctx context.Context, file string, result *runfolder.TrainResult) error {
	t, err := NewText(r, result.Genotype)
	if err != nil {
		return err
	}
	defer t.region.Forget()
	if err := model.LoadWeights(t.net, file); err != nil {
		return err
	}
	return t.test(ctx, r, result)
}
