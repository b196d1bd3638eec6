package texts_test

import (
	"fmt"
	"math"
	"math/rand/v2"
	"slices"
	"testing"

	"godarts/nas"
	"godarts/nas/data/corpus"
	"godarts/nas/fixture"
	"godarts/nas/rng"
	_ "godarts/nas/search" // whose strategies the configs name
	"godarts/nas/texts"
	"godarts/torch"
	"godarts/torch/torchtest"
)

func TestChunks(t *testing.T) {
	// α reads the validation text beside the training text, and one chunk in twenty is half as long, in a search on a text.
	torchtest.Scope(t)
	r := fixture.FeedOf(t, "tiny-text.yaml", "data.bptt=8")
	f := texts.Of(r)
	halves := 0
	const draws = 4000
	for i := range draws {
		switch n := f.DrawLength(rng.Stream(1, "test", i)); n {
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
	if want := corpus.NewColumns(texts.Of(r).Corpus.Valid, r.Config.Data.EvalBatch); !slices.Equal(tokensOf(f.Validation), tokensOf(want)) {
		t.Error("what is measured is not the validation text")
	}
	train, valid := corpus.NewColumns(texts.Of(r).Corpus.Train, r.Config.Data.Batch), corpus.NewColumns(texts.Of(r).Corpus.Valid, r.Config.Data.Batch)
	from := 0
	for _, load := range f.Batches(t.Context(), nas.Position{}) {
		torch.Scoped(func() {
			s := &nas.Step{}
			load.Fill(s)
			tokens := s.Train.X.Size(0)
			for _, test := range []struct {
				name string
				got  torch.Tensor
				of   corpus.Columns
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
func tokensOf(c corpus.Columns) []int64 {
	x, _ := c.Chunk(0, c.Rows)
	return x
}

func TestChunkLengths(t *testing.T) {
	// Chunks of a training have the reference's lengths: 35 tokens, one in twenty half as many, a standard deviation of 5, and at most what the config adds.
	r := fixture.FeedOf(t, "tiny-text-train.yaml", "data.bptt=35", "data.bptt_delta=20", "data.tokens=400")
	f := texts.Of(r)
	const draws = 4000
	sum, squares := 0.0, 0.0
	for i := range draws {
		n := float64(f.DrawLength(rng.Stream(1, "test", i)))
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
	f.Config().Data.BPTTDelta = 2
	longest := 0
	for i := range draws {
		longest = max(longest, f.DrawLength(rng.Stream(1, "test", i)))
	}
	if longest != 37 {
		t.Errorf("the longest chunk has %d tokens, want 37", longest)
	}
}

func TestMasksAhead(t *testing.T) {
	// A step's masks are rows of its streams in their order, those of shared passes from what a stream's first numbers seed, in the same place when there are as many.
	torchtest.Scope(t)
	r := fixture.FeedOf(t, "tiny-text.yaml")
	f, c := texts.Of(r), r.Config
	hidden := torch.Zeros([]int{1}, r.Options())
	o := texts.LanguageOptions(c, len(f.Corpus.Words))
	o.Options = r.Options()
	masks := f.NewMasks("train", hidden)
	var last torch.Tensor
	for index, row := range [][2]int{{0, 2}, {0, 2}, {2, 1}, {0, 1}} {
		got := masks.Draw(&nas.Step{Run: r, Index: index}, row[0], row[1])
		stream := f.MaskStreams("train", nas.Position{}, index)
		var streams []*rand.Rand
		for pass := range row[0] + row[1] {
			s := stream()
			if pass < row[0] {
				first, second := s.Uint64(), s.Uint64()
				s = rand.New(rand.NewPCG(first, second))
			}
			streams = append(streams, s)
		}
		torchtest.Close(t, fmt.Sprint("step ", index), got, o.DrawMasks(c.Data.Columns(), streams...), 0)
		if same := got == last; same != (index == 1) {
			t.Errorf("step %d: the place of the masks is that of the step before: %v", index, same)
		}
		last = got
	}
	none := texts.Of(fixture.FeedOf(t, "tiny-text.yaml", "network.dropout.output=0", "network.dropout.state=0", "network.dropout.input=0",
		"network.dropout.embedding=0", "network.dropout.word=0"))
	if rows := none.NewMasks("train", hidden).Draw(&nas.Step{Run: r}, 0, 1); rows.Defined() {
		t.Error("there are masks without dropout")
	}
}

func TestMasks(t *testing.T) {
	// No two passes of a run on a text draw their masks alike.
	f := texts.Of(fixture.FeedOf(t, "tiny-text.yaml"))
	drawn := map[uint64]string{}
	for _, of := range []string{"train", "valid"} {
		for _, at := range []nas.Position{{}, {Epoch: 1}, {Restarts: 1}} {
			for step := range 2 {
				masks := f.MaskStreams(of, at, step)
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
