package genotype

import "fmt"

// Kind is what a cell is used as. It decides which operations and states a cell may have.
type Kind int

const (
	Normal Kind = iota
	Reduce
	Recurrent
)

// ConvolutionalKinds is the number of kinds of convolutional cells: Normal and Reduce are below it. It is the length of
// arrays that have a Kind as index, and the range of loops over both.
const ConvolutionalKinds = Recurrent

// String returns the name of the kind in the reference's genotypes.
func (k Kind) String() string {
	switch k {
	case Normal:
		return "normal"
	case Reduce:
		return "reduce"
	case Recurrent:
		return "recurrent"
	}
	return fmt.Sprintf("Kind(%d)", int(k))
}

// KindOfLayer returns the kind of the convolutional cell at that layer: the cells at layers/3 and 2·layers/3 reduce.
func KindOfLayer(layer, layers int) Kind {
	if layer == layers/3 || layer == 2*layers/3 {
		return Reduce
	}
	return Normal
}

// Stride returns the stride of an edge from that state: 2 from the inputs of a reduction cell, else 1.
func (k Kind) Stride(from int) int {
	if k == Reduce && from < 2 {
		return 2
	}
	return 1
}

// Inputs returns the number of states before the first node.
func (k Kind) Inputs() int {
	if k == Recurrent {
		return 1
	}
	return 2
}

// EdgesPerNode returns how many edges of Cell.Edges make one node.
func (k Kind) EdgesPerNode() int {
	if k == Recurrent {
		return 1
	}
	return 2
}

// firstConcat returns the lowest state that can be part of the output. The inputs of a reduction cell cannot: they have
// twice the height and width of its nodes.
func (k Kind) firstConcat() int {
	if k == Reduce {
		return 2
	}
	return 0
}
