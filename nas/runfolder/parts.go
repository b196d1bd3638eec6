package runfolder

import (
	"errors"
	"fmt"
	"strings"

	"godarts/nas/names"
)

// RunPart runs a training that is a part of something larger, unless it has diverged before: a
// part that does is not taken up again by itself. To try it again delete its folder. If it
// diverges result.Diverged says how.
func RunPart(dir string, train func() (TrainResult, error)) (result TrainResult, err error) {
	if result.Diverged, err = ReadDivergence(dir); err != nil || result.Diverged != nil {
		return result, err
	}
	result, err = train()
	if errors.As(err, &result.Diverged) {
		return result, nil
	}
	return result, err
}

// FailedError ends what has several parts, of which some diverged and the others are
// complete. Its result holds what these reached.
type FailedError struct {
	Parts []string // "train-4: epoch 1, step 7: the loss is NaN at learning rate 60"
	Of    int      // how many there are
}

func (e *FailedError) Error() string {
	return fmt.Sprintf("nas: %d of %s diverged: %s; to try a part again delete its folder", len(e.Parts), names.Count(e.Of, "part"), strings.Join(e.Parts, "; "))
}

// Add notes that a part has diverged, and how.
func (e *FailedError) Add(name, how string) {
	e.Parts = append(e.Parts, name+": "+how)
}

// Err is e if any part has diverged.
func (e *FailedError) Err() error {
	if len(e.Parts) == 0 {
		return nil
	}
	return e
}

// Failed is an error that names the evaluations that diverged, nil if none did.
func (s SearchResult) Failed() error {
	e := &FailedError{Of: len(s.Evaluations)}
	for _, it := range s.Evaluations {
		if it.Diverged != nil {
			e.Add(it.Name, it.Diverged.Short())
		}
	}
	return e.Err()
}
