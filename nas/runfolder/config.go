package runfolder

import (
	"errors"
	"fmt"
	"io/fs"
	"path/filepath"
	"strings"

	"godarts/nas/config"
	"godarts/nas/wholefile"
)

// ReadConfig reads the resolved config of the run in dir: where it was deleted, from the
// checkpoint. The error says so if dir holds no run.
func ReadConfig(dir string) (*config.Config, error) {
	file := filepath.Join(dir, ConfigFile)
	text, err := wholefile.Read(file)
	if errors.Is(err, fs.ErrNotExist) && !Has(dir, ".") {
		return nil, fmt.Errorf("nas: run folder: %w", noPath(dir))
	}
	if errors.Is(err, fs.ErrNotExist) {
		return savedConfig(dir)
	}
	if err != nil {
		return nil, fmt.Errorf("nas: run folder: %w", err)
	}
	c, err := config.Parse(file, text)
	if err != nil && HoldsCheckpoint(dir) {
		return nil, fmt.Errorf("%w; restore the file, or delete it: it is then taken from the checkpoint", err)
	}
	return c, err
}

// savedConfig is the config in the last checkpoint of the run in dir.
func savedConfig(dir string) (*config.Config, error) {
	file, meta, err := NewestMetadata(dir)
	if err == nil && file == "" {
		err = fmt.Errorf("nas: %s holds no run: there is no %s", dir, ConfigFile)
	}
	if err != nil {
		return nil, err
	}
	return config.Parse(file, []byte(meta[MetaConfig]))
}

// CheckSameRun is an error if the run in dir has another config than c.
func CheckSameRun(dir string, c *config.Config) error {
	own, err := ReadConfig(dir)
	if err != nil {
		return err
	}
	return CheckSameConfig(dir, own, c)
}

// CheckSameConfig is an error if c is another config than the own one of the run in dir.
func CheckSameConfig(dir string, own, c *config.Config) error {
	if differences := Differences(own, c, "in its "+ConfigFile, "given"); differences != "" {
		return fmt.Errorf("nas: the run in %s has another config: %s", dir, differences)
	}
	return nil
}

// Differences lists what differs between two configs, where the data lies, how it is looked at
// and what is expected aside; it is empty if nothing does.
func Differences(a, b *config.Config, aLabel, bLabel string) string {
	x, y := *a, *b
	x.Data.Root, x.Data.OnBadFile, x.Data.Check = y.Data.Root, y.Data.OnBadFile, y.Data.Check
	x.Expect, y.Expect = nil, nil
	return strings.Join(config.Diff(&x, &y, aLabel, bLabel), "; ")
}
