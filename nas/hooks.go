package nas

import (
	"context"
	"errors"
	"fmt"
)

// Hooks watch a run. Nil functions are skipped. Sets of hooks are called in the order of registration,
// and the first error stops the run.
type Hooks struct {
	OnCheck func(r *Run, done, of int) // before a new run starts: the number of image files that have been read
	OnStart func(*Run) error
	OnStep  func(*Run, *Step) error
	// Needs reports whether OnStep of the step s, which has been taken, needs the state as that step leaves it; nil means
	// always. It is called first. On a GPU OnStep may else be called while the next step runs, when tensors of s are gone.
	Needs   func(r *Run, s *Step) bool
	OnEpoch func(*Run, *Epoch) error
	OnEnd   func(*Run, error) error // always called; the error is the one that ended the run, nil if it is complete
}

// guard ends a run with the error of check, which it calls after each step and epoch.
func guard(check func() error) Hooks {
	if check == nil {
		return Hooks{}
	}
	return Hooks{
		Needs:   never,
		OnStep:  func(*Run, *Step) error { return check() },
		OnEpoch: func(*Run, *Epoch) error { return check() },
	}
}

// each calls call with every set of hooks, up to the first error.
func (r *Run) each(call func(Hooks) error) error {
	for _, h := range r.hooks {
		if err := call(h); err != nil {
			return err
		}
	}
	return nil
}

func (r *Run) onStart() error {
	return r.each(func(h Hooks) error {
		if h.OnStart == nil {
			return nil
		}
		return h.OnStart(r)
	})
}

// never is for hooks that need no state.
func never(*Run, *Step) bool { return false }

// needed tells whether a hook needs the state as s leaves it. It asks them all.
func (r *Run) needed(s *Step) (now bool) {
	for _, h := range r.hooks {
		if h.OnStep != nil && (h.Needs == nil || h.Needs(r, s)) {
			now = true
		}
	}
	return now
}

func (r *Run) onStep(s *Step) error {
	return r.each(func(h Hooks) error {
		if h.OnStep == nil {
			return nil
		}
		return h.OnStep(r, s)
	})
}

func (r *Run) onEpoch(e *Epoch) error {
	return r.each(func(h Hooks) error {
		if h.OnEpoch == nil {
			return nil
		}
		return h.OnEpoch(r, e)
	})
}

// onEnd calls every OnEnd, whatever the others return. A run that was interrupted and could not be
// saved has failed.
func (r *Run) onEnd(end error) error {
	err := end
	for _, h := range r.hooks {
		if h.OnEnd == nil {
			continue
		}
		switch failed := h.OnEnd(r, end); {
		case failed == nil:
		case err == nil || errors.Is(err, context.Canceled):
			err = failed
		default:
			err = fmt.Errorf("%w; then %w", err, failed)
		}
	}
	return err
}
