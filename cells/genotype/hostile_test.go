package genotype

import (
	"testing"

	"godarts/torch/torchtest"
)

func TestHostileArguments(t *testing.T) {
	// Every exported function and method returns, and the process goes on, when an argument makes no sense.
	published := func() Genotype { return dartsV2.Clone() }
	torchtest.Hostile{
		Functions: []any{KindOfLayer, Lookup, Parse, ParseWidths, LookupRecurrent, Register, Registered, Same, SearchOps, Without},
		Values: []any{
			func() Op { return SepConv3x3 },
			func() Op { return ActTanh },
			func() Kind { return Recurrent },
			func() Channels { return Same(4) },
			func() Widths {
				return Widths{Stem: []int{3}, Cells: []CellWidths{{States: [][2]int{{1, 2}}, Inner: []int{0}}}}
			},
			func() Edge { return Edge{Op: SepConv3x3} },
			func() Cell { return published().Normal },
			func() Genotype { return published() },
			func() Genotype { return recurrentDartsV2.Clone() },
			func() *Genotype { return &Genotype{} },
		},
		Cases: 150,
	}.Run(t)
}
