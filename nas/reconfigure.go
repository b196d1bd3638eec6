package nas

import (
	"encoding/json"
	"fmt"
	"path/filepath"
	"slices"
	"strings"

	"godarts/nas/config"
	"godarts/nas/names"
	"godarts/nas/runfolder"
)

// changeable are the keys that may change when a run is resumed: the number of epochs, and how the same
// data is found and read.
var changeable = []string{"epochs", "data.root", "data.on_bad_file", "data.check"}

// Changed reads the config of the run in dir and applies the items of set, "KEY=VALUE", for
// Settings.Changed. It returns an error for any key that is not changeable, for fewer epochs, and for
// more epochs if those already done would then have another meaning.
func Changed(dir string, set []string) (*config.Config, error) {
	own, err := runfolder.ReadConfig(dir)
	if err != nil || len(set) == 0 {
		return own, err
	}
	for _, item := range set {
		if key, _, _ := strings.Cut(item, "="); !slices.Contains(changeable, key) {
			return nil, fmt.Errorf("nas: --set %s: a run goes on with the %s that it began with; what can change is %s",
				names.Limit(item, 80), names.Limit(key, 80), strings.Join(changeable, ", "))
		}
	}
	text, err := own.YAML()
	if err != nil {
		return nil, err
	}
	c, err := config.Parse(filepath.Join(dir, runfolder.ConfigFile), text, set...)
	if err != nil {
		return nil, err
	}
	if c, err = c.AbsolutePaths(); err != nil || c.Epochs == own.Epochs || runfolder.HoldsOnlyStart(dir) {
		return c, err
	}
	if runfolder.Finished(dir) {
		return nil, fmt.Errorf("nas: epochs: the run in %s is complete after %s: start a new run for %d", names.Escape(dir), names.Count(own.Epochs, "epoch"), c.Epochs)
	}
	at, err := savedPosition(dir)
	if err != nil {
		return nil, err
	}
	if err := checkExtension(own, c, at); err != nil {
		return nil, err
	}
	if c.Evaluate != nil && runfolder.Has(dir, runfolder.FoundFolder) {
		return nil, fmt.Errorf("nas: epochs: the cell of the search in %s is found, and is being trained: start a new run for %d epochs", names.Escape(dir), c.Epochs)
	}
	return c, nil
}

// checkExtension returns an error if the run that was saved at a position with the config saved cannot
// go on for the epochs of c.
func checkExtension(saved, c *config.Config, at Position) error {
	refuse := func(why string) error {
		return fmt.Errorf("nas: epochs: %d cannot become %d: %s", saved.Epochs, c.Epochs, why)
	}
	switch {
	case c.Epochs == saved.Epochs:
		return nil
	case c.Epochs < saved.Epochs:
		return refuse("a run can get more epochs, not fewer")
	case saved.FromScratch():
		return refuse("they are those of each cell's training, and cells with fewer have been compared")
	}
	if own := MethodOf(saved).MayLast; own != nil {
		if why := own(saved, at.Epoch); why != "" {
			return refuse(why)
		}
	}
	return nil
}

// scheduled returns the quantities that follow a schedule over all epochs of a run. When a run gets
// more epochs, they follow the longer schedule from its position on.
func scheduled(c *config.Config) (what []string) {
	if !c.Data.IsText() && c.W.Schedule == config.Cosine {
		what = append(what, "the learning rate")
	}
	if c.Experiment == config.Train && !c.Data.IsText() && c.Network.DropPath > 0 {
		what = append(what, "drop path")
	}
	return append(what, MethodOf(c).Scheduled...)
}

// savedPosition returns the position of the newest checkpoint in dir; the start without one.
func savedPosition(dir string) (at Position, err error) {
	file, meta, err := runfolder.NewestMetadata(dir)
	if err != nil || file == "" {
		return at, err
	}
	if err := json.Unmarshal([]byte(meta[runfolder.MetaPosition]), &at); err != nil {
		return at, fmt.Errorf("nas: checkpoint %s: position: %w", file, err)
	}
	return at, nil
}

// compareWithFolder compares the run's config with the folder's. changes describes differences in the
// changeable keys; differences in other keys are an error.
func (r *Run) compareWithFolder() (changes string, err error) {
	own, err := runfolder.ReadConfig(r.Dir)
	if err != nil {
		return "", err
	}
	changes = strings.Join(config.Diff(own, r.Config, "until now", "from now on"), "; ")
	return changes, runfolder.CheckSameConfig(r.Dir, withEpochs(own, r.Config), r.Config)
}

// reconfigure writes the changed config to the run's folder, for later resumes.
func (r *Run) reconfigure(changes string) error {
	if changes == "" {
		return nil
	}
	if what := scheduled(r.Config); len(what) > 0 && strings.Contains("; "+changes, "; epochs: ") {
		changes += "; " + strings.Join(what, " and ") + " follow" + map[bool]string{true: "s"}[len(what) == 1] + " the schedule of as many from here on"
	}
	r.Note("changed: %s", changes)
	text, err := r.Config.YAML()
	if err != nil {
		return err
	}
	return r.Write(runfolder.ConfigFile, text)
}

// withEpochs returns c with the epochs of other.
func withEpochs(c, other *config.Config) *config.Config {
	x := *c
	x.Epochs = other.Epochs
	return &x
}

// AdoptFinished writes c, which Changed returned, to the folder of the complete run in dir, and returns
// the changes.
func AdoptFinished(dir string, c *config.Config) (changes string, err error) {
	r := &Run{Config: c, Dir: dir}
	if changes, err = r.compareWithFolder(); err != nil || changes == "" {
		return changes, err
	}
	if r.lock, err = runfolder.Lock(dir); err != nil {
		return "", err
	}
	defer r.lock.Close()
	if err := r.recallRunInfo(); err != nil {
		return "", err
	}
	return changes, r.reconfigure(changes)
}
