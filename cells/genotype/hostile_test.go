package genotype

import (
	"testing"

	"godarts/torch/torchtest"
)

func TestHostileArguments(t *testing.T) {
	// Every exported function and method returns, and the process goes on, when an argument makes no sense.
	published := func() Genotype { return dartsV2.Clone() }
	torchtest.Hostile{
		Functions: []any{KindOfLayer, Lookup, Parse, LookupRecurrent, Register, Registered, SearchOps, Without},
		Values: []any{
			func() Op { return SepConv3x3 },
			func() Op { return ActTanh },
			func() Kind { return Recurrent },
			func() Edge { return Edge{Op: SepConv3x3} },
			func() Cell { return published().Normal },
			func() Genotype { return published() },
			func() Genotype { return recurrentDartsV2.Clone() },
			func() *Genotype { return &Genotype{} },
		},
		Cases: 150,
	}.Run(t)
}
