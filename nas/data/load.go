package data

import (
	"errors"
	"math"
	"math/rand/v2"
	"runtime"
	"slices"
	"sync"

	"godarts/nas/data/picture"
)

// decoders has a place for each picture that may be decoded at a time.
var decoders = make(chan struct{}, runtime.GOMAXPROCS(0))

// loadPictures fills b with the picked images.
func (s *Source) loadPictures(b *Batch, picked []int, epoch, step int) {
	m := s.Images
	values := m.normalised(math.MaxUint8)
	errs := make([]error, len(picked))
	var loading sync.WaitGroup
	for i, image := range picked {
		decoders <- struct{}{}
		loading.Go(func() {
			defer func() { <-decoders }()
			r, drawn := s.draw(epoch, step, i)
			pixels, err := s.pixels(image, r)
			if err != nil {
				errs[i] = err
				return
			}
			m.put(b.X[i*m.size():(i+1)*m.size()], pixels, s.Augment, drawn, values)
		})
	}
	loading.Wait()
	s.leaveOut(b, errs)
}

// leaveOut puts the first error into b. If s skips such images, it drops them from b
// instead, which can leave none.
func (s *Source) leaveOut(b *Batch, errs []error) {
	failed := slices.IndexFunc(errs, func(err error) bool { return err != nil })
	if failed < 0 {
		return
	}
	if !s.Skip {
		b.Err = errs[failed]
		return
	}
	size := s.Images.size()
	kept := 0
	for i, err := range errs {
		if err != nil {
			var file *Unreadable
			if !errors.As(err, &file) {
				file = &Unreadable{Why: err.Error()}
			}
			b.LeftOut = append(b.LeftOut, *file)
			continue
		}
		copy(b.X[kept*size:], b.X[i*size:(i+1)*size])
		b.Y[kept] = b.Y[i]
		kept++
	}
	b.N, b.X, b.Y = kept, b.X[:kept*size], b.Y[:kept]
}

// pixels scales an image to the size of the set and changes its colours, as the
// augmentation says: [Channels, Height, Width] bytes, 255 is full brightness. It draws
// from r.
func (s *Source) pixels(i int, r *rand.Rand) ([]uint8, error) {
	m := s.Images
	decoded, free, err := m.Decode(i)
	if err != nil {
		return nil, err
	}
	defer free()
	scaled := s.Augment.Window.Scale(decoded, m.Width, m.Height, r)
	if s.Augment.Jitter != (picture.Jitter{}) {
		s.Augment.Jitter.Apply(r, scaled.Pix)
	}
	return picture.Planes(scaled, m.Channels), nil
}
