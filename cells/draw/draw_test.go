package draw

import (
	"bytes"
	"encoding/xml"
	"errors"
	"godarts/cells/genotype"
	"io"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// svgTexts returns the sorted contents of the text elements; it fails the test if the picture is not XML.
func svgTexts(t *testing.T, svg []byte) []string {
	t.Helper()
	var texts []string
	var text strings.Builder
	decoder := xml.NewDecoder(bytes.NewReader(svg))
	inText := false
	for {
		token, err := decoder.Token()
		if errors.Is(err, io.EOF) {
			slices.Sort(texts)
			return texts
		}
		if err != nil {
			t.Fatal(err)
		}
		switch token := token.(type) {
		case xml.StartElement:
			inText = inText || token.Name.Local == "text"
		case xml.EndElement:
			if token.Name.Local == "text" {
				texts = append(texts, text.String())
				inText = false
				text.Reset()
			}
		case xml.CharData:
			if inText {
				text.Write(token)
			}
		}
	}
}

func TestSVG(t *testing.T) {
	// SVG writes well-formed SVG with every state and one label per edge when the cell is a published one.
	check := func(name string, c genotype.Cell, kind genotype.Kind, states string) {
		t.Run(name, func(t *testing.T) {
			var b bytes.Buffer
			if err := SVG(&b, c, kind); err != nil {
				t.Fatal(err)
			}
			want := strings.Fields(states)
			for _, e := range c.Edges {
				want = append(want, string(e.Op))
			}
			slices.Sort(want)
			if diff := cmp.Diff(want, svgTexts(t, b.Bytes())); diff != "" {
				t.Errorf("texts (-want +got):\n%s", diff)
			}
			var again bytes.Buffer
			if err := SVG(&again, c, kind); err != nil {
				t.Fatal(err)
			}
			if !bytes.Equal(b.Bytes(), again.Bytes()) {
				t.Error("a second drawing differs")
			}
		})
	}
	for _, k := range genotype.Published {
		states := "ck-2 ck-1 0 1 2 3 ck"
		if k.Genotype.Normal.Nodes() == 5 {
			states += " 4"
		}
		check(k.Name+" normal", k.Genotype.Normal, genotype.Normal, states)
		check(k.Name+" reduce", k.Genotype.Reduce, genotype.Reduce, states)
	}
	for _, k := range genotype.PublishedRecurrent {
		states := "xt ht-1 0 1 2 3 4 5 6 7 8 ht"
		if len(k.Genotype.Recurrent.Edges) == 11 {
			states += " 9 10 11"
		}
		check("recurrent "+k.Name, k.Genotype.Recurrent, genotype.Recurrent, states)
	}
}

func TestSVGOverlaps(t *testing.T) {
	// No boxes and labels overlap, and every arrow goes right, when the cell is any random one.
	r := rand.New(rand.NewPCG(3, 4))
	for range 100 {
		c, kind := randomCell(r)
		g, err := newCellGraph(c, kind)
		if err != nil {
			t.Fatal(err)
		}
		p := g.layOut()
		width, height := p.Size()
		for i, a := range p.spots {
			if a.x-a.width/2 < 0 || a.y-a.height/2 < 0 || a.x+a.width/2 > width || a.y+a.height/2 > height {
				t.Fatalf("%v: a spot at %g, %g is outside of %g x %g", c, a.x, a.y, width, height)
			}
			for _, b := range p.spots[i+1:] {
				if max(a.x-b.x, b.x-a.x) < (a.width+b.width)/2-1e-9 && max(a.y-b.y, b.y-a.y) < (a.height+b.height)/2 {
					t.Fatalf("%v: %q at %g, %g overlaps %q at %g, %g", c, a.label, a.x, a.y, b.label, b.x, b.y)
				}
			}
			for _, b := range a.after {
				if b.x-b.width/2 < a.x+a.width/2 {
					t.Fatalf("%v: an arrow goes left", c)
				}
			}
		}
	}
}

// randomCell draws a cell of one to six nodes with any of their inputs.
func randomCell(r *rand.Rand) (c genotype.Cell, kind genotype.Kind) {
	ops := genotype.Primitives
	if r.IntN(3) == 0 {
		kind, ops = genotype.Recurrent, genotype.RecurrentPrimitives[1:]
	}
	inputs, perNode := kind.Inputs(), kind.EdgesPerNode()
	nodes := 1 + r.IntN(6)
	for i := range nodes * perNode {
		c.Edges = append(c.Edges, genotype.Edge{Op: ops[r.IntN(len(ops))], From: r.IntN(inputs + i/perNode)})
	}
	for s := inputs; s < inputs+nodes; s++ {
		if r.IntN(2) == 0 || s == inputs+nodes-1 {
			c.Concat = append(c.Concat, s)
		}
	}
	return c, kind
}

type brokenWriter struct{}

func (brokenWriter) Write([]byte) (int, error) { return 0, errors.New("disk full") }

func TestSVGErrors(t *testing.T) {
	// SVG says what is wrong when the cell is not valid, is too large, or the writer fails.
	good := genotype.Published[0].Genotype.Normal
	large := genotype.Cell{Concat: []int{34}}
	for range 2 * 33 {
		large.Edges = append(large.Edges, genotype.Edge{Op: genotype.SkipConnect, From: 0})
	}
	for _, test := range []struct {
		name string
		w    io.Writer
		cell genotype.Cell
		kind genotype.Kind
		want string
	}{
		{"empty", io.Discard, genotype.Cell{}, genotype.Normal, "cells: draw: has no edges"},
		{"convolutional as recurrent", io.Discard, good, genotype.Recurrent,
			`cells: draw: edge 0 of node 0: op "sep_conv_5x5" does not fit a recurrent cell, want one of ["tanh" "relu" "sigmoid" "identity"]`},
		{"too large", io.Discard, large, genotype.Normal, "cells: draw: the cell has 33 nodes, want at most 32 in a picture"},
		{"writer fails", brokenWriter{}, good, genotype.Normal, "cells: draw: disk full"},
	} {
		t.Run(test.name, func(t *testing.T) {
			if err := SVG(test.w, test.cell, test.kind); err == nil || err.Error() != test.want {
				t.Errorf("got %v, want %s", err, test.want)
			}
		})
	}
}

func BenchmarkSVG(b *testing.B) {
	for b.Loop() {
		if err := SVG(io.Discard, genotype.Published[3].Genotype.Normal, genotype.Normal); err != nil {
			b.Fatal(err)
		}
	}
}
