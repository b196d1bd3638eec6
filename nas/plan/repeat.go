// Package plan runs sets of experiments: the paper's protocol of searches and trainings, shared by any
// number of processes, and comparisons of strategies.
package plan

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"time"

	"godarts/nas"
	"godarts/nas/claim"
	"godarts/nas/config"
	"godarts/nas/names"
	"godarts/nas/report"
	"godarts/nas/runfolder"
	"godarts/nas/search"
	"godarts/nas/train"
	"godarts/nas/wholefile"
	"godarts/torch"
)

// Files of a protocol's folder besides result.json and genotype.json. Each part is a run folder below
// it: search-SEED, brief-SEED (the short training of that search's cell), train-SEED.
const (
	claimsFolder = "claims" // which process works on which part
	ReportFile   = "report.md"
)

// RepeatSettings are the settings of a protocol.
type RepeatSettings struct {
	nas.Settings                               // of each part; Guard is replaced by the claim's
	Stale        time.Duration                 // see claim.Folder.Stale
	NoWait       bool                          // end with ErrElsewhere if only parts of other processes are left
	Note         func(format string, a ...any) // called with messages between parts; may be nil
}

// ErrElsewhere ends a process when all remaining parts run in other processes.
var ErrElsewhere = errors.New("nas: what is left of the protocol runs in other processes")

// Repeat works on the protocol w in the folder dir until all parts are complete, and writes the report.
// Any number of processes on machines that share the folder can do so at once: each takes parts that
// nobody works on, continues abandoned ones, and waits for the rest. An interrupted process releases
// its part after a last checkpoint.
//
// A part that diverges is left out of the report. At the end Repeat then returns an error of type
// *FailedError. The part is not tried again unless its folder is deleted.
func Repeat(ctx context.Context, dir string, w *config.Whole, s RepeatSettings) (report.Repeat, error) {
	if s.Note == nil {
		s.Note = func(string, ...any) {}
	}
	p := &protocol{dir: dir, whole: w, settings: s, claims: claim.Folder{Dir: filepath.Join(dir, claimsFolder), Stale: s.Stale}}
	if err := checkProtocol(w, s.Device); err != nil {
		return report.Repeat{}, err
	}
	if err := p.join(ctx); err != nil {
		return report.Repeat{}, err
	}
	s.Note("protocol folder: %s", dir)
	waiting := ""
	for {
		if err := p.owns(); err != nil { // the folder may have been removed, and replaced by another protocol's
			return report.Repeat{}, err
		}
		ready, err := p.ready()
		if err != nil {
			return report.Repeat{}, err
		}
		if len(ready) == 0 {
			return p.report(ctx)
		}
		elsewhere, err := p.workOnOne(ctx, ready)
		switch {
		case err != nil:
			return report.Repeat{}, err
		case elsewhere == "":
			waiting = ""
			continue
		case s.NoWait:
			return report.Repeat{}, fmt.Errorf("%w: %s", ErrElsewhere, elsewhere)
		case elsewhere != waiting:
			s.Note("waiting for other processes: %s", elsewhere)
			waiting = elsewhere
		}
		if err := pause(ctx, p.poll()); err != nil {
			return report.Repeat{}, err
		}
	}
}

type protocol struct {
	dir      string
	whole    *config.Whole
	settings RepeatSettings
	claims   claim.Folder
	data     map[string]*runfolder.SharedData // by experiment
}

// HoldsProtocol reports whether dir is the folder of a protocol.
func HoldsProtocol(dir string) bool {
	_, err := os.Stat(WholeConfig(dir))
	return err == nil
}

// WholeConfig returns the file from which config.LoadWhole reads the protocol in dir.
func WholeConfig(dir string) string {
	return filepath.Join(dir, runfolder.ProtocolConfigFolder, config.WholeFile)
}

// ReadProtocol reads the protocol in dir.
func ReadProtocol(dir string) (*config.Whole, error) {
	folder := filepath.Join(dir, runfolder.ProtocolConfigFolder)
	entries, err := os.ReadDir(folder)
	if err != nil {
		return nil, fmt.Errorf("nas: protocol folder: %w", err)
	}
	for _, e := range entries {
		file := filepath.Join(folder, e.Name())
		info, err := os.Stat(file) // follows links
		if err != nil {
			return nil, fmt.Errorf("nas: protocol folder: %w", err)
		}
		if what := wholefile.Kind(info.Mode()); what != "" && e.Name()[0] != '.' {
			return nil, fmt.Errorf("nas: protocol folder: %s is %s, wanted a file: move it away", file, what)
		}
	}
	w, err := config.LoadWhole(WholeConfig(dir))
	if err != nil {
		return nil, fmt.Errorf("%w; restore the file, or delete the folder %s and give the same CONFIG as before, with --out %s", err, folder, dir)
	}
	return w, nil
}

// join creates the folder, or checks that it belongs to the same protocol on the same data.
func (p *protocol) join(ctx context.Context) error {
	var looked map[string]*runfolder.SharedData
	switch {
	case !HoldsProtocol(p.dir): // before anything is written: the inspection may take long, or fail
		var err error
		if looked, err = p.inspectData(ctx, "", nil); err != nil {
			return err
		}
		if err := p.create(); err != nil {
			return err
		}
	case runfolder.Has(p.dir, claimsFolder) && !runfolder.Has(filepath.Join(p.dir, runfolder.ProtocolConfigFolder), runfolder.DataFile):
		p.settings.Note("%s does not say what its data was: whether that has changed is not known", names.Escape(p.dir))
	}
	if err := p.owns(); err != nil {
		return err
	}
	err := wholefile.RemoveStale(p.dir, ".config-*")
	if err != nil {
		return fmt.Errorf("nas: protocol folder: %w", err)
	}
	p.data, err = p.inspectData(ctx, filepath.Join(p.dir, runfolder.ProtocolConfigFolder), looked)
	return err
}

// owns returns an error if the folder no longer belongs to this protocol.
func (p *protocol) owns() error {
	own, err := ReadProtocol(p.dir)
	if err != nil {
		return err
	}
	if differences := config.DiffWhole(own, p.whole, "in its "+runfolder.ProtocolConfigFolder, "given"); len(differences) > 0 {
		return fmt.Errorf("nas: the protocol in %s has another config: %s", p.dir, strings.Join(differences, "; "))
	}
	return nil
}

// inspectData is the function inspectData for the protocol's experiments.
func (p *protocol) inspectData(ctx context.Context, dir string, looked map[string]*runfolder.SharedData) (map[string]*runfolder.SharedData, error) {
	return inspectData(ctx, dir, p.whole.Search, p.whole.Train, p.settings.Settings, looked)
}

// create writes all configs of a new protocol in one step. If several processes start with different
// configs, the first wins, and join returns an error in the others.
func (p *protocol) create() error {
	if err := wholefile.MakeFolder(p.dir); err != nil {
		return fmt.Errorf("nas: protocol folder: %w", err)
	}
	entries, err := os.ReadDir(p.dir)
	if err != nil {
		return fmt.Errorf("nas: protocol folder: %w", err)
	}
	// If there are claims, only the configs are missing; each part then checks its own config.
	for _, e := range entries {
		if e.Name() != runfolder.ProtocolConfigFolder && e.Name()[0] != '.' && !HoldsProtocol(p.dir) && !runfolder.Has(p.dir, claimsFolder) {
			return fmt.Errorf("nas: protocol folder %s is not empty: choose another --out", p.dir)
		}
	}
	files, err := p.whole.Files()
	if err != nil {
		return err
	}
	staged, err := os.MkdirTemp(p.dir, ".config-*")
	if err != nil {
		return fmt.Errorf("nas: protocol folder: %w", err)
	}
	defer os.RemoveAll(staged)
	if err := os.Chmod(staged, 0o755); err != nil {
		return fmt.Errorf("nas: protocol folder: %w", err)
	}
	for name, text := range files {
		if err := runfolder.Write(filepath.Join(staged, name), text); err != nil {
			return err
		}
	}
	// Rename never replaces a folder that is not empty.
	if err := os.Rename(staged, filepath.Join(p.dir, runfolder.ProtocolConfigFolder)); err != nil && !HoldsProtocol(p.dir) {
		return fmt.Errorf("nas: protocol folder: %w", err)
	}
	if err := wholefile.SyncFolder(p.dir); err != nil {
		return fmt.Errorf("nas: protocol folder: %w", err)
	}
	return nil
}

// part is a search or a training of the protocol.
type part struct {
	name   string
	config *config.Config
}

// ready lists the incomplete parts whose inputs are complete, in the order in which to take them. It is
// empty if the protocol is complete.
func (p *protocol) ready() (pieces []part, err error) {
	// add adds the part unless it is complete or has diverged. finished reports whether it is complete.
	add := func(name string, c *config.Config) (finished bool, err error) {
		if !runfolder.Finished(p.file(name)) {
			diverged, err := runfolder.ReadDivergence(p.file(name))
			if err != nil || diverged != nil {
				return false, err
			}
			pieces = append(pieces, part{name, c})
			return false, nil
		}
		return true, runfolder.CheckResult(p.file(name), c)
	}
	var briefs []part
	for _, seed := range p.searchSeeds() {
		c := *p.whole.Search
		c.Seed = seed
		switch finished, err := add(searchName(seed), &c); {
		case err != nil:
			return nil, err
		case !finished:
			continue
		}
		brief, err := p.training(p.whole.Brief(), searchName(seed))
		if err != nil {
			return nil, err
		}
		briefs = append(briefs, part{briefName(seed), brief})
	}
	for _, b := range briefs {
		if _, err := add(b.name, b.config); err != nil {
			return nil, err
		}
	}
	if len(pieces) > 0 {
		return pieces, nil
	}
	candidates, _, err := p.candidates()
	if err != nil {
		return nil, err
	}
	for _, seed := range p.trainSeeds() {
		c, err := p.training(p.whole.Train, candidates[report.Choose(candidates)].Name)
		if err != nil {
			return nil, err
		}
		c.Seed = seed
		if _, err := add(trainName(seed), c); err != nil {
			return nil, err
		}
	}
	return pieces, nil
}

// training returns a copy of c for the cell of a complete search.
func (p *protocol) training(c *config.Config, search string) (*config.Config, error) {
	g, err := runfolder.ReadGenotype(filepath.Join(p.dir, search))
	if err != nil {
		return nil, err
	}
	copied := *c
	copied.Genotype = g.String()
	return &copied, nil
}

func searchName(seed int64) string { return fmt.Sprintf("search-%d", seed) }
func briefName(seed int64) string  { return fmt.Sprintf("brief-%d", seed) }
func trainName(seed int64) string  { return fmt.Sprintf("train-%d", seed) }

func (p *protocol) searchSeeds() []int64 {
	return seeds(p.whole.Search.Seed, p.whole.Repeat.Repeat.Searches)
}

func (p *protocol) trainSeeds() []int64 {
	return seeds(p.whole.Train.Seed, p.whole.Repeat.Repeat.Trains)
}

func seeds(first int64, n int) (all []int64) {
	for i := range int64(n) {
		all = append(all, first+i)
	}
	return all
}

// workOnOne completes the first part that no other process works on. If there is none, elsewhere names
// the parts and their processes.
func (p *protocol) workOnOne(ctx context.Context, ready []part) (elsewhere string, err error) {
	var busy []string
	for _, it := range ready {
		c, err := p.claims.Take(it.name)
		var held *claim.HeldError
		if errors.As(err, &held) {
			busy = append(busy, fmt.Sprintf("%s by %v", it.name, held.Holder))
			continue
		}
		if err != nil {
			return "", err
		}
		err = errors.Join(p.work(ctx, it, c), c.Release())
		var diverged *runfolder.DivergedError
		switch {
		case errors.As(err, &diverged):
			p.settings.Note("%s diverged at %s: %s; the others go on", it.name, diverged.Where(), diverged.What)
		case errors.Is(err, runfolder.ErrBusy): // its claim is stale, but a stopped process still holds its folder
			busy = append(busy, it.name+" by a process that does not renew its claim")
			continue
		case errors.Is(err, claim.ErrLost):
			p.settings.Note("%s was taken over by another process, since this one had not renewed its claim", it.name)
		case err != nil && ctx.Err() != nil:
			return "", err
		case err != nil:
			return "", fmt.Errorf("nas: part %s: %w", it.name, err)
		}
		return "", nil
	}
	return strings.Join(busy, ", "), nil
}

// work completes a part.
func (p *protocol) work(ctx context.Context, it part, c *claim.Claim) error {
	dir := filepath.Join(p.dir, it.name)
	s := p.settings.Settings
	s.Guard, s.Shared = c.Check, p.data[it.config.Experiment]
	s.Hooks = slices.Clone(s.Hooks)
	if runfolder.HoldsRun(dir) && !runfolder.Finished(dir) {
		began, err := runfolder.ReadRunInfo(dir)
		if errors.Is(err, fs.ErrNotExist) {
			began, err = runfolder.CurrentRunInfo(it.config, s.Device), nil // the run then notes it
		}
		if err != nil {
			return err
		}
		if now := torch.Threads(); began.Threads != now {
			p.settings.Note("%s began with %d threads and goes on with as many, to end with the same bits", it.name, began.Threads)
			runtime.LockOSThread() // the number of threads belongs to the thread
			defer runtime.UnlockOSThread()
			torch.SetThreads(began.Threads)
			defer torch.SetThreads(now)
		}
	}
	var err error
	if it.config.Experiment == config.Search {
		_, err = search.Run(ctx, dir, it.config, s)
	} else {
		_, err = train.Run(ctx, dir, it.config, s)
	}
	return err
}

// poll returns the time between two checks for abandoned or finished parts of other processes.
func (p *protocol) poll() time.Duration {
	stale := p.settings.Stale
	if stale == 0 {
		stale = claim.DefaultStale
	}
	return min(stale/12, 5*time.Second)
}

// pause waits for d, or until the context is done, whose error it returns.
func pause(ctx context.Context, d time.Duration) error {
	select {
	case <-ctx.Done():
		return ctx.Err()
	case <-time.After(d):
		return nil
	}
}
