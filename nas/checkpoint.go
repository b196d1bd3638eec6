package nas

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"time"

	"godarts/nas/config"
	"godarts/nas/finite"
	"godarts/nas/runfolder"
	"godarts/torch"
	"godarts/torch/safetensors"
)

// checkpoints saves the run at the intervals that every gives, at the end of each epoch, and when the
// run is interrupted.
func checkpoints(every CheckpointEvery) Hooks {
	last, due := time.Now(), false
	save := func(r *Run) error {
		last = time.Now()
		return r.Save()
	}
	return Hooks{
		Needs: func(_ *Run, s *Step) bool {
			due = every.Steps > 0 && (s.Epoch*s.Of+s.Index+1)%every.Steps == 0 ||
				every.Interval > 0 && time.Since(last) >= every.Interval
			return due
		},
		OnStep: func(r *Run, s *Step) error {
			if !due {
				return nil
			}
			return save(r)
		},
		OnEpoch: func(r *Run, _ *Epoch) error { return save(r) },
		OnEnd: func(r *Run, end error) error {
			if errors.Is(end, context.Canceled) {
				return save(r)
			}
			return nil
		},
	}
}

// Save writes the checkpoint by SaveAs, and keeps as many earlier ones as Settings.Keep says.
func (r *Run) Save() error {
	if err := r.syncMetrics(); err != nil {
		return err
	}
	return r.SaveAs(runfolder.CheckpointFile, r.At)
}

// SaveAs writes the experiment's state, libtorch's generators, a position and the config to a file of
// the run folder, under a checksum. The new file replaces the earlier one only when it is complete. If
// the state is not finite, SaveAs writes nothing and returns an error.
func (r *Run) SaveAs(name string, at Position) (err error) {
	torch.Scoped(func() { err = r.saveScoped(name, at) })
	return err
}

func (r *Run) saveScoped(name string, at Position) error {
	state := r.State.StateDict()
	for entry, t := range state {
		if t.Dtype().IsFloat() && t.IsFinite().ToDtype(torch.Float32).Amin(nil, false).Item() == 0 {
			return r.Diverged(fmt.Sprintf("%q is not finite", entry))
		}
	}
	tensors := torch.StateDict{runfolder.RNGCPU: torch.RNGState(torch.CPU)}
	if r.Device.IsCUDA() {
		tensors[runfolder.RNGCUDA] = torch.RNGState(r.Device)
	}
	maps.Copy(tensors, state)
	text, err := r.Config.YAML()
	if err != nil {
		return err
	}
	where, err := finite.Marshal(at)
	if err != nil {
		return fmt.Errorf("nas: checkpoint: %w", err)
	}
	meta := map[string]string{runfolder.MetaFormat: runfolder.CheckpointFormat, runfolder.MetaConfig: string(text), runfolder.MetaPosition: string(where)}
	if f, ok := r.Feed.(Files); ok {
		if err := f.Save(meta); err != nil {
			return err
		}
	}
	content, err := safetensors.WithSum(tensors, meta, runfolder.MetaSum)
	if err != nil {
		return err
	}
	if err := r.Owns(); err != nil {
		return err
	}
	if name == runfolder.CheckpointFile {
		if err := runfolder.RotateCheckpoints(r.Dir, r.Settings.keep()); err != nil {
			return err
		}
	}
	return runfolder.Write(filepath.Join(r.Dir, name), content)
}

// restore puts the run at the position of its newest undamaged checkpoint, and removes checkpoints
// beyond those that the run keeps. Without a checkpoint the run stays at the start. If restore returns
// an error of a checkpoint, it has changed no file.
func (r *Run) restore() error {
	name, damaged, err := r.restoreNewest()
	if err != nil || name == "" {
		return err
	}
	if name != runfolder.CheckpointFile {
		r.Note("the run goes on from %s, in epoch %d after step %d", name, r.At.Epoch+1, r.At.Step)
		// A damaged file must not become an earlier checkpoint.
		for _, bad := range damaged {
			if filepath.Base(bad.File) == runfolder.CheckpointFile {
				continue
			}
			if err := os.Remove(bad.File); err != nil {
				return fmt.Errorf("nas: checkpoint: %w", err)
			}
		}
		if err := os.Rename(filepath.Join(r.Dir, name), filepath.Join(r.Dir, runfolder.CheckpointFile)); err != nil {
			return fmt.Errorf("nas: checkpoint: %w", err)
		}
	}
	return runfolder.PruneCheckpoints(r.Dir, r.Settings.keep())
}

// restoreNewest loads the state from the newest undamaged checkpoint and returns its name, and the
// damaged checkpoints that are newer, with a note for each. It changes no file. Without a checkpoint,
// name is empty.
func (r *Run) restoreNewest() (name string, damaged []*runfolder.DamagedError, err error) {
	name, st, damaged, err := runfolder.NewestCheckpoint(r.Dir)
	if err == nil && name == "" {
		err = runfolder.AllDamaged(damaged)
	}
	if err != nil || name == "" {
		return "", nil, err
	}
	if err := r.restoreFrom(filepath.Join(r.Dir, name), st); err != nil {
		return "", nil, err
	}
	if !runfolder.Has(r.Dir, runfolder.CheckpointFile) {
		r.Note("there is no %s", filepath.Join(r.Dir, runfolder.CheckpointFile))
	}
	for _, bad := range damaged {
		r.Note("%v", bad)
	}
	return name, damaged, nil
}

// RestoreFile puts the run at the position of a file that SaveAs wrote. It reports whether the file
// exists.
func (r *Run) RestoreFile(name string) (there bool, err error) {
	file := filepath.Join(r.Dir, name)
	st, err := runfolder.ReadCheckpoint(file)
	if errors.Is(err, fs.ErrNotExist) {
		return false, nil
	}
	if err == nil {
		err = r.restoreFrom(file, st)
	}
	return err == nil, err
}

// restoreFrom puts the run at the position of the checkpoint st, which was read from file.
func (r *Run) restoreFrom(file string, st *safetensors.File) error {
	meta := st.Metadata()
	saved, err := config.Parse(file, []byte(meta[runfolder.MetaConfig]))
	if err != nil {
		return fmt.Errorf("nas: checkpoint %s: %w", file, err)
	}
	if differences := runfolder.Differences(r.Config, withEpochs(saved, r.Config), "in the run's "+runfolder.ConfigFile, "in the checkpoint"); differences != "" {
		return fmt.Errorf("nas: checkpoint %s is of another config: %s", file, differences)
	}
	var at Position
	if err := json.Unmarshal([]byte(meta[runfolder.MetaPosition]), &at); err != nil {
		return fmt.Errorf("nas: checkpoint %s: position: %w", file, err)
	}
	if err := checkExtension(saved, r.Config, at); err != nil {
		return fmt.Errorf("nas: checkpoint %s is of another config: %w", file, err)
	}
	if err := r.checkPosition(at); err != nil {
		return fmt.Errorf("nas: checkpoint %s: position: %w", file, err)
	}
	if f, ok := r.Feed.(Files); ok {
		if err := f.Load(meta); err != nil {
			return fmt.Errorf("nas: checkpoint %s: %w", file, err)
		}
	}
	tensors, err := st.LoadAll()
	if err != nil {
		return fmt.Errorf("nas: checkpoint %s: %w", file, err)
	}
	defer func(loaded []torch.Tensor) {
		for _, t := range loaded {
			t.Free()
		}
	}(slices.Collect(maps.Values(tensors)))
	cpu, cuda := tensors[runfolder.RNGCPU], tensors[runfolder.RNGCUDA]
	if !cpu.Defined() {
		return fmt.Errorf("nas: checkpoint %s: %q is missing", file, runfolder.RNGCPU)
	}
	delete(tensors, runfolder.RNGCPU)
	delete(tensors, runfolder.RNGCUDA)
	if err := r.State.LoadStateDict(tensors); err != nil {
		return fmt.Errorf("nas: checkpoint %s: %w", file, err)
	}
	if s, ok := r.State.(positionChecker); ok {
		if err := s.CheckPosition(at); err != nil {
			return fmt.Errorf("nas: checkpoint %s: position: %w", file, err)
		}
	}
	torch.SetRNGState(torch.CPU, cpu)
	if cuda.Defined() && r.Device.IsCUDA() {
		torch.SetRNGState(r.Device, cuda)
	}
	r.At = at
	return nil
}

// Peek loads the state from the newest readable checkpoint and notes its position. It changes no file.
func (r *Run) Peek() error {
	if _, _, err := r.restoreNewest(); err != nil {
		return err
	}
	where := fmt.Sprintf("after epoch %d of %d", r.At.Epoch, r.Config.RunEpochs())
	if r.At.Step > 0 {
		where = fmt.Sprintf("in epoch %d of %d after step %d", r.At.Epoch+1, r.Config.RunEpochs(), r.At.Step)
	}
	r.Note("these are the weights of the checkpoint %s: the run is not complete", where)
	return nil
}

// positionChecker is a state that can tell whether it fits a position of the run.
type positionChecker interface {
	// CheckPosition returns an error if a run at this position never has this state.
	CheckPosition(at Position) error
}

// restarting is a state that can return to an earlier one, at most MostRestarts times up to an epoch.
type restarting interface{ MostRestarts(epoch int) int }

// checkPosition returns an error if the run never stands at this position.
func (r *Run) checkPosition(at Position) error {
	c, epochs := r.Config, r.Config.RunEpochs()
	if c.FromScratch() {
		epochs = c.Trials() // each trial counts as an epoch
	}
	restarts := 0
	if s, ok := r.State.(restarting); ok {
		restarts = s.MostRestarts(at.Epoch)
	}
	if at.Epoch < c.FirstEpoch() || at.Epoch > epochs || at.Step < 0 || at.Restarts < 0 || at.Restarts > restarts {
		return fmt.Errorf("epoch %d of %d, step %d, restart %d", at.Epoch, epochs, at.Step, at.Restarts)
	}
	steps := 0
	if at.Epoch < epochs && at.Step > 0 && !c.FromScratch() {
		steps = r.Feed.Steps(at)
	}
	if at.Step > steps {
		return fmt.Errorf("epoch %d, step %d of %d", at.Epoch, at.Step, steps)
	}
	if at.Step == 0 && at.Meter != (Meter{}) {
		return fmt.Errorf("epoch %d, step 0: %d counted before the first step", at.Epoch, at.Meter.Count)
	}
	for _, m := range []Meter{at.Meter, at.Valid} {
		for _, norm := range []GradNorm{m.GradW, m.GradAlpha} {
			if norm.Sum < 0 || norm.Steps < 0 {
				return fmt.Errorf("gradients of %d steps with norms of %v in all", norm.Steps, norm.Sum)
			}
		}
		if m.Count < 0 || m.Loss < 0 || m.Correct < 0 || m.InFive < 0 || max(m.Correct, m.InFive) > float64(m.Count) {
			return fmt.Errorf("%v correct and %v in five of %d, loss %v", m.Correct, m.InFive, m.Count, m.Loss)
		}
	}
	return nil
}
