package figure

import (
	"bytes"
	"testing"

	"gonum.org/v1/plot/vg"
	"gonum.org/v1/plot/vg/draw"
)

// box is a figure that fills its place, and notes where that is.
func box(width, height vg.Length, at *[]vg.Rectangle) *Figure {
	return &Figure{Title: "box", width: width, height: func(vg.Length, style) vg.Length { return height },
		paint: func(c draw.Canvas, _ style) { *at = append(*at, c.Rectangle) }}
}

func TestGrid(t *testing.T) {
	// Figures stand row after row without overlap, in the columns that are asked for or that suit the width.
	for name, test := range map[string]struct {
		columns int
		width   vg.Length
		want    []vg.Rectangle // x and y from the lower left
		high    vg.Length
	}{
		"one column": {1, 100, []vg.Rectangle{at(0, 80, 100, 120), at(0, 10, 100, 70), at(0, -20, 100, 0)}, 140},
		"two columns": {2, 210, []vg.Rectangle{
			at(0, 50, 100, 90), at(110, 30, 210, 90), at(0, 0, 100, 20)}, 90},
		"chosen, narrow": {0, 140, []vg.Rectangle{at(0, 80, 140, 120), at(0, 10, 140, 70), at(0, -20, 140, 0)}, 140},
		"chosen, wide":   {0, 150, []vg.Rectangle{at(0, 50, 70, 90), at(80, 30, 150, 90), at(0, 0, 70, 20)}, 90},
	} {
		t.Run(name, func(t *testing.T) {
			var places []vg.Rectangle
			g := Grid([]*Figure{box(100, 40, &places), box(90, 60, &places), box(100, 20, &places)}, test.columns)
			if h := g.height(test.width, usual); h != test.high {
				t.Errorf("height %g, want %g", h, test.high)
			}
			if _, err := g.Encode(".png", Size{Width: test.width}); err != nil {
				t.Fatal(err)
			}
			bottom := test.want[len(test.want)-1].Min.Y
			for i, p := range places {
				want := test.want[i]
				want.Min.Y, want.Max.Y = want.Min.Y-bottom, want.Max.Y-bottom
				if p != want {
					t.Errorf("figure %d at %v, want %v", i, p, want)
				}
			}
		})
	}
	var places []vg.Rectangle
	if f := box(1, 1, &places); Grid([]*Figure{f}, 3) != f {
		t.Error("a grid of one figure is another figure")
	}
}

func at(left, low, right, high vg.Length) vg.Rectangle {
	return vg.Rectangle{Min: vg.Point{X: left, Y: low}, Max: vg.Point{X: right, Y: high}}
}

func TestDPI(t *testing.T) {
	// PNG has the resolution that is asked for.
	var places []vg.Rectangle
	f := box(72, 72, &places)
	for dpi, want := range map[int]byte{0: 192, 100: 100} {
		picture, err := f.Encode(".png", Size{DPI: dpi})
		if err != nil || !bytes.HasPrefix(picture, []byte("\x89PNG")) || picture[19] != want { // the last byte of the width
			t.Errorf("%d dots: %v, %d wide", dpi, err, picture[19])
		}
	}
}
