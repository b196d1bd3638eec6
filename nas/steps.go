package nas

import (
	"context"
	"fmt"
	"iter"
	"math"
	"os"
	"path/filepath"

	"godarts/nas/config"
	"godarts/nas/runfolder"
	"godarts/torch"
	"godarts/torch/nn"
)

// Step is one step of an epoch. Its tensors live in the step's scope.
type Step struct {
	Epoch, Index, Of int      // Of is the number of steps of the epoch
	Train            nn.Batch // trains w
	Valid            nn.Batch // trains α; empty in the training of a derived network
	Count            int      // images of Train, or predicted tokens
	LR               float64  // learning rate of w in this step

	// Norms of the gradients that move w and α, before clipping. A state may set them before Record.
	NormW, NormAlpha torch.Tensor

	Loss    float64 // set by Record
	Correct float64 // set by Record
	Run     *Run    // the run of the step

	mail *torch.Mailbox // where RecordLater puts numbers; nil if the host waits for them
	read func()         // sets Loss and Correct; nil once it has
}

// Record records the step's loss and accuracy, and the norms of its gradients. Both tensors come from
// the pass that trained w: loss has no dimensions, logits are [N,classes]. For a text, logits are the
// zero Tensor, and there is no accuracy. Record waits once for the GPU.
func (s *Step) Record(loss, logits torch.Tensor) {
	torch.Scoped(func() { s.record(s.numbers(loss, logits).Float64s(), logits.Defined()) })
}

// RecordLater is Record that does not wait for a GPU: there Loss and Correct are set, and hooks are called, when the next
// step has been queued, unless a hook Needs the state.
func (s *Step) RecordLater(loss, logits torch.Tensor) {
	if s.mail == nil {
		s.Record(loss, logits)
		return
	}
	correct := logits.Defined()
	torch.Scoped(func() {
		numbers := s.mail.Post(s.numbers(loss, logits))
		s.read = func() { s.record(numbers(), correct) }
	})
}

// mostNumbers is the length of numbers' result at most.
const mostNumbers = 4

// numbers are the loss, with logits the hits, and the norms that are there, side by side in float64.
func (s *Step) numbers(loss, logits torch.Tensor) torch.Tensor {
	each := []torch.Tensor{loss}
	if logits.Defined() {
		each = append(each, hits(logits, s.Train.Y))
	}
	for _, norm := range []torch.Tensor{s.NormW, s.NormAlpha} {
		if norm.Defined() {
			each = append(each, norm)
		}
	}
	return together(each)
}

// record takes what numbers has made.
func (s *Step) record(values []float64, correct bool) {
	meter := &s.Run.At.Meter
	s.read = nil
	s.Loss, values = values[0], values[1:]
	if correct {
		s.Correct, values = values[0], values[1:]
	}
	if s.NormW.Defined() {
		meter.GradW.add(values[0])
		values = values[1:]
	}
	if s.NormAlpha.Defined() {
		meter.GradAlpha.add(values[0])
	}
	meter.Add(s.Loss, s.Correct, s.Count)
}

// Measure returns the loss and the number of rows whose largest logit is the label's. It waits once for
// the GPU.
func Measure(loss, logits, labels torch.Tensor) (mean, correct float64) {
	torch.Scoped(func() {
		both := together([]torch.Tensor{loss, hits(logits, labels)}).Float64s()
		mean, correct = both[0], both[1]
	})
	return mean, correct
}

// hits counts the rows whose largest logit is the label's.
func hits(logits, labels torch.Tensor) torch.Tensor {
	return logits.Detach().Argmax(1, false).Eq(labels).ToDtype(torch.Float64).Sum()
}

// together are tensors without dimensions side by side in float64, to be read at once.
func together(read []torch.Tensor) torch.Tensor {
	each := make([]torch.Tensor, len(read))
	for i, t := range read {
		each[i] = t.Detach().ToDtype(torch.Float64)
	}
	return torch.Stack(each, 0)
}

// Epoch is a finished epoch. In a search that trains every cell from scratch it is a trial, without LR
// and Train.
type Epoch struct {
	Index    int
	LR       float64
	Train    Meter  // over the steps, while the weights moved
	Valid    Meter  // after the epoch, on what Feed.Validate measures
	Genotype string // of a search: the cell that α gives after the epoch

	Eigenvalue *float64                 // of a search that measures the dominant eigenvalue, see darts.Plain.DominantEigenvalue
	Diverged   *runfolder.DivergedError // of a trial that diverged: it has no Valid

	Observation *runfolder.Observation // of a search, set by Finish: α as the epoch leaves it, and the size of Genotype's network
}

// Epochs yields the remaining epochs. The caller of Epochs calls the hooks OnStart and OnEnd.
func (r *Run) Epochs(ctx context.Context) iter.Seq[int] {
	return func(yield func(int) bool) {
		for r.At.Epoch < r.Config.RunEpochs() && r.err == nil {
			if r.Stopped(ctx) || !yield(r.At.Epoch) || r.err != nil {
				return
			}
		}
	}
}

// Steps yields the remaining steps of the epoch. Each has its own scope, which closes after the hooks.
func (r *Run) Steps(ctx context.Context, epoch int) iter.Seq[*Step] {
	return func(yield func(*Step) bool) {
		lr := r.LR(epoch)
		steps, passed := r.Feed.Steps(r.At), false
		var mail *torch.Mailbox
		if r.Device.IsCUDA() || recordsLate {
			mail = torch.NewMailbox(r.Device, mostNumbers)
			defer mail.Free()
		}
		var before *Step // taken, not recorded yet
		settle := func() {
			if before != nil && r.err == nil {
				r.end(before)
			}
			before = nil
		}
		for index, load := range r.Feed.Batches(ctx, r.At) {
			more := true
			if err := load.Err(); err != nil {
				settle()
				r.Fail(err)
				return
			}
			if !load.Take() { // the step counts as done
				settle()
				if r.err != nil {
					return
				}
				r.At.Step, passed = index+1, true
				continue
			}
			torch.Scoped(func() {
				s := &Step{Epoch: epoch, Index: index, Of: steps, LR: lr, Run: r, mail: mail}
				load.Fill(s)
				more = yield(s)
				settle()
				if !more || r.err != nil {
					return
				}
				if now := r.needed(s); s.read != nil && !now {
					before = s
					return
				}
				r.end(s)
			})
			if !more || r.err != nil {
				return
			}
			if ctx.Err() != nil {
				settle()
			}
			if r.Stopped(ctx) {
				return
			}
		}
		settle()
		if !r.Stopped(ctx) && passed && r.At.Meter.Count == 0 {
			r.err = r.Feed.(Files).None("the training images of the epoch")
		}
	}
}

// recordsLate has RecordLater record late on the CPU, too.
var recordsLate = false

// end ends the step s: the run is after it, and the hooks are called.
func (r *Run) end(s *Step) {
	r.At.Step = s.Index + 1
	if s.read != nil {
		s.read()
	}
	if r.err = s.finite(); r.err == nil {
		r.err = r.onStep(s)
	}
}

// Stopped reports whether the run has an error. If the context is done, its error becomes the run's.
func (r *Run) Stopped(ctx context.Context) bool {
	if r.err == nil && ctx.Err() != nil {
		r.err = ctx.Err()
	}
	return r.err != nil
}

// Finish ends an epoch: it moves the run to the next and calls the hooks.
func (r *Run) Finish(e Epoch) {
	if r.err != nil {
		return
	}
	if !r.Config.FromScratch() {
		e.LR = r.LR(e.Index)
	}
	e.Train = r.At.Meter
	if r.Config.Experiment == config.Search {
		o, err := observation(r.State, r.Feed, e.Genotype)
		if r.err = err; err != nil {
			return
		}
		e.Observation = &o
	}
	r.At = r.At.After(e)
	r.err = r.onEpoch(&e)
}

// Diverged returns the error of a run whose divergence was found after its last step.
func (r *Run) Diverged(what string) error {
	e := &runfolder.DivergedError{Epoch: r.At.Epoch + 1, Step: r.At.Step, What: what, Checkpoint: r.lastCheckpoint()}
	if r.At.Step == 0 { // between epochs
		e.Epoch--
		if e.Epoch > 0 {
			e.Step = r.Feed.Steps(Position{Epoch: e.Epoch - 1, Restarts: r.At.Restarts})
		}
	}
	e.LR = r.LR(max(e.Epoch-1, 0))
	return e
}

// finite returns an error if the loss of the step, or the sum over the epoch, is not finite.
func (s *Step) finite() error {
	for _, loss := range []float64{s.Loss, s.Run.At.Meter.Loss} {
		if !IsFinite(loss) {
			return s.Run.Diverged(fmt.Sprintf("the loss is %g", loss))
		}
	}
	return nil
}

// IsFinite reports whether x is neither NaN nor infinite.
func IsFinite(x float64) bool { return !math.IsNaN(x) && !math.IsInf(x, 0) }

// Validate measures forward after an epoch on the validation half of a search, on the test images of a
// training, or on those that the training holds out. A loss that is not finite stops the run.
func (r *Run) Validate(ctx context.Context, epoch int, forward func(nn.Batch) nn.Output) Meter {
	m := r.Measure(ctx, epoch, forward)
	if r.err == nil {
		r.err = r.MeasuredFinite(r.Feed.Measured(), m)
	}
	return m
}

// Measure is Validate, but accepts a loss that is not finite.
func (r *Run) Measure(ctx context.Context, epoch int, forward func(nn.Batch) nn.Output) Meter {
	if r.err != nil {
		return Meter{}
	}
	m, err := r.Feed.Validate(ctx, epoch, forward)
	r.err = err
	return m
}

// MeasuredFinite returns an error if the loss m, measured on a split, is not finite.
func (r *Run) MeasuredFinite(split string, m Meter) error {
	switch what := fmt.Sprintf("the %s loss is %g", split, m.MeanLoss()); {
	case IsFinite(m.Loss):
		return nil
	case r.State == nil: // weights from a file, without a run
		return fmt.Errorf("nas: %s: the weights or the data are not fit for each other", what)
	default:
		return r.Diverged(what)
	}
}

// lastCheckpoint returns the file of the last checkpoint, empty if there is none.
func (r *Run) lastCheckpoint() string {
	file := filepath.Join(r.Dir, runfolder.CheckpointFile)
	if _, err := os.Stat(file); err != nil {
		return ""
	}
	return file
}
