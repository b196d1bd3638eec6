package nas

import (
	"cmp"
	"crypto/rand"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strconv"

	"godarts/nas/config"
	"godarts/nas/data"
	"godarts/nas/names"
	"godarts/nas/wholefile"
	"godarts/torch"
)

// Files of a run folder.
const (
	configFile     = "config.yaml"            // the resolved config
	runFile        = "run.json"               // versions, device, threads
	MetricsFile    = "metrics.jsonl"          // one line for each report and epoch
	CheckpointFile = "checkpoint.safetensors" // where to go on; checkpointNames has those before it
	GenotypeFile   = "genotype.json"          // the cell that was found or trained
	WeightsFile    = "weights.safetensors"    // of a trained network
	resultFile     = "result.json"            // written last: the run is complete
	lockFile       = "lock"                   // held while a process works on the run
)

// runFiles are all files that a run writes in its folder.
var runFiles = append(slices.Clone(checkpointNames),
	configFile, runFile, dataFile, MetricsFile, BestFile, GenotypeFile, WeightsFile, resultFile, lockFile,
	"normal.svg", "reduce.svg", "recurrent.svg", divergedFile,
)

// About is what a run folder says of the program and machine that made it.
type About struct {
	ID       string `json:"id,omitempty"` // drawn when the run began; runs of before have none
	Version  string `json:"version"`
	Libtorch string `json:"libtorch"`
	Go       string `json:"go"`
	Platform string `json:"platform"`
	// Processor is torch.Processor's; runs of before do not say.
	Processor string `json:"processor,omitempty"`
	JPEG      string `json:"jpeg,omitempty"` // of a run on a folder of images, data.JPEGDecoder's; runs of before do not say
	Device    string `json:"device"`
	Threads   int    `json:"threads"`        // exact resume needs the same number
	Keep      int    `json:"keep,omitempty"` // of Settings, where its caller said so
	Seed      int64  `json:"seed"`
}

func about(c *config.Config, device torch.Device) About {
	processor, _ := torch.Processor() // without one nothing can be computed, as the first scope tells
	jpeg := ""
	if c.Data.Name == config.ImageFolder {
		jpeg, _, _ = data.JPEGDecoder() // opening the folder tells the error
	}
	return About{
		ID: rand.Text(), Version: Version(), Libtorch: torch.Version(), Go: runtime.Version(), Platform: runtime.GOOS + "/" + runtime.GOARCH,
		Processor: processor, JPEG: jpeg, Device: device.String(), Threads: torch.Threads(), Seed: c.Seed,
	}
}

// changes lists what a run that began as a says goes on with otherwise now.
func (a About) changes(now About) (lines []string) {
	for _, it := range []struct{ what, began, now string }{
		{"version", a.Version, now.Version},
		{"libtorch", a.Libtorch, now.Libtorch},
		{"platform", a.Platform, now.Platform},
		{"processor", a.Processor, now.Processor},
		{"JPEG", a.JPEG, now.JPEG},
		{"device", a.Device, now.Device},
		{"threads", strconv.Itoa(a.Threads), strconv.Itoa(now.Threads)},
	} {
		if it.began != "" && it.began != it.now {
			lines = append(lines, fmt.Sprintf("%s: the run began with %s and goes on with %s, so that it may end with other bits", it.what, it.began, it.now))
		}
	}
	return lines
}

// ReadAbout reads the description of the run in dir. The error wraps fs.ErrNotExist if it
// is not there.
func ReadAbout(dir string) (About, error) {
	var a About
	file := filepath.Join(dir, runFile)
	err := readJSON(file, &a)
	if err == nil && (a.Threads < 1 || a.Device == "") {
		err = fmt.Errorf("nas: %s: %d threads on device %q", file, a.Threads, a.Device)
	}
	if err == nil && (a.Keep < 0 || a.Keep > MaxKeep) {
		err = fmt.Errorf("nas: %s: keep: %d, wanted 1 to %d", file, a.Keep, MaxKeep)
	}
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		err = fmt.Errorf("%w; restore it, or delete it and resume with the --threads and --device of before", err)
	}
	return a, err
}

// ReadConfig reads the resolved config of the run in dir: where it was deleted, from the
// checkpoint. The error says so if dir holds no run.
func ReadConfig(dir string) (*config.Config, error) {
	file := filepath.Join(dir, configFile)
	text, err := wholefile.Read(file)
	if errors.Is(err, fs.ErrNotExist) && !there(dir, ".") {
		return nil, fmt.Errorf("nas: run folder: %w", noPath(dir))
	}
	if errors.Is(err, fs.ErrNotExist) {
		return savedConfig(dir)
	}
	if err != nil {
		return nil, fmt.Errorf("nas: run folder: %w", err)
	}
	c, err := config.Parse(file, text)
	if err != nil && holdsCheckpoint(dir) {
		return nil, fmt.Errorf("%w; restore the file, or delete it: it is then taken from the checkpoint", err)
	}
	return c, err
}

// savedConfig is the config in the last checkpoint of the run in dir.
func savedConfig(dir string) (*config.Config, error) {
	file, meta, err := lastMeta(dir)
	if err == nil && file == "" {
		err = fmt.Errorf("nas: %s holds no run: there is no %s", dir, configFile)
	}
	if err != nil {
		return nil, err
	}
	return config.Parse(file, []byte(meta[metaConfig]))
}

// HoldsRun tells whether dir is a run folder.
func HoldsRun(dir string) bool { return there(dir, configFile) || holdsCheckpoint(dir) }

// Begun tells whether dir holds the start of a run and nothing else: no checkpoint, no result. Such
// a run begins anew.
func Begun(dir string) bool {
	return there(dir, configFile) && there(dir, runFile) && !holdsCheckpoint(dir) && !Finished(dir)
}

// there tells whether dir has a file of that name.
func there(dir, name string) bool {
	_, err := os.Stat(filepath.Join(dir, name))
	return err == nil
}

// checkFiles is an error if something else stands where the run in dir is to write a file.
func checkFiles(dir string) error {
	for _, name := range runFiles {
		info, err := os.Stat(filepath.Join(dir, name))
		if err != nil {
			continue // what is not there can be made
		}
		if what := wholefile.Kind(info.Mode()); what != "" {
			return fmt.Errorf("nas: run folder: %s is %s, wanted a file: move it away", filepath.Join(dir, name), what)
		}
	}
	return nil
}

// settle makes the folder that this process has locked ready for the run: it writes what a
// new one begins with, checks what one of before holds, and removes what kills left.
func (r *Run) settle() error {
	if err := checkFiles(r.Dir); err != nil {
		return err
	}
	if err := wholefile.RemoveLeftovers(r.Dir, runFiles...); err != nil {
		return fmt.Errorf("nas: run folder: %w", err)
	}
	begun := Begun(r.Dir)
	if begun || !HoldsRun(r.Dir) {
		return r.begin(begun)
	}
	changes := ""
	var err error
	if r.settings.Changed {
		changes, err = r.adopting()
	} else {
		err = sameRun(r.Dir, r.Config)
	}
	if err != nil {
		return err
	}
	if err := r.recall(); err != nil {
		return err
	}
	if err := r.recallData(); err != nil {
		return err
	}
	if err := r.reconfigure(changes); err != nil {
		return err
	}
	if there(r.Dir, configFile) {
		return nil
	}
	r.note("%s was missing and is written anew, as the checkpoint has it", filepath.Join(r.Dir, configFile))
	text, err := r.Config.YAML()
	if err != nil {
		return err
	}
	return r.write(configFile, text)
}

// recall finds out the id of the run in its folder, and gives it one if it has none, and how many
// checkpoints it keeps, if the caller does not say.
func (r *Run) recall() error {
	a, err := ReadAbout(r.Dir)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		a = about(r.Config, r.Device)
		r.note("%s was missing and is written anew: the run goes on with %s on %s", filepath.Join(r.Dir, runFile), count(a.Threads, "thread"), a.Device)
	case err != nil:
		return err
	default:
		r.notes = append(r.notes, a.changes(about(r.Config, r.Device))...)
	}
	before := a
	a.ID, a.Keep = cmp.Or(a.ID, rand.Text()), cmp.Or(r.settings.Keep, a.Keep)
	r.id, r.settings.Keep = a.ID, a.Keep
	if err == nil && a == before {
		return nil
	}
	return writeJSON(filepath.Join(r.Dir, runFile), a)
}

// begin writes what a new run's folder begins with. The folder is empty, or holds the start of a
// run of which nothing was saved.
func (r *Run) begin(again bool) error {
	if again {
		r.note("nothing was saved of the run that began in %s: this one begins at the start", names.Escape(r.Dir))
		for _, name := range []string{MetricsFile, BestFile} {
			if err := os.Remove(filepath.Join(r.Dir, name)); err != nil && !errors.Is(err, fs.ErrNotExist) {
				return fmt.Errorf("nas: run folder: %w", err)
			}
		}
	} else if err := empty(r.Dir); err != nil {
		return err
	}
	text, err := r.Config.YAML()
	if err != nil {
		return err
	}
	a := about(r.Config, r.Device)
	if before, err := ReadAbout(r.Dir); err == nil {
		r.settings.Keep = cmp.Or(r.settings.Keep, before.Keep)
	}
	a.Keep = r.settings.Keep
	r.id = a.ID
	if err := writeJSON(filepath.Join(r.Dir, runFile), a); err != nil {
		return err
	}
	if err := writeJSON(filepath.Join(r.Dir, dataFile), r.data); err != nil {
		return err
	}
	return write(filepath.Join(r.Dir, configFile), text)
}

// empty is an error if a folder holds files that no start of a run has left.
func empty(dir string) error {
	entries, err := os.ReadDir(dir)
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return fmt.Errorf("nas: run folder: %w", err)
	}
	for _, e := range entries {
		// A kill may have left these of a start; hidden are the files that write had not renamed.
		if e.Name() != lockFile && e.Name() != runFile && e.Name() != dataFile && e.Name()[0] != '.' {
			return fmt.Errorf("nas: run folder %s is not empty: choose another --out", dir)
		}
	}
	return nil
}
