package search

import (
	"godarts/cells/genotype"
	"godarts/darts"
	"godarts/nas"
	"godarts/nas/config"
	"godarts/nas/images"
	"godarts/torch"
)

// earlyStop measures the dominant eigenvalue after epochs of a search, and ends the search if the
// eigenvalue grows. Zela et al., arXiv 1909.09656, sec. 5.1. A nil earlyStop does nothing.
type earlyStop struct {
	EarlyStop
	net    *darts.Plain
	decay  float64 // weight decay of α
	epochs int
	skips  int // most skip connections of the returned cells, see darts.Plain.Derive

	// Row m belongs to epoch m·Every; it is 0 before that epoch is done.
	eigenvalues torch.Tensor   // [measurements] float64
	alphas      []torch.Tensor // [measurements, edges, operations], for both kinds of cells
}

// newEarlyStop returns the early stop of the search c with the keys k, nil if it has none.
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

// measure measures the eigenvalue on the last images that α was trained on, if this is an epoch to
// measure after; else it returns nil. It adds a note if the search stops here.
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
			return // this measurement of the last epoch is only for the report
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

// found returns the cells of a search that has ended early, before this epoch.
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

// stopped reports whether the measurements after the first epochs end the search, and the row with the
// cells to return.
func (s *earlyStop) stopped(epochs int) (row int, stop bool) {
	taken := (epochs + s.Every - 1) / s.Every
	for n := range s.eigenvalues.Float64s()[:taken] {
		if row, stop = stops(s.eigenvalues.Float64s()[:n+1], s.EarlyStop); stop {
			return row, true
		}
	}
	return 0, false
}

// stops reports whether a search ends after its last eigenvalue, and the index of the eigenvalue at
// which α is still good. The mean around index k is over Window eigenvalues up to index k + h, with h =
// Window/2, or over fewer at the start. The search ends if this mean has grown by more than Factor
// within Delta eigenvalues, up to the last index that has one,
//
//	mean(n − 1 − h) > Factor·mean(n − 1 − h − Delta)
//
// and if the second mean is not around an epoch before Start. The paper's code has Window 5 and Delta
// 4, and measures every 2 epochs: after epoch e it returns the cells of e − 12.
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

// entries returns the tensors for a checkpoint, none if s is nil.
func (s *earlyStop) entries() map[string]torch.Tensor {
	if s == nil {
		return nil
	}
	return map[string]torch.Tensor{
		"early_stop.eigenvalues": s.eigenvalues, "early_stop.alphas_normal": s.alphas[0], "early_stop.alphas_reduce": s.alphas[1],
	}
}
