package nas

import (
	"context"
	"fmt"
	"path/filepath"

	"godarts/nas/config"
	"godarts/nas/data/fingerprint"
	"godarts/nas/names"
	"godarts/nas/runfolder"
)

// fingerprint is that of the data that the run has opened.
func (r *Run) fingerprint() fingerprint.Fingerprint {
	if r.Corpus != nil {
		return r.Corpus.Fingerprint()
	}
	return r.Set.Fingerprint()
}

// readsTest tells whether the experiment c, or a training that follows it, reads test images.
func readsTest(c *config.Config) bool {
	if c.Experiment == config.Train {
		return c.Data.TrainPortion == 1
	}
	return c.Evaluate != nil
}

// look notes what the data of a new run is and looks at its files. Those that cannot be
// read are an error, or left out.
func (r *Run) look(ctx context.Context) error {
	if err := r.lookAtFiles(ctx); err != nil {
		return err
	}
	return r.leaveOut()
}

// lookAtFiles is look without leaving anything out. What the process has found for what
// the run is a part of need not be looked for again.
func (r *Run) lookAtFiles(ctx context.Context) error {
	now := r.fingerprint()
	if whole := r.settings.data; whole != nil {
		if err := whole.Same(now, whole.File); err != nil {
			return err
		}
		if r.Set == nil || covers(whole.DataRecord, r) {
			r.data = whole.DataRecord
			if r.Set != nil && r.data.Checked != "" {
				r.data.Train = r.Set.Train.N // what the run needs of it
			}
			return nil
		}
	}
	r.data = runfolder.DataRecord{Fingerprint: now}
	if r.Set == nil || r.Config.Data.Check == config.Off {
		return nil
	}
	test := readsTest(r.Config)
	bad, err := r.Set.Check(ctx, r.Config.Data.Check, test, r.onCheck)
	switch {
	case err != nil:
		return err
	case len(bad) > 0 && r.Config.Data.OnBadFile == config.Fail && len(bad) == 1:
		return fmt.Errorf("%w: mend it, or set data.on_bad_file: skip, which leaves it out", &bad[0])
	case len(bad) > 0 && r.Config.Data.OnBadFile == config.Fail:
		return fmt.Errorf("%w; with it %d images cannot be read: mend them, or set data.on_bad_file: skip, which leaves them out", &bad[0], len(bad))
	}
	r.data.Checked, r.data.Train, r.data.Test, r.data.Unreadable = r.Config.Data.Check, r.Set.Train.N, test, bad
	return nil
}

// covers tells whether the look found all that one of r would.
func covers(d runfolder.DataRecord, r *Run) bool {
	return d.Checked == r.Config.Data.Check && d.Train >= r.Set.Train.N && (d.Test || !readsTest(r.Config))
}

// recallData is knownData of the run's folder, which says what the data is from then on.
func (r *Run) recallData() error {
	there, err := r.knownData(r.Dir)
	if err != nil || there {
		return err
	}
	return r.writeJSON(runfolder.DataFile, r.data)
}

// knownData reads what the data was when the run in dir began, and is an error if it is
// another now. A folder of an earlier version does not say.
func (r *Run) knownData(dir string) (there bool, err error) {
	file := filepath.Join(dir, runfolder.DataFile)
	d, there, err := runfolder.ReadRecord(file)
	if err != nil {
		return there, err
	}
	now := r.fingerprint()
	if !there {
		r.note("%s does not say what its data was: whether that has changed is not known", names.Escape(dir))
		d = runfolder.DataRecord{Fingerprint: now}
	}
	r.data = d
	return there, d.Same(now, file)
}

// leaveOut takes the files that cannot be read out of the data.
func (r *Run) leaveOut() error {
	if r.Set == nil {
		return nil
	}
	if bad := r.data.Unreadable; len(bad) > 0 {
		if err := r.Set.Without(bad); err != nil {
			return err
		}
		rest := *r.Config
		rest.Data.Subset = 0
		if key, problem := rest.CheckTrainImages(r.Set.Train.N); key != "" {
			return fmt.Errorf("nas: %s: %s", key, problem)
		}
		feed := newImageFeed(r.Config, r.Set, r.options())
		feed.fewer = true
		r.feed = feed
		first := bad[0]
		r.note("%s cannot be read and %s left out, such as %s: %s", names.Count(len(bad), "image"), map[bool]string{true: "is", false: "are"}[len(bad) == 1],
			names.Escape(filepath.Join(r.Config.Data.Root, first.File)), first.Why)
	}
	return nil
}

// onCheck tells the run's hooks how far the look at its files is. An error of theirs
// would come too early to stop anything.
func (r *Run) onCheck(done, of int) {
	for _, h := range r.settings.Hooks {
		if h.OnCheck != nil {
			h.OnCheck(r, done, of)
		}
	}
}

// lookOnce looks at the data of the experiment c for all parts that run in a folder, of
// which file tells what it was when the first of them began, and gives what they need to
// know of it. Of processes that begin together the first says what the data is. Without a
// file it is what the data is now.
func lookOnce(ctx context.Context, c *config.Config, file string, s Settings) (*runfolder.SharedData, error) {
	r := &Run{Config: c, Dir: filepath.Dir(file), Device: s.Device, settings: s}
	var err error
	if r.Set, err = openData(c); err != nil {
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
	return &runfolder.SharedData{DataRecord: d, File: file}, d.Same(r.fingerprint(), file)
}

// lookAt is lookOnce for the searches and the trainings of a folder, by experiment. Where
// both take the same data, it is that of the trainings. looked is what lookAt gave before,
// if it did. Without a folder nothing is read or written but the data.
func lookAt(ctx context.Context, dir string, search, train *config.Config, s Settings, looked map[string]*runfolder.SharedData) (of map[string]*runfolder.SharedData, err error) {
	look := func(c *config.Config, file string) (*runfolder.SharedData, error) {
		s.data = looked[c.Experiment]
		if dir != "" {
			file = filepath.Join(dir, file)
		} else {
			file = ""
		}
		return lookOnce(ctx, c, file, s)
	}
	whole, err := look(train, runfolder.DataFile)
	if err != nil {
		return nil, err
	}
	of = map[string]*runfolder.SharedData{config.Train: whole, config.Search: whole}
	a, b := search.Data, train.Data
	if a.Name == b.Name && a.Root == b.Root && a.Labels == b.Labels {
		return of, nil
	}
	of[config.Search], err = look(search, "search-"+runfolder.DataFile)
	return of, err
}
