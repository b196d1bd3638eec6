package optim

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"testing"

	"godarts/torch"
	"godarts/torch/torchtest"
)

func TestSGDByHand(t *testing.T) {
	// SGD gives the values of the formula, exactly, when all of them are small binary fractions.
	cases := []struct {
		name        string
		o           SGDOptions
		first, then []float64 // parameters after one and two steps
		buffer      []float64
	}{
		{"plain", SGDOptions{LR: 0.5}, []float64{0.75, -2.5}, []float64{0.5, -3}, nil},
		{"decay", SGDOptions{LR: 0.5, WeightDecay: 0.25}, []float64{0.625, -2.25}, []float64{0.296875, -2.46875}, nil},
		{"momentum", SGDOptions{LR: 0.5, Momentum: 0.5}, []float64{0.75, -2.5}, []float64{0.375, -3.25}, []float64{0.75, 1.5}},
		{"momentum and decay", SGDOptions{LR: 0.5, Momentum: 0.5, WeightDecay: 0.25},
			[]float64{0.625, -2.25}, []float64{0.109375, -2.59375}, []float64{1.03125, 0.6875}},
		{"Nesterov", SGDOptions{LR: 0.5, Momentum: 0.5, Nesterov: true},
			[]float64{0.625, -2.75}, []float64{0.1875, -3.625}, []float64{0.75, 1.5}},
		{"lr 0", SGDOptions{Momentum: 0.5}, []float64{1, -2}, []float64{1, -2}, []float64{0.75, 1.5}},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			torchtest.Scope(t)
			p, g := vector(1, -2), vector(0.5, 1)
			s := NewSGD([]torch.Tensor{p}, c.o)
			s.Step(g)
			wantClose(t, "after step 1: p", p, c.first, 0)
			s.Step(g)
			wantClose(t, "after step 2: p", p, c.then, 0)
			if c.buffer == nil {
				if s.Momentum() != nil {
					t.Errorf("momentum buffers %v, want none", s.Momentum())
				}
				return
			}
			wantClose(t, "after step 2: buf", s.Momentum()[0], c.buffer, 0)
		})
	}
}

func TestSGDMask(t *testing.T) {
	// Elements with a mask of 0 neither decay nor move, bit for bit, and begin as new ones when it becomes 1.
	torchtest.Scope(t)
	o := SGDOptions{LR: 0.5, Momentum: 0.5, WeightDecay: 0.25, Nesterov: true}
	p, mask, late := vector(1, 0.1), vector(1, 0), vector(0.1)
	s := NewSGD([]torch.Tensor{p}, o)
	s.Mask(mask)
	s.Step(vector(0.5, 0))
	s.Step(vector(0.5, 0))
	wantClose(t, "masked", p.Narrow(0, 1, 1), []float64{0.1}, 0)
	free := vector(1)
	other := NewSGD([]torch.Tensor{free}, o)
	other.Step(vector(0.5))
	other.Step(vector(0.5))
	wantClose(t, "not masked", p.Narrow(0, 0, 1), free.Float64s(), 0)
	mask.Fill_(1)
	s.Step(vector(0.5, 2))
	NewSGD([]torch.Tensor{late}, o).Step(vector(2))
	wantClose(t, "masked before", p.Narrow(0, 1, 1), late.Float64s(), 0)
}

// slowSGD is SGD on Go numbers.
func slowSGD(p, buf, g []float64, o SGDOptions) {
	for i := range p {
		d := g[i] + o.WeightDecay*p[i]
		buf[i] = o.Momentum*buf[i] + d
		if o.Nesterov {
			d += o.Momentum * buf[i]
		} else {
			d = buf[i]
		}
		p[i] -= o.LR * d
	}
}

func TestSGDAgainstSlow(t *testing.T) {
	// SGD follows the same method in plain Go when gradients are random and the learning rate changes.
	cases := []SGDOptions{
		{},
		{WeightDecay: 3e-4},
		{Momentum: 0.9, WeightDecay: 3e-4},
		{Momentum: 0.9, WeightDecay: 3e-2, Nesterov: true},
	}
	for _, o := range cases {
		for _, p := range precisions {
			t.Run(fmt.Sprintf("%+v %s", o, p.dtype), func(t *testing.T) {
				torchtest.Scope(t)
				r := rand.New(rand.NewPCG(3, 4))
				want := normal(r, 33)
				got := torch.FromSliceTo(want, []int{33}, torch.Options{Dtype: p.dtype})
				buf := make([]float64, 33)
				s := NewSGD([]torch.Tensor{got}, o)
				for e := range 20 {
					o.LR = Cosine(0.5, 0.001, e, 20)
					s.SetLR(o.LR)
					g := normal(r, 33)
					slowSGD(want, buf, g, o)
					s.Step(torch.FromSliceTo(g, []int{33}, torch.Options{Dtype: p.dtype}))
				}
				wantClose(t, "p", got, want, p.tolerance)
			})
		}
	}
}

// precisions: 20 steps of vectors of size about 1 round some tens of times.
var precisions = []struct {
	dtype     torch.Dtype
	tolerance float64
}{
	{torch.Float64, 1e-14},
	{torch.Float32, 1e-5},
}

func TestSGDSettings(t *testing.T) {
	// Options and LR tell the present settings when the learning rate was changed or loaded.
	torchtest.Scope(t)
	o := SGDOptions{LR: 0.1, Momentum: 0.9, WeightDecay: 3e-4, Nesterov: true}
	a := NewSGD([]torch.Tensor{vector(1, 2)}, o)
	a.SetLR(0.3)
	o.LR = 0.3
	if a.LR() != 0.3 || a.Options() != o {
		t.Errorf("lr %g, options %+v, want %+v", a.LR(), a.Options(), o)
	}
	b := NewSGD([]torch.Tensor{vector(1, 2)}, SGDOptions{LR: 1, Momentum: 0.5})
	if err := b.LoadStateDict(a.StateDict()); err != nil {
		t.Fatal(err)
	}
	if b.Options() != o {
		t.Errorf("loaded options %+v, want %+v", b.Options(), o)
	}
}

func TestSGDKeepsItsOwnList(t *testing.T) {
	// SGD steps the parameters it was made with when the caller's slice changes later.
	torchtest.Scope(t)
	p, q := vector(1), vector(1)
	ps := []torch.Tensor{p}
	s := NewSGD(ps, SGDOptions{LR: 1})
	ps[0] = q
	s.Step(vector(0.5))
	if got := slices.Concat(p.Float64s(), q.Float64s()); !slices.Equal(got, []float64{0.5, 1}) {
		t.Errorf("p, q = %v, want [0.5 1]", got)
	}
}
