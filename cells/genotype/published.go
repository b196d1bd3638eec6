package genotype

import (
	"fmt"
	"slices"
	"strings"
)

// Named is a published cell and its name in the reference.
type Named struct {
	Name     string
	Genotype Genotype
}

// Published are the published convolutional cells in the reference's order (cnn/genotypes.py). NASNet is cell A
// of Zoph et al., CVPR 2018 (arXiv 1707.07012); AmoebaNet is cell A of Real et al., AAAI 2019 (arXiv
// 1802.01548), both with the concatenation and pair order of the reference; DARTS_V1 and DARTS_V2 are the
// first- and second-order results of Liu et al., ICLR 2019 (arXiv 1806.09055). DARTS is another name of
// DARTS_V2. After them come results of other methods in its space: PCDARTS and PCDARTS_IMAGENET, searched on
// CIFAR-10 and on ImageNet, of Xu et al., ICLR 2020 (arXiv 1907.05737); GDAS_V1 of Dong and Yang, CVPR 2019
// (arXiv 1910.04465); PDARTS of Chen et al., ICCV 2019 (arXiv 1904.12760). ENAS_MICRO is the cell of Pham et
// al., ICML 2018 (arXiv 1802.03268), from a space of its own. Read-only; Lookup returns copies.
var Published = []Named{
	{"NASNet", Genotype{
		Normal: Cell{
			Edges: []Edge{
				{SepConv5x5, 1}, {SepConv3x3, 0},
				{SepConv5x5, 0}, {SepConv3x3, 0},
				{AvgPool3x3, 1}, {SkipConnect, 0},
				{AvgPool3x3, 0}, {AvgPool3x3, 0},
				{SepConv3x3, 1}, {SkipConnect, 1},
			},
			Concat: []int{2, 3, 4, 5, 6},
		},
		Reduce: Cell{
			Edges: []Edge{
				{SepConv5x5, 1}, {SepConv7x7, 0},
				{MaxPool3x3, 1}, {SepConv7x7, 0},
				{AvgPool3x3, 1}, {SepConv5x5, 0},
				{SkipConnect, 3}, {AvgPool3x3, 2},
				{SepConv3x3, 2}, {MaxPool3x3, 1},
			},
			Concat: []int{4, 5, 6},
		},
	}},
	{"AmoebaNet", Genotype{
		Normal: Cell{
			Edges: []Edge{
				{AvgPool3x3, 0}, {MaxPool3x3, 1},
				{SepConv3x3, 0}, {SepConv5x5, 2},
				{SepConv3x3, 0}, {AvgPool3x3, 3},
				{SepConv3x3, 1}, {SkipConnect, 1},
				{SkipConnect, 0}, {AvgPool3x3, 1},
			},
			Concat: []int{4, 5, 6},
		},
		Reduce: Cell{
			Edges: []Edge{
				{AvgPool3x3, 0}, {SepConv3x3, 1},
				{MaxPool3x3, 0}, {SepConv7x7, 2},
				{SepConv7x7, 0}, {AvgPool3x3, 1},
				{MaxPool3x3, 0}, {MaxPool3x3, 1},
				{Conv7x1_1x7, 0}, {SepConv3x3, 5},
			},
			Concat: []int{3, 4, 6},
		},
	}},
	{"DARTS_V1", Genotype{
		Normal: Cell{
			Edges: []Edge{
				{SepConv3x3, 1}, {SepConv3x3, 0},
				{SkipConnect, 0}, {SepConv3x3, 1},
				{SkipConnect, 0}, {SepConv3x3, 1},
				{SepConv3x3, 0}, {SkipConnect, 2},
			},
			Concat: []int{2, 3, 4, 5},
		},
		Reduce: Cell{
			Edges: []Edge{
				{MaxPool3x3, 0}, {MaxPool3x3, 1},
				{SkipConnect, 2}, {MaxPool3x3, 0},
				{MaxPool3x3, 0}, {SkipConnect, 2},
				{SkipConnect, 2}, {AvgPool3x3, 0},
			},
			Concat: []int{2, 3, 4, 5},
		},
	}},
	{"DARTS_V2", dartsV2},
	{"DARTS", dartsV2},
	{"PCDARTS", Genotype{
		Normal: Cell{
			Edges: []Edge{
				{SepConv3x3, 1}, {SkipConnect, 0},
				{SepConv3x3, 0}, {DilConv3x3, 1},
				{SepConv5x5, 0}, {SepConv3x3, 1},
				{AvgPool3x3, 0}, {DilConv3x3, 1},
			},
			Concat: []int{2, 3, 4, 5},
		},
		Reduce: Cell{
			Edges: []Edge{
				{SepConv5x5, 1}, {MaxPool3x3, 0},
				{SepConv5x5, 1}, {SepConv5x5, 2},
				{SepConv3x3, 0}, {SepConv3x3, 3},
				{SepConv3x3, 1}, {SepConv3x3, 2},
			},
			Concat: []int{2, 3, 4, 5},
		},
	}},
	{"PCDARTS_IMAGENET", Genotype{
		Normal: Cell{
			Edges: []Edge{
				{SkipConnect, 1}, {SepConv3x3, 0},
				{SepConv3x3, 0}, {SkipConnect, 1},
				{SepConv3x3, 1}, {SepConv3x3, 3},
				{SepConv3x3, 1}, {DilConv5x5, 4},
			},
			Concat: []int{2, 3, 4, 5},
		},
		Reduce: Cell{
			Edges: []Edge{
				{SepConv3x3, 0}, {SkipConnect, 1},
				{DilConv5x5, 2}, {MaxPool3x3, 1},
				{SepConv3x3, 2}, {SepConv3x3, 1},
				{SepConv5x5, 0}, {SepConv3x3, 3},
			},
			Concat: []int{2, 3, 4, 5},
		},
	}},
	{"GDAS_V1", Genotype{
		Normal: Cell{
			Edges: []Edge{
				{SkipConnect, 0}, {SkipConnect, 1},
				{SkipConnect, 0}, {SepConv5x5, 2},
				{SepConv3x3, 3}, {SkipConnect, 0},
				{SepConv5x5, 4}, {SepConv3x3, 3},
			},
			Concat: []int{2, 3, 4, 5},
		},
		Reduce: Cell{
			Edges: []Edge{
				{SepConv5x5, 0}, {SepConv3x3, 1},
				{SepConv5x5, 2}, {SepConv5x5, 1},
				{DilConv5x5, 2}, {SepConv3x3, 1},
				{SepConv5x5, 0}, {SepConv5x5, 1},
			},
			Concat: []int{2, 3, 4, 5},
		},
	}},
	{"PDARTS", Genotype{
		Normal: Cell{
			Edges: []Edge{
				{SkipConnect, 0}, {DilConv3x3, 1},
				{SkipConnect, 0}, {SepConv3x3, 1},
				{SepConv3x3, 1}, {SepConv3x3, 3},
				{SepConv3x3, 0}, {DilConv5x5, 4},
			},
			Concat: []int{2, 3, 4, 5},
		},
		Reduce: Cell{
			Edges: []Edge{
				{AvgPool3x3, 0}, {SepConv5x5, 1},
				{SepConv3x3, 0}, {DilConv5x5, 2},
				{MaxPool3x3, 0}, {DilConv3x3, 1},
				{DilConv3x3, 1}, {DilConv5x5, 3},
			},
			Concat: []int{2, 3, 4, 5},
		},
	}},
	{"ENAS_MICRO", Genotype{
		Normal: Cell{
			Edges: []Edge{
				{AvgPool3x3, 0}, {SepConv3x3, 0},
				{SkipConnect, 0}, {SepConv5x5, 0},
				{SkipConnect, 0}, {SepConv5x5, 1},
				{SepConv3x3, 1}, {SepConv5x5, 0},
				{AvgPool3x3, 0}, {SepConv5x5, 1},
			},
			Concat: []int{2, 3, 4, 5, 6},
		},
		Reduce: Cell{
			Edges: []Edge{
				{SepConv3x3, 1}, {SepConv3x3, 1},
				{MaxPool3x3, 0}, {AvgPool3x3, 0},
				{SepConv5x5, 1}, {SepConv5x5, 3},
				{SepConv3x3, 1}, {SkipConnect, 0},
				{MaxPool3x3, 0}, {SepConv5x5, 1},
			},
			Concat: []int{2, 4, 5, 6},
		},
	}},
}

var dartsV2 = Genotype{
	Normal: Cell{
		Edges: []Edge{
			{SepConv3x3, 0}, {SepConv3x3, 1},
			{SepConv3x3, 0}, {SepConv3x3, 1},
			{SepConv3x3, 1}, {SkipConnect, 0},
			{SkipConnect, 0}, {DilConv3x3, 2},
		},
		Concat: []int{2, 3, 4, 5},
	},
	Reduce: Cell{
		Edges: []Edge{
			{MaxPool3x3, 0}, {MaxPool3x3, 1},
			{SkipConnect, 2}, {MaxPool3x3, 1},
			{MaxPool3x3, 0}, {SkipConnect, 2},
			{SkipConnect, 2}, {MaxPool3x3, 1},
		},
		Concat: []int{2, 3, 4, 5},
	},
}

// PublishedRecurrent are the published recurrent cells in the reference's order (rnn/genotypes.py). ENAS is
// Pham et al., ICML 2018 (arXiv 1802.03268); DARTS_V1 and DARTS_V2 are the first- and second-order results
// of Liu et al., and DARTS is another name of DARTS_V2. Some names are in Published, too. Read-only;
// LookupRecurrent returns copies.
var PublishedRecurrent = []Named{
	{"ENAS", Genotype{Recurrent: Cell{
		Edges: []Edge{
			{ActTanh, 0}, {ActTanh, 1}, {ActReLU, 1}, {ActTanh, 3}, {ActTanh, 3}, {ActReLU, 3},
			{ActReLU, 4}, {ActReLU, 7}, {ActReLU, 8}, {ActReLU, 8}, {ActReLU, 8},
		},
		Concat: []int{2, 5, 6, 9, 10, 11},
	}}},
	{"DARTS_V1", Genotype{Recurrent: Cell{
		Edges: []Edge{
			{ActReLU, 0}, {ActReLU, 1}, {ActTanh, 2}, {ActReLU, 3},
			{ActReLU, 4}, {ActIdentity, 1}, {ActReLU, 5}, {ActReLU, 1},
		},
		Concat: []int{1, 2, 3, 4, 5, 6, 7, 8},
	}}},
	{"DARTS_V2", recurrentDartsV2},
	{"DARTS", recurrentDartsV2},
}

var recurrentDartsV2 = Genotype{Recurrent: Cell{
	Edges: []Edge{
		{ActSigmoid, 0}, {ActReLU, 1}, {ActReLU, 1}, {ActIdentity, 1},
		{ActTanh, 2}, {ActSigmoid, 5}, {ActTanh, 3}, {ActReLU, 5},
	},
	Concat: []int{1, 2, 3, 4, 5, 6, 7, 8},
}}

// Lookup returns a copy of the published convolutional cells of that name, whatever its case. The error of
// an unknown name lists the known ones and the nearest.
func Lookup(name string) (Genotype, error) {
	return lookupNamed(name, "genotype", Published)
}

// LookupRecurrent is Lookup for the published recurrent cells.
func LookupRecurrent(name string) (Genotype, error) {
	return lookupNamed(name, "recurrent genotype", PublishedRecurrent)
}

func lookupNamed(name, what string, known []Named) (Genotype, error) {
	if g, ok := findNamed(name, known); ok {
		return g, nil
	}
	return Genotype{}, fmt.Errorf("cells: unknown %s %s", what, describeUnknownName(name, known))
}

func findNamed(name string, known []Named) (Genotype, bool) {
	for _, k := range known {
		if strings.EqualFold(k.Name, name) {
			return k.Genotype.Clone(), true
		}
	}
	return Genotype{}, false
}

// describeUnknownName ends an error message: the quoted name, the nearest known one, and all of them.
func describeUnknownName(name string, known []Named) string {
	var names []string
	for _, k := range known {
		if !slices.Contains(names, k.Name) {
			names = append(names, k.Name)
		}
	}
	return fmt.Sprintf("%s (nearest: %q; known: %s)",
		quoteShort(name), nearestSpelling(name, names), strings.Join(names, ", "))
}

func (g Genotype) Clone() Genotype {
	return Genotype{Normal: g.Normal.Clone(), Reduce: g.Reduce.Clone(), Recurrent: g.Recurrent.Clone()}
}

func (c Cell) Clone() Cell {
	return Cell{Edges: slices.Clone(c.Edges), Concat: slices.Clone(c.Concat)}
}
