package nas

import (
	"context"
	"encoding/json"
	"fmt"
	"path/filepath"

	"godarts/cells/genotype"
	"godarts/nas/config"
	"godarts/nas/names"
	"godarts/nas/runfolder"
	"godarts/torch"
)

// Test measures the trained network of a run on the test images. Of one that is not
// complete it takes the weights of the checkpoint, and notes that. The folder of an export
// does as well.
func Test(ctx context.Context, dir string, device torch.Device) (result runfolder.TrainResult, err error) {
	c, err := TrainedConfig(dir)
	switch {
	case err != nil:
		return result, err
	case isExport(dir):
		return TestWeights(ctx, c, nil, filepath.Join(dir, runfolder.WeightsFile), device)
	}
	if c.Experiment == config.Train && !runfolder.Finished(dir) {
		return testCheckpoint(ctx, dir, c, device)
	}
	g, err := trained(dir, c)
	if err != nil {
		return result, err
	}
	r := &Run{Config: c, Device: device}
	if err := r.openKnown(dir); err != nil {
		return result, err
	}
	return r.measureWeights(ctx, g, filepath.Join(dir, runfolder.WeightsFile))
}

// TrainedConfig is the config of the training in dir, the folder of a run or an export.
func TrainedConfig(dir string) (*config.Config, error) {
	if isExport(dir) {
		return exportConfig(dir)
	}
	return runfolder.ReadConfig(dir)
}

// openKnown opens the data as the run in dir knows it.
func (r *Run) openKnown(dir string) error {
	if err := r.open(); err != nil {
		return err
	}
	r.notes = nil // what there is to say of the data the training has said
	if _, err := r.knownData(dir); err != nil {
		return err
	}
	return r.leaveOut()
}

// trained is the cell of the trained network in dir, a run of config c. It is an error if
// there is none, or if the run's files disagree about it.
func trained(dir string, c *config.Config) (g genotype.Genotype, err error) {
	if c.Experiment != config.Train {
		return g, fmt.Errorf("nas: %s is a search, which has no trained network: train its cell with `%s`", dir, names.Command("darts", "train", "CONFIG", "--genotype", dir))
	}
	if !runfolder.Finished(dir) {
		return g, fmt.Errorf("nas: %s is not complete: go on with `%s`", dir, names.Command("darts", "train", "--resume", dir))
	}
	var result runfolder.TrainResult
	if err := runfolder.ReadResult(dir, c, &result); err != nil {
		return g, err
	}
	file := filepath.Join(dir, runfolder.WeightsFile)
	st, err := openWeights(file)
	if err != nil {
		return g, err
	}
	defer st.Close()
	var of struct{ Genotype genotype.Genotype }
	text, ok := st.Metadata()[descriptionKey]
	if !ok {
		return result.Genotype, nil
	}
	if err := json.Unmarshal([]byte(text), &of); err != nil {
		return g, fmt.Errorf("nas: %s: metadata %q: %w", file, descriptionKey, err)
	}
	if of.Genotype.String() != result.Genotype.String() {
		return g, fmt.Errorf("nas: the weights in %s are of another cell than %s", file, filepath.Join(dir, runfolder.ResultFile))
	}
	return result.Genotype, nil
}
