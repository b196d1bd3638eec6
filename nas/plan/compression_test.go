package plan_test

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"godarts/nas"
	"godarts/nas/config"
	"godarts/nas/fixture"
	"godarts/nas/plan"
	"godarts/nas/prune"
	"godarts/nas/runfolder"
	"godarts/nas/train"
)

// trainedRuns are trainings that differ in their seed.
func trainedRuns(t *testing.T, seeds ...int64) (dirs []string) {
	t.Helper()
	for _, seed := range seeds {
		dir := filepath.Join(t.TempDir(), "run")
		c := fixture.LoadTiny(t, "tiny-train.yaml", "network.channels=6", fmt.Sprint("seed=", seed))
		if _, err := train.Run(t.Context(), dir, c, nas.Settings{}); err != nil {
			t.Fatal(err)
		}
		dirs = append(dirs, dir)
	}
	return dirs
}

func TestCompress(t *testing.T) {
	// Every way makes a run of each trained one, a compression that is interrupted in each part ends with the bytes of another, and its table has the sizes.
	of := plan.Compression{
		Runs: trainedRuns(t, 0, 4), MultiplyAdds: []float64{60}, By: prune.Scale, Multiple: 1, Epochs: 1, Range: config.FullRange, IntegerEpochs: 1, Scaled: true,
	}
	compress := func(dir string, hooks ...nas.Hooks) (plan.CompressionResult, error) {
		s := plan.CompressionSettings{Batch: 3}
		s.Hooks = hooks
		return plan.Compress(t.Context(), dir, of, s)
	}
	whole, broken := filepath.Join(t.TempDir(), "whole"), filepath.Join(t.TempDir(), "broken")
	r, err := compress(whole)
	if err != nil {
		t.Fatal(err)
	}
	stop := errors.New("stop")
	begun := map[string]int{}
	for range 40 {
		if _, err = compress(broken, nas.Hooks{OnStart: func(r *nas.Run) error {
			if begun[r.Dir]++; begun[r.Dir] == 1 {
				return stop
			}
			return nil
		}}); err == nil {
			break
		}
		if !errors.Is(err, stop) {
			t.Fatal(err)
		}
	}
	if len(begun) != 10 {
		t.Errorf("parts %v", slices.Sorted(maps.Keys(begun)))
	}
	for _, same := range []string{"onnx/pruned-60-int8-seed-4.onnx", "onnx/trained-seed-0.onnx", "pruned-60-seed-0/start.safetensors", "pruned-60-seed-4/result.json", "int8-trained-seed-0/weights.safetensors", "scaled-60-seed-4/metrics.jsonl"} {
		if string(fixture.Content(t, whole, same)) == "" || string(fixture.Content(t, whole, same)) != string(fixture.Content(t, broken, same)) {
			t.Errorf("%s differs", same)
		}
	}
	var names []string
	for _, row := range r.Table.Rows {
		names = append(names, row[0].Text)
	}
	if got := strings.Join(names, " "); got != "trained pruned-60 scaled-60 int8 int8-trained pruned-60-int8" {
		t.Errorf("rows %s", got)
	}
	of60 := func(row, column int) float64 { return r.Table.Rows[row][column].Number.Mean }
	for _, row := range []int{1, 2, 5} {
		if left := of60(row, 5) / of60(0, 5); left > 0.6 || left < 0.4 {
			t.Errorf("%s has %v of the multiply-adds", names[row], left)
		}
	}
	if of60(0, 5) != of60(3, 5) || of60(0, 7) <= 0 || r.Table.Rows[3][7].Number != nil || len(r.Outcomes) != 6 || len(r.Runs) != 12 {
		t.Errorf("%s", r.Text(80))
	}
	reads := func(want string, wrong func()) {
		t.Helper()
		before := of
		wrong()
		_, err := compress(whole, nas.Hooks{OnStart: func(*nas.Run) error { return stop }})
		if (err == nil) != (want == "") || err != nil && !strings.Contains(err.Error(), want) {
			t.Errorf("got %v, want %q", err, want)
		}
		of = before
	}
	reads("", func() {})
	reads("has other settings: multiply_adds: [60] in its settings.json, [70] given", func() { of.MultiplyAdds = []float64{70} })
	reads("have the same seed 0: want one run of each seed", func() { of.Runs = []string{of.Runs[0], of.Runs[0]} })
	reads("3 epochs, want 1 to 2", func() { of.Epochs = 3 })
	reads("is no complete training", func() { of.Runs = []string{t.TempDir()} })
	reads("0.01 % of the multiply-adds cannot be reached", func() { of.MultiplyAdds = []float64{0.01} })
	reads("the runs have different recipes: w.lr: ", func() {
		dir := filepath.Join(t.TempDir(), "run")
		if _, err := train.Run(context.Background(), dir, fixture.LoadTiny(t, "tiny-train.yaml", "network.channels=6", "w.lr=0.01", "seed=9"), nas.Settings{}); err != nil {
			t.Fatal(err)
		}
		of.Runs = []string{of.Runs[0], dir}
	})
	if again, err := plan.ReadCompression(whole); err != nil || fmt.Sprint(again) != fmt.Sprint(of) {
		t.Errorf("%+v, %v, want %+v", again, err, of)
	}
	if runfolder.Has(whole, "onnx/times.json") || !strings.Contains(strings.Join(r.Notes, "\n"), "scripts/onnx-latency --all") {
		t.Errorf("notes %q", r.Notes)
	}
	fixture.Replace(t, filepath.Join(whole, "onnx", "times.json"), fixture.Text(`{"runtime": "1", "batch": 4, "threads": 1, "passes": 5, "seconds": {"int8-seed-0": 0.004, "int8-seed-4": 0.012}}`))
	r, err = compress(whole)
	if err != nil || r.Outcomes[3].ONNXSeconds != 0.002 || r.Outcomes[0].ONNXSeconds != 0 {
		t.Errorf("%v, %+v", err, r.Outcomes)
	}
}
