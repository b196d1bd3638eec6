package bench_test

import (
	"bytes"
	"context"
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"godarts/nas/bench"
	"godarts/nas/report"
)

// options returns the options to measure one row with two threads.
func options(sides ...bench.Side) bench.Options {
	return bench.Options{
		Rows: []string{"train"}, Rounds: 3, Budget: time.Hour, Threads: 2, Seed: 7, Sides: sides, Log: &bytes.Buffer{},
	}
}

func measure(ctx context.Context, o bench.Options) (b report.Bench, err error) {
	err = bench.Measure(ctx, o, func(got report.Bench) error {
		b = got
		return nil
	})
	return b, err
}

func TestMeasure(t *testing.T) {
	// Two programs that take turns give times, ratios, versions and memory.
	o := options(rival(t, "a"), rival(t, "b"))
	var log bytes.Buffer
	o.Log = &log
	b, err := measure(t.Context(), o)
	if err != nil {
		t.Fatal(err)
	}
	loss := 2.5
	want := []report.BenchRow{{
		Name: "train", Title: "training step", Work: "C 36, 20 layers, batch 16", Passed: 16, Of: "images",
		Sides: []report.BenchSide{
			{Name: "a", StepSeconds: []float64{1, 2, 1.5}, FirstLoss: &loss, PeakBytes: 1e6, Seconds: 1.5, PerSecond: 16 / 1.5},
			{Name: "b", StepSeconds: []float64{6, 6, 6}, FirstLoss: &loss, PeakBytes: 1e6, Seconds: 6, PerSecond: 16. / 6,
				Ratio: &report.Ratio{Median: 4, Min: 3, Max: 6}, MemoryRatio: 1},
		},
	}}
	if diff := cmp.Diff(want, b.Rows); diff != "" {
		t.Error(diff)
	}
	wantLog := `training step, warm-up: a 0.5 s, b 3 s
training step, round 1 of 3: a 1 s, b 6 s
training step, round 2 of 3: a 2 s, b 6 s
training step, round 3 of 3: a 1.5 s, b 6 s
`
	if diff := cmp.Diff(wantLog, log.String()); diff != "" {
		t.Error(diff)
	}
	if got, want := b.Programs[1].Version, "rival 1 train --batch 16 --channels 36 --layers 20 --threads 2 --seed 7 --device cpu"; got != want {
		t.Errorf("version, with the flags that the program got, is %q, want %q", got, want)
	}
	if b.Threads != 2 || b.Seed != 7 || b.Device != "cpu" || b.Machine.Cores < 1 || b.Machine.Memory < 1e6 {
		t.Errorf("conditions %+v", b)
	}
}

func TestBudget(t *testing.T) {
	// Two rounds are made, with a note, when there is no time for more.
	o := options(rival(t, "a"))
	o.Budget = 0
	b, err := measure(t.Context(), o)
	if err != nil {
		t.Fatal(err)
	}
	row := b.Rows[0]
	if got := row.Sides[0].StepSeconds; !cmp.Equal(got, []float64{1, 2}) {
		t.Errorf("steps %v, want the first two", got)
	}
	if want := []string{"2 rounds, not 3: another would have taken it beyond 0s"}; !cmp.Equal(row.Notes, want) {
		t.Errorf("notes %q, want %q", row.Notes, want)
	}
}

func TestMeasureErrors(t *testing.T) {
	// The error names in one line the program, the request at which it failed, and its last output.
	for _, test := range []struct{ rival, want string }{
		{"not a program", `bench: not-a-program: ended without an answer to "ready": exit status 1; its last words: ModuleNotFoundError: No module named 'torch' (row train)`},
		{"no answer", `bench: no-answer: ended without an answer to "step": exit status 1; its last words: RuntimeError: out of memory (row train)`},
		{"rubbish", `bench: rubbish: answered "importing torch" to "ready", wanted a line such as {"ready": "NAME VERSION", "threads": 2}; its last words: a warning (row train)`},
		{"wrong answer", `bench: wrong-answer: answered "{\"peak_bytes\": 1}" to "step", wanted a line such as {"seconds": 1.5, "loss": 2.3} (row train)`},
		{"more threads", `bench: more-threads: computes with 3 threads, asked for 2 (row train)`},
		{"bad end", `bench: bad-end: failed when it ended: exit status 1; its last words: corrupted size vs. prev_size (row train)`},
	} {
		t.Run(test.rival, func(t *testing.T) {
			o := options(rival(t, "a"), rival(t, test.rival))
			o.Rounds = 2
			_, err := measure(t.Context(), o)
			if err == nil || err.Error() != test.want {
				t.Errorf("got  %v\nwant %s", err, test.want)
			}
		})
	}
	_, err := measure(t.Context(), options(bench.Side{Name: "gone", Command: []string{"/no/such/program"}}))
	if err == nil || !strings.HasPrefix(err.Error(), "bench: gone: fork/exec /no/such/program: ") {
		t.Errorf("a program that is not there: %v", err)
	}
}

func TestUnknownRow(t *testing.T) {
	// An unknown row is an error that names all rows, before any program starts.
	o := options(bench.Side{Name: "gone", Command: []string{"/no/such/program"}})
	o.Rows = []string{"train", "trian"}
	want := `bench: unknown row "trian" (there are: forward-backward, first-order, second-order, train, inference, rnn-first-order, rnn-second-order, rnn-train, input, decode)`
	if _, err := measure(t.Context(), o); err == nil || err.Error() != want {
		t.Errorf("got %v, want %s", err, want)
	}
}

func TestCancelled(t *testing.T) {
	// Programs end when the context is done, also one that hangs.
	ctx, cancel := context.WithCancel(t.Context())
	time.AfterFunc(100*time.Millisecond, cancel)
	_, err := measure(ctx, options(rival(t, "a"), rival(t, "hangs")))
	if !errors.Is(err, context.Canceled) {
		t.Errorf("got %v, want %v", err, context.Canceled)
	}
}

func TestDoneFails(t *testing.T) {
	// Measure ends with the error that done returns.
	full := errors.New("disk full")
	o := options(rival(t, "a"))
	o.Rows = []string{"train", "inference"}
	calls := 0
	err := bench.Measure(t.Context(), o, func(report.Bench) error {
		calls++
		return full
	})
	if !errors.Is(err, full) || calls != 1 {
		t.Errorf("got %v after %d rows, want %v after 1", err, calls, full)
	}
}
