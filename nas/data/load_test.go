package data

import (
	"errors"
	"image"
	"slices"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"godarts/nas/data/datatest"
)

// drawn are pictures made by a function.
type drawn func(i int) (image.Image, error)

func (d drawn) Decode(i int) (image.Image, func(), error) {
	m, err := d(i)
	return m, Free, err
}

// pictured are n pictures of 4x4 images and n classes.
func pictured(n int, p Pictures) *Images {
	m := Photographs(p, nil, n, 4, 3)
	m.N = n
	for i := range n {
		m.Labels = append(m.Labels, uint16(i))
	}
	return m
}

// withDecoders runs body while n pictures may be decoded at a time.
func withDecoders(n int, body func()) {
	before := decoders
	defer func() { decoders = before }()
	decoders = make(chan struct{}, n)
	body()
}

func TestDecodedPicturesAreBounded(t *testing.T) {
	// No more pictures than processors are in memory at a time when many batches are loaded at once.
	const places = 3
	synctest.Test(t, func(t *testing.T) {
		withDecoders(places, func() {
			var alive, most atomic.Int64
			m := pictured(40, drawn(func(i int) (image.Image, error) {
				if now := alive.Add(1); now > most.Load() {
					most.Store(now)
				}
				time.Sleep(time.Second)
				return &alivePicture{Image: datatest.Formula(9, 9), alive: &alive}, nil
			}))
			s := &Source{Images: m, Augment: ImageNet(), Size: 10}
			var loads sync.WaitGroup
			for step := range s.Steps() {
				loads.Go(func() { s.Load(0, step) })
			}
			loads.Wait()
			if most.Load() != places || alive.Load() != 0 {
				t.Errorf("at most %d pictures at a time and %d at the end, want %d and 0", most.Load(), alive.Load(), places)
			}
		})
	})
}

// alivePicture counts as alive until the first call of Bounds, with which scaling begins.
// That call takes a second.
type alivePicture struct {
	image.Image
	alive *atomic.Int64
	told  bool
}

func (p *alivePicture) Bounds() image.Rectangle {
	if !p.told {
		p.told = true
		time.Sleep(time.Second)
		p.alive.Add(-1)
	}
	return p.Image.Bounds()
}

func TestLoadPicturesWithAnyWorkers(t *testing.T) {
	// Batches are the same, bit for bit, with one picture decoded at a time and with many.
	m := pictured(40, drawn(func(i int) (image.Image, error) { return datatest.Formula(9+i%5, 7+i%7), nil }))
	for _, a := range []Augment{{}, {Pad: 1, Flip: true}, ImageNet(), ImageNet().Evaluation()} {
		s := &Source{Images: m, Augment: a, Seed: 3, Name: "train", Size: 16, Order: Shuffled}
		var one, many [3]*Batch
		withDecoders(1, func() {
			for step := range one {
				one[step] = s.Load(1, step)
			}
		})
		withDecoders(8, func() {
			for step := range many {
				many[step] = s.Load(1, step)
			}
		})
		for step := range one {
			if !same(one[step], many[step]) {
				t.Errorf("%+v: step %d differs", a, step)
			}
		}
	}
}

func TestPicturesInMemory(t *testing.T) {
	// The recipe for photographs works on images in memory, and gives other results with every draw.
	m := noise(1, 3)
	s := &Source{Images: m, Augment: ImageNet(), Seed: 1, Name: "train", Size: 3}
	first, again, later := s.Load(0, 0), s.Load(0, 0), s.Load(1, 0)
	if !same(first, again) || same(first, later) {
		t.Error("the same draws differ, or different ones do not")
	}
	s.Augment = Augment{}
	plain := s.Load(0, 0)
	m.Pictures, m.Pixels = drawn(func(i int) (image.Image, error) {
		m, _, err := noise(1, 3).Decode(i)
		return m, err
	}), nil
	if decoded := s.Load(0, 0); !same(plain, decoded) {
		t.Error("an image changes on its way through a picture of its size")
	}
}

func TestBrokenPictures(t *testing.T) {
	// A batch with broken pictures has the error of the first, or with Skip leaves them out and lists them.
	m := pictured(10, drawn(func(i int) (image.Image, error) {
		if i == 3 || i == 5 {
			return nil, errors.New("broken " + string(rune('0'+i)))
		}
		return datatest.Formula(4+i, 4+i), nil
	}))
	s := &Source{Images: m, Size: 6}
	if b := s.Load(0, 0); b.Err == nil || b.Err.Error() != "broken 3" {
		t.Errorf("got %v, want broken 3", b.Err)
	}
	if b := s.Load(0, 1); b.Err != nil || b.N != 4 {
		t.Errorf("a good batch: %d images, %v", b.N, b.Err)
	}
	s.Skip = true
	b := s.Load(1, 0)
	if b.Err != nil || b.N != 4 || !slices.Equal(b.Y, []int64{0, 1, 2, 4}) || len(b.X) != 4*m.size() {
		t.Errorf("%d images, labels %v, %d values, %v", b.N, b.Y, len(b.X), b.Err)
	}
	if want := []Unreadable{{Why: "broken 3"}, {Why: "broken 5"}}; !slices.Equal(b.LeftOut, want) {
		t.Errorf("left out are %v, want %v", b.LeftOut, want)
	}
	want := &Source{Images: m.Slice(4, 5), Size: 1}
	if got := b.X[3*m.size():]; !slices.Equal(got, want.Load(0, 0).X) {
		t.Error("the last image and its label do not belong together")
	}
	s.Images = m.Slice(3, 4)
	if b := s.Load(0, 0); b.Err != nil || b.N != 0 || len(b.X) != 0 || len(b.LeftOut) != 1 {
		t.Errorf("of a batch of one broken picture %d are left, %v", b.N, b.Err)
	}
}
