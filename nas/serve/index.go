package serve

import (
	"errors"
	"io"
	"io/fs"
	"maps"
	"os"
	"path"
	"runtime"
	"slices"
	"strings"
	"sync"
	"time"

	"golang.org/x/sync/errgroup"

	"godarts/nas/config"
	"godarts/nas/record"
	"godarts/nas/runfolder"
)

// Bounds of the search for runs: a folder of images below the served one must not hold it up.
const (
	deepest   = 8     // folders below the served one
	mostNames = 20000 // entries of a folder that are looked at
)

// errNoRun says that there is no run of that name.
var errNoRun = errors.New("no such run")

// index knows the runs below a folder. It follows no links, so that each run has one name. Its methods
// are safe for concurrent use.
type index struct {
	root *os.Root

	mu      sync.Mutex
	folders map[string]*folder
	runs    map[string]*run
	version uint64 // grows with each change of a summary
	removed uint64 // version when a run was last removed
	scanned time.Time
}

// folder is a folder as it was when its names were last read.
type folder struct {
	modified time.Time
	below    []string // folders in it
	holdsRun bool
}

func newIndex(root *os.Root) *index {
	return &index{root: root, folders: map[string]*folder{}, runs: map[string]*run{}, version: 1}
}

// scan looks for new runs and reads what all have written, unless a scan is younger than age.
func (x *index) scan(age time.Duration) {
	x.mu.Lock()
	defer x.mu.Unlock()
	if time.Since(x.scanned) < age {
		return
	}
	found := map[string]bool{}
	x.walk(".", 0, found)
	for name := range x.runs {
		if !found[name] {
			delete(x.runs, name)
			x.version++
			x.removed = x.version
		}
	}
	for name := range found {
		if x.runs[name] == nil {
			x.runs[name] = newRun(name)
		}
	}
	x.refresh(slices.Collect(maps.Values(x.runs)))
	x.scanned = time.Now()
}

// walk adds the names of the runs in a folder and below it.
func (x *index) walk(name string, depth int, found map[string]bool) {
	info, err := x.root.Lstat(name)
	if err != nil || !info.IsDir() {
		return
	}
	f := x.folders[name]
	if f == nil || !info.ModTime().Equal(f.modified) || time.Since(info.ModTime()) < time.Second {
		if f = x.readFolder(name); f == nil {
			return
		}
		f.modified = info.ModTime()
		x.folders[name] = f
	}
	if f.holdsRun {
		found[name] = true
	}
	if depth == deepest {
		return
	}
	for _, below := range f.below {
		x.walk(path.Join(name, below), depth+1, found)
	}
}

// readFolder returns nil if the folder cannot be read.
func (x *index) readFolder(name string) *folder {
	d, err := x.root.Open(name)
	if err != nil {
		return nil
	}
	defer d.Close()
	entries, err := d.ReadDir(mostNames)
	if err != nil && !errors.Is(err, io.EOF) {
		return nil
	}
	f := &folder{}
	for _, e := range entries {
		switch {
		case e.IsDir() && !strings.HasPrefix(e.Name(), "."):
			f.below = append(f.below, e.Name())
		case e.Name() == runfolder.ConfigFile, e.Name() == runfolder.CheckpointFile:
			f.holdsRun = true
		}
	}
	return f
}

// refresh reads what these runs have written. The caller holds the lock.
func (x *index) refresh(runs []*run) {
	locks := record.ReadLocks()
	changed := make([]bool, len(runs))
	var g errgroup.Group
	g.SetLimit(min(4, runtime.GOMAXPROCS(0)))
	const each = 32
	for first := 0; first < len(runs); first += each {
		g.Go(func() error {
			for i := first; i < min(first+each, len(runs)); i++ {
				changed[i] = runs[i].refresh(x.root, locks)
			}
			return nil
		})
	}
	_ = g.Wait() // no part fails
	for i, r := range runs {
		if changed[i] {
			x.version++
			r.version = x.version
		}
	}
}

// look reads what the runs in progress, and those of these names, have written.
func (x *index) look(names map[string]bool) {
	x.mu.Lock()
	defer x.mu.Unlock()
	var runs []*run
	for name, r := range x.runs {
		if names[name] || r.State == record.Running {
			runs = append(runs, r)
		}
	}
	x.refresh(runs)
}

// listed is a run with what only pages show.
type listed struct {
	Summary
	Curve   []float64
	Version uint64
	config  *config.Config // nil if it cannot be read
}

// list returns the runs that changed after a version, newest first and those in progress before all
// others; the version now; and whether a run was removed since.
func (x *index) list(after uint64) (runs []listed, version uint64, removed bool) {
	x.mu.Lock()
	defer x.mu.Unlock()
	for _, r := range x.runs {
		if r.version > after && r.isRun() {
			runs = append(runs, r.listed())
		}
	}
	slices.SortFunc(runs, newestFirst)
	return runs, x.version, x.removed > after
}

func newestFirst(a, b listed) int {
	if running := a.State == record.Running; running != (b.State == record.Running) {
		if running {
			return -1
		}
		return 1
	}
	if c := b.Changed.Compare(a.Changed); c != 0 {
		return c
	}
	return strings.Compare(a.Name, b.Name)
}

// isRun reports whether the folder holds a run: those of comparisons have a config too.
func (r *run) isRun() bool {
	return r.config == nil || r.Experiment == config.Search || r.Experiment == config.Train
}

func (r *run) listed() listed {
	return listed{r.Summary, slices.Clone(r.curve), r.version, r.config}
}

// find returns a run, which may be newer than the last scan.
func (x *index) find(name string) (listed, error) {
	if !fs.ValidPath(strings.ToValidUTF8(name, "_")) { // a file's name is any bytes
		return listed{}, errNoRun
	}
	x.mu.Lock()
	defer x.mu.Unlock()
	r := x.runs[name]
	if r == nil {
		if x.isOut(name) {
			return listed{}, errNoRun
		}
		f := x.readFolder(name)
		if f == nil || !f.holdsRun {
			return listed{}, errNoRun
		}
		r = newRun(name)
		x.runs[name] = r
	}
	x.refresh([]*run{r})
	if !r.isRun() {
		return listed{}, errNoRun
	}
	return r.listed(), nil
}

// isOut reports whether something else than folders is on the way to a folder, such as a link, or a hidden
// one.
func (x *index) isOut(name string) bool {
	for at := name; at != "."; at = path.Dir(at) {
		if info, err := x.root.Lstat(at); err != nil || !info.IsDir() || path.Base(at)[0] == '.' {
			return true
		}
	}
	return false
}
