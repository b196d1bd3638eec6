package genotype_test

import (
	"encoding/json"
	"fmt"

	"godarts/cells/genotype"
)

func ExampleParse() {
	g, err := genotype.Parse("Genotype(normal=[('sep_conv_3x3', 1), ('skip_connect', 0)], normal_concat=[2], " +
		"reduce=[('max_pool_3x3', 0), ('max_pool_3x3', 1)], reduce_concat=range(2, 3))")
	fmt.Println(g.Normal.Edges, g.Reduce.Concat, err)

	_, err = genotype.Parse("Genotype(normal=[('sep_conv_3x3', 1), ('sep_conv_9x9', 0)], normal_concat=[2])")
	fmt.Println(err)
	// Output:
	// [{sep_conv_3x3 1} {skip_connect 0}] [2] <nil>
	// cells: parse genotype: offset 39: unknown op "sep_conv_9x9" (nearest: "sep_conv_7x7")
}

func ExampleGenotype_String() {
	g, err := genotype.LookupRecurrent("DARTS_V2")
	fmt.Println(g, err)
	// Output:
	// Genotype(recurrent=[('sigmoid', 0), ('relu', 1), ('relu', 1), ('identity', 1), ('tanh', 2), ('sigmoid', 5), ('tanh', 3), ('relu', 5)], concat=range(1, 9)) <nil>
}

func ExampleGenotype_MarshalJSON() {
	g := genotype.Genotype{Recurrent: genotype.Cell{Edges: []genotype.Edge{{Op: genotype.ActReLU, From: 0}, {Op: genotype.ActTanh, From: 1}}, Concat: []int{1, 2}}}
	text, err := json.Marshal(g)
	fmt.Println(string(text), err)
	// Output:
	// {"recurrent":[["relu",0],["tanh",1]],"concat":[1,2]} <nil>
}

func ExampleGenotype_Validate() {
	g, err := genotype.Lookup("DARTS_V1")
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
	_, err := genotype.Lookup("DART_V2")
	fmt.Println(err)
	// Output:
	// cells: unknown genotype "DART_V2" (nearest: "DARTS_V2"; known: NASNet, AmoebaNet, DARTS_V1, DARTS_V2, DARTS, PCDARTS, PCDARTS_IMAGENET, GDAS_V1, PDARTS, ENAS_MICRO)
}
