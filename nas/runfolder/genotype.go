package runfolder

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"godarts/cells/genotype"
	"godarts/nas/config"
	"godarts/nas/names"
)

// ReadGenotype finds the cells that where names: a published name, a genotype's text, a file with the
// text or with JSON, or the folder of an export or a run, complete or not (see GenotypeNote).
func ReadGenotype(where string) (genotype.Genotype, error) { return FindGenotype(where, false) }

// ReadRecurrent is ReadGenotype, but looks a name up among the published recurrent cells first.
func ReadRecurrent(where string) (genotype.Genotype, error) { return FindGenotype(where, true) }

// GenotypeFor finds the cell that where names, as ReadGenotype or ReadRecurrent, for the network of c.
// A cell of the other kind is an error.
func GenotypeFor(c *config.Config, where string) (genotype.Genotype, error) {
	g, err := FindGenotype(where, c.Data.IsText())
	if err != nil {
		return g, err
	}
	return g, checkKind(g, c)
}

// GenotypeOf returns the cell that c names.
func GenotypeOf(c *config.Config) (genotype.Genotype, error) {
	g, err := namedGenotype(c.Genotype, c.Data.IsText())
	if err != nil {
		return g, err
	}
	return g, checkKind(g, c)
}

// checkKind returns an error if the cell g is not of the kind that c trains.
func checkKind(g genotype.Genotype, c *config.Config) error {
	switch {
	case g.IsRecurrent() && !c.Data.IsText():
		return fmt.Errorf("nas: genotype: a recurrent cell, which takes a text: data.name %s is images, which take convolutional cells", c.Data.Name)
	case !g.IsRecurrent() && c.Data.IsText():
		return fmt.Errorf("nas: genotype: convolutional cells, which take images: data.name %s is a text, which takes a recurrent cell", c.Data.Name)
	}
	return nil
}

// namedGenotype reads a genotype's text, or looks up a published name. If recurrent is set, a name of
// both a convolutional and a recurrent cell means the recurrent one.
func namedGenotype(text string, recurrent bool) (genotype.Genotype, error) {
	if recurrent {
		if g, err := genotype.LookupRecurrent(text); err == nil {
			return g, nil
		}
	}
	return genotype.Parse(text)
}

// FindGenotype is ReadGenotype, or ReadRecurrent if recurrent is set.
func FindGenotype(where string, recurrent bool) (genotype.Genotype, error) {
	info, err := os.Stat(where)
	if errors.Is(err, fs.ErrNotExist) && isPath(where) {
		return genotype.Genotype{}, fmt.Errorf("nas: genotype: %w", noPath(where))
	}
	if err != nil {
		return namedGenotype(where, recurrent)
	}
	if info.IsDir() {
		g, _, err := FolderGenotype(where, recurrent)
		return g, err
	}
	text, err := os.ReadFile(where) // not wholefile.Read: the shell's <(command) is a pipe
	if err != nil {
		return genotype.Genotype{}, fmt.Errorf("nas: genotype: %w", err)
	}
	g, err := namedGenotype(strings.TrimSpace(string(text)), recurrent)
	if err != nil {
		return g, fmt.Errorf("nas: %s: %w", where, err)
	}
	return g, nil
}

// isPath reports whether text, under which there is no file, looks like the name of one.
func isPath(text string) bool {
	return !strings.ContainsAny(text, "({[") && (strings.ContainsRune(text, filepath.Separator) || filepath.Ext(text) != "")
}

// noPath returns the error for a file or folder that does not exist.
func noPath(path string) error {
	if near := names.NearestPath(path); near != "" {
		return fmt.Errorf("there is no %s (nearest: %s)", path, near)
	}
	return fmt.Errorf("there is no %s", path)
}
