package nas

import (
	"context"
	"errors"
	"testing"
)

func TestOnEnd(t *testing.T) {
	// The run's error tells of the failed save, not of the interrupt, when an interrupted run could not be saved.
	full := errors.New("no space left on device")
	diverged := errors.New("the loss is NaN")
	fails := []Hooks{{OnEnd: func(*Run, error) error { return full }}, {OnEnd: func(*Run, error) error { return nil }}}
	passes := []Hooks{{OnEnd: func(*Run, error) error { return nil }}, {}}
	for _, test := range []struct {
		name  string
		hooks []Hooks
		end   error
		want  string // empty for nil
	}{
		{"complete", passes, nil, ""},
		{"complete, a hook fails", fails, nil, "no space left on device"},
		{"interrupted", passes, context.Canceled, "context canceled"},
		{"interrupted, not saved", fails, context.Canceled, "no space left on device"},
		{"failed", passes, diverged, "the loss is NaN"},
		{"failed, a hook fails", fails, diverged, "the loss is NaN; then no space left on device"},
	} {
		t.Run(test.name, func(t *testing.T) {
			got := ""
			err := (&Run{hooks: test.hooks}).onEnd(test.end)
			if err != nil {
				got = err.Error()
			}
			if got != test.want {
				t.Errorf("got %q, want %q", got, test.want)
			}
			if test.name == "interrupted, not saved" && errors.Is(err, context.Canceled) {
				t.Error("a run that could not be saved counts as interrupted")
			}
		})
	}
}
