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

// changeable are the keys that may have another value when a run goes on: more epochs, and how the
// same data is found and read.
var changeable = []string{"epochs", "data.root", "data.on_bad_file", "data.check"}

// Changed reads the config of the run in dir and lays the items of set, "KEY=VALUE", over it, for
// Settings.Changed. It is an error to change what a run cannot go on with: any other key, fewer
// epochs, and more of them where those behind it would mean something else.
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
	if c, err = c.AbsoluteRoot(); err != nil || c.Epochs == own.Epochs || runfolder.HoldsOnlyStart(dir) {
		return c, err
	}
	if runfolder.Finished(dir) {
		return nil, fmt.Errorf("nas: epochs: the run in %s is complete after %d: for %d begin another one", names.Escape(dir), own.Epochs, c.Epochs)
	}
	at, err := savedPosition(dir)
	if err != nil {
		return nil, err
	}
	if err := checkExtension(own, c, at); err != nil {
		return nil, err
	}
	if c.Evaluate != nil && runfolder.Has(dir, runfolder.FoundFolder) {
		return nil, fmt.Errorf("nas: epochs: the cell of the search in %s is found, and is being trained: for %d epochs begin another one", names.Escape(dir), c.Epochs)
	}
	return c, nil
}

// checkExtension is an error if the run that was saved at a position with the config saved cannot go on
// for the epochs of c.
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

// scheduled are the quantities that follow a schedule over all epochs of a run; one that got more
// follows that of the new number from where it stands.
func scheduled(c *config.Config) (what []string) {
	if !c.Data.IsText() && c.W.Schedule == config.Cosine {
		what = append(what, "the learning rate")
	}
	if c.Experiment == config.Train && !c.Data.IsText() && c.Network.DropPath > 0 {
		what = append(what, "drop path")
	}
	return append(what, MethodOf(c).Scheduled...)
}

// savedPosition is where the run in dir stands by its last checkpoint; at the start without one.
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

// compareWithFolder compares the run's config with that of its folder, the epochs aside, and says in a line what
// differs in the changeable keys.
func (r *Run) compareWithFolder() (changes string, err error) {
	own, err := runfolder.ReadConfig(r.Dir)
	if err != nil {
		return "", err
	}
	changes = strings.Join(config.Diff(own, r.Config, "until now", "from now on"), "; ")
	return changes, runfolder.CheckSameConfig(r.Dir, withEpochs(own, r.Config), r.Config)
}

// reconfigure writes the run's config to its folder, so that the next resume knows it too.
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

// withEpochs is c with the epochs of another config.
func withEpochs(c, other *config.Config) *config.Config {
	x := *c
	x.Epochs = other.Epochs
	return &x
}

// AdoptFinished writes c, of Changed, to the folder of the complete run in dir, and tells what
// that changes.
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
