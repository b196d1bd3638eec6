package search

import (
	"godarts/cells/genotype"
	"godarts/darts"
	"godarts/nas"
	"godarts/nas/config"
	"godarts/nas/images"
	"godarts/torch"
)

// earlyStop measures the dominant eigenvalue after epochs of a search, and ends the
// search if it grows. Zela et al., arXiv 1909.09656, sec. 5.1. A nil one does nothing.
type earlyStop struct {
	EarlyStop
	net    *darts.Plain
	decay  float64 // of α
	epochs int
	skips  int // of the cells returned, see darts.Plain.Derive

	// Row m is of epoch m·Every, 0 before that is done.
	eigenvalues torch.Tensor   // [measurements] float64
	alphas      []torch.Tensor // [measurements, edges, operations], of both kinds of cells
}

// newEarlyStop is nil if the search c, with the keys k, has no early stop.
func newEarlyStop(c *config.Config, k DARTSKeys, net *darts.Plain) *earlyStop {
	o := k.EarlyStop
	if o.Every == 0 {
		return nil
	}
	s := &earlyStop{EarlyStop: o, net: net, decay: c.Alpha.WeightDecay, epochs: c.Epochs, skips: k.SkipLimit}
	measurements := max(1, (c.Epochs+o.Every-1)/o.Every)
	s.eigenvalues = torch.Zeros([]int{measurements}, torch.Options{Dtype: torch.Float64})
	for _, alpha := range net.Alphas() {
		s.alphas = append(s.alphas, torch.Zeros(append([]int{measurements}, alpha.Shape()...), alpha.Options()))
	}
	return s
}

// measure takes the eigenvalue after an epoch that is to be measured, on the last images
// that α was trained on; nil after another. It says so if the search stops there.
func (s *earlyStop) measure(run *nas.Run, epoch int) *float64 {
	if s == nil || run.Err() != nil || epoch%s.Every != 0 && epoch != s.epochs-1 {
		return nil
	}
	var eigenvalue float64
	torch.Scoped(func() {
		b, err := images.Of(run).LastValid(epoch)
		if err != nil {
			run.Fail(err)
			return
		}
		eigenvalue = s.net.DominantEigenvalue(b, s.decay)
		if epoch%s.Every != 0 {
			return // the last one is measured to be seen
		}
		row := epoch / s.Every
		torch.NoGrad(func() {
			s.eigenvalues.Narrow(0, row, 1).Fill_(eigenvalue)
			for i, alpha := range s.net.Alphas() {
				s.alphas[i].Select(0, row).Copy_(alpha)
			}
		})
	})
	if run.Err() == nil && !nas.IsFinite(eigenvalue) {
		run.Fail(run.Diverged("the dominant eigenvalue is no number"))
	}
	if run.Err() != nil {
		return nil
	}
	if row, stop := s.stopped(epoch + 1); stop && epoch+1 < s.epochs {
		run.Note("the search ends early after epoch %d: the dominant eigenvalue has grown; its cells are those of epoch %d", epoch+1, row*s.Every+1)
	}
	return &eigenvalue
}

// found are the cells of a search that has ended early, before that epoch.
func (s *earlyStop) found(epoch int) (g genotype.Genotype, stop bool) {
	if s == nil {
		return g, false
	}
	row, stop := s.stopped(epoch)
	if !stop {
		return g, false
	}
	torch.Scoped(func() {
		var alphas []torch.Tensor
		for _, alpha := range s.alphas {
			alphas = append(alphas, alpha.Select(0, row))
		}
		g = s.net.Derive(alphas, s.skips)
	})
	return g, true
}

// stopped tells whether measurements after the first so many epochs end the search, and
// which of them has the cells.
func (s *earlyStop) stopped(epochs int) (row int, stop bool) {
	taken := (epochs + s.Every - 1) / s.Every
	for n := range s.eigenvalues.Float64s()[:taken] {
		if row, stop = stops(s.eigenvalues.Float64s()[:n+1], s.EarlyStop); stop {
			return row, true
		}
	}
	return 0, false
}

// stops tells whether a search ends after its last eigenvalue, and at which of them α is
// good still. With h = Window/2 the mean around entry k is that of the Window entries up to
// k + h, or of those there are; the search ends if it has grown by more than Factor within
// Delta entries, up to the last k with such a mean:
//
//	mean(n − 1 − h) > Factor·mean(n − 1 − h − Delta)
//
// and if the second of them is not around an epoch before Start. The paper's code takes
// Window 5 and Delta 4, every 2 epochs: after epoch e it returns the cells of e − 12.
func stops(eigenvalues []float64, o EarlyStop) (good int, stop bool) {
	mean := func(k int) float64 {
		end := k + o.Window/2 + 1
		of := eigenvalues[max(0, end-o.Window):end]
		sum := 0.0
		for _, x := range of {
			sum += x
		}
		return sum / float64(len(of))
	}
	k := len(eigenvalues) - 1 - o.Window/2
	good = k - o.Delta
	if good < 0 || good*o.Every < o.Start {
		return 0, false
	}
	return good, mean(k) > o.Factor*mean(good)
}

// entries are what a checkpoint holds, none of a nil earlyStop.
func (s *earlyStop) entries() map[string]torch.Tensor {
	if s == nil {
		return nil
	}
	return map[string]torch.Tensor{
		"early_stop.eigenvalues": s.eigenvalues, "early_stop.alphas_normal": s.alphas[0], "early_stop.alphas_reduce": s.alphas[1],
	}
}
