// Package nas runs experiments: it searches cells by a strategy, trains the
// networks they make, and keeps both in run folders that survive anything.
package nas

import (
	"context"
	"fmt"
	"iter"
	"math"
	"os"

	"godarts/nas/config"
	"godarts/nas/data"
	"godarts/nas/data/texts"
	"godarts/nas/runfolder"
	"godarts/torch"
	"godarts/torch/nn"
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
	Dir    string        // the run folder
	Set    *data.Set     // the images; nil on a text
	Corpus *texts.Corpus // the text; nil on images
	Device torch.Device

	id       string   // see owns
	lock     *os.File // of the folder
	settings Settings
	feed     feed
	data     runfolder.DataRecord // what the data is, and which of its files cannot be read
	hooks    []Hooks
	notes    []string // for whoever reports the run, at its start
	state    State
	at       position
	err      error
}

// note leaves a line for whoever reports the run.
func (r *Run) note(format string, args ...any) {
	r.notes = append(r.notes, fmt.Sprintf(format, args...))
}

// position is where a run stands: Step steps of epoch Epoch are done.
type position struct {
	Epoch    int   `json:"epoch"`
	Step     int   `json:"step"`
	Meter    Meter `json:"meter"`              // of the epoch's steps so far
	Valid    Meter `json:"valid"`              // after the last epoch
	Restarts int   `json:"restarts,omitempty"` // how often the run has gone back to its best model
}

// after is where a run stands behind the epoch e.
func (p position) after(e Epoch) position {
	return position{Epoch: e.Index + 1, Valid: e.Valid, Restarts: p.Restarts}
}

// Meter sums over the images of an epoch, or over the tokens of a text that are
// predicted.
type Meter struct {
	Loss    float64 `json:"loss"`              // sum over them
	Correct float64 `json:"correct"`           // images whose label has the largest logit
	InFive  float64 `json:"in_five,omitempty"` // images whose label has one of the five largest; not counted in steps
	Count   int     `json:"count"`
}

func (m *Meter) add(loss, correct float64, count int) {
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

// Step is one step of an epoch. Its tensors live in the step's scope.
type Step struct {
	Epoch, Index, Of int      // Of is the number of steps of the epoch
	Train            nn.Batch // trains w
	Valid            nn.Batch // trains α; empty when a derived network is trained
	Count            int      // images of Train, or tokens that it predicts
	LR               float64  // of w in this step

	Loss    float64 // set by Record
	Correct float64 // set by Record
	run     *Run
}

// Record notes the step's loss and accuracy. Both tensors are of the pass that
// trained w: loss has no dimensions, logits are [N,classes], or the zero Tensor of a
// text, whose accuracy is not taken.
func (s *Step) Record(loss, logits torch.Tensor) {
	if logits.Defined() {
		s.Loss, s.Correct = measure(loss, logits, s.Train.Y)
	} else {
		s.Loss = loss.Item()
	}
	s.run.at.Meter.add(s.Loss, s.Correct, s.Count)
}

// measure reads a loss and counts the rows whose largest logit is at the label. It is
// where the host waits for a GPU, once.
func measure(loss, logits, labels torch.Tensor) (mean, correct float64) {
	torch.Scoped(func() {
		hits := logits.Detach().Argmax(1, false).Eq(labels).ToDtype(torch.Float64).Sum()
		both := torch.Stack([]torch.Tensor{loss.Detach().ToDtype(torch.Float64), hits}, 0).Float64s()
		mean, correct = both[0], both[1]
	})
	return mean, correct
}

// Epoch is a finished epoch. A trial of a search that trains every cell it tries from
// scratch counts as one, without LR and Train.
type Epoch struct {
	Index    int
	LR       float64
	Train    Meter  // as the steps saw it, while the weights moved
	Valid    Meter  // after the epoch: the validation half in a search, the test images in training, or those it holds out; of a text the validation split
	Genotype string // of a search: as α stands after the epoch

	Eigenvalue *float64                 // of a search that measures it: the dominant one, see darts.Plain.DominantEigenvalue
	Diverged   *runfolder.DivergedError // of a trial: it has no Valid
}

// Epochs yields the epochs that are left. The run's hooks OnStart and OnEnd are
// its caller's affair.
func (r *Run) Epochs(ctx context.Context) iter.Seq[int] {
	return func(yield func(int) bool) {
		for r.at.Epoch < r.Config.RunEpochs() && r.err == nil {
			if r.stopped(ctx) || !yield(r.at.Epoch) || r.err != nil {
				return
			}
		}
	}
}

// Steps yields the steps of the epoch that are left, each in a scope of its own
// that closes after the hooks.
func (r *Run) Steps(ctx context.Context, epoch int) iter.Seq[*Step] {
	return func(yield func(*Step) bool) {
		lr := r.LR(epoch)
		steps, passed := r.feed.steps(r.at), false
		for index, load := range r.feed.batches(ctx, r.at) {
			more := true
			if r.err = load.err(); r.err != nil {
				return
			}
			if !load.take() { // the step counts as taken
				r.at.Step, passed = index+1, true
				continue
			}
			torch.Scoped(func() {
				s := &Step{Epoch: epoch, Index: index, Of: steps, LR: lr, run: r}
				load.fill(s)
				more = yield(s)
				if !more || r.err != nil {
					return
				}
				r.at.Step = index + 1
				if r.err = s.finite(); r.err != nil {
					return
				}
				r.err = r.onStep(s)
			})
			if !more || r.err != nil || r.stopped(ctx) {
				return
			}
		}
		if !r.stopped(ctx) && passed && r.at.Meter.Count == 0 {
			r.err = r.feed.(*imageFeed).left.none("the training images of the epoch")
		}
	}
}

// stopped makes a cancelled context the run's error.
func (r *Run) stopped(ctx context.Context) bool {
	if r.err == nil && ctx.Err() != nil {
		r.err = ctx.Err()
	}
	return r.err != nil
}

// Finish ends an epoch: it calls the hooks and moves to the next.
func (r *Run) Finish(e Epoch) {
	if r.err != nil {
		return
	}
	if !r.Config.FromScratch() {
		e.LR = r.LR(e.Index)
	}
	e.Train = r.at.Meter
	r.at = r.at.after(e)
	r.err = r.onEpoch(&e)
}

// Err is what stopped the run early, nil if nothing did.
func (r *Run) Err() error { return r.err }
