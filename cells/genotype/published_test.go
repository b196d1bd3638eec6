package genotype

import (
	"slices"
	"testing"
)

func TestKnownAreValid(t *testing.T) {
	// Every published genotype is valid and of the kind of its table when looked up.
	check := func(known []Named, recurrent bool, lookup func(string) (Genotype, error)) {
		for _, k := range known {
			t.Run(k.Name, func(t *testing.T) {
				g, err := lookup(k.Name)
				if err != nil {
					t.Fatal(err)
				}
				if err := g.Validate(); err != nil {
					t.Error(err)
				}
				if g.IsRecurrent() != recurrent {
					t.Errorf("IsRecurrent %v, want %v", g.IsRecurrent(), recurrent)
				}
				if g.String() != k.Genotype.String() {
					t.Errorf("got %v, want %v", g, k.Genotype)
				}
			})
		}
	}
	check(Published, false, Lookup)
	check(PublishedRecurrent, true, LookupRecurrent)
}

func TestLookupCopies(t *testing.T) {
	// Lookup gives the published cell again when an earlier result was changed.
	g, err := Lookup("darts")
	if err != nil {
		t.Fatal(err)
	}
	want := g.String()
	g.Normal.Edges[0].Op, g.Reduce.Concat[0] = None, 3
	again, err := Lookup("DARTS_V2")
	if err != nil {
		t.Fatal(err)
	}
	if again.String() != want {
		t.Errorf("got %v, want %s", again, want)
	}
}

func TestLookupErrors(t *testing.T) {
	// Lookup lists the known names and the nearest when it does not know the name.
	for _, test := range []struct {
		name   string
		lookup func(string) (Genotype, error)
		want   string
	}{
		{"DARTS_V9", Lookup, `cells: unknown genotype "DARTS_V9" (nearest: "DARTS_V2"; known: NASNet, AmoebaNet, DARTS_V1, DARTS_V2, DARTS, PCDARTS, PCDARTS_IMAGENET, GDAS_V1, PDARTS, ENAS_MICRO)`},
		{"nasnt", Lookup, `cells: unknown genotype "nasnt" (nearest: "NASNet"; known: NASNet, AmoebaNet, DARTS_V1, DARTS_V2, DARTS, PCDARTS, PCDARTS_IMAGENET, GDAS_V1, PDARTS, ENAS_MICRO)`},
		{"EAS", LookupRecurrent, `cells: unknown recurrent genotype "EAS" (nearest: "ENAS"; known: ENAS, DARTS_V1, DARTS_V2, DARTS)`},
	} {
		t.Run(test.name, func(t *testing.T) {
			if _, err := test.lookup(test.name); err == nil || err.Error() != test.want {
				t.Errorf("got %v, want %s", err, test.want)
			}
		})
	}
}

func TestENASMicro(t *testing.T) {
	// ENAS_MICRO is what its authors' code of numbers says when that is read: for each node an input, its operation, the other input, its operation; unused nodes are the output.
	ops := []Op{SepConv3x3, SepConv5x5, AvgPool3x3, MaxPool3x3, SkipConnect}
	read := func(code ...int) (c Cell) {
		used := map[int]bool{}
		for ; len(code) > 0; code = code[2:] {
			c.Edges = append(c.Edges, Edge{ops[code[1]], code[0]})
			used[code[0]] = true
		}
		for state := range c.Nodes() + 2 {
			if !used[state] {
				c.Concat = append(c.Concat, state)
			}
		}
		return c
	}
	want := Genotype{
		Normal: read(0, 2, 0, 0, 0, 4, 0, 1, 0, 4, 1, 1, 1, 0, 0, 1, 0, 2, 1, 1),
		Reduce: read(1, 0, 1, 0, 0, 3, 0, 2, 1, 1, 3, 1, 1, 0, 0, 4, 0, 3, 1, 1),
	}
	got, err := Lookup("ENAS_MICRO")
	if err != nil {
		t.Fatal(err)
	}
	if got.String() != want.String() {
		t.Errorf("got %v, want %v", got, want)
	}
}

func TestNearestOpAmong(t *testing.T) {
	// nearestOpAmong gives the op with the fewest edits when the name is misspelt.
	for name, want := range map[string]Op{
		"sep_conv_9x9": SepConv7x7, "sep_conv_1x1": SepConv3x3, "dil_conv_7x7": DilConv5x5, "maxpool3x3": MaxPool3x3,
		"skip": SkipConnect, "SIGMOID": ActSigmoid, "id": ActIdentity, "": None, "conv_1x7_7x1": Conv7x1_1x7,
	} {
		t.Run(name, func(t *testing.T) {
			if got := nearestOpAmong(name, slices.Concat(allConvolutionalOps(), recurrentOps)); got != want {
				t.Errorf("got %q, want %q", got, want)
			}
		})
	}
}

func TestOpKinds(t *testing.T) {
	// Convolutional and Recurrent say where an op can stand when it is known, and false when it is not.
	for _, test := range []struct {
		op                       Op
		convolutional, recurrent bool
	}{
		{None, true, false}, {SepConv7x7, true, false}, {Conv7x1_1x7, true, false}, {ActTanh, false, true},
		{ActIdentity, false, true}, {"sep_conv_9x9", false, false}, {"", false, false},
	} {
		t.Run(string(test.op), func(t *testing.T) {
			if test.op.Convolutional() != test.convolutional || test.op.Recurrent() != test.recurrent {
				t.Errorf("got %v, %v, want %v, %v", test.op.Convolutional(), test.op.Recurrent(), test.convolutional, test.recurrent)
			}
		})
	}
}
