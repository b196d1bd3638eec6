package nas

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"godarts/cells/genotype"
	"godarts/nas/config"
	"godarts/nas/runfolder"
)

// reported is a run of 5 epochs of 4 steps of 8 images, watched by a clock that
// stands still unless it is moved.
type reported struct {
	run   *Run
	out   bytes.Buffer
	clock time.Time
	hooks Hooks
}

func newReported(experiment string, width func() int) *reported {
	p := &reported{clock: time.Unix(1000, 0)}
	p.run = &Run{Config: &config.Config{Experiment: experiment, Data: config.Data{TrainPortion: 1}, Epochs: 5}, Dir: "runs/tiny"}
	p.run.Feed = reportedFeed{measured: map[string]string{config.Search: "validation", config.Train: "test"}[experiment]}
	p.hooks = (&progress{w: &p.out, width: width, now: func() time.Time { return p.clock }}).watch()
	return p
}

// reportedFeed is a feed of 32 images that never come.
type reportedFeed struct {
	Feed
	measured string
}

func (reportedFeed) Size() (n int, what string) { return 32, "image" }

func (reportedFeed) Steps(Position) int { return 4 }

func (f reportedFeed) Measured() string { return f.measured }

func (reportedFeed) Quality(m Meter) string {
	return fmt.Sprintf("loss %.4f, accuracy %.1f %%", m.MeanLoss(), 100*m.Accuracy())
}

// step takes a step of a mean loss of 2 and half of the images right.
func (p *reported) step(t *testing.T, takes time.Duration) {
	t.Helper()
	p.clock = p.clock.Add(takes)
	p.run.At.Step++
	p.run.At.Meter.Add(2, 4, 8)
	if err := p.hooks.OnStep(p.run, &Step{Epoch: p.run.At.Epoch, Index: p.run.At.Step - 1, Of: 4, Count: 8}); err != nil {
		t.Fatal(err)
	}
}

func (p *reported) start(t *testing.T) {
	t.Helper()
	if err := p.hooks.OnStart(p.run); err != nil {
		t.Fatal(err)
	}
}

func (p *reported) lines() []string {
	return strings.Split(strings.TrimSuffix(p.out.String(), "\n"), "\n")
}

func TestProgressLines(t *testing.T) {
	// A line comes for every ten seconds and epoch when the output is no terminal.
	epoch := &Epoch{Index: 0, LR: 0.0249812, Train: Meter{Loss: 64, Correct: 16, Count: 32}, Valid: Meter{Loss: 8, Correct: 6, Count: 8}, Genotype: genotype.Published[0].Genotype.String()}
	for _, test := range []struct {
		name, experiment string
		want             []string
	}{
		{"search", config.Search, []string{
			"search tiny: 5 epochs of 4 steps, 32 images",
			"epoch 1/5, step 2/4: loss 2.0000, accuracy 50.0 %, 1 images/s, 1m48s left",
			"epoch 1/5: train loss 2.0000, accuracy 50.0 %; validation loss 1.0000, accuracy 75.0 %; learning rate 0.02498; 14 s",
		}},
		{"training", config.Train, []string{
			"training tiny: 5 epochs of 4 steps, 32 images",
			"epoch 1/5, step 2/4: loss 2.0000, accuracy 50.0 %, 1 images/s, 1m48s left",
			"epoch 1/5: train loss 2.0000, accuracy 50.0 %; test loss 1.0000, accuracy 75.0 %; learning rate 0.02498; 14 s",
		}},
	} {
		t.Run(test.name, func(t *testing.T) {
			p := newReported(test.experiment, nil)
			p.start(t)
			for _, takes := range []time.Duration{6, 6, 1, 1} {
				p.step(t, takes*time.Second)
			}
			e := *epoch
			if test.experiment == config.Train {
				e.Genotype = ""
			}
			if err := p.hooks.OnEpoch(p.run, &e); err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(test.want, p.lines()); diff != "" {
				t.Error(diff)
			}
		})
	}
}

func TestProgressOnTerminal(t *testing.T) {
	// The line of an epoch is shortened on a terminal, and continues on an indented line where the next part does not fit.
	first := genotype.Published[0].Genotype
	second := first
	second.Normal.Edges = slices.Clone(first.Normal.Edges)
	second.Normal.Edges[0].Op = "dil_conv_5x5"
	epoch := &Epoch{Index: 0, LR: 0.0249812, Train: Meter{Loss: 64, Correct: 16, Count: 32}, Valid: Meter{Loss: 8, Correct: 6, Count: 8}, Genotype: second.String()}
	const train, valid, rest = "epoch 1/5: train loss 2.0000 acc 50.0 %;", "validation loss 1.0000 acc 75.0 %;", "learning rate 0.02498; 1 of 20 edges changed;"
	for columns, want := range map[int][]string{
		200: {train + " " + valid + " " + rest + " 0.0 s"},
		80:  {train + " " + valid, "    " + rest + " 0.0 s"},
		0:   {train + " " + valid, "    " + rest + " 0.0 s"}, // a terminal that does not tell
		50:  {train, "    " + valid, "    " + rest, "    0.0 s"},
		10:  {train, "    " + valid, "    learning rate 0.02498;", "    1 of 20 edges changed;", "    0.0 s"},
	} {
		p := newReported(config.Search, func() int { return columns })
		p.run.Dir = t.TempDir()
		p.start(t)
		if err := p.hooks.OnEpoch(p.run, &Epoch{Genotype: first.String()}); err != nil {
			t.Fatal(err)
		}
		p.out.Reset()
		if err := p.hooks.OnEpoch(p.run, epoch); err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(want, p.lines()); diff != "" {
			t.Errorf("%d columns (-want +got):\n%s", columns, diff)
		}
	}
}

func TestProgressGenotypes(t *testing.T) {
	// An epoch says how many edges it has changed, and nothing of an unchanged cell or the first one.
	first := genotype.Published[0].Genotype
	second := first
	second.Normal.Edges = slices.Clone(first.Normal.Edges)
	second.Normal.Edges[0].Op, second.Normal.Edges[3].From = "dil_conv_5x5", 2
	p := newReported(config.Search, nil)
	p.run.Dir = t.TempDir()
	p.start(t)
	want := []string{"", "", "; 2 of 20 edges changed", "", "; 2 of 20 edges changed"}
	for i, g := range []genotype.Genotype{first, first, second, second, first} {
		p.out.Reset()
		if err := p.hooks.OnEpoch(p.run, &Epoch{Index: i, Genotype: g.String()}); err != nil {
			t.Fatal(err)
		}
		if line := p.out.String(); !strings.HasSuffix(line, "; learning rate 0"+want[i]+"; 0.0 s\n") {
			t.Errorf("epoch %d: %q, want %q in it", i+1, line, want[i])
		}
	}

	line := fmt.Sprintf(`{"epoch":0,"step":50}%s{"epoch":0,"genotype":"%v"}%s{"epo`, "\n", second, "\n")
	if err := os.WriteFile(filepath.Join(p.run.Dir, runfolder.MetricsFile), []byte(line), 0o644); err != nil {
		t.Fatal(err)
	}
	p.run.At = Position{Epoch: 1}
	p.start(t) // as a resumed run, which knows the cell of its last epoch
	if err := p.hooks.OnEpoch(p.run, &Epoch{Index: 1, Genotype: first.String()}); err != nil {
		t.Fatal(err)
	}
	if !strings.Contains(p.out.String(), "; 2 of 20 edges changed;") {
		t.Errorf("after a resume: %q", p.out.String())
	}
}

func TestProgressResumed(t *testing.T) {
	// The time left is by the speed of this process only when the run goes on from a checkpoint.
	p := newReported(config.Search, nil)
	p.run.At = Position{Epoch: 3, Step: 2}
	p.start(t)
	p.step(t, 20*time.Second) // 5 of 20 steps are left
	want := []string{
		"search tiny: 5 epochs of 4 steps, 32 images, going on in epoch 4 after step 2",
		"epoch 4/5, step 3/4: loss 2.0000, accuracy 50.0 %, 0 images/s, 1m40s left",
	}
	if diff := cmp.Diff(want, p.lines()); diff != "" {
		t.Error(diff)
	}
}

func TestProgressComplete(t *testing.T) {
	// One line says so when all epochs were done before.
	p := newReported(config.Search, func() int { return 80 })
	p.run.At = Position{Epoch: 5}
	p.start(t)
	if err := p.hooks.OnEnd(p.run, nil); err != nil {
		t.Fatal(err)
	}
	if want := []string{"search tiny: 5 epochs of 4 steps, 32 images, all done before"}; !cmp.Equal(want, p.lines()) {
		t.Error(cmp.Diff(want, p.lines()))
	}
}

func TestProgressBar(t *testing.T) {
	// A bar is drawn at most ten times a second and taken away at the end when the output is a terminal.
	p := newReported(config.Search, func() int { return 80 })
	p.start(t)
	p.step(t, 50*time.Millisecond)
	if strings.Contains(p.out.String(), "epoch 1/5 step") {
		t.Errorf("drawn after 50 ms: %q", p.out.String())
	}
	p.step(t, 50*time.Millisecond)
	if want := "epoch 1/5 step 2/4 loss 2.0000 acc 50.0 % 160 images/s 1s left  10% |         |"; !strings.Contains(p.out.String(), want) {
		t.Errorf("got %q, want %q in it", p.out.String(), want)
	}
	if err := p.hooks.OnEnd(p.run, errors.New("failed")); err != nil {
		t.Fatal(err)
	}
	if erase := "\r\x1b[K"; !strings.HasSuffix(p.out.String(), erase) {
		t.Errorf("the bar stays: %q", p.out.String())
	}
}

func TestShort(t *testing.T) {
	// A duration has its two largest units when it is printed as time left.
	for d, want := range map[time.Duration]string{
		0:                                       "0s",
		45400 * time.Millisecond:                "45s",
		60 * time.Second:                        "1m00s",
		12*time.Minute + 5*time.Second:          "12m05s",
		59*time.Minute + 59600*time.Millisecond: "1h00m",
		time.Hour + 2*time.Minute:               "1h02m",
		123*time.Hour + 59*time.Minute:          "123h59m",
	} {
		if got := short(d); got != want {
			t.Errorf("short(%v) = %q, want %q", d, got, want)
		}
	}
}

func TestProgressOfCheck(t *testing.T) {
	// A line comes for every ten seconds, with the time left, when image files are looked at before a start.
	p := newReported(config.Train, nil)
	p.run.Config.Data.Check = config.Decode
	for done := 1; done <= 25; done++ {
		p.hooks.OnCheck(p.run, done, 100)
		p.clock = p.clock.Add(time.Second)
	}
	want := []string{
		"checked 11 of 100 image files (data.check: decode), 1m21s left",
		"checked 21 of 100 image files (data.check: decode), 1m15s left",
	}
	if diff := cmp.Diff(want, p.lines()); diff != "" {
		t.Error(diff)
	}
}
