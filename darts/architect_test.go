package darts

import (
	"fmt"
	"math"
	"slices"
	"testing"

	"godarts/cells/genotype"
	"godarts/torch"
	"godarts/torch/nn"
	"godarts/torch/optim"
	"godarts/torch/torchtest"
)

// bilinear is a supernet whose derivatives are known:
//
//	L_train = ½ wᵀAw + wᵀBα + bᵀw,  L_valid = ½ wᵀCw + wᵀDα + ½ αᵀEα
//
// A batch says which by Y: 0 train, 1 valid.
type bilinear struct {
	w, alpha      torch.Tensor
	A, B, C, D, E torch.Tensor
	b             torch.Tensor
	frozen        []bool // FreezeStatistics of each pass, in order
	at            []float64
}

func newBilinear() *bilinear {
	const p, q = 5, 3
	o := torch.Options{Dtype: torch.Float64}
	square := func(n int) torch.Tensor { m := torch.Randn([]int{n, n}, o); return m.Add(m.T()) }
	return &bilinear{
		w: torch.Randn([]int{p}, o), alpha: torch.Randn([]int{q}, o),
		A: square(p), B: torch.Randn([]int{p, q}, o), C: square(p), D: torch.Randn([]int{p, q}, o), E: square(q),
		b: torch.Randn([]int{p}, o),
	}
}

func (s *bilinear) W() torch.Tensor        { return s.w }
func (s *bilinear) Alphas() []torch.Tensor { return []torch.Tensor{s.alpha} }

func (s *bilinear) Gradients(w torch.Tensor, b nn.Batch, need Need) Result {
	s.frozen = append(s.frozen, need.FreezeStatistics)
	s.at = append(s.at, w.Sub(s.w).Norm().Item())
	if b.Y.ItemInt() == 0 {
		return Result{
			W:      s.A.Matmul(w).Add(s.B.Matmul(s.alpha)).Add(s.b),
			Alphas: []torch.Tensor{s.B.T().Matmul(w)},
		}
	}
	return Result{
		W:      s.C.Matmul(w).Add(s.D.Matmul(s.alpha)),
		Alphas: []torch.Tensor{s.D.T().Matmul(w).Add(s.E.Matmul(s.alpha))},
	}
}

// HessianVectorProduct takes the product by differentiating L_train twice.
func (s *bilinear) HessianVectorProduct(v torch.Tensor, _ nn.Batch) []torch.Tensor {
	var b nn.Builder
	w := b.Root().Parameter("w", s.w.Clone())
	weights := b.Build(s.w.Options())
	alpha := s.alpha.Clone().RequiresGrad_(true)
	unused := s.alpha.Clone().RequiresGrad_(true)
	loss := w.Dot(s.A.Matmul(w.Tensor)).MulScalar(0.5).Add(w.Dot(s.B.Matmul(alpha))).Add(w.Dot(s.b))
	return weights.HessianVectorProduct(loss, v, []torch.Tensor{alpha, unused})
}

func (s *bilinear) Eval(nn.Batch) nn.Output                { return nn.Output{} }
func (s *bilinear) Genotype() genotype.Genotype            { return genotype.Genotype{} }
func (s *bilinear) StateDict() torch.StateDict             { return torch.StateDict{"w": s.w} }
func (s *bilinear) LoadStateDict(sd torch.StateDict) error { return nil }

func TestArchitectOnBilinearLoss(t *testing.T) {
	// The architect's gradient is the known one when both losses are quadratic: there a finite difference of any radius is exact.
	const mu, wd, xi = 0.9, 0.01, 0.05
	for _, test := range []struct {
		name     string
		momentum bool    // a step has filled the momentum buffer before
		radius   float64 // 0: the exact product
	}{
		{"first step", false, Radius}, {"with momentum", true, Radius}, {"another radius", true, 3},
		{"exact", false, 0}, {"exact with momentum", true, 0},
	} {
		t.Run(test.name, func(t *testing.T) {
			torchtest.Scope(t)
			torch.ManualSeed(7)
			train := nn.Batch{Y: torch.FromSlice([]int64{0}, 1)}
			valid := nn.Batch{Y: torch.FromSlice([]int64{1}, 1)}
			s := newBilinear()
			sgd := optim.NewSGD([]torch.Tensor{s.w}, optim.SGDOptions{LR: xi, Momentum: mu, WeightDecay: wd})
			if test.momentum {
				sgd.Step(s.Gradients(s.w, train, Need{W: true}).W)
			}
			adam := optim.NewAdam(s.Alphas(), optim.AdamOptions{LR: 1e-3})
			a := NewArchitect(s, sgd, adam)
			switch test.radius {
			case Radius: // the architect's own
			case 0:
				a.Hessian = s
			default:
				a.Hessian = FiniteDifference{Net: s, Radius: test.radius}
			}

			buf := sgd.Momentum()[0]
			g := s.A.Matmul(s.w).Add(s.B.Matmul(s.alpha)).Add(s.b)
			wPrime := s.w.Sub(g.AddScaled(s.w, wd).AddScaled(buf, mu).MulScalar(xi))
			v := s.C.Matmul(wPrime).Add(s.D.Matmul(s.alpha))
			first := s.D.T().Matmul(wPrime).Add(s.E.Matmul(s.alpha))
			want := first.Sub(s.B.T().Matmul(v).MulScalar(xi)) // ∇²α,w L_train = Bᵀ

			before := s.w.Clone()
			s.frozen, s.at = nil, nil
			got := a.Gradient(train, valid, xi).Alphas
			torchtest.Close(t, "second-order gradient", got[0], want, torchtest.Float64)
			torchtest.Close(t, "w afterwards", s.w, before, 0)

			// The passes: at w, at w' with frozen statistics, at w ± ε·v with ‖ε·v‖ = R.
			frozen, at := []bool{false, true}, []float64{0, wPrime.Sub(s.w).Norm().Item()}
			if test.radius > 0 {
				frozen, at = append(frozen, false, false), append(at, test.radius, test.radius)
			}
			if !slices.Equal(s.frozen, frozen) {
				t.Errorf("frozen statistics of the passes: %v, want %v", s.frozen, frozen)
			}
			if !slices.EqualFunc(s.at, at, func(a, b float64) bool { return math.Abs(a-b) < 1e-12 }) {
				t.Errorf("distances of the passes from w: %v, want %v", s.at, at)
			}

			s.frozen = nil
			torchtest.Close(t, "first-order gradient", a.Gradient(train, valid, 0).Alphas[0],
				s.D.T().Matmul(s.w).Add(s.E.Matmul(s.alpha)), torchtest.Float64)
			if len(s.frozen) != 1 || s.frozen[0] {
				t.Errorf("first order takes one pass with moving statistics, got %v", s.frozen)
			}
		})
	}
}

// tiedBilinear has its first two weights in two places.
type tiedBilinear struct{ *bilinear }

func (s tiedBilinear) Tied(w torch.Tensor) torch.Tensor { return w.Narrow(0, 0, 2) }

func TestArchitectClips(t *testing.T) {
	// The second order is the gradient through the clipped step when corrected, and the reference's formula when not.
	const xi, wd = 0.05, 0.01
	for _, test := range []struct {
		name string
		clip float64
	}{{"clipped", 0.25}, {"not reached", 1e3}} {
		t.Run(test.name, func(t *testing.T) {
			torchtest.Scope(t)
			torch.ManualSeed(7)
			train := nn.Batch{Y: torch.FromSlice([]int64{0}, 1)}
			valid := nn.Batch{Y: torch.FromSlice([]int64{1}, 1)}
			s := newBilinear()
			sgd := optim.NewSGD([]torch.Tensor{s.w}, optim.SGDOptions{LR: xi, WeightDecay: wd})
			a := NewArchitect(tiedBilinear{s}, sgd, optim.NewAdam(s.Alphas(), optim.AdamOptions{LR: 1e-3}))
			a.Clip = test.clip

			gradient := func(alpha torch.Tensor) torch.Tensor { return s.A.Matmul(s.w).Add(s.B.Matmul(alpha)).Add(s.b) }
			virtual := func(alpha torch.Tensor) torch.Tensor {
				g := gradient(alpha)
				g = g.MulScalar(min(1, test.clip/(g.Norm().Item()+1e-6)))
				return s.w.Sub(g.AddScaled(s.w, wd).MulScalar(xi))
			}

			a.Corrected = true
			loss := func(alpha torch.Tensor) float64 {
				w := virtual(alpha)
				return w.Dot(s.C.Matmul(w)).Item()/2 + w.Dot(s.D.Matmul(alpha)).Item() + alpha.Dot(s.E.Matmul(alpha)).Item()/2
			}
			const h = 1e-5
			var slopes []float64
			for i := range s.alpha.Size(0) {
				step := torch.Zeros(s.alpha.Shape(), s.alpha.Options())
				step.Narrow(0, i, 1).Fill_(h)
				slopes = append(slopes, (loss(s.alpha.Add(step))-loss(s.alpha.Sub(step)))/(2*h))
			}
			torchtest.Close(t, "corrected", a.Gradient(train, valid, xi).Alphas[0], torch.FromSlice(slopes, len(slopes)), 1e-8)

			a.Corrected = false
			k := test.clip / (gradient(s.alpha).Norm().Item() + 1e-6)
			w := virtual(s.alpha)
			w.Narrow(0, 0, 2).Copy_(s.w.Narrow(0, 0, 2))
			v := s.C.Matmul(w).Add(s.D.Matmul(s.alpha))
			first := s.D.T().Matmul(w).Add(s.E.Matmul(s.alpha))
			v.MulScalar_(min(1, test.clip/(v.Norm().Item()+1e-6)))
			torchtest.Close(t, "reference", a.Gradient(train, valid, xi).Alphas[0],
				first.Sub(s.B.T().Matmul(v).MulScalar(xi*k)), torchtest.Float64)
		})
	}
}

func TestArchitectMasks(t *testing.T) {
	// All passes over the training batch draw the same masks when corrected, each its own when not.
	for _, corrected := range []bool{false, true} {
		torch.Scoped(func() {
			s := &masksNet{bilinear: newBilinear()}
			sgd := optim.NewSGD([]torch.Tensor{s.w}, optim.SGDOptions{LR: 0.1})
			a := NewArchitect(s, sgd, optim.NewAdam(s.Alphas(), optim.AdamOptions{LR: 1e-3}))
			a.Corrected = corrected
			drawn := 0.0
			masks := func() torch.Tensor { drawn++; return torch.Scalar(drawn, torch.Options{}) }
			a.Gradient(nn.Batch{Y: torch.FromSlice([]int64{0}, 1), Masks: masks}, nn.Batch{Y: torch.FromSlice([]int64{1}, 1), Masks: masks}, 0.1)
			if len(s.drawn) != 4 {
				t.Fatalf("%d passes, want 4", len(s.drawn))
			}
			virtual, unrolled, plus, minus := s.drawn[0], s.drawn[1], s.drawn[2], s.drawn[3]
			if same := virtual == plus && plus == minus; same != corrected || unrolled == virtual {
				t.Errorf("corrected %v: the passes drew %v", corrected, s.drawn)
			}
		})
	}
}

// masksNet notes the number that each pass has for masks.
type masksNet struct {
	*bilinear
	drawn []float64
}

func (s *masksNet) Gradients(w torch.Tensor, b nn.Batch, need Need) Result {
	s.drawn = append(s.drawn, b.Masks().Item())
	return s.bilinear.Gradients(w, b, need)
}

func TestArchitectRefuses(t *testing.T) {
	// An unrolled step whose length is negative or no number panics with *torch.Error and leaves alpha as it is.
	torchtest.Scope(t)
	net, err := NewPlain(Options{Channels: 2, Layers: 3, Nodes: 1, Classes: 3, InputChannels: 1, StemMultiplier: 1})
	if err != nil {
		t.Fatal(err)
	}
	alpha := optim.NewAdam(net.Alphas(), optim.AdamOptions{LR: 1})
	a := NewArchitect(net, optim.NewSGD([]torch.Tensor{net.W()}, optim.SGDOptions{}), alpha)
	b := nn.Batch{X: torch.Randn([]int{2, 1, 8, 8}, torch.Options{}), Y: torch.Zeros([]int{2}, torch.Options{Dtype: torch.Int64})}
	before := net.Alphas()[0].Float64s()
	for _, xi := range []float64{math.NaN(), math.Inf(1), -0.1} {
		err := torch.Do(func() error { a.Step(b, b, xi); return nil })
		if want := fmt.Sprintf("torch: architect: xi is %g, want 0 or more", xi); err == nil || err.Error() != want {
			t.Errorf("got %v, want %s", err, want)
		}
	}
	if after := net.Alphas()[0].Float64s(); !slices.Equal(after, before) {
		t.Error("alpha has moved")
	}
}

func TestArchitectReadsNothing(t *testing.T) {
	// The gradient of α has, within NoReads, the bits of Eq. 7 and 8 by numbers of the host, in both orders, with and without clipping, when ξ falls.
	for _, most := range []float64{0, 1e-3, 1e3} {
		for _, corrected := range []bool{false, true} {
			t.Run(fmt.Sprint("clip ", most, ", corrected ", corrected), func(t *testing.T) {
				torchtest.Scope(t)
				net, train := smallNetwork(t, 2, nil)
				valid := nn.Batch{X: train.X.MulScalar(0.5), Y: train.Y}
				const mu, wd = 0.9, 3e-4
				sgd := optim.NewSGD([]torch.Tensor{net.W()}, optim.SGDOptions{LR: 0.1, Momentum: mu, WeightDecay: wd})
				a := NewArchitect(net, sgd, nil)
				a.Clip, a.Corrected = most, corrected
				for _, xi := range []float64{0.1, 0.07, 0, 0.025} {
					a.SetXi(xi)
					var got []torch.Tensor
					torch.NoReads(func() { got = a.Gradient(train, valid, xi).Alphas })
					want := byNumbers(net, sgd, train, valid, xi, most, corrected)
					for i := range want {
						torchtest.Close(t, fmt.Sprint("ξ ", xi), got[i], want[i], 0)
					}
					sgd.Step(net.Gradients(net.W(), train, Need{W: true}).W)
				}
			})
		}
	}
}

// byNumbers is the gradient of α with ξ, k and ε read by the host.
func byNumbers(net *Plain, sgd *optim.SGD, train, valid nn.Batch, xi, most float64, corrected bool) []torch.Tensor {
	if xi == 0 {
		return net.Gradients(net.W(), valid, Need{Alphas: true}).Alphas
	}
	d := net.Gradients(net.W(), train, Need{W: true}).W
	g, k := d.Clone(), 1.0
	var norm float64
	if most > 0 {
		norm = optim.ClipNorm(most, d)
		k = most / (norm + 1e-6)
	}
	d.AddScaled_(net.W(), sgd.Options().WeightDecay).AddScaled_(sgd.Momentum()[0], sgd.Options().Momentum)
	outer := net.Gradients(net.W().AddScaled(d, -xi), valid, Need{W: true, Alphas: true, FreezeStatistics: true})
	v := outer.W
	switch {
	case most == 0:
	case !corrected:
		optim.ClipNorm(most, v)
	case k < 1:
		v = v.AddScaled(g, -(g.Dot(v).Item() / (norm * (norm + 1e-6))))
	default:
		k = 1
	}
	eps := 0.01 / v.Norm().Item()
	plus := net.Gradients(net.W().AddScaled(v, eps), train, Need{Alphas: true}).Alphas
	minus := net.Gradients(net.W().AddScaled(v, -eps), train, Need{Alphas: true}).Alphas
	for i := range plus {
		outer.Alphas[i].AddScaled_(plus[i].Sub(minus[i]).DivScalar(2*eps), -xi*k)
	}
	return outer.Alphas
}
