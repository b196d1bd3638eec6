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

// Feed brings what the steps of a run need, of one kind of data, and measures networks on what is
// held back from them.
type Feed interface {
	// Steps is the number of steps of the epoch that at is in.
	Steps(at Position) int
	// Batches yields the steps of that epoch that are left.
	Batches(ctx context.Context, at Position) iter.Seq2[int, Batch]
	// Validate measures forward after an epoch. It stops early, with the context's
	// error, when that is done.
	Validate(ctx context.Context, epoch int, forward func(nn.Batch) nn.Output) (Meter, error)

	// Size is how much there is to train on, in what Meters count: 1437 "image".
	Size() (n int, what string)
	// Notes are what whoever reports a new run should know of the data.
	Notes() []string
	// Quality says how good a network is that was measured so.
	Quality(m Meter) string
	// Measured is what Validate measures: "validation", or "test" images.
	Measured() string
	// Record notes in a line of metrics what the steps of an epoch saw, and what was measured after
	// it; either may be nil.
	Record(line *runfolder.Metric, seen, measured *Meter)
	// Fingerprint tells this data from other data.
	Fingerprint() fingerprint.Fingerprint
}

// Files is a Feed of files that may be damaged, each by itself.
type Files interface {
	// Look looks at the files as the config asks for, and says what it found. It tells looked how far it is.
	Inspect(ctx context.Context, looked func(done, of int)) (runfolder.DataManifest, error)
	// Needs is what of another look at the same data this feed needs; there is false if that look
	// has not found all that Look would.
	Reuse(other runfolder.DataManifest) (record runfolder.DataManifest, there bool)
	// LeaveOut takes the files out that cannot be read, and says so if there are any.
	Exclude(record runfolder.DataManifest) (note string, err error)
	// Describe says what the files are, for whoever reports a run.
	Describe() []string
	// CheckRest is an error if the run cannot go on with what is left.
	CheckRemaining() error

	// Missing is how many images the batches so far lacked since they could not be read, and the first of them.
	Missing() (n int, first error)
	// None is the error where none of what can be read.
	None(what string) error
	// Save puts in the metadata of a checkpoint what the feed has to know there; Load takes it from there.
	Save(meta map[string]string) error
	Load(meta map[string]string) error
}

// Batch is what one step needs, still in Go memory.
type Batch interface {
	Err() error // why it could not be loaded
	// Take counts what could not be read of it, and tells whether enough is left for a step.
	Take() bool
	// Fill makes the step's tensors in the present scope.
	Fill(s *Step)
}

// OpenFeed opens the data of a config for networks on a device. If check, it is an error if the
// config cannot run on it: all that follows from the config and the sizes of the data.
type OpenFeed func(c *config.Config, to torch.Options, check bool) (Feed, error)

var feeds = map[string]OpenFeed{}

// RegisterFeed makes a kind of data known by the name that config.Data.Kind has for it. It panics
// if there is one of that name.
func RegisterFeed(kind string, open OpenFeed) {
	if feeds[kind] != nil {
		panic("nas: feed " + kind + " is registered twice")
	}
	feeds[kind] = open
}

// Open opens the run's data.
func (r *Run) Open(check bool) (err error) {
	kind := r.Config.Data.Kind()
	open, ok := feeds[kind]
	if !ok {
		return fmt.Errorf("nas: no feed of %s is registered (there are: %s)", kind, strings.Join(slices.Sorted(maps.Keys(feeds)), ", "))
	}
	r.Feed, err = open(r.Config, r.Options(), check)
	return err
}
