package data

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"sync"
	"testing"

	"github.com/google/go-cmp/cmp"

	"godarts/nas/data/datatest"
)

// numbered returns n one-pixel images whose label and pixel are their index.
func numbered(n int) *Images {
	m := &Images{N: n, Channels: 1, Height: 1, Width: 1, Classes: n, Max: 1, Mean: []float32{0}, Std: []float32{1}}
	for i := range n {
		m.Pixels = append(m.Pixels, uint8(i))
		m.Labels = append(m.Labels, uint16(i))
	}
	return m
}

// noise returns n images of 32x32 pixels of noise, in 10 classes, normalised as CIFAR-10.
func noise(seed uint64, n int) *Images {
	r := rand.New(rand.NewPCG(seed, 0))
	m := &Images{
		N: n, Channels: 3, Height: 32, Width: 32, Classes: 10, Max: 255,
		Mean: []float32{0.49139968, 0.48215827, 0.44653124}, Std: []float32{0.24703233, 0.24348505, 0.26158768},
	}
	for range n {
		m.Labels = append(m.Labels, uint16(r.IntN(10)))
	}
	for range n * m.size() {
		m.Pixels = append(m.Pixels, uint8(r.IntN(256)))
	}
	return m
}

// epoch returns the labels of the steps of an epoch.
func epoch(s *Source, epoch int) [][]int64 {
	var out [][]int64
	for step := range s.Steps() {
		out = append(out, s.Load(epoch, step).Y)
	}
	return out
}

// same compares two batches of equal shapes bit by bit.
func same(a, b *Batch) bool {
	return a.N == b.N && slices.Equal(a.X, b.X) && slices.Equal(a.Y, b.Y)
}

func TestSequential(t *testing.T) {
	// Batches keep the order and the incomplete last one when the order is sequential.
	for _, c := range []struct {
		n, size int
		want    [][]int64
	}{
		{5, 2, [][]int64{{0, 1}, {2, 3}, {4}}},
		{4, 2, [][]int64{{0, 1}, {2, 3}}},
		{3, 8, [][]int64{{0, 1, 2}}},
		{0, 2, nil},
	} {
		t.Run(fmt.Sprint(c.n, " by ", c.size), func(t *testing.T) {
			s := &Source{Images: numbered(c.n), Size: c.size}
			for e := range 2 {
				if diff := cmp.Diff(c.want, epoch(s, e)); diff != "" {
					t.Errorf("epoch %d (-want +got):\n%s", e, diff)
				}
			}
		})
	}
}

func TestShuffled(t *testing.T) {
	// Every epoch holds each image once, in an order of its own, when the order is shuffled.
	s := &Source{Images: numbered(10), Seed: 1, Name: "train", Size: 4, Order: Shuffled}
	orders := map[string]int{}
	for e := range 20 {
		batches := epoch(s, e)
		if len(batches) != 3 || len(batches[0]) != 4 || len(batches[2]) != 2 {
			t.Fatalf("epoch %d: batches %v", e, batches)
		}
		order := slices.Concat(batches...)
		orders[fmt.Sprint(order)]++
		slices.Sort(order)
		if diff := cmp.Diff([]int64{0, 1, 2, 3, 4, 5, 6, 7, 8, 9}, order); diff != "" {
			t.Errorf("epoch %d (-want +got):\n%s", e, diff)
		}
	}
	if len(orders) != 20 {
		t.Errorf("only %d different orders in 20 epochs", len(orders))
	}
}

func TestResampled(t *testing.T) {
	// Every step is a full sample without repetition, also beyond Steps, when the order is resampled.
	for _, c := range []struct{ n, size, want int }{{10, 4, 4}, {3, 4, 3}, {4, 4, 4}} {
		t.Run(fmt.Sprint(c.n, " by ", c.size), func(t *testing.T) {
			s := &Source{Images: numbered(c.n), Seed: 1, Name: "valid", Size: c.size, Order: Resampled}
			counts := make([]int, c.n)
			first := make([]int, c.n)
			for step := range 2000 {
				y := s.Load(step%3, step).Y
				if len(y) != c.want {
					t.Fatalf("step %d: %d images, want %d", step, len(y), c.want)
				}
				first[y[0]]++
				for _, v := range y {
					counts[v]++
				}
				slices.Sort(y)
				if len(slices.Compact(y)) != c.want {
					t.Fatalf("step %d: an image twice: %v", step, y)
				}
			}
			datatest.Uniform(t, "images", counts)
			datatest.Uniform(t, "first image", first)
		})
	}
}

func TestShuffledIsUniform(t *testing.T) {
	// All 24 orders of four images come equally often when there are many epochs.
	s := &Source{Images: numbered(4), Seed: 1, Name: "train", Size: 4, Order: Shuffled}
	index := map[string]int{}
	var counts []int
	for e := range 4800 {
		order := fmt.Sprint(s.Load(e, 0).Y)
		i, ok := index[order]
		if !ok {
			i = len(counts)
			index[order] = i
			counts = append(counts, 0)
		}
		counts[i]++
	}
	if len(counts) != 24 {
		t.Fatalf("%d orders, want 24", len(counts))
	}
	datatest.Uniform(t, "orders", counts)
}

func TestLoadGolden(t *testing.T) {
	// The order for a seed and a name is the recorded one, so that old runs can be resumed.
	for _, c := range []struct {
		order Order
		want  [][]int64
	}{
		{Shuffled, [][]int64{{0, 6, 3, 8}, {7, 5, 2, 1}, {4, 9}}},
		{Resampled, [][]int64{{9, 1, 7, 6}, {8, 1, 4, 5}, {8, 7, 9, 1}}},
	} {
		s := &Source{Images: numbered(10), Seed: 2, Name: "train", Size: 4, Order: c.order}
		if diff := cmp.Diff(c.want, epoch(s, 1)); diff != "" {
			t.Errorf("order %d (-want +got):\n%s", c.order, diff)
		}
	}
}

func TestLoadDependsOnItsArguments(t *testing.T) {
	// Images and order change with seed, name, epoch and step, and only with these.
	m := noise(3, 16)
	load := func(seed int64, name string, epoch, step int, order Order) *Batch {
		s := &Source{Images: m, Augment: Augment{Pad: 4, Flip: true}, Seed: seed, Name: name, Size: 8, Order: order}
		return s.Load(epoch, step)
	}
	for _, order := range []Order{Sequential, Shuffled, Resampled} {
		base := load(1, "train", 1, 0, order)
		if again := load(1, "train", 1, 0, order); !same(base, again) {
			t.Errorf("order %d: a second source differs: labels %v and %v", order, base.Y, again.Y)
		}
		for what, other := range map[string]*Batch{
			"seed": load(2, "train", 1, 0, order), "name": load(1, "valid", 1, 0, order),
			"epoch": load(1, "train", 0, 0, order), "step": load(1, "train", 1, 1, order),
		} {
			if slices.Equal(base.X, other.X) {
				t.Errorf("order %d: another %s gives the same images", order, what)
			}
			if order != Sequential && slices.Equal(base.Y, other.Y) {
				t.Errorf("order %d: another %s gives the same order", order, what)
			}
		}
	}
	// Two copies of one image in a batch are augmented independently.
	twice := &Images{N: 2, Channels: 3, Height: 32, Width: 32, Classes: 10, Max: 255, Mean: m.Mean, Std: m.Std,
		Pixels: slices.Repeat(m.Pixels[:m.size()], 2), Labels: []uint16{1, 1}}
	b := (&Source{Images: twice, Augment: Augment{Pad: 4}, Seed: 1, Size: 2}).Load(0, 0)
	if slices.Equal(b.X[:m.size()], b.X[m.size():]) {
		t.Error("both images of the batch are cropped alike")
	}
}

func TestLoadConcurrently(t *testing.T) {
	// Many goroutines load the same batches as a new source, whatever the order of calls.
	m := noise(3, 10)
	source := func() *Source {
		return &Source{Images: m, Augment: Augment{Pad: 4, Flip: true}, Seed: 1, Name: "train", Size: 4, Order: Shuffled}
	}
	shared := source()
	var wg sync.WaitGroup
	got := make([]*Batch, 4*3)
	for i := range got {
		wg.Go(func() { got[i] = shared.Load(i/3, i%3) })
	}
	wg.Wait()
	for i, b := range got {
		if want := source().Load(i/3, i%3); !same(want, b) {
			t.Errorf("epoch %d step %d: labels %v, by a new source %v, or their images differ", i/3, i%3, b.Y, want.Y)
		}
	}
}

func TestLoadFollowsChangedFields(t *testing.T) {
	// The order follows the fields when they change between loads.
	s := &Source{Images: numbered(10), Seed: 1, Name: "train", Size: 10, Order: Shuffled}
	s.Load(0, 0)
	s.Seed = 2
	want := (&Source{Images: numbered(10), Seed: 2, Name: "train", Size: 10, Order: Shuffled}).Load(0, 0)
	if diff := cmp.Diff(want, s.Load(0, 0)); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

func TestLoadOutside(t *testing.T) {
	// Load panics when the epoch has no such step.
	for _, c := range []struct {
		step  int
		order Order
	}{{3, Sequential}, {3, Shuffled}, {-1, Shuffled}, {-1, Resampled}} {
		t.Run(fmt.Sprint(c), func(t *testing.T) {
			want := fmt.Sprintf(`data: source "train": step %d, want 0 to 2`, c.step)
			defer func() {
				if got := recover(); got != want {
					t.Errorf("panic %v, want %s", got, want)
				}
			}()
			(&Source{Images: numbered(5), Name: "train", Size: 2, Order: c.order}).Load(0, c.step)
		})
	}
}
