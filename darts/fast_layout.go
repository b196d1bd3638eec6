package darts

import (
	"fmt"

	"godarts/torch"
	"godarts/torch/nn"
)

// segment is a piece of a flat tensor: count tensors of a shape, one after the
// other. The zero segment is none.
type segment struct {
	offset, count int
	shape         [4]int // of each; trailing zeros are no dimensions
}

func (s segment) dims() (dims []int) {
	for _, d := range s.shape {
		if d > 0 {
			dims = append(dims, d)
		}
	}
	return dims
}

func (s segment) numel() int {
	n := s.count
	for _, d := range s.dims() {
		n *= d
	}
	return n
}

// segments cuts a flat tensor.
type segments struct{ flat torch.Tensor }

// at views a segment as [count, shape...], or as shape if that is given.
func (s segments) at(g segment, shape ...int) (v torch.Tensor) {
	if len(shape) == 0 {
		shape = append([]int{g.count}, g.dims()...)
	}
	torch.Scoped(func() { v = torch.Keep(s.flat.Narrow(0, g.offset, g.numel()).View(shape...)) })
	return v
}

// layout is the order in which the fast form wants weights and statistics: what
// is computed together lies together, so that it is one stacked operand. w keeps
// the order of registration everywhere else, equal for both forms.
type layout struct {
	place      torch.Tensor // [P] int64: entry i of the fast order is entry place[i] of w
	back       torch.Tensor // [P] the inverse
	statistics int          // numbers in the fast order of statistics
	source     torch.Tensor // [S] int64: entry i of the running statistics moves towards entry source[i]

	stemWeight, stemScale, stemShift segment
	stemMean, stemVariance           segment
	classifierWeight, classifierBias segment
}

// gathered is w in the fast order.
func (l *layout) gathered(w torch.Tensor) torch.Tensor { return w.IndexSelect(0, l.place) }

// registered is a vector of the fast order in the order of w.
func (l *layout) registered(fast torch.Tensor) torch.Tensor { return fast.IndexSelect(0, l.back) }

// moveStatistics moves running statistics towards the batch's by the momentum of
// batch norms.
func (l *layout) moveStatistics(running, batch torch.Tensor) {
	torch.Scoped(func() { running.Lerp_(batch.IndexSelect(0, l.source), statisticsMomentum) })
}

// index is the type of positions.
var index = torch.Options{Dtype: torch.Int64}

// layoutBuilder collects segments by the names of their parameters.
type layoutBuilder struct {
	layout     *layout
	weights    *nn.Weights
	parameters torch.StateDict // positions in w by name, int64
	buffers    torch.StateDict // positions in the running statistics by name, int64
	places     []torch.Tensor
	size       int
	moves      []move
}

// move says that the running statistic at those positions comes from n numbers
// of the fast order.
type move struct {
	to        torch.Tensor
	offset, n int
}

func newLayoutBuilder(w *nn.Weights) *layoutBuilder {
	positions := func(n int) torch.Tensor { return torch.Arange(0, float64(n), 1, index) }
	return &layoutBuilder{
		layout: &layout{}, weights: w,
		parameters: w.Views(positions(w.W.Numel())),
		buffers:    w.StatsViews(positions(w.Stats.Numel())),
	}
}

// parameter appends parameters of equal shape.
func (b *layoutBuilder) parameter(names ...string) segment {
	if len(names) == 0 {
		return segment{}
	}
	s := segment{offset: b.size, count: len(names)}
	for i, name := range names {
		place, ok := b.parameters[name]
		if !ok {
			panic("darts: no parameter " + name)
		}
		if i == 0 {
			copy(s.shape[:], place.Shape())
		}
		b.places = append(b.places, place.Flatten())
	}
	b.size += s.numel()
	return s
}

// statistic appends the means or variances of batch norms over c channels each;
// several names for one batch norm are copies of it.
func (b *layoutBuilder) statistic(what string, c int, norms ...[]string) segment {
	s := segment{offset: b.layout.statistics, count: len(norms), shape: [4]int{c}}
	for i, names := range norms {
		for _, name := range names {
			to, ok := b.buffers[name+what]
			if !ok {
				panic("darts: no buffer " + name + what)
			}
			b.moves = append(b.moves, move{to, s.offset + i*c, c})
		}
	}
	b.layout.statistics += s.numel()
	return s
}

// norm is where the statistics of stacked batch norms go.
type norm struct{ mean, variance segment }

func (b *layoutBuilder) norm(c int, norms ...[]string) norm {
	if len(norms) == 0 {
		return norm{}
	}
	return norm{b.statistic(".running_mean", c, norms...), b.statistic(".running_var", c, norms...)}
}

// put stores the statistics of the batch, [count,c] each.
func (p *pass) put(n norm, mean, variance torch.Tensor) {
	torch.Scoped(func() {
		p.statistics.at(n.mean).Copy_(mean)
		p.statistics.at(n.variance).Copy_(variance)
	})
}

func (b *layoutBuilder) stem() {
	l := b.layout
	l.stemWeight = b.parameter("stem.0.weight")
	l.stemScale, l.stemShift = b.parameter("stem.1.weight"), b.parameter("stem.1.bias")
	n := b.norm(l.stemScale.shape[0], []string{"stem.1"})
	l.stemMean, l.stemVariance = n.mean, n.variance
}

func (b *layoutBuilder) classifier() {
	b.layout.classifierWeight, b.layout.classifierBias = b.parameter("classifier.weight"), b.parameter("classifier.bias")
}

// build makes the index tensors on the device.
func (b *layoutBuilder) build(d torch.Device) {
	if n := b.weights.W.Numel(); b.size != n {
		panic(fmt.Sprintf("darts: the fast order has %d of %d weights", b.size, n))
	}
	place := torch.Cat(b.places, 0)
	back := torch.EmptyLike(place).Scatter_(0, place, torch.Arange(0, float64(b.size), 1, index))
	source := torch.Full([]int{b.weights.Stats.Numel()}, -1, index)
	for _, m := range b.moves {
		source.Scatter_(0, m.to, torch.Arange(float64(m.offset), float64(m.offset+m.n), 1, index))
	}
	if source.Amin(nil, false).ItemInt() < 0 {
		panic("darts: a running statistic has no source")
	}
	to := torch.Options{Dtype: torch.Int64, Device: d}
	b.layout.place, b.layout.back, b.layout.source = torch.Keep(place.To(to)), torch.Keep(back.To(to)), torch.Keep(source.To(to))
}
