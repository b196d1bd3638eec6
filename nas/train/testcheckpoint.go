package train

import (
	"context"
	"fmt"

	"godarts/nas"
	"godarts/nas/config"
	"godarts/nas/names"
	"godarts/nas/runfolder"
	"godarts/torch"
)

// testCheckpoint measures the network in the checkpoint of an incomplete training.
func testCheckpoint(ctx context.Context, dir string, c *config.Config, device torch.Device, p *Predictions) (result runfolder.TrainResult, err error) {
	if !runfolder.HoldsCheckpoint(dir) {
		return result, fmt.Errorf("nas: the training in %s has no checkpoint yet; it goes on with `%s`", dir, names.Command("darts", "train", "--resume", dir))
	}
	if result.Genotype, err = runfolder.GenotypeOf(c); err != nil {
		return result, err
	}
	r := &nas.Run{Config: c, Dir: dir, Device: device}
	if err := r.OpenAsRecorded(dir); err != nil {
		return result, err
	}
	err = torch.Do(func() error {
		if c.Data.IsText() {
			return testTextCheckpoint(r, ctx, &result)
		}
		t, err := New(r, result.Genotype)
		if err != nil {
			return err
		}
		r.State = t
		if err := r.Peek(); err != nil {
			return err
		}
		measuredOn(&result, r, p.validate(ctx, r, t.Eval))
		result.Parameters, _ = t.Net.ParameterCount()
		return r.Err()
	})
	result.Notes = r.Notes()
	return result, err
}

// testTextCheckpoint measures the language model in a checkpoint.
func testTextCheckpoint(r *nas.Run, ctx context.Context, result *runfolder.TrainResult) error {
	t, err := NewText(r, result.Genotype)
	if err != nil {
		return err
	}
	defer t.region.Forget()
	r.State = t
	if err := r.Peek(); err != nil {
		return err
	}
	t.withAverages(func() { err = t.test(ctx, r, result) })
	return err
}
