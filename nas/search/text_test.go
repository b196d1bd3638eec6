package search_test

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"maps"
	"math"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"godarts/nas"
	"godarts/nas/config"
	"godarts/nas/fixture"
	"godarts/nas/model"
	"godarts/nas/runfolder"
	"godarts/nas/search"
	"godarts/nas/train"
	"godarts/torch"
	"godarts/torch/torchtest"
)

// trained runs a training on a text in a new folder.
func trained(t *testing.T, s nas.Settings, set ...string) (dir string, result runfolder.TrainResult) {
	t.Helper()
	dir = filepath.Join(t.TempDir(), "run")
	result, err := train.Run(t.Context(), dir, fixture.Load(t, "../testdata/tiny-text-train.yaml", set...), s)
	if err != nil {
		t.Fatal(err)
	}
	return dir, result
}

func TestTextTraining(t *testing.T) {
	// A training on a text ends with the same bytes when it is run again or interrupted at every step, before and after averaging begins.
	repeats(t, torch.CPU)
}

func TestTextTrainingOnGPU(t *testing.T) {
	// A training on a text, whose steps are captured where there are graphs, ends with the same bytes on a GPU when it is run again or interrupted.
	repeats(t, torchtest.CUDA(t))
}

// repeats compares trainings on a text that are run again and interrupted with undisturbed ones.
func repeats(t *testing.T, device torch.Device) {
	t.Helper()
	const epochs = "epochs=6"
	for _, nonmono := range []string{"nonmono=100", "nonmono=1"} {
		t.Run(nonmono, func(t *testing.T) {
			live := torch.Live()
			undisturbed, result := trained(t, nas.Settings{Device: device}, epochs, nonmono)
			if got := torch.Live(); got != live {
				t.Errorf("%d tensors outlive the training", got-live)
			}
			again, _ := trained(t, nas.Settings{Device: device}, epochs, nonmono)
			interrupted := filepath.Join(t.TempDir(), "run")
			for times := 0; ; times++ {
				ctx, cancel := context.WithCancel(t.Context())
				stop := nas.Hooks{OnStep: func(*nas.Run, *nas.Step) error { cancel(); return nil }}
				_, err := train.Run(ctx, interrupted, fixture.Load(t, "../testdata/tiny-text-train.yaml", epochs, nonmono), nas.Settings{Device: device, Hooks: []nas.Hooks{stop}})
				cancel()
				if err == nil && times > 0 {
					break
				}
				if !errors.Is(err, context.Canceled) {
					t.Fatal(err)
				}
			}
			for _, file := range []string{runfolder.CheckpointFile, runfolder.BestFile, runfolder.WeightsFile, "result.json", "metrics.jsonl"} {
				want := fixture.Content(t, undisturbed, file)
				for name, dir := range map[string]string{"again": again, "interrupted": interrupted} {
					if !bytes.Equal(fixture.Content(t, dir, file), want) {
						t.Errorf("%s: %s differs", name, file)
					}
				}
			}
			averaged := bytes.Contains(fixture.Content(t, undisturbed, runfolder.CheckpointFile), []byte("optimizer.averaged.ax.0"))
			if want := nonmono == "nonmono=1"; averaged != want {
				t.Errorf("averaging is %v at the end, want %v", averaged, want)
			}
			tested, err := train.Test(t.Context(), undisturbed, device)
			if err != nil {
				t.Fatal(err)
			}
			if *tested.Test != *result.Test || tested.Parameters != result.Parameters {
				t.Errorf("tested %+v, trained %+v", *tested.Test, *result.Test)
			}
		})
	}
}

// epochsOf are the lines of epochs in the metrics of a run.
func epochsOf(t *testing.T, dir string) (lines []map[string]any) {
	t.Helper()
	for line := range bytes.Lines(fixture.Content(t, dir, "metrics.jsonl")) {
		m := map[string]any{}
		if err := json.Unmarshal(line, &m); err != nil {
			t.Fatal(err)
		}
		if _, ok := m["valid_loss"]; ok {
			lines = append(lines, m)
		}
	}
	return lines
}

func TestBestModel(t *testing.T) {
	// The result is the model of the epoch that validated best, not the last, when validation gets worse.
	for _, nonmono := range []string{"nonmono=100", "nonmono=1"} {
		t.Run(nonmono, func(t *testing.T) {
			dir, result := trained(t, nas.Settings{}, "epochs=12", "w.lr=20", nonmono)
			best, least := 0, math.Inf(1)
			lines := epochsOf(t, dir)
			for i, line := range lines {
				if loss := line["valid_loss"].(float64); loss < least {
					best, least = i+1, loss
				}
			}
			if len(lines) != 12 || result.BestEpoch != best || math.Abs(result.Valid.Perplexity-math.Exp(least)) > 1e-12 {
				t.Errorf("of %d epochs %d was best with perplexity %v, the result says %d and %v", len(lines), best, math.Exp(least), result.BestEpoch, result.Valid.Perplexity)
			}
			if nonmono == "nonmono=100" && best == 12 {
				t.Error("the last epoch is the best: this tests nothing")
			}
			// Trained for only that many epochs, the result is the same.
			_, short := trained(t, nas.Settings{}, "epochs="+string(rune('0'+best%10)), "w.lr=20", nonmono)
			if best < 10 && *short.Test != *result.Test {
				t.Errorf("after %d epochs %+v, the result is %+v", best, *short.Test, *result.Test)
			}
		})
	}
}

func TestTextKeys(t *testing.T) {
	// A run on a text ends with other weights, α or results when a key changes (with -short: two keys).
	ofSearch := map[string]string{
		"strategy.order": "1", "data.tokens": "100", "data.batch": "2", "data.small_batch": "2", "data.bptt": "6", "network.hidden": "6",
		"network.nodes": "3", "network.dtype": "float64", "network.dropout.output": "0.1", "network.dropout.state": "0.1",
		"network.dropout.input": "0.1", "network.dropout.embedding": "0.1", "network.dropout.word": "0.5", "network.activation": "9",
		"network.slowness": "9", "w.lr": "4", "w.weight_decay": "0.1", "w.grad_clip": "0.1", "alpha.lr": "0.1", "alpha.betas": "[0.5, 0.9]",
		"alpha.weight_decay": "0.5", "alpha.hvp.method": "exact", "alpha.hvp.radius": "0.5", "alpha.corrected": "true", "seed": "4",
	}
	ofTraining := map[string]string{
		"data.tokens": "100", "data.batch": "2", "data.small_batch": "2", "data.bptt": "6", "data.bptt_delta": "0", "network.hidden": "6",
		"network.dtype": "float64", "network.dropout.output": "0.1", "network.dropout.state": "0.1",
		"network.dropout.input": "0.1", "network.dropout.embedding": "0.1", "network.dropout.word": "0.5", "network.activation": "9",
		"network.slowness": "9", "w.lr": "4", "w.weight_decay": "0.1", "w.grad_clip": "0.1", "seed": "4", "genotype": "ENAS", "nonmono": "1",
		"data.eval_batch": "3", "data.test_batch": "3",
	}
	run := func(t *testing.T, file string, set ...string) []byte {
		dir := filepath.Join(t.TempDir(), "run")
		c := fixture.Load(t, file, set...)
		var err error
		if c.Experiment == config.Train {
			_, err = train.Run(t.Context(), dir, c, nas.Settings{})
		} else {
			_, err = search.Run(t.Context(), dir, c, nas.Settings{})
		}
		if err != nil {
			t.Fatal(err)
		}
		return append(fixture.Content(t, dir, "result.json"), fixture.Content(t, dir, "metrics.jsonl")...)
	}
	for _, test := range []struct {
		file  string
		epoch string
		keys  map[string]string
	}{
		{"../testdata/tiny-text.yaml", "epochs=2", ofSearch}, {"../testdata/tiny-text-train.yaml", "epochs=5", ofTraining},
	} {
		standard := run(t, test.file, test.epoch)
		for _, key := range fixture.Fewer(slices.Sorted(maps.Keys(test.keys))) {
			if bytes.Equal(run(t, test.file, test.epoch, key+"="+test.keys[key]), standard) {
				t.Errorf("%s: %s=%s changes nothing", test.file, key, test.keys[key])
			}
		}
	}
}

func TestTextDiverged(t *testing.T) {
	// A training that diverges goes back to its best model, says so and goes on; it ends when that does not help, or when there is none.
	poison := func(times int) (nas.Settings, *[]string) { // makes the loss of some steps of the third epoch infinite
		var notes []string
		spoil := nas.Hooks{OnStep: func(r *nas.Run, s *nas.Step) error {
			if s.Epoch == 2 && s.Index == 1 && times != 0 {
				times--
				return &runfolder.DivergedError{Epoch: 3, Step: 2, What: "the loss is +Inf", LR: s.LR}
			}
			return nil
		}}
		return nas.Settings{Hooks: []nas.Hooks{spoil, nas.Progress(fixture.Writer(func(line string) { notes = append(notes, line) }), nil)}}, &notes
	}
	t.Run("once", func(t *testing.T) {
		s, notes := poison(1)
		dir, result := trained(t, s, "epochs=5")
		if result.Restarts != 1 || len(epochsOf(t, dir)) != 5 {
			t.Errorf("%d restarts, %d epochs", result.Restarts, len(epochsOf(t, dir)))
		}
		want := "note: epoch 3, step 2: the loss is +Inf; the run goes back to its best model, of epoch "
		if !slices.ContainsFunc(*notes, func(line string) bool { return strings.HasPrefix(line, want) }) {
			t.Errorf("no note %q in %q", want, *notes)
		}
	})
	t.Run("again and again", func(t *testing.T) {
		s, _ := poison(-1)
		_, err := train.Run(t.Context(), filepath.Join(t.TempDir(), "run"), fixture.Load(t, "../testdata/tiny-text-train.yaml", "epochs=5"), s)
		if err == nil || !strings.Contains(err.Error(), "the loss is +Inf at learning rate ") ||
			!strings.Contains(err.Error(), "it had gone back to its best model, of epoch ") || !strings.HasSuffix(err.Error(), "w.lr 5 may be too high") {
			t.Errorf("got error %v", err)
		}
	})
	t.Run("before there is a best model", func(t *testing.T) {
		dir := filepath.Join(t.TempDir(), "run")
		_, err := train.Run(t.Context(), dir, fixture.Load(t, "../testdata/tiny-text-train.yaml", "w.lr=1e38", "w.grad_clip=1e30"), nas.Settings{})
		var diverged *runfolder.DivergedError
		if !errors.As(err, &diverged) || diverged.Epoch != 1 || diverged.Checkpoint != "" {
			t.Errorf("got error %v", err)
		}
		if _, err := os.Stat(filepath.Join(dir, runfolder.BestFile)); err == nil {
			t.Error("there is a best model")
		}
	})
}

func TestSmallBatch(t *testing.T) {
	// Training ends with the same weights when half of the columns are in memory at a time, without dropout in float64.
	set := []string{
		"network.dtype=float64", "network.dropout={output: 0, state: 0, input: 0, embedding: 0, word: 0}", "network.activation=0.5", "network.slowness=0.5", "nonmono=1", "epochs=5",
	}
	whole, _ := trained(t, nas.Settings{}, set...)
	halves, _ := trained(t, nas.Settings{}, append(set, "data.small_batch=2")...)
	for _, entry := range []string{"encoder.weight", "rnns.0._W0", "rnns.0._Ws.7", "hidden", "optimizer.averaged.ax.0"} {
		want, got := stateOf(t, whole, entry), stateOf(t, halves, entry)
		norm, off := 0.0, 0.0
		for i := range want {
			norm, off = norm+want[i]*want[i], off+(want[i]-got[i])*(want[i]-got[i])
		}
		if !(math.Sqrt(off) <= 1e-12*math.Sqrt(norm)) || norm == 0 {
			t.Errorf("%s is off by %g of %g", entry, math.Sqrt(off), math.Sqrt(norm))
		}
	}
}

func TestTextErrors(t *testing.T) {
	// One line says what is wrong when a text and a config do not fit each other.
	short := t.TempDir()
	for _, name := range []string{"train.txt", "valid.txt", "test.txt"} {
		if err := os.WriteFile(filepath.Join(short, name), []byte("a b c\n"), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	own := []string{"data.name=text", "data.root=" + short, "data.tokens=0"}
	for _, test := range []struct {
		name, file string
		set        []string
		want       string
	}{
		{"too short to train", "tiny-text.yaml", own, "nas: data.batch: 4 columns of 8 tokens at least need 32, the training split of text has 4, want fewer columns or more text"},
		{"too short for alpha", "tiny-text.yaml", append(own, "data.bptt=2", "data.batch=3"), "nas: data.batch: 3 columns of 3 tokens at least need 9, the training split of text has 4, want fewer columns or more text"},
		{"too short to validate", "tiny-text-train.yaml", append(own, "data.bptt=2", "data.batch=1", "data.eval_batch=3"), "nas: data.eval_batch: 3 columns of 2 tokens at least need 6, the validation split of text has 4, want fewer columns or more text"},
		{"too short to test", "tiny-text-train.yaml", append(own, "data.bptt=2", "data.batch=1", "data.test_batch=3"), "nas: data.test_batch: 3 columns of 2 tokens at least need 6, the test split of text has 4, want fewer columns or more text"},
		{"convolutional cell", "tiny-text-train.yaml", []string{"genotype=NASNet"}, "nas: genotype: convolutional cells, which take images: data.name synthetic-text is a text, which takes a recurrent cell"},
		{"recurrent cell for images", "tiny-train.yaml", []string{"genotype=ENAS"}, "nas: genotype: a recurrent cell, which takes a text: data.name digits is images, which take convolutional cells"},
	} {
		t.Run(test.name, func(t *testing.T) {
			c := fixture.Load(t, "../testdata/"+test.file, test.set...)
			dir := filepath.Join(t.TempDir(), "run")
			var err error
			if c.Experiment == config.Train {
				_, err = train.Run(t.Context(), dir, c, nas.Settings{})
			} else {
				_, err = search.Run(t.Context(), dir, c, nas.Settings{})
			}
			if err == nil || err.Error() != test.want {
				t.Errorf("got  %v\nwant %s", err, test.want)
			}
			if _, err := os.Stat(dir); err == nil {
				t.Error("a run folder was made")
			}
		})
	}
	dir, _ := trained(t, nas.Settings{})
	want := "nas: " + filepath.Join(dir, runfolder.WeightsFile) + " is of a language model; only networks of images can classify"
	if _, err := model.LoadModel(dir, torch.CPU); err == nil || err.Error() != want {
		t.Errorf("load: %v", err)
	}
}
