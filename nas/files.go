package nas

import (
	"bytes"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"

	"godarts/cells"
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
