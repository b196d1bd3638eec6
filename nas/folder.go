package nas

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"syscall"

	"github.com/google/renameio/v2"

	"godarts/nas/config"
	"godarts/torch"
)

// Files of a run folder.
const (
	configFile     = "config.yaml"            // the resolved config
	runFile        = "run.json"               // versions, device, threads
	MetricsFile    = "metrics.jsonl"          // one line for each report and epoch
	CheckpointFile = "checkpoint.safetensors" // where to go on
	GenotypeFile   = "genotype.json"          // the cell that was found or trained
	WeightsFile    = "weights.safetensors"    // of a trained network
	resultFile     = "result.json"            // written last: the run is complete
	lockFile       = "lock"                   // held while a process works on the run
)

// About is what a run folder says of the program and machine that made it.
type About struct {
	Version  string `json:"version"`
	Libtorch string `json:"libtorch"`
	Go       string `json:"go"`
	Platform string `json:"platform"`
	Device   string `json:"device"`
	Threads  int    `json:"threads"` // exact resume needs the same number
	Seed     int64  `json:"seed"`
}

func about(c *config.Config, device torch.Device) About {
	return About{
		Version: Version(), Libtorch: torch.Version(), Go: runtime.Version(), Platform: runtime.GOOS + "/" + runtime.GOARCH,
		Device: device.String(), Threads: torch.Threads(), Seed: c.Seed,
	}
}

// ReadAbout reads the description of the run in dir.
func ReadAbout(dir string) (About, error) {
	var a About
	err := readJSON(filepath.Join(dir, runFile), &a)
	return a, err
}

// ReadConfig reads the resolved config of the run in dir. The error says so if
// dir holds no run.
func ReadConfig(dir string) (*config.Config, error) {
	file := filepath.Join(dir, configFile)
	text, err := os.ReadFile(file)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, fmt.Errorf("nas: %s holds no run: there is no %s", dir, configFile)
	}
	if err != nil {
		return nil, fmt.Errorf("nas: run folder: %w", err)
	}
	return config.Parse(file, text)
}

// Finished tells whether the run in dir is complete.
func Finished(dir string) bool {
	_, err := os.Stat(filepath.Join(dir, resultFile))
	return err == nil
}

// create writes what a new run's folder begins with. A folder that holds other
// files is refused.
func create(dir string, c *config.Config, a About) error {
	entries, err := os.ReadDir(dir)
	if err != nil {
		return fmt.Errorf("nas: run folder: %w", err)
	}
	for _, e := range entries {
		// A kill may have left these of a start; hidden are the files that write had not renamed.
		if e.Name() != lockFile && e.Name() != runFile && e.Name()[0] != '.' {
			return fmt.Errorf("nas: run folder %s is not empty: choose another --out", dir)
		}
	}
	text, err := c.YAML()
	if err != nil {
		return err
	}
	if err := writeJSON(filepath.Join(dir, runFile), a); err != nil {
		return err
	}
	return write(filepath.Join(dir, configFile), text)
}

// errBusy ends an attempt to take the folder of a run that is going on.
var errBusy = errors.New("another process works on this run")

// lock takes the run folder for this process; the returned function gives it
// back. The kernel does so too when the process dies.
func lock(dir string) (unlock func(), err error) {
	f, err := os.OpenFile(filepath.Join(dir, lockFile), os.O_CREATE|os.O_RDWR, 0o644)
	if err != nil {
		return nil, fmt.Errorf("nas: run folder: %w", err)
	}
	if err := syscall.Flock(int(f.Fd()), syscall.LOCK_EX|syscall.LOCK_NB); err != nil {
		f.Close()
		if errors.Is(err, syscall.EWOULDBLOCK) {
			return nil, fmt.Errorf("nas: run folder %s: %w", dir, errBusy)
		}
		return nil, fmt.Errorf("nas: run folder %s: lock: %w", dir, err)
	}
	return func() { f.Close() }, nil
}

// write replaces a file as a whole or not at all.
func write(file string, content []byte) error {
	if err := renameio.WriteFile(file, content, 0o644); err != nil {
		return fmt.Errorf("nas: write %s: %w", file, err)
	}
	return nil
}

func writeJSON(file string, v any) error {
	text, err := json.MarshalIndent(v, "", "  ")
	if err != nil {
		return fmt.Errorf("nas: write %s: %w", file, err)
	}
	return write(file, append(text, '\n'))
}

func readJSON(file string, v any) error {
	text, err := os.ReadFile(file)
	if err != nil {
		return fmt.Errorf("nas: run folder: %w", err)
	}
	if err := json.Unmarshal(text, v); err != nil {
		return fmt.Errorf("nas: %s: %w", file, err)
	}
	return nil
}

// metric is a line of the metrics file: a report within an epoch, or an epoch.
type metric struct {
	Epoch         int      `json:"epoch"`
	Step          int      `json:"step,omitempty"` // steps done; absent for an epoch
	LR            *float64 `json:"lr,omitempty"`   // absent for a cell that was tried, as the next
	TrainLoss     *float64 `json:"train_loss,omitempty"`
	TrainAccuracy *float64 `json:"train_accuracy,omitempty"` // of images, as the next
	ValidLoss     *float64 `json:"valid_loss,omitempty"`
	ValidAccuracy *float64 `json:"valid_accuracy,omitempty"`
	Genotype      string   `json:"genotype,omitempty"`
	Eigenvalue    *float64 `json:"eigenvalue,omitempty"` // the dominant one of the validation loss in α
	PeakRSSBytes  int64    `json:"peak_rss_bytes,omitempty"`

	TrainPerplexity *float64 `json:"train_perplexity,omitempty"` // of a text, as the next
	ValidPerplexity *float64 `json:"valid_perplexity,omitempty"`
}

// train notes what the steps of an epoch saw.
func (m *metric) train(r *Run, seen Meter) {
	m.TrainLoss = new(seen.MeanLoss())
	if r.Corpus != nil {
		m.TrainPerplexity = new(seen.Perplexity())
		return
	}
	m.TrainAccuracy = new(seen.Accuracy())
}

// valid notes what was measured after an epoch.
func (m *metric) valid(r *Run, seen Meter) {
	m.ValidLoss = new(seen.MeanLoss())
	if r.Corpus != nil {
		m.ValidPerplexity = new(seen.Perplexity())
		return
	}
	m.ValidAccuracy = new(seen.Accuracy())
}

// metricsEvery is the number of steps between two lines within an epoch.
const metricsEvery = 50

// metrics appends to the metrics file.
func metrics() Hooks {
	return Hooks{
		OnStep: func(r *Run, s *Step) error {
			if r.at.Step%metricsEvery != 0 {
				return nil
			}
			m := metric{Epoch: s.Epoch, Step: r.at.Step, LR: &s.LR}
			m.train(r, r.at.Meter)
			return r.append(m)
		},
		OnEpoch: func(r *Run, e *Epoch) error {
			m := metric{Epoch: e.Index, Genotype: e.Genotype, Eigenvalue: e.Eigenvalue, PeakRSSBytes: PeakRSS()}
			if !r.Config.FromScratch() {
				m.LR = &e.LR
				m.train(r, e.Train)
			}
			m.valid(r, e.Valid)
			return r.append(m)
		},
	}
}

func (r *Run) append(m metric) error {
	line, err := json.Marshal(m)
	if err != nil {
		return fmt.Errorf("nas: metrics: %w", err)
	}
	f, err := os.OpenFile(filepath.Join(r.Dir, MetricsFile), os.O_APPEND|os.O_CREATE|os.O_WRONLY, 0o644)
	if err != nil {
		return fmt.Errorf("nas: metrics: %w", err)
	}
	defer f.Close()
	if _, err := f.Write(append(line, '\n')); err != nil {
		return fmt.Errorf("nas: metrics: %w", err)
	}
	return nil
}

// trimMetrics drops the lines of steps that the run will take again, after it
// went back to a checkpoint, and what a kill left of a last line.
func (r *Run) trimMetrics() error {
	file := filepath.Join(r.Dir, MetricsFile)
	text, err := os.ReadFile(file)
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err != nil {
		return fmt.Errorf("nas: metrics: %w", err)
	}
	var kept bytes.Buffer
	for line := range strings.Lines(string(text)) {
		var m metric
		if !strings.HasSuffix(line, "\n") || json.Unmarshal([]byte(line), &m) != nil {
			continue
		}
		if m.Epoch < r.at.Epoch || m.Epoch == r.at.Epoch && m.Step > 0 && m.Step <= r.at.Step {
			kept.WriteString(line)
		}
	}
	return write(file, kept.Bytes())
}

// PeakRSS is the most memory this process has had resident, in bytes.
func PeakRSS() int64 {
	var u syscall.Rusage
	if syscall.Getrusage(syscall.RUSAGE_SELF, &u) != nil {
		return 0
	}
	return u.Maxrss * 1024 // Linux counts kilobytes
}
