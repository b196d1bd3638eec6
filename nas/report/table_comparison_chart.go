package report

import (
	"errors"
	"fmt"
	"image/color"
	"math"

	"gonum.org/v1/plot"
	"gonum.org/v1/plot/plotter"
	"gonum.org/v1/plot/vg"
	"gonum.org/v1/plot/vg/draw"

	"godarts/nas/names"
)

// curveColors are sideColors in an order that keeps similar ones apart.
var curveColors = []color.Color{sideColors[0], sideColors[1], sideColors[3], sideColors[4], sideColors[2]}

// Sizes of the picture of curves.
const (
	curvesWidth  = 8 * vg.Inch
	curvesHeight = 5 * vg.Inch
)

// Chart returns a PNG or SVG, by the file's extension, of the mean of each strategy's Trace
// against queries, in a band of its standard error. It begins at a tenth of the queries,
// since the low start would leave the other values little height. It returns an error if
// c has no search, or for another extension.
func (c TableComparison) Chart(extension string) ([]byte, error) {
	if len(c.Entries) == 0 || len(c.Entries[0].Runs) < 2 || c.Queries < 2 {
		return nil, errors.New("report: chart: there are no two searches of two queries to draw")
	}
	p := plot.New()
	p.X.Label.Text = "queries"
	p.Y.Label.Text = fmt.Sprintf("%s test accuracy after %d epochs, %%", c.Judged[0], c.Epochs)
	setFonts(p)
	p.X.Label.TextStyle.Font, p.X.Tick.Label.Font = sans(11), sans(9)
	p.Title.Text = fmt.Sprintf("%s: best so far by %s, mean of %d searches ± its error", c.Title, c.Asked, len(c.Entries[0].Runs))
	p.Title.TextStyle.Font = sans(10)
	p.Title.Padding = 2 * vg.Millimeter
	p.Legend.TextStyle.Font = sans(11)
	p.Legend.Left, p.Legend.Top = false, false
	p.Legend.Padding, p.Legend.YOffs = vg.Millimeter, 6*vg.Millimeter

	grid := plotter.NewGrid()
	grid.Vertical.Color, grid.Horizontal.Color = color.Gray{0xe8}, color.Gray{0xe8}
	p.Add(grid)
	first := max(c.Queries/10, 1) - 1
	for i, s := range c.Entries {
		if err := s.draw(p, first, c.Queries, curveColors[i%len(curveColors)]); err != nil {
			return nil, fmt.Errorf("report: chart: %w", err)
		}
	}
	if len(c.Best) > 0 {
		best, err := plotter.NewLine(plotter.XYs{{X: float64(first + 1), Y: c.Best[0]}, {X: float64(c.Queries), Y: c.Best[0]}})
		if err != nil {
			return nil, fmt.Errorf("report: chart: %w", err)
		}
		best.Color, best.Dashes = grey, []vg.Length{vg.Points(4), vg.Points(3)}
		p.Add(best)
		p.Legend.Add("best of the table", best)
	}
	return picture(extension, curvesWidth, curvesHeight, func(page draw.Canvas) {
		p.Draw(draw.Crop(page, chartMargin, -chartMargin, chartMargin, -chartMargin))
	})
}

// draw adds to p the curve of s from query first on.
func (s TableEntry) draw(p *plot.Plot, first, queries int, c color.Color) error {
	var mean, upper, lower plotter.XYs
	for q := first; q < queries; q++ {
		at := s.After(q)
		x, off := float64(q+1), at.Std/math.Sqrt(float64(len(s.Runs)))
		mean = append(mean, plotter.XY{X: x, Y: at.Mean})
		upper = append(upper, plotter.XY{X: x, Y: at.Mean + off})
		lower = append(plotter.XYs{{X: x, Y: at.Mean - off}}, lower...)
	}
	band, err := plotter.NewPolygon(append(upper, lower...))
	if err != nil {
		return err
	}
	r, g, b, _ := c.RGBA()
	band.Color = color.NRGBA{uint8(r >> 8), uint8(g >> 8), uint8(b >> 8), 0x40}
	band.LineStyle.Width = 0
	line, err := plotter.NewLine(mean)
	if err != nil {
		return err
	}
	line.Color, line.Width = c, vg.Points(1.5)
	p.Add(band, line)
	p.Legend.Add(names.Print(s.Name), line)
	return nil
}
