package report

import (
	"bytes"
	"errors"
	"fmt"
	"image/color"
	"io"
	"slices"

	"gonum.org/v1/plot"
	"gonum.org/v1/plot/font"
	"gonum.org/v1/plot/plotter"
	"gonum.org/v1/plot/text"
	"gonum.org/v1/plot/vg"
	"gonum.org/v1/plot/vg/draw"
	"gonum.org/v1/plot/vg/vgimg"
	"gonum.org/v1/plot/vg/vgsvg"

	"godarts/nas/names"
)

// sideColors differ also for colour-blind readers and in grey (Okabe, Ito 2008).
var sideColors = []color.Color{
	color.RGBA{0x00, 0x72, 0xb2, 0xff}, color.RGBA{0xe6, 0x9f, 0x00, 0xff}, color.RGBA{0x56, 0xb4, 0xe9, 0xff},
	color.RGBA{0x00, 0x9e, 0x73, 0xff}, color.RGBA{0xcc, 0x79, 0xa7, 0xff},
}

var grey = color.Gray{0x90}

// Sizes of the picture.
const (
	chartWidth  = 11 * vg.Inch
	panelHeight = 3 * vg.Inch
	headHeight  = 0.5 * vg.Inch
	chartMargin = 4 * vg.Millimeter
	groupWidth  = 0.8 // of a row's bars, where the rows are 1 apart
)

// Chart returns a PNG or SVG, by the file's extension, of two panels of bars: images per
// second relative to the first rival, and peak resident memory. If there are rows of
// networks, which have a loss, it leaves out the others, whose factors are much larger or
// smaller. It returns an error if b has no rival or no row, or for another extension.
func (b Bench) Chart(extension string) ([]byte, error) {
	if len(b.Programs) < 2 || len(b.Rows) == 0 {
		return nil, errors.New("report: chart: there is no rival to compare with")
	}
	noLoss := func(r BenchRow) bool { return r.Sides[0].FirstLoss == nil }
	if rows := slices.DeleteFunc(slices.Clone(b.Rows), noLoss); len(rows) > 0 {
		b.Rows = rows
	}
	speed, err := b.panel("speed relative to "+names.Print(b.Programs[1].Name), func(r BenchRow, side int) (float64, string) {
		relative := r.Sides[1].Ratio.Median
		if ratio := r.Sides[side].Ratio; ratio != nil {
			relative /= ratio.Median
		}
		return relative, digits(relative, 2)
	})
	if err != nil {
		return nil, err
	}
	memory, err := b.panel("peak memory, GB", func(r BenchRow, side int) (float64, string) {
		gigabytes := float64(r.Sides[side].PeakBytes) / 1e9
		return gigabytes, digits(gigabytes, 2)
	})
	if err != nil {
		return nil, err
	}
	return b.render(extension, speed, memory)
}

// panel returns a bar chart with a group of bars for each row. A group has a bar for each
// program, with the height and the label that value returns.
func (b Bench) panel(title string, value func(row BenchRow, side int) (float64, string)) (*plot.Plot, error) {
	p := plot.New()
	p.Y.Label.Text = title
	p.Y.Min = 0
	p.X.Min, p.X.Max = -0.5, float64(len(b.Rows))-0.5
	p.X.LineStyle.Width, p.X.Tick.LineStyle.Width = 0, 0
	setFonts(p)

	grid := plotter.NewGrid()
	grid.Vertical.Width = 0
	grid.Horizontal.Color = color.Gray{0xe0}
	p.Add(grid)

	width := groupWidth / float64(len(b.Programs))
	for side := range b.Programs {
		bars := make(bars, len(b.Rows))
		labels := plotter.XYLabels{}
		for i, r := range b.Rows {
			height, label := value(r, side)
			left := float64(i) - groupWidth/2 + float64(side)*width
			bars[i] = bar{left, left + 0.92*width, height}
			labels.XYs = append(labels.XYs, plotter.XY{X: left + 0.46*width, Y: height})
			labels.Labels = append(labels.Labels, label)
		}
		c := sideColors[side%len(sideColors)]
		p.Add(coloured{bars, c})
		above, err := plotter.NewLabels(labels)
		if err != nil {
			return nil, fmt.Errorf("report: chart: %w", err)
		}
		for i := range above.TextStyle {
			above.TextStyle[i].Font = sans(9)
			above.TextStyle[i].XAlign = draw.XCenter
		}
		above.Offset.Y = 2
		p.Add(above)
	}
	p.Y.Max *= 1.08 // space for the labels
	p.NominalX(b.titles()...)
	p.Y.Padding = 0 // NominalX adds space for half a title, which the group has already
	return p, nil
}

func (b Bench) titles() []string {
	var titles []string
	for _, r := range b.Rows {
		titles = append(titles, r.Title)
	}
	return titles
}

func sans(size vg.Length) font.Font {
	return font.Font{Typeface: "Liberation", Variant: "Sans", Size: size}
}

func setFonts(p *plot.Plot) {
	p.Y.Label.TextStyle.Font = sans(11)
	p.X.Tick.Label.Font = sans(11)
	p.Y.Tick.Label.Font = sans(9)
	p.Y.LineStyle.Color, p.Y.Tick.LineStyle.Color = grey, grey
}

// bar is a rectangle that stands on zero, in the units of the plot.
type bar struct{ left, right, height float64 }

type bars []bar

// coloured draws bars in one colour.
type coloured struct {
	bars
	color.Color
}

// Plot implements plot.Plotter.
func (b coloured) Plot(c draw.Canvas, p *plot.Plot) {
	x, y := p.Transforms(&c)
	for _, bar := range b.bars {
		fill(&c, b.Color, vg.Point{X: x(bar.left), Y: y(0)}, vg.Point{X: x(bar.right), Y: y(bar.height)})
	}
}

// DataRange implements plot.DataRanger.
func (b coloured) DataRange() (xmin, xmax, ymin, ymax float64) {
	for _, bar := range b.bars {
		xmax, ymax = max(xmax, bar.right), max(ymax, bar.height)
	}
	return 0, xmax, 0, ymax
}

func fill(c *draw.Canvas, with color.Color, from, to vg.Point) {
	c.FillPolygon(with, []vg.Point{from, {X: to.X, Y: from.Y}, to, {X: from.X, Y: to.Y}})
}

// render draws the panels, one above the other with aligned axes, under a line with the
// meaning of the colours and the conditions.
func (b Bench) render(extension string, panels ...*plot.Plot) ([]byte, error) {
	var rows [][]*plot.Plot
	for _, p := range panels {
		rows = append(rows, []*plot.Plot{p})
	}
	tiles := draw.Tiles{
		Rows: len(rows), Cols: 1,
		PadBottom: chartMargin, PadLeft: chartMargin, PadRight: chartMargin, PadY: 2 * chartMargin,
	}
	return picture(extension, chartWidth, headHeight+panelHeight*vg.Length(len(panels)), func(page draw.Canvas) {
		b.head(page)
		for i, c := range plot.Align(rows, tiles, draw.Crop(page, 0, 0, 0, -headHeight)) {
			panels[i].Draw(c[0])
		}
	})
}

// picture returns what paint draws on a white page, as PNG or SVG by the extension.
func picture(extension string, width, height vg.Length, paint func(page draw.Canvas)) ([]byte, error) {
	var canvas interface {
		vg.CanvasSizer
		io.WriterTo
	}
	switch extension {
	case ".png":
		canvas = vgimg.PngCanvas{Canvas: vgimg.NewWith(vgimg.UseWH(width, height), vgimg.UseDPI(120))}
	case ".svg":
		canvas = vgsvg.New(width, height)
	default:
		return nil, fmt.Errorf("report: chart: %q is no kind of picture (there are: .png, .svg)", extension)
	}
	page := draw.New(canvas)
	fill(&page, color.White, page.Min, page.Max)
	paint(page)
	var out bytes.Buffer
	if _, err := canvas.WriteTo(&out); err != nil {
		return nil, fmt.Errorf("report: chart: %w", err)
	}
	return out.Bytes(), nil
}

// head draws the colour of each program and, on the right, the conditions.
func (b Bench) head(page draw.Canvas) {
	style := text.Style{Color: color.Black, Font: sans(11), Handler: plot.DefaultTextHandler, YAlign: draw.YCenter}
	const sample, gap = 12 * vg.Length(1), 6 * vg.Length(1)
	at := vg.Point{X: page.Min.X + chartMargin, Y: page.Max.Y - headHeight/2}
	for side, program := range b.Programs {
		low := vg.Point{X: at.X, Y: at.Y - sample/2}
		fill(&page, sideColors[side%len(sideColors)], low, vg.Point{X: low.X + sample, Y: low.Y + sample})
		at.X += sample + gap
		name := names.Print(program.Name)
		page.FillText(style, at, name)
		at.X += style.Width(name) + 3*gap
	}
	style.XAlign = draw.XRight
	style.Color = color.Gray{0x60}
	page.FillText(style, vg.Point{X: page.Max.X - chartMargin, Y: at.Y},
		fmt.Sprintf("%s, %d cores, %d threads, %s", b.Machine.CPU, b.Machine.Cores, b.Threads, names.Print(b.Programs[0].Version)))
}
