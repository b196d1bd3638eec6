package nas

import (
	"context"
	"path/filepath"

	"godarts/nas/config"
	"godarts/nas/names"
	"godarts/nas/runfolder"
)

// look notes what the data of a new run is and looks at its files. Those that cannot be
// read are an error, or left out.
func (r *Run) look(ctx context.Context) error {
	if err := r.lookAtFiles(ctx); err != nil {
		return err
	}
	if err := r.leaveOut(); err != nil {
		return err
	}
	if f, ok := r.Feed.(Files); ok {
		return f.CheckRest()
	}
	return nil
}

// lookAtFiles is look without leaving anything out. What the process has found for what
// the run is a part of need not be looked for again.
func (r *Run) lookAtFiles(ctx context.Context) error {
	now := r.Feed.Fingerprint()
	files, ofFiles := r.Feed.(Files)
	if shared := r.Settings.Shared; shared != nil {
		if err := shared.Same(now, shared.File); err != nil {
			return err
		}
		if !ofFiles {
			r.data = shared.DataRecord
			return nil
		}
		if record, there := files.Needs(shared.DataRecord); there {
			r.data = record
			return nil
		}
	}
	r.data = runfolder.DataRecord{Fingerprint: now}
	if !ofFiles {
		return nil
	}
	record, err := files.Look(ctx, r.onCheck)
	if err == nil {
		r.data = record
	}
	return err
}

// recallData is knownData of the run's folder, which says what the data is from then on.
func (r *Run) recallData() error {
	there, err := r.knownData(r.Dir)
	if err != nil || there {
		return err
	}
	return r.WriteJSON(runfolder.DataFile, r.data)
}

// knownData reads what the data was when the run in dir began, and is an error if it is
// another now. A folder of an earlier version does not say.
func (r *Run) knownData(dir string) (there bool, err error) {
	file := filepath.Join(dir, runfolder.DataFile)
	d, there, err := runfolder.ReadRecord(file)
	if err != nil {
		return there, err
	}
	now := r.Feed.Fingerprint()
	if !there {
		r.Note("%s does not say what its data was: whether that has changed is not known", names.Escape(dir))
		d = runfolder.DataRecord{Fingerprint: now}
	}
	r.data = d
	return there, d.Same(now, file)
}

// leaveOut takes the files that cannot be read out of the data.
func (r *Run) leaveOut() error {
	files, ok := r.Feed.(Files)
	if !ok {
		return nil
	}
	note, err := files.LeaveOut(r.data)
	if note != "" {
		r.Note("%s", note)
	}
	return err
}

// onCheck tells the run's hooks how far the look at its files is. An error of theirs
// would come too early to stop anything.
func (r *Run) onCheck(done, of int) {
	for _, h := range r.Settings.Hooks {
		if h.OnCheck != nil {
			h.OnCheck(r, done, of)
		}
	}
}

// LookOnce looks at the data of the experiment c for all parts that run in a folder, of
// which file tells what it was when the first of them began, and gives what they need to
// know of it. Of processes that begin together the first says what the data is. Without a
// file it is what the data is now.
func LookOnce(ctx context.Context, c *config.Config, file string, s Settings) (*runfolder.SharedData, error) {
	r := &Run{Config: c, Dir: filepath.Dir(file), Device: s.Device, Settings: s}
	if err := r.Open(false); err != nil {
		return nil, err
	}
	if file == "" {
		err := r.lookAtFiles(ctx)
		return &runfolder.SharedData{DataRecord: r.data, File: ""}, err
	}
	d, there, err := runfolder.ReadRecord(file)
	if err != nil {
		return nil, err
	}
	if !there {
		if err := r.lookAtFiles(ctx); err != nil {
			return nil, err
		}
		if err := runfolder.WriteFirst(file, r.data); err != nil {
			return nil, err
		}
		if d, _, err = runfolder.ReadRecord(file); err != nil {
			return nil, err
		}
	}
	return &runfolder.SharedData{DataRecord: d, File: file}, d.Same(r.Feed.Fingerprint(), file)
}

// OpenKnown opens the data as the run in dir knows it.
func (r *Run) OpenKnown(dir string) error {
	if err := r.Open(false); err != nil {
		return err
	}
	if _, err := r.knownData(dir); err != nil {
		return err
	}
	return r.leaveOut()
}
