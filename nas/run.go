// Package nas is the engine of runs: steps, hooks, checkpoints and resuming, in run folders that survive
// interruptions, kills and power failures. It knows no method and no kind of data.
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

// State is the part of an experiment that a checkpoint holds: everything that the next step depends on,
// except the position and libtorch's generators.
type State interface {
	StateDict() torch.StateDict
	// LoadStateDict copies the entries. It runs in the scope that the state was made in, so that
	// tensors that it makes live as long.
	LoadStateDict(torch.StateDict) error
}

// Run is one experiment in its folder, at its current position.
type Run struct {
	Config *config.Config
	Dir    string // the run folder
	Device torch.Device
	Feed   Feed     // the data
	At     Position // position of the run

	Settings Settings
	State    State // nil until it is made

	worked   float64                // seconds of work on the run before this process
	id       string                 // see Owns
	lock     *os.File               // the locked file of the folder
	manifest runfolder.DataManifest // the data, with its unreadable files
	hooks    []Hooks
	notes    []string // for the report at the start of the run
	err      error
}

// Note adds a line for the report of the run.
func (r *Run) Note(format string, args ...any) {
	r.notes = append(r.notes, fmt.Sprintf(format, args...))
}

// Notes returns the lines that Note added.
func (r *Run) Notes() []string { return r.notes }

// Watch adds hooks after those that the run has.
func (r *Run) Watch(h Hooks) { r.hooks = append(r.hooks, h) }

// Position is the progress of a run: Step steps of epoch Epoch are done.
type Position struct {
	Epoch    int   `json:"epoch"`
	Step     int   `json:"step"`
	Meter    Meter `json:"meter"`              // over the steps of the current epoch
	Valid    Meter `json:"valid"`              // after the last epoch
	Restarts int   `json:"restarts,omitempty"` // how often the run has returned to its best model
}

// After returns the position after the epoch e.
func (p Position) After(e Epoch) Position {
	return Position{Epoch: e.Index + 1, Valid: e.Valid, Restarts: p.Restarts}
}

// Meter sums over the images of an epoch, or over the predicted tokens of a text.
type Meter struct {
	Loss    float64 `json:"loss"`              // sum over images or tokens
	Correct float64 `json:"correct"`           // images whose label has the largest logit
	InFive  float64 `json:"in_five,omitempty"` // images whose label has one of the five largest; not counted in steps
	Count   int     `json:"count"`

	GradW     GradNorm `json:"grad_w,omitzero"`     // of ∇w, over steps
	GradAlpha GradNorm `json:"grad_alpha,omitzero"` // of ∇α, over steps in which α moved
}

// GradNorm sums the norms of gradients.
type GradNorm struct {
	Sum   float64 `json:"sum"`
	Steps int     `json:"steps"`
}

// add adds the norm of a step. It leaves out one that is not finite, after which the run diverges.
func (n *GradNorm) add(norm float64) {
	if IsFinite(norm) {
		n.Sum += norm
		n.Steps++
	}
}

// Mean returns the mean norm, nil without steps.
func (n GradNorm) Mean() *float64 {
	if n.Steps == 0 {
		return nil
	}
	return new(n.Sum / float64(n.Steps))
}

// Add adds a batch of count images or tokens with this mean loss, of which correct images are
// classified correctly.
func (m *Meter) Add(loss, correct float64, count int) {
	m.Loss += loss * float64(count)
	m.Correct += correct
	m.Count += count
}

// MeanLoss returns the loss per image or token.
func (m Meter) MeanLoss() float64 { return m.Loss / float64(max(m.Count, 1)) }

// Accuracy returns the share of correctly classified images, from 0 to 1.
func (m Meter) Accuracy() float64 { return m.Correct / float64(max(m.Count, 1)) }

// Perplexity returns exp(MeanLoss) of a text, at most the largest float64, since JSON has no infinity.
func (m Meter) Perplexity() float64 { return min(math.Exp(m.MeanLoss()), math.MaxFloat64) }

// Err returns the error that stopped the run early, nil if none did.
func (r *Run) Err() error { return r.err }

// Fail stops the run with err. With nil the run goes on.
func (r *Run) Fail(err error) { r.err = err }

// Settings are what an experiment takes from its caller and not from its config: the device, and hooks.
type Settings struct {
	Device torch.Device
	Every  CheckpointEvery
	Hooks  []Hooks

	// Keep is the number of checkpoints, 1 to MaxKeep, that the run keeps until it is complete. Zero
	// means as many as the run in the folder kept before, or DefaultKeep.
	Keep int

	// Guard, if not nil, is called after each step and epoch, before anything of them is saved. An
	// error ends the run in the state that was saved last.
	Guard func() error

	// Changed says that the config comes from the function Changed: the folder takes it over.
	Changed bool

	Shared *runfolder.SharedData // of the protocol or comparison that the run is a part of, if this process has inspected it
}

// keep returns Keep, or DefaultKeep if that is zero.
func (s Settings) keep() int { return cmp.Or(s.Keep, runfolder.DefaultKeep) }

// Options returns the type and device of the run's networks.
func (r *Run) Options() torch.Options {
	return torch.Options{Dtype: Dtype(r.Config), Device: r.Device}
}

// schedule is a state with its own schedule for the learning rate of w.
type schedule interface{ LR(epoch int) float64 }

// LR returns the learning rate of w in an epoch: by the state's own schedule, or the method's, or
// ScheduledLR.
func (r *Run) LR(epoch int) float64 {
	if s, ok := r.State.(schedule); ok {
		return s.LR(epoch)
	}
	if own := MethodOf(r.Config).LR; own != nil {
		return own(r.Config, epoch)
	}
	return ScheduledLR(r.Config.W, epoch, r.Config.Epochs)
}

// ScheduledLR returns the learning rate of w in an epoch, by the schedule of w over epochs, on images.
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

// Dtype returns the type of the networks that c makes.
func Dtype(c *config.Config) torch.Dtype {
	if c.Network.Dtype == config.Float64 {
		return torch.Float64
	}
	return torch.Float32
}

// CheckpointEvery says when a run saves besides at the end of each epoch: after that many steps or that
// much time, whichever is not zero.
type CheckpointEvery struct {
	Steps    int
	Interval time.Duration
}

// Strategy searches cells. It is made for a run, whose checkpoints hold its state. Search continues
// from the run's position.
type Strategy interface {
	Search(ctx context.Context, run *Run) (genotype.Genotype, error)
	State
}
