package nas

import (
	"context"
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
	"godarts/torch"
)

// errNoCell says that a search has not got so far.
var errNoCell = errors.New("has found no cell yet: its first epoch is not done")

// folderGenotype is the cell of a run, complete or not, or of what Export wrote. note says of
// which epoch it is if the run is a search that is not complete.
func folderGenotype(dir string, recurrent bool) (g genotype.Genotype, note string, err error) {
	for _, name := range []string{GenotypeFile, exportGenotype} {
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
		return g, "", fmt.Errorf("nas: %s is no folder of a run or an export: it has no %s, no %s and no %s", dir, GenotypeFile, exportGenotype, configFile)
	}
	c, err := ReadConfig(dir)
	if err != nil {
		return g, "", err
	}
	switch c.Experiment {
	case config.Train:
		g, err = parseGenotype(c)
		return g, "", err
	case config.Search:
	default:
		return g, "", fmt.Errorf("nas: %s is the folder of a %s, which finds no cell", dir, c.Experiment)
	}
	text, epochs, err := latestGenotype(dir)
	if err != nil {
		return g, "", err
	}
	if text == "" {
		return g, "", fmt.Errorf("nas: the search in %s %w; it goes on with `%s`", dir, errNoCell, names.Command("darts", "search", "--resume", dir))
	}
	what, of := "epoch", c.RunEpochs()
	if c.FromScratch() {
		what, of = "cell", c.Strategy.Trials
	}
	g, err = genotype.Parse(text)
	return g, fmt.Sprintf("the cell of %s is that after %s %d of %d: the run is not complete", dir, what, epochs, of), err
}

// latestGenotype is the cell of the last epoch in the metrics of the run in dir, and how many
// epochs were done by then; empty if there is none.
func latestGenotype(dir string) (genotype string, epochs int, err error) {
	text, err := wholefile.Read(filepath.Join(dir, MetricsFile))
	if errors.Is(err, fs.ErrNotExist) {
		return "", 0, nil
	}
	if err != nil {
		return "", 0, fmt.Errorf("nas: metrics: %w", err)
	}
	for line := range strings.Lines(string(text)) {
		var m metric
		if json.Unmarshal([]byte(line), &m) == nil && m.Genotype != "" { // a kill may leave half a line
			genotype, epochs = m.Genotype, m.Epoch+1
		}
	}
	return genotype, epochs, nil
}

// GenotypeNote says of which epoch the cell is that ReadGenotype finds, if where is the folder of
// a search that is not complete. It is empty otherwise.
func GenotypeNote(where string) string {
	if info, err := os.Stat(where); err != nil || !info.IsDir() {
		return ""
	}
	_, note, err := folderGenotype(where, false)
	if err != nil {
		return ""
	}
	return note
}

// testCheckpoint measures the network of a training that is not complete, as its checkpoint has it.
func testCheckpoint(ctx context.Context, dir string, c *config.Config, device torch.Device) (result TrainResult, err error) {
	if !holdsCheckpoint(dir) {
		return result, fmt.Errorf("nas: the training in %s has no checkpoint yet; it goes on with `%s`", dir, names.Command("darts", "train", "--resume", dir))
	}
	if result.Genotype, err = parseGenotype(c); err != nil {
		return result, err
	}
	r := &Run{Config: c, Dir: dir, Device: device}
	if err := r.openKnown(dir); err != nil {
		return result, err
	}
	err = torch.Do(func() error {
		if c.Data.IsText() {
			return r.testTextCheckpoint(ctx, &result)
		}
		t, err := newTrainer(r, result.Genotype)
		if err != nil {
			return err
		}
		r.state = t
		if err := r.peek(); err != nil {
			return err
		}
		result.measured(r, r.Validate(ctx, 0, t.eval))
		result.Parameters, _ = t.net.ParameterCount()
		return r.Err()
	})
	result.Notes = r.notes
	return result, err
}

// testTextCheckpoint measures a language model as its checkpoint has it.
func (r *Run) testTextCheckpoint(ctx context.Context, result *TrainResult) error {
	t, err := newTextTrainer(r, result.Genotype)
	if err != nil {
		return err
	}
	r.state = t
	if err := r.peek(); err != nil {
		return err
	}
	t.averaged(func() { err = t.test(ctx, r, result) })
	return err
}

// peek puts the state where the newest checkpoint says that reads, and notes where that is. It changes no file.
func (r *Run) peek() error {
	if _, _, err := r.restoreNewest(); err != nil {
		return err
	}
	where := fmt.Sprintf("after epoch %d of %d", r.at.Epoch, r.Config.RunEpochs())
	if r.at.Step > 0 {
		where = fmt.Sprintf("in epoch %d of %d after step %d", r.at.Epoch+1, r.Config.RunEpochs(), r.at.Step)
	}
	r.note("these are the weights of the checkpoint %s: the run is not complete", where)
	return nil
}
