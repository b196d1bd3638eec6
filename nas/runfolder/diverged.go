package runfolder

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
)

// DivergedFile says how the run in its folder diverged. It is removed when the run is resumed.
const DivergedFile = "diverged.json"

// DivergedError ends a run whose loss or weights are not finite.
type DivergedError struct {
	Epoch      int     `json:"epoch"` // from 1, of the step that found it; 0 before the first step
	Step       int     `json:"step"`  // from 1
	What       string  `json:"what"`
	LR         float64 `json:"lr"`
	Checkpoint string  `json:"checkpoint,omitempty"` // the last good checkpoint, empty if there is none
}

func (e *DivergedError) Error() string {
	last := "no checkpoint was saved before"
	if e.Checkpoint != "" {
		last = "the last good checkpoint is " + e.Checkpoint
	}
	return fmt.Sprintf("nas: %s; %s", e.Short(), last)
}

// Short returns the error without a way to go on: "epoch 1, step 7: the loss is NaN at learning rate
// 60".
func (e *DivergedError) Short() string {
	return fmt.Sprintf("%s: %s at learning rate %.6g", e.Where(), e.What, e.LR)
}

// Where returns "epoch 2, step 7".
func (e *DivergedError) Where() string {
	if e.Epoch == 0 {
		return "before the first step"
	}
	return fmt.Sprintf("epoch %d, step %d", e.Epoch, e.Step)
}

// RecordDivergence writes the divergence of the run to its folder if err is one, so that the protocol
// or comparison of the run can read it. It returns err.
func RecordDivergence(dir string, err error) error {
	var diverged *DivergedError
	if !errors.As(err, &diverged) {
		return err
	}
	if failed := WriteJSON(filepath.Join(dir, DivergedFile), diverged); failed != nil {
		return fmt.Errorf("%v; then %w", err, failed) // the returned error must not wrap a divergence that no later call could read
	}
	return err
}

// ClearDivergence removes the file that RecordDivergence wrote.
func ClearDivergence(dir string) error {
	if err := os.Remove(filepath.Join(dir, DivergedFile)); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return fmt.Errorf("nas: run folder: %w", err)
	}
	return nil
}

// ReadDivergence returns how the run in dir diverged, nil if it has not.
func ReadDivergence(dir string) (*DivergedError, error) {
	var e DivergedError
	err := ReadJSON(filepath.Join(dir, DivergedFile), &e)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return nil, nil
	case err != nil:
		return nil, err
	}
	return &e, nil
}
