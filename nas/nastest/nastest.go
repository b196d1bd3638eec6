// Package nastest is the test suite for strategies.
package nastest

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"os"
	"path/filepath"
	"slices"
	"testing"

	"godarts/nas"
	"godarts/nas/config"
	"godarts/nas/fixture"
	"godarts/nas/runfolder"
	"godarts/nas/search"
	"godarts/torch"
)

// TestStrategy runs the search that c describes several times; it should take about a second. It checks
// that the genotype is valid, that the same seed gives the same bytes, that an interrupted search ends
// with the same bytes, that a cancelled context ends it, and that no tensor outlives it.
func TestStrategy(t *testing.T, c *config.Config) { TestStrategyOn(t, c, torch.CPU) }

// TestStrategyOn is TestStrategy on a given device.
func TestStrategyOn(t *testing.T, c *config.Config, device torch.Device) {
	settings := nas.Settings{Device: device}
	undisturbed := filepath.Join(t.TempDir(), "run")
	live := torch.Live()
	result, err := search.Run(t.Context(), undisturbed, c, settings)
	if err != nil {
		t.Fatal(err)
	}
	if err := result.Genotype.Validate(); err != nil {
		t.Error(err)
	}
	if got := torch.Live(); got != live {
		t.Errorf("%d tensors outlive the search", got-live)
	}

	t.Run("same seed", func(t *testing.T) {
		// A second search ends with the same bytes when the seed is the same.
		dir := filepath.Join(t.TempDir(), "run")
		if _, err := search.Run(t.Context(), dir, c, settings); err != nil {
			t.Fatal(err)
		}
		fixture.Same(t, undisturbed, dir)
	})
	t.Run("another seed", func(t *testing.T) {
		// A second search measures other networks when the seed differs.
		other := *c
		other.Seed++
		dir := filepath.Join(t.TempDir(), "run")
		if _, err := search.Run(t.Context(), dir, &other, settings); err != nil {
			t.Fatal(err)
		}
		if got := validLosses(t, dir); len(got) == 0 || slices.Equal(got, validLosses(t, undisturbed)) {
			t.Errorf("the seed changes nothing: validation losses %v", got)
		}
	})
	t.Run("interrupted", func(t *testing.T) {
		// A search ends with the same bytes when it is interrupted at every step.
		dir := filepath.Join(t.TempDir(), "run")
		interruptions := 0
		for {
			ctx, cancel := context.WithCancel(t.Context())
			first := true
			stop := nas.Hooks{OnStep: func(*nas.Run, *nas.Step) error {
				if first {
					cancel()
				}
				first = false
				return nil
			}}
			_, err := search.Run(ctx, dir, c, nas.Settings{Device: device, Hooks: []nas.Hooks{stop}})
			cancel()
			if err == nil {
				break
			}
			if !errors.Is(err, context.Canceled) {
				t.Fatal(err)
			}
			interruptions++
		}
		if interruptions == 0 {
			t.Error("the search does not honour its context")
		}
		fixture.Same(t, undisturbed, dir)
	})
	t.Run("cancelled before", func(t *testing.T) {
		// A search takes no step when its context is done already.
		ctx, cancel := context.WithCancel(t.Context())
		cancel()
		count := nas.Hooks{OnStep: func(*nas.Run, *nas.Step) error {
			t.Error("a step was taken")
			return nil
		}}
		_, err := search.Run(ctx, filepath.Join(t.TempDir(), "run"), c, nas.Settings{Device: device, Hooks: []nas.Hooks{count}})
		if !errors.Is(err, context.Canceled) {
			t.Errorf("got error %v, want %v", err, context.Canceled)
		}
	})
}

// validLosses returns the validation losses of the run in dir, by epoch.
func validLosses(t *testing.T, dir string) (losses []float64) {
	t.Helper()
	content, err := os.ReadFile(filepath.Join(dir, runfolder.MetricsFile))
	if err != nil {
		t.Fatal(err)
	}
	for line := range bytes.Lines(content) {
		var epoch struct {
			ValidLoss *float64 `json:"valid_loss"`
		}
		if err := json.Unmarshal(line, &epoch); err != nil {
			t.Fatal(err)
		}
		if epoch.ValidLoss != nil {
			losses = append(losses, *epoch.ValidLoss)
		}
	}
	return losses
}
