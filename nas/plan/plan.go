// Package plan runs sets of experiments: the paper's protocol of searches and trainings, comparisons of
// strategies, sweeps over config keys, and compressions of trained networks.
//
// All are plans: lists of parts, each a run in a folder of its own below the plan's. Any number of
// processes, on all machines that share the folder, can work on a plan at once. Each takes parts that no
// other process works on, continues abandoned ones, and waits for the rest. Parts that are complete are
// not repeated, also not after a kill. A part that diverges is left out of the plan's report and is not
// tried again unless its folder is deleted; the plan then ends with a *runfolder.FailedError.
package plan

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"time"

	"godarts/nas"
	"godarts/nas/claim"
	"godarts/nas/config"
	"godarts/nas/record"
	"godarts/nas/runfolder"
	"godarts/nas/search"
	"godarts/nas/train"
	"godarts/torch"
)

// claimsFolder is the folder that says which process works on which part of a plan.
const claimsFolder = "claims"

// Settings are the settings of a plan.
type Settings struct {
	nas.Settings                               // of each part; Guard is replaced by the claim's
	Stale        time.Duration                 // see claim.Folder.Stale
	NoWait       bool                          // end with ErrElsewhere if only parts of other processes are left
	Note         func(format string, a ...any) // called with messages between parts; may be nil
}

// ErrElsewhere ends a process when all remaining parts run in other processes.
var ErrElsewhere = errors.New("nas: what is left runs in other processes")

// part is one run of a plan.
type part struct {
	name  string   // of its folder, which may lie in another: "darts-first/search"
	after []string // parts before it in the list that have to be complete, or to have diverged

	// config is called after these. It returns nil if the part is left out.
	config func() (*config.Config, error)

	// until is the number of epochs after which the run is left as it is. A later part of the list, whose
	// goOn is the name of this one, continues it in this one's folder.
	until int
	goOn  string
}

// folder returns the name of the part's folder.
func (it part) folder() string { return cmp.Or(it.goOn, it.name) }

// plan is a set of runs in the folder dir.
type plan struct {
	kind        string // "protocol"
	dir         string
	settings    Settings
	experiments []config.Experiment // in the folder config; the first names the others
	inspected   []*config.Config    // their data is inspected once; the first has the plan's data file
	own         []byte              // settings besides these, in JSON, in ownFile beside them; may be empty
	parts       []part

	// run works on a part. It returns an error if the part is not complete.
	run func(ctx context.Context, name string, c *config.Config, s nas.Settings) error

	claims  claim.Folder
	data    map[string]*runfolder.SharedData // by experiment
	settled map[string]bool                  // parts that are complete, have diverged, or are left out
}

// newPlan returns a plan without parts.
func newPlan(kind, dir string, experiments []config.Experiment, s Settings) *plan {
	if s.Note == nil {
		s.Note = func(string, ...any) {}
	}
	p := &plan{
		kind: kind, dir: dir, experiments: experiments, settings: s, settled: map[string]bool{},
		claims: claim.Folder{Dir: filepath.Join(dir, claimsFolder), Stale: s.Stale},
	}
	p.run = p.runHere
	return p
}

// complete works on the plan until all parts are settled. An interrupted process releases its part after
// a last checkpoint.
func (p *plan) complete(ctx context.Context) error {
	if err := p.join(ctx); err != nil {
		return err
	}
	p.settings.Note("%s folder: %s", p.kind, p.dir)
	waiting := ""
	for {
		if err := p.owns(); err != nil { // the folder may have been removed, and replaced by another plan's
			return err
		}
		open, err := p.open()
		if err != nil || len(open) == 0 {
			return err
		}
		elsewhere, err := p.workOnOne(ctx, open)
		switch {
		case err != nil:
			return err
		case elsewhere == "":
			waiting = ""
			continue
		case p.settings.NoWait:
			return fmt.Errorf("%w: %s", ErrElsewhere, elsewhere)
		case elsewhere != waiting:
			p.settings.Note("waiting for other processes: %s", elsewhere)
			waiting = elsewhere
		}
		if err := pause(ctx, p.poll()); err != nil {
			return err
		}
	}
}

// openPart is a part that is to be worked on.
type openPart struct {
	part
	config *config.Config
}

// open lists the parts that can be worked on, in the order in which to take them. It is empty if all are
// settled.
func (p *plan) open() (open []openPart, err error) {
	unsettled := func(name string) bool { return !p.settled[name] }
	for _, it := range p.parts {
		if p.settled[it.name] || slices.ContainsFunc(it.after, unsettled) {
			continue
		}
		c, err := it.config()
		if err != nil {
			return nil, err
		}
		if c != nil {
			settled, err := p.isSettled(openPart{it, c})
			if err != nil {
				return nil, err
			}
			if !settled {
				open = append(open, openPart{it, c})
				continue
			}
		}
		p.settled[it.name] = true
	}
	return open, nil
}

// isSettled reports whether a part is complete, with a result that can be read, or has diverged.
func (p *plan) isSettled(it openPart) (bool, error) {
	dir := p.file(it.folder())
	if runfolder.Finished(dir) {
		return true, runfolder.CheckResult(dir, it.config)
	}
	if diverged, err := p.diverged(it.folder()); err != nil || diverged != nil {
		return true, err
	}
	if it.until == 0 || !runfolder.HoldsRun(dir) {
		return false, nil
	}
	r, err := record.Read(dir)
	if err != nil || len(r.Epochs) == 0 || r.Epochs[len(r.Epochs)-1].Epoch+1 < it.until {
		return false, err
	}
	return true, runfolder.CheckSameRun(dir, it.config)
}

// diverged returns how a part diverged, nil if it did not.
func (p *plan) diverged(name string) (*runfolder.DivergedError, error) {
	return runfolder.ReadDivergence(p.file(name))
}

// failed returns an error that names the parts that diverged, nil if none did.
func (p *plan) failed() error {
	e := &runfolder.FailedError{}
	for _, it := range p.parts {
		if it.goOn != "" { // is the same run
			continue
		}
		e.Of++
		diverged, err := p.diverged(it.name)
		if err != nil {
			return err
		}
		if diverged != nil {
			e.Add(it.name, diverged.Short())
		}
	}
	return e.Err()
}

// trainingOf returns the training c of the cell that a search found, nil if the search diverged.
func (p *plan) trainingOf(search string, c *config.Config) (*config.Config, error) {
	if !runfolder.Finished(p.file(search)) {
		return nil, nil
	}
	g, err := runfolder.ReadGenotype(p.file(search))
	if err != nil {
		return nil, err
	}
	copied := *c
	copied.Genotype = g.String()
	return &copied, nil
}

// workOnOne completes the first part that no other process works on. If there is none, elsewhere names
// the parts and their processes.
func (p *plan) workOnOne(ctx context.Context, open []openPart) (elsewhere string, err error) {
	words := strings.NewReplacer("/", "-", ".", "_")
	var busy []string
	for _, it := range open {
		c, err := p.claims.Take(words.Replace(it.folder()))
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
func (p *plan) work(ctx context.Context, it openPart, c *claim.Claim) error {
	dir := p.file(it.folder())
	var err error
	if it.config, err = it.part.config(); err != nil || it.config == nil { // another process may have had the claim just before
		return err
	}
	if settled, err := p.isSettled(it); settled || err != nil {
		return err
	}
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
	if it.until == 0 {
		return p.run(ctx, it.folder(), it.config, s)
	}
	until, stop := context.WithCancel(ctx)
	defer stop()
	s.Hooks = append(s.Hooks, nas.Hooks{OnEpoch: func(r *nas.Run, e *nas.Epoch) error {
		if r.Dir == dir && e.Index+1 >= it.until {
			stop()
		}
		return nil
	}})
	err = p.run(until, it.folder(), it.config, s)
	if errors.Is(err, context.Canceled) && ctx.Err() == nil {
		return nil
	}
	return err
}

// runHere works on a part in this process.
func (p *plan) runHere(ctx context.Context, name string, c *config.Config, s nas.Settings) (err error) {
	if c.Experiment == config.Search {
		_, err = search.Run(ctx, p.file(name), c, s)
	} else {
		_, err = train.Run(ctx, p.file(name), c, s)
	}
	return err
}

// poll returns the time between two checks for abandoned or finished parts of other processes.
func (p *plan) poll() time.Duration {
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

// result reads the result of a complete training, which isSettled has checked.
func (p *plan) result(name string) (r runfolder.TrainResult, err error) {
	err = runfolder.ReadJSON(p.file(name, runfolder.ResultFile), &r)
	return r, err
}
