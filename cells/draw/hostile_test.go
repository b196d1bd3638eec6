package draw

import (
	"bytes"
	"testing"

	"godarts/cells/genotype"
	"godarts/torch/torchtest"
)

func TestHostileArguments(t *testing.T) {
	// Every exported function returns, and the process goes on, when an argument makes no sense.
	torchtest.Hostile{
		Functions: []any{DOT, LayOut, SVG},
		Values: []any{
			func() *bytes.Buffer { return new(bytes.Buffer) },
			func() genotype.Kind { return genotype.Recurrent },
			func() Canvas { return &svgCanvas{} },
			func() *Picture {
				p, _ := LayOut(genotype.Published[0].Genotype.Normal, genotype.Normal)
				return p
			},
			func() genotype.Cell { return genotype.Published[0].Genotype.Normal },
			func() genotype.Cell { return genotype.PublishedRecurrent[0].Genotype.Recurrent },
		},
		Made:  []any{&Picture{}},
		Cases: 50,
	}.Run(t)
}
