package drawing

import (
	"bytes"
	"compress/zlib"
	"encoding/xml"
	"errors"
	"image/color"
	"image/png"
	"io"
	"regexp"
	"strings"
	"testing"

	"godarts/cells/draw"
	"godarts/cells/genotype"
)

func darts(t *testing.T) genotype.Genotype {
	t.Helper()
	g, err := genotype.Lookup("DARTS_V2")
	if err != nil {
		t.Fatal(err)
	}
	return g
}

// written returns what Write writes, twice the same.
func written(t *testing.T, g genotype.Genotype, o Options) []byte {
	t.Helper()
	var all [2]bytes.Buffer
	for i := range all {
		if err := Write(&all[i], g, o); err != nil {
			t.Fatal(err)
		}
	}
	if !bytes.Equal(all[0].Bytes(), all[1].Bytes()) {
		t.Errorf("%+v: a second drawing differs", o)
	}
	return all[0].Bytes()
}

func TestSVGOfOneCell(t *testing.T) {
	// A single cell without a width has the bytes of draw.SVG.
	g := darts(t)
	var want bytes.Buffer
	if err := draw.SVG(&want, g.Reduce, genotype.Reduce); err != nil {
		t.Fatal(err)
	}
	if got := written(t, g, Options{Kinds: []genotype.Kind{genotype.Reduce}}); !bytes.Equal(got, want.Bytes()) {
		t.Errorf("got\n%s\nwant\n%s", got, want.Bytes())
	}
}

func TestSVGOfTwoCells(t *testing.T) {
	// Two cells stand below titles in one well-formed drawing of the width that is asked for.
	svg := written(t, darts(t), Options{Format: "svg", Width: 170})
	for d := xml.NewDecoder(bytes.NewReader(svg)); ; {
		if _, err := d.Token(); errors.Is(err, io.EOF) {
			break
		} else if err != nil {
			t.Fatal(err)
		}
	}
	for _, want := range []string{`width="170mm"`, ">normal cell<", ">reduction cell<", ">dil_conv_3x3<", ">max_pool_3x3<"} {
		if !bytes.Contains(svg, []byte(want)) {
			t.Errorf("%s is missing in\n%s", want, svg)
		}
	}
}

func TestPNG(t *testing.T) {
	// PNG has the pixels of its width at 300 dpi, and the colours of boxes and labels.
	picture, err := png.Decode(bytes.NewReader(written(t, darts(t), Options{Format: "png", Width: 85})))
	if err != nil {
		t.Fatal(err)
	}
	bounds := picture.Bounds()
	if want := 85 / 25.4 * 300; float64(bounds.Dx()) < want-1 || float64(bounds.Dx()) > want+1 {
		t.Errorf("%d pixels wide, want %g", bounds.Dx(), want)
	}
	count := map[color.RGBA]int{}
	for y := range bounds.Dy() {
		for x := range bounds.Dx() {
			r, g, b, a := picture.At(x, y).RGBA()
			count[color.RGBA{uint8(r >> 8), uint8(g >> 8), uint8(b >> 8), uint8(a >> 8)}]++
		}
	}
	for name, c := range map[string]color.RGBA{
		"paper": {0xff, 0xff, 0xff, 0xff}, "inputs": {0xd9, 0xea, 0xd3, 0xff}, "nodes": {0xd6, 0xe4, 0xf5, 0xff},
		"output": {0xfb, 0xee, 0xcb, 0xff}, "pooling": {0xfc, 0xeb, 0xe2, 0xff}, "arrows": {0x3c, 0x3c, 0x3c, 0xff},
	} {
		if count[c] < 300 {
			t.Errorf("%s: %d pixels", name, count[c])
		}
	}
}

func TestPDF(t *testing.T) {
	// PDF has embedded fonts, texts as texts, and the width that is asked for.
	g := darts(t)
	pdf := written(t, g, Options{Format: "pdf", Width: 85})
	var page strings.Builder
	for _, stream := range regexp.MustCompile(`(?s)/FlateDecode.*?stream\n(.*?)\nendstream`).FindAllSubmatch(pdf, -1) {
		r, err := zlib.NewReader(bytes.NewReader(stream[1]))
		if err != nil {
			t.Fatal(err)
		}
		text, err := io.ReadAll(r)
		if err != nil {
			t.Fatal(err)
		}
		page.Write(text)
	}
	for _, e := range append(g.Normal.Edges, g.Reduce.Edges...) {
		if !strings.Contains(page.String(), "("+string(e.Op)+")Tj") {
			t.Errorf("the text %s is missing", e.Op)
		}
	}
	if !bytes.Contains(pdf, []byte("/FontFile2")) || !bytes.Contains(pdf, []byte("/MediaBox [0 0 240.94 ")) {
		t.Error("no embedded font, or another width")
	}
}

func TestDOT(t *testing.T) {
	// Graphviz's language has a graph for each cell.
	if dot := written(t, darts(t), Options{Format: "dot"}); bytes.Count(dot, []byte("digraph")) != 2 {
		t.Errorf("got %s", dot)
	}
}

func TestSmallestText(t *testing.T) {
	// The size of letters goes with the width.
	g := darts(t)
	one := Options{Format: "pdf", Kinds: []genotype.Kind{genotype.Normal}}
	natural, err := SmallestText(g, one)
	if err != nil || natural != 7.5 {
		t.Errorf("%v, %v", natural, err)
	}
	one.Width = 85
	narrow, err := SmallestText(g, one)
	one.Width = 170
	wide, _ := SmallestText(g, one)
	if err != nil || narrow < 5 || wide/narrow < 1.999 || wide/narrow > 2.001 {
		t.Errorf("%g and %g, %v", narrow, wide, err)
	}
}

type full struct{}

func (full) Write([]byte) (int, error) { return 0, errors.New("disk full") }

func TestErrors(t *testing.T) {
	// Write says in one line what is wrong with the cell, the options or the writer.
	for name, test := range map[string]struct {
		g       genotype.Genotype
		options Options
		want    string
	}{
		"format":   {darts(t), Options{Format: "gif"}, `cells: drawing: there is no format "gif" (there are: svg, png, pdf, dot)`},
		"width":    {darts(t), Options{Width: -1}, "cells: drawing: width -1 mm, wanted 0 to 1000"},
		"kind":     {darts(t), Options{Kinds: []genotype.Kind{genotype.Recurrent}}, "cells: drawing: the genotype has no recurrent cell"},
		"writer":   {darts(t), Options{Format: "pdf"}, "cells: drawing: disk full"},
		"genotype": {genotype.Genotype{}, Options{}, "cells: draw: has no edges"},
	} {
		t.Run(name, func(t *testing.T) {
			if err := Write(full{}, test.g, test.options); err == nil || err.Error() != test.want {
				t.Errorf("got %v, want %s", err, test.want)
			}
		})
	}
}
