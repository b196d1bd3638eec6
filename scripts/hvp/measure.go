package main

import (
	"fmt"
	"io"
	"math"
	"strings"

	"godarts/darts"
	"godarts/darts/fast"
	"godarts/nas/config"
	"godarts/nas/data"
	"godarts/torch"
	"godarts/torch/nn"
	"godarts/torch/optim"
)

// forms are the forms of the supernet by their name in network.form.
var forms = map[string]func(darts.Options) (darts.Supernet, error){
	config.Plain: func(o darts.Options) (darts.Supernet, error) { return darts.NewPlain(o) },
	config.Fast:  func(o darts.Options) (darts.Supernet, error) { return fast.New(o) },
}

// settings are the settings of the paper.
var settings = config.Defaults(config.Search)

// moment holds the measurements after some steps of a search.
type moment struct {
	step        int
	exact       result
	differences []result // for each radius
	precisions  []precision
}

// result is a second-order gradient of α.
type result struct {
	gradient []float64 // Eq. 7
	product  []float64 // ∇²α,w L_train·v, a part of it
}

// precision is the difference of a form in float32 from the plain one in float64.
type precision struct {
	form            string
	quotient, first comparison // of the finite difference and of the first-order gradient
}

// measure searches in float32, and measures before the first step and after the last.
// So float64 starts from weights that float32 can represent. It writes lines to progress.
func measure(o options, set *data.Set, progress io.Writer) (moments []moment, err error) {
	torch.ManualSeed(uint64(o.seed))
	s, err := newSearch(o.forms[0], sizes(o, set, torch.Float32))
	if err != nil {
		return nil, err
	}
	feed, large := newFeed(o, set, o.batch), newFeed(o, set, o.float32Batch)
	for step := range o.steps + 1 {
		torch.Scoped(func() {
			if step == 0 || step == o.steps {
				m := moment{step: step}
				fmt.Fprintf(progress, "hvp: after %d steps: finite difference and exact product\n", step)
				if err = m.products(o, set, s, feed.at(step)); err == nil {
					fmt.Fprintf(progress, "hvp: after %d steps: float32 and float64\n", step)
					err = m.float32s(o, set, s, large.at(0))
				}
				moments = append(moments, m)
			}
			if err == nil && step < o.steps {
				s.step(feed.at(step))
			}
		})
		if err != nil {
			return nil, err
		}
	}
	return moments, nil
}

// products compares finite differences of all radii with the exact product at the state
// of s, in the plain form and float64.
func (m *moment) products(o options, set *data.Set, s *search, b batches) error {
	plain, err := s.copy(config.Plain, sizes(o, set, torch.Float64))
	if err != nil {
		return err
	}
	exact, ok := plain.net.(darts.Hessian)
	if !ok {
		return fmt.Errorf("%T takes no exact product", plain.net)
	}
	ways := []darts.Hessian{exact}
	for _, radius := range o.radii {
		ways = append(ways, darts.FiniteDifference{Net: plain.net, Radius: radius})
	}
	results := plain.secondOrder(b, ways...)
	m.exact, m.differences = results[0], results[1:]
	return nil
}

// float32s compares each form in float32 with the plain one in float64 at the state of s.
func (m *moment) float32s(o options, set *data.Set, s *search, b batches) error {
	gradients := func(form string, dtype torch.Dtype) (quotient, first []float64, err error) {
		torch.Scoped(func() {
			var t *search
			if t, err = s.copy(form, sizes(o, set, dtype)); err != nil {
				return
			}
			quotient = t.secondOrder(b, darts.FiniteDifference{Net: t.net, Radius: darts.Radius})[0].product
			first = t.firstOrder(b)
		})
		return quotient, first, err
	}
	wantQuotient, wantFirst, err := gradients(config.Plain, torch.Float64)
	if err != nil {
		return err
	}
	for _, form := range o.forms {
		quotient, first, err := gradients(form, torch.Float32)
		if err != nil {
			return err
		}
		m.precisions = append(m.precisions, precision{form, compare(quotient, wantQuotient), compare(first, wantFirst)})
	}
	return nil
}

// search is a supernet with its optimizers.
type search struct {
	net       darts.Supernet
	w         *optim.SGD
	alpha     *optim.Adam
	architect *darts.Architect
	to        torch.Options
}

func newSearch(form string, o darts.Options) (*search, error) {
	make, ok := forms[form]
	if !ok {
		return nil, fmt.Errorf("--form %s: want %s", form, strings.Join(formNames(), " or "))
	}
	net, err := make(o)
	if err != nil {
		return nil, err
	}
	w, alpha := settings.W, settings.Alpha
	s := &search{net: net, to: o.Options}
	s.w = optim.NewSGD([]torch.Tensor{net.W()}, optim.SGDOptions{LR: w.LR, Momentum: w.Momentum, WeightDecay: w.WeightDecay})
	s.alpha = optim.NewAdam(net.Alphas(), optim.AdamOptions{LR: alpha.LR, Betas: alpha.Betas, WeightDecay: alpha.WeightDecay})
	s.architect = darts.NewArchitect(net, s.w, s.alpha)
	return s, nil
}

// copy makes a search of another form or type with the state of s, except that of Adam.
func (s *search) copy(form string, o darts.Options) (*search, error) {
	t, err := newSearch(form, o)
	if err != nil {
		return nil, err
	}
	if err := t.net.LoadStateDict(s.net.StateDict()); err != nil {
		return nil, err
	}
	return t, t.w.LoadStateDict(s.w.StateDict())
}

// step is one step of the paper's Algorithm 1 in first order.
func (s *search) step(b batches) {
	train, valid := b.tensors(s.to)
	s.architect.Step(train, valid, 0)
	g := s.net.Gradients(s.net.W(), train, darts.Need{W: true})
	optim.ClipNorm(settings.W.GradClip, g.W)
	s.w.Step(g.W)
}

// firstOrder returns ∇α L_val(w, α).
func (s *search) firstOrder(b batches) (gradient []float64) {
	torch.Scoped(func() {
		train, valid := b.tensors(s.to)
		gradient = flat(s.architect.Gradient(train, valid, 0).Alphas)
	})
	return gradient
}

// secondOrder returns the gradient of Eq. 7 for each way to compute the product. All ways
// take the same direction.
func (s *search) secondOrder(b batches, ways ...darts.Hessian) []result {
	all := &several{ways: ways}
	var gradient []float64 // with the product of the first
	torch.Scoped(func() {
		train, valid := b.tensors(s.to)
		s.architect.Hessian = all
		gradient = flat(s.architect.Gradient(train, valid, s.w.LR()).Alphas)
	})
	results := make([]result, len(ways))
	for i, product := range all.products {
		results[i] = result{make([]float64, len(gradient)), product}
		for j := range gradient {
			results[i].gradient[j] = gradient[j] + s.w.LR()*(all.products[0][j]-product[j])
		}
	}
	return results
}

// several computes a product in several ways, keeps all and returns the first.
type several struct {
	ways     []darts.Hessian
	products [][]float64
}

// HessianVectorProduct implements darts.Hessian.
func (s *several) HessianVectorProduct(v torch.Tensor, b nn.Batch) (first []torch.Tensor) {
	for i, way := range s.ways {
		hvp := way.HessianVectorProduct(v, b)
		s.products = append(s.products, flat(hvp))
		if i == 0 {
			first = hvp
		}
	}
	return first
}

func flat(alphas []torch.Tensor) (all []float64) {
	for _, alpha := range alphas {
		all = append(all, alpha.Float64s()...)
	}
	return all
}

// comparison is the difference of a vector from the right one.
type comparison struct {
	error  float64 // ‖got − want‖ / ‖want‖
	ratio  float64 // ‖got‖ / ‖want‖
	cosine float64
}

func compare(got, want []float64) comparison {
	var difference, g, w, dot float64
	for i := range want {
		difference = math.Hypot(difference, got[i]-want[i])
		g, w = math.Hypot(g, got[i]), math.Hypot(w, want[i])
		dot += got[i] * want[i]
	}
	return comparison{difference / w, g / w, dot / (g * w)}
}

func sizes(o options, set *data.Set, dtype torch.Dtype) darts.Options {
	return darts.Options{
		Channels: o.channels, Layers: o.layers, Nodes: settings.Network.Nodes, StemMultiplier: settings.Network.StemMultiplier,
		Classes: set.Train.Classes, InputChannels: set.Train.Channels, Options: torch.Options{Dtype: dtype},
	}
}

// feed makes the batches of a search: the first half of the images trains w, the other α.
type feed struct{ train, valid *data.Source }

// batches are the images of a step.
type batches struct{ train, valid *data.Batch }

func newFeed(o options, set *data.Set, size int) feed {
	half := set.Train.N / 2
	source := func(name string, images *data.Images, order data.Order) *data.Source {
		return &data.Source{Images: images, Augment: set.Augment, Seed: o.seed, Name: name, Size: size, Order: order}
	}
	return feed{
		train: source("train", set.Train.Slice(0, half), data.Shuffled),
		valid: source("valid", set.Train.Slice(half, set.Train.N), data.Resampled),
	}
}

// at returns the batches of a step, counted over all epochs.
func (f feed) at(step int) batches {
	epoch, step := step/f.train.Steps(), step%f.train.Steps()
	return batches{f.train.Load(epoch, step), f.valid.Load(epoch, step)}
}

func (b batches) tensors(to torch.Options) (train, valid nn.Batch) {
	tensor := func(b *data.Batch) nn.Batch {
		return nn.Batch{
			X: torch.FromSliceChannelsLast(b.X, []int{b.N, b.Channels, b.Height, b.Width}, to),
			Y: torch.FromSlice(b.Y, b.N),
		}
	}
	return tensor(b.train), tensor(b.valid)
}
