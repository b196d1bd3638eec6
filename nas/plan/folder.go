package plan

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"time"

	"godarts/nas"
	"godarts/nas/config"
	"godarts/nas/names"
	"godarts/nas/runfolder"
	"godarts/nas/wholefile"
)

// file returns the path of a file in the plan's folder.
func (p *plan) file(names ...string) string {
	return filepath.Join(append([]string{p.dir}, names...)...)
}

// wrong adds to an error that it is of the plan's folder.
func (p *plan) wrong(err error) error {
	if err == nil {
		return nil
	}
	return fmt.Errorf("nas: %s folder: %w", p.kind, err)
}

// begun reports whether the folder has the plan's configs.
func (p *plan) begun() bool {
	return runfolder.Has(p.file(runfolder.ProtocolConfigFolder), p.experiments[0].File())
}

// join creates the folder, or checks that it belongs to the same plan on the same data.
func (p *plan) join(ctx context.Context) error {
	var looked []*runfolder.SharedData
	switch {
	case !p.begun(): // before anything is written: the inspection may take long, or fail
		var err error
		if looked, err = p.inspect(ctx, nil, false); err != nil {
			return err
		}
		if err := p.create(); err != nil {
			return err
		}
	case len(p.inspected) > 0 && runfolder.Has(p.dir, claimsFolder) && !runfolder.Has(p.dataFolder(), runfolder.DataFile):
		p.settings.Note("%s does not say what its data was: whether that has changed is not known", names.Escape(p.dir))
	}
	if err := p.owns(); err != nil {
		return err
	}
	if err := p.wrong(wholefile.RemoveStale(p.dir, ".config-*")); err != nil {
		return err
	}
	_, err := p.inspect(ctx, looked, true)
	return err
}

// ownFile has the settings of a plan that are in no config.
const ownFile = "settings.json"

// create writes all configs of a new plan in one step. If several processes start with different configs,
// the first wins, and join returns an error in the others.
func (p *plan) create() error {
	if err := p.wrong(wholefile.MakeFolder(p.dir)); err != nil {
		return err
	}
	entries, err := os.ReadDir(p.dir)
	if err != nil {
		return p.wrong(err)
	}
	// If there are claims, or the data of an older comparison, only the configs are missing; each part then
	// checks its own config.
	older := runfolder.Has(p.dir, claimsFolder) || runfolder.Has(p.dir, runfolder.DataFile)
	for _, e := range entries {
		if e.Name() != runfolder.ProtocolConfigFolder && e.Name()[0] != '.' && !p.begun() && !older {
			return fmt.Errorf("nas: %s folder %s is not empty: choose another --out", p.kind, p.dir)
		}
	}
	files, err := config.Files(p.experiments)
	if err != nil {
		return err
	}
	if len(p.own) > 0 {
		files[ownFile] = p.own
	}
	staged, err := os.MkdirTemp(p.dir, ".config-*")
	if err != nil {
		return p.wrong(err)
	}
	defer os.RemoveAll(staged)
	if err := os.Chmod(staged, 0o755); err != nil {
		return p.wrong(err)
	}
	for name, text := range files {
		if err := runfolder.Write(filepath.Join(staged, name), text); err != nil {
			return err
		}
	}
	// Rename never replaces a folder that is not empty.
	if err := os.Rename(staged, p.file(runfolder.ProtocolConfigFolder)); err != nil && !p.begun() {
		return p.wrong(err)
	}
	return p.wrong(wholefile.SyncFolder(p.dir))
}

// owns returns an error if the folder no longer belongs to this plan.
func (p *plan) owns() error {
	folder := p.file(runfolder.ProtocolConfigFolder)
	if err := p.wrong(checkFiles(folder)); err != nil {
		return err
	}
	own := make([]config.Experiment, 0, len(p.experiments))
	for i, e := range p.experiments {
		file := filepath.Join(folder, e.File())
		c, err := config.Load(file)
		if err == nil && c.Experiment != e.Experiment {
			err = fmt.Errorf("nas: %s is a %s experiment, want a %s experiment", file, c.Experiment, e.Experiment)
		}
		if err != nil {
			return damaged(err, p.dir)
		}
		own = append(own, config.Experiment{Name: e.Name, Config: c})
		if i > 0 && i < len(p.experiments)-1 { // where the first differs, it says best what does
			continue
		}
		if differences := config.DiffExperiments(own, p.experiments, "in its "+runfolder.ProtocolConfigFolder, "given"); len(differences) > 0 {
			return fmt.Errorf("nas: the %s in %s has another config: %s", p.kind, p.dir, strings.Join(differences, "; "))
		}
	}
	if len(p.own) == 0 {
		return nil
	}
	settings, err := wholefile.Read(filepath.Join(folder, ownFile))
	if err != nil {
		return p.wrong(err)
	}
	if err := sameSettings(settings, p.own); err != nil {
		return fmt.Errorf("nas: the %s in %s has other settings: %w", p.kind, p.dir, err)
	}
	return nil
}

// checkFiles returns an error if something in a folder of configs is no file: to read it could take for ever.
func checkFiles(folder string) error {
	entries, err := os.ReadDir(folder)
	if err != nil {
		return err
	}
	for _, e := range entries {
		file := filepath.Join(folder, e.Name())
		info, err := os.Stat(file) // follows links
		if err != nil {
			return err
		}
		if what := wholefile.Kind(info.Mode()); what != "" && e.Name()[0] != '.' {
			return fmt.Errorf("%s is %s, wanted a file: move it away", file, what)
		}
	}
	return nil
}

// damaged adds to an error about a config in the plan's folder dir what helps.
func damaged(err error, dir string) error {
	return fmt.Errorf("%w; restore the file, or delete the folder %s and give the same CONFIG as before, with --out %s",
		err, filepath.Join(dir, runfolder.ProtocolConfigFolder), dir)
}

// dataFolder returns the folder of the data files: that of the configs, or, of an older comparison, its own.
func (p *plan) dataFolder() string {
	if runfolder.Has(p.dir, runfolder.DataFile) {
		return p.dir
	}
	return p.file(runfolder.ProtocolConfigFolder)
}

// searchDataFile is the data file of searches whose data is not that of the trainings.
const searchDataFile = "search-" + runfolder.DataFile

// inspect calls nas.InspectOnce for the data of the plan, which the parts of each experiment then share.
// looked is its earlier result, or nil. Unless write is true, the data is only read.
func (p *plan) inspect(ctx context.Context, looked []*runfolder.SharedData, write bool) (all []*runfolder.SharedData, err error) {
	p.data = map[string]*runfolder.SharedData{}
	for i, c := range p.inspected {
		first := p.inspected[0].Data
		if i > 0 && c.Data.Name == first.Name && c.Data.Root == first.Root && c.Data.Labels == first.Labels {
			p.data[c.Experiment] = all[0]
			continue
		}
		s := p.settings.Settings
		if s.Shared = nil; i < len(looked) {
			s.Shared = looked[i]
		}
		file := ""
		if write {
			file = filepath.Join(p.dataFolder(), []string{runfolder.DataFile, searchDataFile}[i])
		}
		shared, err := nas.InspectOnce(ctx, c, file, s)
		if err != nil {
			return nil, err
		}
		all, p.data[c.Experiment] = append(all, shared), shared
	}
	return all, nil
}

// write calls files, which writes the named files of the plan's report. Every process writes the same
// bytes, one at a time. It first removes what kills left in the folder: when all parts are settled no
// other process can be creating it.
func (p *plan) write(ctx context.Context, files func() error, names ...string) error {
	held, err := p.lock(ctx)
	if err != nil {
		return err
	}
	defer held.Close()
	staged, err := filepath.Glob(p.file(".config-*"))
	if err == nil { // otherwise the folder's name is a malformed pattern
		for _, dir := range staged {
			if err := os.RemoveAll(dir); err != nil {
				return p.wrong(err)
			}
		}
	}
	if err := wholefile.RemoveLeftovers(p.dir, append(names, runfolder.DataFile, searchDataFile)...); err != nil {
		return p.wrong(err)
	}
	if err := wholefile.RemoveLeftovers(p.file(runfolder.ProtocolConfigFolder), runfolder.DataFile, searchDataFile); err != nil {
		return p.wrong(err)
	}
	return files()
}

// lock waits until no other process writes the report. Only then can leftovers be told from files that
// another process is about to rename.
func (p *plan) lock(ctx context.Context) (*os.File, error) {
	const look = 50 * time.Millisecond
	for {
		held, err := runfolder.Lock(p.dir)
		if !errors.Is(err, runfolder.ErrBusy) {
			return held, err
		}
		if err := pause(ctx, look); err != nil {
			return nil, err
		}
	}
}
