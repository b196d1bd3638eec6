package train_test

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"godarts/nas"
	"godarts/nas/config"
	"godarts/nas/fixture"
	"godarts/nas/model"
	"godarts/nas/nastest"
	"godarts/nas/onnx"
	"godarts/nas/runfolder"
	"godarts/nas/train"
	"godarts/torch"
)

// integersOf is the config of a training in integers of the network in from.
func integersOf(t *testing.T, from string, set ...string) *config.Config {
	t.Helper()
	return fixture.Load(t, fixture.File("tiny-train.yaml"), append([]string{"quantise.from=" + from, "quantise.images=20", "network.drop_path=0", "w.lr=0.001"}, set...)...)
}

func TestQuantised(t *testing.T) {
	// A network in integers errs as its run says in a test, as a model and from its file, exports as ONNX but not for PyTorch, and is hardly worse than the one that it was made of.
	from := nastest.TrainedRun(t)
	before, err := train.Test(t.Context(), from, torch.CPU)
	if err != nil {
		t.Fatal(err)
	}
	for _, set := range [][]string{{"epochs=0", "quantise.method=min-max"}, {"epochs=1", "quantise.range=reduced"}} {
		dir := filepath.Join(t.TempDir(), "run")
		result, err := train.Run(t.Context(), dir, integersOf(t, from, set...), nas.Settings{})
		if err != nil {
			t.Fatal(err)
		}
		if result.TestError > before.TestError+5 {
			t.Errorf("%q: test error %v, before %v", set, result.TestError, before.TestError)
		}
		again, err := train.Test(t.Context(), dir, torch.CPU)
		if err != nil || *again.Tested != *result.Tested {
			t.Errorf("%q: a test says %+v, %v, the run %+v", set, again.Tested, err, result.Tested)
		}
		c := fixture.LoadTiny(t, "tiny-train.yaml")
		file, err := train.TestWeights(t.Context(), c, map[string]bool{}, filepath.Join(dir, runfolder.WeightsFile), torch.CPU)
		if err != nil || *file.Tested != *result.Tested {
			t.Errorf("%q: the file says %+v, %v, the run %+v", set, file.Tested, err, result.Tested)
		}
		if _, err := model.ExportONNX(dir, filepath.Join(t.TempDir(), "x.onnx"), onnx.Options{}); err != nil {
			t.Error(err)
		}
		if _, err := model.Export(dir, t.TempDir(), false); err == nil || !strings.Contains(err.Error(), "computes in integers") {
			t.Errorf("got %v", err)
		}
		_, err = train.Run(t.Context(), filepath.Join(t.TempDir(), "run"), integersOf(t, dir), nas.Settings{})
		if want := " computes in integers already: name the run that it was made of"; err == nil || !strings.HasSuffix(err.Error(), want) {
			t.Errorf("got %v", err)
		}
	}
}

func TestQuantisedResumes(t *testing.T) {
	// A training in integers ends with the same bytes when it is interrupted before calibration and at every step, even if what it was made of is gone.
	from := nastest.TrainedRun(t)
	c := integersOf(t, from, "epochs=2")
	whole, interrupted := filepath.Join(t.TempDir(), "run"), filepath.Join(t.TempDir(), "run")
	if _, err := train.Run(t.Context(), whole, c, nas.Settings{}); err != nil {
		t.Fatal(err)
	}
	cancelled, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := train.Run(cancelled, interrupted, c, nas.Settings{}); !errors.Is(err, context.Canceled) {
		t.Fatal(err)
	}
	if err := os.RemoveAll(from); err != nil {
		t.Fatal(err)
	}
	for times := 0; ; times++ {
		ctx, cancel := context.WithCancel(t.Context())
		stop := nas.Hooks{OnStep: func(*nas.Run, *nas.Step) error { cancel(); return nil }}
		_, err := train.Run(ctx, interrupted, c, nas.Settings{Hooks: []nas.Hooks{stop}})
		cancel()
		if err == nil {
			break
		}
		if !errors.Is(err, context.Canceled) || times > 6 {
			t.Fatalf("after %d steps: %v", times, err)
		}
	}
	for _, file := range []string{runfolder.CheckpointFile, runfolder.WeightsFile, runfolder.ResultFile} {
		if got, want := fixture.Content(t, interrupted, file), fixture.Content(t, whole, file); string(got) != string(want) {
			t.Errorf("%s differs", file)
		}
	}
}

func TestQuantisedRefused(t *testing.T) {
	// What no network in integers can be made of is an error before the first step that names it.
	from := nastest.TrainedRun(t)
	for _, test := range []struct {
		from string
		set  []string
		want string
	}{
		{from, []string{"network.channels=4"}, "nas: quantise.from: the network in DIR has channels 2, the config 4: want the same"},
		{from, []string{"genotype=DARTS_V1"}, "nas: quantise.from: the network in DIR has genotype "},
		{t.TempDir(), nil, "nas: "},
	} {
		dir := filepath.Join(t.TempDir(), "run")
		_, err := train.Run(t.Context(), dir, integersOf(t, test.from, test.set...), nas.Settings{})
		if err == nil || !strings.HasPrefix(strings.ReplaceAll(err.Error(), from, "DIR"), test.want) {
			t.Errorf("got %v, want %s", err, test.want)
		}
	}
}
