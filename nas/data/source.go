package data

import (
	"fmt"
	"math/rand/v2"
	"sync"

	"godarts/nas/data/picture"
	"godarts/nas/rng"
)

// Batch is the input of one step of a network.
type Batch struct {
	N, Channels, Height, Width int
	X                          []float32 // [N, Height, Width, Channels]: channels last
	Y                          []int64   // [N], labels
	Err                        error     // why there are no images, nil if there are; only Pictures cause one

	LeftOut []Unreadable // the images that a Source with Skip left out, up to all of them
}

// Order is the order in which a Source goes through its images.
type Order int

const (
	// Sequential keeps the order of the images in every epoch, for measuring.
	Sequential Order = iota
	// Shuffled goes through a permutation of the images, a new one in each epoch.
	Shuffled
	// Resampled shuffles all images again at every step and takes the first of
	// them. Batches are full; images repeat across batches, not within one.
	Resampled
)

// Source makes batches of images.
type Source struct {
	Images  *Images
	Augment Augment
	Seed    int64
	Name    string // of its random streams; sources of one run have different ones
	Size    int    // images in a batch, at least 1; an incomplete last batch is kept
	Order   Order
	Skip    bool // leave out of a batch the images that cannot be decoded

	mu    sync.Mutex
	of    permuted
	order []int // the permutation for of, if not nil
}

// permuted is what a permutation depends on.
type permuted struct {
	seed     int64
	name     string
	epoch, n int
}

// Steps is the number of batches that together hold every image once. The last batch
// may be incomplete.
func (s *Source) Steps() int { return (s.Images.N + s.Size - 1) / s.Size }

// Load makes the batch of one step, a pure function of its arguments, the fields
// of s and the images. It is safe for concurrent use. It panics if step does not
// lie within 0..Steps()-1; a Resampled source has no last step.
//
// The calling goroutine augments images from memory. Pictures are decoded by other
// goroutines; all calls together decode at most as many at a time as there are processors.
func (s *Source) Load(epoch, step int) *Batch {
	m := s.Images
	picked := s.pick(epoch, step)
	b := &Batch{
		N: len(picked), Channels: m.Channels, Height: m.Height, Width: m.Width,
		X: make([]float32, len(picked)*m.size()),
		Y: make([]int64, len(picked)),
	}
	for i, image := range picked {
		b.Y[i] = int64(m.Labels[image])
	}
	if m.Pictures != nil || s.Augment.Window != picture.Whole || s.Augment.Jitter != (picture.Jitter{}) {
		s.loadPictures(b, picked, epoch, step)
		return b
	}
	values := m.normalised(m.Max)
	for i, image := range picked {
		_, drawn := s.draw(epoch, step, i)
		m.put(b.X[i*m.size():(i+1)*m.size()], m.Pixels[image*m.size():(image+1)*m.size()], s.Augment, drawn, values)
	}
	return b
}

// draw draws for image i of a step. The returned generator gives the draws for window and
// colours; it is nil where nothing is random.
func (s *Source) draw(epoch, step, i int) (*rand.Rand, chances) {
	if s.Augment == s.Augment.Evaluation() {
		return nil, chances{}
	}
	// Each image has a stream of its own: the draws do not depend on the order of loading.
	r := rng.Stream(s.Seed, s.Name+".augment", epoch, step, i)
	return r, s.Augment.draw(r, s.Images.Height, s.Images.Width)
}

// pick returns the indices of the images of a step. The caller must not write to the
// result.
func (s *Source) pick(epoch, step int) []int {
	n := s.Images.N
	if step < 0 || step >= s.Steps() && s.Order != Resampled {
		panic(fmt.Sprintf("data: source %q: step %d, want 0 to %d", s.Name, step, s.Steps()-1))
	}
	from, to := step*s.Size, min((step+1)*s.Size, n)
	switch s.Order {
	case Shuffled:
		return s.permutation(epoch)[from:to]
	case Resampled:
		return rng.Permutation(rng.Stream(s.Seed, s.Name+".order", epoch, step), n, min(s.Size, n))
	}
	picked := make([]int, to-from)
	for i := range picked {
		picked[i] = from + i
	}
	return picked
}

// permutation returns the order of an epoch. It keeps the last one.
func (s *Source) permutation(epoch int) []int {
	s.mu.Lock()
	defer s.mu.Unlock()
	if of := (permuted{s.Seed, s.Name, epoch, s.Images.N}); s.order == nil || s.of != of {
		s.of, s.order = of, rng.Permutation(rng.Stream(s.Seed, s.Name+".order", epoch), of.n, of.n)
	}
	return s.order
}
