package nas

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"math"
	"os"
	"path/filepath"

	"godarts/torch/nn"
)

// divergedFile is, in the folder of a run that diverged, how. It goes when the run is taken
// up again.
const divergedFile = "diverged.json"

// DivergedError ends a run whose loss or weights are no numbers any more.
type DivergedError struct {
	Epoch      int     `json:"epoch"` // from 1, with Step the step that found it; 0 if none was taken
	Step       int     `json:"step"`  // from 1
	What       string  `json:"what"`
	LR         float64 `json:"lr"`
	Checkpoint string  `json:"checkpoint,omitempty"` // the last good one, empty if there is none
}

func (e *DivergedError) Error() string {
	last := "no checkpoint was saved before"
	if e.Checkpoint != "" {
		last = "the last good checkpoint is " + e.Checkpoint
	}
	return fmt.Sprintf("nas: %s; %s", e.short(), last)
}

// short is the error without what to do about it: "epoch 1, step 7: the loss is NaN at
// learning rate 60".
func (e *DivergedError) short() string {
	return fmt.Sprintf("%s: %s at learning rate %.6g", e.where(), e.What, e.LR)
}

// where is "epoch 2, step 7".
func (e *DivergedError) where() string {
	if e.Epoch == 0 {
		return "before the first step"
	}
	return fmt.Sprintf("epoch %d, step %d", e.Epoch, e.Step)
}

// diverged is the error of a run that found so after the last step it took.
func (r *Run) diverged(what string) error {
	e := &DivergedError{Epoch: r.at.Epoch + 1, Step: r.at.Step, What: what, Checkpoint: r.lastCheckpoint()}
	if r.at.Step == 0 { // between epochs
		e.Epoch--
		if e.Epoch > 0 {
			e.Step = r.feed.steps(position{Epoch: e.Epoch - 1, Restarts: r.at.Restarts})
		}
	}
	e.LR = r.LR(max(e.Epoch-1, 0))
	return e
}

// finite is an error if the loss, or the sum of an epoch's, is no number.
func (s *Step) finite() error {
	for _, loss := range []float64{s.Loss, s.run.at.Meter.Loss} {
		if !isFinite(loss) {
			return s.run.diverged(fmt.Sprintf("the loss is %g", loss))
		}
	}
	return nil
}

func isFinite(x float64) bool { return !math.IsNaN(x) && !math.IsInf(x, 0) }

// Validate measures forward after an epoch on the validation half of a search, or on the test
// images of a training, or on those it holds out. A loss that is no number ends the run.
func (r *Run) Validate(ctx context.Context, epoch int, forward func(nn.Batch) nn.Output) Meter {
	m := r.measure(ctx, epoch, forward)
	if r.err == nil {
		r.err = r.measuredFinite(r.measured(), m)
	}
	return m
}

// measure is Validate of a network that may be as bad as it likes.
func (r *Run) measure(ctx context.Context, epoch int, forward func(nn.Batch) nn.Output) Meter {
	if r.err != nil {
		return Meter{}
	}
	m, err := r.feed.validate(ctx, epoch, forward)
	r.err = err
	return m
}

// measured is what an epoch is measured on: "validation", or "test" images.
func (r *Run) measured() string {
	if r.testsEpochs() {
		return "test"
	}
	return "validation"
}

// measuredFinite is an error if what was measured on a split is no number.
func (r *Run) measuredFinite(split string, m Meter) error {
	switch what := fmt.Sprintf("the %s loss is %g", split, m.MeanLoss()); {
	case isFinite(m.Loss):
		return nil
	case r.state == nil: // weights from a file, not a run
		return fmt.Errorf("nas: %s: the weights or the data are not fit for each other", what)
	default:
		return r.diverged(what)
	}
}

// remember writes into a run folder how its run has diverged, if err says so, for those that
// the run is a part of.
func remember(dir string, err error) error {
	var diverged *DivergedError
	if !errors.As(err, &diverged) {
		return err
	}
	if failed := writeJSON(filepath.Join(dir, divergedFile), diverged); failed != nil {
		return fmt.Errorf("%v; then %w", err, failed) // no divergence that a later call would know of
	}
	return err
}

// forget removes what remember wrote.
func forget(dir string) error {
	if err := os.Remove(filepath.Join(dir, divergedFile)); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return fmt.Errorf("nas: run folder: %w", err)
	}
	return nil
}

// Diverged tells how the run in dir has diverged, nil if it has not.
func Diverged(dir string) (*DivergedError, error) {
	var e DivergedError
	err := readJSON(filepath.Join(dir, divergedFile), &e)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return nil, nil
	case err != nil:
		return nil, err
	}
	return &e, nil
}
