package prune

import (
	"cmp"
	"fmt"
	"math"
	"slices"
	"sort"

	"godarts/cells"
	"godarts/cells/genotype"
)

// chunk are channels of a group that are cut together.
type chunk struct {
	group   int
	at      []int
	matters float64 // the mean of its channels
}

// chunks returns what can be cut of a group, in this order: channels that matter ever more. The most important channel
// of each half stays. Chunks leave multiples of multiple, of half as many in a group that has less than twice as many
// channels, and so on.
func chunks(group int, g *cells.Group, importance []float64, multiple int) (all []chunk) {
	var order []int
	for half, first := range []int{0, g.Halves[0]} {
		own := importance[first:][:g.Halves[half]]
		if len(own) == 0 {
			continue
		}
		best := first + slices.Index(own, slices.Max(own))
		for k := range own {
			if first+k != best {
				order = append(order, first+k)
			}
		}
	}
	slices.SortStableFunc(order, func(a, b int) int { return cmp.Compare(importance[a], importance[b]) })
	size, left := multiple, g.Size()
	for size > 1 && left < 2*size {
		size /= 2
	}
	for len(order) > 0 {
		n := cmp.Or(left%size, size)
		if left-n < size && size > 1 || n > len(order) {
			break
		}
		c := chunk{group: group, at: order[:n]}
		for _, k := range c.at {
			c.matters += importance[k] / float64(n)
		}
		all, order, left = append(all, c), order[n:], left-n
	}
	return all
}

// none is an importance by which all channels matter alike.
func none(groups []*cells.Group) (all [][]float64) {
	for _, g := range groups {
		all = append(all, make([]float64, g.Size()))
	}
	return all
}

// choose returns which channels of each group stay, and the widths of the network then: the least important chunks of
// all are cut, one after the other, until at most a share of the multiply-adds is left.
func (n network) choose(importance [][]float64, o Options) (keep [][]bool, w genotype.Widths, err error) {
	groups := n.o.Groups(n.about.Genotype)
	var candidates []chunk
	for i, g := range groups {
		candidates = append(candidates, chunks(i, g, importance[i], max(o.Multiple, 1))...)
	}
	slices.SortStableFunc(candidates, func(a, b chunk) int { return cmp.Compare(a.matters, b.matters) })
	after := func(cut int) int64 {
		keep = keep[:0]
		for _, g := range groups {
			keep = append(keep, slices.Repeat([]bool{true}, g.Size()))
		}
		for _, c := range candidates[:cut] {
			for _, k := range c.at {
				keep[c.group][k] = false
			}
		}
		w = n.o.Left(n.about.Genotype, keep)
		smaller := n.o
		smaller.Widths = &w
		_, adds := smaller.Count(n.about.Genotype)
		return adds
	}
	whole := after(0)
	most := int64(o.Share * float64(whole))
	if least := after(len(candidates)); least > most {
		smaller := ""
		if o.Multiple > 1 {
			smaller = fmt.Sprintf(" with channels in multiples of %d", o.Multiple)
		}
		return nil, w, fmt.Errorf("nas: prune: %.4g %% of the multiply-adds cannot be reached: the least of this network is %.1f %%%s",
			100*o.Share, math.Ceil(1000*float64(least)/float64(whole))/10, smaller)
	}
	cut := sort.Search(len(candidates), func(cut int) bool { return after(cut) <= most })
	after(cut)
	return keep, w, nil
}
