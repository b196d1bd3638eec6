package train

import (
	"context"
	"path/filepath"

	"godarts/nas"
	"godarts/nas/config"
	"godarts/nas/model"
	"godarts/nas/runfolder"
	"godarts/torch"
)

// Test measures the trained network of a run or an export on the test images or text. If the run is not
// complete, Test measures the weights of its checkpoint, and says so in a note.
func Test(ctx context.Context, dir string, device torch.Device) (result runfolder.TrainResult, err error) {
	return TestInto(ctx, dir, device, nil)
}

// TestInto is Test that also keeps what the network says of each image in p, unless p is nil.
func TestInto(ctx context.Context, dir string, device torch.Device, p *Predictions) (result runfolder.TrainResult, err error) {
	c, err := model.TrainedConfig(dir)
	switch {
	case err != nil:
		return result, err
	case model.IsExport(dir):
		return TestWeightsInto(ctx, c, nil, filepath.Join(dir, runfolder.WeightsFile), device, p)
	}
	if c.Experiment == config.Train && !runfolder.Finished(dir) {
		return testCheckpoint(ctx, dir, c, device, p)
	}
	g, err := model.TrainedCell(dir, c)
	if err != nil {
		return result, err
	}
	r := &nas.Run{Config: c, Device: device}
	if err := r.OpenAsRecorded(dir); err != nil {
		return result, err
	}
	return measureWeights(r, ctx, g, filepath.Join(dir, runfolder.WeightsFile), p)
}
