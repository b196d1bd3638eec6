package runfolder

import (
	"bytes"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"godarts/cells/draw"
	"godarts/cells/genotype"
	"godarts/nas/config"
	"godarts/nas/names"
)

// ReadGenotype finds the cells that where names: a published name, a genotype's
// text, a file with either text or JSON, or the folder of an export or a run, which
// need not be complete, see GenotypeNote.
func ReadGenotype(where string) (genotype.Genotype, error) { return FindGenotype(where, false) }

// ReadRecurrent is ReadGenotype, but a name is first looked for among the published
// recurrent cells.
func ReadRecurrent(where string) (genotype.Genotype, error) { return FindGenotype(where, true) }

// GenotypeFor finds the cell that where names, as ReadGenotype or ReadRecurrent, for
// the network of c. A cell of the other kind is an error.
func GenotypeFor(c *config.Config, where string) (genotype.Genotype, error) {
	g, err := FindGenotype(where, c.Data.IsText())
	if err != nil {
		return g, err
	}
	return g, checkKind(g, c)
}

// GenotypeOf is the cell that c names.
func GenotypeOf(c *config.Config) (genotype.Genotype, error) {
	g, err := NamedGenotype(c.Genotype, c.Data.IsText())
	if err != nil {
		return g, err
	}
	return g, checkKind(g, c)
}

// checkKind is an error if the cell g is not of the kind that c trains.
func checkKind(g genotype.Genotype, c *config.Config) error {
	switch {
	case g.IsRecurrent() && !c.Data.IsText():
		return fmt.Errorf("nas: genotype: a recurrent cell, which takes a text: data.name %s is images, which take convolutional cells", c.Data.Name)
	case !g.IsRecurrent() && c.Data.IsText():
		return fmt.Errorf("nas: genotype: convolutional cells, which take images: data.name %s is a text, which takes a recurrent cell", c.Data.Name)
	}
	return nil
}

// NamedGenotype is what a genotype's text or a published name stands for, a name that
// has both kinds of cells for the recurrent ones if those are wanted.
func NamedGenotype(text string, recurrent bool) (genotype.Genotype, error) {
	if recurrent {
		if g, err := genotype.LookupRecurrent(text); err == nil {
			return g, nil
		}
	}
	return genotype.Parse(text)
}

func FindGenotype(where string, recurrent bool) (genotype.Genotype, error) {
	info, err := os.Stat(where)
	if errors.Is(err, fs.ErrNotExist) && isPath(where) {
		return genotype.Genotype{}, fmt.Errorf("nas: genotype: %w", noPath(where))
	}
	if err != nil {
		return NamedGenotype(where, recurrent)
	}
	if info.IsDir() {
		g, _, err := FolderGenotype(where, recurrent)
		return g, err
	}
	text, err := os.ReadFile(where) // no whole file: the shell's <(command) is a pipe
	if err != nil {
		return genotype.Genotype{}, fmt.Errorf("nas: genotype: %w", err)
	}
	g, err := NamedGenotype(strings.TrimSpace(string(text)), recurrent)
	if err != nil {
		return g, fmt.Errorf("nas: %s: %w", where, err)
	}
	return g, nil
}

// isPath tells whether text, which names nothing that is there, was meant to name a file.
func isPath(text string) bool {
	return !strings.ContainsAny(text, "({[") && (strings.ContainsRune(text, filepath.Separator) || filepath.Ext(text) != "")
}

// noPath is the error for a file or folder that is not there.
func noPath(path string) error {
	if near := names.NearestPath(path); near != "" {
		return fmt.Errorf("there is no %s (nearest: %s)", path, near)
	}
	return fmt.Errorf("there is no %s", path)
}

// DrawFile writes the picture of a cell of that kind.
func DrawFile(file string, c genotype.Cell, kind genotype.Kind) error {
	var b bytes.Buffer
	if err := draw.SVG(&b, c, kind); err != nil {
		return err
	}
	return Write(file, b.Bytes())
}
