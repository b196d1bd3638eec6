package nas

import (
	"context"
	"path/filepath"

	"godarts/nas/config"
	"godarts/nas/names"
	"godarts/nas/runfolder"
)

// inspectData records the data of a new run and inspects its files. Unreadable files are an error, or
// are excluded, as data.on_bad_file says.
func (r *Run) inspectData(ctx context.Context) error {
	if err := r.inspectFiles(ctx); err != nil {
		return err
	}
	if err := r.excludeUnreadable(); err != nil {
		return err
	}
	if f, ok := r.Feed.(Files); ok {
		return f.CheckRemaining()
	}
	return nil
}

// inspectFiles is inspectData without the exclusion. It reuses what this process has found for the
// protocol or comparison that the run is a part of.
func (r *Run) inspectFiles(ctx context.Context) error {
	now := r.Feed.Fingerprint()
	files, ofFiles := r.Feed.(Files)
	if shared := r.Settings.Shared; shared != nil {
		if err := shared.CheckUnchanged(now, shared.ManifestFile); err != nil {
			return err
		}
		if !ofFiles {
			r.manifest = shared.DataManifest
			return nil
		}
		if record, there := files.Reuse(shared.DataManifest); there {
			r.manifest = record
			return nil
		}
	}
	r.manifest = runfolder.DataManifest{Fingerprint: now}
	if !ofFiles {
		return nil
	}
	record, err := files.Inspect(ctx, r.onCheck)
	if err == nil {
		r.manifest = record
	}
	return err
}

// recallManifest reads the manifest in the run's folder, and writes one if there is none.
func (r *Run) recallManifest() error {
	there, err := r.readManifest(r.Dir)
	if err != nil || there {
		return err
	}
	return r.WriteJSON(runfolder.DataFile, r.manifest)
}

// readManifest reads the manifest of the run in dir, and returns an error if the data has changed
// since. Folders of earlier versions have no manifest.
func (r *Run) readManifest(dir string) (there bool, err error) {
	file := filepath.Join(dir, runfolder.DataFile)
	d, there, err := runfolder.ReadDataManifest(file)
	if err != nil {
		return there, err
	}
	now := r.Feed.Fingerprint()
	if !there {
		r.Note("%s does not say what its data was: whether that has changed is not known", names.Escape(dir))
		d = runfolder.DataManifest{Fingerprint: now}
	}
	r.manifest = d
	return there, d.CheckUnchanged(now, file)
}

// excludeUnreadable removes the unreadable files from the data.
func (r *Run) excludeUnreadable() error {
	files, ok := r.Feed.(Files)
	if !ok {
		return nil
	}
	note, err := files.Exclude(r.manifest)
	if note != "" {
		r.Note("%s", note)
	}
	return err
}

// onCheck tells the run's hooks how many files have been inspected.
func (r *Run) onCheck(done, of int) {
	for _, h := range r.Settings.Hooks {
		if h.OnCheck != nil {
			h.OnCheck(r, done, of)
		}
	}
}

// InspectOnce inspects the data of the experiment c once for all parts that run in a folder. file is
// the manifest, written when the first of them began: of processes that begin together the first writes
// it. With an empty file name the manifest describes the data as it is now, and is not written.
func InspectOnce(ctx context.Context, c *config.Config, file string, s Settings) (*runfolder.SharedData, error) {
	r := &Run{Config: c, Dir: filepath.Dir(file), Device: s.Device, Settings: s}
	if err := r.Open(false); err != nil {
		return nil, err
	}
	if file == "" {
		err := r.inspectFiles(ctx)
		return &runfolder.SharedData{DataManifest: r.manifest, ManifestFile: ""}, err
	}
	d, there, err := runfolder.ReadDataManifest(file)
	if err != nil {
		return nil, err
	}
	if !there {
		if err := r.inspectFiles(ctx); err != nil {
			return nil, err
		}
		if err := runfolder.WriteJSONOnce(file, r.manifest); err != nil {
			return nil, err
		}
		if d, _, err = runfolder.ReadDataManifest(file); err != nil {
			return nil, err
		}
	}
	return &runfolder.SharedData{DataManifest: d, ManifestFile: file}, d.CheckUnchanged(r.Feed.Fingerprint(), file)
}

// OpenAsRecorded opens the data and excludes the files that the manifest in dir lists as unreadable. It
// returns an error if the data has changed.
func (r *Run) OpenAsRecorded(dir string) error {
	if err := r.Open(false); err != nil {
		return err
	}
	if _, err := r.readManifest(dir); err != nil {
		return err
	}
	return r.excludeUnreadable()
}
