package draw

import (
	"cmp"
	"math"
	"slices"
)

// Picture is a cell with a place for everything, by the layered method of Sugiyama, Tagawa and Toda (1981):
// ranks by longest path, order within the ranks by barycenters, then coordinates. Boxes and labels take ranks in
// turn, so no arrow passes through another arrow's label.
type Picture struct {
	graph  *cellGraph
	spots  []*pictureSpot
	ranks  [][]*pictureSpot // left to right, each top to bottom
	chains [][]*pictureSpot // of every arrow: its boxes and one spot in each rank between
}

// pictureSpot is a box, a label, or a place where an arrow passes a rank. x and y are its centre.
type pictureSpot struct {
	box            int // -1 if not a box
	label          string
	rank, position int
	x, y           float64
	width, height  float64
	before, after  []*pictureSpot // neighbours in the ranks to the left and to the right
}

func (g *cellGraph) layOut() *Picture {
	p := &Picture{graph: g}
	p.place(g.boxRanks())
	p.orderRanks()
	p.setHeights()
	p.setColumns()
	return p
}

// boxRanks gives every box the length of the longest way to it, labelled arrows counting two ranks, and puts
// the output to the right of all.
func (g *cellGraph) boxRanks() []int {
	ranks := make([]int, len(g.boxes))
	last := len(g.boxes) - 1
	for _, a := range g.arrows { // sorted by target, hence after those into its source
		step := 1
		if a.label != "" {
			step = 2
		}
		ranks[a.to] = max(ranks[a.to], ranks[a.from]+step)
	}
	ranks[last] = slices.Max(ranks[:last]) + 1
	return ranks
}

// place makes the spots. A label stands in the rank before its target, so that a node's operations are read
// at its left side.
func (p *Picture) place(boxRanks []int) {
	p.ranks = make([][]*pictureSpot, slices.Max(boxRanks)+1)
	add := func(s *pictureSpot) *pictureSpot {
		s.position = len(p.ranks[s.rank])
		p.ranks[s.rank] = append(p.ranks[s.rank], s)
		p.spots = append(p.spots, s)
		return s
	}
	arrowsIn := make([]int, len(p.graph.boxes))
	for _, a := range p.graph.arrows {
		arrowsIn[a.to]++
	}
	for i, box := range p.graph.boxes {
		add(&pictureSpot{box: i, rank: boxRanks[i], width: box.width(), height: boxHeight(arrowsIn[i])})
	}
	for _, a := range p.graph.arrows {
		chain := []*pictureSpot{p.spots[a.from]}
		for rank := boxRanks[a.from] + 1; rank < boxRanks[a.to]; rank++ {
			s := &pictureSpot{box: -1, rank: rank}
			if a.label != "" && rank == boxRanks[a.to]-1 {
				s.label, s.width, s.height = a.label, textWidth(a.label, labelSize)+8, labelSize+5
			}
			chain = append(chain, add(s))
		}
		chain = append(chain, p.spots[a.to])
		for i, s := range chain[1:] {
			s.before = append(s.before, chain[i])
			chain[i].after = append(chain[i].after, s)
		}
		p.chains = append(p.chains, chain)
	}
}

// orderRanks sorts every rank by the mean position of its neighbours, going right and left in turn, and
// keeps the order with the fewest crossings.
func (p *Picture) orderRanks() {
	best, fewest := p.positions(), p.crossings()
	for sweep := range 16 {
		if fewest == 0 {
			break
		}
		for i := range p.ranks {
			rank, neighbours := p.ranks[i], spotsBefore
			if sweep%2 == 1 {
				rank, neighbours = p.ranks[len(p.ranks)-1-i], spotsAfter
			}
			slices.SortStableFunc(rank, func(a, b *pictureSpot) int {
				return cmp.Compare(meanPosition(a, neighbours), meanPosition(b, neighbours))
			})
			for position, s := range rank {
				s.position = position
			}
		}
		p.swapNeighbours()
		if n := p.crossings(); n < fewest {
			best, fewest = p.positions(), n
		}
	}
	for i, s := range p.spots {
		s.position = best[i]
		p.ranks[s.rank][s.position] = s
	}
}

func spotsBefore(s *pictureSpot) []*pictureSpot { return s.before }
func spotsAfter(s *pictureSpot) []*pictureSpot  { return s.after }

func meanPosition(s *pictureSpot, neighbours func(*pictureSpot) []*pictureSpot) float64 {
	near := neighbours(s)
	if len(near) == 0 {
		return float64(s.position)
	}
	sum := 0
	for _, n := range near {
		sum += n.position
	}
	return float64(sum) / float64(len(near))
}

// swapNeighbours exchanges spots next to each other where that saves crossings, until none does.
func (p *Picture) swapNeighbours() {
	for improved := true; improved; {
		improved = false
		for _, rank := range p.ranks {
			for i := range len(rank) - 1 {
				a, b := rank[i], rank[i+1]
				now := pairCrossings(a.before, b.before) + pairCrossings(a.after, b.after)
				then := pairCrossings(b.before, a.before) + pairCrossings(b.after, a.after)
				if then < now {
					rank[i], rank[i+1] = b, a
					a.position, b.position = i+1, i
					improved = true
				}
			}
		}
	}
}

// pairCrossings counts crossings among the arrow parts of two spots, the first above the second.
func pairCrossings(upper, lower []*pictureSpot) int {
	n := 0
	for _, u := range upper {
		for _, l := range lower {
			if u.position > l.position {
				n++
			}
		}
	}
	return n
}

func (p *Picture) crossings() int {
	n := 0
	for _, rank := range p.ranks {
		for i, upper := range rank {
			for _, lower := range rank[i+1:] {
				n += pairCrossings(upper.after, lower.after)
			}
		}
	}
	return n
}

func (p *Picture) positions() []int {
	positions := make([]int, len(p.spots))
	for i, s := range p.spots {
		positions[i] = s.position
	}
	return positions
}

// setHeights moves each rank towards the heights of its neighbours, as near as its order and the distances
// allow, over and over. Parts of long arrows weigh more, which keeps these straight.
func (p *Picture) setHeights() {
	for _, rank := range p.ranks {
		for i, s := range rank[1:] {
			s.y = rank[i].y + spotDistance(rank[i], s)
		}
	}
	for round := range 100 {
		for i := range p.ranks {
			rank := p.ranks[i]
			if round%2 == 1 {
				rank = p.ranks[len(p.ranks)-1-i]
			}
			settleRank(rank)
		}
	}
	top := math.Inf(1)
	for _, s := range p.spots {
		top = min(top, s.y-s.height/2)
	}
	for _, s := range p.spots {
		s.y += pictureMargin - top
	}
}

// spotDistance is the least distance between the centres of two spots, one above the other.
func spotDistance(a, b *pictureSpot) float64 {
	gap := 9.0
	if a.box >= 0 && b.box >= 0 {
		gap = 22
	}
	return a.height/2 + b.height/2 + gap
}

// settleRank minimises Σ weight·(y - wanted)² with the spots at their distances or farther: isotonic
// regression of wanted minus the summed distances, by pooling adjacent violators.
func settleRank(rank []*pictureSpot) {
	type pool struct {
		mean, weight float64
		size         int
	}
	var pools []pool
	shift, shifts := 0.0, make([]float64, len(rank))
	for i, s := range rank {
		if i > 0 {
			shift += spotDistance(rank[i-1], s)
		}
		shifts[i] = shift
		wanted, weight := s.wantedHeight()
		pools = append(pools, pool{wanted - shift, weight, 1})
		for len(pools) > 1 && pools[len(pools)-2].mean >= pools[len(pools)-1].mean {
			a, b := pools[len(pools)-2], pools[len(pools)-1]
			weight := a.weight + b.weight
			pools = append(pools[:len(pools)-2],
				pool{(a.mean*a.weight + b.mean*b.weight) / weight, weight, a.size + b.size})
		}
	}
	i := 0
	for _, pool := range pools {
		for range pool.size {
			rank[i].y = pool.mean + shifts[i]
			i++
		}
	}
}

func (s *pictureSpot) wantedHeight() (y, weight float64) {
	for _, near := range [][]*pictureSpot{s.before, s.after} {
		for _, n := range near {
			w := 1.0
			if s.box < 0 && n.box < 0 {
				w = 6
			} else if s.box < 0 || n.box < 0 {
				w = 2
			}
			y += w * n.y
			weight += w
		}
	}
	if weight == 0 { // nothing pulls
		return s.y, 1
	}
	return y / weight, weight
}

// setColumns puts the ranks side by side, farther apart where arrows between them are steep.
func (p *Picture) setColumns() {
	x := pictureMargin
	for r, rank := range p.ranks {
		width, steepest := 0.0, 0.0
		for _, s := range rank {
			width = max(width, s.width)
			for _, n := range s.after {
				steepest = max(steepest, math.Abs(n.y-s.y))
			}
		}
		for _, s := range rank {
			s.x = x + width/2
			if s.box < 0 {
				s.width = width // an arrow passes a rank level
			}
		}
		x += width
		if r < len(p.ranks)-1 {
			x += min(max(20, 0.4*steepest), 60)
		}
	}
}

// Size returns the width and height in CSS pixels.
func (p *Picture) Size() (width, height float64) {
	for _, s := range p.spots {
		width = max(width, s.x+s.width/2)
		height = max(height, s.y+s.height/2)
	}
	return math.Ceil(width + pictureMargin), math.Ceil(height + pictureMargin)
}

// target is where the tip of an arrow touches its box: arrows into one box come in side by side, in the
// order of their heights.
func (p *Picture) target(arrow int) (x, y float64) {
	chain := p.chains[arrow]
	box, last := chain[len(chain)-1], chain[len(chain)-2]
	above := 0
	for _, n := range box.before {
		if n.y < last.y {
			above++
		}
	}
	return box.x - box.width/2, box.y + arrowPitch*(float64(above)-float64(len(box.before)-1)/2)
}

// curve is an arrow's line, up to the base of its tip.
func (p *Picture) curve(arrow int) Curve {
	chain := p.chains[arrow]
	x, y, slope := chain[0].x+chain[0].width/2, chain[0].y, 0.0
	c := Curve{Start: Point{x, y}}
	bend := func(toX, toY, toSlope float64) {
		half := (toX - x) / 2
		c.Bends = append(c.Bends, Bend{Point{toX, toY}, &[2]Point{{x + half, y + slope*half}, {toX - half, toY - toSlope*half}}})
	}
	for i, s := range chain[1 : len(chain)-1] {
		through := passingSlope(chain[i], s, chain[i+2])
		rise := through * s.width / 2
		bend(s.x-s.width/2, s.y-rise, through)
		x, y, slope = s.x+s.width/2, s.y+rise, through
		c.Bends = append(c.Bends, Bend{To: Point{x, y}})
	}
	toX, toY := p.target(arrow)
	bend(toX-arrowLength+1, toY, 0) // the tip covers the line's end
	return c
}

// passingSlope is how steeply an arrow passes a rank: level at a label and at a turn, else as the flatter of
// its two sides, and never so steep that it comes near the spots above and below.
func passingSlope(before, s, after *pictureSpot) float64 {
	in, out := (s.y-before.y)/(s.x-before.x), (after.y-s.y)/(after.x-s.x)
	if s.label != "" || in*out <= 0 {
		return 0
	}
	const mostRise = 4.0 // of the least gap of 9
	slope := min(math.Abs(in), math.Abs(out), 2*mostRise/s.width)
	return math.Copysign(slope, in)
}
