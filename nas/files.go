package nas

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"

	"godarts/cells"
	"godarts/nas/config"
	"godarts/nas/data"
	"godarts/torch"
)

// ReadGenotype finds the cells that where names: a published name, a genotype's
// text, a file with either text or JSON, or a run folder.
func ReadGenotype(where string) (cells.Genotype, error) {
	info, err := os.Stat(where)
	if err != nil {
		g, parseErr := cells.ParseGenotype(where)
		if parseErr != nil && errors.Is(err, fs.ErrNotExist) && filepath.Ext(where) != "" {
			return g, fmt.Errorf("nas: genotype %s: there is no such file, and it is no genotype: %w", where, parseErr)
		}
		return g, parseErr
	}
	file := where
	if info.IsDir() {
		file = filepath.Join(where, GenotypeFile)
	}
	text, err := os.ReadFile(file)
	if errors.Is(err, fs.ErrNotExist) {
		return cells.Genotype{}, fmt.Errorf("nas: %s has no %s: it is no complete run", where, GenotypeFile)
	}
	if err != nil {
		return cells.Genotype{}, fmt.Errorf("nas: genotype: %w", err)
	}
	g, err := cells.ParseGenotype(string(text))
	if err != nil {
		return g, fmt.Errorf("nas: %s: %w", file, err)
	}
	return g, nil
}

// DrawFile writes the picture of a cell.
func DrawFile(file string, c cells.Cell, recurrent bool) error {
	var b bytes.Buffer
	if err := cells.DrawCell(&b, c, recurrent); err != nil {
		return err
	}
	return write(file, b.Bytes())
}

// writeWeights saves a trained network under the reference's names.
func writeWeights(file string, net *cells.Network) error {
	var b bytes.Buffer
	if err := torch.WriteSafetensors(&b, net.Weights().StateDict(), nil); err != nil {
		return err
	}
	return write(file, b.Bytes())
}

// Test measures the trained network of a complete run on the test images, or on
// those that its training held out.
func Test(ctx context.Context, dir string, device torch.Device) (result TrainResult, err error) {
	c, err := ReadConfig(dir)
	if err != nil {
		return result, err
	}
	if c.Experiment != config.Train {
		return result, fmt.Errorf("nas: %s is a search, which has no trained network: train its cell with `darts train CONFIG --genotype %s`", dir, dir)
	}
	if !Finished(dir) {
		return result, fmt.Errorf("nas: %s is not complete: go on with `darts train --resume %s`", dir, dir)
	}
	if result.Genotype, err = ReadGenotype(dir); err != nil {
		return result, err
	}
	set, err := data.Open(c.Data.Name, c.Data.Root)
	if err != nil {
		return result, err
	}
	st, err := torch.OpenSafetensors(filepath.Join(dir, WeightsFile))
	if err != nil {
		return result, err
	}
	defer st.Close()
	err = torch.Do(func() error {
		r := &Run{Config: c, Dir: dir, Set: set, Device: device}
		r.feed = newFeed(c, set, r.options())
		t, err := newTrainer(r, result.Genotype)
		if err != nil {
			return err
		}
		weights, err := st.LoadAll()
		if err != nil {
			return err
		}
		if err := t.net.Weights().LoadStateDict(weights); err != nil {
			return err
		}
		m := r.Validate(ctx, 0, t.eval)
		result.measured(r, m)
		result.Parameters, _ = t.net.ParameterCount()
		return r.Err()
	})
	return result, err
}
