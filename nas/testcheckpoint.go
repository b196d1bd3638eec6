package nas

import (
	"context"
	"fmt"
	"godarts/nas/config"
	"godarts/nas/names"
	"godarts/nas/runfolder"
	"godarts/torch"
)

// testCheckpoint measures the network of a training that is not complete, as its checkpoint has it.
func testCheckpoint(ctx context.Context, dir string, c *config.Config, device torch.Device) (result runfolder.TrainResult, err error) {
	if !runfolder.HoldsCheckpoint(dir) {
		return result, fmt.Errorf("nas: the training in %s has no checkpoint yet; it goes on with `%s`", dir, names.Command("darts", "train", "--resume", dir))
	}
	if result.Genotype, err = runfolder.GenotypeOf(c); err != nil {
		return result, err
	}
	r := &Run{Config: c, Dir: dir, Device: device}
	if err := r.openKnown(dir); err != nil {
		return result, err
	}
	err = torch.Do(func() error {
		if c.Data.IsText() {
			return r.testTextCheckpoint(ctx, &result)
		}
		t, err := newTrainer(r, result.Genotype)
		if err != nil {
			return err
		}
		r.state = t
		if err := r.peek(); err != nil {
			return err
		}
		measuredOn(&result, r, r.Validate(ctx, 0, t.eval))
		result.Parameters, _ = t.net.ParameterCount()
		return r.Err()
	})
	result.Notes = r.notes
	return result, err
}

// testTextCheckpoint measures a language model as its checkpoint has it.
func (r *Run) testTextCheckpoint(ctx context.Context, result *runfolder.TrainResult) error {
	t, err := newTextTrainer(r, result.Genotype)
	if err != nil {
		return err
	}
	r.state = t
	if err := r.peek(); err != nil {
		return err
	}
	t.averaged(func() { err = t.test(ctx, r, result) })
	return err
}

// peek puts the state where the newest checkpoint says that reads, and notes where that is. It changes no file.
func (r *Run) peek() error {
	if _, _, err := r.restoreNewest(); err != nil {
		return err
	}
	where := fmt.Sprintf("after epoch %d of %d", r.at.Epoch, r.Config.RunEpochs())
	if r.at.Step > 0 {
		where = fmt.Sprintf("in epoch %d of %d after step %d", r.at.Epoch+1, r.Config.RunEpochs(), r.at.Step)
	}
	r.note("these are the weights of the checkpoint %s: the run is not complete", where)
	return nil
}
