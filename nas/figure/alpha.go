package figure

import (
	"fmt"
	"image/color"
	"math"
	"slices"
	"strconv"
	"strings"

	"gonum.org/v1/plot/vg"
	"gonum.org/v1/plot/vg/draw"

	"godarts/cells/genotype"
	"godarts/nas/figure/canvas"
	"godarts/nas/names"
	"godarts/nas/runfolder"
)

// alphaMap is a heat map for each edge of a cell: a row for each operation, a column for each epoch. The
// edges stand as in a matrix, from the state of their column to the node of their row.
type alphaMap struct {
	kind   genotype.Kind
	ops    []string
	epochs []int                      // as counted from 1
	edges  map[[2]int][][]float64     // by node and state: for each epoch the shares of ops, nil where it has none
	kept   map[[2]int]map[string]bool // what the last genotype has
	nodes  []int
	low    float64 // the share of the darkest colour
	high   float64 // of the brightest
}

// Alpha draws softmax(α) of the cell of that kind: a panel for each edge, with a row for each operation, by
// epochs. The operations of the last genotype are marked. It returns nil if the run has recorded none.
func Alpha(r Labelled, kind genotype.Kind) *Figure {
	m := newAlphaMap(r, kind)
	if m == nil {
		return nil
	}
	return &Figure{
		Title: fmt.Sprintf("softmax(α) of each edge of the %s cell, by epoch", kind),
		width: wideWidth, paint: m.paint,
		height: func(_ vg.Length, s style) vg.Length {
			return s.title*1.7 + s.text*1.5 + vg.Length(len(m.nodes))*m.rowHeight(s) + s.small*2.6
		},
	}
}

// wideWidth is the width of figures that take a whole page.
const wideWidth = 700 * vg.Length(1)

func newAlphaMap(r Labelled, kind genotype.Kind) *alphaMap {
	m := &alphaMap{kind: kind, edges: map[[2]int][][]float64{}, kept: map[[2]int]map[string]bool{}, low: 1}
	for i := range r.Epochs {
		cell := cellOf(&r.Epochs[i], kind)
		if cell == nil || len(cell.Operations) == 0 {
			continue
		}
		if m.ops == nil {
			m.ops = cell.Operations
		}
		if slices.Equal(m.ops, cell.Operations) {
			m.add(r.Epochs[i].Epoch+1, cell)
		}
	}
	if len(m.edges) == 0 {
		return nil
	}
	slices.Sort(m.nodes)
	m.setScale()
	if g, err := genotype.Parse(lastGenotype(r)); err == nil && slices.Contains(g.Kinds(), kind) {
		for i, e := range g.Cell(kind).Edges {
			at := [2]int{kind.Inputs() + i/kind.EdgesPerNode(), e.From}
			if m.kept[at] == nil {
				m.kept[at] = map[string]bool{}
			}
			m.kept[at][string(e.Op)] = true
		}
	}
	return m
}

func cellOf(m *runfolder.Metric, kind genotype.Kind) *runfolder.CellMix {
	if m.Observation == nil {
		return nil
	}
	for i := range m.Cells {
		if m.Cells[i].Kind == kind.String() {
			return &m.Cells[i]
		}
	}
	return nil
}

func lastGenotype(r Labelled) string {
	for i := len(r.Epochs) - 1; i >= 0; i-- {
		if g := r.Epochs[i].Genotype; g != "" {
			return g
		}
	}
	return ""
}

// add adds the shares after an epoch.
func (m *alphaMap) add(epoch int, cell *runfolder.CellMix) {
	column := len(m.epochs)
	m.epochs = append(m.epochs, epoch)
	for _, e := range cell.Edges {
		if len(e.P) != len(m.ops) || e.From < 0 || e.From >= e.Node || e.Node > genotype.MaxNodes+1 {
			continue
		}
		at := [2]int{e.Node, e.From}
		shares := m.edges[at]
		for len(shares) <= column {
			shares = append(shares, nil)
		}
		shares[column] = e.P
		m.edges[at] = shares
		if !slices.Contains(m.nodes, e.Node) {
			m.nodes = append(m.nodes, e.Node)
		}
		for _, p := range e.P {
			m.high = max(m.high, p)
			if p > 0 {
				m.low = min(m.low, p)
			}
		}
	}
}

// setScale rounds the ends of the colours. They begin at 0, unless all shares are so close that this would
// show no difference, as in the first epochs.
func (m *alphaMap) setScale() {
	if m.low < m.high/2 {
		m.low = 0
	}
	step := roundStep(max(m.high-m.low, 1e-6) / 20)
	m.low, m.high = math.Floor(m.low/step)*step, min(1, math.Ceil(m.high/step)*step)
}

// opHeight is the height of an operation's row.
func opHeight(s style) vg.Length { return s.small * 1.15 }

// rowHeight is the height of a node's panels.
func (m *alphaMap) rowHeight(s style) vg.Length {
	return vg.Length(len(m.ops))*opHeight(s) + s.small*1.9
}

func (m *alphaMap) paint(page draw.Canvas, s style) {
	rest := title(page, s, fmt.Sprintf("softmax(α) of each edge of the %s cell, by epoch", m.kind))
	m.scale(rest, s)
	rest = draw.Crop(rest, gap, -gap, 0, -s.text*1.5)
	labels := vg.Length(0)
	small := textStyle(s.small, muted)
	for _, op := range m.ops {
		labels = max(labels, small.Width(names.Limit(op, 24)))
	}
	states := slices.Max(m.nodes)
	width := (rest.Max.X - rest.Min.X - labels - gap) / vg.Length(states)
	for row, node := range m.nodes {
		top := rest.Max.Y - vg.Length(row)*m.rowHeight(s)
		bottom := top - s.small*1.5 - vg.Length(len(m.ops))*opHeight(s)
		for i, op := range m.ops {
			at := small
			at.XAlign, at.YAlign = draw.XRight, draw.YCenter
			rest.FillText(at, vg.Point{X: rest.Min.X + labels, Y: bottom + (vg.Length(len(m.ops)-i)-0.5)*opHeight(s)}, names.Limit(op, 24))
		}
		for from := range node {
			left := rest.Min.X + labels + gap + vg.Length(from)*width
			panel := vg.Rectangle{Min: vg.Point{X: left, Y: bottom}, Max: vg.Point{X: left + width - 2*gap, Y: top - s.small*1.5}}
			m.panel(&rest, panel, [2]int{node, from}, s)
			if row == len(m.nodes)-1 {
				m.axis(&rest, panel, s)
			}
		}
	}
}

// seam is by how much neighbours overlap: viewers show the paper between areas that only touch.
const seam = 0.4

// panel draws the heat map of an edge.
func (m *alphaMap) panel(c *draw.Canvas, in vg.Rectangle, at [2]int, s style) {
	head := textStyle(s.small, black)
	if m.kept[at] == nil {
		head.Color = muted
	} else {
		head.Font = canvas.Heavy(s.small)
	}
	edge := stateName(at[1], m.kind) + " → " + stateName(at[0], m.kind)
	if head.Width(edge) > in.Max.X-in.Min.X+gap { // too little room: k−2→0
		edge = strings.NewReplacer("c(", "", ")", "", " ", "").Replace(edge)
	}
	c.FillText(head, vg.Point{X: in.Min.X, Y: in.Max.Y + s.small*0.35}, edge)
	column := (in.Max.X - in.Min.X) / vg.Length(len(m.epochs))
	paths := map[color.NRGBA]vg.Path{}
	var order []color.NRGBA
	for op := range m.ops {
		high := in.Max.Y - vg.Length(op)*opHeight(s)
		low := high - opHeight(s) + 0.4
		for from := 0; from < len(m.epochs); {
			with, ok := m.color(at, from, op)
			to := from + 1
			for ; to < len(m.epochs); to++ {
				if next, there := m.color(at, to, op); next != with || there != ok {
					break
				}
			}
			if ok {
				if _, known := paths[with]; !known {
					order = append(order, with)
				}
				right := in.Min.X + column*vg.Length(to)
				if _, more := m.color(at, to, op); more && to < len(m.epochs) {
					right += min(seam, column/2)
				}
				paths[with] = append(paths[with], rectangle(in.Min.X+column*vg.Length(from), low, right, high)...)
			}
			from = to
		}
		if m.kept[at][m.ops[op]] {
			c.FillPolygon(hot, []vg.Point{{X: in.Max.X + 1, Y: (low + high) / 2}, {X: in.Max.X + 6, Y: high}, {X: in.Max.X + 6, Y: low}})
		}
	}
	for _, with := range order {
		c.SetColor(with)
		c.Fill(paths[with])
	}
}

// color returns the colour of a share, of 64; false where there is no share, or exactly 0: an operation
// that the search has removed.
func (m *alphaMap) color(at [2]int, epoch, op int) (color.NRGBA, bool) {
	shares := m.edges[at]
	if epoch >= len(shares) || shares[epoch] == nil || shares[epoch][op] == 0 {
		return color.NRGBA{}, false
	}
	return viridis(math.Round((shares[epoch][op]-m.low)/(m.high-m.low)*63) / 63), true
}

func rectangle(left, low, right, high vg.Length) (p vg.Path) {
	p.Move(vg.Point{X: left, Y: low})
	p.Line(vg.Point{X: right, Y: low})
	p.Line(vg.Point{X: right, Y: high})
	p.Line(vg.Point{X: left, Y: high})
	p.Close()
	return p
}

// axis writes the first and the last epoch below a panel.
func (m *alphaMap) axis(c *draw.Canvas, in vg.Rectangle, s style) {
	label := textStyle(s.small, muted)
	label.YAlign = draw.YTop
	y := in.Min.Y - 2
	first, last := fmt.Sprintf("epoch %d", m.epochs[0]), fmt.Sprint(m.epochs[len(m.epochs)-1])
	if label.Width(first+" "+last) > in.Max.X-in.Min.X {
		first = fmt.Sprint(m.epochs[0])
	}
	c.FillText(label, vg.Point{X: in.Min.X, Y: y}, first)
	if len(m.epochs) > 1 {
		label.XAlign = draw.XRight
		c.FillText(label, vg.Point{X: in.Max.X, Y: y}, last)
	}
}

// scale draws the meaning of the colours at the right of the line below the title.
func (m *alphaMap) scale(c draw.Canvas, s style) {
	const width, steps = 110 * vg.Length(1), 32
	label := textStyle(s.small, muted)
	label.YAlign = draw.YCenter
	y := c.Max.Y - s.text*0.6
	digits := max(2, int(math.Ceil(1-math.Log10(m.high-m.low))))
	most, least := strconv.FormatFloat(m.high, 'f', digits, 64), "0"
	if m.low > 0 {
		least = strconv.FormatFloat(m.low, 'f', digits, 64)
	}
	x := c.Max.X - 2*gap - label.Width(most)
	c.FillText(label, vg.Point{X: x, Y: y}, most)
	x -= gap + width
	for i := range steps {
		left := x + width*vg.Length(i)/steps
		fill(&c, viridis(float64(i)/(steps-1)), vg.Point{X: left, Y: y - s.small*0.45}, vg.Point{X: x + width, Y: y + s.small*0.45})
	}
	x -= gap
	share, mark := "share of the operation: "+least, "in the cell after the last epoch"
	left := c.Min.X + 2*gap + 5
	if label.Width(mark)+gap+label.Width(share) > x-left { // too little room
		share, mark = least, "in the cell"
	}
	label.XAlign = draw.XRight
	c.FillText(label, vg.Point{X: x, Y: y}, share)
	label.XAlign = draw.XLeft
	if len(m.kept) > 0 {
		c.FillPolygon(hot, []vg.Point{{X: left - gap - 5, Y: y}, {X: left - gap, Y: y + 3}, {X: left - gap, Y: y - 3}})
		c.FillText(label, vg.Point{X: left, Y: y}, mark)
	}
}

// stateName returns the name of a state as drawings of cells have it.
func stateName(state int, kind genotype.Kind) string {
	switch {
	case kind == genotype.Recurrent:
		return fmt.Sprint(state)
	case state == 0:
		return "c(k−2)"
	case state == 1:
		return "c(k−1)"
	}
	return fmt.Sprint(state - 2)
}

// viridisStops are colours of matplotlib's viridis at equal distances from 0 to 1.
var viridisStops = []uint32{0x440154, 0x472d7b, 0x3b528b, 0x2c728e, 0x21918c, 0x28ae80, 0x5ec962, 0xaddc30, 0xfde725}

// viridis returns the colour of x, from 0 to 1.
func viridis(x float64) color.NRGBA {
	x = max(0, min(1, x)) * float64(len(viridisStops)-1)
	i := min(int(x), len(viridisStops)-2)
	a, b, t := viridisStops[i], viridisStops[i+1], x-float64(i)
	channel := func(shift uint) uint8 {
		from, to := float64(a>>shift&0xff), float64(b>>shift&0xff)
		return uint8(math.Round(from + t*(to-from)))
	}
	return color.NRGBA{channel(16), channel(8), channel(0), 0xff}
}
