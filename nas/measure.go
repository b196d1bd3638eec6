package nas

import (
	"context"
	"encoding/json"
	"fmt"
	"path/filepath"

	"godarts/cells"
	"godarts/nas/config"
	"godarts/nas/names"
	"godarts/torch"
)

// Test measures the trained network of a complete run on the test images.
func Test(ctx context.Context, dir string, device torch.Device) (result TrainResult, err error) {
	c, err := ReadConfig(dir)
	if err != nil {
		return result, err
	}
	g, err := trained(dir, c)
	if err != nil {
		return result, err
	}
	r := &Run{Config: c, Device: device}
	if err := r.open(); err != nil {
		return result, err
	}
	if _, err := r.knownData(dir); err != nil {
		return result, err
	}
	if err := r.leaveOut(); err != nil {
		return result, err
	}
	return r.measureWeights(ctx, g, filepath.Join(dir, WeightsFile))
}

// trained is the cell of the trained network in dir, a run of config c. It is an error if
// there is none, or if the run's files disagree about it.
func trained(dir string, c *config.Config) (g cells.Genotype, err error) {
	if c.Experiment != config.Train {
		return g, fmt.Errorf("nas: %s is a search, which has no trained network: train its cell with `%s`", dir, names.Command("darts", "train", "CONFIG", "--genotype", dir))
	}
	if !Finished(dir) {
		return g, fmt.Errorf("nas: %s is not complete: go on with `%s`", dir, names.Command("darts", "train", "--resume", dir))
	}
	var result TrainResult
	if err := readResult(dir, c, &result); err != nil {
		return g, err
	}
	file := filepath.Join(dir, WeightsFile)
	st, err := openWeights(file)
	if err != nil {
		return g, err
	}
	defer st.Close()
	var of struct{ Genotype cells.Genotype }
	text, ok := st.Metadata()[descriptionKey]
	if !ok {
		return result.Genotype, nil
	}
	if err := json.Unmarshal([]byte(text), &of); err != nil {
		return g, fmt.Errorf("nas: %s: metadata %q: %w", file, descriptionKey, err)
	}
	if of.Genotype.String() != result.Genotype.String() {
		return g, fmt.Errorf("nas: the weights in %s are of another cell than %s", file, filepath.Join(dir, resultFile))
	}
	return result.Genotype, nil
}
