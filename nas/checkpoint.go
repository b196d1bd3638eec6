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

// CheckpointEvery says when a run saves besides the end of each epoch: after
// that many steps or that much time, whichever is not zero.
type CheckpointEvery struct {
	Steps    int
	Interval time.Duration
}

// checkpoints saves a run as every says, at the end of each epoch, and when it
// is interrupted.
func checkpoints(every CheckpointEvery) Hooks {
	last := time.Now()
	save := func(r *Run) error {
		last = time.Now()
		return r.save()
	}
	return Hooks{
		OnStep: func(r *Run, s *Step) error {
			due := every.Steps > 0 && (s.Epoch*s.Of+r.at.Step)%every.Steps == 0 ||
				every.Interval > 0 && time.Since(last) >= every.Interval
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

// lastCheckpoint is the file of the last save, empty if there was none.
func (r *Run) lastCheckpoint() string {
	file := filepath.Join(r.Dir, runfolder.CheckpointFile)
	if _, err := os.Stat(file); err != nil {
		return ""
	}
	return file
}

// save writes the checkpoint, see saveAs. The ones before it stay beside it, see Settings.Keep.
func (r *Run) save() error {
	if err := r.syncMetrics(); err != nil {
		return err
	}
	return r.saveAs(runfolder.CheckpointFile, r.at)
}

// saveAs writes the experiment's state, libtorch's generator, a position and the
// config to a file of the run folder, under a checksum. The earlier file stays until
// the new one is whole, and for good if the state is not finite.
func (r *Run) saveAs(name string, at position) (err error) {
	torch.Scoped(func() { err = r.saveScoped(name, at) })
	return err
}

func (r *Run) saveScoped(name string, at position) error {
	state := r.state.StateDict()
	for entry, t := range state {
		if t.Dtype().IsFloat() && t.IsFinite().ToDtype(torch.Float32).Amin(nil, false).Item() == 0 {
			return r.diverged(fmt.Sprintf("%q is not finite", entry))
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
	if err := r.saveLeftOut(meta); err != nil {
		return err
	}
	content, err := safetensors.WithSum(tensors, meta, runfolder.MetaSum)
	if err != nil {
		return err
	}
	if err := r.owns(); err != nil {
		return err
	}
	if name == runfolder.CheckpointFile {
		if err := runfolder.KeepEarlier(r.Dir, r.settings.keep()); err != nil {
			return err
		}
	}
	return runfolder.Write(filepath.Join(r.Dir, name), content)
}

// restore puts the run where its newest checkpoint says that is not damaged, and removes those
// that are more than it keeps; without one it stays at the start. It changes no file if it returns
// an error of a checkpoint.
func (r *Run) restore() error {
	name, damaged, err := r.restoreNewest()
	if err != nil || name == "" {
		return err
	}
	if name != runfolder.CheckpointFile {
		r.note("the run goes on from %s, in epoch %d after step %d", name, r.at.Epoch+1, r.at.Step)
		// What is damaged must not become an earlier one.
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
	return runfolder.KeepOnly(r.Dir, r.settings.keep())
}

// restoreNewest puts the state where the newest checkpoint says that is not damaged, and notes what
// is wrong with those that are newer, the damaged ones. It changes no file. name is empty if there is no checkpoint.
func (r *Run) restoreNewest() (name string, damaged []*runfolder.DamagedError, err error) {
	name, st, damaged, err := runfolder.Newest(r.Dir)
	if err == nil && name == "" {
		err = runfolder.NoneReads(damaged)
	}
	if err != nil || name == "" {
		return "", nil, err
	}
	if err := r.restoreFrom(filepath.Join(r.Dir, name), st); err != nil {
		return "", nil, err
	}
	if !runfolder.Has(r.Dir, runfolder.CheckpointFile) {
		r.note("there is no %s", filepath.Join(r.Dir, runfolder.CheckpointFile))
	}
	for _, bad := range damaged {
		r.note("%v", bad)
	}
	return name, damaged, nil
}

// restoreFile puts the run where a file says that saveAs wrote, if it is there.
func (r *Run) restoreFile(name string) (there bool, err error) {
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

// restoreFrom puts the run where a checkpoint says, which was read from file.
func (r *Run) restoreFrom(file string, st *safetensors.File) error {
	meta := st.Metadata()
	saved, err := config.Parse(file, []byte(meta[runfolder.MetaConfig]))
	if err != nil {
		return fmt.Errorf("nas: checkpoint %s: %w", file, err)
	}
	if differences := runfolder.Differences(r.Config, lasting(saved, r.Config), "in the run's "+runfolder.ConfigFile, "in the checkpoint"); differences != "" {
		return fmt.Errorf("nas: checkpoint %s is of another config: %s", file, differences)
	}
	var at position
	if err := json.Unmarshal([]byte(meta[runfolder.MetaPosition]), &at); err != nil {
		return fmt.Errorf("nas: checkpoint %s: position: %w", file, err)
	}
	if err := mayLast(saved, r.Config, at); err != nil {
		return fmt.Errorf("nas: checkpoint %s is of another config: %w", file, err)
	}
	if err := r.reaches(at); err != nil {
		return fmt.Errorf("nas: checkpoint %s: position: %w", file, err)
	}
	if err := r.loadLeftOut(meta); err != nil {
		return fmt.Errorf("nas: checkpoint %s: %w", file, err)
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
	if err := r.state.LoadStateDict(tensors); err != nil {
		return fmt.Errorf("nas: checkpoint %s: %w", file, err)
	}
	if s, ok := r.state.(placed); ok {
		if err := s.standsAt(at); err != nil {
			return fmt.Errorf("nas: checkpoint %s: position: %w", file, err)
		}
	}
	torch.SetRNGState(torch.CPU, cpu)
	if cuda.Defined() && r.Device.IsCUDA() {
		torch.SetRNGState(r.Device, cuda)
	}
	r.at = at
	return nil
}
