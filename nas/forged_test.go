package nas_test

import (
	"context"
	"encoding/json"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"godarts/nas"
	"godarts/nas/config"
	"godarts/nas/fixture"
	"godarts/nas/nastest"
	"godarts/nas/plan"
	"godarts/nas/runfolder"
	"godarts/torch"
	"godarts/torch/safetensors"
)

// forge changes the content of a checkpoint and its checksum accordingly.
func forge(t *testing.T, file string, change func(at *nas.Position, sd torch.StateDict)) {
	t.Helper()
	err := torch.Do(func() error {
		st, err := runfolder.ReadCheckpoint(file)
		if err != nil {
			return err
		}
		sd, err := st.LoadAll()
		if err != nil {
			return err
		}
		meta := st.Metadata()
		var at nas.Position
		if err := json.Unmarshal([]byte(meta[runfolder.MetaPosition]), &at); err != nil {
			return err
		}
		change(&at, sd)
		text, err := json.Marshal(at)
		if err != nil {
			return err
		}
		meta[runfolder.MetaPosition] = string(text)
		content, err := safetensors.WithSum(sd, meta, runfolder.MetaSum)
		if err != nil {
			return err
		}
		return os.WriteFile(file, content, 0o644)
	})
	if err != nil {
		t.Fatal(err)
	}
}

// forgery is a position that no run can have.
type forgery struct {
	at   nas.Position
	want string
}

func TestForgedPosition(t *testing.T) {
	// Every kind of run refuses, before a step, a checkpoint with a position that the run cannot have, even if the checksum fits.
	everywhere := []forgery{
		{nas.Position{Epoch: -3}, "epoch -3 of "},
		{nas.Position{Epoch: 1e9}, "epoch 1000000000 of "},
		{nas.Position{Epoch: 1, Step: -1}, "step -1"},
		{nas.Position{Epoch: 1, Step: 1e9}, "step 1000000000 of "},
		{nas.Position{Restarts: -1}, "restart -1"},
		{nas.Position{Epoch: 1, Restarts: 1e9}, "restart 1000000000"},
		{nas.Position{Valid: nas.Meter{Count: -1}}, "of -1"},
		{nas.Position{Valid: nas.Meter{Count: 3, Correct: 4}}, "4 correct"},
		{nas.Position{Valid: nas.Meter{Count: 3, InFive: 4}}, "4 in five"},
		{nas.Position{Valid: nas.Meter{Count: 3, Loss: -4}}, "loss -4"},
		{nas.Position{Meter: nas.Meter{Count: 3}}, "3 counted before the first step"},
	}
	for _, test := range []struct {
		name string
		c    *config.Config
		part string // folder of the checkpoint in the run's
		own  []forgery
	}{
		{"search", fixture.LoadTiny(t, "tiny.yaml"), "", []forgery{
			{nas.Position{Epoch: 1, Step: 4}, "epoch 1, step 4 of 3"},
			{nas.Position{Epoch: 2, Step: 1}, "epoch 2, step 1 of 0"},
			{nas.Position{Epoch: 1, Restarts: 1}, "restart 1"},
		}},
		{"training", fixture.LoadTiny(t, "tiny-train.yaml"), "", []forgery{{nas.Position{Epoch: 3}, "epoch 3 of 2"}, {nas.Position{Epoch: 1, Step: 4}, "epoch 1, step 4 of 3"}}},
		{"search on a text", fixture.LoadTiny(t, "tiny-text.yaml"), "", []forgery{{nas.Position{Epoch: 3}, "epoch 3 of 2"}, {nas.Position{Epoch: 1, Step: 99}, "epoch 1, step 99 of "}}},
		{"training on a text", fixture.LoadTiny(t, "tiny-text-train.yaml"), "", []forgery{
			{nas.Position{Epoch: 1, Step: 99}, "epoch 1, step 99 of "},
			{nas.Position{Epoch: 1, Restarts: 2}, "restart 2"},
			{nas.Position{}, "after 0 epochs the best is epoch 1"},
		}},
		{"p-darts", fixture.LoadTiny(t, "tiny-p-darts.yaml"), "", []forgery{
			{nas.Position{Epoch: 2, Step: 1}, "epoch 2 is of stage 2, the state of stage 0"},
			{nas.Position{Epoch: 3}, "epoch 3 is of stage 2, the state of stage 0"},
		}},
		{"selection by perturbation", fixture.LoadTiny(t, "tiny.yaml", "strategy.selection=perturbation", "epochs=1"), "", []forgery{
			{nas.Position{Epoch: 1, Step: 1}, "epoch 1 has 1 to 1 decisions made, the state 0"},
		}},
		{"trials", fixture.LoadTiny(t, "tiny.yaml", "strategy.name=random", "strategy.trials=2"), "", []forgery{
			{nas.Position{Epoch: 3}, "epoch 3 of 2"}, {nas.Position{Epoch: 1, Step: 1}, "epoch 1, step 1 of 0"},
		}},
		{"a trial", fixture.LoadTiny(t, "tiny.yaml", "strategy.name=random", "strategy.trials=2"), "trial-1", []forgery{{nas.Position{Epoch: 3}, "epoch 3 of 2"}}},
	} {
		t.Run(test.name, func(t *testing.T) {
			dir, steps := nastest.StopAfter(t, test.c), 0
			if err := runfolder.PruneCheckpoints(filepath.Join(dir, test.part), 1); err != nil {
				t.Fatal(err)
			}
			file := filepath.Join(dir, test.part, runfolder.CheckpointFile)
			for _, f := range append(everywhere, test.own...) {
				forge(t, file, func(at *nas.Position, _ torch.StateDict) { *at = f.at })
				err := nastest.Perform(t.Context(), dir, test.c, nas.Hooks{OnStep: func(*nas.Run, *nas.Step) error { steps++; return nil }})
				if err == nil || !strings.Contains(err.Error(), file+": position: ") || !strings.Contains(err.Error(), f.want) || strings.Contains(err.Error(), "\n") {
					t.Errorf("%+v: got %v, want %s", f.at, err, f.want)
				}
			}
			if steps > 0 {
				t.Errorf("%d steps were taken", steps)
			}
		})
	}
}

func TestForgedState(t *testing.T) {
	// A checkpoint is refused when its state belongs to another position of the run, or when it has none.
	int64s := func(v []int64, shape ...int) torch.Tensor { return torch.FromSlice(v, shape...) }
	for _, test := range []struct {
		name, want string
		c          *config.Config
		change     func(*nas.Position, torch.StateDict)
	}{
		{"a stage that has not begun", "epoch 1 is of stage 1, the state of stage 2", fixture.LoadTiny(t, "tiny-p-darts.yaml"), func(_ *nas.Position, sd torch.StateDict) {
			sd["stage"] = int64s([]int64{2}, 1)
		}},
		{"a stage that is none", "stage 7, want 0 to 2", fixture.LoadTiny(t, "tiny-p-darts.yaml"), func(_ *nas.Position, sd torch.StateDict) { sd["stage"] = int64s([]int64{7}, 1) }},
		{"edges without operations", "with a row for each of 5 edges", fixture.LoadTiny(t, "tiny-p-darts.yaml"), func(_ *nas.Position, sd torch.StateDict) {
			sd["operations_normal"] = torch.Zeros([]int{5, 0}, torch.Options{Dtype: torch.Int64})
		}},
		{"fewer edges", "with a row for each of 5 edges", fixture.LoadTiny(t, "tiny-p-darts.yaml"), func(_ *nas.Position, sd torch.StateDict) {
			sd["operations_reduce"] = int64s([]int64{1, 2, 3}, 3, 1)
		}},
		{"an edge without operations", "edge 1 has no operation", fixture.LoadTiny(t, "tiny-p-darts.yaml"), func(_ *nas.Position, sd torch.StateDict) {
			sd["operations_normal"] = int64s([]int64{1, -1, 1, 1, 1}, 5, 1)
		}},
		{"an operation twice", "operation 3 of edge 0 is none of the space, or there twice", fixture.LoadTiny(t, "tiny-p-darts.yaml"), func(_ *nas.Position, sd torch.StateDict) {
			sd["operations_normal"] = int64s([]int64{3, 3, 1, 2, 1, 2, 1, 2, 1, 2}, 5, 2)
		}},
		{"an operation that is none", "operation 99 of edge 2 is none of the space", fixture.LoadTiny(t, "tiny-p-darts.yaml"), func(_ *nas.Position, sd torch.StateDict) {
			sd["operations_normal"] = int64s([]int64{1, 1, 99, 1, 1}, 5, 1)
		}},
		{"decisions made too early", "epoch 1 has 0 to 1 decisions made, the state 5", fixture.LoadTiny(t, "tiny.yaml", "strategy.selection=perturbation", "epochs=1"), func(_ *nas.Position, sd torch.StateDict) {
			sd["perturbation.rows"] = torch.Zeros([]int{2, 5}, torch.Options{Dtype: torch.Int64})
		}},
		{"a best epoch to come", "after 1 epochs the best is epoch 1000000000", fixture.LoadTiny(t, "tiny-text-train.yaml"), func(_ *nas.Position, sd torch.StateDict) {
			sd["validation.best"] = torch.FromSlice([]float64{3, 1e9}, 2)
		}},
		{"a best loss that is none", "the best is epoch 1 with loss -3", fixture.LoadTiny(t, "tiny-text-train.yaml"), func(_ *nas.Position, sd torch.StateDict) {
			sd["validation.best"] = torch.FromSlice([]float64{-3, 1}, 2)
		}},
		{"losses of epochs to come", "there are 3 losses", fixture.LoadTiny(t, "tiny-text-train.yaml"), func(_ *nas.Position, sd torch.StateDict) {
			sd["validation.losses"] = torch.FromSlice([]float64{3, 4, 5}, 3)
		}},
	} {
		t.Run(test.name, func(t *testing.T) {
			dir := nastest.StopAfter(t, test.c)
			if err := runfolder.PruneCheckpoints(dir, 1); err != nil {
				t.Fatal(err)
			}
			file := filepath.Join(dir, runfolder.CheckpointFile)
			forge(t, file, test.change)
			err := nastest.Perform(t.Context(), dir, test.c, nas.Hooks{})
			if err == nil || !strings.Contains(err.Error(), file) || !strings.Contains(err.Error(), test.want) || strings.Contains(err.Error(), "\n") {
				t.Errorf("got %v, want %s", err, test.want)
			}
		})
	}
}

func TestForgedPart(t *testing.T) {
	// A protocol names the part and its file when the checkpoint of a part has a position that the part cannot have.
	dir, whole := filepath.Join(t.TempDir(), "protocol"), fixture.TinyWhole(t)
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	s := plan.Settings{Settings: nas.Settings{Hooks: []nas.Hooks{{OnStep: func(*nas.Run, *nas.Step) error { cancel(); return nil }}}}}
	if _, err := plan.Repeat(ctx, dir, whole, s); !errors.Is(err, context.Canceled) {
		t.Fatal(err)
	}
	file := filepath.Join(dir, "search-2", runfolder.CheckpointFile)
	forge(t, file, func(at *nas.Position, _ torch.StateDict) { at.Epoch = -3 })
	_, err := plan.Repeat(t.Context(), dir, whole, plan.Settings{})
	want := "nas: part search-2: nas: checkpoint " + file + ": position: epoch -3 of 1, step 1, restart 0"
	if err == nil || err.Error() != want {
		t.Errorf("got %v, want %s", err, want)
	}
}
