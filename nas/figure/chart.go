package figure

import (
	"math"
	"slices"
	"strconv"

	"gonum.org/v1/plot"
	"gonum.org/v1/plot/plotter"
	"gonum.org/v1/plot/vg"
	"gonum.org/v1/plot/vg/draw"

	"godarts/nas/figure/canvas"
)

// chart is a figure of lines or points over two axes.
type chart struct {
	title  string
	x, y   string // labels of the axes, with units
	whole  bool   // x counts something
	wholeY bool
	log    bool // the axis of y, whose values are positive
	logX   bool
	series []series
}

// series is a line or a set of points with one look.
type series struct {
	label     string // in the legend; "" for what needs no explanation
	look      int    // chooses colour, dashes and marker
	points    plotter.XYs
	low, high []float64 // of a band about the points, one for each; of bars where they are scattered
	shade     uint8     // how opaque the band is
	scattered bool      // points without a line
	fine      bool      // a line that stands back
	bare      bool      // a line without markers
	stairs    bool      // a line of steps
	names     []string  // written beside the points
}

// mostLegends is how many series a legend names.
const mostLegends = 12

// figure returns the chart as a figure, nil if no series has a point.
func (c *chart) figure() *Figure {
	shown := c.series[:0]
	for _, s := range c.series {
		if c.log {
			s = s.positive()
		}
		if s.low == nil && !s.scattered && !s.stairs {
			s.points = thinned(s.points)
		}
		if len(s.points) > 0 {
			shown = append(shown, s)
		}
	}
	c.series = shown
	if len(shown) == 0 {
		return nil
	}
	return &Figure{
		Title: c.title, width: chartWidth, paint: c.paint,
		height: func(width vg.Length, s style) vg.Length { return width*0.52 + c.head(s, width) },
	}
}

// Sizes of charts.
const (
	chartWidth = 330 * vg.Length(1)
	sampleLine = 20 * vg.Length(1) // of a legend
	gap        = 5 * vg.Length(1)
)

// positive leaves out the points that a logarithmic axis lacks.
func (s series) positive() series {
	var kept plotter.XYs
	for _, p := range s.points {
		if p.Y > 0 {
			kept = append(kept, p)
		}
	}
	s.points = kept
	return s
}

// head is the height of title and legend.
func (c *chart) head(s style, width vg.Length) vg.Length {
	height := s.title * 1.7
	if rows := len(c.legend(s, width)); rows > 0 {
		height += vg.Length(rows) * s.text * 1.5
	}
	return height
}

// entry is a series in the legend, at a place in its row.
type entry struct {
	series *series // nil for the words about what is left out
	text   string
	x      vg.Length
}

// legend shares the entries out to rows. There is none for a single series without a label.
func (c *chart) legend(s style, width vg.Length) (rows [][]entry) {
	var entries []entry
	labelled := 0
	for i := range c.series {
		if c.series[i].label == "" {
			continue
		}
		if labelled++; labelled <= mostLegends {
			entries = append(entries, entry{series: &c.series[i], text: shorten(c.series[i].label, width-sampleLine-4*gap, s.text)})
		}
	}
	if labelled > mostLegends {
		entries = append(entries, entry{text: "and " + strconv.Itoa(labelled-mostLegends) + " more"})
	}
	x := gap
	for _, e := range entries {
		need := textStyle(s.text, black).Width(e.text) + 2*gap
		if e.series != nil {
			need += sampleLine + gap
		}
		if len(rows) == 0 || x+need > width {
			rows, x = append(rows, nil), gap
		}
		e.x = x
		rows[len(rows)-1] = append(rows[len(rows)-1], e)
		x += need
	}
	return rows
}

// shorten cuts the middle of text that is wider than width.
func shorten(text string, width, size vg.Length) string {
	runes := []rune(text)
	style := textStyle(size, black)
	for keep := len(runes); style.Width(text) > width && keep > 4; keep-- {
		text = string(runes[:keep/2]) + "…" + string(runes[len(runes)-(keep-keep/2)+1:])
	}
	return text
}

func textStyle(size vg.Length, with canvas.Ink) draw.TextStyle {
	return draw.TextStyle{Color: with, Font: canvas.Sans(size), Handler: plot.DefaultTextHandler}
}

// title writes the title of a figure at the top of c and returns the rest of c. A long title has smaller letters,
// down to those of other text.
func title(c draw.Canvas, s style, text string) draw.Canvas {
	head := textStyle(s.title, black)
	head.YAlign = draw.YTop
	for size := s.title; ; size -= 0.25 {
		head.Font = canvas.Heavy(size)
		if size <= s.small || head.Width(text) <= c.Max.X-c.Min.X-2*gap {
			break
		}
	}
	c.FillText(head, vg.Point{X: c.Min.X + gap, Y: c.Max.Y - s.title*0.3}, text)
	return draw.Crop(c, 0, 0, 0, -s.title*1.7)
}

// paint draws the chart.
func (c *chart) paint(page draw.Canvas, s style) {
	width := page.Max.X - page.Min.X
	rest := title(page, s, c.title)
	for _, row := range c.legend(s, width) {
		y := rest.Max.Y - s.text*0.75
		for _, e := range row {
			c.paintEntry(rest, e, y, s)
		}
		rest = draw.Crop(rest, 0, 0, 0, -s.text*1.5)
	}
	p := c.plot(s)
	for i := range c.series {
		p.Add(&line{&c.series[i], s})
	}
	c.widen(p)
	p.Draw(draw.Crop(rest, gap, -2*gap, gap/2, -gap))
}

func (c *chart) paintEntry(on draw.Canvas, e entry, y vg.Length, s style) {
	x := on.Min.X + e.x
	if e.series != nil {
		l := line{e.series, s}
		if !e.series.scattered {
			on.StrokeLine2(l.stroke(), x, y, x+sampleLine, y)
		}
		if m := l.marker(); m.Shape != nil {
			on.DrawGlyph(m, vg.Point{X: x + sampleLine/2, Y: y})
		}
		x += sampleLine + gap
	}
	style := textStyle(s.text, black)
	style.YAlign = draw.YCenter
	on.FillText(style, vg.Point{X: x, Y: y}, e.text)
}

// plot returns the axes.
func (c *chart) plot(s style) *plot.Plot {
	p := plot.New()
	p.BackgroundColor = nil
	for _, axis := range []*plot.Axis{&p.X, &p.Y} {
		axis.Label.TextStyle.Font, axis.Label.TextStyle.Color = canvas.Sans(s.text), muted
		axis.Tick.Label.Font, axis.Tick.Label.Color = canvas.Sans(s.small), muted
		axis.LineStyle = draw.LineStyle{Color: muted, Width: 0.5}
		axis.Tick.LineStyle = draw.LineStyle{Color: muted, Width: 0.5}
		axis.Tick.Length, axis.Padding = 3, 0
	}
	p.X.Label.Text, p.Y.Label.Text = c.x, c.y
	p.X.Label.Padding, p.Y.Label.Padding = 1, 3
	p.X.Tick.Marker, p.Y.Tick.Marker = ticks{7, c.whole}, ticks{6, c.wholeY}
	p.Y.Tick.LineStyle.Width, p.Y.LineStyle.Width = 0, 0
	if c.log {
		p.Y.Scale, p.Y.Tick.Marker = plot.LogScale{}, decades{}
	}
	if c.logX {
		p.X.Scale, p.X.Tick.Marker = plot.LogScale{}, decades{}
	}
	lines := plotter.NewGrid()
	lines.Vertical.Width = 0
	lines.Horizontal = draw.LineStyle{Color: grid, Width: 0.5}
	p.Add(lines)
	return p
}

// widen gives the data some air, and a range to what has one value.
func (c *chart) widen(p *plot.Plot) {
	for _, axis := range []struct {
		*plot.Axis
		log   bool
		share float64
	}{{&p.X, c.logX, 0.01}, {&p.Y, c.log, 0.05}} {
		if axis.log {
			by := math.Pow(axis.Max/axis.Min, 2*axis.share)
			if by < 1.05 {
				by = 1.5
			}
			axis.Min, axis.Max = axis.Min/by, axis.Max*by
			continue
		}
		share := axis.share
		if !c.whole && axis.Axis == &p.X {
			share = 0.06
		}
		by := share * (axis.Max - axis.Min)
		if by == 0 {
			by = max(math.Abs(axis.Max)*0.05, 1e-9)
			if axis.Axis == &p.X && c.whole {
				by = 0.5
			}
		}
		low := axis.Min - by
		if axis.Min >= 0 && axis.Axis == &p.Y {
			low = max(low, 0)
			if c.wholeY {
				low = 0
			}
		}
		axis.Min, axis.Max = low, axis.Max+by
	}
}

// line draws a series.
type line struct {
	*series
	s style
}

func (l *line) stroke() draw.LineStyle {
	color, width := seriesInks[l.look%len(seriesInks)], l.s.line
	pattern := dashes[(l.look+l.look/len(seriesInks))%len(dashes)]
	if l.fine {
		color, width, pattern = color.Through(0x80), l.s.line/2, nil
	}
	return draw.LineStyle{Color: color, Width: width, Dashes: pattern}
}

// marker returns the marker of a point; without shape where the series is but a line.
func (l *line) marker() draw.GlyphStyle {
	if l.fine || l.bare {
		return draw.GlyphStyle{}
	}
	radius := vg.Length(2.2)
	if l.scattered {
		radius = 3
	}
	return draw.GlyphStyle{Color: seriesInks[l.look%len(seriesInks)], Radius: radius, Shape: markers[(l.look+l.look/len(seriesInks))%len(markers)]}
}

// Plot implements plot.Plotter.
func (l *line) Plot(c draw.Canvas, p *plot.Plot) {
	x, y := p.Transforms(&c)
	var places, band []vg.Point
	for i, point := range l.points {
		at := vg.Point{X: x(point.X), Y: y(point.Y)}
		if l.stairs && len(places) > 0 {
			places = append(places, vg.Point{X: at.X, Y: places[len(places)-1].Y})
		}
		places = append(places, at)
		if l.high != nil {
			band = append(band, vg.Point{X: at.X, Y: y(l.high[i])})
		}
	}
	for i := len(l.low) - 1; i >= 0; i-- {
		band = append(band, vg.Point{X: x(l.points[i].X), Y: y(l.low[i])})
	}
	if l.scattered {
		l.drawBars(&c, places, band)
	} else if len(band) > 0 {
		c.FillPolygon(seriesInks[l.look%len(seriesInks)].Through(l.shade), c.ClipPolygonY(band))
	}
	if !l.scattered {
		c.StrokeLines(l.stroke(), c.ClipLinesXY(places)...)
	}
	marker := l.marker()
	if marker.Shape == nil {
		return
	}
	every := max(1, (len(l.points)+11)/12)
	if l.scattered {
		every = 1
	}
	for i, point := range l.points {
		if i%every == (every-1)/2 {
			c.DrawGlyph(marker, vg.Point{X: x(point.X), Y: y(point.Y)})
		}
	}
	l.writeNames(&c, places)
}

// drawBars draws a bar through each point from the lower to the upper edge of a band around them.
func (l *line) drawBars(c *draw.Canvas, points, band []vg.Point) {
	if len(band) == 0 {
		return
	}
	for i := range points {
		if high, low := band[i], band[len(band)-1-i]; high.Y > low.Y {
			stroke := draw.LineStyle{Color: seriesInks[l.look%len(seriesInks)].Through(0x80), Width: l.s.line / 2}
			c.StrokeLines(stroke, c.ClipLinesY([]vg.Point{low, high})...)
		}
	}
}

// writeNames writes the name of each point beside it, where no other name or point is if there is such a place.
func (l *line) writeNames(c *draw.Canvas, points []vg.Point) {
	const away = 5 * vg.Length(1)
	var taken []vg.Rectangle
	for _, p := range points {
		taken = append(taken, vg.Rectangle{Min: p.Sub(vg.Point{X: 3, Y: 3}), Max: p.Add(vg.Point{X: 3, Y: 3})})
	}
	text := textStyle(l.s.small, black)
	text.YAlign = draw.YCenter
	half := l.s.small * 0.55
	for i, name := range l.names {
		p, width := points[i], text.Width(name)
		best := vg.Rectangle{}
		for _, corner := range []vg.Point{
			{X: p.X + away, Y: p.Y + 2}, {X: p.X + away, Y: p.Y - 2*half - 2}, {X: p.X - away - width, Y: p.Y + 2}, {X: p.X - away - width, Y: p.Y - 2*half - 2}, {X: p.X - width/2, Y: p.Y + away}, {X: p.X - width/2, Y: p.Y - away - 2*half},
		} {
			box := vg.Rectangle{Min: corner, Max: corner.Add(vg.Point{X: width, Y: 2 * half})}
			inside := box.Min.X >= c.Min.X && box.Max.X <= c.Max.X+2*gap && box.Min.Y >= c.Min.Y && box.Max.Y <= c.Max.Y
			if inside && !slices.ContainsFunc(taken, func(t vg.Rectangle) bool { return overlap(t, box) }) {
				best = box
				break
			}
			if best == (vg.Rectangle{}) && inside {
				best = box
			}
		}
		taken = append(taken, best)
		c.FillText(text, vg.Point{X: best.Min.X, Y: best.Min.Y + half}, name)
	}
}

func overlap(a, b vg.Rectangle) bool {
	return a.Min.X < b.Max.X && b.Min.X < a.Max.X && a.Min.Y < b.Max.Y && b.Min.Y < a.Max.Y
}

// DataRange implements plot.DataRanger.
func (l *line) DataRange() (xmin, xmax, ymin, ymax float64) {
	xmin, xmax, ymin, ymax = plotter.XYRange(l.points)
	for i := range l.low {
		ymin, ymax = min(ymin, l.low[i]), max(ymax, l.high[i])
	}
	return xmin, xmax, ymin, ymax
}
