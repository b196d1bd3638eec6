// Package texts brings the text of a run: chunks of columns that are read side by side, columns to
// measure on, and the sizes of language models for them.
package texts

import (
	"context"
	"fmt"
	"iter"
	"math"
	"math/rand/v2"

	"godarts/cells"
	"godarts/cells/genotype"
	"godarts/nas"
	"godarts/nas/config"
	"godarts/nas/data/corpus"
	"godarts/nas/data/fingerprint"
	"godarts/nas/names"
	"godarts/nas/rng"
	"godarts/nas/runfolder"
	"godarts/torch"
	"godarts/torch/nn"
)

// Feed brings chunks of a text: rows of columns that are read side by side, in order, so that the state
// after a chunk is the state before the next.
type Feed struct {
	config *config.Config
	Corpus *corpus.Corpus

	train      corpus.Columns
	valid      corpus.Columns // trains α; only in a search
	Validation corpus.Columns // measured after an epoch; in a search the same text as valid
	Test       corpus.Columns // only in a training
	to         torch.Options

	planned nas.Position // the position whose chunks plan holds
	plan    []chunk
}

// openText opens the text of c and, if check is set, checks that c can run on it.
func openText(c *config.Config, to torch.Options, check bool) (nas.Feed, error) {
	text, err := corpus.Options{Name: c.Data.Name, Root: c.Data.Root, Tokens: c.Data.Tokens}.Open()
	if err != nil {
		return nil, err
	}
	f, err := newTextFeed(c, text, to)
	if err == nil && check {
		err = Check(c, len(text.Words), to.Device)
	}
	if err != nil {
		return nil, err
	}
	return f, nil
}

func init() { nas.RegisterFeed(config.Texts, openText) }

// Notes implements nas.Feed.
func (f *Feed) Notes() []string {
	unknown := f.Corpus.Unknown
	if unknown == 0 {
		return nil
	}
	return []string{fmt.Sprintf("%s of the validation and test splits %s not in the training split",
		names.Count(unknown, "word"), map[bool]string{true: "is", false: "are"}[unknown == 1])}
}

// Of returns the feed of a run on a text.
func Of(r *nas.Run) *Feed { return r.Feed.(*Feed) }

// newTextFeed cuts the splits into columns. A split that is too short for them is an error.
func newTextFeed(c *config.Config, text *corpus.Corpus, to torch.Options) (*Feed, error) {
	f := &Feed{config: c, Corpus: text, to: to}
	for _, cut := range []struct {
		columns *corpus.Columns
		split   string
		tokens  []int32
		key     string
		n, rows int // rows is the least number of rows
		only    string
	}{
		{&f.train, "training", text.Train, "data.batch", c.Data.Batch, c.Data.BPTT + 1, ""},
		{&f.valid, "validation", text.Valid, "data.batch", c.Data.Batch, 2, config.Search},
		{&f.Validation, "validation", text.Valid, "data.eval_batch", c.Data.EvalBatch, 2, ""},
		{&f.Test, "test", text.Test, "data.test_batch", c.Data.TestBatch, 2, config.Train},
	} {
		if cut.only != "" && cut.only != c.Experiment {
			continue
		}
		if *cut.columns = corpus.NewColumns(cut.tokens, cut.n); cut.columns.Rows < cut.rows {
			return nil, fmt.Errorf("nas: %s: %d columns of %d tokens at least need %d, the %s split of %s has %d, want fewer columns or more text",
				cut.key, cut.n, cut.rows, cut.n*cut.rows, cut.split, text.Name, len(cut.tokens))
		}
	}
	return f, nil
}

// chunk is the part of each column that a step reads.
type chunk struct{ from, tokens int } // the length that was drawn; the last chunk may be shorter

// chunks returns the chunks of the epoch of the position at. They depend only on the seed, the epoch
// and the number of restarts. Reference rnn/train_search.py and rnn/train.py, train.
func (f *Feed) chunks(at nas.Position) []chunk {
	at = nas.Position{Epoch: at.Epoch, Restarts: at.Restarts}
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

// draw draws the length of a chunk: data.bptt, or half of it in one of twenty draws; in a training with
// a normal deviation.
func (f *Feed) draw(r *rand.Rand) int {
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

// Steps implements nas.Feed.
func (f *Feed) Steps(at nas.Position) int { return len(f.chunks(at)) }

// Size implements nas.Feed.
func (f *Feed) Size() (n int, what string) { return len(f.Corpus.Train), "token" }

// Batches implements nas.Feed.
func (f *Feed) Batches(_ context.Context, at nas.Position) iter.Seq2[int, nas.Batch] {
	return func(yield func(int, nas.Batch) bool) {
		plan := f.chunks(at)
		for step := at.Step; step < len(plan); step++ {
			if !yield(step, textStep{f, plan[step]}) {
				return
			}
		}
	}
}

// textStep is the text of one step. It needs no loading.
type textStep struct {
	feed  *Feed
	chunk chunk
}

// Err implements nas.Batch.
func (s textStep) Err() error { return nil }

// Take implements nas.Batch.
func (s textStep) Take() bool { return true }

// Fill implements nas.Batch. The learning rate is proportional to the number of tokens, so that each
// counts alike. α reads its own text, and begins again at its end.
func (s textStep) Fill(step *nas.Step) {
	f, d := s.feed, s.feed.config.Data
	step.LR *= float64(s.chunk.tokens) / float64(d.BPTT)
	step.Train = f.Batch(f.train, s.chunk.from, s.chunk.tokens)
	step.Count = step.Train.Y.Numel()
	if f.config.Experiment == config.Search {
		step.Valid = f.Batch(f.valid, s.chunk.from%(f.valid.Rows-1), d.BPTT)
	}
}

// Batch returns a chunk as tensors X [T,B] and Y [T·B].
func (f *Feed) Batch(c corpus.Columns, from, n int) nn.Batch {
	x, y := c.Chunk(from, n)
	o := torch.Options{Dtype: torch.Int64, Device: f.to.Device}
	return nn.Batch{X: torch.FromSliceTo(x, []int{len(x) / c.Columns, c.Columns}, o), Y: torch.FromSliceTo(y, []int{len(y)}, o)}
}

// MaskStreams gives each pass of a step over one text its own random stream for dropout masks.
func (f *Feed) MaskStreams(of string, at nas.Position, step int) func() *rand.Rand {
	pass := 0
	return func() *rand.Rand {
		pass++
		return rng.Stream(f.config.Seed, "dropout."+of, at.Epoch, at.Restarts, step, pass)
	}
}

// Validate implements nas.Feed.
func (f *Feed) Validate(ctx context.Context, _ int, forward func(nn.Batch) nn.Output) (nas.Meter, error) {
	return f.Measure(ctx, f.Validation, forward)
}

// Measure passes all of columns through forward, from a state of zeros. The mean is over the predicted
// tokens; the reference divides by one more for each column.
func (f *Feed) Measure(ctx context.Context, columns corpus.Columns, forward func(nn.Batch) nn.Output) (m nas.Meter, err error) {
	bptt := f.config.Data.BPTT
	torch.Scoped(func() {
		hidden := torch.Zeros([]int{1, columns.Columns, f.config.Network.Hidden}, f.to)
		for from := 0; from < columns.Rows-1 && ctx.Err() == nil; from += bptt {
			torch.Scoped(func() {
				b := f.Batch(columns, from, bptt)
				b.Hidden = hidden
				out := forward(b)
				m.Add(out.Loss.Item(), 0, b.Y.Numel())
				torch.NoGrad(func() { hidden.Copy_(out.Hidden) })
			})
		}
	})
	return m, ctx.Err()
}

// LanguageOptions returns the sizes of the language model that c makes for a dictionary of this many
// words, without its device.
func LanguageOptions(c *config.Config, words int) cells.LanguageOptions {
	n := c.Network
	return cells.LanguageOptions{
		Tokens: words, Units: n.Hidden, Dropout: cells.Dropout(n.Dropout), AR: n.Activation, TAR: n.Slowness,
		Options: torch.Options{Dtype: nas.Dtype(c)},
	}
}

// RecurrentOptions returns the LanguageOptions of a derived cell's network.
func RecurrentOptions(c *config.Config, words int) cells.RecurrentOptions {
	return cells.RecurrentOptions{LanguageOptions: LanguageOptions(c, words)}
}

// Count implements nas.Counter, for the network of the trials. Another search has that of a training
// with the units that the authors train with.
func (f *Feed) Count(g genotype.Genotype) (parameters, multiplyAdds int64) {
	o := LanguageOptions(f.config, len(f.Corpus.Words))
	if !f.config.FromScratch() {
		o.Units = config.DefaultUnits
	}
	return o.Count(len(g.Recurrent.Edges))
}

// Quality implements nas.Feed.
func (f *Feed) Quality(m nas.Meter) string {
	return fmt.Sprintf("loss %.4f, perplexity %s", m.MeanLoss(), runfolder.Decimal(m.Perplexity()))
}

// Measured implements nas.Feed.
func (f *Feed) Measured() string { return "validation" }

// Record implements nas.Feed.
func (f *Feed) Record(line *runfolder.Metric, seen, measured *nas.Meter) {
	if seen != nil {
		line.TrainLoss, line.TrainPerplexity = new(seen.MeanLoss()), new(seen.Perplexity())
	}
	if measured != nil {
		line.ValidLoss, line.ValidPerplexity = new(measured.MeanLoss()), new(measured.Perplexity())
	}
}

// Fingerprint implements nas.Feed.
func (f *Feed) Fingerprint() fingerprint.Fingerprint { return f.Corpus.Fingerprint() }

// WithUnigram returns the perplexity of the measurement m on columns, and the unigram model's.
func (f *Feed) WithUnigram(m nas.Meter, columns corpus.Columns) *runfolder.Perplexity {
	return &runfolder.Perplexity{Perplexity: m.Perplexity(), Unigram: math.Exp(f.Corpus.UnigramLoss(columns))}
}
