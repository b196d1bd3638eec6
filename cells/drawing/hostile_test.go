package drawing

import (
	"bytes"
	"testing"

	"godarts/cells/genotype"
	"godarts/torch/torchtest"
)

func TestHostileArguments(t *testing.T) {
	// Every exported function returns, and the process goes on, when an argument makes no sense.
	torchtest.Hostile{
		Functions: []any{SmallestText, Write},
		Values: []any{
			func() *bytes.Buffer { return new(bytes.Buffer) },
			func() genotype.Genotype { return genotype.Published[0].Genotype },
			func() genotype.Genotype { return genotype.PublishedRecurrent[0].Genotype },
			func() Options { return Options{Format: "pdf", Width: 85} },
			func() Options { return Options{Format: "dot", Kinds: []genotype.Kind{genotype.Reduce}} },
		},
		Cases: 50,
	}.Run(t)
}
