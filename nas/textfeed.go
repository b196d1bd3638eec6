package nas

import (
	"context"
	"fmt"
	"iter"
	"math/rand/v2"

	"godarts/cells"
	"godarts/nas/config"
	"godarts/nas/data/texts"
	"godarts/nas/names"
	"godarts/nas/rng"
	"godarts/torch"
	"godarts/torch/nn"
)

// textFeed brings chunks of a text: rows of columns that are read side by side, in
// order, so that the state after one is the state before the next.
type textFeed struct {
	config *config.Config
	corpus *texts.Corpus

	train      texts.Columns
	valid      texts.Columns // of a search: trains α
	validation texts.Columns // measured after an epoch; in a search the same text as valid
	test       texts.Columns // of a training
	to         torch.Options

	planned position // whose chunks plan holds
	plan    []chunk
}

// openText opens the text and checks that the config's columns fit it.
func (r *Run) openText() error {
	c := r.Config
	corpus, err := texts.Options{Name: c.Data.Name, Root: c.Data.Root, Tokens: c.Data.Tokens}.Open()
	if err != nil {
		return err
	}
	if r.feed, err = newTextFeed(c, corpus, r.options()); err != nil {
		return err
	}
	r.Corpus = corpus
	if corpus.Unknown > 0 {
		r.note("%s of the validation and test splits %s not in the training split", names.Count(corpus.Unknown, "word"), map[bool]string{true: "is", false: "are"}[corpus.Unknown == 1])
	}
	return nil
}

// newTextFeed cuts the splits into columns. A split too short for them is an error.
func newTextFeed(c *config.Config, corpus *texts.Corpus, to torch.Options) (*textFeed, error) {
	f := &textFeed{config: c, corpus: corpus, to: to}
	for _, cut := range []struct {
		columns *texts.Columns
		split   string
		tokens  []int32
		key     string
		n, rows int // rows is how many there have to be
		only    string
	}{
		{&f.train, "training", corpus.Train, "data.batch", c.Data.Batch, c.Data.BPTT + 1, ""},
		{&f.valid, "validation", corpus.Valid, "data.batch", c.Data.Batch, 2, config.Search},
		{&f.validation, "validation", corpus.Valid, "data.eval_batch", c.Data.EvalBatch, 2, ""},
		{&f.test, "test", corpus.Test, "data.test_batch", c.Data.TestBatch, 2, config.Train},
	} {
		if cut.only != "" && cut.only != c.Experiment {
			continue
		}
		if *cut.columns = texts.NewColumns(cut.tokens, cut.n); cut.columns.Rows < cut.rows {
			return nil, fmt.Errorf("nas: %s: %d columns of %d tokens at least need %d, the %s split of %s has %d, want fewer columns or more text",
				cut.key, cut.n, cut.rows, cut.n*cut.rows, cut.split, corpus.Name, len(cut.tokens))
		}
	}
	return f, nil
}

// chunk is what a step reads of each column.
type chunk struct{ from, tokens int } // tokens of what was drawn; there are fewer at the end

// chunks are those of the epoch that at is in: a pure function of the seed, the
// epoch and how often the run went back. Reference rnn/train_search.py and
// rnn/train.py, train.
func (f *textFeed) chunks(at position) []chunk {
	at = position{Epoch: at.Epoch, Restarts: at.Restarts}
	if f.plan != nil && f.planned == at {
		return f.plan
	}
	f.planned, f.plan = at, nil
	for from := 0; from < f.train.Rows-2; {
		r := rng.Stream(f.config.Seed, "chunk", at.Epoch, at.Restarts, len(f.plan))
		f.plan = append(f.plan, chunk{from, f.draw(r)})
		from += f.plan[len(f.plan)-1].tokens
	}
	return f.plan
}

// draw draws the length of a chunk: data.bptt, seldom half of it, in training with
// some spread around.
func (f *textFeed) draw(r *rand.Rand) int {
	const half, spread, least = 0.05, 5, 5
	d := f.config.Data
	mean := float64(d.BPTT)
	if r.Float64() < half {
		mean /= 2
	}
	if f.config.Experiment == config.Search {
		return int(mean)
	}
	return min(max(least, int(mean+spread*r.NormFloat64())), d.BPTT+d.BPTTDelta)
}

func (f *textFeed) steps(at position) int { return len(f.chunks(at)) }

func (f *textFeed) size() (n int, what string) { return len(f.corpus.Train), "token" }

func (f *textFeed) batches(_ context.Context, at position) iter.Seq2[int, loaded] {
	return func(yield func(int, loaded) bool) {
		chunks := f.chunks(at)
		for step := at.Step; step < len(chunks); step++ {
			if !yield(step, textStep{f, at, chunks[step]}) {
				return
			}
		}
	}
}

// textStep is the text of one step. Nothing is loaded: that takes no time.
type textStep struct {
	feed  *textFeed
	at    position
	chunk chunk
}

func (s textStep) err() error { return nil }

func (s textStep) take() bool { return true }

// fill implements loaded. The learning rate grows with the tokens, so that each
// counts alike; α reads on in its own text, from the start again where that ends.
func (s textStep) fill(step *Step) {
	f, d := s.feed, s.feed.config.Data
	step.LR *= float64(s.chunk.tokens) / float64(d.BPTT)
	step.Train = f.batch(f.train, s.chunk.from, s.chunk.tokens)
	step.Train.Masks = f.masks("train", s.at, step.Index)
	step.Count = step.Train.Y.Numel()
	if f.config.Experiment == config.Search {
		step.Valid = f.batch(f.valid, s.chunk.from%(f.valid.Rows-1), d.BPTT)
		step.Valid.Masks = f.masks("valid", s.at, step.Index)
	}
}

// batch is a chunk as tensors X [T,B] and Y [T·B].
func (f *textFeed) batch(c texts.Columns, from, n int) nn.Batch {
	x, y := c.Chunk(from, n)
	o := torch.Options{Dtype: torch.Int64, Device: f.to.Device}
	return nn.Batch{X: torch.FromSliceTo(x, []int{len(x) / c.Columns, c.Columns}, o), Y: torch.FromSliceTo(y, []int{len(y)}, o)}
}

// masks gives each pass of a step over one text a stream of its own.
func (f *textFeed) masks(of string, at position, step int) func() *rand.Rand {
	pass := 0
	return func() *rand.Rand {
		pass++
		return rng.Stream(f.config.Seed, "dropout."+of, at.Epoch, at.Restarts, step, pass)
	}
}

// columnsOf is columns from, from+1, ... of a batch, and of the states hidden
// [1,B,H] before it.
func columnsOf(b nn.Batch, hidden torch.Tensor, from, columns int) nn.Batch {
	steps, all := b.X.Size(0), b.X.Size(1)
	b.Hidden = hidden
	if columns == all {
		return b
	}
	b.X = b.X.Narrow(1, from, columns)
	b.Y = b.Y.View(steps, all).Narrow(1, from, columns).Reshape(-1)
	b.Hidden = hidden.Narrow(1, from, columns)
	return b
}

func (f *textFeed) validate(ctx context.Context, _ int, forward func(nn.Batch) nn.Output) (Meter, error) {
	return f.measure(ctx, f.validation, forward)
}

// measure passes all of columns through forward, from a state of zeros. The mean is
// over the tokens predicted; the reference divides by one more for each column.
func (f *textFeed) measure(ctx context.Context, columns texts.Columns, forward func(nn.Batch) nn.Output) (m Meter, err error) {
	bptt := f.config.Data.BPTT
	torch.Scoped(func() {
		hidden := torch.Zeros([]int{1, columns.Columns, f.config.Network.Hidden}, f.to)
		for from := 0; from < columns.Rows-1 && ctx.Err() == nil; from += bptt {
			torch.Scoped(func() {
				b := f.batch(columns, from, bptt)
				b.Hidden = hidden
				out := forward(b)
				m.add(out.Loss.Item(), 0, b.Y.Numel())
				torch.NoGrad(func() { hidden.Copy_(out.Hidden) })
			})
		}
	})
	return m, ctx.Err()
}

// languageOptions are the sizes of the language model that c makes for a dictionary
// of so many words, but for its device.
func languageOptions(c *config.Config, words int) cells.LanguageOptions {
	n := c.Network
	return cells.LanguageOptions{
		Tokens: words, Units: n.Hidden, Dropout: cells.Dropout(n.Dropout), AR: n.Activation, TAR: n.Slowness,
		Options: torch.Options{Dtype: dtype(c)},
	}
}

// recurrentOptions are languageOptions of a derived cell's network.
func recurrentOptions(c *config.Config, words int) cells.RecurrentOptions {
	return cells.RecurrentOptions{LanguageOptions: languageOptions(c, words)}
}
