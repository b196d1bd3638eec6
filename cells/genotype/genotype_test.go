package genotype

import (
	"encoding/json"
	"math/rand/v2"
	"os"
	"runtime"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"godarts/torch/torchtest"
)

// Printed by the reference at the end of a search and of its evaluation runs, unchanged.
const (
	searchedText = "Genotype(normal=[('avg_pool_3x3', 0), ('sep_conv_5x5', 1), ('dil_conv_5x5', 1), ('skip_connect', 0), " +
		"('sep_conv_3x3', 0), ('avg_pool_3x3', 1), ('dil_conv_3x3', 3), ('skip_connect', 1)], normal_concat=range(2, 6), " +
		"reduce=[('dil_conv_3x3', 0), ('sep_conv_3x3', 1), ('sep_conv_5x5', 2), ('dil_conv_3x3', 1), " +
		"('dil_conv_3x3', 0), ('avg_pool_3x3', 1), ('sep_conv_3x3', 3), ('max_pool_3x3', 1)], reduce_concat=range(2, 6))"
	recurrentSearchedText = "Genotype(recurrent=[('tanh', 0), ('tanh', 0), ('relu', 0), ('identity', 2), ('sigmoid', 1), " +
		"('tanh', 5), ('sigmoid', 1), ('relu', 1)], concat=range(1, 9))"
	recurrentV2Text = "Genotype(recurrent=[('sigmoid', 0), ('relu', 1), ('relu', 1), ('identity', 1), ('tanh', 2), " +
		"('sigmoid', 5), ('tanh', 3), ('relu', 5)], concat=range(1, 9))"
	enasText = "Genotype(recurrent=[('tanh', 0), ('tanh', 1), ('relu', 1), ('tanh', 3), ('tanh', 3), ('relu', 3), " +
		"('relu', 4), ('relu', 7), ('relu', 8), ('relu', 8), ('relu', 8)], concat=[2, 5, 6, 9, 10, 11])"
	amoebaNetText = "Genotype(normal=[('avg_pool_3x3', 0), ('max_pool_3x3', 1), ('sep_conv_3x3', 0), ('sep_conv_5x5', 2), " +
		"('sep_conv_3x3', 0), ('avg_pool_3x3', 3), ('sep_conv_3x3', 1), ('skip_connect', 1), ('skip_connect', 0), " +
		"('avg_pool_3x3', 1)], normal_concat=[4, 5, 6], reduce=[('avg_pool_3x3', 0), ('sep_conv_3x3', 1), " +
		"('max_pool_3x3', 0), ('sep_conv_7x7', 2), ('sep_conv_7x7', 0), ('avg_pool_3x3', 1), ('max_pool_3x3', 0), " +
		"('max_pool_3x3', 1), ('conv_7x1_1x7', 0), ('sep_conv_3x3', 5)], reduce_concat=[3, 4, 6])"
	nasNetText = "Genotype(normal=[('sep_conv_5x5', 1), ('sep_conv_3x3', 0), ('sep_conv_5x5', 0), ('sep_conv_3x3', 0), " +
		"('avg_pool_3x3', 1), ('skip_connect', 0), ('avg_pool_3x3', 0), ('avg_pool_3x3', 0), ('sep_conv_3x3', 1), " +
		"('skip_connect', 1)], normal_concat=[2, 3, 4, 5, 6], reduce=[('sep_conv_5x5', 1), ('sep_conv_7x7', 0), " +
		"('max_pool_3x3', 1), ('sep_conv_7x7', 0), ('avg_pool_3x3', 1), ('sep_conv_5x5', 0), ('skip_connect', 3), " +
		"('avg_pool_3x3', 2), ('sep_conv_3x3', 2), ('max_pool_3x3', 1)], reduce_concat=[4, 5, 6])"
	dartsV1Text = "Genotype(normal=[('sep_conv_3x3', 1), ('sep_conv_3x3', 0), ('skip_connect', 0), ('sep_conv_3x3', 1), " +
		"('skip_connect', 0), ('sep_conv_3x3', 1), ('sep_conv_3x3', 0), ('skip_connect', 2)], normal_concat=[2, 3, 4, 5], " +
		"reduce=[('max_pool_3x3', 0), ('max_pool_3x3', 1), ('skip_connect', 2), ('max_pool_3x3', 0), " +
		"('max_pool_3x3', 0), ('skip_connect', 2), ('skip_connect', 2), ('avg_pool_3x3', 0)], reduce_concat=[2, 3, 4, 5])"
	dartsV2Text = "Genotype(normal=[('sep_conv_3x3', 0), ('sep_conv_3x3', 1), ('sep_conv_3x3', 0), ('sep_conv_3x3', 1), " +
		"('sep_conv_3x3', 1), ('skip_connect', 0), ('skip_connect', 0), ('dil_conv_3x3', 2)], normal_concat=[2, 3, 4, 5], " +
		"reduce=[('max_pool_3x3', 0), ('max_pool_3x3', 1), ('skip_connect', 2), ('max_pool_3x3', 1), " +
		"('max_pool_3x3', 0), ('skip_connect', 2), ('skip_connect', 2), ('max_pool_3x3', 1)], reduce_concat=[2, 3, 4, 5])"
)

// genotypeText is a valid convolutional genotype text with the two lists put in.
func genotypeText(normal, normalConcat string) string {
	return "Genotype(normal=" + normal + ", normal_concat=" + normalConcat +
		", reduce=[('none', 0), ('none', 1)], reduce_concat=[2])"
}

func randomGenotype(r *rand.Rand) Genotype {
	cell := func(inputs, perNode, firstConcat int, ops []Op) Cell {
		var c Cell
		nodes := 1 + r.IntN(6)
		for i := range nodes * perNode {
			c.Edges = append(c.Edges, Edge{ops[r.IntN(len(ops))], r.IntN(inputs + i/perNode)})
		}
		for s := firstConcat; s < inputs+nodes; s++ {
			if r.IntN(2) == 0 || s == inputs+nodes-1 {
				c.Concat = append(c.Concat, s)
			}
		}
		return c
	}
	if r.IntN(3) == 0 {
		return Genotype{Recurrent: cell(1, 1, 0, recurrentOps)}
	}
	return Genotype{Normal: cell(2, 2, 0, ConvolutionalOps), Reduce: cell(2, 2, 2, ConvolutionalOps)}
}

func TestGenotypeString(t *testing.T) {
	// String gives the reference's text, byte for byte, when that text is read and printed.
	for name, text := range map[string]string{
		"searched": searchedText, "recurrent searched": recurrentSearchedText,
		"recurrent V2": recurrentV2Text, "ENAS": enasText,
	} {
		t.Run(name, func(t *testing.T) {
			g, err := Parse(text)
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(text, g.String()); diff != "" {
				t.Errorf("printed (-reference +got):\n%s", diff)
			}
		})
	}
}

func TestParseGenotypeOfKnown(t *testing.T) {
	// Parse gives the published cells when it reads the reference's text of them.
	texts := map[string]string{
		"NASNet": nasNetText, "AmoebaNet": amoebaNetText, "DARTS_V1": dartsV1Text, "DARTS_V2": dartsV2Text, "DARTS": dartsV2Text,
		"PCDARTS":          "Genotype(normal=[('sep_conv_3x3', 1), ('skip_connect', 0), ('sep_conv_3x3', 0), ('dil_conv_3x3', 1), ('sep_conv_5x5', 0), ('sep_conv_3x3', 1), ('avg_pool_3x3', 0), ('dil_conv_3x3', 1)], normal_concat=range(2, 6), reduce=[('sep_conv_5x5', 1), ('max_pool_3x3', 0), ('sep_conv_5x5', 1), ('sep_conv_5x5', 2), ('sep_conv_3x3', 0), ('sep_conv_3x3', 3), ('sep_conv_3x3', 1), ('sep_conv_3x3', 2)], reduce_concat=range(2, 6))",
		"PCDARTS_IMAGENET": "Genotype(normal=[('skip_connect', 1), ('sep_conv_3x3', 0), ('sep_conv_3x3', 0), ('skip_connect', 1), ('sep_conv_3x3', 1), ('sep_conv_3x3', 3), ('sep_conv_3x3', 1), ('dil_conv_5x5', 4)], normal_concat=range(2, 6), reduce=[('sep_conv_3x3', 0), ('skip_connect', 1), ('dil_conv_5x5', 2), ('max_pool_3x3', 1), ('sep_conv_3x3', 2), ('sep_conv_3x3', 1), ('sep_conv_5x5', 0), ('sep_conv_3x3', 3)], reduce_concat=range(2, 6))",
		"GDAS_V1":          "Genotype(normal=[('skip_connect', 0), ('skip_connect', 1), ('skip_connect', 0), ('sep_conv_5x5', 2), ('sep_conv_3x3', 3), ('skip_connect', 0), ('sep_conv_5x5', 4), ('sep_conv_3x3', 3)], normal_concat=range(2, 6), reduce=[('sep_conv_5x5', 0), ('sep_conv_3x3', 1), ('sep_conv_5x5', 2), ('sep_conv_5x5', 1), ('dil_conv_5x5', 2), ('sep_conv_3x3', 1), ('sep_conv_5x5', 0), ('sep_conv_5x5', 1)], reduce_concat=range(2, 6))",
		"PDARTS":           "Genotype(normal=[('skip_connect', 0), ('dil_conv_3x3', 1), ('skip_connect', 0), ('sep_conv_3x3', 1), ('sep_conv_3x3', 1), ('sep_conv_3x3', 3), ('sep_conv_3x3', 0), ('dil_conv_5x5', 4)], normal_concat=range(2, 6), reduce=[('avg_pool_3x3', 0), ('sep_conv_5x5', 1), ('sep_conv_3x3', 0), ('dil_conv_5x5', 2), ('max_pool_3x3', 0), ('dil_conv_3x3', 1), ('dil_conv_3x3', 1), ('dil_conv_5x5', 3)], reduce_concat=range(2, 6))",
		"ENAS_MICRO":       "Genotype(normal=[('avg_pool_3x3', 0), ('sep_conv_3x3', 0), ('skip_connect', 0), ('sep_conv_5x5', 0), ('skip_connect', 0), ('sep_conv_5x5', 1), ('sep_conv_3x3', 1), ('sep_conv_5x5', 0), ('avg_pool_3x3', 0), ('sep_conv_5x5', 1)], normal_concat=range(2, 7), reduce=[('sep_conv_3x3', 1), ('sep_conv_3x3', 1), ('max_pool_3x3', 0), ('avg_pool_3x3', 0), ('sep_conv_5x5', 1), ('sep_conv_5x5', 3), ('sep_conv_3x3', 1), ('skip_connect', 0), ('max_pool_3x3', 0), ('sep_conv_5x5', 1)], reduce_concat=[2, 4, 5, 6])",
	}
	for _, k := range Published {
		t.Run(k.Name, func(t *testing.T) {
			got, err := Parse(texts[k.Name])
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(k.Genotype, got); diff != "" {
				t.Errorf("parsed (-known +got):\n%s", diff)
			}
		})
	}
	for name, text := range map[string]string{"ENAS": enasText, "DARTS_V2": recurrentV2Text} {
		t.Run("recurrent "+name, func(t *testing.T) {
			got, err := Parse(text)
			if err != nil {
				t.Fatal(err)
			}
			want, err := LookupRecurrent(name)
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(want, got); diff != "" {
				t.Errorf("parsed (-known +got):\n%s", diff)
			}
		})
	}
}

func checkRoundTrip(t *testing.T, g Genotype) {
	t.Helper()
	if err := g.Validate(); err != nil {
		t.Fatalf("%v: %v", g, err)
	}
	asJSON, err := json.Marshal(g)
	if err != nil {
		t.Fatal(err)
	}
	indented, err := json.MarshalIndent(g, "", "\t")
	if err != nil {
		t.Fatal(err)
	}
	for _, text := range []string{g.String(), string(asJSON), string(indented)} {
		back, err := Parse(text)
		if err != nil {
			t.Fatalf("%s: %v", text, err)
		}
		if diff := cmp.Diff(g, back); diff != "" {
			t.Fatalf("%s read back (-want +got):\n%s", text, diff)
		}
	}
	var back Genotype
	if err := json.Unmarshal(asJSON, &back); err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(g, back); diff != "" {
		t.Fatalf("unmarshalled (-want +got):\n%s", diff)
	}
}

func TestGenotypeRoundTrip(t *testing.T) {
	// Text and JSON give the same genotype back when it is a published or a random one.
	for _, k := range append(append([]Named{}, Published...), PublishedRecurrent...) {
		t.Run(k.Name, func(t *testing.T) { checkRoundTrip(t, k.Genotype) })
	}
	t.Run("random", func(t *testing.T) {
		r := rand.New(rand.NewPCG(1, 2))
		for range 500 {
			checkRoundTrip(t, randomGenotype(r))
		}
	})
}

func TestParseGenotypeForms(t *testing.T) {
	// Parse gives the same genotype when the text differs in form only.
	want := Genotype{
		Normal: Cell{Edges: []Edge{{SepConv3x3, 1}, {SkipConnect, 0}}, Concat: []int{0, 1, 2}},
		Reduce: Cell{Edges: []Edge{{None, 0}, {None, 1}}, Concat: []int{2}},
	}
	for name, text := range map[string]string{
		"range":           genotypeText("[('sep_conv_3x3', 1), ('skip_connect', 0)]", "range(0, 3)"),
		"range from 0":    genotypeText("[('sep_conv_3x3', 1), ('skip_connect', 0)]", "range(3)"),
		"list":            genotypeText("[('sep_conv_3x3', 1), ('skip_connect', 0)]", "[0, 1, 2]"),
		"tuples":          genotypeText("(('sep_conv_3x3', 1), ('skip_connect', 0))", "(0, 1, 2)"),
		"lists":           genotypeText("[['sep_conv_3x3', 1], ['skip_connect', 0]]", "[0, 1, 2]"),
		"double quotes":   genotypeText(`[("sep_conv_3x3", 1), ("skip_connect", 0)]`, "range(3)"),
		"trailing commas": genotypeText("[('sep_conv_3x3', 1,), ('skip_connect', 0),]", "[0, 1, 2,]"),
		"no white space":  genotypeText("[('sep_conv_3x3',1),('skip_connect',0)]", "range(0,3)"),
		"white space":     "\n" + genotypeText("[\n\t( 'sep_conv_3x3' , 1 ) ,\r\n ('skip_connect', 0)\n]", " range ( 0 , 3 ) ") + "\n",
		"assignment":      "MINE = " + genotypeText("[('sep_conv_3x3', 1), ('skip_connect', 0)]", "range(3)"),
		"other order": "Genotype(reduce_concat=[2], reduce=[('none', 0), ('none', 1)], normal_concat=range(3), " +
			"normal=[('sep_conv_3x3', 1), ('skip_connect', 0)],)",
		"JSON": `{"normal": [["sep_conv_3x3", 1], ["skip_connect", 0]], "normal_concat": [0, 1, 2],
			"reduce": [["none", 0], ["none", 1]], "reduce_concat": [2]}`,
	} {
		t.Run(name, func(t *testing.T) {
			got, err := Parse(text)
			if err != nil {
				t.Fatalf("%s: %v", text, err)
			}
			if diff := cmp.Diff(want, got); diff != "" {
				t.Errorf("parsed (-want +got):\n%s", diff)
			}
		})
	}
}

func TestParseGenotypeNames(t *testing.T) {
	// Parse gives a published genotype when the text is its name in any case.
	v2, enas := Published[3].Genotype, PublishedRecurrent[0].Genotype
	for text, want := range map[string]Genotype{"DARTS_V2": v2, " darts_v2\n": v2, "Darts": v2, "enas": enas} {
		t.Run(text, func(t *testing.T) {
			got, err := Parse(text)
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(want, got); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
		})
	}
}

func TestParseGenotypeErrors(t *testing.T) {
	// Parse returns one line that says what is wrong, and where, when the text is not a valid genotype.
	const pair = "[('none', 0), ('none', 1)]"
	const four = "[('none', 0), ('none', 1), ('none', 0), ('none', 1)]"
	for _, test := range []struct{ name, text, want string }{
		{"empty", "", `offset 0: the text ends, want Genotype(...), JSON or a known name`},
		{"unknown name", "DARTS_V3", `unknown name "DARTS_V3" (nearest: "DARTS_V2"; known: NASNet, AmoebaNet, DARTS_V1, DARTS_V2, DARTS, PCDARTS, PCDARTS_IMAGENET, GDAS_V1, PDARTS, ENAS_MICRO, ENAS)`},
		{"not a genotype", "42", `offset 0: found "42", want Genotype(...), JSON or a known name`},
		{"unknown op", genotypeText("[('none', 0), ('sep_conv_9x9', 1)]", "[2]"),
			`offset 31: unknown op "sep_conv_9x9" (nearest: "sep_conv_7x7")`},
		{"op of the other kind", genotypeText("[('none', 0), ('tanh', 1)]", "[2]"),
			`offset 31: op "tanh" does not fit a convolutional cell, want one of ["none" "max_pool_3x3" "avg_pool_3x3" ` +
				`"skip_connect" "sep_conv_3x3" "sep_conv_5x5" "dil_conv_3x3" "dil_conv_5x5" "sep_conv_7x7" "conv_7x1_1x7"]`},
		{"recurrent op of the other kind", "Genotype(recurrent=[('none', 0)], concat=[1])",
			`offset 21: op "none" does not fit a recurrent cell, want one of ["tanh" "relu" "sigmoid" "identity"]`},
		{"later state", genotypeText("[('none', 0), ('none', 1), ('none', 0), ('none', 3)]", "[2]"),
			`normal cell: edge 3 of node 1: comes from state 3, want an earlier state (0 to 2)`},
		{"negative state", genotypeText("[('none', 0), ('none', -1)]", "[2]"),
			`normal cell: edge 1 of node 0: comes from state -1, want an earlier state (0 to 1)`},
		{"recurrent later state", "Genotype(recurrent=[('tanh', 0), ('relu', 2)], concat=[1])",
			`recurrent cell: edge 1 of node 1: comes from state 2, want an earlier state (0 to 1)`},
		{"odd edges", genotypeText("[('none', 0), ('none', 1), ('none', 0)]", "[2]"),
			`normal cell: has 3 edges, want 2 for every node`},
		{"no edges", genotypeText("[]", "[2]"), `normal cell: has no edges`},
		{"empty concat", genotypeText(pair, "[]"), `normal cell: concat is empty, want at least one state`},
		{"empty range", genotypeText(pair, "range(2, 2)"), `normal cell: concat is empty, want at least one state`},
		{"concat too high", genotypeText(pair, "[2, 3]"), `normal cell: concat has state 3, want 0 to 2`},
		{"concat descending", genotypeText(four, "[3, 2]"),
			`normal cell: concat has state 2 after 3, want ascending states without repeats`},
		{"concat repeated", genotypeText(four, "[2, 2]"),
			`normal cell: concat has state 2 after 2, want ascending states without repeats`},
		{"input in the concat of a reduction cell",
			"Genotype(normal=" + pair + ", normal_concat=[2], reduce=" + pair + ", reduce_concat=[1, 2])",
			`reduce cell: concat has state 1, want 2 to 2`},
		{"huge range", genotypeText(pair, "range(0, 1000000000)"),
			`offset 58: normal_concat is range(0, 1000000000), but the states are 0 to 2`},
		{"negative range", genotypeText(pair, "range(-1000000000, 3)"),
			`offset 58: normal_concat is range(-1000000000, 3), but the states are 0 to 2`},
		{"huge number", genotypeText(pair, "[99999999999999999999]"),
			`offset 59: number "99999999999999999999" is too large for a state`},
		{"unknown field", "Genotype(normale=[])", `offset 9: unknown field "normale" (nearest: "normal")`},
		{"field twice", "Genotype(normal=[], normal=[])", `offset 20: field "normal" stands twice`},
		{"field missing", "Genotype(normal=" + pair + ", normal_concat=[2])", `field "reduce" is missing`},
		{"recurrent field missing", "Genotype(recurrent=[('tanh', 0)])", `field "concat" is missing`},
		{"both kinds", "Genotype(recurrent=[('tanh', 0)], concat=[1], normal=[])",
			`has fields of both convolutional and recurrent cells, want one kind`},
		{"cut off", "Genotype(normal=[('none', 0), (", `offset 31: the text ends, want a quoted name`},
		{"quote not closed", "Genotype(normal=[('none, 0", `offset 18: the quote is not closed`},
		{"not a pair", "Genotype(normal=['none', 0])", `offset 17: found "'none', 0])", want a pair ('op', state)`},
		{"triple", "Genotype(normal=[('none', 0, 1)])", `offset 29: found "1)])", want ')' after the state`},
		{"wrong bracket", "Genotype(normal=[('none', 0]", `offset 27: found "]", want ')' after the state`},
		{"no comma", "Genotype(normal=[('none', 0) ('none', 1)])", `offset 29: found "('none', 1)]", want ',' or ']'`},
		{"fraction", "Genotype(normal=[('none', 0.5)])", `offset 27: found ".5)])", want ')' after the state`},
		{"no number", "Genotype(normal=[('none', x)])", `offset 26: found "x)])", want a whole number`},
		{"concat of a name", "Genotype(normal_concat=all)", `offset 23: found "all)", want range(...) or a list of states`},
		{"step", "Genotype(normal_concat=range(0, 4, 2))", `offset 33: found ", 2))", want ')' after the range`},
		{"trailing text", recurrentSearchedText + " and more", `offset 155: found "and more", want nothing after the genotype`},
		{"equals in JSON", `{"normal"= []}`, `offset 9: found "= []}", want ':' after normal`},
		{"JSON array", `[1]`, `offset 0: found "[1]", want Genotype(...), JSON or a known name`},
		{"long op", genotypeText("[('"+strings.Repeat("q", 1000)+"', 0)]", "[2]"),
			`offset 18: unknown op "qqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqq"... (nearest: "none")`},
	} {
		t.Run(test.name, func(t *testing.T) {
			_, err := Parse(test.text)
			if err == nil {
				t.Fatalf("no error for %s", test.text)
			}
			if diff := cmp.Diff("cells: parse genotype: "+test.want, err.Error()); diff != "" {
				t.Errorf("%s (-want +got):\n%s", test.text, diff)
			}
		})
	}
}

func TestParseGenotypeMemory(t *testing.T) {
	// Parse takes memory by the length of the text when a range names a billion states.
	text := genotypeText("[('none', 0), ('none', 1)]", "range(0, 2000000000)")
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	if _, err := Parse(text); err == nil {
		t.Error("no error")
	}
	runtime.ReadMemStats(&after)
	if used := after.TotalAlloc - before.TotalAlloc; used > 1<<20 {
		t.Errorf("allocated %d bytes for a text of %d", used, len(text))
	}
}

func TestGenotypeValidateErrors(t *testing.T) {
	// Validate names cell, edge and node when a genotype made in Go is wrong, and JSON refuses to write it.
	good := func() Genotype { return Published[3].Genotype.Clone() }
	for _, test := range []struct {
		name  string
		spoil func(*Genotype)
		want  string
	}{
		{"zero", func(g *Genotype) { *g = Genotype{} }, "normal cell: has no edges"},
		{"both kinds", func(g *Genotype) { g.Recurrent = PublishedRecurrent[0].Genotype.Recurrent },
			"has both convolutional and recurrent cells, want one kind"},
		{"unknown op", func(g *Genotype) { g.Reduce.Edges[2].Op = "Skip_Conect" },
			`reduce cell: edge 2 of node 1: unknown op "Skip_Conect" (nearest: "skip_connect")`},
		{"edge from its own node", func(g *Genotype) { g.Normal.Edges[5].From = 4 },
			"normal cell: edge 5 of node 2: comes from state 4, want an earlier state (0 to 3)"},
		{"no reduction cell", func(g *Genotype) { g.Reduce = Cell{} }, "reduce cell: has no edges"},
		{"concat", func(g *Genotype) { g.Reduce.Concat = []int{5, 6} }, "reduce cell: concat has state 6, want 2 to 5"},
	} {
		t.Run(test.name, func(t *testing.T) {
			g := good()
			test.spoil(&g)
			err := g.Validate()
			if err == nil || err.Error() != "cells: genotype: "+test.want {
				t.Errorf("Validate: got %v, want %s", err, test.want)
			}
			if _, err := json.Marshal(g); err == nil || !strings.Contains(err.Error(), test.want) {
				t.Errorf("json.Marshal: got %v, want %s", err, test.want)
			}
		})
	}
}

func TestGenotypeUnmarshalJSON(t *testing.T) {
	// UnmarshalJSON leaves the value as it was when the text is null or wrong.
	for text, wantErr := range map[string]bool{"null": false, `{"normal": [["sep", 1]]}`: true} {
		t.Run(text, func(t *testing.T) {
			g := Published[0].Genotype
			if err := json.Unmarshal([]byte(text), &g); (err != nil) != wantErr {
				t.Errorf("error %v, want one: %v", err, wantErr)
			}
			if diff := cmp.Diff(Published[0].Genotype, g); diff != "" {
				t.Errorf("value changed:\n%s", diff)
			}
		})
	}
}

func TestGenotypeRecordings(t *testing.T) {
	// The reference's derived genotypes are read and come back when its recordings are parsed.
	for _, name := range []string{"genotypes_cnn.json", "genotypes_rnn.json"} {
		t.Run(name, func(t *testing.T) {
			data, err := os.ReadFile(torchtest.Fixture(t, name))
			if err != nil {
				t.Fatal(err)
			}
			var records []struct{ Genotype Genotype }
			if err := json.Unmarshal(data, &records); err != nil {
				t.Fatal(err)
			}
			if len(records) == 0 {
				t.Fatal("no records")
			}
			for _, r := range records {
				checkRoundTrip(t, r.Genotype)
			}
		})
	}
}

func TestChanged(t *testing.T) {
	// Changed counts edges that the same node of the other cell lacks, whatever their order.
	of := func(edges string) Genotype {
		t.Helper()
		g, err := Parse("Genotype(normal=[" + edges + "], normal_concat=[2, 3], reduce=[('none', 0), ('none', 1)], reduce_concat=[2])")
		if err != nil {
			t.Fatal(err)
		}
		return g
	}
	old := of("('skip_connect', 0), ('none', 1), ('skip_connect', 1), ('sep_conv_3x3', 2)")
	rnn := Genotype{Recurrent: Cell{Edges: []Edge{{"tanh", 0}, {"relu", 1}}, Concat: []int{1}}}
	other := Genotype{Recurrent: Cell{Edges: []Edge{{"tanh", 0}, {"relu", 0}, {"relu", 0}}, Concat: []int{1}}}
	for _, test := range []struct {
		name        string
		old, new    Genotype
		changed, of int
	}{
		{"the same", old, old, 0, 6},
		{"another order within nodes", old, of("('none', 1), ('skip_connect', 0), ('sep_conv_3x3', 2), ('skip_connect', 1)"), 0, 6},
		{"nodes exchanged", old, of("('skip_connect', 1), ('sep_conv_3x3', 0), ('skip_connect', 0), ('none', 1)"), 4, 6},
		{"one edge twice", old, of("('skip_connect', 0), ('skip_connect', 0), ('skip_connect', 1), ('sep_conv_3x3', 2)"), 1, 6},
		{"another operation, another state", old, of("('skip_connect', 0), ('none', 0), ('skip_connect', 1), ('sep_conv_5x5', 2)"), 2, 6},
		{"a node more, recurrent", rnn, other, 2, 3},
		{"a node less, recurrent", other, rnn, 1, 2},
		{"nothing before", Genotype{}, old, 6, 6},
	} {
		if changed, of := test.new.Changed(test.old); changed != test.changed || of != test.of {
			t.Errorf("%s: %d of %d, want %d of %d", test.name, changed, of, test.changed, test.of)
		}
	}
}
