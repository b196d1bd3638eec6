package blackbox

import (
	"math"
	"math/rand/v2"
)

// Constants of the policy: the deviation of its first logits (as in the code of
// NAS-Bench-201's authors), and those of Adam (Kingma, Ba, ICLR 2015).
const (
	firstSpread = 1e-3
	beta1       = 0.9
	beta2       = 0.999
	adamEps     = 1e-8
)

// Reinforce learns a distribution over architectures by the policy gradient
// (Williams, 1992), from one architecture in each step. Its policy has logits for each
// decision and no controller network:
//
//	p(a) = Π_d softmax(logits_d)[a_d]
//	loss = −log p(a)·(R − b),  b the moving average of R, the R of a included
//
// The logits follow Adam. This is the REINFORCE of NAS-Bench-201 (Dong, Yang, ICLR
// 2020).
type Reinforce[A any] struct {
	space    Decisions[A]
	lr       float64
	momentum float64 // of the baseline

	decisions []decision
	steps     int

	// The baseline is sum/weight, which is unbiased also for few scores.
	sum, weight float64

	least float64 // the least score so far except Worst; Worst if there is none
}

// decision is the state of the policy for one decision.
type decision struct {
	logits, p []float64 // p = softmax(logits) when chosen was drawn
	m, v      []float64 // Adam's moments of the gradient
	chosen    int
}

// NewReinforce makes a policy with nearly equal logits, drawn from r. lr is Adam's
// learning rate, momentum the decay of the baseline at each new score.
func NewReinforce[A any](space Decisions[A], lr, momentum float64, r *rand.Rand) *Reinforce[A] {
	s := &Reinforce[A]{space: space, lr: lr, momentum: momentum, least: Worst}
	for _, n := range space.Options() {
		d := decision{make([]float64, n), make([]float64, n), make([]float64, n), make([]float64, n), 0}
		for i := range d.logits {
			d.logits[i] = firstSpread * r.NormFloat64()
		}
		s.decisions = append(s.decisions, d)
	}
	return s
}

// Propose implements Strategy: an architecture drawn from the policy.
func (s *Reinforce[A]) Propose(r *rand.Rand) A {
	chosen := make([]int, len(s.decisions))
	for i := range s.decisions {
		chosen[i] = s.decisions[i].draw(r)
	}
	return s.space.Architecture(chosen)
}

// Observe implements Strategy by a step of the policy gradient. Worst counts as the least
// score so far, since it is infinite; before there is another score it changes nothing.
func (s *Reinforce[A]) Observe(_ A, score float64) {
	if score == Worst {
		score = s.least
	} else if s.least == Worst || score < s.least {
		s.least = score
	}
	if score == Worst {
		return
	}
	s.sum = s.momentum*s.sum + (1-s.momentum)*score
	s.weight = s.momentum*s.weight + (1 - s.momentum)
	advantage := score - s.sum/s.weight
	s.steps++
	for i := range s.decisions {
		s.decisions[i].learn(advantage, s.lr, float64(s.steps))
	}
}

// Probabilities returns the distribution over the options of each decision.
func (s *Reinforce[A]) Probabilities() [][]float64 {
	var all [][]float64
	for i := range s.decisions {
		p := make([]float64, len(s.decisions[i].logits))
		softmax(p, s.decisions[i].logits)
		all = append(all, p)
	}
	return all
}

// draw draws an option.
func (d *decision) draw(r *rand.Rand) int {
	softmax(d.p, d.logits)
	u := r.Float64()
	d.chosen = len(d.p) - 1 // by rounding u may exceed the sum of all p
	for i, p := range d.p[:len(d.p)-1] {
		if u < p {
			d.chosen = i
			break
		}
		u -= p
	}
	return d.chosen
}

// learn takes step t, from 1 on, of Adam along −∇ log p(chosen)·advantage.
func (d *decision) learn(advantage, lr, t float64) {
	for i := range d.logits {
		g := d.p[i] * advantage
		if i == d.chosen {
			g -= advantage
		}
		d.m[i] = beta1*d.m[i] + (1-beta1)*g
		d.v[i] = beta2*d.v[i] + (1-beta2)*g*g
		mean, square := d.m[i]/(1-math.Pow(beta1, t)), d.v[i]/(1-math.Pow(beta2, t))
		d.logits[i] -= lr * mean / (math.Sqrt(square) + adamEps)
	}
}

// softmax stores the softmax of logits in p.
func softmax(p, logits []float64) {
	most, sum := math.Inf(-1), 0.0
	for _, x := range logits {
		most = max(most, x)
	}
	for i, x := range logits {
		p[i] = math.Exp(x - most)
		sum += p[i]
	}
	for i := range p {
		p[i] /= sum
	}
}
