package search_test

import (
	"context"
	"math"
	"path/filepath"
	"sync"
	"testing"

	"godarts/cells"
	"godarts/cells/genotype"
	"godarts/nas"
	"godarts/nas/config"
	"godarts/nas/fixture"
	"godarts/nas/search"
	"godarts/nas/train"
	"godarts/torch"
	"godarts/torch/nn"
)

// pass is a kind of pass, as an operation in it sees it.
type pass struct{ training, tf32 bool }

// passes counts the passes that tf32Probe saw, on any thread.
var passes struct {
	sync.Mutex
	n map[pass]int
}

// tf32Probe is an operation that gives what it reads, and notes in which passes.
type tf32Probe struct{ nn.Layer }

func (p tf32Probe) Forward(x torch.Tensor, m nn.Mode) torch.Tensor {
	passes.Lock()
	passes.n[pass{m.Training, torch.TF32()}]++
	passes.Unlock()
	return p.Layer.Forward(x, m)
}

func init() {
	cells.RegisterOp("tf32_probe", cells.CustomOp{New: func(p nn.Path, c, stride int, affine bool) nn.Layer {
		return tf32Probe{nn.Sequential{
			nn.NewConv2d(p.At("op").Index(0), c, c, [2]int{3, 3}, torch.Conv2dOptions{Stride: stride, Padding: 1, Groups: c}),
			nn.NewBatchNorm2d(p.At("op").Index(1), c, affine),
		}}
	}})
}

func TestTF32Passes(t *testing.T) {
	// The passes that train w run with TF32, those that train α or measure without, when w.precision says so; a run on a CPU, where it has no effect, is refused.
	const cell = "Genotype(normal=[('tf32_probe', 0), ('tf32_probe', 1)], normal_concat=[2], reduce=[('tf32_probe', 0), ('tf32_probe', 1)], reduce_concat=[2])"
	for _, test := range []struct {
		name, file string
		set        []string
		alpha      bool // α moves by passes in training mode
	}{
		{"darts, first order", "tiny", nil, true},
		{"darts, second order", "tiny", []string{"strategy.order=2"}, true},
		{"gdas", "tiny", []string{"strategy.name=gdas"}, true},
		{"rsps", "tiny", []string{"strategy.name=rsps", "strategy.candidates=1", "strategy.finalists=1", "strategy.score_batches=1"}, false},
		{"p-darts", "tiny-p-darts", nil, true},
		{"training", "tiny-train", []string{"genotype=" + cell}, false},
	} {
		t.Run(test.name, func(t *testing.T) {
			set := append(test.set, "w.precision=tf32", "epochs=4", "data.subset=24") // gdas draws the operations of a pass
			switch test.file {
			case "tiny":
				set = append(set, "network.nodes=1", "space.operations=[skip_connect, tf32_probe]")
			case "tiny-p-darts":
				set = append(test.set, "w.precision=tf32", "space.operations=[none, skip_connect, tf32_probe, sep_conv_3x3, sep_conv_5x5, max_pool_3x3, avg_pool_3x3]")
			}
			c := fixture.Load(t, "../testdata/"+test.file+".yaml", set...)
			passes.n = map[pass]int{}
			r := &nas.Run{Config: c}
			if err := r.Open(false); err != nil {
				t.Fatal(err)
			}
			if err := torch.Do(func() error { return workOn(t.Context(), r) }); err != nil {
				t.Fatal(err)
			}
			if n := passes.n; n[pass{true, true}] == 0 || n[pass{false, false}] == 0 || n[pass{false, true}] > 0 || (n[pass{true, false}] > 0) != test.alpha {
				t.Errorf("passes %v", n)
			}
			if torch.TF32() {
				t.Error("on at the end")
			}
			run := func() (err error) {
				if c.Experiment == config.Train {
					_, err = train.Run(t.Context(), filepath.Join(t.TempDir(), "run"), c, nas.Settings{})
				} else {
					_, err = search.Run(t.Context(), filepath.Join(t.TempDir(), "run"), c, nas.Settings{})
				}
				return err
			}
			if err := run(); err == nil || err.Error() != "nas: w.precision: tf32 has no effect on a CPU, want full, or --device cuda" {
				t.Errorf("on a CPU: %v", err)
			}
		})
	}
	c := fixture.Tiny(t, "evaluate.w.precision=tf32", "evaluate.network.channels=2", "evaluate.network.layers=3")
	if _, err := search.Run(t.Context(), filepath.Join(t.TempDir(), "run"), c, nas.Settings{}); err == nil || err.Error() != "nas: evaluate.train.w.precision: tf32 has no effect on a CPU, want full, or --device cuda" {
		t.Errorf("evaluation on a CPU: %v", err)
	}
}

// workOn runs the experiment of r without a folder.
func workOn(ctx context.Context, r *nas.Run) error {
	if r.Config.Experiment == config.Train {
		g, err := genotype.Parse(r.Config.Genotype)
		if err != nil {
			return err
		}
		trainer, err := train.New(r, g)
		if err != nil {
			return err
		}
		r.State = trainer
		_, err = trainer.Train(ctx, r)
		return err
	}
	strategy, err := nas.NewStrategy(r)
	if err != nil {
		return err
	}
	r.State = strategy
	_, err = strategy.Search(ctx, r)
	return err
}

func TestPrecision(t *testing.T) {
	// The weight passes of a run in bf16 give losses near those in full precision, but not equal ones, when both start from the same seed.
	search := func(c *config.Config, s nas.Settings) error {
		_, err := search.Run(t.Context(), filepath.Join(t.TempDir(), "run"), c, s)
		return err
	}
	train := func(c *config.Config, s nas.Settings) error {
		_, err := train.Run(t.Context(), filepath.Join(t.TempDir(), "run"), c, s)
		return err
	}
	for _, test := range []struct {
		name, file string
		smaller    []string
		run        func(*config.Config, nas.Settings) error
	}{
		{"search", "../testdata/tiny.yaml", []string{"network.nodes=1", "data.subset=24", "data.batch=4"}, search},
		{"train", "../testdata/tiny-train.yaml", nil, train},
	} {
		t.Run(test.name, func(t *testing.T) {
			losses := func(precision string) (all []float64) {
				watch := nas.Hooks{OnStep: func(_ *nas.Run, s *nas.Step) error { all = append(all, s.Loss); return nil }}
				c := fixture.Load(t, test.file, append(test.smaller, "epochs=1", "w.precision="+precision)...)
				if err := test.run(c, nas.Settings{Hooks: []nas.Hooks{watch}}); err != nil {
					t.Fatal(err)
				}
				return all
			}
			full, half := losses("full"), losses("bf16")
			if len(full) != 3 || len(half) != 3 {
				t.Fatalf("%d and %d steps, want 3", len(full), len(half))
			}
			for i := range full {
				if d := math.Abs(full[i] - half[i]); d == 0 || d > 0.2 {
					t.Errorf("step %d: losses %g and %g", i, full[i], half[i])
				}
			}
			if got := torch.Live(); got != 0 {
				t.Errorf("%d tensors live on", got)
			}
		})
	}
}
