package nas

import (
	"bytes"
	"context"
	"fmt"
	"path/filepath"

	"godarts/cells/draw"
	"godarts/cells/genotype"
	"godarts/nas/config"
	"godarts/nas/runfolder"
	"godarts/nas/wholefile"
	"godarts/torch"
)

// Enter opens the data, locks the run folder and, if the run is new, writes its config and RunInfo.
// leave unlocks the folder.
func Enter(ctx context.Context, dir string, c *config.Config, s Settings) (r *Run, leave func(), err error) {
	if s.Keep < 0 || s.Keep > runfolder.MaxKeep {
		return nil, nil, fmt.Errorf("nas: keep: %d checkpoints, wanted 1 to %d, or 0 for as many as before", s.Keep, runfolder.MaxKeep)
	}
	if c, err = c.AbsolutePaths(); err != nil {
		return nil, nil, err
	}
	r = &Run{Config: c, Dir: dir, Device: s.Device, Settings: s}
	if err := r.Open(true); err != nil {
		return nil, nil, err
	}
	r.notes = append(r.notes, r.Feed.Notes()...)
	isNew := !runfolder.HoldsRun(dir) || runfolder.HoldsOnlyStart(dir)
	if isNew { // before anything is written: it may take long, or fail
		if !runfolder.HoldsOnlyStart(dir) {
			if err := runfolder.CheckEmpty(dir); err != nil {
				return nil, nil, err
			}
		}
		if err := r.inspectData(ctx); err != nil {
			return nil, nil, err
		}
	}
	if err := wholefile.MakeFolder(dir); err != nil {
		return nil, nil, fmt.Errorf("nas: run folder: %w", err)
	}
	if r.lock, err = runfolder.Lock(dir); err != nil {
		return nil, nil, err
	}
	leave = func() { r.lock.Close() }
	err = r.prepareFolder()
	if err == nil {
		err = runfolder.ClearDivergence(dir)
	}
	if err != nil {
		leave()
		return nil, nil, err
	}
	if !isNew {
		if err := r.excludeUnreadable(); err != nil {
			leave()
			return nil, nil, err
		}
	}
	if files, ok := r.Feed.(Files); ok {
		r.notes = append(r.notes, files.Describe()...)
	}
	r.Settings.Shared = &runfolder.SharedData{DataManifest: r.manifest, ManifestFile: filepath.Join(dir, runfolder.DataFile)}
	r.hooks = append([]Hooks{guard(s.Guard), metrics(), logged(), checkpoints(s.Every)}, s.Hooks...)
	return r, leave, nil
}

// Do makes the experiment's state with start, restores it from the checkpoint if there is one, and runs
// body, between the hooks OnStart and OnEnd.
func (r *Run) Do(start func() (State, error), body func() error) error {
	return torch.Do(func() (err error) {
		torch.ManualSeed(uint64(r.Config.Seed))
		if r.State, err = start(); err != nil {
			return err
		}
		if err := r.restore(); err != nil {
			return err
		}
		r.recallWork()
		if err := r.TrimMetrics(); err != nil {
			return err
		}
		if err := r.onStart(); err != nil {
			return err
		}
		return r.onEnd(body())
	})
}

// Draw writes the pictures of the cells.
func (r *Run) Draw(g genotype.Genotype) error {
	for _, kind := range g.Kinds() {
		var b bytes.Buffer
		if err := draw.SVG(&b, *g.Cell(kind), kind); err != nil {
			return err
		}
		if err := r.Write(kind.String()+".svg", b.Bytes()); err != nil {
			return err
		}
	}
	return nil
}

// PreserveGenerators runs fn and then restores libtorch's generators. A trial draws from them only if
// it was not complete before; the search's checkpoint must be the same in both cases.
func (r *Run) PreserveGenerators(fn func()) {
	torch.Scoped(func() {
		devices := []torch.Device{torch.CPU}
		if r.Device.IsCUDA() {
			devices = append(devices, r.Device)
		}
		for _, d := range devices {
			state := torch.RNGState(d)
			defer torch.SetRNGState(d, state)
		}
		fn()
	})
}
