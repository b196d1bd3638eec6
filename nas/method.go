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

// Method describes a strategy to configs and runs. All fields below New may be left out.
type Method struct {
	config.Method // name, keys, defaults and rules

	// New makes the strategy for a run. Its tensors belong to the current scope.
	New func(*Run) (Strategy, error)

	// Supernets returns the sizes of all supernets that the search c makes one after the other. Without
	// it there is one, of the sizes o, which Config.Network and Config.Space give.
	Supernets func(c *config.Config, o darts.Options) []darts.Options

	// LR returns the learning rate of w in an epoch of the search c on images. Without it, it is
	// [ScheduledLR] over Config.Epochs.
	LR func(c *config.Config, epoch int) float64

	// MayLast returns why the search c, whose last checkpoint is of this epoch, cannot get more epochs;
	// empty if it can.
	MayLast func(c *config.Config, epoch int) (why string)

	// TrainsOnHeldOut reports whether the search c passes all held-out images in training mode, where
	// batch norms need more than one value.
	TrainsOnHeldOut func(c *config.Config) bool

	// Size returns the strategy's own key for the size of the network, its value and its default.
	// Errors about too little memory may name it.
	Size func(c *config.Config) (key string, value, standard int)

	Scheduled  []string // quantities, besides the learning rate, that follow a schedule over all epochs: "the temperature"
	Passes     string   // what a training pass computes, where `darts info` counts more
	AlphaTurns bool     // steps take the images of α in order, from the start in each epoch, instead of drawing them
}

var (
	methodsMutex sync.Mutex
	methods      = map[string]Method{}
)

// Register registers a strategy for configs and runs. The init function of the strategy's package calls
// it. It panics as [config.Register] does, and if New is nil.
func Register(m Method) {
	if m.New == nil {
		panic(fmt.Sprintf("nas: register strategy %q: no New", m.Name))
	}
	config.Register(m.Method)
	methodsMutex.Lock()
	defer methodsMutex.Unlock()
	methods[m.Name] = m
}

// MethodOf returns the strategy of the search c; the zero Method if c is no search.
func MethodOf(c *config.Config) Method {
	methodsMutex.Lock()
	defer methodsMutex.Unlock()
	return methods[c.Strategy.Name]
}

// NewStrategy makes the strategy that the run's config names. Its tensors belong to the current scope.
func NewStrategy(r *Run) (Strategy, error) {
	m := MethodOf(r.Config)
	if m.New == nil {
		methodsMutex.Lock()
		defer methodsMutex.Unlock()
		return nil, fmt.Errorf("nas: unknown strategy %q (there are: %s)", r.Config.Strategy.Name, strings.Join(slices.Sorted(maps.Keys(methods)), ", "))
	}
	return m.New(r)
}
