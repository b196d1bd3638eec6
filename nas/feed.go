package nas

import (
	"context"
	"fmt"
	"iter"
	"maps"
	"slices"
	"strings"

	"godarts/nas/config"
	"godarts/nas/data/fingerprint"
	"godarts/nas/runfolder"
	"godarts/torch"
	"godarts/torch/nn"
)

// Feed brings the batches of a run, of one kind of data, and measures networks on data that is held
// out.
type Feed interface {
	// Steps returns the number of steps in the epoch of the position at.
	Steps(at Position) int
	// Batches yields the remaining steps of that epoch.
	Batches(ctx context.Context, at Position) iter.Seq2[int, Batch]
	// Validate measures forward after an epoch. When the context is done it stops early with the
	// context's error.
	Validate(ctx context.Context, epoch int, forward func(nn.Batch) nn.Output) (Meter, error)

	// Size returns the amount of training data in the unit that Meters count: 1437, "image".
	Size() (n int, what string)
	// Notes returns remarks on the data for the report of a new run.
	Notes() []string
	// Quality describes the measurement m: loss, and accuracy or perplexity.
	Quality(m Meter) string
	// Measured names the data that Validate measures on: "validation", or "test" for test images.
	Measured() string
	// Record writes to a line of metrics the measurements over the steps of an epoch (seen) and after
	// it (measured). Either may be nil.
	Record(line *runfolder.Metric, seen, measured *Meter)
	// Fingerprint identifies the data.
	Fingerprint() fingerprint.Fingerprint
}

// Files is a Feed of files, each of which may be damaged.
type Files interface {
	// Inspect reads the files as data.check asks for, and returns what it found. It calls looked with
	// its progress, in files.
	Inspect(ctx context.Context, looked func(done, of int)) (runfolder.DataManifest, error)
	// Reuse returns the part of another inspection of the same data that this feed needs; there is
	// false if that inspection covers less than Inspect would.
	Reuse(other runfolder.DataManifest) (own runfolder.DataManifest, there bool)
	// Exclude removes the unreadable files from the data. note names them; it is empty if there are
	// none.
	Exclude(m runfolder.DataManifest) (note string, err error)
	// Describe describes the files for the report of a run.
	Describe() []string
	// CheckRemaining returns an error if the run cannot go on with the files that are left.
	CheckRemaining() error

	// Missing returns how many unreadable images the batches have left out so far, and the error of the
	// first.
	Missing() (n int, first error)
	// None returns the error for the case that none of the images in what can be read.
	None(what string) error
	// Save puts the feed's state in the metadata of a checkpoint; Load restores it.
	Save(meta map[string]string) error
	Load(meta map[string]string) error
}

// Batch is the data of one step, in Go memory.
type Batch interface {
	Err() error // the error that kept it from being loaded
	// Take counts the unreadable images of the batch, and reports whether enough are left for a step.
	Take() bool
	// Fill makes the step's tensors in the current scope.
	Fill(s *Step)
}

// OpenFeed opens the data of a config for networks on a device. If check is set, it returns an error if
// the config cannot run on data of these sizes.
type OpenFeed func(c *config.Config, to torch.Options, check bool) (Feed, error)

var feeds = map[string]OpenFeed{}

// RegisterFeed registers a kind of data under the name that config.Data.Kind returns for it. It panics
// if the name is taken.
func RegisterFeed(kind string, open OpenFeed) {
	if feeds[kind] != nil {
		panic("nas: feed " + kind + " is registered twice")
	}
	feeds[kind] = open
}

// Open opens the run's data. If check is set, it returns an error if the config cannot run on that
// data.
func (r *Run) Open(check bool) (err error) {
	kind := r.Config.Data.Kind()
	open, ok := feeds[kind]
	if !ok {
		return fmt.Errorf("nas: no feed of %s is registered (there are: %s)", kind, strings.Join(slices.Sorted(maps.Keys(feeds)), ", "))
	}
	r.Feed, err = open(r.Config, r.Options(), check)
	return err
}
