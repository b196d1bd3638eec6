package genotype

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// foreignFiles have one cell each, the same, in the forms of other programs.
func foreignFiles(t testing.TB) []string {
	t.Helper()
	files, err := filepath.Glob("testdata/genotypes/*")
	if err != nil || len(files) < 9 {
		t.Fatalf("%q, %v", files, err)
	}
	return files
}

func TestParseForeignForms(t *testing.T) {
	// Parse gives the same cell when a log, pt.darts, AutoDL, NNI or an editor wrote it.
	cell := func(file string) Genotype {
		t.Helper()
		text, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		g, err := Parse(string(text))
		if err != nil {
			t.Fatalf("%s: %v", file, err)
		}
		return g
	}
	want := cell("testdata/genotypes/plain.txt")
	if len(want.Normal.Edges) != 6 || want.Normal.Edges[0] != (Edge{DilConv5x5, 1}) || want.Reduce.Edges[5] != (Edge{SkipConnect, 0}) {
		t.Fatalf("got %v", want)
	}
	for _, file := range foreignFiles(t) {
		if diff := cmp.Diff(want, cell(file)); diff != "" {
			t.Errorf("%s (-plain +got):\n%s", file, diff)
		}
	}
}

func TestParseForeignNames(t *testing.T) {
	// A published name is found when comments or a byte order mark stand beside it.
	for _, text := range []string{"\ufeffDARTS_V2\r\n", "# the best\nDARTS_V2", "DARTS_V2 # the best"} {
		if g, err := Parse(text); err != nil || cmp.Diff(Published[3].Genotype, g) != "" {
			t.Errorf("%q: %v, %v", text, g, err)
		}
	}
}

func TestParseForeignErrors(t *testing.T) {
	// One line says what form was recognised and what is wrong in it, or missing.
	const flat = "('none', 0), ('none', 1)"
	for _, test := range []struct{ name, text, want string }{
		{"a log's line without a genotype", "11/03 09:08:07 PM train 000 2.3", `offset 18: found "train 000 2.", want genotype = Genotype(...) after the time stamp of a log`},
		{"a log of several lines", "11/03 09:08:07 PM genotype = " + genotypeText("["+flat+"]", "[2]") + "\n11/03 09:09:07 PM epoch 1",
			`offset 146: found "11/03 09:09:", want nothing after the genotype`},
		{"a node of three edges", genotypeText("[["+flat+", ('none', 0)]]", "[2]"), `offset 17: a list for each node: want 2 edges in it, this one has 3`},
		{"a node of one edge", genotypeText("[(('none', 0),)]", "[2]"), `offset 17: a list for each node: want 2 edges in it, this one has 1`},
		{"nodes and edges", genotypeText("[["+flat+"], "+flat+"]", "[2, 3]"), `offset 70: 2 edges stand alone and 2 in lists of a node, want one of both`},
		{"lists in lists", genotypeText("[[["+flat+"]]]", "[2]"), `offset 19: found "('none', 0),", want a quoted name`},
		{"an empty node", genotypeText("[[[]]]", "[2]"), `offset 19: found "]]], normal_", want a quoted name`},
		{"connections of AutoDL", "Genotype(connectN=3)", `offset 18: found "3)", want None: a genotype of AutoDL whose connectN is not None has connections that no network here has`},
		{"NNI without an input", `{"normal/op_2_0": "none", "normal/input_2_0": 0, "normal/op_2_1": "none"}`, `in the form of NNI: "normal/input_2_1" is missing`},
		{"NNI without an operation", `{"normal/op_2_0": "none", "normal/input_2_0": 0, "normal/input_2_1": 1}`, `in the form of NNI: "normal/op_2_1" is missing`},
		{"NNI without a cell", `{"normal/op_2_0": "none", "normal/input_2_0": 0, "normal/op_2_1": "none", "normal/input_2_1": 1}`, `in the form of NNI: "reduce/op_2_0" is missing`},
		{"NNI with a node too far", `{"normal/op_999999999_0": "none", "normal/input_2_0": 0}`, `in the form of NNI: "normal/op_2_0" is missing`},
		{"NNI with a third edge", `{"normal/op_2_0": "none", "normal/input_2_0": 0, "normal/op_2_1": "none", "normal/input_2_1": 1, "normal/op_2_2": "none", "normal/input_2_2": 1}`,
			`in the form of NNI: "normal/op_3_0" is missing`},
		{"NNI with another name", `{"normal/op_2_0": "none", "normal/op2": "none"}`,
			`offset 26: in the form of NNI: unknown name "normal/op2", want such as "normal/op_2_0" and "reduce/input_2_0"`},
		{"NNI with a name twice", `{"normal/op_2_0": "none", "normal/op_2_0": "none"}`, `offset 26: "normal/op_2_0" stands twice`},
		{"NNI with an unknown operation", `{"normal/op_2_0": "sepconv3x3"}`, `offset 18: unknown op "sepconv3x3" (nearest: "sep_conv_3x3")`},
		{"NNI with two inputs", `{"normal/input_2_0": [0, 1]}`, `offset 23: found ", 1]}", want ']' after the one state of an input`},
		{"NNI with a later state", `{"normal/op_2_0": "none", "normal/input_2_0": 0, "normal/op_2_1": "none", "normal/input_2_1": 2, "reduce/op_2_0": "none", "reduce/input_2_0": 0, "reduce/op_2_1": "none", "reduce/input_2_1": 0}`,
			`normal cell: edge 1 of node 0: comes from state 2, want an earlier state (0 to 1)`},
		{"NNI and more", `{"normal/op_2_0": "none"} 1`, `offset 26: found "1", want nothing after the genotype`},
		{"a comment alone", "# nothing", `offset 9: the text ends, want Genotype(...), JSON or a known name`},
		{"a mark alone", "\ufeff", `offset 3: the text ends, want Genotype(...), JSON or a known name`},
	} {
		t.Run(test.name, func(t *testing.T) {
			_, err := Parse(test.text)
			if err == nil || err.Error() != "cells: parse genotype: "+test.want {
				t.Errorf("got  %v\nwant cells: parse genotype: %s", err, test.want)
			}
		})
	}
}

func FuzzParseGenotype(f *testing.F) {
	// A genotype that Parse reads is valid and comes back from its text and JSON, whatever the input.
	for _, text := range []string{
		"DARTS_V2", searchedText, recurrentSearchedText, enasText, amoebaNetText,
		genotypeText("[('none', 0), ('none', 1)]", "range(0, 1000000000)"),
		genotypeText("(('none', 0,), [\"none\", 1],)", "range(3)"),
		`{"recurrent": [["relu", 0]], "concat": [0, 1]}`,
	} {
		f.Add(text)
	}
	for _, file := range foreignFiles(f) {
		text, err := os.ReadFile(file)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(string(text))
	}
	f.Fuzz(func(t *testing.T, text string) {
		g, err := Parse(text)
		if err != nil {
			if strings.ContainsAny(err.Error(), "\r\n") {
				t.Errorf("error of several lines: %q", err)
			}
			return
		}
		checkRoundTrip(t, g)
	})
}
