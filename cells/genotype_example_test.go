package cells_test

import (
	"bytes"
	"encoding/json"
	"fmt"

	"godarts/cells"
)

func ExampleParseGenotype() {
	g, err := cells.ParseGenotype("Genotype(normal=[('sep_conv_3x3', 1), ('skip_connect', 0)], normal_concat=[2], " +
		"reduce=[('max_pool_3x3', 0), ('max_pool_3x3', 1)], reduce_concat=range(2, 3))")
	fmt.Println(g.Normal.Edges, g.Reduce.Concat, err)

	_, err = cells.ParseGenotype("Genotype(normal=[('sep_conv_3x3', 1), ('sep_conv_9x9', 0)], normal_concat=[2])")
	fmt.Println(err)
	// Output:
	// [{sep_conv_3x3 1} {skip_connect 0}] [2] <nil>
	// cells: parse genotype: offset 39: unknown op "sep_conv_9x9" (nearest: "sep_conv_7x7")
}

func ExampleGenotype_String() {
	g, err := cells.RecurrentLookup("DARTS_V2")
	fmt.Println(g, err)
	// Output:
	// Genotype(recurrent=[('sigmoid', 0), ('relu', 1), ('relu', 1), ('identity', 1), ('tanh', 2), ('sigmoid', 5), ('tanh', 3), ('relu', 5)], concat=range(1, 9)) <nil>
}

func ExampleGenotype_MarshalJSON() {
	g := cells.Genotype{Recurrent: cells.Cell{Edges: []cells.Edge{{Op: cells.ActReLU, From: 0}, {Op: cells.ActTanh, From: 1}}, Concat: []int{1, 2}}}
	text, err := json.Marshal(g)
	fmt.Println(string(text), err)
	// Output:
	// {"recurrent":[["relu",0],["tanh",1]],"concat":[1,2]} <nil>
}

func ExampleGenotype_Validate() {
	g, err := cells.Lookup("DARTS_V1")
	if err != nil {
		fmt.Println(err)
		return
	}
	g.Normal.Edges[4].From = 5
	fmt.Println(g.Validate())
	// Output:
	// cells: genotype: normal cell: edge 4 of node 2: comes from state 5, want an earlier state (0 to 3)
}

func ExampleLookup() {
	_, err := cells.Lookup("DART_V2")
	fmt.Println(err)
	// Output:
	// cells: unknown genotype "DART_V2" (nearest: "DARTS_V2"; known: NASNet, AmoebaNet, DARTS_V1, DARTS_V2, DARTS, PCDARTS, PCDARTS_IMAGENET, GDAS_V1, PDARTS, ENAS_MICRO)
}

func ExampleNearestOp() {
	fmt.Println(cells.NearestOp("sep_conv_9x9"))
	// Output:
	// sep_conv_7x7
}

func ExampleDrawCell() {
	g, err := cells.Lookup("DARTS_V2")
	if err != nil {
		fmt.Println(err)
		return
	}
	var svg bytes.Buffer
	err = cells.DrawCell(&svg, g.Normal, false)
	fmt.Println(bytes.Count(svg.Bytes(), []byte("sep_conv_3x3")), err)
	// Output:
	// 5 <nil>
}

func ExampleCell_DOT() {
	c := cells.Cell{Edges: []cells.Edge{{Op: cells.SepConv3x3, From: 0}, {Op: cells.SkipConnect, From: 1}}, Concat: []int{2}}
	dot, err := c.DOT(false)
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
