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

// ReadConfig reads the resolved config of the run in dir; if that file was deleted, from the
// checkpoint. It returns an error if dir holds no run.
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

// savedConfig returns the config in the newest checkpoint of dir.
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

// CheckSameRun returns an error if the run in dir has another config than c.
func CheckSameRun(dir string, c *config.Config) error {
	own, err := ReadConfig(dir)
	if err != nil {
		return err
	}
	return CheckSameConfig(dir, own, c)
}

// CheckSameConfig returns an error if c differs from own, the config of the run in dir.
func CheckSameConfig(dir string, own, c *config.Config) error {
	if differences := Differences(own, c, "in its "+ConfigFile, "given"); differences != "" {
		return fmt.Errorf("nas: the run in %s has another config: %s", dir, differences)
	}
	return nil
}

// Differences lists the differences between two configs, but not those in data.root, data.on_bad_file,
// data.check and expect. It is empty if there are none.
func Differences(a, b *config.Config, aLabel, bLabel string) string {
	x, y := *a, *b
	x.Data.Root, x.Data.OnBadFile, x.Data.Check = y.Data.Root, y.Data.OnBadFile, y.Data.Check
	x.Expect, y.Expect = nil, nil
	return strings.Join(config.Diff(&x, &y, aLabel, bLabel), "; ")
}
