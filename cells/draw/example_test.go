package draw_test

import (
	"bytes"
	"fmt"

	"godarts/cells/draw"
	"godarts/cells/genotype"
)

func ExampleSVG() {
	g, err := genotype.Lookup("DARTS_V2")
	if err != nil {
		fmt.Println(err)
		return
	}
	var svg bytes.Buffer
	err = draw.SVG(&svg, g.Normal, genotype.Normal)
	fmt.Println(bytes.Count(svg.Bytes(), []byte("sep_conv_3x3")), err)
	// Output:
	// 5 <nil>
}

func ExampleDOT() {
	c := genotype.Cell{Edges: []genotype.Edge{{Op: genotype.SepConv3x3, From: 0}, {Op: genotype.SkipConnect, From: 1}}, Concat: []int{2}}
	dot, err := draw.DOT(c, genotype.Normal)
	fmt.Print(dot, err)
	// Output:
	// digraph cell {
	// 	rankdir=LR
	// 	node [shape=box, style="rounded,filled", fontname=Helvetica]
	// 	edge [fontname=Helvetica, fontsize=11]
	// 	"c_{k-2}" [fillcolor="#d9ead3"]
	// 	"c_{k-1}" [fillcolor="#d9ead3"]
	// 	"0" [fillcolor="#d6e4f5"]
	// 	"c_{k}" [fillcolor="#fbeecb"]
	// 	"c_{k-2}" -> "0" [label="sep_conv_3x3"]
	// 	"c_{k-1}" -> "0" [label="skip_connect"]
	// 	"0" -> "c_{k}"
	// }
	// <nil>
}
