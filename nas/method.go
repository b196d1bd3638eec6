package nas

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"sync"

	"godarts/darts"
	"godarts/nas/config"
)

// Method is what configs and runs know of a strategy before one is made. All below New may be left out.
type Method struct {
	config.Method // name, keys, defaults and rules

	// New makes the strategy for a run. Its tensors belong to the present scope.
	New func(*Run) (Strategy, error)

	// Supernets are the sizes of all supernets that the search c makes one after the other, where they are
	// not those that Config.Network and Config.Space give: o.
	Supernets func(c *config.Config, o darts.Options) []darts.Options

	// LR is the learning rate of w in an epoch of the search c on images, where it does not follow
	// Config.W over Config.Epochs. [ScheduledLR] is that schedule.
	LR func(c *config.Config, epoch int) float64

	// MayLast says why the search c, whose last checkpoint is of an epoch, cannot get more epochs;
	// empty if it can.
	MayLast func(c *config.Config, epoch int) (why string)

	// TrainsOnHeldOut tells whether the search c passes all images held out in training mode, where batch
	// norms need more than one value.
	TrainsOnHeldOut func(c *config.Config) bool

	// Size is a key of its own that says how large the network is, with its value and its default: what
	// is too large for memory may be due to it.
	Size func(c *config.Config) (key string, value, standard int)

	Scheduled  []string // quantities, besides the learning rate, that follow a schedule over all epochs: "the temperature"
	Passes     string   // what a pass in training computes, where that is not all that `darts info` counts
	AlphaTurns bool     // steps take the images of α in turn, from the start in each epoch, instead of drawing them
}

var (
	methodsMutex sync.Mutex
	methods      = map[string]Method{}
)

// Register adds a strategy to those that configs can name and runs can make. The init function of
// the package that has it calls this. It panics as [config.Register] does, and without New.
func Register(m Method) {
	if m.New == nil {
		panic(fmt.Sprintf("nas: register strategy %q: no New", m.Name))
	}
	config.Register(m.Method)
	methodsMutex.Lock()
	defer methodsMutex.Unlock()
	methods[m.Name] = m
}

// MethodOf is the strategy of the search c; one that asks for nothing if c is none.
func MethodOf(c *config.Config) Method {
	methodsMutex.Lock()
	defer methodsMutex.Unlock()
	return methods[c.Strategy.Name]
}

// NewStrategy makes the strategy that the run's config names. Its tensors belong
// to the present scope.
func NewStrategy(r *Run) (Strategy, error) {
	m := MethodOf(r.Config)
	if m.New == nil {
		methodsMutex.Lock()
		defer methodsMutex.Unlock()
		return nil, fmt.Errorf("nas: unknown strategy %q (there are: %s)", r.Config.Strategy.Name, strings.Join(slices.Sorted(maps.Keys(methods)), ", "))
	}
	return m.New(r)
}
