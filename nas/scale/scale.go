// Package scale finds the sizes of a cell's network that meet a budget of multiply-adds and weights.
package scale

import (
	"fmt"
	"math"

	"godarts/cells"
	"godarts/cells/genotype"
)

// Budget bounds what a network may cost. A bound that is 0 does not hold.
type Budget struct {
	MultiplyAdds int64 // most, for one image
	Least        int64 // least multiply-adds
	Parameters   int64 // most weights, without auxiliary head
}

// Size is a network of a cell.
type Size struct {
	Channels, Layers, Side   int
	Parameters, MultiplyAdds int64
	Phi                      float64 // of compound scaling, how often the base was scaled; else 0
}

// MaxChannels is the most channels of the first cell that are tried.
const MaxChannels = 4096

// Fill returns for each number of layers and each side of the images the network with the most channels
// that meets the budget: as DARTS chooses 48 channels for 14 layers at 224x224 (arXiv 1806.09055, sec.
// 3.3). It leaves out sides that a network of that depth cannot have, and sizes at which none meets the
// budget. base says what all networks have in common: stem, classes and channels of the images.
func Fill(g genotype.Genotype, base cells.NetworkOptions, b Budget, layers, sides []int) (found []Size, err error) {
	for _, side := range sides {
		for _, depth := range layers {
			base.Layers, base.Size, base.Channels = depth, side, 2
			if err = base.Check(g); err != nil {
				continue
			}
			low, high := 0, MaxChannels/2 // halves of channels: low fits or is 0, high does not
			for low+1 < high {
				middle := (low + high) / 2
				if _, fits := sized(g, base, 2*middle, b); fits {
					low = middle
				} else {
					high = middle
				}
			}
			if low == 0 {
				continue
			}
			if s, _ := sized(g, base, 2*low, b); s.MultiplyAdds >= b.Least {
				found = append(found, s)
			}
		}
	}
	if len(found) > 0 {
		return found, nil
	}
	return nil, none(err)
}

// none returns the error for a budget that no network meets; invalid is why the last size was none.
func none(invalid error) error {
	if invalid != nil {
		return fmt.Errorf("scale: no network has these sizes: %w", invalid)
	}
	return fmt.Errorf("scale: no network of these sizes meets the budget")
}

// sized returns the network with these channels, and whether it costs at most what the budget allows.
func sized(g genotype.Genotype, o cells.NetworkOptions, channels int, b Budget) (Size, bool) {
	o.Channels = channels
	s := Size{Channels: channels, Layers: o.Layers, Side: o.Size}
	s.Parameters, s.MultiplyAdds = o.Count(g)
	fits := (b.MultiplyAdds == 0 || s.MultiplyAdds <= b.MultiplyAdds) && (b.Parameters == 0 || s.Parameters <= b.Parameters)
	return s, fits && s.MultiplyAdds > 0
}

// Best returns the index of the network with the most multiply-adds; of several the deepest.
func Best(all []Size) (best int) {
	for i, s := range all {
		if b := all[best]; s.MultiplyAdds > b.MultiplyAdds || s.MultiplyAdds == b.MultiplyAdds && s.Layers > b.Layers {
			best = i
		}
	}
	return best
}

// Factors of compound scaling for depth, width and resolution. Each doubles the multiply-adds about
// once: depth·width²·resolution² ≈ 2. EfficientNet (Tan, Le, ICML 2019, arXiv 1905.11946), eq. 3 and
// sec. 3.3.
const (
	depthFactor      = 1.2
	widthFactor      = 1.1
	resolutionFactor = 1.15
)

// Steps of compound scaling that are tried, in φ, and how far it goes in both directions.
const (
	phiStep = 0.25
	phiMost = 8
)

// Compound scales depth, width and side of the network base together by φ, in steps of a quarter, and
// returns those that meet the budget, from the smallest to the largest. Sides are rounded to multiples
// of 32 with the stem for ImageNet, else of 4; channels to even numbers. Sizes that no network has are
// left out.
func Compound(g genotype.Genotype, base cells.NetworkOptions, b Budget) (found []Size, err error) {
	multiple := 4.0
	if base.ImageNet {
		multiple = 32
	}
	for phi := -float64(phiMost); phi <= phiMost; phi += phiStep {
		o := base
		o.Layers = int(math.Round(float64(base.Layers) * math.Pow(depthFactor, phi)))
		o.Size = int(multiple * math.Round(float64(base.Size)*math.Pow(resolutionFactor, phi)/multiple))
		o.Channels = 2 * int(math.Round(float64(base.Channels)*math.Pow(widthFactor, phi)/2))
		if err = o.Check(g); err != nil {
			continue
		}
		s, fits := sized(g, o, o.Channels, b)
		s.Phi = phi
		same := len(found) > 0 && found[len(found)-1].Channels == s.Channels && found[len(found)-1].Layers == s.Layers && found[len(found)-1].Side == s.Side
		if fits && s.MultiplyAdds >= b.Least && !same {
			found = append(found, s)
		}
	}
	if len(found) > 0 {
		return found, nil
	}
	return nil, none(err)
}
