package nas

import (
	"context"
	"encoding/json"
	"fmt"
	"path/filepath"
	"slices"
	"strings"

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

// TestWeights measures weights from elsewhere, see ReadWeights, in the network of
// the training c on the test images. The file says whether there is an auxiliary
// head, which the measurement has no use for.
func TestWeights(ctx context.Context, c *config.Config, file string, device torch.Device) (result TrainResult, err error) {
	g, err := parseGenotype(c)
	if err != nil {
		return result, err
	}
	of := *c
	err = withWeights(file, func(w storedWeights) error {
		of.Network.Auxiliary = slices.ContainsFunc(w.names, func(name string) bool { return strings.HasPrefix(name, w.prefix+"auxiliary_head.") })
		return nil
	})
	if err != nil {
		return result, err
	}
	r := &Run{Config: &of, Device: device}
	if err := r.open(); err != nil {
		return result, err
	}
	return r.measureWeights(ctx, g, file)
}

// measureWeights measures weights in the network of g on the data that the run has opened.
func (r *Run) measureWeights(ctx context.Context, g cells.Genotype, file string) (result TrainResult, err error) {
	result.Genotype, result.Notes = g, r.notes
	err = torch.Do(func() error {
		if r.Config.Data.IsText() {
			return r.testText(ctx, file, &result)
		}
		t, err := newTrainer(r, g)
		if err != nil {
			return err
		}
		if err := loadWeights(t.net, file); err != nil {
			return err
		}
		m := r.Validate(ctx, 0, t.eval)
		result.measured(r, m)
		result.Parameters, _ = t.net.ParameterCount()
		return r.Err()
	})
	return result, err
}
