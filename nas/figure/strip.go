package figure

import (
	"cmp"
	"fmt"
	"maps"
	"slices"
	"strings"

	"gonum.org/v1/plot/vg"
	"gonum.org/v1/plot/vg/draw"

	"godarts/cells/genotype"
	"godarts/nas/figure/canvas"
	"godarts/nas/names"
)

// strip shows how the cells of a search changed: a row for each edge that a cell ever had, with a bar for
// each while in which it had one operation.
type strip struct {
	axis    string
	epochs  []int // as counted from 1
	cells   []stripCell
	changed []int // edges that changed after each epoch
}

type stripCell struct {
	kind genotype.Kind
	rows []stripRow // in the order of nodes and states
}

type stripRow struct {
	node, from int
	ops        []string // after each epoch, "" where the cell lacks the edge
}

// Strip draws which operation each edge of the cells had after each epoch, and how many edges changed.
// It returns nil if the run has recorded no cell.
func Strip(r Labelled) *Figure {
	st := newStrip(r)
	if st == nil {
		return nil
	}
	return &Figure{
		Title: st.title(), width: wideWidth, paint: st.paint,
		height: func(_ vg.Length, s style) vg.Length {
			height := s.title*1.7 + s.small*2 + changesHeight(s)
			for _, c := range st.cells {
				height += s.text*1.8 + vg.Length(len(c.rows))*barHeight(s) + gap
			}
			return height
		},
	}
}

func (st *strip) title() string {
	return "How the cells changed: the operation of each edge, by " + st.axis
}

func barHeight(s style) vg.Length     { return s.small * 1.7 }
func changesHeight(s style) vg.Length { return s.small * 4.5 }

func newStrip(r Labelled) *strip {
	st := &strip{axis: axisOf([]Labelled{r})}
	rows := map[genotype.Kind]map[[2]int]*stripRow{}
	var before genotype.Genotype
	for i := range r.Epochs {
		g, err := genotype.Parse(r.Epochs[i].Genotype)
		if r.Epochs[i].Genotype == "" || err != nil {
			continue
		}
		changed := 0
		if len(st.epochs) > 0 {
			changed, _ = g.Changed(before)
		}
		before = g
		st.epochs, st.changed = append(st.epochs, r.Epochs[i].Epoch+1), append(st.changed, changed)
		for _, kind := range g.Kinds() {
			if rows[kind] == nil {
				rows[kind] = map[[2]int]*stripRow{}
			}
			for j, e := range g.Cell(kind).Edges {
				st.add(rows[kind], kind.Inputs()+j/kind.EdgesPerNode(), e)
			}
		}
	}
	if len(st.epochs) == 0 {
		return nil
	}
	for _, kind := range slices.Sorted(maps.Keys(rows)) {
		c := stripCell{kind: kind}
		for _, row := range rows[kind] {
			row.ops = append(row.ops, make([]string, len(st.epochs)-len(row.ops))...)
			c.rows = append(c.rows, *row)
		}
		slices.SortFunc(c.rows, func(a, b stripRow) int { return cmp.Or(cmp.Compare(a.node, b.node), cmp.Compare(a.from, b.from)) })
		st.cells = append(st.cells, c)
	}
	return st
}

// add puts an edge of the cell after the last epoch into its row. Two edges into a node from one state,
// which a cell drawn at random may have, share a row.
func (st *strip) add(rows map[[2]int]*stripRow, node int, e genotype.Edge) {
	at := [2]int{node, e.From}
	if rows[at] == nil {
		rows[at] = &stripRow{node: node, from: e.From}
	}
	row := rows[at]
	last := len(st.epochs) - 1
	if len(row.ops) > last {
		row.ops[last] += " + " + string(e.Op)
		return
	}
	row.ops = append(row.ops, make([]string, last-len(row.ops))...)
	row.ops = append(row.ops, string(e.Op))
}

func (st *strip) paint(page draw.Canvas, s style) {
	rest := title(page, s, st.title())
	rest = draw.Crop(rest, gap, -2*gap, 0, 0)
	label := textStyle(s.small, muted)
	if len(st.epochs) > 1 {
		label.XAlign, label.YAlign = draw.XRight, draw.YCenter
		const meaning = "changed"
		at := vg.Point{X: rest.Max.X, Y: rest.Max.Y + s.title*0.9}
		rest.FillText(label, at, meaning)
		x := at.X - label.Width(meaning) - gap
		fill(&rest, hot, vg.Point{X: x - 1.6, Y: at.Y - s.small*0.5}, vg.Point{X: x, Y: at.Y + s.small*0.5})
	}
	left := rest.Min.X + label.Width("c(k−2) → 00") + gap
	column := (rest.Max.X - left) / vg.Length(len(st.epochs))
	y := rest.Max.Y
	for _, c := range st.cells {
		head := textStyle(s.text, black)
		head.YAlign = draw.YCenter
		y -= s.text * 1.8
		rest.FillText(head, vg.Point{X: rest.Min.X, Y: y + s.text*0.75}, c.kind.String()+" cell")
		for i, row := range c.rows {
			if i > 0 && row.node != c.rows[i-1].node {
				rest.StrokeLine2(draw.LineStyle{Color: grid, Width: 0.5}, rest.Min.X, y, rest.Max.X, y)
			}
			y -= barHeight(s)
			label.XAlign, label.YAlign = draw.XRight, draw.YCenter
			rest.FillText(label, vg.Point{X: left - gap, Y: y + barHeight(s)/2}, stateName(row.from, c.kind)+" → "+stateName(row.node, c.kind))
			st.bars(&rest, row, left, y, column, s)
		}
		y -= gap
	}
	st.changes(&rest, left, y-changesHeight(s), column, s)
}

// bars draws a row, whose lower left corner is given.
func (st *strip) bars(c *draw.Canvas, row stripRow, left, low, column vg.Length, s style) {
	for from := 0; from < len(row.ops); {
		to := from + 1
		for to < len(row.ops) && row.ops[to] == row.ops[from] {
			to++
		}
		if op := row.ops[from]; op != "" {
			x0, x1 := left+column*vg.Length(from), left+column*vg.Length(to)
			paint := paintOf(op)
			fill(c, paint.fill, vg.Point{X: x0 + 0.4, Y: low + 0.8}, vg.Point{X: x1 - 0.4, Y: low + barHeight(s) - 0.8})
			if from > 0 { // a change
				fill(c, hot, vg.Point{X: x0 + 0.4, Y: low + 0.8}, vg.Point{X: x0 + 2, Y: low + barHeight(s) - 0.8})
			}
			text := textStyle(s.small, paint.text)
			text.YAlign = draw.YCenter
			for _, label := range []string{op, short(op)} {
				label = names.Limit(label, 40)
				if text.Width(label)+6 <= x1-x0 {
					c.FillText(text, vg.Point{X: x0 + 4, Y: low + barHeight(s)/2}, label)
					break
				}
			}
		}
		from = to
	}
}

// changes draws a bar for the number of edges that changed after each epoch, and the axis of epochs.
func (st *strip) changes(c *draw.Canvas, left, low, column vg.Length, s style) {
	label := textStyle(s.small, muted)
	label.XAlign, label.YAlign = draw.XRight, draw.YCenter
	height := changesHeight(s) - gap
	most := max(slices.Max(st.changed), 1)
	c.FillText(label, vg.Point{X: left - gap, Y: low + height - s.small/2}, fmt.Sprintf("changed %d", most))
	c.FillText(label, vg.Point{X: left - gap, Y: low + s.small/3}, "0")
	for i, n := range st.changed {
		x := left + column*vg.Length(i)
		fill(c, hot, vg.Point{X: x + 0.4, Y: low}, vg.Point{X: x + column - 0.4, Y: low + height*vg.Length(n)/vg.Length(most)})
	}
	right := left + column*vg.Length(len(st.epochs))
	c.StrokeLine2(draw.LineStyle{Color: muted, Width: 0.5}, left, low, right, low)
	label.XAlign, label.YAlign = draw.XCenter, draw.YTop
	first, last := float64(st.epochs[0]), float64(st.epochs[len(st.epochs)-1])
	for _, tick := range (ticks{10, true}).Ticks(first, max(last, first+1)) {
		if i := slices.Index(st.epochs, int(tick.Value)); i >= 0 {
			c.FillText(label, vg.Point{X: left + column*(vg.Length(i)+0.5), Y: low - 2}, tick.Label)
		}
	}
	label.XAlign = draw.XRight
	c.FillText(label, vg.Point{X: left - gap, Y: low - 2}, st.axis)
}

// opPaint are the colours of a bar, by the family of its operation as in drawings of cells. The larger
// kernel of a family is the darker one.
type opPaint struct{ fill, text canvas.Ink }

var (
	opText   = canvas.NewInk("op-text", 0x14202e)
	opPaints = [2]map[string]canvas.Ink{
		{"sep": canvas.NewInk("op-sep", 0xcfe0f7), "dil": canvas.NewInk("op-dil", 0xe6d6f2), "pool": canvas.NewInk("op-pool", 0xfadcc9), "": canvas.NewInk("op-other", 0xe2e2e2)},
		{"sep": canvas.NewInk("op-sep-large", 0x9dbfe8), "dil": canvas.NewInk("op-dil-large", 0xcbaee2), "pool": canvas.NewInk("op-pool-large", 0xf0b795), "": canvas.NewInk("op-other-large", 0xcacaca)},
	}
)

func paintOf(op string) opPaint {
	shade, family := 0, ""
	switch {
	case strings.HasPrefix(op, "sep_conv"), op == string(genotype.ActTanh):
		family = "sep"
	case strings.HasPrefix(op, "dil_conv"), strings.HasPrefix(op, "conv"), op == string(genotype.ActSigmoid):
		family = "dil"
	case strings.HasSuffix(op, "pool_3x3"), op == string(genotype.ActReLU):
		family = "pool"
	}
	if strings.Contains(op, "5x5") || strings.Contains(op, "7x7") || strings.HasPrefix(op, "avg") {
		shade = 1
	}
	return opPaint{opPaints[shade][family], opText}
}

// short returns a short form of an operation's name: "sep 3" for sep_conv_3x3.
func short(op string) string {
	op = strings.NewReplacer("_conv_3x3", " 3", "_conv_5x5", " 5", "_conv_7x7", " 7", "_pool_3x3", "", "_connect", "").Replace(op)
	return names.Limit(op, 8)
}
