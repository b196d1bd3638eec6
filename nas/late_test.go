package nas_test

import (
	"context"
	"errors"
	"path/filepath"
	"testing"

	"godarts/nas"
	"godarts/nas/config"
	"godarts/nas/fixture"
	"godarts/nas/runfolder"
	"godarts/nas/search"
	"godarts/nas/train"
)

func TestRecordsLate(t *testing.T) {
	// A run whose steps are recorded while the next one runs writes the same folder, also after an interruption at each of its steps and with checkpoints between.
	perform := func(ctx context.Context, dir string, c *config.Config, s nas.Settings) (err error) {
		if c.Experiment == config.Train {
			_, err = train.Run(ctx, dir, c, s)
		} else {
			_, err = search.Run(ctx, dir, c, s)
		}
		return err
	}
	for _, row := range []struct {
		file string
		set  []string
	}{
		{"testdata/tiny.yaml", []string{"network.nodes=1"}},
		{"testdata/tiny.yaml", []string{"network.nodes=1", "strategy.order=2"}},
		{"testdata/tiny-train.yaml", nil},
		{"testdata/tiny-text.yaml", nil},
		{"testdata/tiny-text-train.yaml", []string{"epochs=4", "nonmono=1"}},
	} {
		c, err := config.Load(row.file, row.set...)
		if err != nil {
			t.Fatal(err)
		}
		want := filepath.Join(t.TempDir(), "run")
		if err := perform(t.Context(), want, c, nas.Settings{}); err != nil {
			t.Fatal(err)
		}
		steps := 0
		for _, every := range []int{0, 2} {
			for stopAt := 0; stopAt <= steps; stopAt++ {
				ctx, cancel := context.WithCancel(t.Context())
				late, taken := 0, 0
				watch := nas.Hooks{
					Needs: func(*nas.Run, *nas.Step) bool { return false },
					OnStep: func(r *nas.Run, s *nas.Step) error {
						if taken++; taken == stopAt {
							cancel()
						}
						if gone(s) {
							late++
						}
						if r.At.Step != s.Index+1 || s.Loss == 0 {
							t.Errorf("step %d: position %d, loss %g", s.Index, r.At.Step, s.Loss)
						}
						return nil
					},
				}
				settings := nas.Settings{Hooks: []nas.Hooks{watch}, Every: nas.CheckpointEvery{Steps: every}}
				got := filepath.Join(t.TempDir(), "run")
				end := nas.RecordLate()
				err := perform(ctx, got, c, settings)
				if stopAt == 0 {
					steps = taken
					if all := late == taken; err != nil || late == 0 || all != (every == 0) {
						t.Errorf("%s: %d of %d steps are late, error %v", row.file, late, taken, err)
					}
				} else if errors.Is(err, context.Canceled) {
					end()
					err = perform(t.Context(), got, c, nas.Settings{})
				}
				end()
				cancel()
				if err != nil {
					t.Fatal(err)
				}
				fixture.Same(t, want, got)
			}
		}
	}
}

func TestDivergesLate(t *testing.T) {
	// A training on a text that diverges goes back to its best model and writes the same folder, though the step after the one that diverged has been taken by then.
	c := fixture.LoadTiny(t, "tiny-text-train.yaml", "epochs=5", "nonmono=1")
	perform := func() (dir string, taken int) {
		dir = filepath.Join(t.TempDir(), "run")
		spoiled := false
		spoil := nas.Hooks{
			Needs: func(*nas.Run, *nas.Step) bool { return false },
			OnStep: func(r *nas.Run, s *nas.Step) error {
				if taken++; spoiled || s.Epoch < 3 || s.Index != 1 {
					return nil
				}
				spoiled = true
				return &runfolder.DivergedError{Epoch: s.Epoch + 1, Step: 2, What: "the loss is +Inf", LR: s.LR}
			},
		}
		result, err := train.Run(t.Context(), dir, c, nas.Settings{Hooks: []nas.Hooks{spoil}})
		if err != nil {
			t.Fatal(err)
		}
		if result.Restarts != 1 {
			t.Fatalf("%d restarts, want 1", result.Restarts)
		}
		return dir, taken
	}
	want, steps := perform()
	defer nas.RecordLate()()
	got, taken := perform()
	fixture.Same(t, want, got)
	if taken != steps {
		t.Errorf("%d steps are recorded, want %d", taken, steps)
	}
}

// gone tells whether the step's tensors have been freed.
func gone(s *nas.Step) (is bool) {
	defer func() { is = recover() != nil }()
	s.Train.X.Shape()
	return false
}
