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
	"strings"
	"time"

	"godarts/nas/config"
	"godarts/nas/finite"
	"godarts/torch"
	"godarts/torch/safetensors"
)

// Keys of a checkpoint's metadata, and the names of its tensors that are not of
// the experiment's state.
const (
	metaFormat   = "format"
	metaConfig   = "config"
	metaPosition = "position"
	metaSum      = "sha256"
	rngCPU       = "rng.cpu"
	rngCUDA      = "rng.cuda"

	checkpointFormat = "godarts checkpoint 1"
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
	file := filepath.Join(r.Dir, CheckpointFile)
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
	return r.saveAs(CheckpointFile, r.at)
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
	tensors := torch.StateDict{rngCPU: torch.RNGState(torch.CPU)}
	if r.Device.IsCUDA() {
		tensors[rngCUDA] = torch.RNGState(r.Device)
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
	meta := map[string]string{metaFormat: checkpointFormat, metaConfig: string(text), metaPosition: string(where)}
	if err := r.saveLeftOut(meta); err != nil {
		return err
	}
	content, err := safetensors.WithSum(tensors, meta, metaSum)
	if err != nil {
		return err
	}
	if err := r.owns(); err != nil {
		return err
	}
	if name == CheckpointFile {
		if err := keepEarlier(r.Dir, r.settings.keep()); err != nil {
			return err
		}
	}
	return write(filepath.Join(r.Dir, name), content)
}

// restore puts the run where its newest checkpoint says that is not damaged, and removes those
// that are more than it keeps; without one it stays at the start. It changes no file if it returns
// an error of a checkpoint.
func (r *Run) restore() error {
	name, damaged, err := r.restoreNewest()
	if err != nil || name == "" {
		return err
	}
	if name != CheckpointFile {
		r.note("the run goes on from %s, in epoch %d after step %d", name, r.at.Epoch+1, r.at.Step)
		// What is damaged must not become an earlier one.
		for _, bad := range damaged {
			if filepath.Base(bad.file) == CheckpointFile {
				continue
			}
			if err := os.Remove(bad.file); err != nil {
				return fmt.Errorf("nas: checkpoint: %w", err)
			}
		}
		if err := os.Rename(filepath.Join(r.Dir, name), filepath.Join(r.Dir, CheckpointFile)); err != nil {
			return fmt.Errorf("nas: checkpoint: %w", err)
		}
	}
	return keepOnly(r.Dir, r.settings.keep())
}

// restoreNewest puts the state where the newest checkpoint says that is not damaged, and notes what
// is wrong with those that are newer, the damaged ones. It changes no file. name is empty if there is no checkpoint.
func (r *Run) restoreNewest() (name string, damaged []*damagedError, err error) {
	name, st, damaged, err := newest(r.Dir)
	if err == nil && name == "" {
		err = noneReads(damaged)
	}
	if err != nil || name == "" {
		return "", nil, err
	}
	if err := r.restoreFrom(filepath.Join(r.Dir, name), st); err != nil {
		return "", nil, err
	}
	if !there(r.Dir, CheckpointFile) {
		r.note("there is no %s", filepath.Join(r.Dir, CheckpointFile))
	}
	for _, bad := range damaged {
		r.note("%v", bad)
	}
	return name, damaged, nil
}

// restoreFile puts the run where a file says that saveAs wrote, if it is there.
func (r *Run) restoreFile(name string) (there bool, err error) {
	file := filepath.Join(r.Dir, name)
	st, err := readCheckpoint(file)
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
	saved, err := config.Parse(file, []byte(meta[metaConfig]))
	if err != nil {
		return fmt.Errorf("nas: checkpoint %s: %w", file, err)
	}
	if differences := differences(r.Config, lasting(saved, r.Config), "in the run's "+configFile, "in the checkpoint"); differences != "" {
		return fmt.Errorf("nas: checkpoint %s is of another config: %s", file, differences)
	}
	var at position
	if err := json.Unmarshal([]byte(meta[metaPosition]), &at); err != nil {
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
	cpu, cuda := tensors[rngCPU], tensors[rngCUDA]
	if !cpu.Defined() {
		return fmt.Errorf("nas: checkpoint %s: %q is missing", file, rngCPU)
	}
	delete(tensors, rngCPU)
	delete(tensors, rngCUDA)
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

// differences lists what differs between two configs, where the data lies, how it is looked at
// and what is expected aside; it is empty if nothing does.
func differences(a, b *config.Config, aLabel, bLabel string) string {
	x, y := *a, *b
	x.Data.Root, x.Data.OnBadFile, x.Data.Check = y.Data.Root, y.Data.OnBadFile, y.Data.Check
	x.Expect, y.Expect = nil, nil
	return strings.Join(config.Diff(&x, &y, aLabel, bLabel), "; ")
}
