package nas

import (
	"fmt"
	"math"
	"math/rand/v2"
	"path/filepath"
	"slices"
	"testing"

	"godarts/cells/genotype"
	"godarts/darts"
	"godarts/nas/data"
	"godarts/nas/data/texts"
	"godarts/nas/rng"
	"godarts/torch"
	"godarts/torch/torchtest"
)

// feedOf opens the data of a config in nas/testdata.
func feedOf(t *testing.T, file string, set ...string) *Run {
	t.Helper()
	r := &Run{Config: steps(t, file, set...)}
	if err := r.open(); err != nil {
		t.Fatal(err)
	}
	return r
}

// imagesOf are the images that an epoch of s reads, as they are before augmentation.
func imagesOf(s *data.Source) map[string]bool {
	plain := &data.Source{Images: s.Images, Seed: s.Seed, Name: s.Name, Size: s.Size, Order: s.Order}
	images := map[string]bool{}
	for step := range 4 * plain.Steps() { // of what is drawn with replacement, more
		if s.Order != data.Resampled && step >= plain.Steps() {
			break
		}
		b := plain.Load(0, step)
		for x := range slices.Chunk(b.X, len(b.X)/b.N) {
			images[fmt.Sprint(x)] = true
		}
	}
	return images
}

// within compares the images that s reads with those from..to-1 of some.
func within(t *testing.T, name string, s *data.Source, of *data.Images, from, to int) {
	t.Helper()
	want := imagesOf(&data.Source{Images: of.Slice(from, to), Size: 1})
	got := imagesOf(s)
	for image := range got {
		if !want[image] {
			t.Errorf("%s: an image is none of %d to %d", name, from, to)
			return
		}
	}
	if len(got) != len(want) {
		t.Errorf("%s: %d images, want %d", name, len(got), len(want))
	}
}

func TestFeedOfSearch(t *testing.T) {
	// A search trains w on the first part of the training images and α on the rest, all augmented, and measures on that rest.
	for _, strategy := range []string{"darts", "p-darts", "pc-darts", "gdas", "enas", "rsps"} {
		file := "tiny.yaml"
		if strategy == "p-darts" {
			file = "tiny-p-darts.yaml"
		}
		r := feedOf(t, file, "strategy.name="+strategy, "data.subset=40", "data.train_portion=0.75", "data.batch=5", "data.cutout=4", "network.channels=8")
		f := r.feed.(*imageFeed)
		augment := r.Set.Augment
		augment.Cutout = 4
		within(t, strategy+", train", f.train, r.Set.Train, 0, 30)
		within(t, strategy+", validation", f.validation, r.Set.Train, 30, 40)
		if r.Config.HasAlpha() {
			within(t, strategy+", valid", f.valid, r.Set.Train, 30, 40)
			if f.valid.Augment != augment {
				t.Errorf("%s, valid: %+v", strategy, f.valid.Augment)
			}
		}
		if f.train.Augment != augment {
			t.Errorf("%s, train: %+v", strategy, f.train.Augment)
		}
	}
}

func TestFeedOfTraining(t *testing.T) {
	// A training trains on augmented training images and measures the test images, or what it holds out, as they are.
	for portion, trains := range map[string]int{"1": 36, "0.75": 27} {
		r := feedOf(t, "tiny-train.yaml", "data.train_portion="+portion, "data.batch=9")
		f := r.feed.(*imageFeed)
		augment := r.Set.Augment
		augment.Cutout = 4
		within(t, "train", f.train, r.Set.Train, 0, trains)
		if trains < 36 {
			within(t, "held out", f.validation, r.Set.Train, trains, 36)
		} else {
			within(t, "test", f.validation, r.Set.Test, 0, r.Set.Test.N)
		}
		if f.train.Augment != augment || augment.Pad == 0 || f.validation.Augment != (data.Augment{}) {
			t.Errorf("augmented by %+v, measured with %+v", f.train.Augment, f.validation.Augment)
		}
	}
}

func TestRewards(t *testing.T) {
	// ENAS rewards by the accuracy on images of the validation half as they are.
	torchtest.Scope(t)
	r := feedOf(t, "tiny.yaml", "strategy.name=enas", "data.subset=40", "data.train_portion=0.75", "data.batch=5")
	s, err := newENAS(r)
	if err != nil {
		t.Fatal(err)
	}
	rewards := s.(*enasSearch).rewards
	within(t, "rewards", rewards, r.Set.Train, 30, 40)
	if rewards.Augment != (data.Augment{}) {
		t.Errorf("augmented by %+v", rewards.Augment)
	}
}

func TestChunks(t *testing.T) {
	// α reads the validation text beside the training text, and one chunk in twenty is half as long, in a search on a text.
	torchtest.Scope(t)
	r := feedOf(t, "tiny-text.yaml", "data.bptt=8")
	f := r.feed.(*textFeed)
	halves := 0
	const draws = 4000
	for i := range draws {
		switch n := f.draw(rng.Stream(1, "test", i)); n {
		case 4:
			halves++
		case 8:
		default:
			t.Fatalf("a chunk of %d tokens", n)
		}
	}
	if halves < 160 || halves > 240 { // 200, and 14 its standard deviation
		t.Errorf("%d of %d chunks are half as long", halves, draws)
	}
	if want := texts.NewColumns(r.Corpus.Valid, r.Config.Data.EvalBatch); !slices.Equal(tokensOf(f.validation), tokensOf(want)) {
		t.Error("what is measured is not the validation text")
	}
	train, valid := texts.NewColumns(r.Corpus.Train, r.Config.Data.Batch), texts.NewColumns(r.Corpus.Valid, r.Config.Data.Batch)
	from := 0
	for _, load := range f.batches(t.Context(), position{}) {
		torch.Scoped(func() {
			s := &Step{}
			load.fill(s)
			tokens := s.Train.X.Size(0)
			for _, test := range []struct {
				name string
				got  torch.Tensor
				of   texts.Columns
				n    int
			}{{"w", s.Train.X, train, tokens}, {"α", s.Valid.X, valid, 8}} {
				if want, _ := test.of.Chunk(from%(test.of.Rows-1), test.n); !slices.Equal(test.got.Flatten().Int64s(), want) {
					t.Errorf("from token %d on %s reads %v, want %v", from, test.name, test.got.Flatten().Int64s(), want)
				}
			}
			from += tokens
		})
	}
}

// tokensOf are all but the last row of columns.
func tokensOf(c texts.Columns) []int64 {
	x, _ := c.Chunk(0, c.Rows)
	return x
}

func TestChunkLengths(t *testing.T) {
	// Chunks of a training have the reference's lengths: 35 tokens, one in twenty half as many, a standard deviation of 5, and at most what the config adds.
	r := feedOf(t, "tiny-text-train.yaml", "data.bptt=35", "data.bptt_delta=20", "data.tokens=400")
	f := r.feed.(*textFeed)
	const draws = 4000
	sum, squares := 0.0, 0.0
	for i := range draws {
		n := float64(f.draw(rng.Stream(1, "test", i)))
		sum, squares = sum+n, squares+n*n
	}
	mean := sum / draws
	deviation := math.Sqrt(squares/draws - mean*mean)
	if want := 0.95*35 + 0.05*17.5 - 0.5; math.Abs(mean-want) > 0.4 { // 0.1 its standard deviation; tokens are cut to whole ones
		t.Errorf("mean length %v, want %v", mean, want)
	}
	if want := math.Sqrt(25 + 0.95*0.05*17.5*17.5); math.Abs(deviation-want) > 0.3 {
		t.Errorf("standard deviation %v, want %v", deviation, want)
	}
	f.config.Data.BPTTDelta = 2
	longest := 0
	for i := range draws {
		longest = max(longest, f.draw(rng.Stream(1, "test", i)))
	}
	if longest != 37 {
		t.Errorf("the longest chunk has %d tokens, want 37", longest)
	}
}

func TestMasks(t *testing.T) {
	// No two passes of a run on a text draw their masks alike.
	f := &textFeed{config: steps(t, "tiny-text.yaml")}
	drawn := map[uint64]string{}
	for _, of := range []string{"train", "valid"} {
		for _, at := range []position{{}, {Epoch: 1}, {Restarts: 1}} {
			for step := range 2 {
				masks := f.masks(of, at, step)
				for pass := range 3 {
					name := fmt.Sprintf("pass %d of step %d at %+v, %s", pass, step, at, of)
					n := masks().Uint64()
					if other, ok := drawn[n]; ok {
						t.Errorf("alike: %s and %s", name, other)
					}
					drawn[n] = name
				}
			}
		}
	}
}

func TestRewardBatches(t *testing.T) {
	// After an epoch of ENAS each step of the controller has draws and batches of its own, measured in the batch's statistics, which leave the network as it is.
	c := steps(t, "tiny.yaml", "strategy.name=enas", "strategy.controller.updates=2", "strategy.controller.aggregate=2", "strategy.candidates=1",
		"data.train_portion=0.5", "data.subset=48", "epochs=1")
	var before torch.StateDict
	look := Hooks{
		OnStep: func(r *Run, _ *Step) error {
			before = copied(r.state)
			for _, x := range before {
				torch.Keep(x)
			}
			return nil
		},
		OnEpoch: func(r *Run, _ *Epoch) error {
			torch.Scoped(func() {
				k := &taken{Step: &Step{}, run: r, before: before, after: copied(r.state), generator: torch.RNGState(torch.CPU)}
				net, controller := k.supernet(t), k.controller(t)
				rewards := r.state.(*enasSearch).rewards
				for update := range 2 {
					streams := []*rand.Rand{rng.Stream(c.Seed, "enas.controller", 2*update), rng.Stream(c.Seed, "enas.controller", 2*update+1)}
					err := controller.Update(streams, func(i int, g genotype.Genotype) (float64, error) {
						b := toBatch(rewards.Load(0, 2*update+i), r.options())
						logits := net.PathGradients(g, b, darts.Need{FreezeStatistics: true}).Logits
						return logits.Argmax(1, false).Eq(b.Y).ToDtype(torch.Float64).Mean().Item(), nil
					})
					if err != nil {
						t.Fatal(err)
					}
				}
				k.same(t, prefixed(stateController, controller.StateDict()))
				k.same(t, net.StateDict())
			})
			return nil
		},
	}
	if _, err := Search(t.Context(), filepath.Join(t.TempDir(), "run"), c, Settings{Hooks: []Hooks{look}}); err != nil {
		t.Fatal(err)
	}
}
