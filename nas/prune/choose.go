package prune

import (
	"cmp"
	"fmt"
	"math"
	"slices"
	"sort"

	"godarts/cells/genotype"
)

// choose returns which channels of each group stay, and the widths of the network then: the least important of all are
// cut, one after the other, until at most a share of the multiply-adds is left. The most important channel of each half
// of a group stays.
func (n network) choose(importance [][]float64, share float64) (keep [][]bool, w genotype.Widths, err error) {
	groups := n.o.Groups(n.about.Genotype)
	type channel struct {
		group, at int
		matters   float64
	}
	var candidates []channel
	for i, g := range groups {
		for half, first := range []int{0, g.Halves[0]} {
			own := importance[i][first:][:g.Halves[half]]
			if len(own) == 0 {
				continue
			}
			best := slices.Index(own, slices.Max(own))
			for k, matters := range own {
				if k != best {
					candidates = append(candidates, channel{i, first + k, matters})
				}
			}
		}
	}
	slices.SortStableFunc(candidates, func(a, b channel) int { return cmp.Compare(a.matters, b.matters) })
	after := func(cut int) int64 {
		keep = keep[:0]
		for _, g := range groups {
			keep = append(keep, slices.Repeat([]bool{true}, g.Size()))
		}
		for _, c := range candidates[:cut] {
			keep[c.group][c.at] = false
		}
		w = n.o.Left(n.about.Genotype, keep)
		smaller := n.o
		smaller.Widths = &w
		_, adds := smaller.Count(n.about.Genotype)
		return adds
	}
	whole := after(0)
	most := int64(share * float64(whole))
	if least := after(len(candidates)); least > most {
		return nil, w, fmt.Errorf("nas: prune: %.4g %% of the multiply-adds cannot be reached: the least of this network is %.1f %%",
			100*share, math.Ceil(1000*float64(least)/float64(whole))/10)
	}
	cut := sort.Search(len(candidates), func(cut int) bool { return after(cut) <= most })
	after(cut)
	return keep, w, nil
}
