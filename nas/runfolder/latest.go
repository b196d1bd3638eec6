package runfolder

import (
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"godarts/cells/genotype"
	"godarts/nas/config"
	"godarts/nas/names"
	"godarts/nas/wholefile"
)

// ExportedGenotypeFile is the file of the genotype in an export, in the reference's form.
const ExportedGenotypeFile = "genotype.txt"

// ErrNoCell says that a search has not finished its first epoch.
var ErrNoCell = errors.New("has found no cell yet: its first epoch is not done")

// FolderGenotype returns the cell of a run, complete or not, or of an export. If the run is an
// incomplete search, note names the epoch of the cell.
func FolderGenotype(dir string, recurrent bool) (g genotype.Genotype, note string, err error) {
	for _, name := range []string{GenotypeFile, ExportedGenotypeFile} {
		file := filepath.Join(dir, name)
		text, err := wholefile.Read(file)
		if errors.Is(err, fs.ErrNotExist) {
			continue
		}
		if err == nil {
			g, err = namedGenotype(strings.TrimSpace(string(text)), recurrent)
		}
		if err != nil {
			return g, "", fmt.Errorf("nas: %s: %w", file, err)
		}
		return g, "", nil
	}
	if !HoldsRun(dir) {
		return g, "", fmt.Errorf("nas: %s is no folder of a run or an export: it has no %s, no %s and no %s", dir, GenotypeFile, ExportedGenotypeFile, ConfigFile)
	}
	c, err := ReadConfig(dir)
	if err != nil {
		return g, "", err
	}
	switch c.Experiment {
	case config.Train:
		g, err = GenotypeOf(c)
		return g, "", err
	case config.Search:
	default:
		return g, "", fmt.Errorf("nas: %s is the folder of a %s, which finds no cell", dir, c.Experiment)
	}
	text, epochs, err := LatestGenotype(dir)
	if err != nil {
		return g, "", err
	}
	if text == "" {
		return g, "", fmt.Errorf("nas: the search in %s %w; it goes on with `%s`", dir, ErrNoCell, names.Command("darts", "search", "--resume", dir))
	}
	what, of := "epoch", c.RunEpochs()
	if c.FromScratch() {
		what, of = "cell", c.Trials()
	}
	g, err = genotype.Parse(text)
	return g, fmt.Sprintf("the cell of %s is that after %s %d of %d: the run is not complete", dir, what, epochs, of), err
}

// LatestGenotype returns the cell of the last epoch in the metrics of dir, empty if there is none, and
// the number of epochs done by then.
func LatestGenotype(dir string) (genotype string, epochs int, err error) {
	text, err := wholefile.Read(filepath.Join(dir, MetricsFile))
	if errors.Is(err, fs.ErrNotExist) {
		return "", 0, nil
	}
	if err != nil {
		return "", 0, fmt.Errorf("nas: metrics: %w", err)
	}
	for line := range strings.Lines(string(text)) {
		var m Metric
		if json.Unmarshal([]byte(line), &m) == nil && m.Genotype != "" { // a kill may leave half a line
			genotype, epochs = m.Genotype, m.Epoch+1
		}
	}
	return genotype, epochs, nil
}

// GenotypeNote names the epoch of the cell that ReadGenotype finds, if where is the folder of an
// incomplete search. Else it is empty.
func GenotypeNote(where string) string {
	if info, err := os.Stat(where); err != nil || !info.IsDir() {
		return ""
	}
	_, note, err := FolderGenotype(where, false)
	if err != nil {
		return ""
	}
	return note
}
