package runfolder

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
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
	return fmt.Sprintf("nas: %s; %s", e.Short(), last)
}

// Short is the error without what to do about it: "epoch 1, step 7: the loss is NaN at
// learning rate 60".
func (e *DivergedError) Short() string {
	return fmt.Sprintf("%s: %s at learning rate %.6g", e.Where(), e.What, e.LR)
}

// Where is "epoch 2, step 7".
func (e *DivergedError) Where() string {
	if e.Epoch == 0 {
		return "before the first step"
	}
	return fmt.Sprintf("epoch %d, step %d", e.Epoch, e.Step)
}

// RecordDivergence writes into a run folder how its run has diverged, if err says so, for those that
// the run is a part of.
func RecordDivergence(dir string, err error) error {
	var diverged *DivergedError
	if !errors.As(err, &diverged) {
		return err
	}
	if failed := WriteJSON(filepath.Join(dir, divergedFile), diverged); failed != nil {
		return fmt.Errorf("%v; then %w", err, failed) // no divergence that a later call would know of
	}
	return err
}

// ClearDivergence removes what remember wrote.
func ClearDivergence(dir string) error {
	if err := os.Remove(filepath.Join(dir, divergedFile)); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return fmt.Errorf("nas: run folder: %w", err)
	}
	return nil
}

// ReadDivergence tells how the run in dir has diverged, nil if it has not.
func ReadDivergence(dir string) (*DivergedError, error) {
	var e DivergedError
	err := ReadJSON(filepath.Join(dir, divergedFile), &e)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return nil, nil
	case err != nil:
		return nil, err
	}
	return &e, nil
}
