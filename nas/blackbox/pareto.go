package blackbox

import (
	"cmp"
	"math"
	"slices"
)

// Point is what an architecture reaches and costs: more Score and less Cost are better.
type Point struct{ Score, Cost float64 }

// Dominates reports whether p is at least as good as q in both, and better in one.
func (p Point) Dominates(q Point) bool {
	return p.Score >= q.Score && p.Cost <= q.Cost && p != q
}

// Ranks returns the front that each point belongs to: 0 for those that no other dominates, 1 for those
// that only points of front 0 dominate, and so on. It is the non-dominated sorting of NSGA-II (Deb,
// Pratap, Agarwal, Meyarivan, 2002, sec. III.A).
func Ranks(points []Point) []int {
	ranks := make([]int, len(points))
	dominators := make([]int, len(points)) // of each point, in the fronts that are left
	for i, p := range points {
		for _, q := range points {
			if q.Dominates(p) {
				dominators[i]++
			}
		}
	}
	left := len(points)
	done := make([]bool, len(points))
	for rank := 0; left > 0; rank++ {
		var front []int
		for i := range points {
			if !done[i] && dominators[i] == 0 {
				front = append(front, i)
			}
		}
		for _, i := range front {
			ranks[i], done[i] = rank, true
			left--
			for j := range points {
				if points[i].Dominates(points[j]) {
					dominators[j]--
				}
			}
		}
	}
	return ranks
}

// Crowding returns the distance of each point to its neighbours in its front, as a share of the front's
// extent in both directions; +Inf at the ends. NSGA-II, sec. III.B.
func Crowding(points []Point, ranks []int) []float64 {
	distance := make([]float64, len(points))
	fronts := map[int][]int{}
	for i, rank := range ranks {
		fronts[rank] = append(fronts[rank], i)
	}
	for _, front := range fronts {
		for _, of := range []func(Point) float64{func(p Point) float64 { return p.Score }, func(p Point) float64 { return p.Cost }} {
			slices.SortStableFunc(front, func(i, j int) int { return cmp.Compare(of(points[i]), of(points[j])) })
			first, last := front[0], front[len(front)-1]
			extent := of(points[last]) - of(points[first])
			distance[first], distance[last] = math.Inf(1), math.Inf(1)
			for k := 1; k+1 < len(front) && extent > 0 && !math.IsInf(extent, 1); k++ {
				distance[front[k]] += (of(points[front[k+1]]) - of(points[front[k-1]])) / extent
			}
		}
	}
	return distance
}
