package canvas_test

import (
	"bytes"
	"math"
	"strings"
	"testing"

	"gonum.org/v1/plot/font"
	"gonum.org/v1/plot/font/liberation"
	"gonum.org/v1/plot/vg"

	"godarts/nas/figure/canvas"
)

// paint draws a turned text and a line, a point in from the lower left corner.
func paint(c vg.Canvas, text string) {
	face := font.NewCache(liberation.Collection()).Lookup(canvas.Heavy(8), 8)
	c.SetColor(canvas.NewInk("ink", 0x1a2b3c))
	c.Push()
	c.Translate(vg.Point{X: 1, Y: 1})
	c.Rotate(math.Pi / 2)
	c.FillString(face, vg.Point{X: 2, Y: 0}, text)
	c.Pop()
	var line vg.Path
	line.Move(vg.Point{X: 1, Y: 1})
	line.Line(vg.Point{X: 9, Y: 1})
	line.Line(vg.Point{X: 9, Y: 6})
	c.SetLineWidth(2)
	c.Stroke(line)
}

func TestSVG(t *testing.T) {
	// A picture has coordinates from its upper left corner and escaped text, its own colours in a file and variables in a page.
	file := canvas.NewSVG(20, 10)
	paint(file, "α<b>\x1b")
	inPage := canvas.NewInline(20, 10, 5)
	paint(inPage, "α")
	for _, test := range []struct{ name, text, want string }{
		{"size of a file", string(file.Bytes("l")), ` width="20pt" height="10pt" viewBox="0 0 20 10"`},
		{"label", string(file.Bytes(`"<l>`)), `aria-label="&#34;&lt;l&gt;"`},
		{"text", string(file.Bytes("l")), `<text x="1" y="7" font-size="8" fill="#1a2b3c" font-weight="bold" transform="rotate(-90 1 7)">α&lt;b&gt;\x1b</text>`},
		{"line", string(file.Bytes("l")), `<path d="M1 9H9V4" fill="none" stroke="#1a2b3c" stroke-width="2"`},
		{"margins in a page", string(inPage.Bytes("l")), ` viewBox="5 0 10 10"`},
		{"colour in a page", string(inPage.Bytes("l")), `stroke="var(--ink)"`},
	} {
		if !strings.Contains(test.text, test.want) {
			t.Errorf("%s: no %s in %s", test.name, test.want, test.text)
		}
	}
}

func TestPDF(t *testing.T) {
	// The same picture gives the same bytes, with its fonts inside, whatever letters it has.
	pdf := func() []byte {
		c := canvas.NewPDF(20, 10, "α")
		paint(c, "α ± 犬 🔬 \x1b\xff")
		var b bytes.Buffer
		if n, err := c.WriteTo(&b); err != nil || n != int64(b.Len()) {
			t.Fatalf("%d bytes of %d, %v", n, b.Len(), err)
		}
		return b.Bytes()
	}
	first := pdf()
	if !bytes.Equal(first, pdf()) {
		t.Error("the bytes differ")
	}
	if !bytes.HasPrefix(first, []byte("%PDF")) || !bytes.Contains(first, []byte("/FontFile2")) || !bytes.Contains(first, []byte("/ToUnicode")) {
		t.Error("no font is inside, or its text cannot be searched")
	}
}
