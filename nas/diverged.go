package nas

import (
	"context"
	"fmt"
	"math"

	"godarts/nas/runfolder"
	"godarts/torch/nn"
)

// diverged is the error of a run that found so after the last step it took.
func (r *Run) diverged(what string) error {
	e := &runfolder.DivergedError{Epoch: r.at.Epoch + 1, Step: r.at.Step, What: what, Checkpoint: r.lastCheckpoint()}
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
