package runfolder

import (
	"errors"
	"fmt"
	"strings"

	"godarts/nas/names"
)

// RunPart runs a training that is part of a larger experiment, unless it has diverged before: it is
// tried again only after its folder is deleted. If it diverges, result.Diverged says how, and there is
// no error.
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

// FailedError says that some parts of an experiment diverged. The others are complete, and the result
// of the experiment holds theirs.
type FailedError struct {
	Parts []string // "train-4: epoch 1, step 7: the loss is NaN at learning rate 60"
	Of    int      // number of parts
}

func (e *FailedError) Error() string {
	return fmt.Sprintf("nas: %d of %s diverged: %s; to try a part again delete its folder", len(e.Parts), names.Count(e.Of, "part"), strings.Join(e.Parts, "; "))
}

// Add adds a part that diverged.
func (e *FailedError) Add(name, how string) {
	e.Parts = append(e.Parts, name+": "+how)
}

// Err returns e if any part has diverged, else nil.
func (e *FailedError) Err() error {
	if len(e.Parts) == 0 {
		return nil
	}
	return e
}

// Failed returns an error that names the evaluations that diverged, nil if none did.
func (s SearchResult) Failed() error {
	e := &FailedError{Of: len(s.Evaluations)}
	for _, it := range s.Evaluations {
		if it.Diverged != nil {
			e.Add(it.Name, it.Diverged.Short())
		}
	}
	return e.Err()
}
