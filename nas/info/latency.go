package info

import (
	"context"
	"errors"
	"fmt"
	"math"
	"path/filepath"
	"slices"
	"time"

	"godarts/cells"
	"godarts/cells/genotype"
	"godarts/nas"
	"godarts/nas/config"
	"godarts/nas/data/corpus"
	"godarts/nas/images"
	"godarts/nas/model"
	"godarts/nas/runfolder"
	"godarts/nas/texts"
	"godarts/torch"
	"godarts/torch/nn"
)

// Latency is how long a trained network takes for a batch, without its auxiliary head.
type Latency struct {
	Network string    // description of the network
	Batch   int       // images, or columns of a text
	Steps   int       // words of each column; 0 for images
	Seconds []float64 // of each pass, ascending
}

// Quantile returns the time that a part q of the passes does not exceed, 0 ≤ q ≤ 1.
func (l Latency) Quantile(q float64) time.Duration {
	at := int(math.Ceil(q*float64(len(l.Seconds)))) - 1
	return time.Duration(l.Seconds[min(max(at, 0), len(l.Seconds)-1)] * float64(time.Second))
}

// LatencyOptions say how to measure.
type LatencyOptions struct {
	Batch     int           // images, or columns of a text, that pass through the network together
	Passes    int           // timed passes
	Budget    time.Duration // for the passes of a network: at least a few are timed, however long they take
	Recurrent bool          // names of recurrent cells come first
	Device    torch.Device
}

// leastPasses are timed whatever they take, unless LatencyOptions.Passes is less.
const leastPasses = 5

// MeasureLatency measures networks on this machine, with random weights, on which the time does not depend.
// For a genotype these are the two networks that the paper trains, for the config of a training, the folder
// of one or an export its network, for a search the networks of its cell. done gets each measurement.
func MeasureLatency(ctx context.Context, where string, o LatencyOptions, done func(Latency) error) error {
	all, err := subjects(where, o.Recurrent)
	if err != nil {
		return err
	}
	for _, s := range all {
		var l Latency
		err := torch.Do(func() (err error) {
			l, err = s.measure(ctx, o)
			return err
		})
		if err == nil {
			err = done(l)
		}
		if err != nil {
			return err
		}
	}
	return nil
}

// subject is a network to measure: of images or of a text.
type subject struct {
	name string
	g    genotype.Genotype
	o    cells.NetworkOptions

	language cells.LanguageOptions // of a text, if there are any tokens
	steps    int
}

// subjects returns the networks of what where names.
func subjects(where string, recurrent bool) ([]subject, error) {
	c, err := configAt(where)
	if err != nil {
		return nil, err
	}
	switch {
	case c == nil:
		g, err := runfolder.FindGenotype(where, recurrent)
		if err != nil {
			return nil, err
		}
		return publishedSubjects(g)
	case c.Experiment == config.Search && runfolder.HoldsRun(where):
		g, _, err := runfolder.FolderGenotype(where, c.Data.IsText())
		if err != nil {
			return nil, err
		}
		return publishedSubjects(g)
	case c.Experiment != config.Train:
		return nil, fmt.Errorf("nas: latency: %s is the config of a %s, want that of a training, or a cell", where, c.Experiment)
	}
	s, err := trainedSubject(c)
	return []subject{s}, err
}

// configAt returns the config of a run, an export or a file; nil for what is none.
func configAt(where string) (*config.Config, error) {
	switch {
	case runfolder.HoldsRun(where):
		return runfolder.ReadConfig(where)
	case model.IsExport(where):
		return model.ExportConfig(where)
	case slices.Contains([]string{".yaml", ".yml"}, filepath.Ext(where)):
		return config.Load(where)
	}
	return nil, nil
}

// publishedSubjects are the networks that the paper trains of g.
func publishedSubjects(g genotype.Genotype) (all []subject, err error) {
	if !g.IsRecurrent() {
		for _, p := range publishedNetworks {
			all = append(all, subject{name: p.data + ": " + networkWords(p.o), g: g, o: p.o})
		}
		return all, nil
	}
	c, err := config.Parse(config.PTB, []byte("experiment: train\ndata: {name: "+config.PTB+"}"))
	if err != nil {
		return nil, err
	}
	known, _ := corpus.Find(config.PTB)
	return []subject{textSubject(c, g, known.Words, "Penn Treebank: ")}, nil
}

// trainedSubject is the network that the training c makes.
func trainedSubject(c *config.Config) (subject, error) {
	if c.Quantise != nil {
		return subject{}, errors.New("nas: latency: the network computes in integers, which this program only follows: time its ONNX file by scripts/onnx-latency --int8")
	}
	if c.Data.IsText() {
		text, err := corpus.Options{Name: c.Data.Name, Root: c.Data.Root, Tokens: c.Data.Tokens}.Open()
		if err != nil {
			return subject{}, err
		}
		g, err := texts.TrainedCell(c)
		return textSubject(c, g, len(text.Words), ""), err
	}
	sizes, err := images.Sizes(c)
	if err != nil {
		return subject{}, err
	}
	g, err := images.TrainedCell(c)
	o := images.NetworkOptions(c, sizes)
	return subject{name: networkWords(o), g: g, o: o}, err
}

func textSubject(c *config.Config, g genotype.Genotype, tokens int, prefix string) subject {
	o := cells.LanguageOptions{Tokens: tokens, Units: c.Network.Hidden, Options: torch.Options{Dtype: nas.Dtype(c)}}
	return subject{name: prefix + modelWords(c, len(g.Recurrent.Edges), tokens), g: g, language: o, steps: c.Data.BPTT}
}

// MeasureTogether measures the networks of trainings, as MeasureLatency does, but pass by pass in turn: what else the
// machine does meanwhile reaches all of them alike. The budget is for all.
func MeasureTogether(ctx context.Context, trainings []*config.Config, o LatencyOptions) (all []Latency, err error) {
	err = torch.Do(func() error {
		var passes []func()
		for _, c := range trainings {
			s, err := trainedSubject(c)
			if err != nil {
				return err
			}
			pass, err := s.pass(o)
			if err != nil {
				return err
			}
			passes, all = append(passes, pass), append(all, Latency{Network: s.name, Batch: o.Batch, Steps: s.steps})
		}
		seconds, err := timed(ctx, o.Passes, o.Budget, passes...)
		for i := range seconds {
			all[i].Seconds = seconds[i]
		}
		return err
	})
	return all, err
}

// measure times passes of the network.
func (s subject) measure(ctx context.Context, o LatencyOptions) (Latency, error) {
	l := Latency{Network: s.name, Batch: o.Batch, Steps: s.steps}
	pass, err := s.pass(o)
	if err != nil {
		return l, err
	}
	seconds, err := timed(ctx, o.Passes, o.Budget, pass)
	if err == nil {
		l.Seconds = seconds[0]
	}
	return l, err
}

// timed returns the seconds of each of several passes, which take turns, ascending: as many as asked for, or fewer where
// all take more than a budget.
func timed(ctx context.Context, passes int, budget time.Duration, each ...func()) ([][]float64, error) {
	const warmUp = 2
	seconds := make([][]float64, len(each))
	began := time.Time{}
	for i := range warmUp + passes {
		if i == warmUp {
			began = time.Now()
		}
		if i >= warmUp+leastPasses && time.Since(began) > budget {
			break
		}
		for k, pass := range each {
			if ctx.Err() != nil {
				return nil, ctx.Err()
			}
			start := time.Now()
			torch.Scoped(pass)
			if i >= warmUp {
				seconds[k] = append(seconds[k], time.Since(start).Seconds())
			}
		}
	}
	for _, own := range seconds {
		slices.Sort(own)
	}
	return seconds, nil
}

// pass makes the network, and returns a function that passes a batch through it and waits for the result.
func (s subject) pass(o LatencyOptions) (func(), error) {
	if s.steps > 0 {
		s.language.Device = o.Device
		net, err := cells.NewRecurrentNetwork(s.g, cells.RecurrentOptions{LanguageOptions: s.language})
		if err != nil {
			return nil, err
		}
		to := torch.Options{Dtype: torch.Int64, Device: o.Device}
		b := nn.Batch{X: torch.Zeros([]int{s.steps, o.Batch}, to), Y: torch.Zeros([]int{s.steps * o.Batch}, to)}
		return func() {
			torch.NoGrad(func() { _ = net.Forward(b, nn.Mode{}).Loss.Item() })
		}, nil
	}
	s.o.Auxiliary, s.o.Device = false, o.Device
	net, err := cells.NewNetwork(s.g, s.o)
	if err != nil {
		return nil, err
	}
	x := someImages(o.Batch, s.o.InputChannels, s.o.Size, s.o.Options)
	return func() { _ = net.Logits(x).Sum().Item() }, nil
}

// someImages returns n square images, channels last.
func someImages(n, channels, side int, to torch.Options) torch.Tensor {
	values := make([]float32, n*channels*side*side)
	for i := range values {
		values[i] = float32(i%17)/8 - 1
	}
	return torch.FromSliceChannelsLast(values, []int{n, channels, side, side}, to)
}
