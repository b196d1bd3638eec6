package nas

import (
	"fmt"

	"godarts/nas/config"
)

// placed is a state that knows where in a run it can be.
type placed interface {
	// standsAt is an error if a run that stands at a position never has the state.
	standsAt(at position) error
}

// reaches is an error if the run never stands at a position.
func (r *Run) reaches(at position) error {
	c, epochs := r.Config, r.Config.RunEpochs()
	if c.FromScratch() {
		epochs = c.Trials() // each counts as one
	}
	// A text's training goes back to its best model at most once from each epoch.
	restarts := 0
	if c.Data.IsText() && c.Experiment == config.Train {
		restarts = at.Epoch
	}
	if at.Epoch < 0 || at.Epoch > epochs || at.Step < 0 || at.Restarts < 0 || at.Restarts > restarts {
		return fmt.Errorf("epoch %d of %d, step %d, restart %d", at.Epoch, epochs, at.Step, at.Restarts)
	}
	steps := 0
	if at.Epoch < epochs && at.Step > 0 && !c.FromScratch() {
		steps = r.feed.steps(at)
	}
	if at.Step > steps {
		return fmt.Errorf("epoch %d, step %d of %d", at.Epoch, at.Step, steps)
	}
	if at.Step == 0 && at.Meter != (Meter{}) {
		return fmt.Errorf("epoch %d, step 0: %d counted before the first step", at.Epoch, at.Meter.Count)
	}
	for _, m := range []Meter{at.Meter, at.Valid} {
		if m.Count < 0 || m.Loss < 0 || m.Correct < 0 || m.InFive < 0 || max(m.Correct, m.InFive) > float64(m.Count) {
			return fmt.Errorf("%v correct and %v in five of %d, loss %v", m.Correct, m.InFive, m.Count, m.Loss)
		}
	}
	return nil
}
