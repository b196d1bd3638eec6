package nas

import (
	"cmp"
	"crypto/rand"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"

	"godarts/nas/names"
	"godarts/nas/runfolder"
	"godarts/nas/wholefile"
)

// prepareFolder prepares the folder, which this process has locked, for the run. It writes the first
// files of a new run, checks those of an earlier one, and removes what kills left.
func (r *Run) prepareFolder() error {
	if err := runfolder.CheckFiles(r.Dir); err != nil {
		return err
	}
	if err := wholefile.RemoveLeftovers(r.Dir, runfolder.Files...); err != nil {
		return fmt.Errorf("nas: run folder: %w", err)
	}
	begun := runfolder.HoldsOnlyStart(r.Dir)
	if begun || !runfolder.HoldsRun(r.Dir) {
		return r.begin(begun)
	}
	changes := ""
	var err error
	if r.Settings.Changed {
		changes, err = r.compareWithFolder()
	} else {
		err = runfolder.CheckSameRun(r.Dir, r.Config)
	}
	if err != nil {
		return err
	}
	if err := r.recallRunInfo(); err != nil {
		return err
	}
	if err := r.recallManifest(); err != nil {
		return err
	}
	if err := r.reconfigure(changes); err != nil {
		return err
	}
	if runfolder.Has(r.Dir, runfolder.ConfigFile) {
		return nil
	}
	r.Note("%s was missing and is written again, as the checkpoint has it", filepath.Join(r.Dir, runfolder.ConfigFile))
	text, err := r.Config.YAML()
	if err != nil {
		return err
	}
	return r.Write(runfolder.ConfigFile, text)
}

// recallRunInfo reads the id of the run in its folder, or draws one if it has none, and the number of
// checkpoints to keep unless the caller gives it.
func (r *Run) recallRunInfo() error {
	a, err := runfolder.ReadRunInfo(r.Dir)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		a = runfolder.CurrentRunInfo(r.Config, r.Device)
		r.Note("%s was missing and is written again: the run goes on with %s on %s", filepath.Join(r.Dir, runfolder.RunFile), names.Count(a.Threads, "thread"), a.Device)
	case err != nil:
		return err
	default:
		r.notes = append(r.notes, a.Changes(runfolder.CurrentRunInfo(r.Config, r.Device))...)
	}
	before := a
	a.ID, a.Keep = cmp.Or(a.ID, rand.Text()), cmp.Or(r.Settings.Keep, a.Keep)
	r.id, r.Settings.Keep = a.ID, a.Keep
	if err == nil && a == before {
		return nil
	}
	return runfolder.WriteJSON(filepath.Join(r.Dir, runfolder.RunFile), a)
}

// begin writes the first files of a new run. If again is set, the folder holds the start of a run of
// which nothing was saved; else it is empty.
func (r *Run) begin(again bool) error {
	if again {
		r.Note("nothing was saved of the run that began in %s: this one begins at the start", names.Escape(r.Dir))
		for _, name := range []string{runfolder.MetricsFile, runfolder.TimingsFile, runfolder.LogFile, runfolder.BestFile, runfolder.LatenciesFile} {
			if err := os.Remove(filepath.Join(r.Dir, name)); err != nil && !errors.Is(err, fs.ErrNotExist) {
				return fmt.Errorf("nas: run folder: %w", err)
			}
		}
	} else if err := runfolder.CheckEmpty(r.Dir); err != nil {
		return err
	}
	text, err := r.Config.YAML()
	if err != nil {
		return err
	}
	a := runfolder.CurrentRunInfo(r.Config, r.Device)
	if before, err := runfolder.ReadRunInfo(r.Dir); err == nil {
		r.Settings.Keep = cmp.Or(r.Settings.Keep, before.Keep)
	}
	a.Keep = r.Settings.Keep
	r.id = a.ID
	if err := runfolder.WriteJSON(filepath.Join(r.Dir, runfolder.RunFile), a); err != nil {
		return err
	}
	if err := runfolder.WriteJSON(filepath.Join(r.Dir, runfolder.DataFile), r.manifest); err != nil {
		return err
	}
	return runfolder.Write(filepath.Join(r.Dir, runfolder.ConfigFile), text)
}
