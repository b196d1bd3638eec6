// Package nas runs experiments: it searches cells by a strategy, trains the
// networks they make, and keeps both in run folders that survive anything.
package nas

import (
	"cmp"
	"context"
	"fmt"
	"math"
	"os"
	"time"

	"godarts/cells/genotype"
	"godarts/nas/config"
	"godarts/nas/runfolder"
	"godarts/torch"
	"godarts/torch/optim"
)

// State is what a checkpoint holds of an experiment: everything that its next
// step hangs on, besides the position and libtorch's generator.
type State interface {
	StateDict() torch.StateDict
	// LoadStateDict copies what it needs. It runs in the scope that the state was made
	// in: what it makes lives as long.
	LoadStateDict(torch.StateDict) error
}

// Run is one experiment in its folder, from the position where it stands.
type Run struct {
	Config *config.Config
	Dir    string // the run folder
	Device torch.Device
	Feed   Feed     // the data
	At     Position // where the run stands

	Settings Settings
	State    State // nil before it is made

	id       string                 // see owns
	lock     *os.File               // of the folder
	manifest runfolder.DataManifest // what the data is, and which of its files cannot be read
	hooks    []Hooks
	notes    []string // for whoever reports the run, at its start
	err      error
}

// Note leaves a line for whoever reports the run.
func (r *Run) Note(format string, args ...any) {
	r.notes = append(r.notes, fmt.Sprintf(format, args...))
}

// Notes are the lines that were left for whoever reports the run.
func (r *Run) Notes() []string { return r.notes }

// Watch adds hooks behind those that the run has.
func (r *Run) Watch(h Hooks) { r.hooks = append(r.hooks, h) }

// Position is where a run stands: Step steps of epoch Epoch are done.
type Position struct {
	Epoch    int   `json:"epoch"`
	Step     int   `json:"step"`
	Meter    Meter `json:"meter"`              // of the epoch's steps so far
	Valid    Meter `json:"valid"`              // after the last epoch
	Restarts int   `json:"restarts,omitempty"` // how often the run has gone back to its best model
}

// After is where a run stands behind the epoch e.
func (p Position) After(e Epoch) Position {
	return Position{Epoch: e.Index + 1, Valid: e.Valid, Restarts: p.Restarts}
}

// Meter sums over the images of an epoch, or over the tokens of a text that are
// predicted.
type Meter struct {
	Loss    float64 `json:"loss"`              // sum over them
	Correct float64 `json:"correct"`           // images whose label has the largest logit
	InFive  float64 `json:"in_five,omitempty"` // images whose label has one of the five largest; not counted in steps
	Count   int     `json:"count"`
}

func (m *Meter) Add(loss, correct float64, count int) {
	m.Loss += loss * float64(count)
	m.Correct += correct
	m.Count += count
}

// MeanLoss is the loss per image or token.
func (m Meter) MeanLoss() float64 { return m.Loss / float64(max(m.Count, 1)) }

// Accuracy is the part of images classified right, from 0 to 1.
func (m Meter) Accuracy() float64 { return m.Correct / float64(max(m.Count, 1)) }

// Perplexity is that of a text: exp(MeanLoss), or the largest number there is, since
// JSON has no infinity.
func (m Meter) Perplexity() float64 { return min(math.Exp(m.MeanLoss()), math.MaxFloat64) }

// Err is what stopped the run early, nil if nothing did.
func (r *Run) Err() error { return r.err }

// Fail makes err what stops the run. Without an error the run goes on.
func (r *Run) Fail(err error) { r.err = err }

// Settings are what an experiment takes from its caller rather than from its
// config: where it runs and who watches.
type Settings struct {
	Device torch.Device
	Every  CheckpointEvery
	Hooks  []Hooks

	// Keep is how many checkpoints there are until the run is complete, 1 to MaxKeep. Zero is as
	// many as the run in the folder had kept before, or DefaultKeep.
	Keep int

	// Guard, if not nil, is asked after each step and epoch, before anything of it is
	// saved. An error ends the run as it was last saved.
	Guard func() error

	// Changed says that the config is of the function Changed: the run's folder has it from
	// the first step on.
	Changed bool

	Shared *runfolder.SharedData // of what the experiment is a part of, if this process has looked at that
}

// keep is Keep without its zero.
func (s Settings) keep() int { return cmp.Or(s.Keep, runfolder.DefaultKeep) }

// Options are the type and device of the run's networks.
func (r *Run) Options() torch.Options {
	return torch.Options{Dtype: Dtype(r.Config), Device: r.Device}
}

// schedule is a state with a schedule of its own for the learning rate of w.
type schedule interface{ LR(epoch int) float64 }

// LR is the learning rate of w in an epoch: that of the state's own schedule or of the method's, else
// the closed form of the config's.
func (r *Run) LR(epoch int) float64 {
	if s, ok := r.State.(schedule); ok {
		return s.LR(epoch)
	}
	if own := MethodOf(r.Config).LR; own != nil {
		return own(r.Config, epoch)
	}
	return ScheduledLR(r.Config.W, epoch, r.Config.Epochs)
}

// ScheduledLR is the learning rate in an epoch by the schedule of w over some epochs, on images.
func ScheduledLR(w config.W, epoch, epochs int) float64 {
	switch w.Schedule {
	case config.StepDecay:
		return w.LR * math.Pow(w.LRDecay, float64(epoch))
	case config.Restarts:
		return optim.CosineRestarts(w.LR, w.LRMin, epoch, w.Restart, w.RestartFactor)
	default:
		return optim.Cosine(w.LR, w.LRMin, epoch, epochs)
	}
}

// Dtype is the type of the networks that c makes.
func Dtype(c *config.Config) torch.Dtype {
	if c.Network.Dtype == config.Float64 {
		return torch.Float64
	}
	return torch.Float32
}

// CheckpointEvery says when a run saves besides the end of each epoch: after
// that many steps or that much time, whichever is not zero.
type CheckpointEvery struct {
	Steps    int
	Interval time.Duration
}

// Strategy searches cells. It is made for a run, whose checkpoints hold its
// state; Search goes on from the run's position.
type Strategy interface {
	Search(ctx context.Context, run *Run) (genotype.Genotype, error)
	State
}
