package nas

import (
	"math/rand/v2"
	"os"
	"path/filepath"
	"testing"

	"godarts/nas/config"
	"godarts/nas/finite"
	"godarts/nas/runfolder"
)

func TestStepsPerLine(t *testing.T) {
	// Small runs have a line for each step, and long ones at most mostStepLines lines, however long they are.
	for _, test := range []struct{ epochs, steps, want int }{{5, 12, 1}, {50, 390, 2}, {600, 521, 32}, {8000, 465, 372}, {0, 10, 1}} {
		r := &Run{Config: &config.Config{Experiment: config.Train, Epochs: test.epochs}, Feed: feedOf(test.steps)}
		if got := r.stepsPerLine(); got != test.want || test.epochs*(test.steps/got) > mostStepLines {
			t.Errorf("%d epochs of %d steps: every %d, want %d", test.epochs, test.steps, got, test.want)
		}
	}
}

// countingFeed is a feed of a number of steps.
type countingFeed struct {
	Feed
	steps int
}

func feedOf(steps int) Feed { return countingFeed{steps: steps} }

func (f countingFeed) Steps(Position) int { return f.steps }

// recordedEpoch returns the line of an epoch of a search in the paper's space.
func recordedEpoch() runfolder.Metric {
	r := rand.New(rand.NewPCG(1, 1))
	number := func() *float64 { return new(r.Float64()) }
	o := &runfolder.Observation{SkipConnections: new(2), Parameters: 3_000_000, MultiplyAdds: 500_000_000}
	for _, kind := range []string{"normal", "reduce"} {
		mix := runfolder.CellMix{Kind: kind, Operations: []string{
			"none", "max_pool_3x3", "avg_pool_3x3", "skip_connect", "sep_conv_3x3", "sep_conv_5x5", "dil_conv_3x3", "dil_conv_5x5"}}
		for node := 2; node < 6; node++ {
			for from := range node {
				edge := runfolder.EdgeMix{Node: node, From: from, Entropy: r.Float64()}
				for range mix.Operations {
					edge.P = append(edge.P, r.Float64())
				}
				mix.Edges = append(mix.Edges, edge)
			}
		}
		o.Cells = append(o.Cells, mix)
	}
	return runfolder.Metric{
		Epoch: 49, LR: number(), TrainLoss: number(), TrainAccuracy: number(), ValidLoss: number(), ValidAccuracy: number(),
		GradNormW: number(), GradNormAlpha: number(), Observation: o,
	}
}

func TestSizeOfMetrics(t *testing.T) {
	// The metrics of a run with as many lines as it may have, and of a thousand epochs of the paper's search, take less than 10 MB.
	size := func(m runfolder.Metric) int {
		line, err := finite.Marshal(m)
		if err != nil {
			t.Fatal(err)
		}
		return len(line) + 1
	}
	epoch := recordedEpoch()
	step := epoch
	step.Step, step.Of, step.Observation, step.ValidLoss, step.ValidAccuracy = 381, 390, nil, nil, nil
	if all := mostStepLines*size(step) + 1000*size(epoch); all > 10e6 {
		t.Errorf("%d bytes: %d of a step, %d of an epoch", all, size(step), size(epoch))
	}
}

func BenchmarkRecording(b *testing.B) {
	// What the lines of a step and of an epoch of the paper's search cost to write, with their timings.
	dir := b.TempDir()
	lock, err := runfolder.Lock(dir)
	if err != nil {
		b.Fatal(err)
	}
	defer lock.Close()
	r := &Run{Dir: dir, lock: lock, id: "x", Config: &config.Config{Experiment: config.Search}}
	if err := os.WriteFile(filepath.Join(dir, runfolder.RunFile),
		[]byte(`{"id":"x","version":"","libtorch":"","go":"","platform":"","device":"cpu","threads":1,"seed":1}`), 0o600); err != nil {
		b.Fatal(err)
	}
	epoch := recordedEpoch()
	step := epoch
	step.Step, step.Of, step.Observation = 381, 390, nil
	for _, line := range []struct {
		name string
		m    runfolder.Metric
	}{{"step", step}, {"epoch", epoch}} {
		b.Run(line.name, func(b *testing.B) {
			hooks := newRecorder()
			for b.Loop() {
				if err := hooks.append(r, line.m); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}
